"""Lower bounds on the traffic that hold for every order and need no search over whole schedules."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.pinning import pinned_tables
from hwsim.schedule.search import Limits, search
from hwsim.schedule.types import Operator, Problem, Tensor


def relatives(problem: Problem) -> tuple[list[int], list[int]]:
    """Return the ancestors and the descendants of each operator as bit masks, itself excluded."""
    count = len(problem.operators)
    ancestors, descendants = [0] * count, [0] * count
    for v in range(count):
        for u in problem.predecessors[v]:
            ancestors[v] |= ancestors[u] | 1 << u
    for v in reversed(range(count)):
        for w in problem.successors[v]:
            descendants[v] |= descendants[w] | 1 << w
    return ancestors, descendants


def crossing_tensors(problem: Problem) -> list[list[int]]:
    """Return for each operator the tensors that are live while it runs, in every order, but not its own.

    A tensor crosses v when its producer is an ancestor of v, one of its consumers is a descendant of v,
    and v neither reads nor writes it. A tensor without producer crosses when another consumer is an
    ancestor of v.
    """
    ancestors, descendants = relatives(problem)
    masks = [sum(1 << c for c in consumers) for consumers in problem.consumers]
    crossing = []
    for v, op in enumerate(problem.operators):
        own = set(op.inputs) | set(op.outputs)
        found = []
        for t, readers in enumerate(masks):
            born = 1 << problem.producer[t] if problem.producer[t] >= 0 else readers
            if t not in own and born & ancestors[v] and readers & descendants[v]:
                found.append(t)
        crossing.append(found)
    return crossing


def must_cross_bound(problem: Problem, budget: int) -> int:
    """Return a bound from the tensors that must be live while an operator runs and do not fit beside it.

    For operator v with deficit d_v = WS(v) + sizes of crossing tensors - budget, crossing tensors of at
    least d_v blocks are away while v runs; each costs a re-fetch and, unless DRAM has it, a spill.
    The bound is the better of the dearest single operator (exact covering knapsack) and a feasible dual
    of the covering program over all operators, built greedily.
    """
    crossing = crossing_tensors(problem)
    price = [t.size * (1 if t.in_dram else 2) for t in problem.tensors]
    sizes = [t.size for t in problem.tensors]
    deficits = [(problem.working_set(v) + sum(sizes[t] for t in crossing[v]) - budget, v)
                for v in range(len(problem.operators))]
    single, dual = 0, 0.0
    slack = [float(p) for p in price]
    for deficit, v in sorted(deficits, key=lambda item: (-item[0], item[1])):
        if deficit <= 0:
            break
        items = [(sizes[t], price[t]) for t in crossing[v] if sizes[t]]
        single = max(single, _cheapest_cover(items, deficit))
        dual += _raise_dual(crossing[v], sizes, slack, deficit)
    return max(single, int(-(-(dual - 1e-6) // 1)))


def _cheapest_cover(items: Sequence[tuple[int, int]], demand: int) -> int:
    """Return the smallest price of items whose sizes sum to at least `demand`."""
    worst = sum(price for _, price in items) + 1
    best = [0] + [worst] * demand
    for size, price in items:
        for need in range(demand, 0, -1):
            best[need] = min(best[need], best[max(0, need - size)] + price)
    return best[demand]


def _raise_dual(tensors: Sequence[int], sizes: Sequence[int], slack: list[float], deficit: int) -> float:
    """Raise the dual price of one operator until the price of its cheapest tensor is used up.

    Tensors whose price is used up count as evicted for free (knapsack cover): what they do not cover
    keeps earning. Uses `slack` up in place.
    """
    gained, left = 0.0, deficit
    active = [t for t in tensors if sizes[t]]
    while left > 0 and active:
        rate = {t: min(sizes[t], left) for t in active}
        step = min(slack[t] / rate[t] for t in active)
        gained += step * left
        for t in active:
            slack[t] -= step * rate[t]
        spent = [t for t in active if slack[t] <= 1e-9]
        left -= sum(sizes[t] for t in spent)
        active = [t for t in active if t not in spent]
    return gained


def partition_bounds(problem: Problem, budget: int, order: Sequence[int], *, stride: int, longest: int,
                     limits: Limits) -> tuple[NDArray[np.int64], int]:
    """Return what the operators from each rank of an order on cost at least, by parts that add up.

    The operators are cut into runs, each searched with the other operators left out. Within a part, operands
    from elsewhere are loaded once for free and evicted without a spill, results for elsewhere vanish: every
    schedule of the whole restricts to schedules of the parts. A spill belongs to the part of the producer, a
    re-fetch to the part whose consecutive uses lie around it; `restrict` sees to it that no fetch lies
    between uses of two parts. The best cuts are found from the end.

    Parameters
    ----------
    problem, budget, order
        What is scheduled, the scratchpad in blocks, and any topological order.
    stride, longest : int
        Parts begin at multiples of `stride` and have at most `longest` operators.
    limits : Limits
        Of each part; a part that exceeds them counts 0, and no longer one from its rank is tried.

    Returns
    -------
    tuple
        The bounds in blocks, one per rank and a final 0, and the number of states searched.
    """
    count = len(order)
    bounds = np.zeros(count + 1, np.int64)
    states = 0
    for start in reversed(range(0, count, stride)):
        for end in range(start + stride, start + longest + 1, stride):
            end = min(end, count)
            part = restrict(problem, order[start:end], order[end:])
            found = search(part, budget, 1 << 40, limits=limits, tables=pinned_tables(part))
            states += found.states
            if not found.complete:
                break
            bounds[:start + 1] = np.maximum(bounds[:start + 1], found.lower_bound + bounds[end])
            if end == count:
                break
    return bounds, states


def restrict(problem: Problem, operators: Sequence[int], later: Sequence[int] = ()) -> Problem:
    """Return the relaxed problem of some operators that are convex in the graph; see `partition_bounds`.

    A tensor that both these and the `later` operators use more than once, in no fixed sequence, could be
    fetched once for both: here it only takes up room while it is used, as part of the workspace.
    """
    inside = sorted(operators)
    used = {t for v in inside for t in problem.operators[v].inputs + problem.operators[v].outputs}
    loose = _used_side_by_side(problem, inside, later, used)
    touched = sorted(used - loose)
    index = {t: i for i, t in enumerate(touched)}
    members = set(inside)
    tensors = []
    for t in touched:
        foreign = problem.producer[t] not in members
        old = problem.tensors[t]
        tensors.append(Tensor(old.name, old.size, old.in_dram or foreign))
    parts = []
    for v in inside:
        op = problem.operators[v]
        inputs, outputs = (tuple(index[t] for t in ts if t in index) for ts in (op.inputs, op.outputs))
        room = sum(problem.tensors[t].size for t in op.inputs + op.outputs if t in loose)
        if not outputs:
            outputs = (len(tensors),)
            tensors.append(Tensor(f"end of {op.name}", 0))
        parts.append(Operator(op.name, inputs, outputs, op.workspace + room))
    return Problem(f"part of {problem.name}", tuple(parts), tuple(tensors), problem.block_bytes,
                   problem.alignment_bytes)


def _used_side_by_side(problem: Problem, inside: Sequence[int], later: Sequence[int],
                       tensors: Collection[int]) -> set[int]:
    """Return the tensors whose uses among the later operators do not all follow those inside."""
    if not later:
        return set()
    ancestors, _ = relatives(problem)
    here, there = set(inside), set(later)
    found = set()
    for t in tensors:
        users = (*problem.consumers[t], problem.producer[t])
        own, others = [v for v in users if v in here], [v for v in users if v in there]
        mask = sum(1 << v for v in own)
        if len(own) > 1 and len(others) > 1 and any(mask & ~ancestors[b] for b in others):
            found.add(t)
    return found
