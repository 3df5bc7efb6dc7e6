"""Tensors that are never evicted: the optimum over free orders stays what it is, with fewer states."""

from __future__ import annotations

import numpy as np

from hwsim.kernels import compiling
from hwsim.schedule import Operator, Problem, Tensor
from hwsim.schedule.pinning import pinned_tables, pinned_tensors
from hwsim.schedule.search import search

ENDLESS = 1 << 40


def draw(generator: np.random.Generator) -> Problem:
    """Draw a graph of few sizes whose operators often read the first tensor or one of the last three."""
    tensors: list[Tensor] = []
    operators = []
    for v in range(int(generator.integers(6, 12))):
        near = [t for t in (0, v - 1, v - 2, v - 3) if 0 <= t < v]
        chosen = generator.choice(near, int(generator.choice([1, 1, 1, 2, 2, 3]))) if near else []
        clean = bool(generator.random() < 0.1)
        tensors.append(Tensor(f"t{v}", int(generator.choice([1, 2, 2, 3])), in_dram=clean))
        private = int(generator.choice([0, 0, 1, 3]))
        operators.append(Operator(f"op{v}", tuple(sorted({int(t) for t in chosen})), (v,), private))
    return Problem("drawn", tuple(operators), tuple(tensors))


def test_the_optimum_stays_and_states_fall() -> None:
    generator = np.random.default_rng(5)
    pinned = costly = fewer = 0
    with compiling.forced(fast=True):
        for _ in range(400):
            problem = draw(generator)
            tables = pinned_tables(problem)
            if not tables.arrays.pinned.any():
                continue
            pinned += 1
            for extra in range(3):
                free = search(problem, problem.smallest_budget + extra, ENDLESS)
                held = search(problem, problem.smallest_budget + extra, ENDLESS, tables=tables)
                assert free.path is not None
                assert held.path is not None
                assert held.path.traffic == free.path.traffic
                costly += free.path.traffic > 0
                fewer += held.states < free.states
    assert pinned > 50
    assert costly > 30
    assert fewer > 30


def test_keys_of_an_attention_are_pinned_and_what_several_read_is_not() -> None:
    # 0 feeds two projections; 1 -> 3 is the chain of a key, 2 the value, 4 the scores.
    problem = Problem.from_blocks({"size": [2, 2, 2, 2, 4, 2], "ins": [[], [0], [0], [1], [3], [2, 4]]})
    assert pinned_tensors(problem) == [1, 2, 3, 4]


def test_a_producer_that_needs_more_room_than_its_reader_is_not_pinned() -> None:
    wide = Problem.from_blocks({"size": [4, 2, 2, 1], "ins": [[], [0], [0], [1, 2]]})
    assert pinned_tensors(wide) == []


def test_fixed_orders_may_evict_what_is_pinned() -> None:
    tensors = [Tensor("t", 2), Tensor("key", 2), Tensor("big", 6), Tensor("other", 2), Tensor("end", 2)]
    operators = (Operator("t", (), (0,)), Operator("key", (0,), (1,)), Operator("big", (0,), (2,)),
                 Operator("other", (2,), (3,)), Operator("end", (1, 3), (4,)))
    problem = Problem("late key", operators, tuple(tensors))
    tables = pinned_tables(problem)
    assert pinned_tensors(problem) == [1, 2]
    fixed = search(problem, 8, ENDLESS, order=(0, 1, 2, 3, 4), tables=tables)
    assert fixed.path is not None
    assert fixed.path.traffic == 4
    free = search(problem, 8, ENDLESS, tables=tables)
    assert free.path is not None
    assert free.path.traffic == search(problem, 8, ENDLESS).lower_bound
