from __future__ import annotations

import numpy as np
import pytest

from hwsim.errors import InputError
from hwsim.sweep.expressions import Kind, parse_expression

KINDS = {"rows": Kind.NUMBER, "cols": Kind.NUMBER, "flow": Kind.TEXT, "fused": Kind.TRUTH}
COLUMNS = {
    "rows": np.array([8.0, 16.0, 32.0]),
    "cols": np.array([4.0, 16.0, 64.0]),
    "flow": np.array(["ws", "os", "ws"]),
    "fused": np.array([True, False, True]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rows * cols <= 256", [True, True, False]),
        ("4 < rows < 20", [True, True, False]),
        ("flow == 'ws' and not fused or rows in [16, 64]", [False, True, False]),
        ("flow not in ('ws', 'is')", [False, True, False]),
        ("fused", [True, False, True]),
        ("max(rows, cols) % 16 == 0", [False, True, True]),
        ("(rows if flow == 'ws' else cols) >= 16", [False, True, True]),
        ("-rows ** 2 < -60", [True, True, True]),
        ("log2(rows) == 4 or ceil(rows / 3) == 3", [True, True, False]),
        ("rows // 0 > 1", [True, True, True]),
        ("0 / (rows - 8) == 0", [False, True, True]),
    ],
)
def test_expressions_on_columns(text: str, expected: list[bool]) -> None:
    expression = parse_expression(text)
    assert expression.kind(KINDS) is Kind.TRUTH
    assert np.broadcast_to(expression.on(COLUMNS), (3,)).tolist() == expected


def test_a_hundred_operations_inside_each_other_are_fine() -> None:
    expression = parse_expression("rows" + " + 1" * 90 + " == 98")
    assert expression.kind(KINDS) is Kind.TRUTH
    assert expression.on(COLUMNS).tolist() == [True, False, False]


def test_names_leave_out_functions() -> None:
    assert parse_expression("min(rows, cols) + abs(rows)").names == {"rows", "cols"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "rows.real",
        "rows[0]",
        "[r for r in rows]",
        "lambda: 1",
        "(rows := 3)",
        "f'{rows}'",
        "rows @ cols",
        "rows << 3",
        "open('x')",
        "min(rows)",
        "min(*rows)",
        "max(rows, cols, key=abs)",
        "1j",
        "None",
        "b'x'",
        "rows <",
        "",
        "x" * 1001,
        "(" * 500 + "1" + ")" * 500,
        "a\0b",
        "{1: 2}",
        "rows; cols",
        f"rows < 1{'0' * 400}",
        "rows < 1e400",
        "-" * 900 + "rows < 1",
        "rows" + " + rows" * 120 + " < 1",
        f"rows < {'not ' * 150}fused",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("row > 3", "did you mean 'rows'?"),
        ("flow > 'ws'", "has no order"),
        ("flow == 3", "a number where a text"),
        ("rows and cols", "a number where true or false"),
        ("fused + 1 > 0", "true or false where a number"),
        ("rows in 3", "needs a list"),
        ("[1] == rows", "right of `in`"),
        ("rows is cols", "not allowed"),
        ("rows if flow == 'ws' else flow", "a text where a number"),
    ],
)
def test_kinds_are_checked(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_expression(text).kind(KINDS)
    assert words in str(caught.value)
