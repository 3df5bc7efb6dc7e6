"""Normalizations and softmax."""

from __future__ import annotations

import math

from hwsim.errors import GraphError
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
)
from hwsim.graph.ops.vector import count_local_response, count_normalization, count_softmax
from hwsim.graph.types import AttributeValue, Op, Shape

_OUTPUTS = (Operand("output"),)


def _channels(operands: Tensors, *, least_rank: int = 2) -> int:
    shape = need(operands, 0).shape
    if len(shape) < least_rank:
        raise GraphError(f"input {show(shape)} must have at least {least_rank} axes, channels second")
    return shape[1]


def _check_vectors(operands: Tensors, length: int, names: tuple[str, ...]) -> None:
    for position, name in enumerate(names, start=1):
        operand = get(operands, position)
        if operand is not None and operand.shape != (length,):
            raise GraphError(f"{name} {show(operand.shape)} must be {show((length,))}, one per channel")


def _infer_batch(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    _check_vectors(operands, _channels(operands), ("scale", "bias", "mean", "variance"))
    return (need(operands, 0).shape,)


def _work_batch(op: Op, operands: Tensors, results: Tensors) -> Work:
    elements = need(results, 0).elements
    return Work(primitives={"multiply": elements, "add": elements})


def _infer_instance(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    _check_vectors(operands, _channels(operands, least_rank=3), ("scale", "bias"))
    return (need(operands, 0).shape,)


def _work_instance(op: Op, operands: Tensors, results: Tensors) -> Work:
    shape = need(operands, 0).shape
    return _count(operands, math.prod(shape), shape[0] * shape[1])


def _infer_group(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    channels, groups = _channels(operands), int_of(attributes, "groups")
    if groups < 1 or channels % groups:
        raise GraphError(f"groups {groups} must be at least 1 and divide {channels} channels")
    _check_vectors(operands, channels, ("scale", "bias"))
    return (need(operands, 0).shape,)


def _work_group(op: Op, operands: Tensors, results: Tensors) -> Work:
    shape = need(operands, 0).shape
    return _count(operands, math.prod(shape), shape[0] * op.int("groups"))


def _count(operands: Tensors, elements: int, groups: int, *, centred: bool = True) -> Work:
    return count_normalization(elements, groups, centred=centred, scaled=get(operands, 1) is not None,
                               shifted=get(operands, 2) is not None)


def _complete_layer(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = len(need(operands, 0).shape)
    return dict(attributes) | {"axis": axis_of("axis", int_of(attributes, "axis"), rank)}


def _infer_layer(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape = need(operands, 0).shape
    normalised = shape[int_of(attributes, "axis"):]
    for position, name in enumerate(("scale", "bias"), start=1):
        operand = get(operands, position)
        if operand is not None and broadcast((operand.shape, normalised)) != normalised:
            raise GraphError(f"{name} {show(operand.shape)} does not fit "
                             f"the normalised axes {show(normalised)}")
    return (shape,)


def _work_layer(op: Op, operands: Tensors, results: Tensors) -> Work:
    shape = need(operands, 0).shape
    return _count(operands, math.prod(shape), math.prod(shape[: op.int("axis")]))


def _work_rms(op: Op, operands: Tensors, results: Tensors) -> Work:
    shape = need(operands, 0).shape
    return _count(operands, math.prod(shape), math.prod(shape[: op.int("axis")]), centred=False)


def _infer_local_response(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    _channels(operands, least_rank=3)
    size = int_of(attributes, "size")
    if size < 1:
        raise GraphError(f"size {size} must be at least 1")
    return (need(operands, 0).shape,)


def _work_local_response(op: Op, operands: Tensors, results: Tensors) -> Work:
    return count_local_response(need(results, 0).elements, op.int("size"))


def _infer_softmax(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    return (need(operands, 0).shape,)


def _work_softmax(op: Op, operands: Tensors, results: Tensors) -> Work:
    shape = need(operands, 0).shape
    axis = op.int("axis")
    rows = math.prod(shape[:axis] + shape[axis + 1:])
    return count_softmax(math.prod(shape), rows, logarithm=bool(op.attributes["logarithm"]))


_SCALE_BIAS = (Operand("input"), Operand("scale", optional=True), Operand("bias", optional=True))

KINDS = (
    OpKind("batch_normalization", Category.VECTOR,
           (Operand("input"), Operand("scale"), Operand("bias"), Operand("mean"), Operand("variance")),
           _OUTPUTS, {"epsilon": 1e-5}, _infer_batch, _work_batch,
           "scale * (input - mean) / sqrt(variance + epsilon) + bias per channel, with stored statistics "
           "(inference; Ioffe and Szegedy 2015)."),
    OpKind("instance_normalization", Category.VECTOR, _SCALE_BIAS, _OUTPUTS, {"epsilon": 1e-5},
           _infer_instance, _work_instance, "Every channel of every sample to zero mean and unit variance."),
    OpKind("group_normalization", Category.VECTOR, _SCALE_BIAS, _OUTPUTS,
           {"groups": Required.INT, "epsilon": 1e-5}, _infer_group, _work_group,
           "Groups of channels of every sample to zero mean and unit variance (Wu and He 2018)."),
    OpKind("layer_normalization", Category.VECTOR, _SCALE_BIAS, _OUTPUTS, {"axis": -1, "epsilon": 1e-5},
           _infer_layer, _work_layer,
           "Axes from `axis` on to zero mean and unit variance (Ba, Kiros and Hinton 2016).",
           _complete_layer),
    OpKind("rms_normalization", Category.VECTOR, _SCALE_BIAS[:2], _OUTPUTS, {"axis": -1, "epsilon": 1e-5},
           _infer_layer, _work_rms,
           "Axes from `axis` on divided by their root mean square (Zhang and Sennrich 2019).",
           _complete_layer),
    OpKind("local_response_normalization", Category.VECTOR, _SCALE_BIAS[:1], _OUTPUTS,
           {"size": Required.INT, "alpha": 1e-4, "beta": 0.75, "bias": 1.0},
           _infer_local_response, _work_local_response,
           "input / (bias + alpha / size * sum of squares of `size` channels) ** beta (ONNX LRN)."),
    OpKind("softmax", Category.VECTOR, _SCALE_BIAS[:1], _OUTPUTS, {"axis": -1, "logarithm": False},
           _infer_softmax, _work_softmax, "exp(input - max) / sum along `axis`, or its logarithm.",
           _complete_layer),
)
