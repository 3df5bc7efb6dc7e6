"""Constraints and dependent knobs as expressions over knob names: parsed, checked, never executed as code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, nearest

Column = NDArray[Any]
_LONGEST, _DEEPEST = 1000, 100
_EXAMPLE = "write it like: array_rows * array_cols <= 4096 and dataflow != 'os'"


class Kind(StrEnum):
    """What a part of an expression stands for."""

    NUMBER = "a number"
    TEXT = "a text"
    TRUTH = "true or false"


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "abs": (1, np.abs),
    "ceil": (1, np.ceil),
    "floor": (1, np.floor),
    "round": (1, np.rint),
    "sqrt": (1, np.sqrt),
    "log2": (1, np.log2),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Attributes
    ----------
    text : str
        As the user wrote it.
    names : frozenset of str
        The names that occur in it.
    tree : ast.expr
        Its syntax, of the allowed kinds only.
    """

    text: str
    names: frozenset[str]
    tree: ast.expr

    def kind(self, kinds: Mapping[str, Kind]) -> Kind:
        """Return what the expression yields if names stand for `kinds`.

        Raises
        ------
        InputError
            An unknown name (with the nearest one), or an operation that does not fit its operands.
        """
        return _kind_of(self.tree, kinds)

    def on(self, columns: Mapping[str, Column]) -> Column:
        """Return its value for columns of equal length: float64, texts, or truth values.

        Numbers are 64-bit floats, exact for whole numbers up to 2**53; x / 0 is infinite, and 0 / 0 is no
        number, which equals and exceeds nothing.
        """
        with np.errstate(all="ignore"):
            return np.asarray(_value(self.tree, columns))


def parse_expression(text: str) -> Expression:
    """Parse an expression.

    Numbers, texts in quotes, names, ``+ - * / // % **``, comparisons (also chained), ``in`` a list,
    ``and or not``, ``a if c else b``, and min, max, abs, ceil, floor, round, sqrt, log2.

    Raises
    ------
    InputError
        Anything else.
    """
    if len(text) > _LONGEST:
        raise InputError(f"an expression of {len(text)} characters is longer than {_LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        _check_depth(tree, text)
        functions = _check_syntax(tree)
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(f"{text!r} is not an expression: {reason}", hint=_EXAMPLE) from None
    except (RecursionError, MemoryError):
        raise InputError(f"{text[:60]!r} is nested too deeply", hint=_EXAMPLE) from None
    return Expression(text.strip(), frozenset(names - functions), tree)


def _check_depth(tree: ast.expr, text: str) -> None:
    """Raise InputError for a tree so deep that walking it could exceed the depth of Python's stack."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise InputError(
                f"{text[:60]!r} is nested too deeply", hint=f"at most {_DEEPEST} operations inside each other"
            )
        level = [part for node in level for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]


def _check_syntax(tree: ast.expr) -> set[str]:
    """Return the names of functions called; InputError for a kind of syntax that is not allowed."""
    functions: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
            if name not in _FUNCTIONS:
                raise InputError(f"no function is called {name!r} here", hint=nearest(name, _FUNCTIONS))
            if node.keywords or len(node.args) != _FUNCTIONS[name][0]:
                raise InputError(f"{name} takes {_FUNCTIONS[name][0]} values: {ast.unparse(node)}")
            functions.add(name)
        elif isinstance(node, ast.BinOp) and type(node.op) not in _ARITHMETIC:
            raise InputError(f"this operator is not allowed: {ast.unparse(node)}", hint=_EXAMPLE)
        elif isinstance(node, ast.Constant) and not isinstance(node.value, int | float | str):
            raise InputError(f"{ast.unparse(node)} is neither number, text nor truth value", hint=_EXAMPLE)
        elif isinstance(node, ast.Constant) and not _fits_a_float(node.value):
            raise InputError(f"{_short(node)} is outside the range of a 64-bit float")
        elif not isinstance(node, _ALLOWED):
            raise InputError(f"not allowed in an expression: {ast.unparse(node)}", hint=_EXAMPLE)
    return functions


def _fits_a_float(value: object) -> bool:
    try:
        return not isinstance(value, int | float) or math.isfinite(float(value))
    except OverflowError:
        return False


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"{text[:20]}...{text[-4:]} ({len(text)} characters)"


_ALLOWED = (
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Call,
    ast.IfExp,
    ast.Constant,
    ast.Name,
    ast.List,
    ast.Tuple,
    ast.Load,
    ast.boolop,
    ast.operator,
    ast.Not,
    ast.UAdd,
    ast.USub,
    ast.cmpop,
)


def _kind_of(node: ast.expr, kinds: Mapping[str, Kind]) -> Kind:
    match node:
        case ast.Constant():
            return _kind_of_constant(node.value)
        case ast.Name():
            if node.id not in kinds:
                raise InputError(f"no knob is called {node.id!r}", hint=nearest(node.id, kinds))
            return kinds[node.id]
        case ast.BoolOp():
            return _all_of(node.values, Kind.TRUTH, kinds)
        case ast.UnaryOp():
            wanted = Kind.TRUTH if isinstance(node.op, ast.Not) else Kind.NUMBER
            return _all_of([node.operand], wanted, kinds)
        case ast.BinOp():
            return _all_of([node.left, node.right], Kind.NUMBER, kinds)
        case ast.Call():
            return _all_of(node.args, Kind.NUMBER, kinds)
        case ast.IfExp():
            _all_of([node.test], Kind.TRUTH, kinds)
            return _all_of([node.orelse], _kind_of(node.body, kinds), kinds)
        case ast.Compare():
            return _kind_of_comparison(node, kinds)
    raise InputError(f"a list stands only to the right of `in`: {ast.unparse(node)}")


def _kind_of_constant(value: object) -> Kind:
    if isinstance(value, bool):
        return Kind.TRUTH
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


def _kind_of_comparison(node: ast.Compare, kinds: Mapping[str, Kind]) -> Kind:
    left = _kind_of(node.left, kinds)
    for sign, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(sign, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple):
                raise InputError(f"`in` needs a list: {ast.unparse(node)}", hint="as in m in [1, 2, 4]")
            _all_of(right.elts, left, kinds)
            continue
        if type(sign) not in _COMPARISONS:
            raise InputError(f"this comparison is not allowed: {ast.unparse(node)}", hint=_EXAMPLE)
        _all_of([right], left, kinds)
        if left is not Kind.NUMBER and not isinstance(sign, ast.Eq | ast.NotEq):
            raise InputError(f"{left} has no order: {ast.unparse(node)}", hint="compare with == or !=")
    return Kind.TRUTH


def _all_of(nodes: list[ast.expr], wanted: Kind, kinds: Mapping[str, Kind]) -> Kind:
    for node in nodes:
        found = _kind_of(node, kinds)
        if found is not wanted:
            raise InputError(f"{ast.unparse(node)} is {found} where {wanted} is due")
    return wanted


def _value(node: ast.expr, columns: Mapping[str, Column]) -> Any:
    match node:
        case ast.Constant():
            is_number = _kind_of_constant(node.value) is Kind.NUMBER
            return np.float64(node.value) if is_number else np.asarray(node.value)  # type: ignore[arg-type]
        case ast.Name():
            return columns[node.id]
        case ast.BoolOp():
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            found = _value(node.values[0], columns)
            for part in node.values[1:]:
                found = join(found, _value(part, columns))
            return found
        case ast.UnaryOp():
            inner = _value(node.operand, columns)
            return (
                np.logical_not(inner)
                if isinstance(node.op, ast.Not)
                else (-inner if isinstance(node.op, ast.USub) else inner)
            )
        case ast.BinOp():
            return _ARITHMETIC[type(node.op)](_value(node.left, columns), _value(node.right, columns))
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name][1](*(_value(part, columns) for part in node.args))
        case ast.IfExp():
            return np.where(*(_value(part, columns) for part in (node.test, node.body, node.orelse)))
        case ast.Compare():
            return _compared(node, columns)
    raise InputError(f"not an expression: {ast.unparse(node)}")


def _compared(node: ast.Compare, columns: Mapping[str, Column]) -> Any:
    left, found = _value(node.left, columns), np.True_
    for sign, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(sign, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple):
            among = np.False_
            for item in right.elts:
                among = np.logical_or(among, left == _value(item, columns))
            found = np.logical_and(found, among if isinstance(sign, ast.In) else np.logical_not(among))
            continue
        value = _value(right, columns)
        found = np.logical_and(found, _COMPARISONS[type(sign)](left, value))
        left = value
    return found
