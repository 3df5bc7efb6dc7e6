"""Logic gates and adder cells on bits: the operators of gate netlists."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    get,
    need,
    show,
    text_of,
)
from hwsim.graph.types import Op, Shape

GATE_OPERANDS = {"buffer": 1, "not": 1, "and": 2, "or": 2, "nand": 2, "nor": 2, "xor": 2}
"""Operands of every function of a logic gate."""

_HALF_ADDER_GATES, _FULL_ADDER_GATES = 2, 5


def _same_shape(operands: Tensors) -> Shape:
    shapes = {operand.shape for operand in operands if operand is not None}
    if len(shapes) > 1:
        raise GraphError(
            f"operands {', '.join(sorted(show(shape) for shape in shapes))} must be of one shape"
        )
    return need(operands, 0).shape


def _infer_gate(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    wanted = GATE_OPERANDS[text_of(attributes, "function", tuple(GATE_OPERANDS))]
    given = sum(operand is not None for operand in operands)
    if given != wanted:
        raise GraphError(f"{attributes['function']} takes {wanted} operands, not {given}")
    return (_same_shape(operands),)


def _work_gate(op: Op, operands: Tensors, results: Tensors) -> Work:
    return Work(primitives={"logic": need(results, 0).elements})


def _infer_adder(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape = _same_shape(operands)
    return shape, shape


def _work_adder(op: Op, operands: Tensors, results: Tensors) -> Work:
    gates = _HALF_ADDER_GATES if get(operands, 2) is None else _FULL_ADDER_GATES
    return Work(primitives={"logic": gates * need(operands, 0).elements})


KINDS = (
    OpKind(
        "logic_gate",
        Category.VECTOR,
        (Operand("a"), Operand("b", optional=True)),
        (Operand("y"),),
        {"function": Required.TEXT},
        _infer_gate,
        _work_gate,
        "One Boolean function of `GATE_OPERANDS` of one or two bits at every position; 1 logic operation a "
        "position.",
    ),
    OpKind(
        "adder_cell",
        Category.VECTOR,
        (Operand("a"), Operand("b"), Operand("carry_in", optional=True)),
        (Operand("sum"), Operand("carry", optional=True)),
        {},
        _infer_adder,
        _work_adder,
        "Sum and carry of two bits (half adder: XOR and AND, 2 logic operations) or of three (full adder: "
        "two XOR, two AND, one OR, 5 logic operations) at every position.",
    ),
)
