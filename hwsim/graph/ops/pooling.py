"""Pooling over sliding windows or whole maps, and resampling."""

from __future__ import annotations

import math

from hwsim.errors import GraphError
from hwsim.graph.ops.convolution import check_sizes, spatial_defaults, window_size
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    CompleteRule,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    WorkRule,
    int_of,
    ints_of,
    need,
    show,
)
from hwsim.graph.ops.vector import count_pool, count_resize
from hwsim.graph.types import AttributeValue, Op, Shape

_INPUT = (Operand("input"),)
_OUTPUTS = (Operand("output"),)
_MODES = ("nearest", "linear", "cubic")


def _spatial_rank(operands: Tensors) -> int:
    shape = need(operands, 0).shape
    if len(shape) < 3:
        raise GraphError(f"input {show(shape)} must have a batch, a channel and at least one spatial axis")
    check_sizes("input", shape)
    return len(shape) - 2


def _complete(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = _spatial_rank(operands)
    kernel = ints_of(attributes, "kernel")
    if len(kernel) != rank or min(kernel) < 1:
        raise GraphError(f"kernel {list(kernel)} must be {rank} sizes of at least 1")
    return spatial_defaults(attributes, rank)


def _infer(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    rank = _spatial_rank(operands)
    shape = need(operands, 0).shape
    kernel, strides = ints_of(attributes, "kernel"), ints_of(attributes, "strides")
    pads, dilations = ints_of(attributes, "pads"), ints_of(attributes, "dilations")
    spatial = tuple(
        window_size(shape[2 + i], kernel[i], strides[i], (pads[i], pads[rank + i]), dilations[i],
                    ceil=bool(attributes["ceil_mode"]))
        for i in range(rank))
    return ((*shape[:2], *spatial),)


def _counter(function: str) -> WorkRule:
    def count(op: Op, operands: Tensors, results: Tensors) -> Work:
        power = op.int("power") if function == "lp" else 2
        return count_pool(function, need(results, 0).elements, math.prod(op.ints("kernel")), power=power)
    return count


def _infer_global(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    rank = _spatial_rank(operands)
    return ((*need(operands, 0).shape[:2], *(1,) * rank),)


def _global_counter(function: str) -> WorkRule:
    def count(op: Op, operands: Tensors, results: Tensors) -> Work:
        return count_pool(function, need(results, 0).elements, math.prod(need(operands, 0).shape[2:]))
    return count


def _infer_resize(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, sizes = need(operands, 0).shape, ints_of(attributes, "sizes")
    if len(sizes) != len(shape):
        raise GraphError(f"sizes {list(sizes)} must give every axis of input {show(shape)}")
    check_sizes("sizes", sizes)
    if attributes["mode"] not in _MODES:
        raise GraphError(f"mode is {attributes['mode']!r}", hint=f"known: {', '.join(_MODES)}")
    return (sizes,)


def _work_resize(op: Op, operands: Tensors, results: Tensors) -> Work:
    before, after = need(operands, 0).shape, need(results, 0).shape
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    return count_resize(op.text("mode"), math.prod(after), changed)


def _complete_lp(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    if int_of(attributes, "power") < 1:
        raise GraphError(f"power is {attributes['power']}, must be at least 1")
    return _complete(attributes, operands)


def _pool(name: str, function: str, extra: dict[str, AttributeValue], doc: str,
          complete: CompleteRule = _complete) -> OpKind:
    attributes: dict[str, AttributeValue | Required] = {"kernel": Required.INTS, "strides": (), "pads": (),
                                                       "dilations": (), "ceil_mode": False}
    return OpKind(name, Category.VECTOR, _INPUT, _OUTPUTS, attributes | extra, _infer, _counter(function),
                  doc, complete)


KINDS = (
    _pool("max_pool", "max", {}, "Largest element of every window (ONNX MaxPool)."),
    _pool("average_pool", "average", {"count_include_pad": False},
          "Mean of every window (ONNX AveragePool)."),
    _pool("lp_pool", "lp", {"power": 2}, "p-norm of every window (ONNX LpPool).", _complete_lp),
    OpKind("global_max_pool", Category.VECTOR, _INPUT, _OUTPUTS, {}, _infer_global, _global_counter("max"),
           "Largest element of every channel."),
    OpKind("global_average_pool", Category.VECTOR, _INPUT, _OUTPUTS, {}, _infer_global,
           _global_counter("average"), "Mean of every channel."),
    OpKind("resize", Category.VECTOR, _INPUT, _OUTPUTS, {"sizes": Required.INTS, "mode": "nearest"},
           _infer_resize, _work_resize, "Resampling to `sizes` by nearest, linear or cubic interpolation."),
)
