"""Layers of binary networks: products of {-1, 1} operands whose sums stay numbers until the next sign."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, FormatKind, NumberFormat


def sign(b: GraphBuilder, x: str, name: str) -> str:
    """Add 1 where x >= 0 and -1 elsewhere: one bit an element; a zero counts as 1."""
    return b.add("elementwise", x, name=name, function="sign", format=BINARY)


def activate(b: GraphBuilder, x: str, name: str, bits: int) -> str:
    """Add the activation of `bits` bits: a sign for one, rounding to evenly spaced levels for more."""
    if bits == 1:
        return sign(b, x, name)
    step = b.constant(f"{name}.step", (), format=b.tensor(x).format)
    levels = NumberFormat(FormatKind.INTEGER, bits)
    return b.add("quantize", [x, step], name=name, format=levels)


def weight_format(bits: int) -> NumberFormat:
    """Return the format of weights of `bits` bits: binary for one, two's complement for more."""
    return BINARY if bits == 1 else NumberFormat(FormatKind.INTEGER, bits)


def convolution(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: int,
    name: str,
    *,
    stride: int = 1,
    padding: int = 0,
    weights: NumberFormat = BINARY,
) -> str:
    """Add a convolution without bias on quantized weights; sums are in the format of the network.

    Padding positions hold zeros, which are no binary number: they add nothing to a sum.
    """
    depth = b.tensor(x).shape[1]
    weight = b.weight(f"{name}.weight", (channels, depth, kernel, kernel), format=weights)
    return b.add(
        "convolution",
        [x, weight],
        name=name,
        format=b.format,
        strides=(stride, stride),
        pads=(padding,) * 4,
    )


def linear(
    b: GraphBuilder, x: str, features: int, name: str, *, weights: NumberFormat = BINARY, bias: bool = False
) -> str:
    """Add a fully connected layer, weights [features, inputs]; sums are in the format of the network."""
    weight = b.weight(f"{name}.weight", (features, b.tensor(x).shape[1]), format=weights)
    shifts = [b.weight(f"{name}.bias", (features,))] if bias else []
    return b.add("gemm", [x, weight, *shifts], name=name, format=b.format, trans_b=True)
