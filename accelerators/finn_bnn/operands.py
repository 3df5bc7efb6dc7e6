"""Random small binary networks and their operands, and what they come to in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from hwsim.graph.build import GraphBuilder
from hwsim.graph.thresholds import Thresholds, match_normalization
from hwsim.graph.types import BINARY, INT8, FormatKind, Graph, NumberFormat, Op, Role
from hwsim.graph.values import run

Values = NDArray[np.float64]


def random_graph(rng: np.random.Generator) -> Graph:
    """Return one to three random layers, most of them binary, with thresholds between them."""
    b = GraphBuilder("random", format=INT8)
    batch, spatial = int(rng.integers(1, 4)), bool(rng.integers(2))
    first: NumberFormat = BINARY if rng.integers(3) else INT8
    if spatial:
        size = int(rng.integers(3, 7))
        x = b.input("x", (batch, int(rng.integers(1, 4)), size, size + int(rng.integers(3))), format=first)
    else:
        x = b.input("x", (batch, int(rng.integers(1, 30))), format=first)
    layers = int(rng.integers(1, 4))
    for index in range(layers):
        if spatial and index and rng.integers(2):
            x, spatial = b.flatten(x), False
        x = _layer(b, x, index, spatial, rng)
        if index < layers - 1 or rng.integers(2):
            if rng.integers(4):
                x = b.batch_norm(x, f"bn{index}")
            x = b.add("elementwise", x, name=f"sign{index}", function="sign", format=BINARY)
    b.output(x)
    return b.build()


def _layer(b: GraphBuilder, x: str, index: int, spatial: bool, rng: np.random.Generator) -> str:
    shape, n = b.tensor(x).shape, int(rng.integers(1, 7))
    form = BINARY if rng.integers(4) else INT8
    if not spatial:
        w = b.weight(f"w{index}", (n, shape[1]), format=form)
        return b.add("gemm", [x, w], name=f"fc{index}", format=INT8, trans_b=True)
    kernel = int(rng.integers(1, min(shape[2:]) + 1))
    w = b.weight(f"w{index}", (n, shape[1], kernel, kernel), format=form)
    pad, stride = int(rng.integers(0, kernel)), int(rng.integers(1, 3))
    return b.add(
        "convolution", [x, w], name=f"conv{index}", format=INT8, strides=(stride, stride), pads=(pad,) * 4
    )


def draw(graph: Graph, rng: np.random.Generator) -> dict[str, Values]:
    """Draw inputs, weights and statistics; binary tensors hold signs, some scales are negative or zero."""
    found: dict[str, Values] = {}
    for tensor in graph.tensors.values():
        if tensor.role not in (Role.INPUT, Role.WEIGHT, Role.CONSTANT):
            continue
        if tensor.format.kind is FormatKind.BINARY:
            found[tensor.name] = rng.choice([-1.0, 1.0], tensor.shape)
        elif tensor.name.endswith(".variance"):
            found[tensor.name] = rng.integers(1, 9, tensor.shape).astype(np.float64)
        elif len(tensor.shape) == 1:
            found[tensor.name] = rng.integers(-2, 3, tensor.shape).astype(np.float64)
        else:
            found[tensor.name] = rng.integers(-8, 9, tensor.shape).astype(np.float64)
    return found


def thresholds_of(
    graph: Graph, op: Op, arrays: Mapping[str, NDArray[Any]], *, whole: bool = True
) -> Thresholds:
    """Return the thresholds of the sign `op`, with the normalization before it if there is one.

    Of `whole` numbers where the sums are whole, otherwise on the scale of the sums.
    """
    before = next((other for other in graph.ops if op.inputs[0] in other.outputs), None)
    if before is None or before.kind != "batch_normalization":
        channels = graph.tensors[op.inputs[0]].shape[1]
        return Thresholds(np.zeros(channels), np.ones(channels, np.bool_))
    scale, bias, mean, variance = (np.asarray(arrays[name], np.float64) for name in before.inputs[1:])
    epsilon = float(before.attributes["epsilon"])  # type: ignore[arg-type]
    found = match_normalization(
        scale, bias, mean, variance, epsilon, where=f"{graph.name}.{before.name}"
    )
    return found.whole() if whole else found


def reference(graph: Graph, design: FinnBnnDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of the machine by whole-array arithmetic on the normalizations themselves."""
    del design
    result = run(graph, draw(graph, rng))[graph.ops[-1].outputs[0]]
    return np.rint(result).astype(np.int64)
