"""The vocabulary of the op table: what a row says about a kind of operator."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import cast

from hwsim.errors import GraphError
from hwsim.graph.types import AttributeValue, NumberFormat, Op, Shape, Tensor

PRIMITIVES = ("add", "multiply", "divide", "compare", "special", "logic")

Attributes = Mapping[str, AttributeValue]
Tensors = tuple[Tensor | None, ...]


class Category(StrEnum):
    """Which part of a chip an operator keeps busy."""

    CONTRACTION = "contraction"
    RECURRENT = "recurrent"
    VECTOR = "vector"
    MOVEMENT = "movement"


class Required(Enum):
    """Stands in place of a default for attributes that must be given, and says their type."""

    INT = "an integer"
    INTS = "integers"
    TEXT = "a text"


@dataclass(frozen=True, slots=True)
class Operand:
    """One input or output position of a kind.

    Attributes
    ----------
    name : str
        What the position is called in messages and reports.
    optional : bool
        May be absent (``""`` in `Op.inputs`, or missing at the end).
    variadic : bool
        Last position only: one or more tensors.
    """

    name: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """Useful work of one execution of an operator; the op-count formula.

    Attributes
    ----------
    macs : int
        Multiply-accumulates; XNOR-popcount pairs for the binary kinds. Padding positions count.
    primitives : mapping of str to int
        Elementary vector operations, keyed by a name of `PRIMITIVES`; zero counts are left out.
    moved_elements : int
        Elements that pass through a data-movement operator.
    """

    macs: int = 0
    primitives: Mapping[str, int] = field(default_factory=dict)
    moved_elements: int = 0

    def __post_init__(self) -> None:
        kept = {name: self.primitives[name] for name in PRIMITIVES if self.primitives.get(name)}
        object.__setattr__(self, "primitives", MappingProxyType(kept))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.macs, dict(self.primitives), self.moved_elements))

    def __add__(self, other: Work) -> Work:
        """Return the work of both, one after the other."""
        summed = {name: self.primitives.get(name, 0) + other.primitives.get(name, 0) for name in PRIMITIVES}
        return Work(self.macs + other.macs, summed, self.moved_elements + other.moved_elements)

    @property
    def vector_operations(self) -> int:
        """Number of elementary vector operations of every name."""
        return sum(self.primitives.values())


InferRule = Callable[[Attributes, Tensors], tuple[Shape, ...]]
CompleteRule = Callable[[Attributes, Tensors], dict[str, AttributeValue]]
FormatRule = Callable[[Attributes, Tensors], tuple[NumberFormat, ...]]
WorkRule = Callable[[Op, Tensors, Tensors], Work]


def keep_attributes(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    """Return the attributes as they are: the rule of kinds without shape-dependent defaults."""
    return dict(attributes)


def first_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    """Return the format of the first operand, which most results share."""
    return (need(operands, 0).format,)


@dataclass(frozen=True, slots=True)
class OpKind:
    """One row of the op table.

    Attributes
    ----------
    name : str
        Key in ``OP_KINDS``, the field's standard term.
    category : Category
        Contraction, recurrent, vector or movement.
    operands, outputs : tuple of Operand
        Positions of `Op.inputs` and `Op.outputs`.
    attributes : mapping of str to default or Required
        Every attribute; ``()`` stands for a default that `complete` derives from the shapes.
    infer : callable (attributes, operands) -> tuple of Shape
        Shape rule: one shape per output position. Raises GraphError with the numbers.
    work : callable (op, operands, results) -> Work
        Op-count formula.
    doc : str
        Definition, with its source.
    complete : callable (attributes, operands) -> dict
        Fills shape-dependent defaults and normalises axes.
    formats : callable (attributes, operands) -> tuple of NumberFormat
        Default formats of the results; the last one holds for all further results.
    aliases : bool
        True when the result is the operand's memory under another shape: nothing moves.
    """

    name: str
    category: Category
    operands: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    attributes: Mapping[str, AttributeValue | Required]
    infer: InferRule
    work: WorkRule
    doc: str
    complete: CompleteRule = keep_attributes
    formats: FormatRule = first_format
    aliases: bool = False


def need(operands: Tensors, position: int) -> Tensor:
    """Return the operand at `position`; GraphError when it is absent."""
    operand = operands[position] if position < len(operands) else None
    if operand is None:
        raise GraphError(f"operand {position} is missing")
    return operand


def get(operands: Tensors, position: int) -> Tensor | None:
    """Return the operand at `position`, None when it is absent."""
    return operands[position] if position < len(operands) else None


def as_int(name: str, value: object) -> int:
    """Return `value` as a plain int; GraphError for floats, texts and booleans."""
    if isinstance(value, bool):
        raise GraphError(f"{name} must be an integer, not {value!r}")
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise GraphError(f"{name} must be an integer, not {value!r}") from None


def as_ints(name: str, values: Sequence[object]) -> tuple[int, ...]:
    """Return `values` as plain ints; GraphError as for `as_int`."""
    if set(map(type, values)) <= {int}:  # a memory trace has millions: no call for each
        return tuple(cast("Sequence[int]", values))
    return tuple(as_int(name, value) for value in values)


def int_of(attributes: Attributes, name: str) -> int:
    """Return the integer attribute `name`."""
    return as_int(name, attributes[name])


def ints_of(attributes: Attributes, name: str) -> tuple[int, ...]:
    """Return the integer-list attribute `name`."""
    value = attributes[name]
    if not isinstance(value, tuple):
        raise GraphError(f"{name} must be a list of integers, not {value!r}")
    return as_ints(name, value)


def text_of(attributes: Attributes, name: str, allowed: tuple[str, ...] = ()) -> str:
    """Return the text attribute `name`; GraphError when it is none of `allowed`."""
    value = attributes[name]
    if not isinstance(value, str):
        raise GraphError(f"{name} must be a text, not {value!r}")
    if allowed and value not in allowed:
        raise GraphError(f"{name} is {value!r}", hint=f"known: {', '.join(allowed)}")
    return value


def axis_of(name: str, axis: int, rank: int) -> int:
    """Return `axis` counted from the front; GraphError when it lies outside ``[-rank, rank)``."""
    if not -rank <= axis < rank:
        raise GraphError(f"{name} {axis} is outside a tensor of rank {rank}")
    return axis % rank


def axes_of(name: str, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Return `axes` counted from the front, each at most once."""
    resolved = tuple(axis_of(name, axis, rank) for axis in axes)
    if len(set(resolved)) != len(resolved):
        raise GraphError(f"{name} {list(axes)} names an axis twice")
    return resolved


def broadcast(shapes: tuple[Shape, ...]) -> Shape:
    """Return the numpy broadcast of `shapes`; GraphError when they do not fit.

    Sizes are aligned at the last axis; 1 stretches to the other's size.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result: list[int] = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis}
        stretched = sizes - {1}
        if len(stretched) > 1:
            shown = ", ".join(show(shape) for shape in shapes)
            raise GraphError(f"shapes {shown} do not broadcast: "
                             f"sizes {sorted(stretched)} meet at axis {axis}")
        result.append(stretched.pop() if stretched else 1)
    return tuple(result)


def show(shape: Shape) -> str:
    """Return a shape as it is printed in messages: ``[1, 3, 224, 224]``."""
    return str(list(shape))
