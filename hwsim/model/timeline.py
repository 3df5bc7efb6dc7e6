"""Operators and transfers on shared resources: who waits for whom, as start and end cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.errors import VerifyError
from hwsim.model.types import Ints


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work that holds one resource without interruption.

    Attributes
    ----------
    name, resource : str
        What runs where.
    cycles : int
        How long it holds the resource.
    after : tuple of int
        Indices of earlier tasks that must have ended.
    """

    name: str
    resource: str
    cycles: int
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """When every task runs.

    Attributes
    ----------
    tasks : tuple of Task
        In program order.
    start, end : int64[T]
        Cycles; a resource serves its tasks in program order, one at a time.
    """

    tasks: tuple[Task, ...]
    start: Ints
    end: Ints

    @property
    def cycles(self) -> int:
        """End of the last task."""
        return int(self.end.max(initial=0))

    def busy_cycles(self, resource: str) -> int:
        """Cycles for which `resource` works."""
        return sum(task.cycles for task in self.tasks if task.resource == resource)


def run_tasks(tasks: Sequence[Task]) -> Timeline:
    """Start every task as early as its resource and its predecessors allow, in program order.

    Parameters
    ----------
    tasks : sequence of Task
        Predecessors come before their successors.

    Raises
    ------
    VerifyError
        If a task waits for itself or for a later one, or takes negative time.
    """
    start, end = np.zeros(len(tasks), dtype=np.int64), np.zeros(len(tasks), dtype=np.int64)
    free: dict[str, int] = {}
    for index, task in enumerate(tasks):
        if task.cycles < 0 or any(before < 0 or before >= index for before in task.after):
            raise VerifyError(f"takes {task.cycles} cycles after {task.after}", where=f"timeline.{task.name}")
        ready = max((int(end[before]) for before in task.after), default=0)
        start[index] = max(ready, free.get(task.resource, 0))
        end[index] = start[index] + task.cycles
        free[task.resource] = int(end[index])
    start.setflags(write=False)
    end.setflags(write=False)
    return Timeline(tuple(tasks), start, end)
