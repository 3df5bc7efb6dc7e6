"""The op table: every kind of operator with its operands, shape rule and op-count formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hwsim.errors import GraphError, Problem, nearest
from hwsim.graph.ops import (
    convolution,
    einsum,
    elementwise,
    indexing,
    logic,
    matrix,
    memory,
    message_passing,
    movement,
    normalization,
    pooling,
    recurrent,
    reduction,
)
from hwsim.graph.ops.kinds import (
    PRIMITIVES,
    Category,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    as_int,
    as_ints,
    show,
)
from hwsim.graph.types import AttributeValue, Graph, Op, Shape

__all__ = ["OP_KINDS", "PRIMITIVES", "Category", "OpKind", "Operand", "Required", "Work",
           "complete_attributes", "describe_operands", "infer_shapes", "op_kind", "work_of"]

_FAMILIES = (convolution, matrix, einsum, recurrent, elementwise, normalization, pooling, reduction, movement,
             indexing, logic, memory, message_passing)
OP_KINDS: Mapping[str, OpKind] = MappingProxyType({k.name: k for family in _FAMILIES for k in family.KINDS})


def op_kind(name: str) -> OpKind:
    """Return the row of the op table called `name`; GraphError with the nearest name otherwise."""
    if name not in OP_KINDS:
        raise GraphError(f"unknown kind of operator {name!r}", hint=nearest(name, OP_KINDS))
    return OP_KINDS[name]


def work_of(graph: Graph, op: Op) -> Work:
    """Return the useful work of one execution of `op`: MACs, elementary operations, moved elements."""
    return op_kind(op.kind).work(op, graph.operands(op), graph.results(op))


def complete_attributes(kind: OpKind, given: Mapping[str, object],
                        operands: Tensors) -> dict[str, AttributeValue]:
    """Return every attribute of `kind`, with defaults filled in and axes counted from the front.

    Parameters
    ----------
    kind : OpKind
        Row of the op table.
    given : mapping
        Attributes as the caller has them; lists and numpy integers are converted.
    operands : tuple of Tensor or None
        Needed for shape-dependent defaults.

    Raises
    ------
    GraphError
        Unknown or missing attributes (all at once), a wrong type, a value out of range, missing operands.
    """
    check_operands(kind, operands)
    problems = [Problem(name, "unknown attribute", nearest(name, kind.attributes))
                for name in given if name not in kind.attributes]
    problems += [Problem(name, f"missing attribute, {default.value} needed")
                 for name, default in kind.attributes.items()
                 if isinstance(default, Required) and name not in given]
    if problems:
        raise GraphError(problems=problems)
    filled = {name: _convert(name, given.get(name, default), default)
              for name, default in kind.attributes.items()}
    return kind.complete(filled, operands)


def infer_shapes(kind: OpKind, attributes: Mapping[str, AttributeValue],
                 operands: Tensors) -> tuple[Shape, ...]:
    """Return the shape of every result; GraphError, with the numbers, when the operands do not fit."""
    check_operands(kind, operands)
    return kind.infer(attributes, operands)


def describe_operands(kind: OpKind, operands: Tensors) -> str:
    """Return operands with their shapes for messages: ``input [1, 3, 8, 8], weight [4, 3, 3, 3]``."""
    names = [operand.name for operand in kind.operands]
    names += names[-1:] * (len(operands) - len(names))
    return ", ".join(f"{name} {show(tensor.shape)}" for name, tensor in zip(names, operands, strict=False)
                     if tensor is not None) or "no operands"


def check_operands(kind: OpKind, operands: Tensors) -> None:
    """Raise GraphError when operands are missing or too many for `kind`."""
    variadic = bool(kind.operands) and kind.operands[-1].variadic
    if len(operands) > len(kind.operands) and not variadic:
        raise GraphError(f"{kind.name} takes at most {len(kind.operands)} operands, not {len(operands)}")
    for position, operand in enumerate(kind.operands):
        absent = position >= len(operands) or operands[position] is None
        if absent and not operand.optional:
            raise GraphError(f"{kind.name} needs operand {operand.name!r}")
    if variadic and None in operands:
        raise GraphError(f"{kind.name} takes no absent operands")


def _convert(name: str, value: object, default: AttributeValue | Required) -> AttributeValue:
    """Return `value` in the type that the attribute's default announces."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        if not isinstance(default, tuple) and default is not Required.INTS:
            raise GraphError(f"{name} must be a single value, not {value!r}")
        return _convert_list(name, value, ints=default is Required.INTS)
    if isinstance(default, tuple) or default is Required.INTS:
        raise GraphError(f"{name} must be a list, not {value!r}")
    if isinstance(default, bool):
        if value not in (0, 1):
            raise GraphError(f"{name} must be true or false, not {value!r}")
        return bool(value)
    if isinstance(default, str) or default is Required.TEXT:
        if not isinstance(value, str):
            raise GraphError(f"{name} must be a text, not {value!r}")
        return value
    if isinstance(default, float):
        if isinstance(value, str) or not hasattr(value, "__float__"):
            raise GraphError(f"{name} must be a number, not {value!r}")
        return float(value)
    return as_int(name, value)


def _convert_list(name: str, value: Sequence[object], *, ints: bool) -> AttributeValue:
    if ints or not value or not isinstance(value[0], str | float):
        return as_ints(name, value)
    if all(isinstance(item, str) for item in value):
        return tuple(str(item) for item in value)
    if all(isinstance(item, int | float) for item in value):
        return tuple(float(item) for item in value if isinstance(item, int | float))
    raise GraphError(f"{name} {list(value)} mixes texts and numbers")
