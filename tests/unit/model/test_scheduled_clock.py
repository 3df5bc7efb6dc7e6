"""Plans written by hand, and every transfer and start worked out by hand: no solver is asked."""

from __future__ import annotations

from fractions import Fraction

import pytest

from hwsim.errors import VerifyError
from hwsim.model.scheduled import CHANNEL, COMPUTE, Demand, PlanTiming, Transfer, run_plan, transfers_of
from hwsim.schedule.types import Event, Operator, Plan, Problem, Step, Tensor
from hwsim.schedule.verify import replay

BLOCK = 8192
BIT = Fraction(1, BLOCK)  # one cycle per block of 1 KiB
X, A, B, C, Y, NONE = range(6)

Moves = list[tuple[str, int, int]]


def diamond(output: int = Y, stored: str = "x") -> Problem:
    """A reads x and has a workspace, B reads a, C reads x and b, D reads a and c; x is a network input."""
    names, sizes = ("x", "a", "b", "c", "y", "none"), (2, 3, 1, 2, 2, 0)
    tensors = tuple(
        Tensor(name, size, in_dram=name in ("x", "none", stored), is_output=index in (Y, output))
        for index, (name, size) in enumerate(zip(names, sizes, strict=True))
    )
    operators = (
        Operator("A", (X, NONE), (A,), 2),
        Operator("B", (A,), (B,)),
        Operator("C", (X, B), (C,)),
        Operator("D", (A, C), (Y,)),
    )
    return Problem("diamond", operators, tensors)


def plan_of(problem: Problem, *steps: tuple[Moves, Moves], workspace: int = 5) -> Plan:
    """Return a plan that the verifier accepts; operators in order, sizes from the problem."""
    made = []
    for operator, sides in enumerate(steps):
        before, after = (
            tuple(
                Event(kind, tensor, address, problem.tensors[tensor].size) for kind, tensor, address in side
            )
            for side in sides
        )
        made.append(Step(operator, before, after, workspace if operator == 0 else -1))
    plan = Plan(12, tuple(made))
    assert replay(problem, plan).violations == ()
    return plan


def tight(
    problem: Problem, x_again: int = 2, c: int = 4, a_again: int = 0, b: int = 0, spill: bool = True
) -> Plan:
    """Drop x and spill a, and bring both back."""
    leave = [("spill", A, 2), ("free", A, 2)] if spill else [("free", A, 2)]
    return plan_of(
        problem,
        ([("fetch", X, 0), ("fetch", NONE, 0), ("allocate", A, 2)], [("free", X, 0), ("free", NONE, 0)]),
        ([("allocate", B, b)], leave),
        ([("fetch", X, x_again), ("allocate", C, c)], [("free", X, x_again), ("free", B, b)]),
        ([("fetch", A, a_again), ("allocate", Y, 10)], [("free", A, a_again), ("free", C, c)]),
    )


def spans(timing: PlanTiming) -> list[tuple[str, int, int, int]]:
    """Return (name, first start, last end, cycles of work), pieces of one name in a row joined."""
    found: list[tuple[str, int, int, int]] = []
    line = timing.timeline
    for task, start, end in zip(line.tasks, line.start.tolist(), line.end.tolist(), strict=True):
        assert task.resource == (COMPUTE if task.name in ("A", "B", "C", "D") else CHANNEL)
        if found and found[-1][0] == task.name:
            name, first, _, work = found.pop()
            found.append((name, first, end, work + task.cycles))
        else:
            found.append((task.name, start, end, task.cycles))
    return found


def test_a_fetch_waits_for_the_write_that_empties_its_range() -> None:
    assert transfers_of(diamond(), tight(diamond())) == (
        Transfer("load", X, 2 * BLOCK, -1, 0, ()),
        Transfer("spill", A, 3 * BLOCK, 0, 2, ()),
        Transfer("fetch", X, 2 * BLOCK, 1, 2, (1,)),
        Transfer("fetch", A, 3 * BLOCK, 2, 3, (1,)),
        Transfer("store", Y, 2 * BLOCK, 3, 4, ()),
    )


def test_a_fetch_into_a_workspace_may_start_when_that_is_free() -> None:
    found = transfers_of(diamond(), tight(diamond(), x_again=5, c=2, a_again=7))
    assert found[2] == Transfer("fetch", X, 2 * BLOCK, 0, 2, ())
    assert found[1].deadline == 2  # c is made where a lay


def test_a_spill_has_time_until_its_range_or_its_tensor_is_wanted() -> None:
    found = transfers_of(diamond(), tight(diamond(), x_again=5, c=7, a_again=2))
    assert found[1] == Transfer("spill", A, 3 * BLOCK, 0, 3, ())
    touching = transfers_of(diamond(), tight(diamond(), x_again=0, c=5, a_again=2, b=9))
    assert touching[1] == Transfer("spill", A, 3 * BLOCK, 0, 3, ())
    assert touching[2] == Transfer("fetch", X, 2 * BLOCK, 0, 2, ())


def test_what_dram_holds_anyway_returns_without_having_been_spilled() -> None:
    problem = diamond(stored="a")
    found = transfers_of(problem, tight(problem, spill=False))
    assert [(t.kind, t.tensor, t.release, t.deadline, t.after) for t in found] == [
        ("load", X, -1, 0, ()),
        ("fetch", X, 1, 2, ()),
        ("fetch", A, 2, 3, ()),
        ("store", Y, 3, 4, ()),
    ]


def test_neighbours_share_no_address() -> None:
    """x returns to 5..7, between a and the workspace that was at 7..9: it waits for neither."""
    problem = diamond()
    plan = plan_of(
        problem,
        ([("fetch", X, 0), ("fetch", NONE, 0), ("allocate", A, 2)], [("free", X, 0), ("free", NONE, 0)]),
        ([("allocate", B, 7)], []),
        ([("fetch", X, 5), ("allocate", C, 8)], [("free", X, 5), ("free", B, 7)]),
        ([("allocate", Y, 10)], [("free", A, 2), ("free", C, 8)]),
        workspace=7,
    )
    found = transfers_of(problem, plan)
    assert [(t.kind, t.tensor, t.release, t.deadline, t.after) for t in found] == [
        ("load", X, -1, 0, ()),
        ("fetch", X, -1, 2, ()),
        ("store", Y, 3, 4, ()),
    ]


def test_an_output_that_is_spilled_is_stored_as_well() -> None:
    problem = diamond(output=A)
    found = transfers_of(problem, tight(problem))
    assert [(t.kind, t.tensor, t.deadline, t.after) for t in found] == [
        ("load", X, 0, ()),
        ("spill", A, 2, ()),
        ("store", A, 2, ()),
        ("fetch", X, 2, (1, 2)),
        ("fetch", A, 3, (1, 2)),
        ("store", Y, 4, ()),
    ]


def test_every_start_of_a_tight_plan() -> None:
    """Reads take a cycle per block and writes two; the spill hides behind B, the rest waits."""
    timing = run_plan(diamond(), tight(diamond()), [Demand(10, 0)] * 4, read=BIT, write=2 * BIT)
    assert spans(timing) == [
        ("load x", 0, 2, 2),
        ("A", 2, 12, 10),
        ("B", 12, 22, 10),
        ("spill a", 12, 18, 6),
        ("fetch x", 22, 24, 2),
        ("C", 24, 34, 10),
        ("fetch a", 34, 37, 3),
        ("D", 37, 47, 10),
        ("store y", 47, 51, 4),
    ]
    assert (timing.cycles, timing.compute_cycles, timing.channel_cycles) == (51, 40, 17)
    moved = {kind: timing.bits(kind) // BLOCK for kind in ("load", "store", "fetch", "spill")}
    assert moved == {"load": 2, "store": 2, "fetch": 5, "spill": 3}
    pieces = [task.cycles for task in timing.timeline.tasks if task.name == "spill a"]
    assert pieces == [0, 1, 1, 1, 0, 1, 1, 1]
    tasks = timing.timeline.tasks
    last = {task.name: index for index, task in enumerate(tasks)}
    assert {task.after for task in tasks if task.name == "fetch x"} == {(last["spill a"], last["B"])}
    assert {task.after for task in tasks if task.name == "spill a"} == {(last["A"],)}


def test_what_is_due_later_moves_in_the_gaps() -> None:
    """x and a return where nothing lies after A, so both move during B, behind the spill of a."""
    plan = tight(diamond(), x_again=5, c=2, a_again=7)
    timing = run_plan(diamond(), plan, [Demand(10, 0)] * 4, read=BIT, write=BIT)
    assert spans(timing) == [
        ("load x", 0, 2, 2),
        ("A", 2, 12, 10),
        ("B", 12, 22, 10),
        ("spill a", 12, 15, 3),
        ("fetch x", 15, 17, 2),
        ("fetch a", 17, 20, 3),
        ("C", 22, 32, 10),
        ("D", 32, 42, 10),
        ("store y", 42, 44, 2),
    ]


def test_what_is_wanted_first_moves_first() -> None:
    """x is wanted by C, the range of a only by a itself: during B x comes before the older spill."""
    plan = tight(diamond(), x_again=5, c=7, a_again=2)
    timing = run_plan(diamond(), plan, [Demand(10, 0)] * 4, read=BIT, write=BIT)
    names = [name for name, *_ in spans(timing)]
    assert names == ["load x", "A", "B", "fetch x", "spill a", "C", "fetch a", "D", "store y"]


def prefetching(blocks: int) -> tuple[Problem, Plan]:
    """A makes a from nothing, B makes b of it, C reads b and an input of so many blocks."""
    tensors = (
        Tensor("w", blocks, in_dram=True),
        Tensor("a", 1),
        Tensor("b", 1),
        Tensor("y", 0, is_output=True),
    )
    operators = (Operator("A", (), (1,)), Operator("B", (1,), (2,)), Operator("C", (0, 2), (3,)))
    problem = Problem("prefetching", operators, tensors)
    steps = (
        Step(0, (Event("allocate", 1, 0, 1),), ()),
        Step(1, (Event("allocate", 2, 1, 1),), (Event("free", 1, 0, 1),)),
        Step(
            2,
            (Event("fetch", 0, 2, blocks), Event("allocate", 3, 0, 0)),
            (Event("free", 0, 2, blocks), Event("free", 2, 1, 1)),
        ),
    )
    plan = Plan(12, steps)
    assert replay(problem, plan).violations == ()
    return problem, plan


def test_a_prefetch_fills_the_time_of_an_operator_and_no_more() -> None:
    """Eight pieces of a cycle: four during A, then the parameters of B, then the rest."""
    problem, plan = prefetching(8)
    demands = [Demand(4, 0), Demand(0, 4 * BLOCK), Demand(1, 0)]
    timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
    channel = [task.name for task in timing.timeline.tasks if task.resource == CHANNEL]
    assert channel == ["load w"] * 4 + ["B parameters"] * 16 + ["load w"] * 4
    assert timing.cycles == 4 + 4 + 4 + 1


def test_parameters_do_not_stream_before_the_operator_before_has_ended() -> None:
    problem, plan = prefetching(2)
    demands = [Demand(9, 0), Demand(0, 16 * BLOCK), Demand(1, 0)]
    timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
    line = timing.timeline
    starts = [int(line.start[i]) for i, task in enumerate(line.tasks) if task.name == "B parameters"]
    assert starts == list(range(9, 25))
    assert timing.cycles == 9 + 16 + 1


def chain() -> tuple[Problem, Plan]:
    """A, B and C one after the other; B and C read inputs of eight blocks that are there from the start."""
    names, sizes = ("x", "z", "w", "a", "b", "y"), (1, 8, 8, 1, 1, 1)
    tensors = tuple(
        Tensor(name, size, in_dram=index < 3, is_output=name == "y")
        for index, (name, size) in enumerate(zip(names, sizes, strict=True))
    )
    operators = (Operator("A", (0,), (3,)), Operator("B", (1, 3), (4,)), Operator("C", (2, 4), (5,)))
    problem = Problem("chain", operators, tensors)
    steps = (
        Step(0, (Event("fetch", 0, 0, 1), Event("allocate", 3, 1, 1)), (Event("free", 0, 0, 1),)),
        Step(
            1,
            (Event("fetch", 1, 2, 8), Event("allocate", 4, 10, 1)),
            (Event("free", 1, 2, 8), Event("free", 3, 1, 1)),
        ),
        Step(
            2,
            (Event("fetch", 2, 11, 8), Event("allocate", 5, 19, 1)),
            (Event("free", 2, 11, 8), Event("free", 4, 10, 1)),
        ),
    )
    plan = Plan(20, steps)
    assert replay(problem, plan).violations == ()
    return problem, plan


def test_a_prefetch_stops_between_pieces_and_ends_when_it_is_due() -> None:
    problem, plan = chain()
    timing = run_plan(problem, plan, [Demand(4, 0), Demand(10, 0), Demand(5, 0)], read=BIT, write=BIT)
    assert spans(timing) == [
        ("load x", 0, 1, 1),
        ("A", 1, 5, 4),
        ("load z", 1, 9, 8),
        ("B", 9, 19, 10),
        ("load w", 9, 17, 8),
        ("C", 19, 24, 5),
        ("store y", 24, 25, 1),
    ]
    # Four pieces during A, so that something more urgent could have come between, four when B wants them.
    line = timing.timeline
    loads = [task for task in line.tasks if task.name == "load z"]
    assert [task.cycles for task in loads] == [1] * 8
    assert timing.cycles == 25


def test_parameters_come_before_prefetches_and_after_what_is_due() -> None:
    """B streams 32 blocks in a slice of 1 cycle and fifteen of 31/15; w is loaded after them."""
    problem, plan = chain()
    demands = [Demand(4, 0), Demand(32, 32 * BLOCK, 1), Demand(5, 0)]
    timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
    found = [span for span in spans(timing) if span[0] == "B parameters"]
    assert found[0] == ("B parameters", 9, 10, 1)
    assert [work for _, _, _, work in found] == [1] + [2] * 14 + [3]
    assert sum(work for _, _, _, work in found) == 32
    work = [span for span in spans(timing) if span[0] == "B"]
    assert [cycles for _, _, _, cycles in work] == [2] * 16
    assert (work[0][1], work[-1][2]) == (10, 43)
    assert [span for span in spans(timing) if span[0] == "load w"] == [("load w", 41, 49, 8)]
    assert timing.cycles == 49 + 5 + 1


@pytest.mark.parametrize(
    ("blocks", "fill", "first"),
    [(32, None, 2), (32, 0, 0), (32, 1, 1), (32, 2, 2), (32, 9, 2), (24, None, 1), (15, None, 0)],
)
def test_the_first_slice_of_a_stream_is_at_most_its_share(blocks: int, fill: int | None, first: int) -> None:
    problem, plan = chain()
    demands = [Demand(4, 0), Demand(32, blocks * BLOCK, fill), Demand(5, 0)]
    timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
    slices = [task.cycles for task in timing.timeline.tasks if task.name == "B parameters"]
    assert (slices[0], sum(slices), len(slices)) == (first, blocks, 16)


def test_a_stream_that_takes_no_time_is_one_empty_slice() -> None:
    problem, plan = chain()
    demands = [Demand(4, 0), Demand(32, 32 * BLOCK), Demand(5, 0)]
    timing = run_plan(problem, plan, demands, read=Fraction(0), write=BIT)
    assert [task.cycles for task in timing.timeline.tasks if task.name == "B parameters"] == [0]
    assert [task.cycles for task in timing.timeline.tasks if task.name == "B"] == [32]
    assert timing.cycles == 4 + 32 + 5 + 1


def test_part_of_a_cycle_is_a_cycle() -> None:
    problem, plan = chain()
    timing = run_plan(
        problem, plan, [Demand(0, 0)] * 3, read=Fraction(1, 3 * BLOCK), write=BIT * Fraction(5, 4)
    )
    totals = dict.fromkeys(("load x", "load z", "load w", "store y"), 0)
    for task in timing.timeline.tasks:
        totals[task.name] = totals.get(task.name, 0) + task.cycles
    assert totals == {"load x": 1, "load z": 3, "load w": 3, "store y": 2, "A": 0, "B": 0, "C": 0}


def test_a_demand_for_every_operator() -> None:
    problem, plan = chain()
    with pytest.raises(VerifyError) as caught:
        run_plan(problem, plan, [Demand(1, 1)] * 2, read=BIT, write=BIT)
    (problem_found,) = caught.value.problems
    assert (problem_found.where, problem_found.reason) == ("run_plan", "2 demands for 3 operators")
