"""Evaluate operators on small known values: this is how shape arithmetic disappears at import."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx

from hwsim.errors import GraphError
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_read import SMALL_ELEMENTS
from hwsim.importers.onnx_values import Array

Folder = Callable[[Node, Sequence[Any]], Any]


def fold(node: Node) -> tuple[Array, ...] | None:
    """Return the values of all outputs of `node`, None when they cannot be known.

    The caller has made sure that every output has at most 4096 elements.
    """
    folder = FOLDERS.get(node.kind)
    if folder is None:
        return None
    arrays: list[Array | None] = []
    for value in node.inputs:
        if value is not None and value.data is None:
            return None
        arrays.append(None if value is None else value.data)
    try:
        with np.errstate(all="ignore"):
            result = folder(node, arrays)
    except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, KeyError,
            AttributeError, MemoryError) as error:
        raise GraphError(f"{node.kind} of constants fails: {error}") from None
    results = result if isinstance(result, tuple) else (result,)
    return tuple(np.asarray(item) for item in results)


def _plain(function: Callable[..., Any]) -> Folder:
    def apply(node: Node, inputs: Sequence[Any]) -> Any:
        return function(*inputs)
    return apply


def _variadic(function: Callable[[Any, Any], Any]) -> Folder:
    def apply(node: Node, inputs: Sequence[Any]) -> Any:
        result = inputs[0]
        for item in inputs[1:]:
            result = function(result, item)
        return result
    return apply


def _divide(a: Array, b: Array) -> Any:
    """Divide as ONNX does: integers toward zero."""
    if a.dtype.kind not in "iu":
        return a / b
    if not np.all(b):
        raise ZeroDivisionError("integer division by zero")
    quotient = np.abs(a) // np.abs(b)
    return (quotient * np.sign(a) * np.sign(b)).astype(a.dtype)


def _modulo(node: Node, inputs: Sequence[Any]) -> Any:
    a, b = inputs
    if a.dtype.kind in "iu" and not np.all(b):
        raise ZeroDivisionError("integer division by zero")
    return np.fmod(a, b) if node.integer("fmod", 0) else np.mod(a, b)


def _cast(node: Node, inputs: Sequence[Any]) -> Any:
    if node.kind == "CastLike":
        return inputs[0].astype(inputs[1].dtype)
    return inputs[0].astype(onnx.helper.tensor_dtype_to_np_dtype(node.integer("to")))


def _gather(node: Node, inputs: Sequence[Any]) -> Any:
    axis = node.integer("axis", 0)
    return np.take(inputs[0], _inside(inputs[1], inputs[0].shape[axis]), axis=axis)


def _inside(indices: Array, size: int) -> Array:
    if indices.size and not (-size <= int(indices.min()) and int(indices.max()) < size):
        raise IndexError(f"an index lies outside an axis of {size} elements")
    return indices


def _slice(node: Node, inputs: Sequence[Any]) -> Any:
    starts, ends, axes, steps = slice_arguments(node, inputs[0].ndim)
    index = [slice(None)] * inputs[0].ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index[axis] = slice(start, end, step)
    return inputs[0][tuple(index)]


def slice_arguments(node: Node, rank: int) -> tuple[tuple[int, ...], ...]:
    """Return starts, ends, axes and steps of a Slice; they clamp as Python slices do."""
    if node.opset < 10 and not node.has(1):
        starts, ends = node.integers("starts"), node.integers("ends")
        axes, steps = node.axes(len(node.inputs), rank), (1,) * len(starts)
    else:
        starts, ends, axes = node.static_ints(1), node.static_ints(2), node.axes(3, rank)
        steps = node.static_ints(4) if node.has(4) else (1,) * len(starts)
    axes = tuple(range(len(starts))) if axes is None else axes
    if not len(starts) == len(ends) == len(axes) == len(steps) or max(axes, default=0) >= rank:
        raise GraphError(f"starts {list(starts)}, ends {list(ends)}, axes {list(axes)} and steps "
                         f"{list(steps)} do not fit each other or rank {rank}")
    return starts, ends, axes, steps


def reshaped(node: Node, shape: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """Return the shape that Reshape gives: 0 copies the size in place, -1 takes what is left."""
    keep_zero = bool(node.integer("allowzero", 0))
    sizes: list[int] = []
    for axis, size in enumerate(wanted):
        if size == 0 and not keep_zero:
            if axis >= len(shape):
                raise GraphError(f"reshape to {list(wanted)} copies axis {axis}, which {list(shape)} "
                                 "does not have")
            size = shape[axis]
        sizes.append(int(size))
    total = math.prod(shape)
    if sizes.count(-1) == 1 and min(sizes) >= -1:
        rest = -math.prod(sizes)
        if rest > 0 and total % rest == 0:
            sizes[sizes.index(-1)] = total // rest
    if min(sizes, default=1) < 0 or math.prod(sizes) != total:
        raise GraphError(f"cannot reshape {list(shape)} to {list(wanted)}")
    return tuple(sizes)


def _reshape(node: Node, inputs: Sequence[Any]) -> Any:
    wanted = node.integers("shape") if "shape" in node.attributes else tuple(int(size) for size in inputs[1])
    return inputs[0].reshape(reshaped(node, inputs[0].shape, wanted))


def _flatten(node: Node, inputs: Sequence[Any]) -> Any:
    axis = node.integer("axis", 1)
    return inputs[0].reshape(math.prod(inputs[0].shape[:axis]), math.prod(inputs[0].shape[axis:]))


def _squeeze(node: Node, inputs: Sequence[Any]) -> Any:
    axes = node.axes(1, inputs[0].ndim)
    return np.squeeze(inputs[0], axis=axes)


def _unsqueeze(node: Node, inputs: Sequence[Any]) -> Any:
    count = len(node.static_ints(1) if node.has(1) else node.integers("axes"))
    axes = node.axes(1, inputs[0].ndim + count)
    return np.expand_dims(inputs[0], axes or ())


def _transpose(node: Node, inputs: Sequence[Any]) -> Any:
    return np.transpose(inputs[0], node.integers("perm", tuple(reversed(range(inputs[0].ndim)))))


def _concat(node: Node, inputs: Sequence[Any]) -> Any:
    return np.concatenate(inputs, axis=node.integer("axis", 1))


def _expand(node: Node, inputs: Sequence[Any]) -> Any:
    shape = np.broadcast_shapes(inputs[0].shape, tuple(int(size) for size in inputs[1]))
    if math.prod(shape) > SMALL_ELEMENTS:
        raise OverflowError("result too large to fold")
    return np.broadcast_to(inputs[0], shape)


def _tile(node: Node, inputs: Sequence[Any]) -> Any:
    repeats = tuple(int(item) for item in inputs[1])
    if inputs[0].size * math.prod(repeats) > SMALL_ELEMENTS:
        raise OverflowError("result too large to fold")
    return np.tile(inputs[0], repeats)


def _reduce(function: Callable[..., Any]) -> Folder:
    def apply(node: Node, inputs: Sequence[Any]) -> Any:
        axes = node.axes(1, inputs[0].ndim)
        if not axes and node.integer("noop_with_empty_axes", 0):
            return inputs[0]
        result = function(inputs[0], axis=axes or None, keepdims=bool(node.integer("keepdims", 1)))
        return np.asarray(result).astype(inputs[0].dtype)
    return apply


def _cumulative(node: Node, inputs: Sequence[Any]) -> Any:
    if node.integer("exclusive", 0) or node.integer("reverse", 0):
        raise ValueError("an exclusive or reversed running sum of constants")
    return np.cumsum(inputs[0], axis=int(np.asarray(inputs[1]).reshape(-1)[0]), dtype=inputs[0].dtype)


def _split(node: Node, inputs: Sequence[Any]) -> Any:
    axis = node.integer("axis", 0)
    size = inputs[0].shape[axis]
    if len(inputs) > 1 and inputs[1] is not None:
        sizes = [int(item) for item in inputs[1]]
    elif "split" in node.attributes:
        sizes = list(node.integers("split"))
    else:
        count = len(node.outputs)
        each = -(-size // count)
        sizes = [min(each, max(0, size - each * index)) for index in range(count)]
    return tuple(np.split(inputs[0], np.cumsum(sizes)[:-1], axis=axis))


def _clip(node: Node, inputs: Sequence[Any]) -> Any:
    low = inputs[1] if len(inputs) > 1 else None
    high = inputs[2] if len(inputs) > 2 else None
    return inputs[0] if low is None and high is None else np.clip(inputs[0], low, high)


def _identity(node: Node, inputs: Sequence[Any]) -> Any:
    return inputs[0]


def _trilu(node: Node, inputs: Sequence[Any]) -> Any:
    offset = int(np.asarray(inputs[1]).reshape(-1)[0]) if len(inputs) > 1 and inputs[1] is not None else 0
    return np.triu(inputs[0], offset) if node.integer("upper", 1) else np.tril(inputs[0], offset)


FOLDERS: Mapping[str, Folder] = MappingProxyType({
    "Add": _plain(np.add), "Sub": _plain(np.subtract), "Mul": _plain(np.multiply), "Div": _plain(_divide),
    "Pow": _plain(lambda a, b: np.power(a, b).astype(a.dtype)), "Mod": _modulo,
    "Neg": _plain(np.negative), "Abs": _plain(np.abs), "Sign": _plain(np.sign),
    "Floor": _plain(np.floor), "Ceil": _plain(np.ceil), "Round": _plain(np.rint),
    "Sqrt": _plain(np.sqrt), "Exp": _plain(np.exp), "Log": _plain(np.log),
    "Reciprocal": _plain(lambda a: (1 / a).astype(a.dtype)),
    "Sin": _plain(np.sin), "Cos": _plain(np.cos), "Tanh": _plain(np.tanh),
    "Relu": _plain(lambda a: np.maximum(a, 0).astype(a.dtype)), "IsNaN": _plain(np.isnan),
    "Equal": _plain(np.equal), "Greater": _plain(np.greater), "GreaterOrEqual": _plain(np.greater_equal),
    "Less": _plain(np.less), "LessOrEqual": _plain(np.less_equal),
    "And": _plain(np.logical_and), "Or": _plain(np.logical_or), "Xor": _plain(np.logical_xor),
    "Not": _plain(np.logical_not), "Where": _plain(np.where),
    "Min": _variadic(np.minimum), "Max": _variadic(np.maximum), "Sum": _variadic(np.add),
    "Cast": _cast, "CastLike": _cast, "Clip": _clip, "Identity": _identity, "Dropout": _identity,
    "Gather": _gather, "Slice": _slice, "Split": _split, "Concat": _concat,
    "Reshape": _reshape, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Transpose": _transpose,
    "Flatten": _flatten,
    "Expand": _expand, "Tile": _tile, "Trilu": _trilu, "CumSum": _cumulative,
    "ReduceProd": _reduce(np.prod), "ReduceSum": _reduce(np.sum), "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
})
