"""Finds tensors that some optimal schedule never evicts: making them later is no dearer than their return."""

from __future__ import annotations

import numpy as np

from hwsim.schedule.search import SearchTables, tabulate
from hwsim.schedule.types import Problem


def pinned_tensors(problem: Problem) -> list[int]:
    """Return tensors that need not be evicted between their producer and their only reader.

    Proof by exchange. Let x produce only K, and c alone read it. A schedule in which K leaves pays for its
    spill and its return. Instead x can run right before c: its inputs may cost a spill and a fetch each, so
    their sizes must not exceed that of K; and they must fit where c has its results and its workspace.
    The inputs of x have other readers, so that x does not run early for the sake of the room they take. Where
    the input of x is itself pinned, both producers move together.
    """
    found: dict[int, int] = {}
    for op in problem.operators:
        full = [t for t in op.outputs if problem.tensors[t].size]
        if len(full) != 1 or len(problem.consumers[full[0]]) != 1 or problem.tensors[full[0]].in_dram:
            continue
        result, size = full[0], problem.tensors[full[0]].size
        inputs = [t for t in op.inputs if problem.tensors[t].size]
        room = _room(problem, problem.consumers[result][0])
        needed = op.workspace + sum(problem.tensors[t].size for t in inputs)
        if inputs and all(len(problem.consumers[t]) > 1 for t in inputs):
            if needed - op.workspace <= size and needed <= room:
                found[result] = needed - op.workspace
        elif len(inputs) == 1 and inputs[0] in found and found[inputs[0]] <= size and needed <= room \
                and _chain_fits(problem, inputs[0], found, size + room):
            found[result] = found[inputs[0]]
    return sorted(found)


def _room(problem: Problem, reader: int) -> int:
    op = problem.operators[reader]
    return op.workspace + sum(problem.tensors[t].size for t in op.outputs)


def _chain_fits(problem: Problem, tensor: int, found: dict[int, int], room: int) -> bool:
    """Tell whether the producers of a pinned tensor, back to the first, each fit into `room` blocks."""
    while tensor in found:
        maker = problem.producer[tensor]
        if problem.working_set(maker) > room:
            return False
        before = [t for t in problem.operators[maker].inputs if t in found]
        if not before:
            return True
        tensor = before[0]
    return True


def pinned_tables(problem: Problem) -> SearchTables:
    """Return the tables for searches over free orders that leave pinned tensors where they are."""
    tables = tabulate(problem)
    mask = np.zeros(tables.tensor_words, np.uint64)
    for t in pinned_tensors(problem):
        mask[t >> 6] |= np.uint64(1 << (t & 63))
    return SearchTables(tables.op_words, tables.tensor_words, tables.arrays._replace(pinned=mask))
