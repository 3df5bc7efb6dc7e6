"""Which points a plan has: constraints before products, samples without lists, spaces without points."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from hwsim.errors import InputError
from hwsim.sweep import points
from hwsim.sweep.points import blocks, candidate_count, design_count, first_block, point_count
from hwsim.sweep.shuffle import LISTED, Shuffle
from tests.unit.sweep.spaces import plan, rows

ENDS = {"from": 1, "to": 60000, "step": 1}
HUGE: dict[str, Any] = {"array_rows": ENDS, "array_cols": ENDS}


@pytest.mark.parametrize("total", [1, 2, 3, 7, LISTED, LISTED + 1, 5000, 65536, 65537, 100_003])
def test_a_shuffle_is_an_order_of_all_numbers(total: int) -> None:
    made = Shuffle(total, np.random.default_rng(3))
    step = max(total // 5, 1)
    found = np.concatenate([made.between(at, min(at + step, total)) for at in range(0, total, step)])
    assert found.dtype == np.int64
    assert np.array_equal(np.sort(found), np.arange(total))
    again = Shuffle(total, np.random.default_rng(3)).between(0, total)
    assert np.array_equal(found, again)
    if total > 7:
        assert not np.array_equal(found, Shuffle(total, np.random.default_rng(4)).between(0, total))


def test_a_shuffle_is_as_even_as_drawn_ones() -> None:
    """Neighbours are independent: their correlation is that of a drawn order, within five deviations."""
    total = 20_000
    for seed in range(4):
        found = Shuffle(total, np.random.default_rng(seed)).between(0, total).astype(float)
        other = Shuffle(total, np.random.default_rng(seed + 100)).between(0, total).astype(float)
        for left, right in ((found[1:], found[:-1]), (found, other), (found, np.arange(total))):
            assert abs(np.corrcoef(left, right)[0, 1]) < 5 / np.sqrt(total)


@pytest.mark.parametrize("samples", [6000, 10**12])
def test_hypercubes_take_memory_for_a_block(samples: int) -> None:
    given: dict[str, Any] = {
        "knobs": {"clock_hz": {"from": 1e8, "to": 2e8}, "supply_v": {"from": 0.5, "to": 1.5}},
        "sampling": "latin_hypercube",
        "samples": samples,
    }
    if samples < 10**6:
        found = np.array([(row["clock_hz"] - 1e8) / 1e8 for row in rows(**given)])
        assert np.array_equal(np.sort((found * samples).astype(int)), np.arange(samples))
        return
    made = plan(**given, limit=2)
    tracemalloc.start()
    assert sum(len(block.rows) for block in blocks(made)) == 2
    assert tracemalloc.get_traced_memory()[1] < 16e6
    tracemalloc.stop()


@pytest.mark.parametrize("sampling", ["grid", "random", "latin_hypercube", "search"])
@pytest.mark.parametrize(
    ("constraint", "left"),
    [("array_rows < 0", 0), ("array_rows * array_cols < 0", 0), ("vector_lanes > 3 and 1 > 2", 0)],
)
def test_impossible_constraints_end_soon(
    sampling: str, constraint: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "MOST_FRUITLESS", 1 << 17)
    samples = {"samples": 10**8} if sampling in ("random", "latin_hypercube") else {}
    made = plan(knobs=HUGE, constraints=[constraint], sampling=sampling, limit=3, **samples)
    with pytest.raises(InputError) as caught:
        first_block(made)
    text = str(caught.value)
    assert f"{constraint!r} alone leaves {left} of 65536" in text
    tried = "none of the first 131,072 candidates fulfils all constraints" in text
    assert tried is ("*" in constraint)


def test_constraints_over_one_knob_come_before_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[int] = []
    admitted = points.admitted

    def counted(scenario: Any, picks: Any, length: int) -> Any:
        walked.append(length)
        return admitted(scenario, picks, length)

    monkeypatch.setattr(points, "admitted", counted)
    given: dict[str, Any] = {
        "knobs": HUGE | {"vector_lanes": {"equal": "array_cols * 2"}},
        "constraints": ["array_rows in [50, 59999]", "vector_lanes <= 6", "array_rows + array_cols < 60001"],
    }
    made = plan(**given)
    assert candidate_count(made) == 6
    assert [row for block in blocks(made) for row in block.rows] == [
        (50, 1, 2),
        (50, 2, 4),
        (50, 3, 6),
        (59999, 1, 2),
    ]
    assert sum(walked) == 6
    assert point_count(made) == (4, True)


def test_points_far_from_the_first_are_found_by_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "MOST_FRUITLESS", 1 << 14)
    made = plan(knobs=HUGE, constraints=["array_rows + array_cols > 70000"], limit=3)
    found = first_block(made).rows
    assert 1 <= len(found) <= 3
    assert all(rows + cols > 70000 for rows, cols in found)
    assert point_count(made) == (3, False)


def test_zip_and_samples_obey_constraints_over_one_knob() -> None:
    knobs: dict[str, Any] = {"array_rows": [8, 16, 32], "array_cols": [1, 2, 3]}
    found = rows(knobs=knobs, sampling="zip", constraints=["array_rows > 8"])
    assert found == [{"array_rows": 16, "array_cols": 2}, {"array_rows": 32, "array_cols": 3}]
    drawn = rows(knobs=knobs, sampling="random", samples=20, constraints=["array_rows > 8"])
    assert len(drawn) == 20
    assert {row["array_rows"] for row in drawn} == {16, 32}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"knobs": {"array_rows": [8, 16, 32]}}, (3, True)),
        ({"knobs": {"array_rows": {"from": 1, "to": 10}, "dataflow": "all"}}, (40, True)),
        (
            {
                "knobs": {"array_rows": list(range(1, 11)), "array_cols": [1, 2]},
                "constraints": ["array_rows < 4"],
            },
            (6, True),
        ),
        (
            {
                "knobs": {"array_rows": {"from": 1, "to": 10}, "array_cols": [1, 2]},
                "constraints": ["array_rows < array_cols"],
            },
            (1, True),
        ),
        ({"knobs": {"clock_hz": {"from": 1e8, "to": 1e9}}}, (None, False)),
        ({"knobs": HUGE, "constraints": ["array_rows < array_cols"]}, (3_600_000_000, False)),
        ({"knobs": {"array_rows": [8]}, "constraints": ["array_rows < 4"]}, (0, True)),
    ],
)  # fmt: skip
def test_size_of_a_searched_space(given: dict[str, Any], expected: Any) -> None:
    assert design_count(plan(**given, sampling="search").scenarios[0]) == expected


def test_knobs_that_are_lists_stay_apart() -> None:
    knobs = {"taps": [[25, 10], [7, 7], "standard"]}
    made = plan(chips=["sparse_fc"], networks=["mlp_mnist_100_200"], knobs=knobs, constraints=["1 < 2"])
    assert [row[0] for block in blocks(made) for row in block.rows] == [(25, 10), (7, 7), "standard"]
