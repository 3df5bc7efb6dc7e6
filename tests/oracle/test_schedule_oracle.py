"""All orders x all keep sets x exact packing, written without the package, against all its methods."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from hwsim.schedule import Operator, Problem, Status, Tensor, replay, solve
from hwsim.schedule.gaps import best_replacement, place
from hwsim.schedule.ilp_gaps import solve_gaps
from hwsim.schedule.ilp_paper import solve_paper, solve_paper_peak
from hwsim.schedule.ilp_solver import Answer, find_solver
from hwsim.schedule.ilp_windows import solve_windows
from hwsim.schedule.packing import Rectangle, pack
from hwsim.schedule.search import search

Box = tuple[int, int, int]


def random_problem(generator: np.random.Generator, operators: int, plain: bool) -> Problem:
    """Draw a graph; unless plain with weights, workspaces, siblings, clean outputs and empty tensors."""
    tensors: list[Tensor] = []
    listed = []
    if not plain and generator.random() < 0.4:
        tensors += [Tensor(f"w{k}", int(generator.integers(1, 4)), in_dram=True)
                    for k in range(int(generator.integers(1, 3)))]
    for v in range(operators):
        known = len(tensors)
        wanted = int(generator.integers(0 if v == 0 else 1, 4)) if known else 0
        drawn = generator.integers(max(0, known - 6), max(known, 1), size=wanted)
        inputs = tuple(sorted({int(x) for x in drawn}))
        outputs = []
        for _ in range(2 if not plain and generator.random() < 0.15 else 1):
            outputs.append(len(tensors))
            smallest = 0 if not plain and generator.random() < 0.1 else 1
            clean = bool(not plain and generator.random() < 0.12)
            tensors.append(Tensor(f"t{len(tensors)}", int(generator.integers(smallest, 5)), in_dram=clean))
        workspace = int(generator.integers(1, 3)) if not plain and generator.random() < 0.2 else 0
        listed.append(Operator(f"op{v}", inputs, tuple(outputs), workspace))
    return Problem("random", tuple(listed), tuple(tensors))


def packs(boxes: Sequence[Box], budget: int) -> bool:
    """Tell whether (first step, last step, blocks) boxes fit: by rising address, each as low as it can."""
    if any(sum(s for b, e, s in boxes if b <= step <= e) > budget for step, _, _ in boxes):
        return False
    placed: list[tuple[Box, int]] = []

    def go(left: list[Box], floor: int) -> bool:
        if not left:
            return True
        options = []
        for box in left:
            base = max((a + s for (b, e, s), a in placed if b <= box[1] and box[0] <= e), default=0)
            if base + box[2] > budget:
                return False
            options.append((base, box))
        for base, box in sorted(set(options)):
            if base >= floor:
                placed.append((box, base))
                rest = list(left)
                rest.remove(box)
                if go(rest, base):
                    return True
                placed.pop()
        return False

    return go([box for box in boxes if box[2]], 0)


def cheapest(problem: Problem, budget: int, order: Sequence[int] | None = None) -> int:
    """Least traffic with addresses: every order (or the given one), every choice of what to keep."""
    size = [t.size for t in problem.tensors]
    readers = [set(c) for c in problem.consumers]
    best = [sum(s * (2 + len(r)) for s, r in zip(size, readers, strict=True)) + 1]

    def go(done: frozenset[int], kept: frozenset[int], copied: frozenset[int], cost: int,
           since: dict[int, int], boxes: list[Box]) -> None:
        step = len(done)
        if cost >= best[0]:
            return
        if step == len(problem.operators):
            if packs(boxes, budget):
                best[0] = cost
            return
        for v in range(len(problem.operators)) if order is None else [order[step]]:
            op = problem.operators[v]
            used = sum(size[t] for t in kept if t not in op.inputs) + problem.working_set(v)
            if v in done or not done.issuperset(problem.predecessors[v]) or used > budget:
                continue
            run(v, done, kept, copied, cost, dict(since), list(boxes))

    def run(v: int, done: frozenset[int], kept: frozenset[int], copied: frozenset[int], cost: int,
            since: dict[int, int], boxes: list[Box]) -> None:
        op, step, now = problem.operators[v], len(done), done | {v}
        for t in op.inputs:
            if t not in kept:
                since[t] = step
                if problem.producer[t] < 0 and not readers[t] & done:
                    copied |= {t}
                else:
                    cost += size[t]
        for t in op.outputs:
            since[t] = step
            copied |= {t} if problem.tensors[t].in_dram else set()
        if op.workspace:
            boxes.append((step, step, op.workspace))
        touched = set(op.inputs) | set(op.outputs)
        live = sorted(t for t in touched if readers[t] - now)
        boxes += [(since.pop(t), step, size[t]) for t in sorted(touched - set(live))]
        for keep in itertools.product((True, False), repeat=len(live)):
            dropped = [t for t, stays in zip(live, keep, strict=True) if not stays]
            spills = [t for t in dropped if t not in copied]
            go(now, (kept | touched) - (touched - set(live)) - set(dropped), copied | set(spills),
               cost + sum(size[t] for t in spills), {t: s for t, s in since.items() if t not in dropped},
               boxes + [(since[t], step, size[t]) for t in dropped])

    go(frozenset(), frozenset(), frozenset(), 0, {}, [])
    return best[0]


def budgets(problem: Problem) -> list[int]:
    """M_R, M_H and M_P; the last one by trying budgets upwards."""
    low = peak = problem.smallest_budget
    while search(problem, peak, 1).path is None:
        peak += 1
    return sorted({low, (low + peak) // 2, peak})


def compare(problem: Problem, budget: int, programs: bool) -> int:
    """Check that every method reaches the oracle's optimum with a plan that replays; return that optimum."""
    expected = cheapest(problem, budget)
    found = search(problem, budget, 1 << 40)
    assert found.complete
    assert found.path is not None
    assert (found.path.traffic, found.lower_bound) == (expected, expected)
    fixed = best_replacement(problem, budget, found.path.order)
    assert fixed.proven
    placed = place(problem, budget, fixed.path)
    assert placed.plan is not None
    assert placed.traffic == expected
    seen = replay(problem, placed.plan)
    assert seen.violations == ()
    assert seen.non_compulsory == expected
    if programs:
        solver = find_solver("cbc")
        assert solver is not None
        gaps = solve_gaps(problem, budget, found.path.order, (), solver, 30)
        assert (gaps.answer, gaps.traffic) == (Answer.OPTIMAL, expected)
        free = solve_windows(problem, budget, solver=solver, time_limit_s=30)
        assert (free.answer, free.traffic) == (Answer.OPTIMAL, expected)
        assert free.plan is not None
        assert replay(problem, free.plan).violations == ()
        assert replay(problem, free.plan).non_compulsory == expected
    return expected


def check_paper_form(problem: Problem, budget: int, expected: int, order: Sequence[int] | None) -> None:
    solver = find_solver("cbc")
    assert solver is not None
    paper = solve_paper(problem, budget, solver=solver, time_limit_s=60, order=order)
    assert (paper.answer, paper.traffic) == (Answer.OPTIMAL, expected)
    assert paper.plan is not None
    assert replay(problem, paper.plan).violations == ()
    assert replay(problem, paper.plan).non_compulsory == expected


def test_search_and_replacement_reach_the_oracle_on_small_graphs() -> None:
    generator = np.random.default_rng(11)
    positive = 0
    for number in range(60):
        problem = random_problem(generator, int(generator.integers(3, 8)), plain=number % 2 == 0)
        positive += sum(compare(problem, budget, programs=False) > 0 for budget in budgets(problem))
    assert positive >= 6


def test_integer_programs_reach_the_oracle_on_a_few_graphs() -> None:
    generator = np.random.default_rng(12)
    for number in range(4):
        problem = random_problem(generator, 4, plain=number % 2 == 0)
        budget = problem.smallest_budget
        check_paper_form(problem, budget, compare(problem, budget, programs=True), None)


@pytest.mark.slow
def test_all_methods_reach_the_oracle_on_300_graphs() -> None:
    generator = np.random.default_rng(2026)
    cases = positive = free_orders = fixed_orders = 0
    for number in range(300):
        count = int(generator.integers(4, 9))
        problem = random_problem(generator, count, plain=number % 2 == 0)
        for budget in budgets(problem):
            expected = compare(problem, budget, programs=True)
            cases += 1
            positive += expected > 0
            if count == 4:
                check_paper_form(problem, budget, expected, None)
                free_orders += 1
            if count == 5:
                best = search(problem, budget, 1 << 40).path
                assert best is not None
                check_paper_form(problem, budget, expected, best.order)
                fixed_orders += 1
    assert cases >= 300
    assert positive >= 60
    assert free_orders >= 40
    assert fixed_orders >= 40


def test_fixed_orders_reach_the_oracle() -> None:
    generator = np.random.default_rng(13)
    for number in range(60):
        problem = random_problem(generator, int(generator.integers(4, 9)), plain=number % 2 == 0)
        order = tuple(range(len(problem.operators)))
        for budget in budgets(problem):
            found = best_replacement(problem, budget, order)
            assert found.path.traffic == cheapest(problem, budget, order)


def test_paper_form_finds_the_smallest_peak() -> None:
    generator = np.random.default_rng(14)
    solver = find_solver("cbc")
    assert solver is not None
    for number in range(4):
        problem = random_problem(generator, 5, plain=number % 2 == 0)
        peak = solve_paper_peak(problem, solver=solver, time_limit_s=30)
        assert peak == (Answer.OPTIMAL, budgets(problem)[-1])


def test_packing_agrees_with_plain_backtracking() -> None:
    generator = np.random.default_rng(15)
    refused = 0
    for _ in range(150):
        items = []
        for _ in range(int(generator.integers(4, 10))):
            first = int(generator.integers(0, 8))
            last = min(7, first + int(generator.integers(0, 4)))
            items.append(Rectangle(first, last, int(generator.integers(1, 4))))
        loads = [sum(r.size for r in items if r.start <= s <= r.end) for s in range(8)]
        for budget in (max(loads), max(loads) - 1):
            boxes = [(r.start, r.end, r.size) for r in items]
            found = pack(items, budget)
            assert (found.addresses is not None) == packs(boxes, budget)
            if found.addresses is None:
                refused += 1
                core = [boxes[i] for i in found.conflict]
                assert not packs(core, budget)
                assert all(packs(core[:i] + core[i + 1:], budget) for i in range(len(core)))
    assert refused > 100


def test_solve_reaches_the_oracle() -> None:
    generator = np.random.default_rng(16)
    for number in range(25):
        problem = random_problem(generator, int(generator.integers(3, 8)), plain=number % 2 == 0)
        budget = problem.smallest_budget
        found = solve(problem, budget, time_limit_s=10)
        assert found.stats.status is Status.OPTIMAL
        assert found.traffic == cheapest(problem, budget)
