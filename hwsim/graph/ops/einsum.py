"""Einstein summation: any number of operands, multiplied pairwise from left to right."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from hwsim.errors import GraphError
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    show,
    text_of,
)
from hwsim.graph.types import AttributeValue, Op, Shape


@dataclass(frozen=True, slots=True)
class Summation:
    """A parsed equation.

    Attributes
    ----------
    terms : tuple of tuple of str
        Index labels of every operand; the axes of an ellipsis have labels of two characters.
    result : tuple of str
        Index labels of the result.
    sizes : mapping of str to int
        Size of every label, after stretching size 1.
    """

    terms: tuple[tuple[str, ...], ...]
    result: tuple[str, ...]
    sizes: Mapping[str, int]

    def space(self, labels: frozenset[str]) -> int:
        """Return the number of index values that `labels` run through together."""
        return math.prod(self.sizes[label] for label in labels)


@dataclass(frozen=True, slots=True)
class Pair:
    """One of the products that an equation is computed with.

    Attributes
    ----------
    left, right, result : frozenset of str
        Labels that really vary in both operands and that the product keeps. Axes of size 1 that are
        stretched do not vary.
    left_operand, right_operand : int
        Operand positions; -1 for the intermediate of the pair before.
    """

    left: frozenset[str]
    right: frozenset[str]
    result: frozenset[str]
    left_operand: int
    right_operand: int


def parse_summation(equation: str, shapes: tuple[Shape, ...]) -> Summation:
    """Parse ``"bij,jk->bik"``; ellipses and implicit results as in numpy.einsum.

    Raises
    ------
    GraphError
        Unknown characters, a wrong number of terms or axes, sizes that differ.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    written = left.split(",")
    if len(written) != len(shapes):
        raise GraphError(f"equation {equation!r} has {len(written)} terms for {len(shapes)} operands")
    broadcast_rank = 0
    for term, shape in zip(written, shapes, strict=True):
        if "..." in term:
            broadcast_rank = max(broadcast_rank, len(shape) - len(term.replace("...", "", 1)))
    terms = tuple(_labels(equation, term, len(shape))
                  for term, shape in zip(written, shapes, strict=True))
    stretched = tuple(f".{axis}" for axis in range(broadcast_rank, 0, -1))
    result = _result_labels(equation, right, stretched) if arrow else _implicit(terms, stretched)
    sizes = _sizes(equation, terms, shapes)
    unknown = [label for label in result if label not in sizes]
    if unknown or len(set(result)) != len(result):
        raise GraphError(f"the result of equation {equation!r} repeats an index "
                         "or has one that no operand has")
    return Summation(terms, result, sizes)


def _labels(equation: str, term: str, rank: int) -> tuple[str, ...]:
    before, dots, after = term.partition("...")
    letters = before + after
    if any(letter not in string.ascii_letters for letter in letters):
        raise GraphError(f"equation {equation!r} may hold letters, commas, one arrow and ellipses only")
    spare = rank - len(letters)
    if spare < 0 or (spare and not dots):
        raise GraphError(f"term {term!r} of equation {equation!r} does not fit an operand of {rank} axes")
    return (*before, *(f".{axis}" for axis in range(spare, 0, -1)), *after)


def _result_labels(equation: str, text: str, stretched: tuple[str, ...]) -> tuple[str, ...]:
    before, dots, after = text.partition("...")
    if any(letter not in string.ascii_letters for letter in before + after):
        raise GraphError(f"equation {equation!r} may hold letters, commas, one arrow and ellipses only")
    return (*before, *(stretched if dots else ()), *after)


def _implicit(terms: tuple[tuple[str, ...], ...], stretched: tuple[str, ...]) -> tuple[str, ...]:
    letters = [label for term in terms for label in term if len(label) == 1]
    return (*stretched, *sorted(label for label in set(letters) if letters.count(label) == 1))


def _sizes(equation: str, terms: tuple[tuple[str, ...], ...], shapes: tuple[Shape, ...]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            known = sizes.get(label, 1)
            if known != size and 1 not in (known, size):
                raise GraphError(f"index {label!r} of equation {equation!r} is {known} and {size} long")
            sizes[label] = max(known, size) if size else 0
    return sizes


@lru_cache(maxsize=1024)
def pairs_of(equation: str, shapes: tuple[Shape, ...]) -> tuple[Pair, ...]:
    """Return the products, left to right, that compute `equation`: ``len(shapes) - 1`` of them.

    The intermediate of a pair keeps the labels that a later operand or the result needs.
    """
    parsed = parse_summation(equation, shapes)
    varying = [_varying(term, shape, parsed.sizes) for term, shape in zip(parsed.terms, shapes, strict=True)]
    pairs: list[Pair] = []
    left, left_operand = varying[0], 0
    for position in range(1, len(varying)):
        right = varying[position]
        later = frozenset(parsed.result).union(*varying[position + 1:])
        result = (left | right) & later
        pairs.append(Pair(left, right, result, left_operand, position))
        left, left_operand = result, -1
    return tuple(pairs)


def _varying(term: tuple[str, ...], shape: Shape, sizes: Mapping[str, int]) -> frozenset[str]:
    return frozenset(label for label, size in zip(term, shape, strict=True) if size == sizes[label])


def operand_shapes(operands: Tensors) -> tuple[Shape, ...]:
    """Return the shapes of all present operands."""
    return tuple(operand.shape for operand in operands if operand is not None)


def _complete(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    return dict(attributes) | {"equation": text_of(attributes, "equation").replace(" ", "")}


def _infer(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shapes = operand_shapes(operands)
    if any(0 in shape for shape in shapes):
        raise GraphError(f"operands {', '.join(map(show, shapes))} hold a size of 0")
    parsed = parse_summation(text_of(attributes, "equation"), shapes)
    return (tuple(parsed.sizes[label] for label in parsed.result),)


def _work(op: Op, operands: Tensors, results: Tensors) -> Work:
    equation, shapes = op.text("equation"), operand_shapes(operands)
    parsed = parse_summation(equation, shapes)
    if len(shapes) == 1:
        summed = parsed.space(frozenset(parsed.terms[0])) - parsed.space(frozenset(parsed.result))
        return Work(primitives={"add": summed}) if summed else Work(moved_elements=parsed.space(
            frozenset(parsed.result)))
    return Work(sum(parsed.space(pair.left | pair.right) for pair in pairs_of(equation, shapes)))


KINDS = (
    OpKind("einsum", Category.CONTRACTION, (Operand("operand", variadic=True),), (Operand("output"),),
           {"equation": Required.TEXT}, _infer, _work,
           "numpy.einsum. MACs of two operands: the product of all index sizes; of more: the sum over the "
           "products taken pairwise from left to right. One operand: a reduction (adds) or a transposition "
           "(moves).",
           _complete),
)
