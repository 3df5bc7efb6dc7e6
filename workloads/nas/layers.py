"""Layers that the cells of searched networks share: pre-activated convolutions, separable ones, halvings."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops.convolution import same_pads


def same(b: GraphBuilder, x: str, kernel: tuple[int, int], stride: int, dilation: int = 1) -> tuple[int, ...]:
    """Return the pads that leave ceil(size / stride) positions; an odd element goes to the end."""
    return same_pads(b.tensor(x).shape[2:], kernel, (stride, stride), (dilation, dilation))


def relu_conv_bn(
    b: GraphBuilder,
    x: str,
    channels: int,
    name: str,
    *,
    kernel: tuple[int, int] = (1, 1),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> str:
    """Add a rectified, then convolved, then normalized tensor; no bias."""
    x = b.relu(x, f"{name}.relu")
    x = b.conv(x, channels, kernel, stride=stride, padding=padding, bias=False, name=f"{name}.conv")
    return b.batch_norm(x, f"{name}.bn")


def separable(
    b: GraphBuilder, x: str, channels: int, kernel: int, name: str, *, stride: int = 1, dilation: int = 1
) -> str:
    """Add ReLU, a depthwise and a pointwise convolution, and a normalization.

    The depthwise convolution keeps the channels of `x`, the pointwise one leaves `channels`.
    """
    have = b.tensor(x).shape[1]
    x = b.relu(x, f"{name}.relu")
    x = b.conv(
        x,
        have,
        kernel,
        stride=stride,
        padding=same(b, x, (kernel, kernel), stride, dilation),
        groups=have,
        dilation=dilation,
        bias=False,
        name=f"{name}.depthwise",
    )
    x = b.conv(x, channels, 1, bias=False, name=f"{name}.pointwise")
    return b.batch_norm(x, f"{name}.bn")


def separable_twice(b: GraphBuilder, x: str, channels: int, kernel: int, stride: int, name: str) -> str:
    """Add two separable convolutions in a row, the first of which has the stride."""
    x = separable(b, x, channels, kernel, f"{name}.first", stride=stride)
    return separable(b, x, channels, kernel, f"{name}.second")


def pool(b: GraphBuilder, x: str, function: str, stride: int, name: str) -> str:
    """Add a 3x3 pool, `function` being max or average, that leaves ceil(size / stride) positions."""
    add = b.max_pool if function == "max" else b.average_pool
    return add(x, 3, stride=stride, padding=same(b, x, (3, 3), stride), name=name)


def halve(b: GraphBuilder, x: str, channels: int, name: str) -> str:
    """Add a factorized reduction: half of the channels from even positions, half from odd ones.

    Two 1x1 convolutions of stride 2, the second on the map moved by one position, are joined and normalized.
    An odd number of channels leaves one more to the second.
    """
    x = b.relu(x, f"{name}.relu")
    even = b.conv(x, channels // 2, 1, stride=2, bias=False, name=f"{name}.even")
    moved = b.add("pad", x, name=f"{name}.move", pads=(0, 0, -1, -1, 0, 0, 1, 1))
    odd = b.conv(moved, channels - channels // 2, 1, stride=2, bias=False, name=f"{name}.odd")
    joined = b.concatenate((even, odd), 1, f"{name}.concatenate")
    return b.batch_norm(joined, f"{name}.bn")
