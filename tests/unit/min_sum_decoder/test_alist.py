"""alist files: what is read, and every slip with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import InputError, Problem
from hwsim.graph.tanner import TannerGraph, tanner_of
from hwsim.importers.alist import parse_alist
from hwsim.run import load
from workloads.codes import CODES

HAMMING = """7 3
3 4
1 1 2 1 2 2 3
4 4 4
1 0 0
2 0 0
1 2 0
3 0 0
1 3 0
2 3 0
1 2 3
1 3 5 7
2 3 6 7
4 5 6 7
"""


def written(tanner: TannerGraph, *, padded: bool = True) -> str:
    """Return a code in the alist format."""
    columns = [[row + 1 for row, check in enumerate(tanner.checks) if variable in check]
               for variable in range(tanner.length)]
    rows = [[variable + 1 for variable in check] for check in tanner.checks]

    def lines(lists: list[list[int]]) -> list[str]:
        widest = max(map(len, lists))
        return [" ".join(map(str, one + [0] * ((widest - len(one)) if padded else 0))) for one in lists]

    heads = [f"{tanner.length} {len(rows)}", f"{max(map(len, columns))} {max(map(len, rows))}",
             " ".join(str(len(one)) for one in columns), " ".join(str(len(one)) for one in rows)]
    return "\n".join([*heads, *lines(columns), *lines(rows)]) + "\n"


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("name", CODES)
def test_a_code_survives_the_format(name: str, padded: bool) -> None:
    tanner = CODES[name]()
    assert parse_alist(written(tanner, padded=padded), "code.alist") == tanner


def test_file_becomes_the_network_of_the_built_in_code(tmp_path: Path) -> None:
    path = tmp_path / "hamming.alist"
    path.write_text(HAMMING)
    graph = load(path, batch=2)
    built = load("hamming_7_4", batch=2)
    assert tanner_of(graph.ops[0], 7) == CODES["hamming_7_4"]()
    assert graph.name == "hamming"
    assert graph.provenance["file"] == "hamming.alist"
    assert len(graph.provenance["sha256"]) == 64
    assert (graph.ops, dict(graph.tensors)) == (built.ops, dict(built.tensors))


def problems_of(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        parse_alist(text, "f")
    found: dict[str, str] = {}
    for problem in caught.value.problems:
        found[problem.where] = f"{found.get(problem.where, '')} {problem.reason}"
    return found


def changed(**lines: str) -> str:
    parts = HAMMING.splitlines()
    for key, text in lines.items():
        parts[int(key[1:]) - 1] = text
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        (changed(_1="7"), "f:1", "1 numbers where two are needed: columns and rows"),
        (changed(_1="7 3 1"), "f:1", "3 numbers where two"),
        (changed(_1="0 3"), "f:1", "0 columns, must be 1 to"),
        (changed(_1="7 99999999999"), "f:1", "99999999999 rows, must be 1 to"),
        (changed(_1="seven 3"), "f:1", "'seven' is not a whole number"),
        (changed(_2="3 5"), "f:2", "the largest row degree is 4 (line 4), not 5"),
        (changed(_2="2 4"), "f:2", "the largest column degree is 3 (line 3), not 2"),
        (changed(_3="1 1 2 1 2 2"), "f:3", "6 degrees for 7 columns"),
        (changed(_4="4 4 4 4"), "f:4", "4 degrees for 3 rows"),
        (changed(_5="2 0 0"), "f:12", "row 1 has column 1, but column 1 (line 5) does not have row 1"),
        (changed(_5="4 0 0"), "f:5", "column 1 has entry 4, there are 3"),
        (changed(_7="1 1 0"), "f:7", "column 3 has entry 1 twice"),
        (changed(_7="0 1 2"), "f:7", "column 3 has a 0 before its last entry"),
        (changed(_7="1 0 0"), "f:7", "column 3 has 1 ones, line 3 says 2"),
        (changed(_7="1 -2 0"), "f:7", "'-2' is not a whole number"),
        (changed(_7="1 2.5"), "f:7", "'2.5' is not a whole number"),
        (changed(_8="0 0 0", _3="1 1 2 0 2 2 3"), "f:8", "column 4 has 0 ones, needs at least 1"),
        (changed(_14="4 0 0 0", _4="4 4 1"), "f:14", "row 3 has 1 ones, needs at least 2: a check"),
        (changed(_14="", _4="4 4 0"), "f:13", "the file ends here"),
        (HAMMING + "1 2 3\n", "f:15", "nothing should follow the last of 3 rows"),
        ("7 3\n", "f:2", "the file ends where two are needed"),
    ],
)
def test_a_slip_is_named_with_its_line(text: str, where: str, reason: str) -> None:
    found = problems_of(text)
    assert reason in found[where], found


def test_all_slips_are_named_at_once() -> None:
    found = problems_of(changed(_2="9 4", _5="x 0 0", _7="1 1 0", _14="4 5 6 9"))
    assert set(found) == {"f:2", "f:5", "f:7", "f:14"}, found


def test_a_file_is_not_taken_for_text_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "bad.alist"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"bad\.alist: is not text"):
        load(path)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "missing.alist")
    path.write_text(HAMMING)
    with pytest.raises(InputError, match="has no dimension 'frames'"):
        load(path, dimensions={"frames": 2})


def read_or_refused(text: str) -> TannerGraph | None:
    """Return the code, or None after a refusal that names a line for every problem."""
    problems: tuple[Problem, ...] = ()
    try:
        return parse_alist(text, "f")
    except InputError as error:
        problems = error.problems
    assert problems
    assert all(re.fullmatch(r"f:\d+", problem.where) for problem in problems)
    return None


@given(st.text(alphabet="0123456789 \n-x", max_size=80))
def test_no_text_ends_in_anything_but_a_code_or_an_input_error(text: str) -> None:
    tanner = read_or_refused(text)
    assert tanner is None or (min(tanner.degrees) >= 2 and min(tanner.variable_degrees) >= 1)


@given(st.integers(0, 13), st.integers(0, 30), st.sampled_from([" ", "0", "9", "x", "\n", "-1"]))
def test_one_changed_character_never_escapes(line: int, place: int, character: str) -> None:
    lines = HAMMING.splitlines()
    lines[line] = lines[line][:place] + character + lines[line][place + 1:]
    read_or_refused("\n".join(lines))
