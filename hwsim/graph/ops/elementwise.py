"""Elementwise functions under numpy broadcasting, and conversion to and from quantized numbers."""

from __future__ import annotations

from hwsim.errors import GraphError, nearest
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    axis_of,
    broadcast,
    get,
    int_of,
    need,
    show,
    text_of,
)
from hwsim.graph.ops.vector import ELEMENTWISE, Function, count_elementwise
from hwsim.graph.types import BOOLEAN, FLOAT32, INT8, AttributeValue, NumberFormat, Op, Role, Shape

_OUTPUTS = (Operand("output"),)


def _function(attributes: Attributes) -> Function:
    name = text_of(attributes, "function")
    if name not in ELEMENTWISE:
        raise GraphError(f"unknown elementwise function {name!r}", hint=nearest(name, ELEMENTWISE))
    return ELEMENTWISE[name]


def _infer(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    function = _function(attributes)
    shapes = tuple(operand.shape for operand in operands if operand is not None)
    wanted = f"{function.operands}" + (" or more" if function.variadic else "")
    if len(shapes) < function.operands or (len(shapes) > function.operands and not function.variadic):
        raise GraphError(f"{attributes['function']} takes {wanted} operands, not {len(shapes)}")
    return (broadcast(shapes),)


def _formats(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    if _function(attributes).logical:
        return (BOOLEAN,)
    choices = operands[1:] if attributes["function"] == "where" else operands
    present = [operand for operand in choices if operand is not None]
    values = [operand for operand in present if operand.role is not Role.CONSTANT] or present
    return (values[0].format,)


def _work(op: Op, operands: Tensors, results: Tensors) -> Work:
    return count_elementwise(op.text("function"), len(operands), need(results, 0).elements)


def _complete_axis(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = len(need(operands, 0).shape)
    if len(need(operands, 1).shape) == 0:
        return dict(attributes) | {"axis": 0}
    return dict(attributes) | {"axis": axis_of("axis", int_of(attributes, "axis"), rank)}


def _infer_quantize(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, scale = need(operands, 0).shape, need(operands, 1).shape
    zero_point = get(operands, 2)
    axis = int_of(attributes, "axis")
    per_axis = (shape[axis],) if shape else ()
    if scale not in ((), (1,), per_axis) and len(scale) != len(shape):
        raise GraphError(f"scale {show(scale)} fits neither the whole tensor "
                         f"nor axis {axis} of {show(shape)}")
    if zero_point is not None and zero_point.shape != scale:
        raise GraphError(f"zero_point {show(zero_point.shape)} must have the shape of scale {show(scale)}")
    return (shape,)


def _quantized_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    zero_point = get(operands, 2)
    return (INT8 if zero_point is None else zero_point.format,)


def _dequantized_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    scale = need(operands, 1).format
    return (scale if scale.exponent_bits else FLOAT32,)


def _work_quantize(op: Op, operands: Tensors, results: Tensors) -> Work:
    elements = need(results, 0).elements
    shifted = elements if get(operands, 2) is not None else 0
    return Work(primitives={"multiply": elements, "logic": elements, "compare": 2 * elements, "add": shifted})


def _work_dequantize(op: Op, operands: Tensors, results: Tensors) -> Work:
    elements = need(results, 0).elements
    return Work(primitives={"multiply": elements, "add": elements if get(operands, 2) is not None else 0})


_SCALED = (Operand("input"), Operand("scale"), Operand("zero_point", optional=True))

KINDS = (
    OpKind("elementwise", Category.VECTOR, (Operand("operand", variadic=True),), _OUTPUTS,
           {"function": Required.TEXT, "parameters": ()}, _infer, _work,
           "One function of hwsim.graph.ops.vector.ELEMENTWISE at every position, operands broadcast as in "
           "numpy. `parameters` holds slopes and bounds, which cost nothing.", formats=_formats),
    OpKind("quantize", Category.VECTOR, _SCALED, _OUTPUTS, {"axis": 1}, _infer_quantize, _work_quantize,
           "saturate(round(input / scale) + zero_point), per tensor or along one axis (ONNX QuantizeLinear).",
           _complete_axis, _quantized_format),
    OpKind("dequantize", Category.VECTOR, _SCALED, _OUTPUTS, {"axis": 1}, _infer_quantize, _work_dequantize,
           "(input - zero_point) * scale (ONNX DequantizeLinear).", _complete_axis, _dequantized_format),
)
