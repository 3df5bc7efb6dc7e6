"""Operators that rearrange, copy or create data without arithmetic."""

from __future__ import annotations

import math

from hwsim.errors import GraphError
from hwsim.graph.formats import parse_format
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
    broadcast,
    int_of,
    ints_of,
    need,
    show,
    text_of,
)
from hwsim.graph.types import FLOAT32, INT64, AttributeValue, NumberFormat, Op, Shape

_INPUT = (Operand("input"),)
_OUTPUTS = (Operand("output"),)


def move_nothing(op: Op, operands: Tensors, results: Tensors) -> Work:
    """Return no work: the result is the operand's memory."""
    return Work()


def move_results(op: Op, operands: Tensors, results: Tensors) -> Work:
    """Return the work of writing every result element once."""
    return Work(moved_elements=sum(result.elements for result in results if result is not None))


def _shape(operands: Tensors) -> Shape:
    return need(operands, 0).shape


def _infer_same(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    return (_shape(operands),)


def _complete_reshape(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    source, wanted = _shape(operands), ints_of(attributes, "shape")
    elements = math.prod(source)
    if wanted.count(-1) > 1 or min(wanted, default=0) < -1:
        raise GraphError(f"shape {list(wanted)} may hold one -1 and otherwise sizes")
    if elements and 0 in wanted:
        if any(size == 0 and axis >= len(source) for axis, size in enumerate(wanted)):
            raise GraphError(f"shape {list(wanted)} copies an axis that input {show(source)} does not have")
        wanted = tuple(size or source[axis] for axis, size in enumerate(wanted))
    if -1 in wanted:
        rest = math.prod(size for size in wanted if size != -1)
        if rest == 0 or elements % rest:
            raise GraphError(f"cannot reshape {show(source)} ({elements} elements) into {list(wanted)}")
        wanted = tuple(elements // rest if size == -1 else size for size in wanted)
    return dict(attributes) | {"shape": wanted}


def _infer_reshape(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    source, wanted = _shape(operands), ints_of(attributes, "shape")
    if math.prod(source) != math.prod(wanted):
        raise GraphError(f"cannot reshape {show(source)} ({math.prod(source)} elements) into {show(wanted)} "
                         f"({math.prod(wanted)} elements)")
    return (wanted,)


def _complete_transpose(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = len(_shape(operands))
    permutation = ints_of(attributes, "permutation") or tuple(reversed(range(rank)))
    if sorted(axes_of("permutation", permutation, rank)) != list(range(rank)):
        raise GraphError(f"permutation {list(permutation)} must name each of {rank} axes once")
    return dict(attributes) | {"permutation": axes_of("permutation", permutation, rank)}


def _infer_transpose(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape = _shape(operands)
    return (tuple(shape[axis] for axis in ints_of(attributes, "permutation")),)


def _complete_axis(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    axis = axis_of("axis", int_of(attributes, "axis"), len(_shape(operands)))
    return dict(attributes) | {"axis": axis}


def _infer_concatenate(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    axis = int_of(attributes, "axis")
    shapes = [need(operands, position).shape for position in range(len(operands))]
    outside = {(*shape[:axis], *shape[axis + 1:]) for shape in shapes}
    if len(outside) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise GraphError(f"shapes {', '.join(show(s) for s in shapes)} differ beside axis {axis}")
    first = shapes[0]
    return ((*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1:]),)


def _complete_slice(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    shape = _shape(operands)
    starts, ends = ints_of(attributes, "starts"), ints_of(attributes, "ends")
    axes = axes_of("axes", ints_of(attributes, "axes") or tuple(range(len(starts))), len(shape))
    steps = ints_of(attributes, "steps") or (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise GraphError(f"starts {list(starts)}, ends {list(ends)}, axes {list(axes)} and "
                         f"steps {list(steps)} must have the same length")
    if 0 in steps:
        raise GraphError(f"steps {list(steps)} holds a zero")
    bounds = [slice(start, end, step).indices(shape[axis])
              for start, end, axis, step in zip(starts, ends, axes, steps, strict=True)]
    # An end before the first element is kept as -size - 1, so that reading it again gives the same.
    last = [end if end >= 0 else -shape[axis] - 1 for (_, end, _), axis in zip(bounds, axes, strict=True)]
    return dict(attributes) | {"starts": tuple(b[0] for b in bounds), "ends": tuple(last), "axes": axes,
                               "steps": steps}


def _infer_slice(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    result = list(_shape(operands))
    fields = (ints_of(attributes, name) for name in ("starts", "ends", "axes", "steps"))
    for start, end, axis, step in zip(*fields, strict=True):
        result[axis] = len(range(*slice(start, end, step).indices(result[axis])))
    return (tuple(result),)


def _infer_split(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, axis, sizes = _shape(operands), int_of(attributes, "axis"), ints_of(attributes, "sizes")
    if sum(sizes) != shape[axis] or min(sizes, default=-1) < 0:
        raise GraphError(f"sizes {list(sizes)} must add up to {shape[axis]}, the size of axis {axis}")
    return tuple((*shape[:axis], size, *shape[axis + 1:]) for size in sizes)


def _infer_pad(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, pads = _shape(operands), ints_of(attributes, "pads")
    text_of(attributes, "mode", ("constant", "reflect", "edge", "wrap"))
    rank = len(shape)
    if len(pads) != 2 * rank:
        raise GraphError(f"pads {list(pads)} must give both ends of each of {rank} axes")
    result = tuple(size + pads[axis] + pads[rank + axis] for axis, size in enumerate(shape))
    if min(result, default=0) < 0:
        raise GraphError(f"pads {list(pads)} crop more than input {show(shape)} has")
    return (result,)


def _infer_expand(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    return (broadcast((_shape(operands), ints_of(attributes, "shape"))),)


def _infer_tile(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, repeats = _shape(operands), ints_of(attributes, "repeats")
    if len(repeats) != len(shape) or min(repeats, default=0) < 0:
        raise GraphError(f"repeats {list(repeats)} must give a count for each axis of {show(shape)}")
    return (tuple(size * count for size, count in zip(shape, repeats, strict=True)),)


def _cast_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    return (parse_format(text_of(attributes, "to")),)


def _infer_blocks(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, block = _shape(operands), int_of(attributes, "block")
    if len(shape) != 4 or block < 1 or shape[1] % (block * block):
        raise GraphError(f"input {show(shape)} must have 4 axes, "
                         f"and channels divisible by block {block} squared")
    return ((shape[0], shape[1] // (block * block), shape[2] * block, shape[3] * block),)


def _infer_depth(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, block = _shape(operands), int_of(attributes, "block")
    if len(shape) != 4 or block < 1 or shape[2] % block or shape[3] % block:
        raise GraphError(f"input {show(shape)} must have 4 axes, "
                         f"and height and width divisible by block {block}")
    return ((shape[0], shape[1] * block * block, shape[2] // block, shape[3] // block),)


def _complete_one_hot(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    axis = axis_of("axis", int_of(attributes, "axis"), len(_shape(operands)) + 1)
    return dict(attributes) | {"axis": axis}


def _infer_one_hot(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, axis, depth = _shape(operands), int_of(attributes, "axis"), int_of(attributes, "depth")
    if depth < 1:
        raise GraphError(f"depth {depth} must be at least 1")
    return ((*shape[:axis], depth, *shape[axis:]),)


def _value_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    return (FLOAT32,)


def _infer_triangle(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    if len(_shape(operands)) < 2:
        raise GraphError(f"input {show(_shape(operands))} must have at least 2 axes")
    return (_shape(operands),)


def _infer_range(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    length = int_of(attributes, "length")
    if length < 0:
        raise GraphError(f"length {length} must not be negative")
    return ((length,),)


def _index_format(attributes: Attributes, operands: Tensors) -> tuple[NumberFormat, ...]:
    return (INT64,)


def _infer_fill(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape = ints_of(attributes, "shape")
    if min(shape, default=0) < 0:
        raise GraphError(f"shape {list(shape)} holds a negative size")
    return (shape,)


_MOVE = Category.MOVEMENT

def _shapes_of(attributes: Attributes) -> tuple[Shape, ...]:
    """Read ``"1x3x4;2"``: one shape per result, ``""`` for a scalar."""
    return tuple(tuple(int(size) for size in text.split("x") if size)
                 for text in text_of(attributes, "shapes").split(";"))


def _infer_offload(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    try:
        return _shapes_of(attributes)
    except ValueError:
        raise GraphError(f"shapes {attributes['shapes']!r} is not of the form 1x3x4;2") from None


def _work_offload(op: Op, operands: Tensors, results: Tensors) -> Work:
    if not op.int("moves"):
        return Work()
    return Work(moved_elements=sum(tensor.elements for tensor in (*operands, *results) if tensor is not None))


KINDS = (
    OpKind("offload", _MOVE, (Operand("operand", variadic=True),), (Operand("result", variadic=True),),
           {"shapes": Required.TEXT, "moves": 0}, _infer_offload, _work_offload,
           "An operator that runs elsewhere: its operands and results are moved (moves = 1) or not charged. "
           "Shapes are given, as 1x3x4;2."),
    OpKind("identity", _MOVE, _INPUT, _OUTPUTS, {}, _infer_same, move_nothing,
           "The input itself; dropout at inference.", aliases=True),
    OpKind("reshape", _MOVE, _INPUT, _OUTPUTS, {"shape": Required.INTS}, _infer_reshape, move_nothing,
           "The same elements in the same order under another shape: also flatten, squeeze and unsqueeze. "
           "-1 is derived, 0 copies the input's size.", _complete_reshape, aliases=True),
    OpKind("transpose", _MOVE, _INPUT, _OUTPUTS, {"permutation": ()}, _infer_transpose, move_results,
           "Axes in another order, reversed by default.", _complete_transpose),
    OpKind("concatenate", _MOVE, (Operand("part", variadic=True),), _OUTPUTS, {"axis": Required.INT},
           _infer_concatenate, move_results, "Tensors joined along one axis.", _complete_axis),
    OpKind("slice", _MOVE, _INPUT, _OUTPUTS,
           {"starts": Required.INTS, "ends": Required.INTS, "axes": (), "steps": ()}, _infer_slice,
           move_results, "input[start:end:step] along `axes` with Python's clamping (ONNX Slice).",
           _complete_slice),
    OpKind("split", _MOVE, _INPUT, (Operand("part", variadic=True),),
           {"axis": 0, "sizes": Required.INTS}, _infer_split, move_results,
           "The input cut along one axis into parts of the given sizes.", _complete_axis),
    OpKind("pad", _MOVE, _INPUT, _OUTPUTS, {"pads": Required.INTS, "mode": "constant"}, _infer_pad,
           move_results, "Elements added (or cropped, when negative) at both ends of every axis; all starts, "
           "then all ends."),
    OpKind("expand", _MOVE, _INPUT, _OUTPUTS, {"shape": Required.INTS}, _infer_expand, move_results,
           "The numpy broadcast of input and `shape`."),
    OpKind("tile", _MOVE, _INPUT, _OUTPUTS, {"repeats": Required.INTS}, _infer_tile, move_results,
           "The input repeated along every axis."),
    OpKind("cast", _MOVE, _INPUT, _OUTPUTS, {"to": Required.TEXT}, _infer_same, move_results,
           "The same values in another number format.", formats=_cast_format),
    OpKind("depth_to_space", _MOVE, _INPUT, _OUTPUTS, {"block": Required.INT, "mode": "DCR"}, _infer_blocks,
           move_results, "Channels moved into blocks of height and width."),
    OpKind("space_to_depth", _MOVE, _INPUT, _OUTPUTS, {"block": Required.INT}, _infer_depth, move_results,
           "Blocks of height and width moved into channels."),
    OpKind("one_hot", _MOVE, (Operand("indices"),), _OUTPUTS, {"depth": Required.INT, "axis": -1},
           _infer_one_hot, move_results, "A new axis of length `depth`, one where the index says.",
           _complete_one_hot, _value_format),
    OpKind("triangle", _MOVE, _INPUT, _OUTPUTS, {"upper": True, "diagonal": 0}, _infer_triangle, move_results,
           "The upper or lower triangle of every matrix, zero elsewhere (ONNX Trilu)."),
    OpKind("range", _MOVE, (), _OUTPUTS, {"length": Required.INT}, _infer_range, move_results,
           "An arithmetic sequence.", formats=_index_format),
    OpKind("fill", _MOVE, (), _OUTPUTS, {"shape": Required.INTS}, _infer_fill, move_results,
           "A tensor of one repeated value (ONNX ConstantOfShape).", formats=_value_format),
)
