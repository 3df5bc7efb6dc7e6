"""Convolutions over one to three spatial axes: dense, grouped, dilated, transposed and binary."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Tensors,
    Work,
    get,
    int_of,
    ints_of,
    need,
    show,
)
from hwsim.graph.types import AttributeValue, FormatKind, Op, Shape, Tensor

_OPERANDS = (Operand("input"), Operand("weight"), Operand("bias", optional=True))
_OUTPUTS = (Operand("output"),)
_DEFAULTS: dict[str, AttributeValue] = {"strides": (), "pads": (), "dilations": (), "groups": 1}


def window_size(size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int, *,
                ceil: bool = False) -> int:
    """Return how many window positions fit along one spatial axis.

    ``floor((size + pads - dilation * (kernel - 1) - 1) / stride) + 1``; with `ceil` the last window may
    end beyond the padded input, but not start behind the input (ONNX Conv and MaxPool).
    GraphError when the kernel is larger than the padded input.
    """
    padded = size + sum(pads)
    reach = dilation * (kernel - 1) + 1
    if padded < reach:
        raise GraphError(f"kernel {kernel} (dilation {dilation}, so {reach} wide) is larger than the "
                         f"padded input {padded} (size {size} + padding {sum(pads)})")
    if not ceil:
        return (padded - reach) // stride + 1
    windows = -(-(padded - reach) // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + pads[0] else windows


def same_pads(sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int],
              dilations: Sequence[int], *, upper: bool = True) -> tuple[int, ...]:
    """Return ONNX-order pads that give ``ceil(size / stride)`` outputs along every axis.

    `upper` puts the odd element at the end (ONNX ``auto_pad = SAME_UPPER``), else at the start.
    """
    begins: list[int] = []
    ends: list[int] = []
    for size, width, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        outputs = -(-size // stride)
        total = max(0, (outputs - 1) * stride + dilation * (width - 1) + 1 - size)
        small, large = total // 2, total - total // 2
        begins.append(small if upper else large)
        ends.append(large if upper else small)
    return (*begins, *ends)


def spatial_defaults(attributes: Attributes, rank: int) -> dict[str, AttributeValue]:
    """Fill strides and dilations with ones and pads with zeros for `rank` spatial axes, and check them."""
    filled = dict(attributes)
    for name, length, value in (("strides", rank, 1), ("dilations", rank, 1), ("pads", 2 * rank, 0)):
        if name not in filled:
            continue
        numbers = ints_of(attributes, name) or (value,) * length
        if len(numbers) != length:
            raise GraphError(f"{name} {list(numbers)} has {len(numbers)} numbers, "
                             f"{rank} spatial axes need {length}")
        smallest = 0 if name == "pads" else 1
        if min(numbers) < smallest:
            raise GraphError(f"{name} {list(numbers)} holds a number below {smallest}")
        filled[name] = numbers
    return filled


def check_sizes(name: str, shape: Shape) -> None:
    """Raise GraphError when a size of `shape` is zero or negative."""
    if min(shape, default=1) < 1:
        raise GraphError(f"{name} {show(shape)} has a size below 1")


def _spatial_rank(operands: Tensors) -> int:
    image, weight = need(operands, 0), need(operands, 1)
    rank = len(image.shape) - 2
    if not 1 <= rank <= 3:
        raise GraphError(f"input {show(image.shape)} must have a batch, a channel and 1 to 3 spatial axes")
    if len(weight.shape) != len(image.shape):
        raise GraphError(f"weight {show(weight.shape)} must have as many axes as input {show(image.shape)}")
    check_sizes("input", image.shape)
    check_sizes("weight", weight.shape)
    return rank


def _complete(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    return spatial_defaults(attributes, _spatial_rank(operands))


def _complete_transposed(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = _spatial_rank(operands)
    filled = spatial_defaults(attributes, rank)
    extra = ints_of(attributes, "output_pads") or (0,) * rank
    if len(extra) != rank or min(extra) < 0:
        raise GraphError(f"output_pads {list(extra)} must be {rank} numbers of at least 0")
    return filled | {"output_pads": extra}


def _check_bias(bias: Tensor | None, channels: int) -> None:
    if bias is not None and bias.shape != (channels,):
        raise GraphError(f"bias {show(bias.shape)} must be {show((channels,))}, one per output channel")


def _groups(attributes: Attributes, channels: int, filters: int) -> int:
    groups = int_of(attributes, "groups")
    if groups < 1:
        raise GraphError(f"groups is {groups}, must be at least 1")
    if channels % groups or filters % groups:
        raise GraphError(f"{groups} groups do not divide {channels} input and {filters} output channels")
    return groups


def _infer(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    rank = _spatial_rank(operands)
    image, weight = need(operands, 0).shape, need(operands, 1).shape
    groups = _groups(attributes, image[1], weight[0])
    if weight[1] * groups != image[1]:
        raise GraphError(f"weight {show(weight)} takes {weight[1]} channels x {groups} groups, "
                         f"but input {show(image)} has {image[1]}")
    _check_bias(get(operands, 2), weight[0])
    strides, dilations = ints_of(attributes, "strides"), ints_of(attributes, "dilations")
    pads = ints_of(attributes, "pads")
    spatial = tuple(
        window_size(image[2 + i], weight[2 + i], strides[i], (pads[i], pads[rank + i]), dilations[i])
        for i in range(rank))
    return ((image[0], weight[0], *spatial),)


def _infer_transposed(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    rank = _spatial_rank(operands)
    image, weight = need(operands, 0).shape, need(operands, 1).shape
    groups = int_of(attributes, "groups")
    if weight[0] != image[1]:
        raise GraphError(f"weight {show(weight)} takes {weight[0]} channels, "
                         f"but input {show(image)} has {image[1]}")
    channels = weight[1] * max(groups, 1)
    _groups(attributes, image[1], channels)
    _check_bias(get(operands, 2), channels)
    strides, dilations = ints_of(attributes, "strides"), ints_of(attributes, "dilations")
    pads, extra = ints_of(attributes, "pads"), ints_of(attributes, "output_pads")
    spatial = tuple(
        strides[i] * (image[2 + i] - 1) + extra[i] + dilations[i] * (weight[2 + i] - 1) + 1
        - pads[i] - pads[rank + i]
        for i in range(rank))
    if min(spatial) < 1:
        raise GraphError(f"output would be {show(spatial)}: pads {list(pads)} take away more than there is")
    return ((image[0], channels, *spatial),)


def _infer_binary(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    require_binary(operands)
    return _infer(attributes, operands)


def require_binary(operands: Tensors) -> None:
    """Raise GraphError unless the first two operands hold binary numbers {-1, 1}."""
    for position in (0, 1):
        operand = need(operands, position)
        if operand.format.kind is not FormatKind.BINARY:
            raise GraphError(f"operand {operand.name!r} is {operand.format}, a binary operator needs binary")


def _work(op: Op, operands: Tensors, results: Tensors) -> Work:
    weight, output = need(operands, 1), need(results, 0)
    macs = output.elements * math.prod(weight.shape[1:])
    return Work(macs, {"add": output.elements if get(operands, 2) else 0})


def _work_transposed(op: Op, operands: Tensors, results: Tensors) -> Work:
    image, weight, output = need(operands, 0), need(operands, 1), need(results, 0)
    macs = image.elements * math.prod(weight.shape[1:])
    return Work(macs, {"add": output.elements if get(operands, 2) else 0})


KINDS = (
    OpKind("convolution", Category.CONTRACTION, _OPERANDS, _OUTPUTS, _DEFAULTS, _infer, _work,
           "out[n,f,p] = sum_ck input[n,c,p*stride+k*dilation-pad] * weight[f,c,k] (ONNX Conv). "
           "MACs: output elements x weights per output channel, padding positions included.", _complete),
    OpKind("transposed_convolution", Category.CONTRACTION, _OPERANDS, _OUTPUTS,
           _DEFAULTS | {"output_pads": ()}, _infer_transposed, _work_transposed,
           "out[n,f,p*stride+k*dilation-pad] += input[n,c,p] * weight[c,f,k] (ONNX ConvTranspose). "
           "MACs: input elements x weights per input channel; products that fall into the cropped border "
           "count.",
           _complete_transposed),
    OpKind("binary_convolution", Category.CONTRACTION, _OPERANDS, _OUTPUTS, _DEFAULTS, _infer_binary, _work,
           "Convolution of {-1, 1} operands; one XNOR-popcount pair is counted as one MAC.", _complete),
)
