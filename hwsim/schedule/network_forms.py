"""One named formulation instead of the portfolio, for fidelity to the paper and for second opinions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from hwsim.errors import InputError
from hwsim.schedule.comparisons import run_baselines
from hwsim.schedule.orders import Order
from hwsim.schedule.peak import smallest_peak
from hwsim.schedule.portfolio import named_orders
from hwsim.schedule.search import Limits, SearchTables, tabulate
from hwsim.schedule.solve import solve
from hwsim.schedule.stages import Progress
from hwsim.schedule.types import Plan, Problem, Result, SolveStats, Status, explain_infeasible

if TYPE_CHECKING:
    from hwsim.schedule.ilp_solver import IlpSolver

_PROOF_STATES = 200_000


class Form(StrEnum):
    """How a schedule is found."""

    AUTO = "auto"
    PAPER = "paper"
    PAPER_FIXED = "paper-fixed"
    WINDOWS = "windows"
    GAPS = "gaps"
    GREEDY = "greedy"


@dataclass(frozen=True, slots=True)
class _Found:
    """Plan and traffic in blocks, None without one; the verdict in words; exact: nothing moves less."""

    plan: Plan | None
    traffic: int | None
    verdict: str
    exact: bool = False


def solve_as(problem: Problem, budget: int, form: Form, *, time_limit_s: float, solver: str | None = None,
             seed: int = 0) -> tuple[Result, bool]:
    """Solve with one formulation; the best baseline stands in where it finds nothing or something worse.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks.
    form : Form
        "auto" is `solve`; "paper" Eq. 1-12 of COSMA (F1) over free orders; "paper-fixed" the same on the
        order with the smallest peak (COSMA FS, Eq. 16-17); "windows" F2; "gaps" F3 on the order with the
        smallest peak; "greedy" the baselines alone.
    time_limit_s, solver, seed
        As in `solve`.

    Returns
    -------
    Result
        As from `solve`; the solver's own verdict stands in the notes.
    bool
        Whether the formulation found a plan of its own (always true for "auto" and "greedy").

    Raises
    ------
    InputError
        As `solve`; also when a formulation needs a solver and none is there.
    """
    if form is Form.AUTO or time_limit_s <= 0 or explain_infeasible(problem, budget) is not None:
        return solve(problem, budget, time_limit_s=time_limit_s, solver=solver, seed=seed), True
    started = time.monotonic()
    program = None if form is Form.GREEDY else _require_solver(form, solver)
    best, orders = _baselines(problem, budget)
    interrupted, has_plan = False, True
    if program is not None:
        try:
            found = _RUN[form](problem, budget, orders["smallest-peak"], program, time_limit_s, seed)
            has_plan = found.plan is not None
            best.notes.append(f"{form} with {program}: {found.verdict}")
            if found.plan is not None and found.traffic is not None:
                best.offer(problem, found.plan, found.traffic, _TITLES[form], str(program))
                if found.exact:
                    best.raise_bound(min(found.traffic, best.traffic), f"{_TITLES[form]} with {program}")
        except KeyboardInterrupt:
            interrupted = True
    if not best.settled and not interrupted:
        _prove(problem, budget, best, started + time_limit_s)
    return _result(problem, budget, best, time.monotonic() - started, interrupted), has_plan


def _require_solver(form: Form, solver: str | None) -> IlpSolver:
    hint = "pip install 'pulp>=3.3,<4', or leave --formulation out: the portfolio needs no solver"
    if solver == "none":
        raise InputError(f"formulation {form!s} needs a solver, and 'none' forbids it", where="solver",
                         hint="leave --formulation out: the portfolio needs no solver")
    try:
        from hwsim.schedule.ilp_solver import find_solver
    except ImportError:
        raise InputError(f"formulation {form!s} needs PuLP, which is not installed", where="solver",
                         hint=hint) from None
    program = find_solver(solver)
    if program is None:
        raise InputError(f"formulation {form!s} needs a solver, and none is installed", where="solver",
                         hint=hint)
    return program


def _baselines(problem: Problem, budget: int) -> tuple[Progress, dict[str, Order]]:
    orders = named_orders(problem)
    peak = smallest_peak(problem, list(orders.values()), limits=Limits(states=_PROOF_STATES))
    orders["smallest-peak"] = peak.order
    rivals = run_baselines(problem, budget, orders)
    best = Progress(rivals.best_plan, rivals.best_traffic, f"baseline {rivals.best_name}",
                    "greedy allocation", peak=peak.blocks, states=peak.states,
                    baselines=dict(rivals.traffic))
    if budget < peak.lower_bound:
        best.raise_bound(problem.granularity, "smallest peak")
    return best, orders


def _prove(problem: Problem, budget: int, best: Progress, deadline: float) -> None:
    """Raise the bound by what is quick, so that an optimal plan is called so only with a proof."""
    from hwsim.schedule.bounds import must_cross_bound
    from hwsim.schedule.search import search

    best.raise_bound(must_cross_bound(problem, budget), "must-cross knapsack")
    if best.settled:
        return
    tables: SearchTables = tabulate(problem)
    limits = replace(Limits(), states=_PROOF_STATES, deadline_s=max(deadline, time.monotonic() + 1.0))
    seen = search(problem, budget, best.traffic, limits=limits, tables=tables)
    best.states += seen.states
    if seen.complete:
        bound = min(seen.lower_bound if seen.path is None else seen.path.traffic, best.traffic)
        best.raise_bound(bound, "search over (executed, resident, copied) states")


def _result(problem: Problem, budget: int, best: Progress, seconds: float, interrupted: bool) -> Result:
    status = Status.OPTIMAL if best.settled else Status.FEASIBLE
    gap = 0.0 if best.traffic == 0 else (best.traffic - best.lower_bound) / best.traffic
    stats = SolveStats(status, best.lower_bound, gap, best.solver, best.formulation, best.proof, best.states,
                       interrupted, tuple(best.notes), seconds)
    return Result(problem, budget, problem.smallest_budget, best.peak, best.plan, best.traffic, stats,
                  best.baselines)


def _run_paper(problem: Problem, budget: int, order: Order, program: IlpSolver, seconds: float,
               seed: int) -> _Found:
    return _paper(problem, budget, None, program, seconds)


def _run_paper_fixed(problem: Problem, budget: int, order: Order, program: IlpSolver, seconds: float,
                     seed: int) -> _Found:
    return _paper(problem, budget, order, program, seconds)


def _paper(problem: Problem, budget: int, order: Order | None, program: IlpSolver, seconds: float) -> _Found:
    from hwsim.schedule.ilp_paper import solve_paper

    found = solve_paper(problem, budget, solver=program, time_limit_s=seconds, order=order)
    # Eq. 1 and 3 forbid a spill followed at once by a fetch, so its optimum proves nothing about other plans.
    return _Found(found.plan, found.traffic, _verdict(str(found.answer), found.traffic, found.message))


def _run_windows(problem: Problem, budget: int, order: Order, program: IlpSolver, seconds: float,
                 seed: int) -> _Found:
    from hwsim.schedule.ilp_solver import Answer
    from hwsim.schedule.ilp_windows import solve_windows

    found = solve_windows(problem, budget, solver=program, time_limit_s=seconds, seed=seed)
    verdict = _verdict(str(found.answer), found.traffic, found.message)
    return _Found(found.plan, found.traffic, verdict, found.answer is Answer.OPTIMAL)


def _run_gaps(problem: Problem, budget: int, order: Order, program: IlpSolver, seconds: float,
              seed: int) -> _Found:
    from hwsim.schedule.gaps import place
    from hwsim.schedule.ilp_gaps import solve_gaps
    from hwsim.schedule.search import Path

    deadline = time.monotonic() + seconds
    found = solve_gaps(problem, budget, order, (), program, seconds)
    verdict = _verdict(str(found.answer), found.traffic, found.message)
    if found.dropped is None or found.traffic is None:
        return _Found(None, None, verdict)
    path = Path(order, found.dropped, found.traffic)
    placed = place(problem, budget, path, solver=program.key, deadline=deadline, seed=seed)
    if placed.plan is None:
        return _Found(None, None, f"{verdict}, {placed.note}")
    return _Found(placed.plan, placed.traffic, f"{verdict}, {placed.cuts} packing cuts")


def _verdict(answer: str, traffic: int | None, message: str) -> str:
    moved = "" if traffic is None else f"{traffic} blocks"
    return ", ".join(text for text in (answer, moved, message) if text)


_RUN: dict[Form, Callable[[Problem, int, Order, IlpSolver, float, int], _Found]] = {
    Form.PAPER: _run_paper, Form.PAPER_FIXED: _run_paper_fixed, Form.WINDOWS: _run_windows,
    Form.GAPS: _run_gaps}
_TITLES = {Form.PAPER: "F1, Eq. 1-12", Form.PAPER_FIXED: "F1 on the smallest-peak order, Eq. 16-17",
           Form.WINDOWS: "F2 with lazy packing cuts", Form.GAPS: "F3 on the smallest-peak order"}
