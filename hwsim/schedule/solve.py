"""The public way to a schedule: feasibility, smallest peak, portfolio, certificate, packing, verification."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hwsim.errors import InputError
from hwsim.schedule.baselines import online_plan
from hwsim.schedule.bounds import must_cross_bound
from hwsim.schedule.certificate import certify
from hwsim.schedule.comparisons import run_baselines
from hwsim.schedule.gaps import place
from hwsim.schedule.orders import default_order
from hwsim.schedule.peak import smallest_peak
from hwsim.schedule.portfolio import candidate_paths, named_orders
from hwsim.schedule.search import Limits, Path, SearchTables, tabulate
from hwsim.schedule.types import Infeasible, Plan, Problem, Result, SolveStats, Status, explain_infeasible
from hwsim.schedule.verify import replay, require_valid

# Search effort per second of time limit: slow enough that an idle machine runs out of states, not of time.
_STATES_PER_SECOND = 30_000
_MOST_STATES = 12_000_000
_PACKING_ATTEMPTS = 5


@dataclass(slots=True)
class _Progress:
    """The best verified plan so far and everything known about it."""

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
    unpacked: int | None = None

    def offer(self, problem: Problem, plan: Plan, traffic: int, formulation: str, solver: str) -> None:
        if traffic < self.traffic:
            require_valid(problem, plan, traffic)
            self.plan, self.traffic, self.formulation, self.solver = plan, traffic, formulation, solver

    def raise_bound(self, bound: int, proof: str) -> None:
        if bound > self.lower_bound:
            self.lower_bound, self.proof = bound, proof

    @property
    def settled(self) -> bool:
        return self.traffic <= self.lower_bound


def solve(problem: Problem, budget_blocks: int, *, time_limit_s: float = 60.0, solver: str | None = None,
          seed: int = 0) -> Result:
    """Find a schedule with the least non-compulsory traffic for a scratchpad, with a proof where possible.

    Parameters
    ----------
    problem : Problem
        What is scheduled.
    budget_blocks : int
        Size of the scratchpad in blocks.
    time_limit_s : float
        Sets the number of search states, and with it the result; also a wall-clock guard. A note in the
        result says when the guard cut a search short: only then may a repetition differ.
    solver : str, optional
        Integer programming solver "cbc" or "highs"; default CBC, else HiGHS; "none" forbids both.
    seed : int
        Of random orders and packing restarts.

    Returns
    -------
    Result
        Status OPTIMAL, FEASIBLE or INFEASIBLE; the plan is never worse than the best baseline. Ctrl-C
        ends the search and returns the best plan so far, labelled `interrupted`.

    Raises
    ------
    InputError
        When the budget or the time limit is not positive, or the named solver is not installed.
    """
    started = time.monotonic()
    _check_arguments(budget_blocks, time_limit_s, solver)
    reason = explain_infeasible(problem, budget_blocks)
    if reason is not None:
        return _infeasible_result(problem, budget_blocks, reason, time.monotonic() - started)
    plan = online_plan(problem, budget_blocks, default_order(problem), "belady")
    traffic = replay(problem, plan).non_compulsory
    best = _Progress(plan, traffic, "baseline default/belady", "greedy allocation")
    require_valid(problem, plan, best.traffic)
    interrupted = False
    try:
        _improve(problem, budget_blocks, best, started, time_limit_s, solver, seed)
    except KeyboardInterrupt:
        interrupted = True
    status = Status.OPTIMAL if best.settled else Status.FEASIBLE
    gap = 0.0 if best.traffic == 0 else (best.traffic - best.lower_bound) / best.traffic
    stats = SolveStats(status, best.lower_bound, gap, best.solver, best.formulation, best.proof, best.states,
                       interrupted, tuple(best.notes), time.monotonic() - started)
    return Result(problem, budget_blocks, problem.smallest_budget, best.peak, best.plan, best.traffic, stats,
                  best.baselines)


def _check_arguments(budget: int, time_limit_s: float, solver: str | None) -> None:
    if budget <= 0:
        raise InputError(f"the scratchpad must have at least one block, not {budget}", where="scratchpad")
    if not time_limit_s > 0:
        raise InputError(f"the time limit must be positive, not {time_limit_s}", where="time_limit")
    if solver not in (None, "none"):
        from hwsim.schedule.ilp_solver import find_solver

        find_solver(solver)


def _infeasible_result(problem: Problem, budget: int, reason: Infeasible, seconds: float) -> Result:
    stats = SolveStats(Status.INFEASIBLE, 0, 0.0, "none", "none", "working set", seconds=seconds)
    return Result(problem, budget, problem.smallest_budget, None, None, None, stats, {}, reason)


def _improve(problem: Problem, budget: int, best: _Progress, started: float, time_limit_s: float,
             solver: str | None, seed: int) -> None:
    """Run the stages one after the other until the plan is proven optimal."""
    deadline = started + time_limit_s
    tables = tabulate(problem)
    effort = int(min(_MOST_STATES, max(1000, time_limit_s * _STATES_PER_SECOND)))
    limits = Limits(states=effort, deadline=deadline)
    orders = named_orders(problem)
    peak = smallest_peak(problem, list(orders.values()), limits=_part(limits, 8), tables=tables)
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
    paths = candidate_paths(problem, budget, orders, seed=seed, limits=_part(limits, 20), tables=tables)
    cheapest = min(paths.values(), key=lambda path: path.traffic) if paths else None
    if cheapest is None or cheapest.traffic > best.lower_bound:
        cheapest = _certify(problem, budget, best, cheapest, limits, tables)
        if cheapest is not None:
            paths["search"] = cheapest
    _pack_best(problem, budget, best, paths, solver, deadline, seed)
    if time.monotonic() > deadline:
        best.notes.append("the wall-clock guard ended the search: a repetition may get further")


def _part(limits: Limits, share: int) -> Limits:
    return replace(limits, states=max(1000, limits.states // share))


def _certify(problem: Problem, budget: int, best: _Progress, cheapest: Path | None, limits: Limits,
             tables: SearchTables) -> Path | None:
    proof = certify(problem, budget, cheapest, best.lower_bound, limits=limits, tables=tables)
    best.states += proof.states
    best.raise_bound(proof.lower_bound, "search over (executed, resident, copied) states")
    return proof.path


def _pack_best(problem: Problem, budget: int, best: _Progress, paths: dict[str, Path], solver: str | None,
               deadline: float, seed: int) -> None:
    """Give addresses to the cheapest paths until none is left that could improve the plan."""
    ranked: Sequence[tuple[str, Path]] = sorted(paths.items(), key=lambda item: item[1].traffic)
    attempts = 0
    for name, path in ranked:
        if path.traffic >= best.traffic or best.settled or attempts == _PACKING_ATTEMPTS:
            break
        attempts += 1
        found = place(problem, budget, path, solver=solver, deadline=deadline, seed=seed)
        if found.plan is None:
            best.notes.append(f"{name}: {path.traffic} blocks without addresses, {found.note}")
            continue
        form = f"F3 with no-good cuts, {name}" if found.cuts else f"state search, {name}"
        best.offer(problem, found.plan, found.traffic, form, found.solver)
