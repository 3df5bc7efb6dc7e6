"""What must hold for every graph and budget: monotone, bounded, composable, no worse than baselines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.schedule import Operator, Problem, Status, Tensor, replay, solve
from hwsim.schedule.baselines import POLICIES, online_plan
from hwsim.schedule.bounds import must_cross_bound, partition_bounds
from hwsim.schedule.gaps import best_replacement, place
from hwsim.schedule.orders import random_greedy_order
from hwsim.schedule.packing import Rectangle, greedy, pack
from hwsim.schedule.peak import smallest_peak
from hwsim.schedule.pinning import pinned_tables
from hwsim.schedule.portfolio import named_orders
from hwsim.schedule.residency import drop_cost, episodes, footprint, occupancy
from hwsim.schedule.search import Limits, add_reference, search, tabulate
from hwsim.schedule.split import compose, improve_windows
from hwsim.schedule.suffix import suffix_bounds
from tests.examples import examples

ENDLESS = 1 << 40


@st.composite
def problems(draw: st.DrawFn, most: int = 12) -> Problem:
    tensors = [Tensor(f"w{k}", draw(st.integers(1, 4)), in_dram=True) for k in range(draw(st.integers(0, 2)))]
    operators = []
    for v in range(draw(st.integers(2, most))):
        recent = range(max(0, len(tensors) - 6), len(tensors))
        inputs = draw(st.sets(st.sampled_from(recent), max_size=3)) if recent else set()
        outputs = []
        smallest = 0 if v else 1
        for _ in range(draw(st.sampled_from((1, 1, 1, 1, 2)))):
            outputs.append(len(tensors))
            clean = draw(st.sampled_from((False, False, False, True)))
            tensors.append(Tensor(f"t{len(tensors)}", draw(st.integers(smallest, 5)), in_dram=clean))
        workspace = draw(st.sampled_from((0, 0, 0, 2)))
        operators.append(Operator(f"op{v}", tuple(sorted(inputs)), tuple(outputs), workspace))
    return Problem("drawn", tuple(operators), tuple(tensors))


def optimum(problem: Problem, budget: int) -> int:
    found = search(problem, budget, ENDLESS)
    assert found.complete
    assert found.path is not None
    return found.path.traffic


@given(problems())
def test_traffic_never_rises_with_the_budget_and_is_zero_from_the_smallest_peak_on(problem: Problem) -> None:
    peak = smallest_peak(problem, list(named_orders(problem).values()))
    assert peak.blocks == peak.lower_bound == footprint(problem, peak.order)
    budgets = range(problem.smallest_budget, peak.blocks + 2)
    costs = [optimum(problem, budget) for budget in budgets]
    assert costs == sorted(costs, reverse=True)
    assert [cost == 0 for cost in costs] == [budget >= peak.blocks for budget in budgets]


@given(problems(), st.integers(0, 3))
def test_free_order_beats_fixed_order_beats_each_baseline(problem: Problem, extra: int) -> None:
    budget = problem.smallest_budget + extra
    best = optimum(problem, budget)
    for order in named_orders(problem).values():
        fixed = best_replacement(problem, budget, order)
        assert fixed.proven
        assert best <= fixed.path.traffic
        for policy in POLICIES:
            seen = replay(problem, online_plan(problem, budget, order, policy))
            assert seen.violations == ()
            assert fixed.path.traffic <= seen.non_compulsory


@given(problems())
def test_a_plan_with_addresses_exists_from_the_smallest_budget_on(problem: Problem) -> None:
    budget = problem.smallest_budget
    for policy in POLICIES:
        plan = online_plan(problem, budget, random_greedy_order(problem, np.random.default_rng(0)), policy)
        assert replay(problem, plan).violations == ()
    found = solve(problem, budget, solver="none", time_limit_s=0.01)
    assert found.stats.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert found.plan is not None


@given(problems(), st.integers(0, 3))
def test_bounds_do_not_exceed_the_optimum(problem: Problem, extra: int) -> None:
    budget = problem.smallest_budget + extra
    best = optimum(problem, budget)
    order = named_orders(problem)["memory-greedy"]
    assert must_cross_bound(problem, budget) <= best
    for stride in (1, 2, 5):
        parts, _ = partition_bounds(problem, budget, order, stride=stride, longest=5, limits=Limits())
        assert all(a >= b for a, b in pairwise(parts))
        assert parts[0] <= best
        guided = search(problem, budget, ENDLESS, tables=add_reference(tabulate(problem), order, parts))
        assert guided.path is not None
        assert guided.path.traffic == best
    held = search(problem, budget, ENDLESS, tables=pinned_tables(problem))
    assert held.lower_bound == best
    bounds, _ = suffix_bounds(problem, budget, order, parts=6, limits=Limits(), known=parts)
    assert all(bounds >= parts)
    assert all(a >= b for a, b in pairwise(bounds))
    assert bounds[0] <= best
    guided = search(problem, budget, ENDLESS, tables=add_reference(pinned_tables(problem), order, bounds))
    assert guided.path is not None
    assert guided.path.traffic == best


@pytest.mark.parametrize("chains", [2, 3])
def test_parts_do_not_charge_one_fetch_twice(chains: int) -> None:
    # Every chain reads T, runs an operator beside which T has no room, and reads T again: one fetch for all.
    tensors = [Tensor("T", 10, in_dram=True), Tensor("root", 0)]
    operators = [Operator("root", (), (1,))]
    for k in range(chains):
        first = len(tensors)
        tensors += [Tensor(f"{name}{k}", 1) for name in "xyz"]
        operators += [Operator(f"x{k}", (0, 1), (first,)), Operator(f"y{k}", (first,), (first + 1,), 90),
                      Operator(f"z{k}", (0, first + 1), (first + 2,))]
    problem = Problem("shared", tuple(operators), tuple(tensors))
    assert optimum(problem, 98) == 10
    order = tuple(range(len(operators)))
    bounds, _ = partition_bounds(problem, 98, order, stride=1, longest=3, limits=Limits())
    assert bounds[0] == 10


@given(problems(), st.integers(0, 3))
def test_a_cutoff_yields_the_next_bound(problem: Problem, extra: int) -> None:
    budget = problem.smallest_budget + extra
    best = optimum(problem, budget)
    for cutoff in {1, best // 2, best} - {0}:
        found = search(problem, budget, cutoff)
        if cutoff > best:
            assert found.path is not None
            continue
        assert found.path is None
        assert cutoff <= found.lower_bound <= best


@given(problems(), st.integers(0, 3))
def test_segments_add_up_and_windows_only_improve(problem: Problem, extra: int) -> None:
    budget = problem.smallest_budget + extra
    best = optimum(problem, budget)
    joined = compose(problem, budget, limits=Limits())
    assert joined.path is not None
    assert joined.path.traffic == joined.lower_bound == best
    start = best_replacement(problem, budget, named_orders(problem)["default"]).path
    better = improve_windows(problem, budget, start, size=4, rounds=2, limits=Limits())
    for path in (joined.path, better):
        assert path.traffic == drop_cost(problem, path.dropped)
        runs = episodes(problem, path.order, path.dropped)
        assert max(occupancy(problem, path.order, runs)) <= budget
    assert best <= better.traffic <= start.traffic


@examples(30)
@given(problems(most=8), st.integers(0, 3))
def test_solve_is_optimal_and_verified(problem: Problem, extra: int) -> None:
    budget = problem.smallest_budget + extra
    found = solve(problem, budget, time_limit_s=5, solver="none")
    assert found.plan is not None
    assert found.traffic is not None
    assert found.stats.lower_bound == optimum(problem, budget) <= found.traffic
    assert (found.stats.status is Status.OPTIMAL) == (found.traffic == found.stats.lower_bound)
    assert all(found.traffic <= b for b in found.baselines.values() if b is not None)


@given(problems(), st.integers(0, 2**32 - 1))
def test_random_orders_are_topological_and_repeatable(problem: Problem, seed: int) -> None:
    order = random_greedy_order(problem, np.random.default_rng(seed))
    assert order == random_greedy_order(problem, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(problem.operators)))
    for step, v in enumerate(order):
        assert set(problem.predecessors[v]) <= set(order[:step])
    placed = place(problem, footprint(problem, order) + 3, best_replacement(problem, 10**6, order).path)
    assert placed.traffic == 0 or placed.cuts > 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12),
       st.integers(4, 12))
def test_packed_rectangles_do_not_overlap(drawn: list[tuple[int, int, int]], budget: int) -> None:
    items = [Rectangle(first, first + length, size) for first, length, size in drawn]
    found = pack(items, budget)
    rough = greedy(items, budget, 0)
    assert rough is None or found.addresses is not None
    if found.addresses is None:
        assert found.conflict
        return
    for i, (a, low) in enumerate(zip(items, found.addresses, strict=True)):
        assert low >= 0
        assert low + a.size <= budget
        for b, other in list(zip(items, found.addresses, strict=True))[:i]:
            apart = a.end < b.start or b.end < a.start or low + a.size <= other or other + b.size <= low
            assert apart or not a.size or not b.size
