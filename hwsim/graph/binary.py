"""Binary networks: thresholds in place of normalizations, fixed-point ends, random ones for machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.build import GraphBuilder
from hwsim.graph.engines import is_activation, stages_of
from hwsim.graph.thresholds import Thresholds, match_normalization
from hwsim.graph.types import BINARY, INT8, FormatKind, Graph, NumberFormat, Op, Role
from hwsim.graph.values import Values


def binary_layers(graph: Graph) -> frozenset[str]:
    """Return the operators whose first two operands, activations and weights, are binary."""
    return frozenset(
        op.name for op in graph.ops
        if len(op.inputs) > 1
        and all(name and graph.tensors[name].format.kind is FormatKind.BINARY for name in op.inputs[:2]))


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


def rounded(values: Values, bits: int) -> tuple[Values, float]:
    """Return whole numbers of `bits` bits and the step between them; signs stay what they are."""
    if (np.abs(values) == 1).all():
        return values, 1.0
    step = float(np.abs(values).max(initial=0.0)) / (2 ** (bits - 1) - 1) or 1.0
    return np.rint(values / step), step


def fixed_point_product(rows: Values, weights: Values, bits: int) -> Values:
    """Return ``rows @ weights.T`` with both rounded to `bits` bits, one step each."""
    left, left_step = rounded(rows, bits)
    right, right_step = rounded(weights, bits)
    sums: Values = (left @ right.T) * (left_step * right_step)
    return sums


def as_thresholds(
    graph: Graph, arrays: Mapping[str, Values], exact: frozenset[str]
) -> dict[str, Callable[..., Values]]:
    """Replace a normalization and the sign behind it by thresholds: whole ones where sums are whole."""
    found: dict[str, Callable[..., Values]] = {}
    producer = {name: op for op in graph.ops for name in op.outputs}
    folded = {stage.op.name for stage in stages_of(graph) if stage.absorbed}
    for op in graph.ops:
        before = producer.get(op.inputs[0]) if op.inputs else None
        if before is None or before.kind != "batch_normalization" or before.name not in folded:
            continue
        if not is_activation(op) or op.kind == "quantize":
            continue
        found[before.name] = _pass_on
        whole = _whole(producer, before, exact)
        found[op.name] = thresholds_of(graph, op, arrays, whole=whole).signs
    return found


def _whole(producer: Mapping[str, Op], op: Op, exact: frozenset[str]) -> bool:
    """Return whether `op` normalizes whole numbers: sums of a binary layer, pooled or not."""
    source = producer.get(op.inputs[0])
    while source is not None and source.kind == "max_pool":
        source = producer.get(source.inputs[0])
    return source is not None and source.name in exact


def _pass_on(x: Values, *_: Values) -> Values:
    return x


def random_network(rng: np.random.Generator) -> Graph:
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
