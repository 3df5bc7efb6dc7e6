"""Online allocation with greedy eviction, on any order: what a plan must beat, and the plan of last resort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hwsim.schedule.plan import assemble
from hwsim.schedule.residency import Episode, use_steps
from hwsim.schedule.types import Plan, Problem

POLICIES = ("belady", "size", "cost")


@dataclass(slots=True)
class _Scratchpad:
    """Free-list view of the scratchpad: who lies where since when, and who has a DRAM copy."""

    problem: Problem
    budget: int
    uses: Sequence[Sequence[int]]
    address: dict[int, int] = field(default_factory=dict)
    since: dict[int, int] = field(default_factory=dict)
    copied: set[int] = field(default_factory=set)
    placed: dict[Episode, int] = field(default_factory=dict)

    def holes(self, extra: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
        """Return free ranges (start, length) with `extra` ranges (start, end) taken as well."""
        spans = [(a, a + self.problem.tensors[t].size) for t, a in self.address.items()]
        found, at = [], 0
        for low, high in sorted([*spans, *extra]):
            if low > at:
                found.append((at, low - at))
            at = max(at, high)
        if at < self.budget:
            found.append((at, self.budget - at))
        return found

    def put(self, tensor: int, address: int, step: int) -> None:
        """Start a residency episode."""
        self.address[tensor], self.since[tensor] = address, step

    def drop(self, tensor: int, last_step: int) -> None:
        """End a residency episode after `last_step`; a tensor that is needed again keeps a DRAM copy."""
        self.placed[Episode(self.since.pop(tensor), last_step, tensor)] = self.address.pop(tensor)
        if last_step < self.uses[tensor][-1]:
            self.copied.add(tensor)


def online_plan(problem: Problem, budget: int, order: Sequence[int], policy: str) -> Plan:
    """Return the plan of an online best-fit allocator without compaction.

    Step by step, missing operands, outputs and the workspace are placed in the smallest hole that fits;
    where none fits, tensors that the step does not use are evicted until one does. If the operands
    themselves are in the way, the step starts over with an empty scratchpad.

    Parameters
    ----------
    problem, budget, order
        What is scheduled, the scratchpad in blocks (at least the largest working set), operators by step.
    policy : str
        Evict first "belady": the farthest next use; "size": the largest; "cost": the fewest blocks of
        traffic (spill and re-fetch) per step until the next use.
    """
    pad = _Scratchpad(problem, budget, use_steps(problem, order))
    spaces: dict[int, int] = {}
    for step, v in enumerate(order):
        if not _serve(pad, step, v, _victim_key(pad, step, policy), spaces):
            for tensor in list(pad.address):
                pad.drop(tensor, step - 1)
            _stack(pad, step, v, spaces)
        op = problem.operators[v]
        for tensor in op.inputs + op.outputs:
            if pad.uses[tensor][-1] == step:
                pad.drop(tensor, step)
    return assemble(problem, budget, order, pad.placed, spaces)


def _victim_key(pad: _Scratchpad, step: int, policy: str) -> Callable[[int], tuple[float, int, int]]:
    """Return the key whose smallest value is evicted first."""

    def next_use(tensor: int) -> int:
        return next(u for u in pad.uses[tensor] if u >= step)

    def key(tensor: int) -> tuple[float, int, int]:
        size = pad.problem.tensors[tensor].size
        clean = tensor in pad.copied or pad.problem.tensors[tensor].in_dram
        if policy == "size":
            return -size, -next_use(tensor), tensor
        if policy == "cost":
            return (size if clean else 2 * size) / (1 + next_use(tensor) - step), -size, tensor
        return -next_use(tensor), -size, tensor

    return key


def _serve(pad: _Scratchpad, step: int, v: int, key: Callable[[int], tuple[float, int, int]],
           spaces: dict[int, int]) -> bool:
    """Place what operator v needs; False when its own operands leave no hole that is large enough."""
    op = pad.problem.operators[v]
    own = set(op.inputs) | set(op.outputs)
    wanted = [(pad.problem.tensors[t].size, t) for t in op.inputs + op.outputs if t not in pad.address]
    wanted += [(op.workspace, -1)] if op.workspace else []
    taken: list[tuple[int, int]] = []
    started: list[int] = []
    for size, tensor in sorted(wanted, key=lambda item: (-item[0], item[1])):
        at = _find_hole(pad, size, own, key, step, taken)
        if at is None:
            for done in started:
                del pad.address[done], pad.since[done]
            spaces.pop(step, None)
            return False
        if tensor < 0:
            spaces[step] = at
            taken.append((at, at + size))
        else:
            pad.put(tensor, at, step)
            started.append(tensor)
    return True


def _find_hole(pad: _Scratchpad, size: int, own: set[int], key: Callable[[int], tuple[float, int, int]],
               step: int, taken: Sequence[tuple[int, int]]) -> int | None:
    while True:
        fitting = [(length, start) for start, length in pad.holes(taken) if length >= size]
        if fitting or size == 0:
            return min(fitting)[1] if fitting else 0
        victims = [t for t in pad.address if t not in own and pad.problem.tensors[t].size]
        if not victims:
            return None
        pad.drop(min(victims, key=key), step - 1)


def _stack(pad: _Scratchpad, step: int, v: int, spaces: dict[int, int]) -> None:
    op = pad.problem.operators[v]
    at = 0
    for tensor in op.inputs + op.outputs:
        pad.put(tensor, at, step)
        at += pad.problem.tensors[tensor].size
    if op.workspace:
        spaces[step] = at
