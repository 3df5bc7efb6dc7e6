"""Small binary networks with random weights, and their exact answers, for tests of aqfp_bnn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, FLOAT32, Graph

Arrays = dict[str, NDArray[np.float64]]


def sign(b: GraphBuilder, x: str, name: str) -> str:
    return b.add("elementwise", x, name=name, function="sign", format=BINARY)


def normalized(b: GraphBuilder, x: str, name: str) -> str:
    size = (b.shape(x)[1],)
    vectors = [b.weight(f"{name}.{part}", size) for part in ("scale", "bias")]
    vectors += [b.constant(f"{name}.{part}", size, format=FLOAT32) for part in ("mean", "variance")]
    return b.add("batch_normalization", [x, *vectors], name=name)


def convolution(b: GraphBuilder, x: str, channels: int, name: str, pool: bool = False) -> str:
    w = b.weight(f"{name}.weight", (channels, b.shape(x)[1], 3, 3), format=BINARY)
    y = b.add("convolution", [x, w], name=name, pads=(1, 1, 1, 1), format=FLOAT32)
    y = b.add("max_pool", y, name=f"{name}.pool", kernel=(2, 2), strides=(2, 2)) if pool else y
    return sign(b, normalized(b, y, f"{name}.bn"), f"{name}.sign")


def dense(b: GraphBuilder, x: str, columns: int, name: str) -> str:
    w = b.weight(f"{name}.weight", (columns, b.shape(x)[1]), format=BINARY)
    return b.add("gemm", [x, w], name=name, trans_b=True, format=FLOAT32)


def vgg_small(batch: int = 1) -> Graph:
    """The five binary convolutions of VGG-small, inputs binary."""
    b = GraphBuilder("vgg_small")
    x = b.input("input", (batch, 128, 32, 32), format=BINARY)
    for index, (channels, pool) in enumerate(((128, 1), (256, 0), (256, 1), (512, 0), (512, 1)), start=1):
        x = convolution(b, x, channels, f"conv{index}", bool(pool))
    b.output(x)
    return b.build()


def perceptron(*widths: int, batch: int = 1) -> Graph:
    """Binary layers with normalizations and signs between them; the last one yields counts."""
    b = GraphBuilder("perceptron")
    x = b.input("input", (batch, widths[0]), format=BINARY)
    for index, width in enumerate(widths[1:], start=1):
        x = dense(b, x, width, f"fc{index}")
        if index < len(widths) - 1:
            x = sign(b, normalized(b, x, f"bn{index}"), f"sign{index}")
    b.output(x)
    return b.build()


def mixed() -> Graph:
    """A first and a last layer of full precision around binary ones, pooling before normalization."""
    b = GraphBuilder("mixed")
    x = b.conv(b.input("image", (1, 1, 8, 8)), 8, 3, padding=1, bias=False, name="conv0")
    x = sign(b, b.batch_norm(x, "bn0"), "sign0")
    x = convolution(b, convolution(b, x, 12, "conv1", pool=True), 12, "conv2")
    b.output(b.linear(b.flatten(x, "flatten"), 10, name="fc"))
    return b.build()


def random_arrays(graph: Graph, samples: int, seed: int = 0) -> Arrays:
    """Return weights, statistics, inputs and labels; scales of both signs."""
    rng, found = np.random.default_rng(seed), Arrays()
    read = {name for op in graph.ops for name in op.inputs}
    for tensor in graph.tensors.values():
        if tensor.name in graph.inputs:
            shape = (samples, *tensor.shape[1:])
            binary = tensor.format == BINARY
            found[tensor.name] = rng.choice([-1.0, 1.0], shape) if binary else rng.random(shape)
        elif tensor.role.value in ("weight", "constant") and tensor.name in read:
            binary = tensor.format == BINARY
            found[tensor.name] = (
                rng.choice([-1.0, 1.0], tensor.shape) if binary else rng.normal(size=tensor.shape)
            )
            if tensor.name.endswith("variance"):
                found[tensor.name] = rng.random(tensor.shape) + 0.5
    found["labels"] = rng.integers(0, graph.tensors[graph.outputs[0]].shape[-1], samples)
    return found
