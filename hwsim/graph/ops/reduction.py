"""Reductions along axes, arg-reductions, the k largest elements and running sums."""

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
    axes_of,
    axis_of,
    int_of,
    ints_of,
    need,
    text_of,
)
from hwsim.graph.ops.vector import REDUCTIONS, count_reduction, count_top_k
from hwsim.graph.types import INT64, AttributeValue, NumberFormat, Op, Shape

_INPUT = (Operand("input"),)
_OUTPUTS = (Operand("output"),)


def _complete_axes(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = len(need(operands, 0).shape)
    axes = ints_of(attributes, "axes") or tuple(range(rank))
    return dict(attributes) | {"axes": tuple(sorted(axes_of("axes", axes, rank)))}


def _complete_axis(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = len(need(operands, 0).shape)
    return dict(attributes) | {"axis": axis_of("axis", int_of(attributes, "axis"), rank)}


def _reduced(shape: Shape, axes: tuple[int, ...], *, keep: bool) -> Shape:
    if keep:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _infer_reduce(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    function = text_of(attributes, "function")
    if function not in REDUCTIONS:
        raise GraphError(f"unknown reduction {function!r}", hint=nearest(function, REDUCTIONS))
    keep = bool(attributes["keep_dims"])
    return (_reduced(need(operands, 0).shape, ints_of(attributes, "axes"), keep=keep),)


def _work_reduce(op: Op, operands: Tensors, results: Tensors) -> Work:
    return count_reduction(op.text("function"), need(operands, 0).elements, need(results, 0).elements)


def _infer_arg(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    text_of(attributes, "function", ("max", "min"))
    axis = (int_of(attributes, "axis"),)
    return (_reduced(need(operands, 0).shape, axis, keep=bool(attributes["keep_dims"])),)


def _work_arg(op: Op, operands: Tensors, results: Tensors) -> Work:
    return count_reduction("max", need(operands, 0).elements, need(results, 0).elements)


def _index_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    return (INT64,)


def _infer_top_k(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, axis, kept = need(operands, 0).shape, int_of(attributes, "axis"), int_of(attributes, "k")
    if not 1 <= kept <= shape[axis]:
        raise GraphError(f"k is {kept}, axis {axis} has {shape[axis]} elements")
    result = (*shape[:axis], kept, *shape[axis + 1:])
    return (result, result)


def _top_k_formats(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    return (need(operands, 0).format, INT64)


def _work_top_k(op: Op, operands: Tensors, results: Tensors) -> Work:
    return count_top_k(need(operands, 0).elements, op.int("k"))


def _infer_same(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    return (need(operands, 0).shape,)


def _work_cumulative(op: Op, operands: Tensors, results: Tensors) -> Work:
    source = need(operands, 0)
    rows = source.elements // max(1, source.shape[op.int("axis")])
    return Work(primitives={"add": source.elements - rows})


KINDS = (
    OpKind("reduce", Category.VECTOR, _INPUT, _OUTPUTS,
           {"function": Required.TEXT, "axes": (), "keep_dims": True}, _infer_reduce, _work_reduce,
           "One function of hwsim.graph.ops.vector.REDUCTIONS over `axes` (all when empty).", _complete_axes),
    OpKind("arg_reduce", Category.VECTOR, _INPUT, _OUTPUTS,
           {"function": Required.TEXT, "axis": 0, "keep_dims": True}, _infer_arg, _work_arg,
           "Position of the largest or smallest element along `axis`.", _complete_axis, _index_format),
    OpKind("top_k", Category.VECTOR, _INPUT, (Operand("values"), Operand("indices", optional=True)),
           {"k": Required.INT, "axis": -1, "largest": True, "sorted": True}, _infer_top_k, _work_top_k,
           "The k largest (or smallest) elements along `axis` and their positions.", _complete_axis,
           _top_k_formats),
    OpKind("cumulative_sum", Category.VECTOR, _INPUT, _OUTPUTS,
           {"axis": Required.INT, "exclusive": False, "reverse": False}, _infer_same, _work_cumulative,
           "Running sum along `axis`.", _complete_axis),
)
