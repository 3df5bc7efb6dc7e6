"""The stages of a solve, each of which may improve the plan or raise the bound, cheapest first."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.bounds import must_cross_bound, partition_bounds
from hwsim.schedule.certificate import certify
from hwsim.schedule.comparisons import run_baselines
from hwsim.schedule.gaps import place
from hwsim.schedule.orders import Order
from hwsim.schedule.peak import smallest_peak
from hwsim.schedule.pinning import pinned_tables
from hwsim.schedule.portfolio import candidate_paths, named_orders
from hwsim.schedule.search import Limits, Path, SearchTables, add_reference, tabulate
from hwsim.schedule.split import compose, improve_windows, segments
from hwsim.schedule.suffix import suffix_bounds
from hwsim.schedule.types import Plan, Problem
from hwsim.schedule.verify import require_valid

# Search effort per second of time limit: slow enough that an idle machine runs out of states, not of time.
_STATES_PER_SECOND = 80_000
_MOST_STATES = 12_000_000
_PACKING_ATTEMPTS = 5
_WINDOW = 24
_WINDOW_STATES = 30_000
_SUFFIXES = 48
_PARTS = 40
# States for each part, and the share of the states and the time left for the search that uses the bounds.
_PART_ROUNDS = ((5000, 0.3), (50_000, 1.0))
# Beyond so many operators F2 is not tried; CP-SAT, which must be asked for by name, closes larger ones.
_F2_OPERATORS, _F2_CPSAT_OPERATORS = 20, 120
_GUARD_NOTE = "a wall-clock guard ended a search: a repetition on a faster machine may get further"


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard to try: wall-clock guard (`time.monotonic()`), seconds, integer programming solver, seed."""

    deadline_s: float
    time_limit_s: float
    solver: str | None
    seed: int

    def limits(self, states_share: float, time_share: float) -> Limits:
        """Return a share of the states that the time limit buys, guarded by a share of the time left."""
        effort = min(_MOST_STATES, self.time_limit_s * _STATES_PER_SECOND)
        now = time.monotonic()
        return Limits(states=max(1000, int(effort * states_share)),
                      deadline_s=now + max(0.0, time_share * (self.deadline_s - now)))


@dataclass(slots=True)
class Progress:
    """The best verified plan so far and everything known about it; traffic and bound in blocks."""

    plan: Plan
    traffic: int
    formulation: str
    solver: str
    lower_bound: int = 0
    proof: str = "compulsory traffic only"
    peak: int | None = None
    states: int = 0
    baselines: dict[str, int | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def offer(self, problem: Problem, plan: Plan, traffic: int, formulation: str, solver: str) -> None:
        """Take a plan over if it moves less, after an independent replay."""
        if traffic < self.traffic:
            require_valid(problem, plan, traffic)
            self.plan, self.traffic, self.formulation, self.solver = plan, traffic, formulation, solver

    def raise_bound(self, bound: int, proof: str) -> None:
        """Take a lower bound over if it is higher."""
        if bound > self.lower_bound:
            self.lower_bound, self.proof = bound, proof

    def watch(self, limits: Limits) -> None:
        """Note, once, that a wall-clock guard and not the number of states ended a stage."""
        if time.monotonic() > limits.deadline_s and _GUARD_NOTE not in self.notes:
            self.notes.append(_GUARD_NOTE)

    @property
    def settled(self) -> bool:
        """The plan is proven optimal."""
        return self.traffic <= self.lower_bound


def improve(problem: Problem, budget: int, best: Progress, settings: Settings) -> None:
    """Run the stages until the plan is proven optimal; `best` is up to date at any moment."""
    tables = tabulate(problem)
    orders = _measure(problem, budget, best, settings, tables)
    joined = None if best.settled else _join_segments(problem, budget, best, settings)
    if not best.settled:
        limits = settings.limits(0.05, 0.25)
        paths = candidate_paths(problem, budget, orders, enough=best.lower_bound, seed=settings.seed,
                                limits=limits, tables=tables, solver=settings.solver)
        if joined is not None:
            paths["segments"] = joined
        best.watch(limits)
        _pack_best(problem, budget, best, paths, settings)
        if paths and not best.settled:
            cheapest = min(paths.values(), key=lambda path: path.traffic)
            _prove(problem, budget, best, cheapest, settings)
    if not best.settled:
        _solve_windows_program(problem, budget, best, settings)


def _measure(problem: Problem, budget: int, best: Progress, settings: Settings,
             tables: SearchTables) -> dict[str, Order]:
    """Find the smallest peak, run the baselines and the bounds that need no search; return the orders."""
    orders = named_orders(problem)
    # The first search of a process also compiles its kernels, which the clock must not mistake for effort.
    limits = settings.limits(0.1, 0.4)
    peak = smallest_peak(problem, list(orders.values()), limits=limits, tables=tables)
    best.watch(limits)
    best.peak = peak.blocks
    best.states += peak.states
    orders["smallest-peak"] = peak.order
    rivals = run_baselines(problem, budget, orders)
    best.baselines.update(rivals.traffic)
    name = f"baseline {rivals.best_name}"
    best.offer(problem, rivals.best_plan, rivals.best_traffic, name, "greedy allocation")
    best.raise_bound(must_cross_bound(problem, budget), "must-cross knapsack")
    if budget < peak.lower_bound:
        best.raise_bound(problem.granularity, "smallest peak")
    return orders


def _join_segments(problem: Problem, budget: int, best: Progress, settings: Settings) -> Path | None:
    """Solve the segments of a network that splits well, each alone; the path where all of them are solved."""
    parts = segments(problem)
    if max(len(part) for part in parts) * 5 >= len(problem.operators) * 4:
        return None
    limits = settings.limits(0.15, 0.3)
    joined = compose(problem, budget, limits=limits)
    best.watch(limits)
    best.states += joined.states
    best.raise_bound(joined.lower_bound, f"sum over {joined.segments} segments")
    if joined.path is not None:
        _pack_best(problem, budget, best, {"segments": joined.path}, settings)
    return joined.path


def _prove(problem: Problem, budget: int, best: Progress, path: Path, settings: Settings) -> None:
    """Improve and prove: short search, bounds of parts, windows, search with the bounds of suffixes."""
    tables = pinned_tables(problem)
    path = _certify(problem, budget, best, path, settings.limits(0.05, 0.1), settings, tables)
    for number, (part_states, share) in enumerate(_PART_ROUNDS):
        if number and path.traffic > best.lower_bound:
            path = _reorder_windows(problem, budget, best, path, settings)
        if path.traffic <= best.lower_bound:
            return
        reference = path.order
        sums = _bound_parts(problem, budget, best, path, settings, part_states)
        tables = add_reference(tables, reference, sums)
        path = _certify(problem, budget, best, path, settings.limits(share / 2, share / 2), settings, tables)
        if path.traffic > best.lower_bound:
            limits = settings.limits(0.3, 0.5)
            bounds, states = suffix_bounds(problem, budget, reference, parts=_SUFFIXES, limits=limits,
                                           known=sums)
            best.watch(limits)
            best.states += states
            best.raise_bound(int(bounds[0]), "search of the last operators")
            tables = add_reference(tables, reference, bounds)
            path = _certify(problem, budget, best, path, settings.limits(0.4, share), settings, tables)


def _reorder_windows(problem: Problem, budget: int, best: Progress, path: Path, settings: Settings) -> Path:
    limits = replace(settings.limits(0.1, 0.35), states=_WINDOW_STATES, level_states=8 * _WINDOW_STATES)
    better = improve_windows(problem, budget, path, size=_WINDOW, rounds=3, limits=limits,
                             solver=settings.solver)
    best.watch(limits)
    return _take_better(problem, budget, best, path, better, "windows", settings)


def _bound_parts(problem: Problem, budget: int, best: Progress, path: Path, settings: Settings,
                 part_states: int) -> NDArray[np.int64]:
    """Return the bounds from each rank of a path on by parts that add up, and take the whole one over."""
    limits = replace(settings.limits(0.0, 0.25), states=part_states)
    stride = max(1, len(path.order) // _PARTS)
    sums, states = partition_bounds(problem, budget, path.order, stride=stride, longest=12 * stride,
                                    limits=limits)
    best.watch(limits)
    best.states += states
    best.raise_bound(int(sums[0]), "sum over parts of an order")
    return sums


def _take_better(problem: Problem, budget: int, best: Progress, old: Path, new: Path | None, name: str,
                 settings: Settings) -> Path:
    if new is None or new.traffic >= old.traffic:
        return old
    _pack_best(problem, budget, best, {name: new}, settings)
    return new


def _certify(problem: Problem, budget: int, best: Progress, path: Path, limits: Limits, settings: Settings,
             tables: SearchTables) -> Path:
    proof = certify(problem, budget, path, best.lower_bound, limits=limits, tables=tables)
    best.watch(limits)
    best.states += proof.states
    best.raise_bound(proof.lower_bound, "search over (executed, resident, copied) states")
    return _take_better(problem, budget, best, path, proof.path, "exact", settings)


def _pack_best(problem: Problem, budget: int, best: Progress, paths: dict[str, Path],
               settings: Settings) -> None:
    """Give addresses to the cheapest paths until none is left that could improve the plan."""
    ranked = sorted(paths.items(), key=lambda item: item[1].traffic)
    for name, path in ranked[:_PACKING_ATTEMPTS]:
        if path.traffic >= best.traffic or best.settled:
            return
        found = place(problem, budget, path, solver=settings.solver, deadline=settings.deadline_s,
                      seed=settings.seed)
        if found.plan is None:
            best.notes.append(f"{name}: {path.traffic} blocks without addresses, {found.note}")
            continue
        form = f"F3 with no-good cuts, {name}" if found.cuts else f"state search, {name}"
        best.offer(problem, found.plan, found.traffic, form, found.solver)


def _solve_windows_program(problem: Problem, budget: int, best: Progress, settings: Settings) -> None:
    """Ask F2 about small graphs whose proven traffic no plan with addresses has reached."""
    most = _F2_CPSAT_OPERATORS if settings.solver == "cpsat" else _F2_OPERATORS
    if settings.solver == "none" or len(problem.operators) > most:
        return
    try:
        from hwsim.schedule.ilp_solver import Answer, find_solver
        from hwsim.schedule.ilp_windows import solve_windows
    except ImportError:
        return
    program = find_solver(settings.solver)
    left = settings.deadline_s - time.monotonic()
    if program is None or left <= 0:
        return
    found = solve_windows(problem, budget, solver=program, time_limit_s=left, seed=settings.seed)
    if found.plan is None or found.traffic is None:
        best.notes.append(f"F2 with {program}: {found.message or found.answer}")
        return
    best.offer(problem, found.plan, found.traffic, "F2 with lazy packing cuts", str(program))
    if found.answer is not Answer.OPTIMAL:
        best.notes.append(f"F2 with {program} reached its limit: {_GUARD_NOTE}")
    else:
        best.raise_bound(min(found.traffic, best.traffic), f"F2 with {program}")
