"""Turns an order, episodes and addresses into a plan: the events of every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwsim.schedule.residency import Episode
from hwsim.schedule.types import Event, Plan, Problem, Step


def assemble(problem: Problem, budget: int, order: Sequence[int], placed: Mapping[Episode, int],
             workspace: Mapping[int, int]) -> Plan:
    """Return the plan in which every episode lies at its address.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks.
    order : sequence of int
        Operators by step.
    placed : mapping of Episode to int
        Address in blocks of each residency episode.
    workspace : mapping of int to int
        Address in blocks of the workspace of the operator that runs at a step.
    """
    before: list[list[Event]] = [[] for _ in order]
    after: list[list[Event]] = [[] for _ in order]
    spilled: set[int] = set()
    last_use = _last_uses(problem, order)
    for run in sorted(placed, key=lambda e: (e.tensor, e.start)):
        tensor, size, address = run.tensor, problem.tensors[run.tensor].size, placed[run]
        born = problem.producer[tensor] == order[run.start]
        before[run.start].append(Event("allocate" if born else "fetch", tensor, address, size))
        needs_copy = run.end < last_use[tensor] and not problem.tensors[tensor].in_dram
        if needs_copy and tensor not in spilled:
            spilled.add(tensor)
            after[run.end].append(Event("spill", tensor, address, size))
        after[run.end].append(Event("free", tensor, address, size))
    steps = [Step(v, tuple(before[s]), tuple(after[s]), workspace.get(s, -1)) for s, v in enumerate(order)]
    return Plan(budget, tuple(steps))


def assemble_placed(problem: Problem, budget: int, order: Sequence[int], runs: Sequence[Episode],
                    addresses: Sequence[int]) -> Plan:
    """Return the plan for addresses in the layout of `packing.rectangles`: episodes, then one per step."""
    spaces = {s: addresses[len(runs) + s] for s, v in enumerate(order) if problem.operators[v].workspace}
    return assemble(problem, budget, order, dict(zip(runs, addresses, strict=False)), spaces)


def _last_uses(problem: Problem, order: Sequence[int]) -> list[int]:
    step_of = {v: s for s, v in enumerate(order)}
    return [max((step_of[v] for v in (*consumers, problem.producer[t]) if v >= 0), default=-1)
            for t, consumers in enumerate(problem.consumers)]
