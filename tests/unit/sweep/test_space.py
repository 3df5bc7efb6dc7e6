from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.errors import InputError, UnsupportedOp
from hwsim.sweep.points import BLOCK, blocks, candidate_count, explain_empty
from hwsim.sweep.space import read_space, space_schema
from tests.unit.sweep.spaces import keys, plan, rows, space

FILE = """
chips = ["systolic:edge_32", "systolic:tpu_v1"]
networks = ["digits_32"]
constraints = ["array_rows * array_cols <= 1024"]
batch = [1, 4]

[knobs]
array_rows = { powers_of_two = [8, 32] }
array_cols = { equal = "array_rows * 2" }
clock_hz = ["200 MHz", "1 GHz"]
dataflow = "all"
"""


def test_file_becomes_points(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(FILE)
    found = list(blocks(plan(**dict(read_space(path)))))
    assert [block.first for block in found] == [0, 16, 32, 48]
    assert found[0].rows[0] == (8, 200e6, "best", 16)
    assert {row[0] for block in found for row in block.rows} == {8, 16}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"from": 8, "to": 32, "step": 8}, [8, 16, 24, 32]),
        ({"from": 8, "to": 32, "points": 3}, [8, 20, 32]),
        ({"from": 8, "to": 128, "points": 5, "scale": "log"}, [8, 16, 32, 64, 128]),
        ({"powers_of_two": [4, 16]}, [4, 8, 16]),
        ({"values": [3, 5, 3]}, [3, 5]),
        ([1, 2.0, "3"], [1, 2, 3]),
        (7, [7]),
    ],
)
def test_values_of_a_knob(given: Any, expected: list[int]) -> None:
    found = [row["array_rows"] for row in rows(knobs={"array_rows": given})]
    assert found == expected
    assert all(type(value) is int for value in found)


def test_truth_values_and_choices() -> None:
    assert [row["fuse_elementwise"] for row in rows(knobs={"fuse_elementwise": "all"})] == [False, True]
    assert len(rows(knobs={"dataflow": "all"})) == 4


def test_knobs_of_one_chip_only() -> None:
    both = {"chips": ["systolic", "integral_sc"], "knobs": {"clock_hz": [1e8, 2e8]}}
    assert len(rows(**both)) == 4
    both["knobs"] = {"clock_hz": 1e8, "systolic": {"array_rows": [8, 16]}, "integral_sc.m": [1, 2, 4]}
    assert len(rows(**both)) == 5


def test_zip_takes_values_together() -> None:
    found = rows(knobs={"array_rows": [8, 16], "array_cols": [4, 2], "clock_hz": 1e9}, sampling="zip")
    assert [(row["array_rows"], row["array_cols"], row["clock_hz"]) for row in found] == [
        (8, 4, 1e9),
        (16, 2, 1e9),
    ]


def test_presets_with_a_star() -> None:
    assert len(plan(chips=["systolic:*"]).scenarios) == 4
    assert len(plan(chips=["systolic", "systolic:edge_32"]).scenarios) == 1


@pytest.mark.parametrize("sampling", ["random", "latin_hypercube"])
def test_samples_are_seeded_and_inside(sampling: str) -> None:
    given: dict[str, Any] = {
        "knobs": {"array_rows": {"from": 1, "to": 64}, "clock_hz": {"from": 1e8, "to": 1e9, "scale": "log"}},
        "sampling": sampling,
        "samples": 200,
    }
    found = rows(**given)
    assert len(found) == 200
    assert found == rows(**given)
    assert found != rows(**given, seed=1)
    assert all(1 <= row["array_rows"] <= 64 and 1e8 <= row["clock_hz"] <= 1e9 for row in found)
    assert all(type(row["array_rows"]) is int for row in found)
    if sampling == "latin_hypercube":
        logs = np.floor((np.log10([row["clock_hz"] for row in found]) - 8) * 200).astype(int)
        assert sorted(logs.clip(0, 199)) == list(range(200))
        assert sorted(np.bincount([row["array_rows"] for row in found])[1:])[0] >= 2


def test_random_samples_fulfil_constraints() -> None:
    found = rows(
        knobs={"array_rows": {"from": 1, "to": 64}, "array_cols": {"from": 1, "to": 64}},
        constraints=["array_rows < array_cols"],
        sampling="random",
        samples=300,
    )
    assert len(found) == 300
    assert all(row["array_rows"] < row["array_cols"] for row in found)


def test_blocks_are_small_and_limits_hold() -> None:
    knobs = {"array_rows": {"from": 1, "to": 200, "step": 1}, "array_cols": {"from": 1, "to": 200, "step": 1}}
    made = plan(knobs=knobs)
    sizes = [len(block.rows) for block in blocks(made)]
    assert sum(sizes) == 40000 == candidate_count(made)
    assert max(sizes) <= BLOCK
    assert sum(len(block.rows) for block in blocks(plan(knobs=knobs, limit=5000))) == 5000


def test_keys_tell_designs_apart_and_nothing_else() -> None:
    plain = keys(knobs={"array_rows": [8, 32]})
    assert len(set(plain)) == 2
    assert plain[1] == keys()[0] == keys(chips=["systolic:edge_32"], knobs={"clock_hz": ["500 MHz"]})[0]
    assert plain[1] != keys(batch=[2])[0]
    assert plain[1] != keys(precision=["int4"])[0]
    assert plain[1] != keys(on_unsupported="host")[0]
    assert len({*keys(chips=["systolic:*"])}) == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"knobs": {"array_row": 8}}, "did you mean 'array_rows'?"),
        ({"knobs": {"array_rows": 0}}, "greater than or equal to 1"),
        ({"knobs": {"array_rows": [8.5]}}, "got 8.5"),
        ({"knobs": {"array_rows": []}}, "no values"),
        ({"knobs": {"dataflow": "wss"}}, "did you mean 'ws'?"),
        ({"knobs": {"dataflow": {"from": 1, "to": 2}}}, "has no range"),
        ({"knobs": {"clock_hz": "3 ns"}}, "does not fit"),
        ({"knobs": {"array_rows": {"from": 8, "to": 8}}}, "is empty"),
        ({"knobs": {"array_rows": {"form": 8, "to": 9}}}, "did you mean 'from'?"),
        ({"knobs": {"array_rows": {"from": 8}}}, "needs `from` and `to`"),
        ({"knobs": {"array_rows": {"from": 8, "to": 64}}}, "without a number of values"),
        ({"knobs": {"array_rows": {"from": 8, "to": 64, "step": 0}}}, "above zero"),
        ({"knobs": {"array_rows": {"from": 8, "to": 64, "step": 8, "points": 3}}}, "both"),
        ({"knobs": {"array_rows": {"powers_of_two": [3, 8]}}}, "not both powers of two"),
        (
            {"knobs": {"array_rows": {"equal": "array_cols / 0"}, "array_cols": {"equal": "array_rows"}}},
            "each",
        ),
        ({"knobs": {"array_rows": {"equal": "dataflow"}}}, "its expression a text"),
        ({"knobs": {"array_rows": {"equal": "array_colls"}}}, "did you mean 'array_cols'?"),
        ({"knobs": {"array_rows": [1, 2], "array_cols": [1, 2, 3]}, "sampling": "zip"}, "zip needs"),
        ({"constraints": ["array_rwos > 3"]}, "did you mean 'array_rows'?"),
        ({"constraints": ["array_rows + 3"]}, "yields a number"),
        ({"chips": ["systolc"]}, "did you mean 'systolic'?"),
        ({"chips": ["systolic:edge"]}, "did you mean 'edge_32'?"),
        ({"networks": ["digit_32"]}, "did you mean 'digits_32'?"),
        ({"precision": ["int9000x"]}, "no number format"),
        ({"sampling": "random"}, "samples: is missing"),
        ({"samples": 3}, "has no meaning"),
        ({"search": {"budget": 3}}, "has no meaning"),
        ({"functional": "absent.npz"}, "absent.npz: cannot be read"),
        ({"chips": ["edge_gpu"], "functional": "absent.npz"}, "computes no values"),
    ],
)
def test_bad_spaces(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(**given)
    assert words in str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(InputError) as caught:
        plan(chips=["systolc"], networks=["digit_32"], knobs={"array_rows": 8})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chip": ["systolic"]}, "did you mean 'chips'?"),
        ({"sampling": "grit"}, "got 'grit'"),
        ({"chips": []}, "chips"),
        ({"search": {"objective": ["x"]}}, "did you mean 'objectives'?"),
        ({"from": 3}, "a range belongs to a knob"),
        ({"limit": 0}, "limit"),
    ],
)
def test_words_of_a_space(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        space(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["chips = [", "\0", "chips = 3\nnetworks = 4", 'chip = ["systolic"]'])
def test_bad_files_name_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.toml"):
        read_space(path)


def test_chip_that_cannot_run_the_network() -> None:
    with pytest.raises(UnsupportedOp, match="integral_sc cannot run it"):
        plan(chips=["integral_sc"], networks=["alexnet"])


def test_more_points_than_anyone_can_wait_for() -> None:
    ends = {"from": 1, "to": 60000, "step": 1}
    given: dict[str, Any] = {"knobs": {"array_rows": ends, "array_cols": ends}}
    with pytest.raises(InputError, match=r"3,600,000,000 points, more than 1,000,000,000"):
        candidate_count(plan(**given))
    limited = plan(**given, limit=10)
    assert [row for block in blocks(limited) for row in block.rows][-1] == (1, 10)


def test_contradictory_constraints_are_told_apart() -> None:
    made = plan(knobs={"array_rows": [8, 16]}, constraints=["array_rows > 8", "array_rows < 16"])
    assert list(blocks(made)) == []
    text = str(explain_empty(made))
    assert "'array_rows > 8' alone leaves 1 of 2" in text


def test_schema_knows_every_word() -> None:
    schema = space_schema()
    assert schema["additionalProperties"] is False
    assert {"chips", "networks", "knobs", "constraints", "sampling", "search"} <= schema["properties"].keys()
    json.dumps(schema)
