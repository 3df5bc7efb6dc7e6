"""Words of the command line: beside a sweep file they replace its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hwsim.__main__ import main
from hwsim.commands.sweep_words import SweepJob, space_of

GRID = """
chips = ["systolic", "integral_sc"]
networks = ["digits_32"]
constraints = ["clock_hz > 1e8"]
batch = [1, 4]
seed = 1

[knobs]
clock_hz = [2e8, 4e8]

[knobs.systolic]
array_rows = [8, 16]
array_cols = [8, 16]

[knobs.integral_sc]
m = [1, 2]
"""
SEARCH = """
chips = "systolic"
networks = "digits_32"
sampling = "search"

[search]
objectives = ["energy_j", "time_s"]
budget = 7

[knobs]
array_rows = [8, 16, 32]
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text(GRID)
    (tmp_path / "search.toml").write_text(SEARCH)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "name", "expected"),
    [
        ({"batch": ("2,3",)}, "batch", (2, 3)),
        ({"precision": ("int8", "int4")}, "precision", ("int8", "int4")),
        ({"where": ("clock_hz < 1e9",)}, "constraints", ("clock_hz > 1e8", "clock_hz < 1e9")),
        ({"dim": ("n=3",)}, "dimensions", {"n": 3}),
        ({"seed": 5}, "seed", 5),
        ({"limit": 3}, "limit", 3),
        ({"on_unsupported": "traffic"}, "on_unsupported", "traffic"),
        ({"on": ("systolic:tpu_v1",)}, "chips", ("systolic:tpu_v1",)),
        ({"sampling": "zip"}, "sampling", "zip"),
        ({"sampling": "random", "samples": 9}, "samples", 9),
    ],
)
def test_words_replace_those_of_a_file(words: dict[str, Any], name: str, expected: Any) -> None:
    assert getattr(space_of(SweepJob(("grid.toml",), **words)), name) == expected


def test_knobs_replace_those_of_a_file() -> None:
    def knobs(*words: str, on: tuple[str, ...] = ()) -> dict[str, Any]:
        return dict(space_of(SweepJob(("grid.toml",), on=on, knob=words)).knobs)

    whole = {
        "clock_hz": [2e8, 4e8],
        "systolic.array_rows": [8, 16],
        "systolic.array_cols": [8, 16],
        "integral_sc.m": [1, 2],
    }
    assert knobs("clock_hz=3e8") == whole | {"clock_hz": 3e8}
    assert knobs("systolic.array_rows=4") == whole | {"systolic.array_rows": 4}
    rows = knobs("array_rows=4:8:x2", on=("systolic",))
    assert rows == {
        "clock_hz": [2e8, 4e8],
        "systolic.array_cols": [8, 16],
        "array_rows": {"from": 4, "to": 8, "ratio": 2},
    }


def test_objectives_and_sampling_replace_those_of_a_search() -> None:
    kept = space_of(SweepJob(("search.toml",), objectives=("cycles,max:utilization",)))
    assert kept.search is not None
    assert (kept.search.objectives, kept.search.budget) == (("cycles", "max:utilization"), 7)
    grid = space_of(SweepJob(("search.toml",), sampling="grid", objectives=("cycles",)))
    assert (grid.sampling, grid.search) == ("grid", None)
    new = space_of(SweepJob(("grid.toml",), sampling="search", objectives=("cycles",)))
    assert new.search is not None
    assert new.search.objectives == ("cycles",)


def test_a_search_of_a_file_minimises_the_objectives_given(capsys: Capture) -> None:
    assert main(["sweep", "search.toml", "--objectives", "cycles", "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["search"]["objectives"] == ["cycles"]
    assert (document["points"], document["designs"], document["exact"]) == (3, 3, False)
    assert {part["knobs"]["array_rows"] for part in document["first"]} == {8, 16, 32}


def test_policy_beside_a_file_is_obeyed(inside: Path, capsys: Capture) -> None:
    (inside / "far.toml").write_text('chips = "integral_sc"\nnetworks = "alexnet"\n')
    assert main(["sweep", "far.toml", "--dry-run"]) == 3
    assert "integral_sc cannot run it" in capsys.readouterr().err
    assert main(["sweep", "far.toml", "--dry-run", "--on-unsupported", "traffic"]) == 0


def test_dry_run_of_a_search(capsys: Capture) -> None:
    words = ["sweep", "digits_32", "--on", "systolic", "--sampling", "search", "--dry-run"]
    assert main([*words, "--knob", "clock_hz=1e8:1e9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "at most 200 points of endlessly many designs: 1 of chip and network, search ("
    )
    assert lines[0].endswith("for energy_j, time_s, budget 200; it begins with")
    assert lines[-1] == "..."
    assert main([*words, "--knob", "array_rows=8,16,32"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("at most 3 points of 3 designs")
    assert {line.split()[-1] for line in lines[3:]} == {"8", "16", "32"}
    assert main([*words, "--knob", "array_rows=8,16", "--where", "array_rows < 4"]) == 2
    assert "no point fulfils" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--knob", "clock_hz=100MHz:1GHz:x2"], "4 points"),
        (["--knob", "clock_hz=100MHz:1GHz:300MHz"], "4 points"),
        (["--knob", "array_rows=8:64:X2"], "4 points"),
        (["--batch", "99999999999999", "--knob", "array_rows=8"], "99999999999999"),
        (["--batch", "999999999999999"], "from 1 to 281474976710656"),
        (["--batch", "0"], "from 1 to"),
        (["--knob", "array_rows=8:64:x"], "`ratio` is a number of at least 1.0001, got ''"),
        (["--knob", "array_rows=8:64:x1"], "`ratio` is a number of at least 1.0001, got 1"),
        (["--knob", "array_rows=8::"], "got ''"),
    ],
)
def test_forms_of_words(words: list[str], text: str, capsys: Capture) -> None:
    code = main(["sweep", "digits_32", "--on", "systolic", "--dry-run", *words])
    shown = capsys.readouterr()
    assert text in shown.out + shown.err
    assert code == (0 if shown.out else 2)
