"""Online allocation with greedy eviction: what a plan must beat, and the plan of last resort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hwsim.schedule.plan import assemble
from hwsim.schedule.residency import Episode, use_steps
from hwsim.schedule.types import Plan, Problem

POLICIES = ("belady", "size", "cost", "window")


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
        traffic (spill and re-fetch) per step until the next use. "window" evicts all of the contiguous
        range that costs the fewest blocks of traffic: the exact answer to the question of one step.
    """
    pad = _Scratchpad(problem, budget, use_steps(problem, order))
    spaces: dict[int, int] = {}
    for step, v in enumerate(order):
        if not _serve(pad, step, v, policy, spaces):
            for tensor in list(pad.address):
                pad.drop(tensor, step - 1)
            _stack(pad, step, v, spaces)
        op = problem.operators[v]
        for tensor in op.inputs + op.outputs:
            if pad.uses[tensor][-1] == step:
                pad.drop(tensor, step)
    return assemble(problem, budget, order, pad.placed, spaces)


def _victims(pad: _Scratchpad, step: int, policy: str, size: int, fixed: Sequence[tuple[int, int]],
             own: set[int]) -> list[int]:
    """Return the tensors to evict next; empty when nothing that may leave helps."""
    movable = [t for t in pad.address if t not in own and pad.problem.tensors[t].size]

    def next_use(tensor: int) -> int:
        return next(u for u in pad.uses[tensor] if u >= step)

    def price(tensor: int) -> int:
        clean = tensor in pad.copied or pad.problem.tensors[tensor].in_dram
        return pad.problem.tensors[tensor].size * (1 if clean else 2)

    def key(tensor: int) -> tuple[float, int, int]:
        blocks = pad.problem.tensors[tensor].size
        if policy == "size":
            return -blocks, -next_use(tensor), tensor
        if policy == "cost":
            return price(tensor) / (1 + next_use(tensor) - step), -blocks, tensor
        return -next_use(tensor), -blocks, tensor

    if policy != "window":
        return [min(movable, key=key)] if movable else []
    span = {t: (pad.address[t], pad.address[t] + pad.problem.tensors[t].size) for t in movable}
    walls = [*fixed, *((a, a + pad.problem.tensors[t].size) for t, a in pad.address.items() if t in own)]
    windows = []
    edges = {edge for low, high in [*span.values(), *walls] for edge in (high, low - size)}
    for start in sorted({0, *edges}):
        if start < 0 or start + size > pad.budget or any(a < start + size and start < b for a, b in walls):
            continue
        hit = sorted(t for t, (a, b) in span.items() if a < start + size and start < b)
        windows.append((sum(price(t) for t in hit), -sum(next_use(t) for t in hit), start, hit))
    return min(windows)[3] if windows else []


def _serve(pad: _Scratchpad, step: int, v: int, policy: str, spaces: dict[int, int]) -> bool:
    """Place what operator v needs; False when its own operands leave no hole that is large enough."""
    op = pad.problem.operators[v]
    own = set(op.inputs) | set(op.outputs)
    wanted = [(pad.problem.tensors[t].size, t) for t in op.inputs + op.outputs if t not in pad.address]
    wanted += [(op.workspace, -1)] if op.workspace else []
    taken: list[tuple[int, int]] = []
    started: list[int] = []
    for size, tensor in sorted(wanted, key=lambda item: (-item[0], item[1])):
        at = _find_hole(pad, size, own, policy, step, taken)
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


def _find_hole(pad: _Scratchpad, size: int, own: set[int], policy: str, step: int,
               taken: Sequence[tuple[int, int]]) -> int | None:
    while True:
        fitting = [(length, start) for start, length in pad.holes(taken) if length >= size]
        if fitting or size == 0:
            return min(fitting)[1] if fitting else 0
        victims = _victims(pad, step, policy, size, taken, own)
        if not victims:
            return None
        for tensor in victims:
            pad.drop(tensor, step - 1)


def _stack(pad: _Scratchpad, step: int, v: int, spaces: dict[int, int]) -> None:
    op = pad.problem.operators[v]
    at = 0
    for tensor in op.inputs + op.outputs:
        pad.put(tensor, at, step)
        at += pad.problem.tensors[tensor].size
    if op.workspace:
        spaces[step] = at
