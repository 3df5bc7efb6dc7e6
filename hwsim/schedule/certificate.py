"""Proves or improves a plan over all orders, and leaves a lower bound where the proof is out of reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwsim.schedule.search import Limits, Path, SearchTables, search, tabulate
from hwsim.schedule.types import Problem


@dataclass(frozen=True, slots=True)
class Certificate:
    """The best path known, a proven lower bound, and how much was searched for them."""

    path: Path | None
    lower_bound: int
    states: int
    timed_out: bool


def certify(problem: Problem, budget: int, best: Path | None, lower_bound: int, *, limits: Limits,
            tables: SearchTables | None = None) -> Certificate:
    """Improve or prove a path over all orders.

    One search below the known traffic settles easy cases with up to half of the states. Otherwise
    searches below rising cutoffs leave the best lower bound that the rest of the states can buy.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks.
    best : Path or None
        The best path known; None when there is none.
    lower_bound : int
        Proven already, blocks.
    limits : Limits
        `states` is the total of all searches.
    tables : SearchTables, optional
        `tabulate(problem)`, to save its repetition.
    """
    tables = tables or tabulate(problem)
    grain = problem.granularity
    ceiling = best.traffic if best else worst_traffic(problem) + 1
    low, left, timed_out = lower_bound, limits.states, False
    cutoff, failed = ceiling, ceiling + grain
    while low < ceiling and left > 0 and not timed_out:
        share = replace(limits, states=max(1, left // 2))
        found = search(problem, budget, cutoff, limits=share, tables=tables)
        left -= max(1, found.states)
        timed_out = found.timed_out
        if found.path is not None:
            return Certificate(found.path, found.path.traffic, limits.states - left, False)
        if found.complete:
            low = min(ceiling, -(-found.lower_bound // grain) * grain)
        else:
            failed = cutoff
        if failed - low <= grain:
            break
        cutoff = low + max(grain, min((ceiling - low) // 4, (failed - low) // 2))
    return Certificate(best, low, limits.states - left, timed_out)


def worst_traffic(problem: Problem) -> int:
    """Return a bound on the traffic of any sensible plan: everything spilled and fetched for every use."""
    pairs = zip(problem.tensors, problem.consumers, strict=True)
    return sum(tensor.size * (1 + len(consumers)) for tensor, consumers in pairs)
