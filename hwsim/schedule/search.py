"""Exact search over (executed, resident, has-copy) states, level by level: plans, proofs and lower bounds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.residency import Gap, use_steps
from hwsim.schedule.types import Problem

if TYPE_CHECKING:
    from hwsim.kernels.schedule_search import States, Tables


@dataclass(frozen=True, slots=True)
class SearchTables:
    """A problem as arrays for the kernels, with the number of words of an operator and a tensor mask."""

    op_words: int
    tensor_words: int
    arrays: Tables


def tabulate(problem: Problem) -> SearchTables:
    """Return the arrays that `search` works on."""
    from hwsim.kernels.schedule_search import Tables

    n, count = len(problem.operators), len(problem.tensors)
    op_words, tensor_words = (n + 63) // 64, (count + 63) // 64
    earlier = [(*problem.predecessors[v], *twins_before(problem, v)) for v in range(n)]
    size = np.array([t.size for t in problem.tensors], np.int64)
    in_start, in_list = _ragged([op.inputs for op in problem.operators])
    out_start, out_list = _ragged([op.outputs for op in problem.operators])
    byte_weight = np.zeros((8 * tensor_words, 256), np.int64)
    for t in range(count):
        byte_weight[t >> 3] += ((np.arange(256) >> (t & 7)) & 1) * size[t]
    arrays = Tables(
        before=_masks(earlier, op_words), in_start=in_start, in_list=in_list, out_start=out_start,
        out_list=out_list, consumers=_masks(problem.consumers, op_words),
        born_clean=np.array([t.in_dram for t in problem.tensors], np.bool_),
        is_source=np.array([p < 0 for p in problem.producer], np.bool_), size=size,
        need=np.array([problem.working_set(v) for v in range(n)], np.int64),
        by_size=np.array([t for t in np.argsort(-size, kind="stable") if size[t] > 0], np.int64),
        byte_weight=byte_weight, by_rank=np.zeros((0, n), np.int64), rank=np.zeros((0, n), np.int64),
        suffix=np.zeros((0, n + 1), np.int64), discount=np.array([discount(problem, v) for v in range(n)]),
        pinned=np.zeros(tensor_words, np.uint64))
    return SearchTables(op_words, tensor_words, arrays)


def add_reference(tables: SearchTables, order: Sequence[int], suffix: NDArray[np.int64]) -> SearchTables:
    """Return tables with one more reference order and its bounds (blocks) from each rank on."""
    old = tables.arrays
    by_rank = np.array(order, np.int64)
    arrays = old._replace(by_rank=np.vstack([old.by_rank, by_rank]),
                          rank=np.vstack([old.rank, np.argsort(by_rank)]),
                          suffix=np.vstack([old.suffix, suffix]))
    return SearchTables(tables.op_words, tables.tensor_words, arrays)


def discount(problem: Problem, v: int) -> int:
    """Return the blocks by which running v early can make the rest of a schedule cheaper, at most.

    Proof by insertion: v can be put back into any schedule of the rest, after the operators that need it and
    in front of those it needs. Right before the first reader of its only result, it finds room if its inputs
    are no larger than what each reader writes; at the very beginning there is always room, but then
    its results may have to leave and return. An input with other readers may cost one more fetch.
    """
    op = problem.operators[v]
    inputs = sum(problem.tensors[t].size for t in op.inputs)
    shared = sum(problem.tensors[t].size for t in op.inputs if len(problem.consumers[t]) > 1)
    carried = sum(problem.tensors[t].size * (1 if problem.tensors[t].in_dram else 2)
                  for t in op.outputs if problem.consumers[t])
    if len(op.outputs) > 1:
        return shared + carried
    (result,) = op.outputs
    readers = [problem.operators[c] for c in problem.consumers[result]]
    rooms = [c.workspace + sum(problem.tensors[t].size for t in c.outputs) for c in readers]
    if not rooms or inputs + op.workspace > min(rooms):
        return shared + carried
    dirty = len(readers) > 1 and not problem.tensors[result].in_dram
    return shared + (problem.tensors[result].size if dirty else 0)


def _masks(rows: Sequence[Sequence[int]], words: int) -> NDArray[np.uint64]:
    masks = np.zeros((len(rows), words), np.uint64)
    for i, members in enumerate(rows):
        for member in members:
            masks[i, member >> 6] |= np.uint64(1 << (member & 63))
    return masks


def twins_before(problem: Problem, v: int) -> list[int]:
    """Return the earlier operators that are interchangeable with v: equal operands, sizes and consumers."""

    def shape(w: int) -> tuple[object, ...]:
        op = problem.operators[w]
        written = [problem.tensors[t] for t in op.outputs]
        outs = [(x.size, x.in_dram, problem.consumers[t]) for x, t in zip(written, op.outputs, strict=True)]
        return op.inputs, op.workspace, *outs

    return [u for u in range(v) if shape(u) == shape(v)]


def _ragged(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    start = np.zeros(len(rows) + 1, np.int64)
    start[1:] = np.cumsum([len(r) for r in rows])
    return start, np.array([x for r in rows for x in r], np.int64)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a search gives up: all but the wall-clock guard `deadline_s` are reproducible.

    Attributes
    ----------
    states : int
        States kept over all levels.
    level_states : int
        Children of one level before pruning.
    comparisons : int
        Kept states with the same executed set that each state is compared with.
    deadline_s : float
        `time.monotonic()` value after which the search stops.
    """

    states: int = 4_000_000
    level_states: int = 8_000_000
    comparisons: int = 400
    deadline_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Path:
    """An order with the gaps it drops and its traffic in blocks (capacity model, no addresses)."""

    order: tuple[int, ...]
    dropped: frozenset[Gap]
    traffic: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one search learned.

    Attributes
    ----------
    path : Path or None
        The cheapest path below the cutoff, if one was found.
    lower_bound : int
        No path is cheaper (for the given order, if one was given); 0 when the search gave up.
    complete : bool
        No limit was reached and nothing was dropped by a beam: the answer is exact below the cutoff.
    states : int
        States kept.
    timed_out : bool
        The wall-clock guard fired: a repetition may get further.
    """

    path: Path | None
    lower_bound: int
    complete: bool
    states: int
    timed_out: bool = False


_CHUNK = 8192
# Beyond these sizes of a level, kernels run compiled.
_PLAIN_CHUNK, _PLAIN_STATES, _PLAIN_CHILDREN = 16, 1000, 8192
NO_BOUND = int(np.iinfo(np.int64).max)
Trail = tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int16]]


def search(problem: Problem, budget: int, cutoff: int, *, order: Sequence[int] | None = None,
           width: int | None = None, limits: Limits | None = None,
           tables: SearchTables | None = None) -> Outcome:
    """Find the cheapest schedule with traffic below `cutoff`, all states of equal length side by side.

    Parameters
    ----------
    problem : Problem
        What is scheduled; every working set must fit in the budget.
    budget, cutoff : int
        Scratchpad blocks; traffic (blocks) that is not of interest any more.
    order : sequence of int, optional
        Search only the replacement for this order.
    width : int, optional
        Keep only this many states per level (a beam: no proof).
    limits : Limits, optional
        When to give up.
    tables : SearchTables, optional
        `tabulate(problem)`, to save its repetition.

    Returns
    -------
    Outcome
        The best path below the cutoff and what is proven.
    """
    limits = limits or Limits()
    tables = tables or tabulate(problem)
    sequence = order if order is not None else [-1] * len(problem.operators)
    end = descend(empty_state(tables), sequence, budget, cutoff, width, limits, tables)
    if not end.finished:
        return Outcome(None, 0, False, end.states, time.monotonic() > limits.deadline_s)
    if end.level.g.size == 0:
        return Outcome(None, 0 if end.narrowed else end.frontier, not end.narrowed, end.states)
    best = int(np.argmin(end.level.g))
    traffic = int(end.level.g[best])
    path = _trace(problem, end.trail, best, traffic)
    return Outcome(path, 0 if end.narrowed else traffic, not end.narrowed, end.states)


@dataclass(frozen=True, slots=True)
class Descent:
    """Where a walk down the levels ended.

    Attributes
    ----------
    level : States
        The last level; empty when every state was cut off.
    trail : list
        Per level the resident words, parents and operators of its states.
    frontier : int
        Smallest bound at which a state was cut off, blocks.
    narrowed : bool
        A beam dropped states.
    finished : bool
        No limit was reached.
    states : int
        States kept.
    """

    level: States
    trail: list[Trail]
    frontier: int
    narrowed: bool
    finished: bool
    states: int


def descend(level: States, sequence: Sequence[int], budget: int, cutoff: int, width: int | None,
            limits: Limits, tables: SearchTables) -> Descent:
    """Expand and prune level by level; `sequence` names the operator of each level, -1 for any."""
    frontier, states, narrowed = NO_BOUND, 0, False
    trail: list[Trail] = []
    for forced in sequence:
        children, dropped = _expand_level(level, forced, budget, cutoff, tables, limits)
        if children is None:
            return Descent(level, trail, frontier, narrowed, False, states)
        frontier = min(frontier, dropped)
        level = _prune_level(children, tables, limits.comparisons)
        if width is not None and level.g.size > width:
            level = _take(level, np.sort(np.argsort(level.f, kind="stable")[:width]))
            narrowed = True
        states += level.g.size
        if level.g.size == 0 or states > limits.states:
            return Descent(level, trail, frontier, narrowed, level.g.size == 0, states)
        resident = level.rows[:, tables.op_words:tables.op_words + tables.tensor_words]
        trail.append((resident.copy(), level.parent.astype(np.int32), level.op.astype(np.int16)))
    return Descent(level, trail, frontier, narrowed, True, states)


def empty_state(tables: SearchTables) -> States:
    """Return the level that holds only the state before the first operator."""
    from hwsim.kernels.schedule_search import States

    words = tables.op_words + 2 * tables.tensor_words
    zero = [np.zeros(1, np.int64) for _ in range(4)]
    return States(np.zeros((1, words), np.uint64), *zero)


def _take(level: States, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> States:
    from hwsim.kernels.schedule_search import States

    g, f, parent, op = (column[chosen] for column in (level.g, level.f, level.parent, level.op))
    return States(level.rows[chosen], g, f, parent, op)


def _expand_level(level: States, forced: int, budget: int, cutoff: int, tables: SearchTables,
                  limits: Limits) -> tuple[States | None, int]:
    """Return all children of a level (None beyond a limit) and the smallest f that was cut off."""
    from hwsim.kernels.compiling import compile_now, is_compiled
    from hwsim.kernels.schedule_search import Sink, States, expand

    if level.g.size > _PLAIN_STATES:
        compile_now()
    capacity = min(limits.level_states, max(1024, 6 * level.g.size))
    while True:
        if capacity > _PLAIN_CHILDREN:
            compile_now()
        out = States(np.empty((capacity, level.rows.shape[1]), np.uint64),
                     *(np.empty(capacity, np.int64) for _ in range(4)))
        counter = np.array([0, NO_BOUND], np.int64)
        sink = Sink(out, np.full(1 << (2 * capacity - 1).bit_length(), -1, np.int64), counter)
        last = 0
        while last < level.g.size:
            first, last = last, min(last + (_CHUNK if is_compiled() else _PLAIN_CHUNK), level.g.size)
            expand(level, first, last, forced, budget, cutoff, tables.op_words, tables.tensor_words,
                   tables.arrays, sink)
            if counter[0] < 0:
                break
            if time.monotonic() > limits.deadline_s:
                return None, 0
        if counter[0] >= 0:
            return _take(out, np.arange(counter[0])), int(counter[1])
        if capacity >= limits.level_states:
            return None, 0
        capacity = min(limits.level_states, 4 * capacity)


def _prune_level(level: States, tables: SearchTables, comparisons: int) -> States:
    from hwsim.kernels.schedule_search import prune

    ranked = np.argsort(level.g, kind="stable")
    keep = prune(level, ranked, tables.op_words, tables.tensor_words, tables.arrays.byte_weight, comparisons)
    return _take(level, keep)


def walk_back(trail: Sequence[Trail], best: int) -> tuple[list[int], list[int]]:
    """Return operators and resident masks (as integers) of the steps that lead to one last state."""
    order: list[int] = []
    resident: list[int] = []
    for rows, parent, op in reversed(trail):
        order.append(int(op[best]))
        resident.append(sum(int(word) << (64 * w) for w, word in enumerate(rows[best])))
        best = int(parent[best])
    return order[::-1], resident[::-1]


def _trace(problem: Problem, trail: Sequence[Trail], best: int, traffic: int) -> Path:
    """Read off the order and the gaps in which a tensor was away."""
    order, resident = walk_back(trail, best)
    dropped = set()
    for tensor, steps in enumerate(use_steps(problem, order)):
        for gap in range(1, len(steps)):
            if not all(resident[s] >> tensor & 1 for s in range(steps[gap - 1], steps[gap])):
                dropped.add((tensor, gap))
    return Path(tuple(order), frozenset(dropped), traffic)
