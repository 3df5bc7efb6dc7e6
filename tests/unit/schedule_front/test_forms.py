from __future__ import annotations

import pytest

from hwsim.errors import InputError
from hwsim.schedule import ilp_solver
from hwsim.schedule.network_forms import Form, solve_as
from hwsim.schedule.types import Problem, Status
from hwsim.schedule.verify import replay

BRANCHES = Problem.from_blocks({"size": [2, 2, 3, 2, 3, 1], "ins": [[], [0], [1], [0], [3], [2, 4]],
                                "name": "branches"})


@pytest.mark.parametrize("form", list(Form))
def test_every_form_returns_a_plan_that_replays(form: Form) -> None:
    for budget in range(BRANCHES.smallest_budget, BRANCHES.smallest_budget + 4):
        result, found = solve_as(BRANCHES, budget, form, time_limit_s=10)
        assert found
        assert result.plan is not None
        seen = replay(BRANCHES, result.plan)
        assert not seen.violations
        assert seen.non_compulsory == result.traffic
        best = solve_as(BRANCHES, budget, Form.AUTO, time_limit_s=10)[0]
        assert best.stats.status is Status.OPTIMAL
        assert best.traffic is not None
        assert result.traffic is not None
        assert result.stats.lower_bound <= best.traffic <= result.traffic
        assert result.traffic <= min(t for t in result.baselines.values() if t is not None)
        if form in (Form.PAPER, Form.WINDOWS):
            assert result.traffic == best.traffic
            assert result.stats.status is Status.OPTIMAL


def test_a_fixed_order_is_not_called_optimal_without_a_proof(known: dict[str, Problem]) -> None:
    problem = known["DARTS-1c"]
    gaps, _ = solve_as(problem, 180, Form.GAPS, time_limit_s=20)
    assert gaps.traffic == 288
    assert gaps.stats.status is Status.FEASIBLE
    assert gaps.stats.lower_bound == 144


def test_a_crashing_solver_leaves_the_best_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ilp_solver, "_run", lambda command, guard_s: "exit code -11: Segmentation fault")
    result, found = solve_as(BRANCHES, BRANCHES.smallest_budget, Form.WINDOWS, time_limit_s=5)
    assert not found
    assert result.plan is not None
    assert result.traffic == min(t for t in result.baselines.values() if t is not None)
    assert "Segmentation fault" in result.stats.notes[0]


def test_a_solver_that_hangs_is_ended_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = ilp_solver.IlpSolver("CBC", "0", "/bin/sleep")
    monkeypatch.setattr(ilp_solver, "find_solver", lambda name=None: hanging)
    monkeypatch.setattr(ilp_solver, "_command", lambda *words: ["/bin/sleep", "60"])
    monkeypatch.setattr(ilp_solver, "_GRACE_S", 0.2)
    result, found = solve_as(BRANCHES, BRANCHES.smallest_budget, Form.PAPER, time_limit_s=0.2)
    assert not found
    assert "process ended" in result.stats.notes[0]


def test_forms_say_which_solver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="'none' forbids it"):
        solve_as(BRANCHES, 20, Form.PAPER, time_limit_s=1, solver="none")
    monkeypatch.setattr(ilp_solver, "find_solver", lambda name=None: None)
    with pytest.raises(InputError, match="none is installed"):
        solve_as(BRANCHES, 20, Form.PAPER, time_limit_s=1)


def test_the_portfolio_needs_no_solver() -> None:
    result, found = solve_as(BRANCHES, BRANCHES.smallest_budget, Form.AUTO, time_limit_s=5, solver="none")
    assert found
    assert result.stats.status is Status.OPTIMAL


def test_interrupting_a_solver_keeps_the_best_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(command: list[str], guard_s: float) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(ilp_solver, "_run", stop)
    result, _ = solve_as(BRANCHES, BRANCHES.smallest_budget, Form.PAPER, time_limit_s=5)
    assert result.stats.interrupted
    assert result.plan is not None
