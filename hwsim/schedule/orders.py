"""Topological orders that are cheap to find: starting points for everything that improves on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.schedule.types import Problem

Order = tuple[int, ...]


def default_order(problem: Problem) -> Order:
    """Return the order in which the operators are listed."""
    return tuple(range(len(problem.operators)))


def depth_first_order(problem: Problem) -> Order:
    """Return the order that always continues with a consumer of the newest result it can."""
    waiting = [len(p) for p in problem.predecessors]
    stack = [v for v in reversed(range(len(waiting))) if waiting[v] == 0]
    order = []
    while stack:
        v = stack.pop()
        order.append(v)
        opened = _release(problem, v, waiting)
        stack.extend(reversed(opened))
    return tuple(order)


def breadth_first_order(problem: Problem) -> Order:
    """Return the order that runs operators in the sequence in which they became ready."""
    waiting = [len(p) for p in problem.predecessors]
    queue = [v for v in range(len(waiting)) if waiting[v] == 0]
    for v in queue:
        queue.extend(_release(problem, v, waiting))
    return tuple(queue)


def memory_greedy_order(problem: Problem) -> Order:
    """Return the order that always runs the ready operator after which the fewest blocks are live."""
    return _greedy(problem, lambda scores: min(range(len(scores)), key=lambda i: (scores[i], i)))


def random_greedy_order(problem: Problem, generator: np.random.Generator) -> Order:
    """Return a memory-greedy order that now and then takes another than the best operator."""

    def choose(scores: list[tuple[int, int]]) -> int:
        ranked = sorted(range(len(scores)), key=lambda i: (scores[i], i))
        depth = min(len(ranked) - 1, int(generator.geometric(0.6)) - 1)
        ties = [i for i in ranked if scores[i] == scores[ranked[depth]]]
        return ties[int(generator.integers(len(ties)))]

    return _greedy(problem, choose)


def _release(problem: Problem, v: int, waiting: list[int]) -> list[int]:
    opened = []
    for successor in problem.successors[v]:
        waiting[successor] -= 1
        if waiting[successor] == 0:
            opened.append(successor)
    return opened


def _greedy(problem: Problem, choose: Callable[[list[tuple[int, int]]], int]) -> Order:
    """Run ready operators, scored by (change of live blocks, blocks needed while running)."""
    waiting = [len(p) for p in problem.predecessors]
    remaining = [len(c) for c in problem.consumers]
    ready = [v for v in range(len(waiting)) if waiting[v] == 0]
    order = []
    while ready:
        scores = []
        for v in ready:
            op = problem.operators[v]
            born = sum(problem.tensors[t].size for t in op.outputs if problem.consumers[t])
            died = sum(problem.tensors[t].size for t in op.inputs if remaining[t] == 1)
            scores.append((born - died, problem.working_set(v)))
        v = ready.pop(choose(scores))
        order.append(v)
        for t in problem.operators[v].inputs:
            remaining[t] -= 1
        ready = sorted(ready + _release(problem, v, waiting))
    return tuple(order)
