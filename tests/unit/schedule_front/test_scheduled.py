from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import hwsim
from hwsim import run
from hwsim.errors import InputError, VerifyError
from hwsim.model.scheduled import CHANNEL, COMPUTE, Demand, PlanTiming, run_plan, transfers_of
from hwsim.report.schedule_costs import ScheduledCost, schedule_costs
from hwsim.report.schedule_table import COST_HEADS, cost_rows
from hwsim.schedule.network import NetworkProblem, from_graph
from hwsim.schedule.network_rivals import baseline_plans
from hwsim.schedule.network_run import schedule_network
from hwsim.schedule.types import Event, Plan, Problem, Step
from hwsim.schedule.verify import replay

BIT = Fraction(1, 8192)  # one cycle per block of 1 KiB


def plan_of(problem: Problem, budget: int) -> Plan:
    plan = schedule_network(problem, f"{budget}blocks", time_limit_s=5).plan
    assert plan is not None
    return plan


def check(problem: Problem, plan: Plan, demands: list[Demand], timing: PlanTiming) -> None:
    """The clock recomputed from the tasks alone: nothing overlaps on a resource, nobody starts too early."""
    line = timing.timeline
    for resource in (COMPUTE, CHANNEL):
        spans = sorted((int(line.start[i]), int(line.end[i])) for i, task in enumerate(line.tasks)
                       if task.resource == resource)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert timing.compute_cycles == sum(demand.compute_cycles for demand in demands)
    assert timing.cycles >= max(timing.compute_cycles, timing.channel_cycles)
    first, last = {}, {}
    for index, task in enumerate(line.tasks):
        first.setdefault((task.resource, task.name), int(line.start[index]))
        last[task.resource, task.name] = int(line.end[index])
    names = [tensor.name for tensor in problem.tensors]
    order = [problem.operators[v].name for v in plan.order]
    for transfer in timing.transfers:
        name = f"{transfer.kind} {names[transfer.tensor]}"
        if transfer.release >= 0 and transfer.kind in ("spill", "store"):
            assert first[CHANNEL, name] >= last[COMPUTE, order[transfer.release]]


def test_transfers_are_those_of_the_replay(known: dict[str, Problem]) -> None:
    for name, budget in (("DARTS-1c", 180), ("RandWire-WS16x1", 90), ("Transformer-4L", 256)):
        problem = known[name]
        plan = plan_of(problem, budget)
        seen = replay(problem, plan)
        timing = run_plan(problem, plan, [Demand(10, 0)] * len(problem.operators), read=BIT, write=BIT)
        moved = {kind: timing.bits(kind) // 8192 for kind in ("load", "store", "fetch", "spill")}
        assert moved == {"load": seen.loaded, "store": seen.stored, "fetch": seen.refetched,
                         "spill": seen.spilled}
        check(problem, plan, [Demand(10, 0)] * len(problem.operators), timing)


def test_a_fetch_starts_when_its_space_is_free_and_hides_behind_compute() -> None:
    # op2 reads t0 again after two others: with room to spare it is fetched while op1 runs.
    problem = Problem.from_blocks({"size": [4, 6, 1], "ins": [[], [], [0, 1]]})
    plan = plan_of(problem, 11)
    demands = [Demand(100, 0)] * 3
    timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
    assert not [t for t in timing.transfers if t.kind in ("spill", "fetch")]
    assert timing.cycles == 301  # only the store of one block at the end is not hidden


def test_write_back_starts_at_creation_and_delays_few(known: dict[str, Problem]) -> None:
    problem = known["DARTS-1c"]
    plan = plan_of(problem, 180)
    spills = [t for t in transfers_of(problem, plan) if t.kind == "spill"]
    fetches = [t for t in transfers_of(problem, plan) if t.kind == "fetch"]
    assert len(spills) == len(fetches) == 1
    assert fetches[0].release <= fetches[0].deadline - 1
    assert plan.order[spills[0].release] == problem.producer[spills[0].tensor]
    assert set(fetches[0].after)
    slow = run_plan(problem, plan, [Demand(10_000, 0)] * 16, read=BIT, write=BIT)
    # The space of the spilled tensor is wanted at once, so its 72 blocks, and the last store, stay visible.
    assert slow.cycles - slow.compute_cycles <= 72 + 72 + 1


def test_no_bandwidth_limit_means_no_stall(known: dict[str, Problem]) -> None:
    problem = known["RandWire-WS16x1"]
    none = Fraction(0)
    timing = run_plan(problem, plan_of(problem, 90), [Demand(7, 512)] * 20, read=none, write=none)
    assert timing.cycles == timing.compute_cycles == 140


def test_parameters_stream_beside_compute() -> None:
    problem = Problem.from_blocks({"size": [1, 1], "ins": [[], [0]]})
    plan = plan_of(problem, 2)
    fast = run_plan(problem, plan, [Demand(1600, 8192 * 160)] * 2, read=BIT, write=BIT)
    assert fast.cycles == 2 * (1600 + 10) + 1
    eager = run_plan(problem, plan, [Demand(1600, 8192 * 160, 2)] * 2, read=BIT, write=BIT)
    assert eager.cycles == 2 * (1600 + 2) + 1
    bound = run_plan(problem, plan, [Demand(160, 8192 * 1600)] * 2, read=BIT, write=BIT)
    assert bound.cycles == 2 * (1600 + 10) + 1


def test_random_plans_keep_the_laws_of_the_clock() -> None:
    generator = np.random.default_rng(5)
    for _ in range(25):
        count = int(generator.integers(4, 10))
        size = [int(s) for s in generator.integers(1, 6, count)]
        ins = [sorted({int(u) for u in generator.integers(0, max(v, 1), min(v, 2))}) for v in range(count)]
        problem = Problem.from_blocks({"size": size, "ins": ins})
        demands = [Demand(int(c), int(b) * 8192) for c, b in
                   zip(generator.integers(0, 20, count), generator.integers(0, 9, count), strict=True)]
        for plan in baseline_plans(problem, problem.smallest_budget).values():
            moved = transfers_of(problem, plan)
            assert all(t.release >= moved[i].release for t in moved for i in t.after)
            timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
            check(problem, plan, demands, timing)
            faster = run_plan(problem, plan, demands, read=BIT / 4, write=BIT / 4)
            assert faster.channel_cycles <= timing.channel_cycles
            assert timing.cycles <= timing.compute_cycles + timing.channel_cycles


def test_a_fetch_into_space_that_is_free_early_waits_for_its_tensor() -> None:
    # t3 is made in step 3 and returns to a block that has been free since step 1.
    problem = Problem.from_blocks({"size": [1] * 6, "ins": [[], [0], [1], [], [2], [3, 4]]})
    moves = [([("allocate", 0, 5)], []), ([("allocate", 1, 4)], [("free", 0, 5)]),
             ([("allocate", 2, 3)], [("free", 1, 4)]),
             ([("allocate", 3, 0)], [("spill", 3, 0), ("free", 3, 0)]),
             ([("allocate", 4, 2)], [("free", 2, 3)]), ([("fetch", 3, 5), ("allocate", 5, 1)], [])]
    steps = tuple(Step(operator, *(tuple(Event(*event, 1) for event in side) for side in sides))
                  for operator, sides in enumerate(moves))
    plan = Plan(6, steps)
    replay(problem, plan)
    fetch = next(t for t in transfers_of(problem, plan) if t.kind == "fetch")
    assert (fetch.release, fetch.deadline) == (3, 5)
    demands = [Demand(10, 0)] * 6
    timing = run_plan(problem, plan, demands, read=BIT, write=BIT)
    check(problem, plan, demands, timing)
    assert timing.cycles == 61  # spilled and fetched behind step 4; only the store of t5 is seen


def test_wrong_number_of_demands(known: dict[str, Problem]) -> None:
    problem = known["DARTS-1c"]
    with pytest.raises(VerifyError, match="1 demands for 16 operators"):
        run_plan(problem, plan_of(problem, 180), [Demand(1, 1)], read=BIT, write=BIT)


def test_unknown_baseline_is_refused(known: dict[str, Problem]) -> None:
    with pytest.raises(InputError, match="did you mean 'default/belady'"):
        baseline_plans(known["DARTS-1c"], 180, ["default/bellady"])


@pytest.fixture(scope="module")
def evaluated() -> tuple[hwsim.Report, NetworkProblem]:
    chip = run.chip("systolic:edge_32")
    graph = run.load("mobilenet_v2")
    prepared = chip.accelerator.prepare(graph, chip.design)
    return run.evaluate(graph, chip), from_graph(prepared)


@pytest.fixture(scope="module")
def costs(evaluated: tuple[hwsim.Report, NetworkProblem]) -> dict[str, ScheduledCost]:
    report, network = evaluated
    best = schedule_network(network, f"{network.problem.smallest_budget}blocks", time_limit_s=5)
    assert best.plan is not None
    plans = baseline_plans(network.problem, best.result.budget) | {"cosma": best.plan}
    return {cost.name: cost for cost in schedule_costs(report, network, plans)}


def test_a_schedule_saves_cycles_and_joules(costs: dict[str, ScheduledCost]) -> None:
    assert next(iter(costs)) == "none"
    assert costs["cosma"].non_compulsory_bytes == 0
    assert costs["default/belady"].non_compulsory_bytes == 2352 * 1024
    assert costs["cosma"].cycles < costs["default/belady"].cycles
    assert costs["cosma"].cycles < costs["none"].cycles
    assert costs["cosma"].energy_j < costs["default/belady"].energy_j < costs["none"].energy_j
    for cost in costs.values():
        assert cost.cycles == cost.compute_cycles + cost.stall_cycles
        assert cost.compute_cycles == costs["none"].compute_cycles


def test_unscheduled_row_is_the_report(evaluated: tuple[hwsim.Report, NetworkProblem],
                                       costs: dict[str, ScheduledCost]) -> None:
    totals, none = evaluated[0].totals, costs["none"]
    assert (none.cycles, none.energy_j, none.time_s) == (totals.cycles, totals.energy_j, totals.time_s)
    assert abs(none.dram_bytes - totals.bytes_by_memory["dram"]) <= len(evaluated[0].layers)


def test_energy_differs_by_dram_scratchpad_and_leakage_only(evaluated: tuple[hwsim.Report, NetworkProblem],
                                                            costs: dict[str, ScheduledCost]) -> None:
    report = evaluated[0]
    leakage = sum(row.energy_j for row in report.events if row.action == "leakage")
    for cost in costs.values():
        kept = cost.energy_j - cost.dram_energy_j - cost.scratchpad_energy_j
        kept -= leakage * cost.cycles / report.totals.cycles
        rest = report.totals.energy_j - leakage - costs["none"].dram_energy_j
        assert kept == pytest.approx(rest, rel=1e-9)


def test_prices_and_streams_can_be_given(evaluated: tuple[hwsim.Report, NetworkProblem]) -> None:
    report, network = evaluated
    plan = schedule_network(network, f"{network.problem.smallest_budget}blocks", time_limit_s=5).plan
    assert plan is not None
    free = schedule_costs(report, network, {"cosma": plan}, scratchpad_j_per_bit=0.0,
                          stream_bits=dict.fromkeys((layer.name for layer in report.layers), 0))[1]
    assert free.scratchpad_energy_j == 0
    assert free.stream_bytes == 0
    assert free.dram_bytes == free.compulsory_bytes


def test_a_problem_of_another_network_is_refused(evaluated: tuple[hwsim.Report, NetworkProblem]) -> None:
    other = from_graph(hwsim.load("resnet18"))
    with pytest.raises(InputError, match="the report has no layer"):
        schedule_costs(evaluated[0], other, {})
    with pytest.raises(InputError, match="no unit 'drum'"):
        schedule_costs(*evaluated, {}, offchip="drum")


def test_rows_of_the_comparison(costs: dict[str, ScheduledCost]) -> None:
    rows = cost_rows(list(costs.values()))
    assert all(len(row) == len(COST_HEADS) for row in rows)
    assert rows[0][0] == "none"
    assert rows[0][3] == "-"
    assert rows[-1][5].startswith("-")
    same = cost_rows([costs["cosma"], replace(costs["cosma"], name="again")])
    assert same[1][3] == "-"
