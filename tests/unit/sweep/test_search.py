from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwsim
from hwsim.errors import InputError
from hwsim.sweep.export import export
from hwsim.sweep.results import open_results
from hwsim.sweep.search import first_proposals
from hwsim.sweep.surface import train
from tests.unit.sweep.spaces import plan, space

KNOBS: dict[str, Any] = {
    "array_rows": {"powers_of_two": [2, 64]},
    "array_cols": {"powers_of_two": [2, 64]},
    "dataflow": "all",
    "clock_hz": {"from": 1e8, "to": 1e9, "points": 4, "scale": "log"},
}
OBJECTIVES = ("energy_j", "time_s")
METHODS = ["response_surface", "optuna"]


def searched(path: Path, method: str, budget: int, seed: int = 0, **given: Any) -> Any:
    if method == "optuna":
        pytest.importorskip("optuna", reason="the extra `search` is not installed")
    options = {"method": method, "budget": budget, "batch": 16, "objectives": OBJECTIVES}
    made = space(**{"knobs": KNOBS, "sampling": "search", "seed": seed, "search": options} | given)
    return hwsim.sweep(made, path)


def designs(rows: Any) -> set[tuple[Any, ...]]:
    return {tuple(row.metrics[name] for name in OBJECTIVES) for row in rows}


@pytest.mark.slow
def test_surface_finds_most_of_the_front_with_a_sixth_of_the_points(tmp_path: Path) -> None:
    whole = hwsim.sweep(space(knobs=KNOBS), tmp_path / "all.db")
    true = designs(whole.pareto(OBJECTIVES))
    assert len(whole.results) == 576
    shares = []
    for seed in range(2):
        found = searched(tmp_path / f"{seed}.db", "response_surface", 96, seed)
        assert len(found.results) <= 96
        shares.append(len(designs(found.pareto(OBJECTIVES)) & true) / len(true))
        drawn = np.random.default_rng(seed).permutation(len(whole.results))[:96].tolist()
        rows = whole.rows()
        by_chance = len(designs([rows[place] for place in drawn]) & true) / len(true)
        assert shares[-1] > by_chance
    assert sum(shares) / len(shares) >= 0.6  # a random sixth finds a sixth


@pytest.mark.parametrize("method", METHODS)
def test_searches_repeat_themselves_and_resume(method: str, tmp_path: Path) -> None:
    first = searched(tmp_path / "a.db", method, 24)
    assert first.counts.computed + first.counts.repeated == 24
    again = searched(tmp_path / "a.db", method, 24)
    assert (again.counts.computed, again.counts.failed) == (0, 0)
    searched(tmp_path / "b.db", method, 24)
    part = searched(tmp_path / "c.db", method, 8 if method == "optuna" else 16)
    rest = searched(tmp_path / "c.db", method, 24)
    assert part.counts.computed > 0
    if method == "response_surface":
        assert rest.counts.reused == part.counts.computed
    for name in "abc"[: 3 if method == "response_surface" else 2]:
        export(open_results(tmp_path / f"{name}.db"), tmp_path / f"{name}.csv")
        assert (tmp_path / f"{name}.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    other = searched(tmp_path / "d.db", method, 24, seed=1)
    assert [row.knobs for row in other.rows()] != [row.knobs for row in first.rows()]


@pytest.mark.parametrize("method", METHODS)
def test_searches_obey_constraints_and_ranges(method: str, tmp_path: Path) -> None:
    knobs = {
        "array_rows": {"from": 1, "to": 64},
        "array_cols": {"equal": "array_rows * 2"},
        "clock_hz": {"from": 1e8, "to": 1e9, "scale": "log"},
    }
    done = searched(
        tmp_path / "r.db", method, 32, knobs=knobs, constraints=["array_rows * array_cols <= 1024"]
    )
    rows = [row.knobs for row in done.rows()]
    assert len(rows) >= 20
    assert all(row["array_cols"] == 2 * row["array_rows"] <= 44 for row in rows)
    assert all(1e8 <= row["clock_hz"] <= 1e9 for row in rows)


@pytest.mark.parametrize("method", METHODS)
def test_failed_points_do_not_stop_a_search(method: str, tmp_path: Path) -> None:
    knobs = {"m": [1, 2, 4], "stream_length": {"powers_of_two": [16, 1024]}, "input_seed": [1, 1000]}
    done = searched(tmp_path / "r.db", method, 32, chips=["integral_sc"], knobs=knobs)
    assert done.counts.failed > 0
    assert done.counts.computed > 0


def test_search_ends_when_nothing_is_left(tmp_path: Path) -> None:
    done = searched(
        tmp_path / "r.db", "response_surface", 200, knobs={"array_rows": [8, 16], "dataflow": "all"}
    )
    assert done.counts.computed <= 8
    assert done.counts.repeated == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("constraint", ["array_rows < 4", "array_rows < 4 and dataflow == 'os'", "1 > 2"])
def test_search_without_points_is_an_error(method: str, constraint: str, tmp_path: Path) -> None:
    knobs = {"array_rows": [8, 16], "dataflow": "all"}
    with pytest.raises(InputError) as caught:
        searched(tmp_path / "r.db", method, 20, knobs=knobs, constraints=[constraint])
    assert "no point fulfils all constraints" in str(caught.value)
    assert f"{constraint!r} alone leaves 0 of 8" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("method", METHODS)
def test_search_of_few_designs_stops_when_all_are_known(method: str, tmp_path: Path) -> None:
    knobs = {"array_rows": [8, 16, 32, 64], "array_cols": {"from": 8, "to": 9}}
    done = searched(
        tmp_path / "r.db", method, 400, knobs=knobs, constraints=["array_rows * array_cols < 150"]
    )
    assert done.counts.computed == 4
    assert done.counts.repeated < (1 if method == "response_surface" else 60)


@pytest.mark.parametrize("method", METHODS)
def test_search_obeys_its_limit(method: str, tmp_path: Path) -> None:
    done = searched(tmp_path / "r.db", method, 20, chips=["systolic", "systolic:tpu_v1"], limit=23)
    assert done.counts.total == 23
    assert sum((done.counts.computed, done.counts.repeated)) == 23
    assert [row.preset for row in done.rows()][-3:] == ["tpu_v1"] * min(3, done.counts.computed - 20)


def test_search_finds_the_few_points_that_constraints_leave(tmp_path: Path) -> None:
    ends = {"from": 1, "to": 60, "step": 1}
    knobs = {"array_rows": ends, "array_cols": ends, "vector_lanes": ends}
    only = ["array_rows + array_cols + vector_lanes < 4"]
    done = searched(tmp_path / "r.db", "response_surface", 4, knobs=knobs, constraints=only)
    assert [row.knobs for row in done.rows()] == [{"array_rows": 1, "array_cols": 1, "vector_lanes": 1}]


@pytest.mark.parametrize("method", METHODS)
def test_search_takes_any_seed(method: str, tmp_path: Path) -> None:
    done = searched(tmp_path / "r.db", method, 4, seed=5_000_000_000)
    assert len(done.results) == 4


@pytest.mark.parametrize("method", METHODS)
def test_first_proposals_are_what_the_search_begins_with(method: str, tmp_path: Path) -> None:
    done = searched(tmp_path / "r.db", method, 8, seed=3)
    options = {"method": method, "budget": 8, "batch": 16, "objectives": OBJECTIVES}
    made = plan(knobs=KNOBS, sampling="search", seed=3, search=options)
    (rows,) = first_proposals(made)
    names = made.scenarios[0].names
    assert [dict(zip(names, row, strict=True)) for row in rows] == [row.knobs for row in done.rows()]


def test_search_needs_a_knob() -> None:
    for knobs in ({}, {"array_rows": {"equal": "array_cols * 2"}}):
        with pytest.raises(InputError, match="a search needs a knob that varies"):
            plan(sampling="search", knobs=knobs)
    both = {"chips": ["systolic", "integral_sc"], "knobs": {"integral_sc": {"m": [1, 2]}}}
    assert [len(rows) for rows in first_proposals(plan(sampling="search", **both))] == [1, 2]


def test_unknown_objectives_stop_before_anything_runs(tmp_path: Path) -> None:
    made = space(knobs=KNOBS, sampling="search", search={"objectives": ["energy", "latency_s", "max:cycle"]})
    with pytest.raises(InputError) as caught:
        hwsim.sweep(made, tmp_path / "r.db")
    assert [problem.hint for problem in caught.value.problems] == [
        "did you mean 'energy_j'?",
        "did you mean 'cycles'?",
    ]
    assert list(tmp_path.iterdir()) == []


def test_search_is_no_size_of_a_space() -> None:
    with pytest.raises(InputError, match="greater than or equal to 1"):
        plan(sampling="search", search={"budget": 0})


def test_surface_learns_a_smooth_answer() -> None:
    random = np.random.default_rng(0)
    points, others = random.random((80, 3)), random.random((200, 3))

    def answer(where: Any) -> Any:
        return np.sin(4 * where[:, 0]) + where[:, 1] ** 2

    surface = train(points, answer(points))
    mean, deviation = surface.predict(others)
    assert np.abs(mean - answer(others)).max() < 0.1
    assert np.abs(surface.predict(points)[0] - answer(points)).max() < 0.01
    assert deviation.max() < 0.2
    assert surface.lengths[2] > surface.lengths[0]
    far = surface.predict(np.full((1, 3), 30.0))
    assert far[0][0] == pytest.approx(surface.mean)
    assert far[1][0] == pytest.approx(surface.spread)
