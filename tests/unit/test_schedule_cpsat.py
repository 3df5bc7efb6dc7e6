"""OR-Tools CP-SAT as a solver that is asked for by name: optima, addresses, failures, reproducibility."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hwsim.errors import InputError
from hwsim.schedule import Problem, Status, dump_plan, ilp_solver, packing, replay, solve
from hwsim.schedule.ilp_gaps import solve_gaps
from hwsim.schedule.ilp_paper import solve_paper
from hwsim.schedule.ilp_solver import Answer, IlpSolver, find_solver, place_boxes
from hwsim.schedule.ilp_windows import solve_windows
from hwsim.schedule.network_forms import Form, solve_as
from hwsim.schedule.packing import Rectangle, exhaust, pack
from tests.oracle.test_schedule_oracle import cheapest, random_problem
from tests.unit.test_schedule_solve import FRAG13, chained_frag13, graph

BOXES = [(0, 1, 2), (1, 3, 2), (0, 3, 1), (3, 4, 3)]


@pytest.fixture(autouse=True)
def _forget_solvers() -> Iterator[None]:
    yield
    ilp_solver._locate.cache_clear()


def cpsat() -> IlpSolver:
    found = find_solver("cpsat")
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "budget", "optimum"), [
    ("DARTS-1c", 180, 144), ("DARTS-1c", 198, 36), ("RandWire-WS16x1", 90, 120),
    pytest.param("NASNetA-2c", 407, 68, marks=pytest.mark.slow),
    pytest.param("DARTS-8c", 288, 144, marks=pytest.mark.slow),
])
def test_free_orders_of_known_graphs_are_proven(name: str, budget: int, optimum: int) -> None:
    problem = graph(name)
    found = solve_windows(problem, budget, solver=cpsat(), time_limit_s=60)
    assert (found.answer, found.traffic) == (Answer.OPTIMAL, optimum)
    assert found.plan is not None
    seen = replay(problem, found.plan)
    assert seen.violations == ()
    assert seen.non_compulsory == optimum


@pytest.mark.slow
def test_all_three_programs_reach_the_oracle() -> None:
    generator = np.random.default_rng(3)
    positive = 0
    while positive < 2:
        problem = random_problem(generator, 5, plain=positive == 0)
        budget = problem.smallest_budget
        expected = cheapest(problem, budget)
        if expected == 0:
            continue
        positive += 1
        free = solve_windows(problem, budget, solver=cpsat(), time_limit_s=30)
        assert (free.answer, free.traffic) == (Answer.OPTIMAL, expected)
        assert free.plan is not None
        fixed = solve_gaps(problem, budget, free.plan.order, (), cpsat(), 30)
        assert (fixed.answer, fixed.traffic) == (Answer.OPTIMAL, expected)
        paper = solve_paper(problem, budget, solver=cpsat(), time_limit_s=60, order=None)
        assert (paper.answer, paper.traffic) == (Answer.OPTIMAL, expected)


@pytest.mark.slow
def test_fragmentation_is_seen_through_cuts_and_by_the_paper_form() -> None:
    found = solve(chained_frag13(), 6, solver="cpsat")
    assert (found.traffic, found.stats.status) == (2, Status.OPTIMAL)
    assert found.stats.proof.startswith("F2 with CP-SAT")
    problem = Problem.from_blocks(FRAG13)
    paper = solve_paper(problem, 6, solver=cpsat(), time_limit_s=60, order=tuple(range(13)))
    assert (paper.answer, paper.traffic) == (Answer.OPTIMAL, 2)


@pytest.mark.slow
def test_packings_agree_with_the_exhaustive_search() -> None:
    generator = np.random.default_rng(7)
    verdicts = set()
    # Rectangles as tight as these are refuted only by how they interlock, never by their load.
    tight = [Rectangle(int(s), int(s) + int(generator.integers(0, 4)), int(generator.integers(1, 5)))
             for s in generator.integers(0, 8, 11)]
    least = max(sum(b.size for b in tight if b.start <= a.start <= b.end) for a in tight)
    for budget in (least - 1, least, least + 2):
        boxes = [(r.start, r.end, r.size) for r in tight]
        found, decided = place_boxes(boxes, budget, time_limit_s=20)
        expected, _ = exhaust(tight, budget)
        assert decided
        assert (found is None) == (expected is None)
        verdicts.add(found is None)
        for i, (b, e, s) in enumerate(boxes if found else []):
            assert found is not None
            assert 0 <= found[i] <= budget - s
            assert all(e < b2 or e2 < b or found[i] + s <= found[j] or found[j] + s2 <= found[i]
                       for j, (b2, e2, s2) in enumerate(boxes) if j != i)
    assert verdicts == {True, False}


def test_what_the_exhaustive_search_leaves_open_goes_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [Rectangle(*box) for box in BOXES]
    monkeypatch.setattr(packing, "exhaust", lambda *_: (None, False))
    monkeypatch.setattr(packing, "greedy", lambda *_, **__: None)
    assert pack(items, 6).addresses is None
    assert pack(items, 6).conflict == ()
    assert pack(items, 6, solver="cpsat").addresses is not None
    monkeypatch.setattr(ilp_solver, "place_boxes", lambda *_, **__: (None, True))
    assert len(pack(items, 6, solver="cpsat").conflict) == len(items)


@pytest.mark.slow
def test_the_same_plan_twice_and_the_same_as_without_by_default() -> None:
    problem = chained_frag13()
    plans = [dump_plan(problem, found.plan) for found in (solve(problem, 6, solver="cpsat") for _ in range(2))
             if found.plan is not None]
    assert len(plans) == 2
    assert plans[0] == plans[1]
    default = find_solver()
    assert default is not None
    assert default.name != "CP-SAT"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ilp_solver, "find_spec", lambda name: None)
    ilp_solver._locate.cache_clear()
    with pytest.raises(InputError, match="'cpsat' is not installed") as caught:
        solve(graph("DARTS-1c"), 180, solver="cpsat")
    assert "ortools" in str(caught.value.problems[0])
    assert place_boxes(BOXES, 6, time_limit_s=1) == (None, False)


def test_a_crash_and_a_hang_leave_the_best_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    problem = chained_frag13()
    script = tmp_path / "sick.py"
    for text, word in (("raise SystemExit('boom')", "boom"),
                       ("import time; time.sleep(60)", "process ended")):
        script.write_text(text)
        monkeypatch.setattr(ilp_solver, "_CPSAT", (sys.executable, str(script)))
        monkeypatch.setattr(ilp_solver, "_GRACE_S", 0.2)
        result, found = solve_as(problem, 6, Form.WINDOWS, time_limit_s=0.3, solver="cpsat")
        assert not found
        assert word in result.stats.notes[0]
        assert result.plan is not None
        assert replay(problem, result.plan).violations == ()
        assert place_boxes(BOXES, 6, time_limit_s=0.3) == (None, False)
