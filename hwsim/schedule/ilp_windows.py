"""F2: order and replacement in one integer program over time windows, with packing cuts added on demand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulp

from hwsim.schedule.bounds import relatives
from hwsim.schedule.ilp_solver import Answer, IlpSolver, solve_model
from hwsim.schedule.packing import pack, rectangles
from hwsim.schedule.plan import assemble_placed
from hwsim.schedule.residency import Episode, Gap, drop_cost, episodes, use_steps
from hwsim.schedule.search import Path, twins_before
from hwsim.schedule.types import Plan, Problem

_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class WindowsAnswer:
    """Best plan of F2; `answer` OPTIMAL means that no plan with addresses moves fewer blocks.

    `traffic` is in blocks, `cuts` counts the sets of rectangles that could not be packed.
    """

    answer: Answer
    plan: Plan | None
    traffic: int | None
    cuts: int
    message: str = ""


@dataclass(slots=True)
class _Windows:
    """Variables of the model, each by (operator or tensor, step)."""

    problem: Problem
    budget: int
    first: list[int]
    last: list[int]
    run: dict[tuple[int, int], pulp.LpVariable] = field(default_factory=dict)
    resident: dict[tuple[int, int], pulp.LpVariable] = field(default_factory=dict)
    fetch: dict[tuple[int, int, int], pulp.LpVariable] = field(default_factory=dict)
    load: dict[tuple[int, int], pulp.LpVariable] = field(default_factory=dict)
    spill: dict[int, pulp.LpVariable] = field(default_factory=dict)

    def runs(self, v: int, t: int) -> pulp.LpVariable | int:
        return self.run.get((v, t), 0)

    def is_resident(self, a: int, t: int) -> pulp.LpVariable | int:
        return self.resident.get((a, t), 0)

    def fetched(self, a: int, t: int) -> list[pulp.LpVariable]:
        return [self.fetch[a, c, t] for c in self.problem.consumers[a] if (a, c, t) in self.fetch]

    def arrivals(self, a: int, t: int) -> list[pulp.LpVariable]:
        return self.fetched(a, t) + ([self.load[a, t]] if (a, t) in self.load else [])


def solve_windows(problem: Problem, budget: int, *, solver: IlpSolver, time_limit_s: float,
                  start: Path | None = None, seed: int = 0) -> WindowsAnswer:
    """Minimise non-compulsory traffic over all orders, replacements and addresses.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks.
    solver, time_limit_s
        Program and total seconds.
    start : Path, optional
        Known path, given to CBC or CP-SAT as a warm start in the first round.
    seed : int
        Of the packing restarts.
    """
    deadline = time.monotonic() + time_limit_s
    windows = _create_variables(problem, budget)
    model = _build(problem, windows, relocate=False)
    hint = _start_values(windows, start) if start is not None else None
    for cuts in range(_ROUNDS):
        found = solve_model(model, solver, max(0.1, deadline - time.monotonic()), hint)
        if found.answer not in (Answer.OPTIMAL, Answer.FEASIBLE):
            return WindowsAnswer(found.answer, None, None, cuts, found.message)
        order, dropped = _read(windows, found.values)
        runs = episodes(problem, order, dropped)
        packing = pack(rectangles(problem, order, runs), budget, seed=seed, solver=solver.key)
        if packing.addresses is not None:
            plan = assemble_placed(problem, budget, order, runs, packing.addresses)
            return WindowsAnswer(found.answer, plan, drop_cost(problem, dropped), cuts)
        if not packing.conflict:
            return WindowsAnswer(Answer.NOTHING, None, None, cuts, "packing undecided")
        if time.monotonic() > deadline:
            return WindowsAnswer(Answer.NOTHING, None, None, cuts, "time limit while cutting")
        if cuts == 0:
            # Moving a tensor by a fetch while it is resident only pays where addresses matter.
            model = _build(problem, windows, relocate=True)
        model += _no_good(windows, order, runs, packing.conflict) >= 1, f"cut_{cuts}"
        hint = None
    return WindowsAnswer(Answer.NOTHING, None, None, _ROUNDS, "too many packing cuts")


def _create_variables(problem: Problem, budget: int) -> _Windows:
    ancestors, descendants = relatives(problem)
    count = len(problem.operators)
    windows = _Windows(problem, budget, [m.bit_count() for m in ancestors],
                       [count - 1 - m.bit_count() for m in descendants])
    for v in range(count):
        for t in range(windows.first[v], windows.last[v] + 1):
            windows.run[v, t] = pulp.LpVariable(f"run_{v}_{t}", cat="Binary")
    for a, consumers in enumerate(problem.consumers):
        if not consumers:
            continue
        maker = problem.producer[a]
        begin = windows.first[maker] if maker >= 0 else min(windows.first[c] for c in consumers)
        for t in range(begin, max(windows.last[c] for c in consumers) + 1):
            windows.resident[a, t] = pulp.LpVariable(f"in_{a}_{t}", cat="Binary")
            if maker < 0:
                windows.load[a, t] = pulp.LpVariable(f"load_{a}_{t}", 0, 1)
        for c in consumers:
            for t in range(windows.first[c], windows.last[c] + 1):
                windows.fetch[a, c, t] = pulp.LpVariable(f"fetch_{a}_{c}_{t}", 0, 1)
        if not problem.tensors[a].in_dram:
            windows.spill[a] = pulp.LpVariable(f"spill_{a}", 0, 1)
    return windows


def _build(problem: Problem, windows: _Windows, *, relocate: bool) -> pulp.LpProblem:
    model = pulp.LpProblem("windows", pulp.LpMinimize)
    model += (pulp.lpSum(problem.tensors[a].size * s for a, s in windows.spill.items())
              + pulp.lpSum(problem.tensors[a].size * f for (a, _, _), f in windows.fetch.items()))
    _one_operator_per_step(model, windows)
    _precedence(model, windows)
    _operands_resident(model, windows)
    _residency_has_cause(model, windows)
    if not relocate:
        _no_fetch_while_resident(model, windows)
    _fetch_follows_spill(model, windows)
    _capacity(model, windows)
    _conflict_cuts(model, windows)
    _rounding_cuts(model, windows)
    return model


def _one_operator_per_step(model: pulp.LpProblem, windows: _Windows) -> None:
    count = len(windows.first)
    for v in range(count):
        model += pulp.lpSum(windows.runs(v, t) for t in range(count)) == 1
        model += pulp.lpSum(windows.runs(u, v) for u in range(count)) == 1


def _precedence(model: pulp.LpProblem, windows: _Windows) -> None:
    """Strong form, for edges and, as symmetry breaking, for twins."""
    for v in range(len(windows.first)):
        for u in {*windows.problem.predecessors[v], *twins_before(windows.problem, v)[-1:]}:
            for t in range(windows.first[v], windows.last[v] + 1):
                earlier = pulp.lpSum(windows.runs(u, k) for k in range(t))
                model += pulp.lpSum(windows.runs(v, k) for k in range(t + 1)) <= earlier


def _operands_resident(model: pulp.LpProblem, windows: _Windows) -> None:
    for (a, t), inside in windows.resident.items():
        users = (*windows.problem.consumers[a], windows.problem.producer[a])
        model += inside >= pulp.lpSum(windows.runs(v, t) for v in users)


def _residency_has_cause(model: pulp.LpProblem, windows: _Windows) -> None:
    for (a, t), inside in windows.resident.items():
        born = windows.runs(windows.problem.producer[a], t)
        model += inside <= windows.is_resident(a, t - 1) + born + pulp.lpSum(windows.arrivals(a, t))


def _no_fetch_while_resident(model: pulp.LpProblem, windows: _Windows) -> None:
    for a, t in windows.resident:
        model += windows.is_resident(a, t - 1) + pulp.lpSum(windows.arrivals(a, t)) <= 1


def _fetch_follows_spill(model: pulp.LpProblem, windows: _Windows) -> None:
    for (_, c, t), moved in windows.fetch.items():
        model += moved <= windows.runs(c, t)
    for a, consumers in enumerate(windows.problem.consumers):
        for c in consumers:
            span = range(windows.first[c], windows.last[c] + 1)
            if a in windows.spill:
                model += pulp.lpSum(windows.fetch[a, c, t] for t in span) <= windows.spill[a]
        loads = [load for (b, _), load in windows.load.items() if b == a]
        if loads:
            model += pulp.lpSum(loads) <= 1


def _capacity(model: pulp.LpProblem, windows: _Windows) -> None:
    for t in range(len(windows.first)):
        model += _load(windows, t, 1) <= windows.budget


def _rounding_cuts(model: pulp.LpProblem, windows: _Windows) -> None:
    """Capacity counted in multiples of a frequent tensor size, rounded down on both sides."""
    sizes = [tensor.size for tensor in windows.problem.tensors if tensor.size > 1]
    for unit in sorted(set(sizes), key=lambda s: (-sizes.count(s), s))[:2]:
        for t in range(len(windows.first)):
            model += _load(windows, t, unit) <= windows.budget // unit


def _load(windows: _Windows, t: int, unit: int) -> pulp.LpAffineExpression:
    """Return the sum of floor(blocks / unit) over everything resident at step t."""
    problem = windows.problem
    here = [(a, inside) for (a, s), inside in windows.resident.items() if s == t]
    terms = [problem.tensors[a].size // unit * inside for a, inside in here]
    for v, op in enumerate(problem.operators):
        private = op.workspace // unit + sum(problem.tensors[a].size // unit for a in op.outputs
                                             if not problem.consumers[a])
        if private and (v, t) in windows.run:
            terms.append(private * windows.run[v, t])
    return pulp.lpSum(terms)


def _conflict_cuts(model: pulp.LpProblem, windows: _Windows) -> None:
    """Keep a tensor away from every step whose operator has no room for it."""
    problem = windows.problem
    for (a, t), inside in windows.resident.items():
        rivals = [windows.run[v, t] for v, op in enumerate(problem.operators)
                  if (v, t) in windows.run and a not in op.inputs + op.outputs
                  and problem.tensors[a].size > windows.budget - problem.working_set(v)]
        if rivals:
            model += inside + pulp.lpSum(rivals) <= 1


def _no_good(windows: _Windows, order: Sequence[int], runs: Sequence[Episode],
             conflict: Sequence[int]) -> pulp.LpAffineExpression:
    """Count how many members of a set of rectangles that cannot be packed are broken up or absent."""
    terms: list[pulp.LpAffineExpression] = []
    for index in conflict:
        if index >= len(runs):
            step = index - len(runs)
            terms.append(1 - windows.run[order[step], step])
            continue
        run = runs[index]
        if not windows.problem.consumers[run.tensor]:
            terms.append(1 - windows.run[windows.problem.producer[run.tensor], run.start])
            continue
        terms += [1 - windows.resident[run.tensor, t] for t in range(run.start, run.end + 1)]
        terms += [f for t in range(run.start + 1, run.end + 1) for f in windows.fetched(run.tensor, t)]
    return pulp.lpSum(terms)


def _read(windows: _Windows, values: Mapping[str, float]) -> tuple[tuple[int, ...], frozenset[Gap]]:
    """Return the order and the dropped gaps of a solution."""
    step_of = {v: t for (v, t), x in windows.run.items() if values[x.name] > 0.5}
    order = tuple(sorted(step_of, key=lambda v: step_of[v]))
    dropped = set()
    for a, steps in enumerate(use_steps(windows.problem, order)):
        for gap in range(1, len(steps)):
            between = range(steps[gap - 1], steps[gap] + 1)
            inside = all(values[windows.resident[a, t].name] > 0.5 for t in between)
            if not inside or any(values[f.name] > 0.5 for f in windows.arrivals(a, steps[gap])):
                dropped.add((a, gap))
    return order, frozenset(dropped)


def _start_values(windows: _Windows, path: Path) -> dict[str, float]:
    """Return the values that describe a known path."""
    values = {windows.run[v, t].name: 1.0 for t, v in enumerate(path.order) if (v, t) in windows.run}
    for run in episodes(windows.problem, path.order, path.dropped):
        for t in range(run.start, run.end + 1):
            if (run.tensor, t) in windows.resident:
                values[windows.resident[run.tensor, t].name] = 1.0
    uses = use_steps(windows.problem, path.order)
    for a, gap in path.dropped:
        values[windows.fetch[a, path.order[uses[a][gap]], uses[a][gap]].name] = 1.0
        if a in windows.spill:
            values[windows.spill[a].name] = 1.0
    for a, steps in enumerate(uses):
        if steps and (a, steps[0]) in windows.load:
            values[windows.load[a, steps[0]].name] = 1.0
    return values
