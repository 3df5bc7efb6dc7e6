"""Finds the smallest peak footprint: the budget from which on no avoidable traffic is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.schedule.residency import footprint
from hwsim.schedule.search import Limits, SearchTables, search, tabulate
from hwsim.schedule.types import Problem

_BEAM = 500


@dataclass(frozen=True, slots=True)
class Peak:
    """Smallest peak footprint (M_P) in blocks, with an order that reaches it.

    `lower_bound` equals `blocks` when the search was exhaustive; `states` counts down-sets kept.
    """

    blocks: int
    lower_bound: int
    order: tuple[int, ...]
    states: int


def smallest_peak(problem: Problem, orders: Sequence[Sequence[int]], *, limits: Limits | None = None,
                  tables: SearchTables | None = None) -> Peak:
    """Return the smallest footprint over all orders when nothing is ever dropped (capacity model).

    Bisects the budget; each probe is a dynamic program over down-sets (executed sets), in which the
    resident set is the live set. Cuts at a single tensor collapse the down-sets to one, so that chained
    segments add up instead of multiplying. Beyond the limits a beam still lowers the upper bound.

    Parameters
    ----------
    problem : Problem
        What is scheduled.
    orders : sequence of orders
        Starting points; at least one.
    limits : Limits, optional
        `states` is the total of all probes.
    """
    tables = tables or tabulate(problem)
    limits = limits or Limits()
    best = min((tuple(order) for order in orders), key=lambda order: footprint(problem, order))
    high, low, kept = footprint(problem, best), problem.smallest_budget, 0
    refuted = low
    while low < high:
        probe = (low + high) // 2
        found = search(problem, probe, 1, limits=limits, tables=tables)
        if found.complete and found.path is None:
            refuted = probe + 1
        if not found.complete:
            found = search(problem, probe, 1, width=_BEAM, limits=limits, tables=tables)
        kept += found.states
        if found.path is not None:
            best = found.path.order
            high = footprint(problem, best)
        else:
            low = probe + 1
    return Peak(high, refuted, best, kept)

