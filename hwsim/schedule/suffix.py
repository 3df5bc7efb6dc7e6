"""Bounds on what the rest of a schedule must still cost, grown from its end to deepen the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.bounds import restrict
from hwsim.schedule.pinning import pinned_tables
from hwsim.schedule.search import Limits, SearchTables, add_reference, search
from hwsim.schedule.types import Problem


def suffix_bounds(problem: Problem, budget: int, order: Sequence[int], *, parts: int, limits: Limits,
                  known: NDArray[np.int64] | None = None) -> tuple[NDArray[np.int64], int]:
    """Return for each rank of an order what the operators from that rank on cost at least, in blocks.

    The operators from a rank on are searched alone, operands from before with a free first load
    (`restrict`), the shortest suffix first; each search uses the bounds of the shorter suffixes
    (Russian dolls). Ranks in between take the bound of the next longer rank.

    Parameters
    ----------
    problem, budget, order
        What is scheduled, the scratchpad in blocks, and the reference order.
    parts : int
        Number of suffixes.
    limits : Limits
        `states` is the total over all suffixes.
    known : array of int, optional
        Bounds in blocks that hold already, one per rank and a final 0.

    Returns
    -------
    tuple
        The bounds, one per rank and a final 0, and the number of states searched.
    """
    count = len(order)
    bounds = np.zeros(count + 1, np.int64) if known is None else known.copy()
    stride = max(1, -(-count // parts))
    starts = list(range(count - stride, 0, -stride))
    share = replace(limits, states=max(200, limits.states // max(1, len(starts))))
    used = 0
    for start in starts:
        inside = sorted(order[start:])
        local = {v: i for i, v in enumerate(inside)}
        part = restrict(problem, inside)
        tables = add_reference(pinned_tables(part), [local[v] for v in order[start:]], bounds[start:])
        bound, states = _bound_part(part, budget, int(bounds[start]), share, tables)
        used += states
        bounds[:start + 1] = np.maximum(bounds[:start + 1], bound)
    return bounds, used


def _bound_part(part: Problem, budget: int, known: int, limits: Limits,
                tables: SearchTables) -> tuple[int, int]:
    """Raise a bound by searches below cutoffs just above it: the shorter suffixes keep them small."""
    grain, used = part.granularity, 0
    while used < limits.states:
        share = replace(limits, states=limits.states - used)
        found = search(part, budget, known + grain, limits=share, tables=tables)
        used += max(1, found.states)
        if not found.complete:
            break
        known = found.lower_bound
        if found.path is not None:
            break
    return known, used
