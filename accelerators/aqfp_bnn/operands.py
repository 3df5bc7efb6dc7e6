"""Random small networks that the machine can step, and random operands for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, FLOAT32, FormatKind, Graph, Role
from hwsim.graph.values import Values


def random_graph(rng: np.random.Generator) -> Graph:
    """Return one or two binary layers, with or without normalization, sign and pooling."""
    b = GraphBuilder("random")
    samples = int(rng.integers(1, 4))
    if rng.integers(2):
        x = b.input("x", (samples, int(rng.integers(1, 24))), format=BINARY)
        return _finished(b, _dense(b, x, rng, "fc1"), rng)
    channels, height, width = (int(rng.integers(low, high)) for low, high in ((1, 4), (3, 6), (3, 6)))
    x = b.input("x", (samples, channels, height, width), format=BINARY)
    kind = "binary_convolution" if rng.integers(2) else "convolution"
    side, step, pad = (int(rng.integers(low, high)) for low, high in ((1, 4), (1, 3), (0, 2)))
    w = b.weight("conv.w", (int(rng.integers(1, 5)), channels, side, side), format=BINARY)
    operands = [x, w] if rng.integers(2) else [x, w, b.weight("conv.b", (b.shape(w)[0],))]
    y = b.add(kind, operands, name="conv", strides=(step, step), pads=(pad,) * 4, format=FLOAT32)
    return _finished(b, y, rng)


def _dense(b: GraphBuilder, x: str, rng: np.random.Generator, name: str) -> str:
    kind = str(rng.choice(["gemm", "matmul", "binary_matmul"]))
    columns, turned = int(rng.integers(1, 6)), bool(rng.integers(2))
    shape = (columns, b.shape(x)[-1]) if turned else (b.shape(x)[-1], columns)
    w = b.weight(f"{name}.w", shape, format=BINARY)
    key = "trans_b" if kind == "gemm" else "transpose_b"
    attributes: dict[str, Any] = {key: turned}
    return b.add(kind, [x, w], name=name, format=FLOAT32, **attributes)


def _finished(b: GraphBuilder, y: str, rng: np.random.Generator) -> Graph:
    """Add normalization, sign and pooling, and perhaps a second layer."""
    flat = len(b.shape(y)) == 2
    if rng.integers(4) == 0:
        b.output(y)
        return b.build()
    first = not flat and bool(rng.integers(2))
    y = _pooled(b, y, "pool1") if first else y
    if rng.integers(4):
        size = (b.shape(y)[1],)
        vectors = [b.weight(f"bn.{part}", size) for part in ("scale", "shift")]
        vectors += [b.constant(f"bn.{part}", size, format=FLOAT32) for part in ("mean", "variance")]
        y = b.add("batch_normalization", [y, *vectors], name="bn")
    y = b.add("elementwise", y, name="sign", function="sign", format=BINARY)
    if not flat and not first and rng.integers(2):
        y = _pooled(b, y, "pool2")
    choice = int(rng.integers(3))
    if choice == 1:
        y = y if flat else b.flatten(y)
        y = _dense(b, y, rng, "fc2")
    elif choice == 2 and not flat:
        w = b.weight("conv2.w", (2, b.shape(y)[1], 2, 2), format=BINARY)
        y = b.add("convolution", [y, w], name="conv2", pads=(1, 0, 0, 1), format=FLOAT32)
    b.output(y)
    return b.build()


def _pooled(b: GraphBuilder, y: str, name: str) -> str:
    if min(b.shape(y)[2:]) < 2:
        return y
    return b.add("max_pool", y, name=name, kernel=(2, 2), strides=(2, 2))


def draw(graph: Graph, rng: np.random.Generator) -> tuple[dict[str, Values], Values]:
    """Return weights and constants by name, and inputs, all of them at random."""
    fixed = {}
    for tensor in graph.tensors.values():
        if tensor.role not in (Role.WEIGHT, Role.CONSTANT):
            continue
        if tensor.format.kind is FormatKind.BINARY:
            fixed[tensor.name] = rng.choice([-1.0, 1.0], tensor.shape)
        elif tensor.name.endswith("variance"):
            fixed[tensor.name] = rng.random(tensor.shape) + 0.1
        else:
            # Half numbers let sums meet thresholds; scales are never 0 where shifts are.
            fixed[tensor.name] = np.rint(2 * rng.normal(size=tensor.shape)) / 2
            if tensor.name.endswith("scale"):
                fixed[tensor.name] = np.where(fixed[tensor.name] == 0, -1.0, fixed[tensor.name])
    first = graph.tensors[graph.inputs[0]]
    return fixed, rng.choice([-1.0, 1.0], first.shape)
