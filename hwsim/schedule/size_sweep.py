"""Traffic over scratchpad sizes: one curve per method, never rising, each point with its own proof."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hwsim.errors import InputError
from hwsim.schedule.network import NetworkProblem
from hwsim.schedule.network_budget import parse_budget
from hwsim.schedule.solve import solve
from hwsim.schedule.types import Problem, Status

_POINTS = 13
_MOST_POINTS = 500
_BETWEEN = 4


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One budget; everything in blocks.

    Attributes
    ----------
    budget : int
        Scratchpad.
    status : Status
        INFEASIBLE below the smallest budget, with `traffic` None.
    traffic, lower_bound : int or None
        Of the best plan, and what no plan undercuts.
    baselines : mapping of str to (int or None)
        Blocks by baseline.
    source : str
        What found the plan.
    """

    budget: int
    status: Status
    traffic: int | None
    lower_bound: int
    baselines: Mapping[str, int | None]
    source: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """A curve over budgets, ascending; `interrupted` if the user stopped it before its end."""

    network: NetworkProblem
    smallest_budget: int
    smallest_peak: int | None
    points: tuple[SweepPoint, ...]
    interrupted: bool = False


def sweep_document(sweep: Sweep) -> dict[str, Any]:
    """Return a sweep as plain data; equal sweeps give equal data."""
    unit = sweep.network.problem.block_bytes
    points = [{"scratchpad_blocks": p.budget, "scratchpad_bytes": p.budget * unit, "status": str(p.status),
               "non_compulsory_blocks": p.traffic,
               "non_compulsory_bytes": None if p.traffic is None else p.traffic * unit,
               "lower_bound_blocks": p.lower_bound, "lower_bound_bytes": p.lower_bound * unit,
               "found_by": p.source, "baselines": dict(sorted(p.baselines.items()))} for p in sweep.points]
    return {"network": sweep.network.problem.name, "block_bytes": unit,
            "smallest_budget_blocks": sweep.smallest_budget, "smallest_peak_blocks": sweep.smallest_peak,
            "interrupted": sweep.interrupted, "points": points}


def parse_range(text: str, problem: Problem) -> tuple[int, int, int]:
    """Read ``FROM:TO[:POINTS]`` as blocks and a number of points.

    Raises
    ------
    InputError
        Wrong form, sizes that make no sense, an empty range.
    """
    where = "sweep"
    parts = [part.strip() for part in text.split(":")]
    if len(parts) not in (2, 3) or not all(parts):
        raise InputError(f"{text!r} is not of the form FROM:TO or FROM:TO:POINTS", where=where,
                         hint="for example 64KiB:2MiB or 100blocks:300blocks:20")
    low, high = (parse_budget(part, problem, where=where)[0] for part in parts[:2])
    points = parts[2] if len(parts) == 3 else str(_POINTS)
    if not (points.isascii() and points.isdecimal() and len(points) < 9 and 2 <= int(points) <= _MOST_POINTS):
        raise InputError(f"{points!r} points: a whole number from 2 to {_MOST_POINTS} is needed", where=where)
    if low >= high:
        raise InputError(f"{text!r} runs from {low} to {high} blocks: nothing in between", where=where,
                         hint="the smaller size comes first")
    return low, high, int(points)


def budgets_of(low: int, high: int, points: int, landmarks: Sequence[int]) -> tuple[int, ...]:
    """Return budgets in equal ratios from low to high, and more where traffic changes.

    Parameters
    ----------
    low, high : int
        First and last budget in blocks.
    points : int
        Budgets in equal ratios.
    landmarks : sequence of int
        Smallest budget and smallest peak: they and a few budgets between them are added where inside.
    """
    ratio = math.log(high / low)
    found = {round(low * math.exp(ratio * i / (points - 1))) for i in range(points)} | {low, high}
    first, last = min(landmarks), max(landmarks)
    found |= {first + (last - first) * i // (_BETWEEN + 1) for i in range(_BETWEEN + 2)}
    return tuple(sorted(b for b in found if low <= b <= high))


def sweep_budgets(network: NetworkProblem, budgets: Sequence[int], *, time_limit_s: float = 10.0,
                  solver: str | None = None, seed: int = 0) -> Sweep:
    """Schedule a network at several budgets.

    A plan for a small scratchpad is one for a larger one, and a bound for a large one holds for a smaller
    one; both are carried over, so the curves never rise. Ctrl-C keeps the points that are done.

    Parameters
    ----------
    network : NetworkProblem
        What is scheduled.
    budgets : sequence of int
        Blocks.
    time_limit_s, solver, seed
        Of each budget, as in `hwsim.schedule.solve`.
    """
    points: list[SweepPoint] = []
    peak: int | None = None
    interrupted = False
    try:
        ordered = sorted(set(budgets))
        for point, known_peak in _ascending(network.problem, ordered, time_limit_s, solver, seed):
            points.append(point)
            peak = known_peak if known_peak is not None else peak
    except KeyboardInterrupt:
        interrupted = True
    bounded: list[SweepPoint] = []
    bound = 0
    for point in reversed(points):
        bound = max(bound, point.lower_bound)
        optimal = point.traffic is not None and point.traffic == bound
        bounded.append(replace(point, lower_bound=bound, status=Status.OPTIMAL if optimal else point.status))
    return Sweep(network, network.problem.smallest_budget, peak, tuple(reversed(bounded)), interrupted)


def _ascending(problem: Problem, budgets: Sequence[int], time_limit_s: float, solver: str | None,
               seed: int) -> Iterator[tuple[SweepPoint, int | None]]:
    traffic, source = None, ""
    for budget in budgets:
        result = solve(problem, budget, time_limit_s=time_limit_s, solver=solver, seed=seed)
        if result.plan is None or result.traffic is None:
            yield SweepPoint(budget, result.stats.status, None, 0, {}, ""), result.smallest_peak
            continue
        if traffic is None or result.traffic < traffic:
            traffic, source = result.traffic, result.stats.formulation
        point = SweepPoint(budget, result.stats.status, traffic, min(result.stats.lower_bound, traffic),
                           dict(result.baselines), source)
        yield point, result.smallest_peak
        if result.stats.interrupted:
            raise KeyboardInterrupt
