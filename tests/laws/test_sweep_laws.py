"""Laws of fronts, samples and expressions."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.sweep.expressions import Kind, parse_expression
from hwsim.sweep.pareto import front
from hwsim.sweep.points import blocks
from tests.unit.sweep.spaces import plan

COSTS = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(-4, 4), min_size=width, max_size=width), min_size=1, max_size=40
    )
)


def dominates(a: Any, b: Any) -> bool:
    return bool((a <= b).all() and (a < b).any())


@given(COSTS)
def test_front_is_what_nothing_dominates(rows: list[list[int]]) -> None:
    costs = np.array(rows, dtype=float)
    expected = [place for place, row in enumerate(costs) if not any(dominates(other, row) for other in costs)]
    assert front(costs).tolist() == expected


@given(COSTS, st.randoms(use_true_random=False))
def test_front_does_not_depend_on_the_order(rows: list[list[int]], random: Any) -> None:
    costs = np.array(rows, dtype=float)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert sorted(order[place] for place in front(costs[order])) == front(costs).tolist()


@given(COSTS)
def test_front_of_the_front_is_itself(rows: list[list[int]]) -> None:
    best = np.array(rows, dtype=float)[front(np.array(rows, dtype=float))]
    assert len(front(best)) == len(best)


@given(COSTS)
def test_rows_that_are_no_numbers_never_win(rows: list[list[int]]) -> None:
    costs = np.array(rows, dtype=float)
    spoiled = np.vstack((costs, np.full((1, costs.shape[1]), np.nan)))
    spoiled[-1, 0] = -np.inf if costs.shape[1] > 1 else np.nan
    assert front(spoiled).tolist() == front(costs).tolist()


@given(st.integers(1, 300), st.integers(0, 5))
def test_latin_hypercube_has_one_point_in_every_stratum(samples: int, seed: int) -> None:
    knobs = {name: {"from": 0.5, "to": 1.5} for name in ("supply_v",)} | {
        "clock_hz": {"from": 1e8, "to": 2e8}
    }
    made = plan(knobs=knobs, sampling="latin_hypercube", samples=samples, seed=seed)
    rows = np.array([row for block in blocks(made) for row in block.rows], dtype=float)
    shares = np.column_stack((rows[:, 0] - 0.5, rows[:, 1] / 1e8 - 1))
    for column in shares.T:
        assert sorted(np.floor(column * samples + 1e-6).astype(int)) == list(range(samples))


NUMBERS = st.recursive(
    st.sampled_from(["a", "b", "2", "3.5"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner)
        | st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner)
    ),
    max_leaves=6,
)
TRUTHS = st.recursive(
    st.builds("({} {} {})".format, NUMBERS, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), NUMBERS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=4,
)


@given(TRUTHS, st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=5))
def test_expressions_agree_with_python(text: str, rows: list[tuple[int, int]]) -> None:
    expression = parse_expression(text)
    assert expression.kind({"a": Kind.NUMBER, "b": Kind.NUMBER}) is Kind.TRUTH
    code = compile(ast.Expression(ast.parse(text, mode="eval").body), "expression", "eval")
    names = {"min": min, "max": max}
    expected = [eval(code, {"__builtins__": {}}, names | {"a": a, "b": b}) for a, b in rows]
    columns = {"a": np.array([a for a, _ in rows], float), "b": np.array([b for _, b in rows], float)}
    assert np.broadcast_to(expression.on(columns), (len(rows),)).tolist() == expected
