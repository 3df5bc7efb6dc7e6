"""The public way to a schedule: a safe plan first, then better ones and proofs."""

from __future__ import annotations

import time

from hwsim.errors import InputError
from hwsim.schedule.baselines import online_plan
from hwsim.schedule.orders import default_order
from hwsim.schedule.stages import Progress, Settings, improve
from hwsim.schedule.types import Infeasible, Problem, Result, SolveStats, Status, explain_infeasible
from hwsim.schedule.verify import replay, require_valid


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
        Integer programming solver "cbc", "highs" or "cpsat"; default CBC, else HiGHS; "none" forbids all.
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
    best = Progress(plan, traffic, "baseline default/belady", "greedy allocation")
    require_valid(problem, plan, best.traffic)
    interrupted = False
    try:
        improve(problem, budget_blocks, best, Settings(started + time_limit_s, time_limit_s, solver, seed))
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


def _infeasible_result(problem: Problem, budget: int, reason: Infeasible, time_s: float) -> Result:
    stats = SolveStats(Status.INFEASIBLE, 0, 0.0, "none", "none", "working set", time_s=time_s)
    return Result(problem, budget, problem.smallest_budget, None, None, None, stats, {}, reason)


