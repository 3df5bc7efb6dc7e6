"""The replay: a correct plan passes, and each way of breaking one is named with step and tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hwsim.errors import InputError, VerifyError
from hwsim.schedule import Event, Operator, Plan, Problem, Step, Tensor, check_user_plan, replay, solve
from hwsim.schedule.verify import require_valid

PROBLEM = Problem(
    "pair",
    (Operator("a", (0,), (1,)), Operator("b", (1,), (2,)), Operator("c", (0, 1, 2), (3,), workspace=1)),
    (Tensor("w", 2, in_dram=True), Tensor("x", 3), Tensor("y", 1), Tensor("z", 1, is_output=True)))


def good_plan() -> Plan:
    """Keep x, drop and re-fetch w: 2 blocks of traffic in 8 blocks of scratchpad."""
    return Plan(8, (
        Step(0, (Event("fetch", 0, 0, 2), Event("allocate", 1, 2, 3)), (Event("free", 0, 0, 2),)),
        Step(1, (Event("allocate", 2, 0, 1),), ()),
        Step(2, (Event("fetch", 0, 5, 2), Event("allocate", 3, 1, 1)),
             tuple(Event("free", t, a, s) for t, a, s in ((0, 5, 2), (1, 2, 3), (2, 0, 1), (3, 1, 1))), 7)))


def test_a_correct_plan_passes_with_its_traffic() -> None:
    seen = replay(PROBLEM, good_plan())
    assert seen.violations == ()
    assert (seen.spilled, seen.refetched, seen.loaded, seen.stored, seen.peak) == (0, 2, 2, 1, 8)
    assert check_user_plan(PROBLEM, good_plan()).non_compulsory == 2
    require_valid(PROBLEM, good_plan(), 2)


def edit(step: int, **changes: object) -> Callable[[Plan], Plan]:
    def apply(plan: Plan) -> Plan:
        steps = list(plan.steps)
        steps[step] = replace(steps[step], **changes)  # type: ignore[arg-type]
        return replace(plan, steps=tuple(steps))
    return apply


def swap_event(step: int, phase: str, index: int, event: Event | None) -> Callable[[Plan], Plan]:
    def apply(plan: Plan) -> Plan:
        events = list(getattr(plan.steps[step], phase))
        events[index:index + 1] = [] if event is None else [event]
        return edit(step, **{phase: tuple(events)})(plan)
    return apply


@pytest.mark.parametrize(("change", "step", "tensor", "reason"), [
    (edit(1, operator=2), 1, "", "runs before 'b'"),
    (edit(1, operator=0), 1, "", "runs twice"),
    (edit(1, operator=7), 1, "", "unknown operator"),
    (lambda p: replace(p, steps=p.steps[:2]), -1, "", "'c' never runs"),
    (lambda p: replace(p, budget=7), 2, "", "8 blocks in use"),
    (edit(2, workspace_address=4), 2, "x", "overlaps the workspace"),
    (edit(2, workspace_address=8), 2, "", "does not fit"),
    (swap_event(1, "before", 0, Event("allocate", 2, 4, 1)), 1, "x", "overlaps y"),
    (swap_event(1, "before", 0, Event("allocate", 2, -1, 1)), 1, "y", "leave the scratchpad"),
    (swap_event(1, "before", 0, None), 1, "y", "no space allocated"),
    (swap_event(2, "before", 0, None), 2, "w", "not resident"),
    (swap_event(1, "before", 0, Event("allocate", 2, 0, 2)), 1, "y", "moves 2 blocks"),
    (swap_event(1, "before", 0, Event("fetch", 2, 0, 1)), 1, "y", "without a copy"),
    (swap_event(1, "before", 0, Event("load", 2, 0, 1)), 1, "y", "unknown event"),
    (swap_event(1, "before", 0, Event("allocate", 9, 0, 1)), 1, "", "unknown tensor"),
    (swap_event(0, "after", 0, Event("free", 0, 1, 2)), 0, "w", "not where it lies"),
    (swap_event(0, "after", 0, Event("free", 1, 2, 3)), 0, "x", "lost"),
    (swap_event(0, "after", 0, Event("spill", 0, 0, 2)), 0, "w", "DRAM holds a copy"),
    (swap_event(0, "after", 0, Event("free", 2, 0, 1)), 0, "y", "not resident"),
    (swap_event(0, "after", 0, Event("fetch", 0, 0, 2)), 0, "w", "not allowed after"),
    (swap_event(2, "before", 1, Event("spill", 1, 2, 3)), 2, "x", "not allowed before"),
    (swap_event(2, "before", 0, Event("allocate", 0, 5, 2)), 2, "w", "does not produce"),
])
def test_each_defect_is_named(change: Callable[[Plan], Plan], step: int, tensor: str, reason: str) -> None:
    broken = change(good_plan())
    seen = replay(PROBLEM, broken)
    assert any((v.step, v.tensor) == (step, tensor) and reason in v.reason for v in seen.violations)
    with pytest.raises(InputError):
        check_user_plan(PROBLEM, broken)
    with pytest.raises(VerifyError):
        require_valid(PROBLEM, broken, seen.non_compulsory)


def test_a_wrong_claim_about_traffic_is_our_bug() -> None:
    with pytest.raises(VerifyError, match="claims 1 blocks"):
        require_valid(PROBLEM, good_plan(), 1)


@pytest.mark.parametrize(("clean", "spilled"), [(False, 2), (True, 0)])
def test_an_output_that_is_stored_anyway_needs_no_spill(clean: bool, spilled: int) -> None:
    problem = Problem.from_blocks({"size": [2, 2, 2, 1], "ins": [[], [0], [1], [0, 2]]})
    tensors = (Tensor("t0", 2, in_dram=clean, is_output=clean), *problem.tensors[1:])
    found = solve(Problem("skip", problem.operators, tensors), 5)
    assert found.plan is not None
    seen = replay(found.problem, found.plan)
    assert (seen.spilled, seen.refetched) == (spilled, 2)
    assert seen.stored == (3 if clean else 1)
    assert found.traffic == spilled + 2
