"""F1: the time-indexed program of the COSMA paper with addresses, kept as a second opinion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulp

from hwsim.schedule.bounds import relatives
from hwsim.schedule.ilp_solver import Answer, IlpSolver, solve_model
from hwsim.schedule.plan import assemble
from hwsim.schedule.residency import Episode
from hwsim.schedule.types import Plan, Problem

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PaperAnswer:
    """Best plan of F1, traffic in blocks, and the solver's verdict."""

    answer: Answer
    plan: Plan | None
    traffic: int | None
    message: str = ""


@dataclass(slots=True)
class _Paper:
    """Variables named as in the paper, by (tensor, step).

    Workspaces are tensors of their own, numbered after the real ones: created with the outputs of
    their operator (Eq. 6) and gone at the next step. Tensors without producer are created by their
    first, free load.
    """

    problem: Problem
    budget: int
    size: list[int]
    maker: list[int]
    window: list[range]
    create: dict[Key, pulp.LpVariable] = field(default_factory=dict)
    preserve: dict[Key, pulp.LpVariable] = field(default_factory=dict)
    spill: dict[Key, pulp.LpVariable] = field(default_factory=dict)
    retrieve: dict[Key, pulp.LpVariable] = field(default_factory=dict)
    address: dict[Key, pulp.LpVariable] = field(default_factory=dict)

    def present(self, a: int, t: int) -> pulp.LpAffineExpression:
        """Residency: C + P + R."""
        groups = (self.create, self.preserve, self.retrieve)
        return pulp.lpSum(group[a, t] for group in groups if (a, t) in group)

    def first_output(self, v: int) -> int:
        return self.problem.operators[v].outputs[0]


def solve_paper(problem: Problem, budget: int, *, solver: IlpSolver, time_limit_s: float,
                order: Sequence[int] | None = None) -> PaperAnswer:
    """Minimise spilled and retrieved blocks with Eq. 1-12; with `order`, Eq. 16-17 (COSMA FS) as well.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks.
    solver, time_limit_s
        Program and seconds.
    order : sequence of int, optional
        Fixes the creation steps.
    """
    paper = _create_variables(problem, budget)
    model = pulp.LpProblem("paper", pulp.LpMinimize)
    model += _eq12_traffic(paper)
    _add_scheduling(model, paper)
    _eq9_fits(paper)
    _eq10_no_overlap(model, paper)
    _eq11_no_move(model, paper)
    if order is not None:
        _eq16_fixed_order(model, paper, order)
    found = solve_model(model, solver, time_limit_s)
    if found.answer not in (Answer.OPTIMAL, Answer.FEASIBLE):
        return PaperAnswer(found.answer, None, None, found.message)
    return PaperAnswer(found.answer, _read_plan(paper, found.values), found.objective)


def solve_paper_peak(problem: Problem, *, solver: IlpSolver,
                     time_limit_s: float) -> tuple[Answer, int | None]:
    """Minimise the peak footprint without addresses and without spills (Eq. 13-15); blocks."""
    paper = _create_variables(problem, sum(t.size for t in problem.tensors)
                              + max(op.workspace for op in problem.operators))
    model = pulp.LpProblem("peak", pulp.LpMinimize)
    peak = pulp.LpVariable("peak", lowBound=0)
    model += peak
    _add_scheduling(model, paper)
    for t in range(len(problem.operators)):
        alive = [a for a in range(len(paper.size)) if t in paper.window[a]]
        model += pulp.lpSum(paper.size[a] * paper.present(a, t) for a in alive) <= peak
    for variable in (*paper.spill.values(), *paper.retrieve.values()):
        variable.upBound = 0
    found = solve_model(model, solver, time_limit_s)
    return found.answer, found.objective


def _create_variables(problem: Problem, budget: int) -> _Paper:
    ancestors, descendants = relatives(problem)
    count = len(problem.operators)
    first = [mask.bit_count() for mask in ancestors]
    last = [count - 1 - mask.bit_count() for mask in descendants]
    size, maker, window = [], [], []
    for a, tensor in enumerate(problem.tensors):
        p, users = problem.producer[a], problem.consumers[a]
        begin = first[p] if p >= 0 else min((first[c] for c in users), default=0)
        end = max((last[c] for c in (*users, p) if c >= 0), default=-1)
        size.append(tensor.size)
        maker.append(p)
        window.append(range(begin, end + 1))
    for v, op in enumerate(problem.operators):
        if op.workspace:
            size.append(op.workspace)
            maker.append(v)
            window.append(range(first[v], last[v] + 1))
    paper = _Paper(problem, budget, size, maker, window)
    for a, span in enumerate(window):
        for t in span:
            can_create = maker[a] < 0 or first[maker[a]] <= t <= last[maker[a]]
            if can_create:
                paper.create[a, t] = pulp.LpVariable(f"C_{a}_{t}", cat="Binary")
            if a < len(problem.tensors) and problem.consumers[a] and t > span.start:
                paper.preserve[a, t] = pulp.LpVariable(f"P_{a}_{t}", cat="Binary")
                paper.spill[a, t] = pulp.LpVariable(f"S_{a}_{t}", cat="Binary")
                paper.retrieve[a, t] = pulp.LpVariable(f"R_{a}_{t}", cat="Binary")
            paper.address[a, t] = pulp.LpVariable(f"L_{a}_{t}", 0, budget)
    return paper


def _add_scheduling(model: pulp.LpProblem, paper: _Paper) -> None:
    _eq1_one_state(model, paper)
    _eq2_preserve(model, paper)
    _eq3_spill(model, paper)
    _eq4_retrieve(model, paper)
    _eq5_operands(model, paper)
    _eq6_siblings(model, paper)
    _eq7_create_once(model, paper)
    _eq8_spill_once(model, paper)
    _one_operator_per_step(model, paper)


def _eq1_one_state(model: pulp.LpProblem, paper: _Paper) -> None:
    for a, t in paper.preserve:
        model += paper.present(a, t) + paper.spill[a, t] <= 1


def _eq2_preserve(model: pulp.LpProblem, paper: _Paper) -> None:
    for (a, t), kept in paper.preserve.items():
        model += kept <= paper.present(a, t - 1)


def _eq3_spill(model: pulp.LpProblem, paper: _Paper) -> None:
    for (a, t), spilled in paper.spill.items():
        before = [g[a, t - 1] for g in (paper.create, paper.preserve) if (a, t - 1) in g]
        model += spilled <= pulp.lpSum(before)


def _eq4_retrieve(model: pulp.LpProblem, paper: _Paper) -> None:
    """Retrieve only after a spill; a tensor that DRAM holds from the start needs only to have existed."""
    for (a, t), moved in paper.retrieve.items():
        cause = paper.create if paper.problem.tensors[a].in_dram else paper.spill
        model += moved <= pulp.lpSum(cause[a, k] for k in paper.window[a] if k <= t and (a, k) in cause)


def _eq5_operands(model: pulp.LpProblem, paper: _Paper) -> None:
    for v, op in enumerate(paper.problem.operators):
        out = paper.first_output(v)
        for t in paper.window[out]:
            if (out, t) not in paper.create:
                continue
            for b in op.inputs:
                groups = [paper.preserve, paper.retrieve] + ([paper.create] if paper.maker[b] < 0 else [])
                model += paper.create[out, t] <= pulp.lpSum(g[b, t] for g in groups if (b, t) in g)


def _eq6_siblings(model: pulp.LpProblem, paper: _Paper) -> None:
    for (a, t), created in list(paper.create.items()):
        if paper.maker[a] >= 0 and a != paper.first_output(paper.maker[a]):
            model += created == paper.create[paper.first_output(paper.maker[a]), t]


def _eq7_create_once(model: pulp.LpProblem, paper: _Paper) -> None:
    for a, span in enumerate(paper.window):
        if span:
            model += pulp.lpSum(paper.create[a, t] for t in span if (a, t) in paper.create) == 1


def _eq8_spill_once(model: pulp.LpProblem, paper: _Paper) -> None:
    for a, span in enumerate(paper.window):
        moves = [paper.spill[a, t] for t in span if (a, t) in paper.spill]
        if moves:
            model += pulp.lpSum(moves) <= 1


def _one_operator_per_step(model: pulp.LpProblem, paper: _Paper) -> None:
    """Not among the equations that are known, but meant: steps are operators."""
    for t in range(len(paper.problem.operators)):
        outs = [paper.first_output(v) for v in range(len(paper.problem.operators))]
        model += pulp.lpSum(paper.create[a, t] for a in outs if (a, t) in paper.create) <= 1


def _eq9_fits(paper: _Paper) -> None:
    for (a, _), place in paper.address.items():
        place.upBound = paper.budget - paper.size[a]


def _eq10_no_overlap(model: pulp.LpProblem, paper: _Paper) -> None:
    big = paper.budget
    keys = sorted(k for k in paper.address if paper.size[k[0]])
    for a, t in keys:
        for b in range(a + 1, len(paper.size)):
            if (b, t) not in paper.address or not paper.size[b]:
                continue
            above = pulp.LpVariable(f"u_{a}_{b}_{t}", cat="Binary")
            below = pulp.LpVariable(f"d_{a}_{b}_{t}", cat="Binary")
            place_a, place_b = paper.address[a, t], paper.address[b, t]
            model += place_a >= place_b + paper.size[b] - big * (1 - above)
            model += place_b >= place_a + paper.size[a] - big * (1 - below)
            model += above + below >= paper.present(a, t) + paper.present(b, t) - 1
            model += above + below <= 1


def _eq11_no_move(model: pulp.LpProblem, paper: _Paper) -> None:
    for (a, t), kept in paper.preserve.items():
        step = paper.address[a, t] - paper.address[a, t - 1]
        model += step <= paper.budget * (1 - kept)
        model += -step <= paper.budget * (1 - kept)


def _eq12_traffic(paper: _Paper) -> pulp.LpAffineExpression:
    free = [t.in_dram for t in paper.problem.tensors]
    return (pulp.lpSum(paper.size[a] * s for (a, _), s in paper.spill.items() if not free[a])
            + pulp.lpSum(paper.size[a] * r for (a, _), r in paper.retrieve.items()))


def _eq16_fixed_order(model: pulp.LpProblem, paper: _Paper, order: Sequence[int]) -> None:
    for t, v in enumerate(order):
        model += paper.create[paper.first_output(v), t] == 1


def _read_plan(paper: _Paper, values: Mapping[str, float]) -> Plan:
    """Turn runs of resident steps into episodes; flooring keeps continuous addresses apart."""

    def lies(a: int, t: int) -> int:
        return math.floor(values.get(paper.address[a, t].name, 0.0) + 1e-4)

    def on(group: dict[Key, pulp.LpVariable], a: int, t: int) -> bool:
        return (a, t) in group and values.get(group[a, t].name, 0.0) > 0.5

    problem = paper.problem
    steps = range(len(problem.operators))
    order = [next(v for v in steps if on(paper.create, paper.first_output(v), t)) for t in steps]
    placed: dict[Episode, int] = {}
    spaces: dict[int, int] = {}
    for a, span in enumerate(paper.window):
        if a >= len(problem.tensors):
            t = next(t for t in span if on(paper.create, a, t))
            spaces[t] = lies(a, t)
            continue
        users = {order.index(v) for v in (*problem.consumers[a], problem.producer[a]) if v >= 0}
        starts = [t for t in span if on(paper.create, a, t) or on(paper.retrieve, a, t)]
        for start in starts:
            end = start
            while on(paper.preserve, a, end + 1):
                end += 1
            used = [t for t in users if start <= t <= end]
            if used:
                placed[Episode(min(used), max(used), a)] = lies(a, start)
    return assemble(problem, paper.budget, order, placed, spaces)
