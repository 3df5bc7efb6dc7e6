"""ONNX operators that rearrange, copy or index data; static arguments are read at import."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph.formats import format_text
from hwsim.graph.types import Shape
from hwsim.importers.onnx_fold import reshaped, slice_arguments
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_values import Value, format_of
from hwsim.importers.onnx_walk import Handler, Walker

_REDUCTIONS = {"none": "none", "add": "add", "mul": "multiply", "max": "maximum", "min": "minimum"}


def _drop(node: Node, walker: Walker) -> Sequence[Value]:
    """Identity and dropout at inference: the input under another name."""
    return [node.input(0)]


def _to_shape(node: Node, walker: Walker, shape: Shape) -> Sequence[Value]:
    return walker.emit(node, "reshape", [node.input(0)], shape=shape)


def _reshape(node: Node, walker: Walker) -> Sequence[Value]:
    wanted = node.integers("shape") if "shape" in node.attributes else node.static_ints(1)
    return _to_shape(node, walker, reshaped(node, node.input(0).shape, wanted))


def _flatten(node: Node, walker: Walker) -> Sequence[Value]:
    shape, axis = node.input(0).shape, node.integer("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise GraphError(f"axis {axis} is outside a tensor of rank {len(shape)}")
    axis = axis + len(shape) if axis < 0 else axis
    return _to_shape(node, walker, (math.prod(shape[:axis]), math.prod(shape[axis:])))


def _squeeze(node: Node, walker: Walker) -> Sequence[Value]:
    shape = node.input(0).shape
    axes = node.axes(1, len(shape))
    gone = {axis for axis, size in enumerate(shape) if size == 1} if axes is None else set(axes)
    wrong = [axis for axis in gone if shape[axis] != 1]
    if wrong:
        raise GraphError(f"axes {wrong} of {list(shape)} cannot be squeezed: their size is not 1")
    return _to_shape(node, walker, tuple(size for axis, size in enumerate(shape) if axis not in gone))


def _unsqueeze(node: Node, walker: Walker) -> Sequence[Value]:
    shape = list(node.input(0).shape)
    given = node.static_ints(1) if node.has(1) else node.integers("axes")
    axes = node.axes(1, len(shape) + len(given)) or ()
    if len(set(axes)) != len(axes):
        raise GraphError(f"axes {list(given)} names an axis twice")
    for axis in sorted(axes):
        shape.insert(axis, 1)
    return _to_shape(node, walker, tuple(shape))


def _transpose(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    permutation = node.integers("perm", tuple(reversed(range(len(value.shape)))))
    results = walker.emit(node, "transpose", [value], permutation=permutation)
    if not value.constant or permutation != (1, 0):
        return results
    if value.view_of is not None:
        return [value.view_of]
    return [replace(results[0], view_of=value)]


def _concat(node: Node, walker: Walker) -> Sequence[Value]:
    if len(node.inputs) == 1:
        return [node.input(0)]
    parts = [value for value in node.inputs if value is None or value.elements] or list(node.inputs)
    return walker.emit(node, "concatenate", parts, axis=node.integer("axis"))


def _slice(node: Node, walker: Walker) -> Sequence[Value]:
    starts, ends, axes, steps = slice_arguments(node, len(node.input(0).shape))
    return walker.emit(node, "slice", [node.input(0)], starts=starts, ends=ends, axes=axes, steps=steps)


def _split(node: Node, walker: Walker) -> Sequence[Value]:
    shape, axis = node.input(0).shape, node.integer("axis", 0)
    if not -len(shape) <= axis < len(shape):
        raise GraphError(f"axis {axis} is outside a tensor of rank {len(shape)}")
    if node.has(1):
        sizes = node.static_ints(1)
    elif "split" in node.attributes:
        sizes = node.integers("split")
    else:
        count = node.integer("num_outputs", len(node.outputs))
        if not 1 <= count <= max(len(node.outputs), 1):
            raise GraphError(f"num_outputs is {count}, the node has {len(node.outputs)} outputs")
        each = -(-shape[axis] // count)
        sizes = tuple(min(each, max(0, shape[axis] - each * index)) for index in range(count))
    if len(sizes) != len(node.outputs):
        raise GraphError(f"{len(sizes)} sizes for {len(node.outputs)} outputs")
    return walker.emit(node, "split", [node.input(0)], axis=axis, sizes=sizes)


def _pad(node: Node, walker: Walker) -> Sequence[Value]:
    rank = len(node.input(0).shape)
    pads = node.static_ints(1) if node.has(1) else node.integers("pads")
    axes = node.axes(3, rank)
    axes = tuple(range(rank)) if axes is None else axes
    if len(pads) != 2 * len(axes):
        raise GraphError(f"pads {list(pads)} must give both ends of {len(axes)} axes")
    full = [0] * (2 * rank)
    for index, axis in enumerate(axes):
        full[axis], full[rank + axis] = pads[index], pads[len(axes) + index]
    return walker.emit(node, "pad", [node.input(0)], pads=tuple(full), mode=node.text("mode", "constant"))


def _expand(node: Node, walker: Walker) -> Sequence[Value]:
    shape = node.static_ints(1)
    if min(shape, default=1) < 1:
        raise GraphError(f"shape {list(shape)} holds a size below 1")
    return walker.emit(node, "expand", [node.input(0)], shape=shape)


def _tile(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "tile", [node.input(0)], repeats=node.static_ints(1))


def _cast(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    if node.kind == "CastLike":
        wanted = node.input(1).format
    else:
        wanted = format_of(node.integer("to"), "", walker.settings.override)
    if wanted == value.format and value.data is None:
        return [value]
    return walker.emit(node, "cast", [value], to=format_text(wanted))


def _gather(kind: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        name = "batch_dims" if kind == "gather_nd" else "axis"
        attributes: dict[str, Any] = {name: node.integer(name, 0)}
        table = node.input(0)
        # Looking up fixed positions in a learned table stays an operator: the table stays the parameter.
        embedding = kind == "gather" and table.learned and len(table.shape) == 2 and not attributes["axis"]
        return walker.emit(node, kind, [table, node.input(1)], keep=embedding, **attributes)
    return handle


def _scatter(kind: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        reduction = node.text("reduction", "none")
        attributes: dict[str, Any] = {"reduction": _REDUCTIONS.get(reduction, reduction)}
        if kind == "scatter_elements":
            attributes["axis"] = node.integer("axis", 0)
        return walker.emit(node, kind, [node.input(0), node.input(1), node.input(2)], **attributes)
    return handle


def _blocks(kind: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        attributes: dict[str, Any] = {"block": node.integer("blocksize")}
        if kind == "depth_to_space":
            attributes["mode"] = node.text("mode", "DCR")
        return walker.emit(node, kind, [node.input(0)], **attributes)
    return handle


def _one_hot(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "one_hot", [node.input(0)], depth=_scalar(node, 1),
                       axis=node.integer("axis", -1), format=node.input(2).format)


def _scalar(node: Node, position: int) -> int:
    """Return a whole number that may be stored as a float."""
    array = np.asarray(node.static(position)).reshape(-1)
    number = float(array[0]) if array.size == 1 and array.dtype.kind in "iuf" else math.nan
    if not number.is_integer():
        raise GraphError(f"input {position} must be one whole number")
    return int(number)


def _trilu(node: Node, walker: Walker) -> Sequence[Value]:
    diagonal = node.static_int(1) if node.has(1) else 0
    upper = bool(node.integer("upper", 1))
    return walker.emit(node, "triangle", [node.input(0)], upper=upper, diagonal=diagonal)


def _resize(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    old_form = node.kind == "Upsample" or node.opset < 11
    scales_at, sizes_at = (1, 3) if old_form else (2, 3)
    rank = len(value.shape)
    axes = node.integers("axes", tuple(range(rank)))
    if not all(-rank <= axis < rank for axis in axes):
        raise GraphError(f"axes {list(axes)} lie outside a tensor of rank {rank}")
    sizes = list(value.shape)
    if not old_form and node.has(sizes_at) and node.input(sizes_at).elements:
        wanted = _proportional(node, value.shape, axes, node.static_ints(sizes_at))
    else:
        scales = _scales(node, scales_at)
        if len(scales) != len(axes):
            raise GraphError(f"{len(scales)} scales for {len(axes)} axes")
        pairs = zip(axes, scales, strict=True)
        wanted = tuple(math.floor(value.shape[axis] * scale) for axis, scale in pairs)
    for axis, size in zip(axes, wanted, strict=True):
        sizes[axis] = size
    mode = node.text("mode", "nearest")
    return walker.emit(node, "resize", [value], sizes=tuple(sizes),
                       mode={"bilinear": "linear", "trilinear": "linear"}.get(mode, mode))


def _scales(node: Node, position: int) -> tuple[float, ...]:
    if "scales" in node.attributes:
        scales = tuple(float(item) for item in node.attributes["scales"].floats)
    else:
        array = node.static(position)
        if array.dtype.kind not in "iuf":
            raise GraphError(f"scales must be numbers, not {array.dtype}")
        scales = tuple(float(item) for item in array.reshape(-1))
    if not all(math.isfinite(scale) and 0 < scale < 2**31 for scale in scales):
        raise GraphError(f"scales {list(scales)} must be positive")
    return scales


def _proportional(node: Node, shape: Shape, axes: Sequence[int], sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes that Resize reaches under its aspect-ratio policy."""
    if len(sizes) != len(axes) or min(sizes, default=1) < 1:
        raise GraphError(f"sizes {list(sizes)} must be {len(axes)} numbers of at least 1")
    policy = node.text("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return tuple(sizes)
    choose = min if policy == "not_larger" else max
    scale = choose(size / shape[axis] for size, axis in zip(sizes, axes, strict=True))
    return tuple(math.floor(scale * shape[axis] + 0.5) for axis in axes)


HANDLERS: Mapping[str, Handler] = MappingProxyType({
    "Identity": _drop, "Dropout": _drop, "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze, "Transpose": _transpose, "Concat": _concat, "Slice": _slice, "Split": _split,
    "Pad": _pad, "Expand": _expand, "Tile": _tile, "Cast": _cast, "CastLike": _cast,
    "Gather": _gather("gather"), "GatherElements": _gather("gather_elements"),
    "GatherND": _gather("gather_nd"),
    "ScatterND": _scatter("scatter_nd"), "ScatterElements": _scatter("scatter_elements"),
    "Scatter": _scatter("scatter_elements"), "DepthToSpace": _blocks("depth_to_space"),
    "SpaceToDepth": _blocks("space_to_depth"), "OneHot": _one_hot, "Trilu": _trilu,
    "Resize": _resize, "Upsample": _resize,
})
