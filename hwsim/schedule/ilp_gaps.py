"""F3: the best replacement for a fixed order as an integer program with one binary per gap between uses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pulp

from hwsim.schedule.ilp_solver import Answer, IlpSolver, solve_model
from hwsim.schedule.residency import Gap, use_steps
from hwsim.schedule.types import Problem


@dataclass(frozen=True, slots=True)
class GapsAnswer:
    """Dropped gaps and their traffic in blocks; both None unless the answer is OPTIMAL or FEASIBLE."""

    answer: Answer
    dropped: frozenset[Gap] | None
    traffic: int | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Columns:
    keep: dict[Gap, pulp.LpVariable]
    spill: dict[int, pulp.LpVariable]


def solve_gaps(problem: Problem, budget: int, order: Sequence[int], cuts: Collection[frozenset[Gap]],
               solver: IlpSolver, time_limit_s: float) -> GapsAnswer:
    """Minimise re-fetches and spills for an order; keeping all gaps of a cut at once is forbidden.

    Parameters
    ----------
    problem, budget, order
        What is scheduled, the scratchpad in blocks, operators by step.
    cuts : collection of sets of gaps
        No-good cuts: sets whose rectangles cannot be packed together.
    """
    uses = use_steps(problem, order)
    columns = _create_columns(problem, uses)
    model = pulp.LpProblem("gaps", pulp.LpMinimize)
    model += _traffic(problem, columns)
    _spill_before_drop(model, columns)
    _capacity(model, problem, budget, order, uses, columns)
    _no_goods(model, columns, cuts)
    found = solve_model(model, solver, time_limit_s)
    if found.answer not in (Answer.OPTIMAL, Answer.FEASIBLE):
        return GapsAnswer(found.answer, None, None, found.message)
    dropped = frozenset(gap for gap, k in columns.keep.items() if found.values.get(k.name, 1.0) < 0.5)
    return GapsAnswer(found.answer, dropped, found.objective)


def _create_columns(problem: Problem, uses: Sequence[Sequence[int]]) -> _Columns:
    gaps = [(t, i) for t, steps in enumerate(uses) for i in range(1, len(steps))]
    keep = {(t, i): pulp.LpVariable(f"keep_{t}_{i}", cat="Binary") for t, i in gaps}
    dirty = sorted({t for t, _ in gaps if not problem.tensors[t].in_dram})
    return _Columns(keep, {t: pulp.LpVariable(f"spill_{t}", 0, 1) for t in dirty})


def _traffic(problem: Problem, columns: _Columns) -> pulp.LpAffineExpression:
    """Objective: sum of s_a (1 - k[a,i]) + sum of s_a sp_a."""
    fetched = pulp.lpSum(problem.tensors[t].size * (1 - k) for (t, _), k in columns.keep.items())
    return fetched + pulp.lpSum(problem.tensors[t].size * s for t, s in columns.spill.items())


def _spill_before_drop(model: pulp.LpProblem, columns: _Columns) -> None:
    """Rows sp_a >= 1 - k[a,i]."""
    for (t, i), k in columns.keep.items():
        if t in columns.spill:
            model += columns.spill[t] >= 1 - k, f"spill_{t}_{i}"


def _capacity(model: pulp.LpProblem, problem: Problem, budget: int, order: Sequence[int],
              uses: Sequence[Sequence[int]], columns: _Columns) -> None:
    """Rows: the kept gaps strictly over step t fit beside the working set of its operator."""
    over: list[list[pulp.LpAffineExpression]] = [[] for _ in order]
    for (t, i), k in columns.keep.items():
        for step in range(uses[t][i - 1] + 1, uses[t][i]):
            over[step].append(problem.tensors[t].size * k)
    for step, terms in enumerate(over):
        if terms:
            model += pulp.lpSum(terms) <= budget - problem.working_set(order[step]), f"room_{step}"


def _no_goods(model: pulp.LpProblem, columns: _Columns, cuts: Collection[frozenset[Gap]]) -> None:
    """Rows: of the gaps of a set that cannot be packed, at least one is dropped."""
    for number, gaps in enumerate(cuts):
        model += pulp.lpSum(1 - columns.keep[gap] for gap in sorted(gaps)) >= 1, f"cut_{number}"
