"""Tells what is resident when, for one order: the language that all methods on fixed orders share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hwsim.schedule.types import Problem

Gap = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """A tensor stays at one address from the start of step `start` to the end of step `end`, inclusive."""

    start: int
    end: int
    tensor: int


def use_steps(problem: Problem, order: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return for each tensor the steps at which it is produced or read, ascending.

    Gap i of a tensor (i from 1) lies between its use i - 1 and its use i; it is what plans keep or drop.
    """
    step_of = {v: t for t, v in enumerate(order)}
    uses = []
    for tensor, consumers in enumerate(problem.consumers):
        touched = {step_of[c] for c in consumers}
        if problem.producer[tensor] >= 0:
            touched.add(step_of[problem.producer[tensor]])
        uses.append(tuple(sorted(touched)))
    return tuple(uses)


def drop_cost(problem: Problem, dropped: Collection[Gap]) -> int:
    """Return the traffic in blocks of dropping the given (tensor, gap) pairs: re-fetches and first spills."""
    fetched = sum(problem.tensors[tensor].size for tensor, _ in dropped)
    spilled = sum(problem.tensors[t].size for t in {tensor for tensor, _ in dropped}
                  if not problem.tensors[t].in_dram)
    return fetched + spilled


def episodes(problem: Problem, order: Sequence[int], dropped: Collection[Gap]) -> tuple[Episode, ...]:
    """Return the maximal runs of kept gaps as episodes, sorted by start."""
    gone = set(dropped)
    runs = []
    for tensor, steps in enumerate(use_steps(problem, order)):
        if not steps:
            continue
        start = steps[0]
        for gap in range(1, len(steps)):
            if (tensor, gap) in gone:
                runs.append(Episode(start, steps[gap - 1], tensor))
                start = steps[gap]
        runs.append(Episode(start, steps[-1], tensor))
    return tuple(sorted(runs))


def occupancy(problem: Problem, order: Sequence[int], runs: Sequence[Episode]) -> list[int]:
    """Return the blocks in use at each step, workspaces included."""
    change = [0] * (len(order) + 1)
    for run in runs:
        change[run.start] += problem.tensors[run.tensor].size
        change[run.end + 1] -= problem.tensors[run.tensor].size
    used, total = [], 0
    for step, v in enumerate(order):
        total += change[step]
        used.append(total + problem.operators[v].workspace)
    return used


def footprint(problem: Problem, order: Sequence[int]) -> int:
    """Return the peak blocks of an order when nothing is ever dropped."""
    return max(occupancy(problem, order, episodes(problem, order, ())))
