"""Divide and conquer: exact composition at narrow cuts, and re-optimisation of windows of a known order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.bounds import relatives
from hwsim.schedule.certificate import certify
from hwsim.schedule.gaps import best_replacement
from hwsim.schedule.pinning import pinned_tables
from hwsim.schedule.residency import use_steps
from hwsim.schedule.search import Limits, Path, SearchTables, descend, search, tabulate, walk_back
from hwsim.schedule.types import Operator, Problem, Tensor

if TYPE_CHECKING:
    from hwsim.kernels.schedule_search import States

_BEAM = 500


@dataclass(frozen=True, slots=True)
class Composition:
    """Segments put together: a path (None when one segment has none) and a bound for the whole, in blocks."""

    path: Path | None
    lower_bound: int
    states: int
    segments: int


def segments(problem: Problem) -> list[list[int]]:
    """Return the runs of operators between exact cuts, in execution order.

    A cut lies after an operator that has the same step in every order and whose outputs are the only
    tensors needed on both sides. The traffic of the segments then adds up (capacity model).
    """
    ancestors, descendants = relatives(problem)
    count = len(problem.operators)
    step = [mask.bit_count() for mask in ancestors]
    runs: list[list[int]] = [[]]
    for v in sorted(range(count), key=lambda v: (step[v], v)):
        runs[-1].append(v)
        fixed = step[v] + descendants[v].bit_count() == count - 1
        if fixed and step[v] < count - 1 and _only_outputs_cross(problem, v, ancestors[v] | 1 << v):
            runs.append([])
    return runs


def _only_outputs_cross(problem: Problem, v: int, done: int) -> bool:
    for t, consumers in enumerate(problem.consumers):
        later = any(not done >> c & 1 for c in consumers)
        producer = problem.producer[t]
        earlier = done >> producer & 1 if producer >= 0 else any(done >> c & 1 for c in consumers)
        if later and earlier and t not in problem.operators[v].outputs:
            return False
    return True


def compose(problem: Problem, budget: int, *, limits: Limits) -> Composition:
    """Solve each segment alone and join the results; exact where every segment is proven.

    A later segment starts with a stand-in for the operator before the cut, which only delivers its
    outputs. The states of `limits` are shared by operator counts.
    """
    parts = segments(problem)
    order: list[int] = []
    dropped: set[tuple[int, int]] = set()
    traffic, bound, states, complete = 0, 0, 0, True
    for index, inside in enumerate(parts):
        before = parts[index - 1][-1] if index else None
        part, tensors = segment_problem(problem, inside, before)
        share = max(500, limits.states * len(inside) // len(problem.operators))
        own = Limits(share, limits.level_states, limits.comparisons, limits.deadline_s)
        tables = pinned_tables(part)
        rough = search(part, budget, 1 << 40, width=_BEAM, limits=own, tables=tables)
        proof = certify(part, budget, rough.path, 0, limits=own, tables=tables)
        states += rough.states + proof.states
        bound += proof.lower_bound
        if proof.path is None:
            complete = False
            continue
        shift = 0 if before is None else 1
        order += [inside[v - shift] for v in proof.path.order if v >= shift]
        dropped |= {(tensors[t], gap) for t, gap in proof.path.dropped}
        traffic += proof.path.traffic
    path = Path(tuple(order), frozenset(dropped), traffic) if complete else None
    return Composition(path, bound, states, len(parts))


def segment_problem(problem: Problem, inside: Sequence[int], before: int | None) -> tuple[Problem, list[int]]:
    """Return the problem of one segment and its tensors by their numbers in the whole.

    Operator 0 is the stand-in when `before` (the operator in front of the cut) is given.
    """
    first = problem.operators[before].outputs if before is not None else ()
    touched = {t for v in inside for t in problem.operators[v].inputs + problem.operators[v].outputs}
    tensors = sorted(touched | {t for t in first if t in touched})
    index = {t: i for i, t in enumerate(tensors)}
    operators = []
    if before is not None:
        delivered = tuple(sorted(index[t] for t in first if t in index))
        operators.append(Operator("cut", (), delivered))
    for v in inside:
        op = problem.operators[v]
        inputs, outputs = tuple(index[t] for t in op.inputs), tuple(index[t] for t in op.outputs)
        operators.append(Operator(op.name, inputs, outputs, op.workspace))
    kept = tuple(Tensor(problem.tensors[t].name, problem.tensors[t].size, problem.tensors[t].in_dram)
                 for t in tensors)
    return Problem("segment", tuple(operators), kept, problem.block_bytes, problem.alignment_bytes), tensors


def improve_windows(problem: Problem, budget: int, path: Path, *, size: int, rounds: int, limits: Limits,
                    solver: str | None = None) -> Path:
    """Re-optimise overlapping windows of an order, what is resident around them kept, until none improves.

    Parameters
    ----------
    problem, budget, path
        What is scheduled, the scratchpad in blocks, and where to start.
    size : int
        Operators of a window; windows overlap by half.
    rounds : int
        Sweeps at most.
    limits : Limits
        `states` is for one window.
    """
    tables = tabulate(problem)
    for _ in range(rounds):
        start = path
        for first, last in _windows(len(path.order), size):
            if time.monotonic() > limits.deadline_s:
                return path
            inner = _best_window(problem, budget, path, first, last, limits, tables)
            if inner is not None and tuple(inner) != path.order[first:last]:
                order = path.order[:first] + tuple(inner) + path.order[last:]
                found = best_replacement(problem, budget, order, limits=limits, tables=tables, solver=solver)
                path = min(path, found.path, key=lambda candidate: candidate.traffic)
        if path.traffic == start.traffic:
            return path
    return path


def _windows(count: int, size: int) -> Iterator[tuple[int, int]]:
    for first in range(0, max(1, count - size // 2), max(1, size // 2)):
        yield first, min(count, first + size)


def _best_window(problem: Problem, budget: int, path: Path, first: int, last: int, limits: Limits,
                 tables: SearchTables) -> list[int] | None:
    """Return a better order for the steps from `first` to `last` - 1, None when there is none."""
    root = _state_at(problem, path, first, tables)
    target = _state_at(problem, path, last, tables)
    rows = tables.op_words
    inside = set(path.order[first:last])
    before = tables.arrays.before.copy()
    for v in range(len(problem.operators)):
        if v not in inside:
            before[v, v >> 6] |= np.uint64(1 << (v & 63))
    fenced = SearchTables(tables.op_words, tables.tensor_words, tables.arrays._replace(before=before))
    here = descend(root, path.order[first:last], budget, 1 << 40, 1000, limits, tables)
    if not here.finished or here.level.g.size == 0:
        return None
    current = min(int(g) + _distance(row[rows:], target.rows[0, rows:], tables)
                  for g, row in zip(here.level.g, here.level.rows, strict=True))
    cutoff = current + int(target.f[0])
    for width in (None, _BEAM):
        end = descend(root, [-1] * (last - first), budget, cutoff, width, limits, fenced)
        if end.finished:
            break
    if not end.finished or end.level.g.size == 0:
        return None
    costs = [int(g) + _distance(row[rows:], target.rows[0, rows:], tables)
             for g, row in zip(end.level.g, end.level.rows, strict=True)]
    best = int(np.argmin(costs))
    return walk_back(end.trail, best)[0] if costs[best] < current else None


def _state_at(problem: Problem, path: Path, step: int, tables: SearchTables) -> States:
    """Return the state of a path before a step, with its past traffic counted as 0."""
    from hwsim.kernels.bit_masks import set_bit
    from hwsim.kernels.schedule_search import States

    row = np.zeros(tables.op_words + 2 * tables.tensor_words, np.uint64)
    executed, resident, copied = np.split(row, [tables.op_words, tables.op_words + tables.tensor_words])
    for v in path.order[:step]:
        set_bit(executed, v)
    missing = 0
    for t, steps in enumerate(use_steps(problem, path.order)):
        gap = sum(1 for use in steps if use < step)
        if gap in (0, len(steps)):
            continue
        if (t, gap) in path.dropped:
            missing += problem.tensors[t].size
        else:
            set_bit(resident, t)
        if problem.tensors[t].in_dram or any((t, i) in path.dropped for i in range(1, gap + 1)):
            set_bit(copied, t)
    zero = np.zeros(1, np.int64)
    return States(row.reshape(1, -1), zero, np.array([missing], np.int64), zero, zero)


def _distance(state: NDArray[np.uint64], target: NDArray[np.uint64], tables: SearchTables) -> int:
    """Return the blocks to move so that a state can do all that the target can (fetches and spills)."""
    from hwsim.kernels.bit_masks import weigh

    missing = target & ~state
    weight = tables.arrays.byte_weight
    return weigh(missing[:tables.tensor_words], weight) + weigh(missing[tables.tensor_words:], weight)
