"""ONNX operators that are evaluated at import: constants, shape queries and branches on constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from onnx import AttributeProto

from hwsim.errors import GraphError
from hwsim.graph.types import Shape
from hwsim.importers.limits import refuse_huge
from hwsim.importers.onnx_node import Node, Unresolved
from hwsim.importers.onnx_read import SMALL_ELEMENTS
from hwsim.importers.onnx_values import FORMATS, Value, constant_from_tensor, format_of
from hwsim.importers.onnx_walk import Handler, Walker

_PLAIN_VALUES = {"value_int": "i", "value_ints": "ints", "value_float": "f", "value_floats": "floats"}


def _constant(node: Node, walker: Walker) -> Sequence[Value]:
    name = node.outputs[0]
    value = node.attributes.get("value")
    if value is not None and value.type == AttributeProto.TENSOR:
        return [constant_from_tensor(name, value.t, walker.settings.path, walker.settings.override)]
    for attribute, member in _PLAIN_VALUES.items():
        if attribute in node.attributes:
            stored = getattr(node.attributes[attribute], member)
            dtype = np.int64 if "int" in attribute else np.float32
            array = np.asarray(stored if member in "if" else list(stored), dtype=dtype)
            return [walker.constant(name, array, learned=dtype is np.float32)]
    raise GraphError("the constant holds no numbers", hint="text and sparse constants are not supported")


def _constant_of_shape(node: Node, walker: Walker) -> Sequence[Value]:
    shape = node.static_ints(0)
    if min(shape, default=0) < 0:
        raise GraphError(f"shape {list(shape)} has a negative size")
    attribute = node.attributes.get("value")
    fill: Any = np.zeros((), dtype=np.float32)
    if attribute is not None:
        given = constant_from_tensor("", attribute.t, walker.settings.path, None)
        if given.data is None or given.elements != 1:
            raise GraphError("value must be a tensor of one element")
        fill = given.data.reshape(())
    return [_filled(walker, node.outputs[0], shape, fill)]


def _filled(walker: Walker, name: str, shape: Shape, fill: Any) -> Value:
    """Return a constant of one repeated value; filled with anything but 0 it counts as a parameter."""
    refuse_huge(shape, name)
    one = walker.constant(name, np.asarray(fill))
    learned = bool(fill) and fill.dtype.kind == "f" and math.prod(shape) > 1
    data = np.full(shape, fill) if math.prod(shape) <= SMALL_ELEMENTS else None
    return replace(one, shape=tuple(shape), data=data, learned=learned)


def _shape(node: Node, walker: Walker) -> Sequence[Value]:
    shape = node.input(0).shape
    rank = len(shape)
    start, end = node.integer("start", 0), node.integer("end", rank)
    return [walker.constant(node.outputs[0], np.array(shape[start:end], dtype=np.int64))]


def _size(node: Node, walker: Walker) -> Sequence[Value]:
    return [walker.constant(node.outputs[0], np.array(node.input(0).elements, dtype=np.int64))]


def _range(node: Node, walker: Walker) -> Sequence[Value]:
    start, limit, delta = (np.asarray(node.static(i)).reshape(-1) for i in range(3))
    if not start.size == limit.size == delta.size == 1 or not delta[0]:
        raise GraphError("a range needs one start, one limit and one step other than 0")
    bounds = [float(item[0]) for item in (start, limit, delta)]
    if not all(map(math.isfinite, bounds)):
        raise GraphError(f"a range from {bounds[0]} to {bounds[1]} by {bounds[2]}")
    length = max(0, math.ceil((bounds[1] - bounds[0]) / bounds[2]))
    refuse_huge((length,), node.outputs[0])
    one = walker.constant(node.outputs[0], start)
    small = length <= SMALL_ELEMENTS
    data = (start[0] + np.arange(length) * delta[0]).astype(start.dtype) if small else None
    return [replace(one, shape=(length,), data=data)]


def _eye_like(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    known = node.integer("dtype", 0)
    number_format = format_of(known, "", walker.settings.override) if known in FORMATS else value.format
    return [Value(node.outputs[0], value.shape, number_format, True)]


def _non_zero(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    if value.data is None:
        raise Unresolved(node.outputs[0], "depends on how many elements are not zero when the network runs")
    places = np.array(np.nonzero(np.atleast_1d(value.data)), dtype=np.int64)
    return [walker.constant(node.outputs[0], places)]


def _if(node: Node, walker: Walker) -> Sequence[Value]:
    condition = node.input(0)
    if condition.data is None or condition.data.size != 1:
        raise GraphError("the branch that If takes depends on the network's inputs",
                         hint="export the branch that is meant, or trace instead of scripting")
    branch = node.graph("then_branch" if bool(condition.data.reshape(-1)[0]) else "else_branch")
    before = len(walker.problems) + len(walker.unresolved)
    for tensor in branch.initializer:
        if tensor.name not in walker.values:
            walker.values[tensor.name] = constant_from_tensor(tensor.name, tensor, walker.settings.path,
                                                              walker.settings.override)
    walker.walk(branch.node)
    results = [walker.values.get(output.name) for output in branch.output]
    present = [value for value in results if value is not None]
    if len(present) != len(results) and len(walker.problems) + len(walker.unresolved) == before:
        raise GraphError("the chosen branch of If does not produce all its outputs")
    return present if len(present) == len(results) else []


def _refuse_loop(node: Node, walker: Walker) -> Sequence[Value]:
    raise GraphError(f"{node.kind} runs a sub-graph a number of times that only the running network knows",
                     hint="unroll the loop on export, or use LSTM, GRU or RNN for recurrence")


def _dequantize(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    if value.constant:
        # A weight stored in few bits stays in few bits: the stored form is what memory holds.
        return [replace(value, name=node.outputs[0], learned=value.elements > 1, data=None)]
    return walker.emit(node, "dequantize", [value, node.input(1), node.optional(2)],
                       axis=node.integer("axis", 1), format=node.input(1).format)


def _quantize(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "quantize", [node.input(0), node.input(1), node.optional(2)],
                       axis=node.integer("axis", 1))


def _dynamic_quantize(node: Node, walker: Walker) -> Sequence[Value]:
    value = node.input(0)
    low = walker.step(node, "reduce", [value], "low", function="min", keep_dims=False)
    high = walker.step(node, "reduce", [value], "high", function="max", keep_dims=False)
    names = (*node.outputs, "", "")[:3]
    scale = walker.emit(node, "elementwise", [high, low], outputs=(names[1] or f"{names[0]}.scale",),
                        suffix="scale", function="subtract")[0]
    zero = walker.emit(node, "elementwise", [low, scale], outputs=(names[2] or f"{names[0]}.zero_point",),
                       suffix="zero_point", function="divide", format=FORMATS[2])[0]
    return [*walker.emit(node, "quantize", [value, scale, zero], outputs=names[:1]), scale, zero]


HANDLERS: Mapping[str, Handler] = MappingProxyType({
    "Constant": _constant, "ConstantOfShape": _constant_of_shape, "Shape": _shape, "Size": _size,
    "Range": _range, "EyeLike": _eye_like, "NonZero": _non_zero, "If": _if, "Loop": _refuse_loop,
    "Scan": _refuse_loop, "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize,
    "DynamicQuantizeLinear": _dynamic_quantize,
})
