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


NEVER_B = "plan: operator 'b' never runs"
LOST_X = "x: lost: dropped without a copy, still needed by 'b'"


@pytest.mark.parametrize(("change", "violations"), [
    (edit(1, operator=2), [
        "step 1, y: allocated at a step that does not produce it",
        "step 1: the workspace of 1 blocks at -1 does not fit", "step 1: operator 'c' runs before 'b'",
        "step 1, w: operand of 'c' is not resident", "step 1, z: no space allocated for the output of 'c'",
        "step 2, z: allocated twice", "step 2: operator 'c' runs twice",
        "step 2: operator 'c' runs before 'b'", f"step 2, {LOST_X}", NEVER_B]),
    (edit(1, operator=0), [
        "step 1, y: allocated at a step that does not produce it", "step 1: operator 'a' runs twice",
        "step 1, w: operand of 'a' is not resident", "step 2: operator 'c' runs before 'b'",
        f"step 2, {LOST_X}", NEVER_B]),
    (edit(1, operator=3), [
        "step 1: unknown operator 3", "step 2: operator 'c' runs before 'b'",
        "step 2, y: operand of 'c' is not resident", f"step 2, {LOST_X}",
        "step 2, y: freed although it is not resident", NEVER_B]),
    (edit(1, operator=-1), [
        "step 1: unknown operator -1", "step 2: operator 'c' runs before 'b'",
        "step 2, y: operand of 'c' is not resident", f"step 2, {LOST_X}",
        "step 2, y: freed although it is not resident", NEVER_B]),
    (lambda p: replace(p, steps=p.steps[:2]), ["plan: operator 'c' never runs"]),
    (lambda p: replace(p, budget=7), [
        "step 2: the workspace of 1 blocks at 7 does not fit",
        "step 2: 8 blocks in use, the scratchpad has 7"]),
    (edit(2, workspace_address=4), ["step 2, x: overlaps the workspace at block 4"]),
    (edit(2, workspace_address=0), ["step 2: overlaps y at block 0"]),
    (edit(2, workspace_address=8), ["step 2: the workspace of 1 blocks at 8 does not fit"]),
    (swap_event(1, "before", 0, Event("allocate", 2, 4, 1)), [
        "step 1, x: overlaps y at block 4", "step 2, x: overlaps y at block 4",
        "step 2, y: freed at address 0, which is not where it lies"]),
    (swap_event(0, "before", 1, Event("allocate", 1, 1, 3)), [
        "step 0, w: overlaps x at block 1", "step 2, z: overlaps x at block 1",
        "step 2, x: freed at address 2, which is not where it lies"]),
    (swap_event(2, "before", 0, Event("fetch", 0, 4, 2)), [
        "step 2, x: overlaps w at block 4", "step 2, w: freed at address 5, which is not where it lies"]),
    (swap_event(1, "before", 0, Event("allocate", 2, -1, 1)), [
        "step 1, y: blocks -1 to 0 leave the scratchpad of 8",
        "step 2, y: freed at address 0, which is not where it lies"]),
    (swap_event(1, "before", 0, Event("allocate", 2, 8, 1)), [
        "step 1, y: blocks 8 to 9 leave the scratchpad of 8",
        "step 2, y: freed at address 0, which is not where it lies"]),
    (swap_event(1, "before", 0, None), [
        "step 1, y: no space allocated for the output of 'b'", "step 2, y: operand of 'c' is not resident",
        "step 2, y: freed although it is not resident"]),
    (swap_event(2, "before", 0, None), [
        "step 2, w: operand of 'c' is not resident", "step 2, w: freed although it is not resident"]),
    (swap_event(1, "before", 0, Event("allocate", 2, 0, 2)), ["step 1, y: moves 2 blocks, the tensor has 1"]),
    (swap_event(1, "before", 0, Event("fetch", 2, 0, 1)), ["step 1, y: fetched without a copy in DRAM"]),
    (swap_event(1, "before", 0, Event("load", 2, 0, 1)), [
        "step 1, y: load is not allowed before the operator runs", "step 1, y: unknown event 'load'",
        "step 1, y: no space allocated for the output of 'b'", "step 2, y: operand of 'c' is not resident",
        "step 2, y: freed although it is not resident"]),
    (swap_event(1, "before", 0, Event("spill", 4, 0, 1)), [
        "step 1: unknown tensor 4", "step 1, y: no space allocated for the output of 'b'",
        "step 2, y: operand of 'c' is not resident", "step 2, y: freed although it is not resident"]),
    (swap_event(0, "after", 0, Event("fetch", -1, 0, 2)), [
        "step 0: unknown tensor -1", "step 1, y: overlaps w at block 0",
        "step 2, w: fetch although it is resident"]),
    (swap_event(0, "after", 0, Event("free", 0, 1, 2)), [
        "step 0, w: freed at address 1, which is not where it lies"]),
    (swap_event(0, "after", 0, Event("free", 1, 2, 3)), [
        f"step 0, {LOST_X}", "step 1, y: overlaps w at block 0", "step 1, x: operand of 'b' is not resident",
        "step 2, w: fetch although it is resident", "step 2, x: operand of 'c' is not resident",
        "step 2, x: freed although it is not resident"]),
    (swap_event(0, "after", 0, Event("spill", 0, 0, 2)), [
        "step 0, w: spilled although DRAM holds a copy", "step 1, y: overlaps w at block 0",
        "step 2, w: fetch although it is resident"]),
    (swap_event(0, "after", 0, Event("spill", 2, 0, 1)), [
        "step 0, y: spilled although it is not resident", "step 1, y: overlaps w at block 0",
        "step 2, w: fetch although it is resident"]),
    (swap_event(0, "after", 0, Event("free", 2, 0, 1)), [
        "step 0, y: freed although it is not resident", "step 1, y: overlaps w at block 0",
        "step 2, w: fetch although it is resident"]),
    (swap_event(0, "after", 0, Event("fetch", 0, 0, 2)), [
        "step 0, w: fetch is not allowed after the operator ran", "step 0, w: fetch although it is resident",
        "step 1, y: overlaps w at block 0", "step 2, w: fetch although it is resident"]),
    (swap_event(1, "after", 0, Event("allocate", 2, 0, 1)), [
        "step 1, y: allocate is not allowed after the operator ran", "step 1, y: allocated twice",
        "step 1, y: allocate although it is resident"]),
    (swap_event(2, "before", 1, Event("spill", 1, 2, 3)), [
        "step 2, x: spill is not allowed before the operator runs",
        "step 2, z: no space allocated for the output of 'c'",
        "step 2, z: freed although it is not resident"]),
    (swap_event(2, "before", 0, Event("allocate", 0, 5, 2)), [
        "step 2, w: allocated at a step that does not produce it"]),
])
def test_each_defect_is_named(change: Callable[[Plan], Plan], violations: list[str]) -> None:
    broken = change(good_plan())
    seen = replay(PROBLEM, broken)
    assert [str(violation) for violation in seen.violations] == violations
    with pytest.raises(InputError) as refused:
        check_user_plan(PROBLEM, broken)
    with pytest.raises(VerifyError) as ours:
        require_valid(PROBLEM, broken, seen.non_compulsory)
    assert str(refused.value) == str(ours.value) == "\n".join(f"plan: {text}" for text in violations)


def test_an_empty_plan_runs_nothing() -> None:
    seen = replay(PROBLEM, Plan(8, ()))
    assert [(v.step, v.tensor, v.reason) for v in seen.violations] == [
        (-1, "", f"operator {name!r} never runs") for name in "abc"]
    assert (seen.spilled, seen.refetched, seen.loaded, seen.stored, seen.peak) == (0, 0, 0, 0, 0)


def test_traffic_adds_up_over_all_events() -> None:
    """Weights of 2 and 3 blocks, the first fetched three times; two values of 1 and 4 spilled and back."""
    problem = Problem(
        "traffic",
        (Operator("a", (0,), (2, 3)), Operator("b", (0, 1), (4,)), Operator("c", (0, 2, 3), (5,))),
        (Tensor("w", 2, in_dram=True), Tensor("v", 3, in_dram=True), Tensor("x", 1), Tensor("y", 4),
         Tensor("o", 5, is_output=True), Tensor("p", 6, is_output=True)))
    plan = Plan(20, (
        Step(0, (Event("fetch", 0, 0, 2), Event("allocate", 2, 2, 1), Event("allocate", 3, 3, 4)),
             (Event("free", 0, 0, 2), Event("spill", 2, 2, 1), Event("free", 2, 2, 1),
              Event("spill", 3, 3, 4), Event("free", 3, 3, 4))),
        Step(1, (Event("fetch", 0, 0, 2), Event("fetch", 1, 2, 3), Event("allocate", 4, 5, 5)),
             (Event("free", 0, 0, 2), Event("free", 1, 2, 3), Event("free", 4, 5, 5))),
        Step(2, (Event("fetch", 0, 0, 2), Event("fetch", 2, 2, 1), Event("fetch", 3, 3, 4),
                 Event("allocate", 5, 7, 6)), ())))
    seen = replay(problem, plan)
    assert seen.violations == ()
    assert (seen.spilled, seen.refetched, seen.loaded, seen.stored) == (1 + 4, 2 + 2 + 1 + 4, 2 + 3, 5 + 6)
    assert (seen.non_compulsory, seen.peak) == (14, 13)


def test_an_output_stored_anyway_has_no_copy_before_it_is_computed() -> None:
    problem = Problem(
        "early",
        (Operator("a", (), (0,), workspace=2), Operator("b", (0,), (1,))),
        (Tensor("x", 1, in_dram=True, is_output=True), Tensor("y", 1, in_dram=True)))
    computed = (Event("allocate", 0, 2, 1),)
    last = Step(1, (Event("allocate", 1, 0, 1),), ())
    assert replay(problem, Plan(3, (Step(0, computed, (), 0), last))).violations == ()
    for step, steps in enumerate((
        (Step(0, (Event("fetch", 0, 2, 1),), (), 0), last),
        (Step(0, computed, (), 0), Step(1, (Event("fetch", 1, 0, 1),), ())),
    )):
        reasons = [(v.step, v.reason) for v in replay(problem, Plan(3, steps)).violations]
        assert reasons == [(step, "fetched without a copy in DRAM")]


def test_a_wrong_claim_about_traffic_is_our_bug() -> None:
    with pytest.raises(VerifyError) as caught:
        require_valid(PROBLEM, good_plan(), 1)
    assert str(caught.value) == "plan: claims 1 blocks of traffic, moves 2"


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
