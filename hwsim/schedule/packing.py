"""Gives every residency episode an address, or shows a small set of episodes that cannot fit together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.schedule.residency import Episode
from hwsim.schedule.types import Problem

_RESTARTS = 60
_NODES = 1_000_000
_PLAIN_NODES = 300
_FEW = 14
_CONSTRAINTS_S = 20.0
_ROUNDS_FROM_BOTH_ENDS = 5


@dataclass(frozen=True, slots=True, order=True)
class Rectangle:
    """`size` blocks in use from step `start` to step `end`, inclusive."""

    start: int
    end: int
    size: int


_SEQUENCES: tuple[Callable[[Rectangle], tuple[int, ...]], ...] = (
    lambda r: (-r.size, r.start - r.end, r.start),
    lambda r: (r.start - r.end, -r.size, r.start),
    lambda r: (-r.size * (r.end - r.start + 1), r.start),
    lambda r: (r.start, -r.size),
    lambda r: (r.start, r.start - r.end, -r.size),
    lambda r: (-r.end, -r.size),
)


@dataclass(frozen=True, slots=True)
class Packing:
    """Addresses by rectangle, or the reason why there are none.

    Attributes
    ----------
    addresses : tuple of int or None
        One per rectangle, blocks; None when no packing was found.
    conflict : tuple of int
        Rectangles (indices) that are proven not to fit together, minimal in that each one is needed
        for the proof; empty when the rectangles fit or the question stays open.
    """

    addresses: tuple[int, ...] | None
    conflict: tuple[int, ...] = ()


def rectangles(problem: Problem, order: Sequence[int], runs: Sequence[Episode]) -> list[Rectangle]:
    """Return the rectangles of the episodes, then those of the workspaces in step order (size 0 included)."""
    tensors = [Rectangle(run.start, run.end, problem.tensors[run.tensor].size) for run in runs]
    return tensors + [Rectangle(s, s, problem.operators[v].workspace) for s, v in enumerate(order)]


def pack(items: Sequence[Rectangle], budget: int, *, seed: int = 0, solver: str | None = None) -> Packing:
    """Place rectangles in `budget` blocks: greedy from below, from both ends, then exhaustive per component.

    Parameters
    ----------
    items : sequence of Rectangle
        What must be placed; size 0 is allowed.
    budget : int
        Blocks of the scratchpad.
    seed : int
        For the shuffles of the restarts.
    solver : str, optional
        "cpsat" hands what the exhaustive search leaves open to OR-Tools CP-SAT.
    """
    addresses = [0] * len(items)
    for part in _components(items):
        chosen = [items[i] for i in part]
        overloaded = any(sum(b.size for b in chosen if b.start <= a.start <= b.end) > budget for a in chosen)
        found = None if overloaded else greedy(chosen, budget, seed)
        rounds = 0 if overloaded or len(chosen) <= _FEW else _ROUNDS_FROM_BOTH_ENDS
        for attempt in range(rounds):
            found = found or greedy(chosen, budget, seed + attempt, both_ends=True)
        if found is None:
            found, decided = exhaust(chosen, budget)
            searched = decided
            if not decided and solver == "cpsat":
                found, decided = _by_constraints(chosen, budget, seed)
            if found is None:
                conflict: Sequence[int] = range(len(chosen)) if decided else ()
                if searched:
                    conflict = smallest_conflict(chosen, budget)
                return Packing(None, tuple(part[i] for i in conflict))
        for index, address in zip(part, found, strict=True):
            addresses[index] = address
    return Packing(tuple(addresses))


def greedy(items: Sequence[Rectangle], budget: int, seed: int, *,
           both_ends: bool = False) -> list[int] | None:
    """Place rectangles one after the other at the lowest free address, in several sequences.

    From each starting sequence, rectangles that end up over the top move forward and the placement is
    repeated (squeaky wheel). With `both_ends`, they and random neighbours of theirs change between the
    lowest and the highest free address as well.
    """
    neighbours = _neighbours(items)
    generator = np.random.default_rng(seed)
    for key in _SEQUENCES:
        sequence = sorted(range(len(items)), key=lambda i, key=key: (key(items[i]), i))  # type: ignore[misc]
        high = [False] * len(items)
        for _ in range(_RESTARTS):
            addresses = _place_each(items, neighbours, sequence, high, budget)
            over = [k for k, i in enumerate(sequence) if addresses[i] + items[i].size > budget]
            if not over:
                return addresses
            for k in over:
                near = neighbours[sequence[k]]
                if both_ends and near:
                    other = near[int(generator.integers(len(near)))]
                    high[other] = not high[other]
                    high[sequence[k]] ^= bool(generator.random() < 0.5)
                target = int(generator.integers(0, k + 1)) // 2
                sequence.insert(target, sequence.pop(k))
    return None


def _place_each(items: Sequence[Rectangle], neighbours: Sequence[Sequence[int]], sequence: Sequence[int],
                high: Sequence[bool], budget: int) -> list[int]:
    """Return the lowest free address of each rectangle in turn, for those marked `high` the highest."""
    addresses = [-1] * len(items)
    for i in sequence:
        below = [j for j in neighbours[i] if addresses[j] >= 0]
        spans = sorted((addresses[j], addresses[j] + items[j].size) for j in below)
        at, found = 0, -1
        for low, top in [*spans, (budget, budget)]:
            if low - at >= items[i].size:
                found = low - items[i].size if high[i] else at
                if not high[i]:
                    break
            at = max(at, top)
        addresses[i] = at if found < 0 else found
    return addresses


def exhaust(items: Sequence[Rectangle], budget: int, nodes: int = _NODES) -> tuple[list[int] | None, bool]:
    """Search all normal patterns: rectangles by rising address, each on top of what lies below it.

    Returns
    -------
    tuple
        Addresses or None, and whether the search was complete (False when it ran out of `nodes`).
    """
    from hwsim.kernels.compiling import compile_now, is_compiled
    from hwsim.kernels.rectangle_packing import place_all

    steps = sorted({item.start for item in items})
    load = _tallest_load(items)
    full = [i for i in range(len(items)) if items[i].size]
    ranked = sorted(full, key=lambda i: (-load[i], -items[i].size, i))
    start = np.array([bisect_left(steps, items[i].start) for i in ranked], np.int64)
    end = np.array([bisect_right(steps, items[i].end) - 1 for i in ranked], np.int64)
    size = np.array([items[i].size for i in ranked], np.int64)
    address = np.full(len(ranked), -1, np.int64)
    few = nodes if is_compiled() else min(nodes, _PLAIN_NODES)
    verdict = place_all(start, end, size, len(steps), budget, few, address)
    if verdict < 0 and few < nodes:
        compile_now()
        address[:] = -1
        verdict = place_all(start, end, size, len(steps), budget, nodes, address)
    if verdict != 1:
        return None, verdict == 0
    found = dict(zip(ranked, address.tolist(), strict=True))
    return [found.get(i, 0) for i in range(len(items))], True


def _by_constraints(items: Sequence[Rectangle], budget: int, seed: int) -> tuple[list[int] | None, bool]:
    """Return addresses or None from CP-SAT, and whether it decided; all `items` have blocks."""
    from hwsim.schedule.ilp_solver import place_boxes

    boxes = [(item.start, item.end, item.size) for item in items]
    return place_boxes(boxes, budget, time_limit_s=_CONSTRAINTS_S, seed=seed)


def smallest_conflict(items: Sequence[Rectangle], budget: int) -> tuple[int, ...]:
    """Return indices of rectangles that cannot be packed though any set with one fewer may (deletion filter).

    The window of steps is narrowed first, then single rectangles are left out while the rest stays
    proven infeasible.
    """
    kept = [i for i in range(len(items)) if items[i].size]
    first, last = min(items[i].start for i in kept), max(items[i].end for i in kept)
    for forward in (True, False):
        while first < last:
            low, high = (first + 1, last) if forward else (first, last - 1)
            inside = [i for i in kept if items[i].end >= low and items[i].start <= high]
            if not _refuted([items[i] for i in inside], budget):
                break
            kept, first, last = inside, low, high
    for i in list(kept):
        rest = [j for j in kept if j != i]
        if _refuted([items[j] for j in rest], budget):
            kept = rest
    return tuple(kept)


def _refuted(items: Sequence[Rectangle], budget: int) -> bool:
    if len(items) > _FEW and greedy(items, budget, 0) is not None:
        return False
    found, decided = exhaust(items, budget)
    return found is None and decided


def _neighbours(items: Sequence[Rectangle]) -> list[list[int]]:
    """List for each rectangle those that share a step with it; empty ones have none."""
    full = [(j, b) for j, b in enumerate(items) if b.size]
    return [[j for j, b in full if j != i and a.size and a.start <= b.end and b.start <= a.end]
            for i, a in enumerate(items)]


def _tallest_load(items: Sequence[Rectangle]) -> list[int]:
    return [sum(b.size for b in items if b.start <= a.end and a.start <= b.end) for a in items]


def _components(items: Sequence[Rectangle]) -> list[list[int]]:
    """Split rectangles into runs between which no rectangle lasts."""
    parts: list[list[int]] = []
    reach = -1
    for i in sorted((i for i in range(len(items)) if items[i].size), key=lambda i: items[i]):
        if items[i].start > reach:
            parts.append([])
        parts[-1].append(i)
        reach = max(reach, items[i].end)
    return parts
