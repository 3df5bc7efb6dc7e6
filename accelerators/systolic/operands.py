"""Real operands for the machine, and what numpy says the operators make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.systolic.design import SystolicDesign
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import MatrixProduct, Window
from hwsim.graph.types import INT8, INT32, Graph, Op

Ints = NDArray[np.int64]
Matrices = tuple[
    Ints, Ints, Callable[[int, tuple[int, int], tuple[int, int]], int], Callable[[Ints], NDArray[Any]]
]


@dataclass
class Operands:
    """Values of tensors by name."""

    values: dict[str, NDArray[Any]]

    def of(self, name: str) -> NDArray[Any]:
        """Return the values of tensor `name`."""
        return self.values[name]


def draw(graph: Graph, design: SystolicDesign, rng: np.random.Generator) -> Operands:
    """Return random integers of the operand width for every tensor that no operator makes, in name order."""
    made = {name for op in graph.ops for name in op.outputs}
    bound = 2 ** (design.operand_bits - 1)
    return Operands(
        {
            name: rng.integers(-bound, bound, graph.tensors[name].shape)
            for name in sorted(graph.tensors)
            if name not in made
        }
    )


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a small random graph: a convolution, a matrix product or an elementwise operator."""
    kind = rng.integers(5)
    b = GraphBuilder("random", format=INT8)

    def size(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    if kind == 0:
        _random_convolution(b, size)
    elif kind == 1:
        x = b.input("x", (size(1, 9), size(1, 12)))
        b.output(b.add("gemm", [x, b.weight("w", (b.tensor(x).shape[1], size(1, 12)))], name="fc"))
    elif kind == 2:
        batch, k = size(1, 4), size(1, 9)
        x, y = b.input("x", (batch, size(1, 8), k)), b.input("y", (batch, k, size(1, 8)))
        b.output(b.add("matmul", [x, y], name="scores"))
    elif kind == 3:
        shape = (size(1, 5), size(1, 40))
        added = b.add("elementwise", [b.input("x", shape), b.input("y", shape)], name="sum", function="add")
        b.output(b.add("elementwise", [added], name="relu", function="relu"))
    else:
        x = b.input("x", (size(1, 9), size(1, 12)))
        weight = b.weight("w", (b.tensor(x).shape[1], size(1, 12)))
        bias = b.weight("b", (b.tensor(weight).shape[1],), format=INT32)
        fc = b.add("gemm", [x, weight, bias], name="fc")
        b.output(b.add("elementwise", [fc], name="relu", function="relu"))
    return b.build()


def _random_convolution(b: GraphBuilder, size: Callable[[int, int], int]) -> None:
    groups, rank = size(1, 4), size(1, 3)
    channels, filters = groups * size(1, 4), groups * size(1, 4)
    kernel = tuple(size(1, 4) for _ in range(rank))
    dilation, stride, pad = size(1, 3), size(1, 3), size(0, 2)
    spatial = tuple((width - 1) * dilation + 1 + size(0, 6) for width in kernel)
    x = b.input("x", (size(1, 3), channels, *spatial))
    w = b.weight("w", (filters, channels // groups, *kernel))
    b.output(
        b.add(
            "convolution",
            [x, w],
            name="conv",
            strides=(stride,) * rank,
            pads=(pad,) * (2 * rank),
            dilations=(dilation,) * rank,
            groups=groups,
        )
    )


def matrices(graph: Graph, op: Op, product: MatrixProduct, operands: Operands) -> Matrices:
    """Return left[g, m, k], right[g, k, n], the inputs a tile fetches, and the way back to the shape."""
    shape = graph.tensors[op.outputs[0]].shape
    bias = operands.of(op.inputs[2]) if len(op.inputs) > 2 and op.inputs[2] else 0
    if product.window is not None:
        return _unfold(op, product, product.window, operands, shape, bias)
    left, right = operands.of(op.inputs[0]), operands.of(op.inputs[1])
    trans = ("trans_a", "trans_b") if op.kind == "gemm" else ("transpose_a", "transpose_b")
    left = np.swapaxes(left, -1, -2) if op.attributes[trans[0]] else left
    right = np.swapaxes(right, -1, -2) if op.attributes[trans[1]] else right
    full_left = np.ascontiguousarray(left).reshape(product.groups, product.m, product.k)
    full_right = np.broadcast_to(
        right.reshape(-1, product.k, product.n), (product.groups, product.k, product.n)
    )

    def fetched(_group: int, rows: tuple[int, int], depth: tuple[int, int]) -> int:
        return (rows[1] - rows[0]) * (depth[1] - depth[0])

    return full_left, full_right, fetched, lambda result: result.reshape(shape) + bias


def _unfold(
    op: Op,
    product: MatrixProduct,
    window: Window,
    operands: Operands,
    shape: tuple[int, ...],
    bias: NDArray[Any] | int,
) -> Matrices:
    """Spread the input into windows; a tile fetches the box of the image that its windows look at."""
    image, weight = operands.of(op.inputs[0]), operands.of(op.inputs[1])
    rank, groups = len(window.kernel), product.groups
    starts, ends = window.pads[:rank], window.pads[rank:]
    padded = np.pad(image, [(0, 0), (0, 0), *zip(starts, ends, strict=True)])
    positions = np.indices(window.output_size).reshape(rank, -1)
    taps = np.indices(window.kernel).reshape(rank, -1)
    strides, dilations = (np.array(v)[:, None] for v in (window.strides, window.dilations))
    where = (positions * strides)[:, :, None] + (taps * dilations)[:, None, :]
    gathered = padded[(slice(None), slice(None), *where)]
    split = gathered.reshape(window.batch, groups, window.channels, positions.shape[1], taps.shape[1])
    left = split.transpose(1, 0, 3, 2, 4).reshape(groups, product.m, product.k)
    right = weight.reshape(groups, product.n, product.k).transpose(0, 2, 1)
    inside = where - np.array(starts)[:, None, None]
    per_image = positions.shape[1]

    def fetched(_group: int, rows: tuple[int, int], depth: tuple[int, int]) -> int:
        images, first = max(1, (rows[1] - rows[0]) // per_image), rows[0] % per_image
        looked_at = inside[:, first : first + rows[1] - rows[0], :].reshape(rank, -1)
        low = np.maximum(looked_at.min(axis=1), 0)
        high = np.minimum(looked_at.max(axis=1) + 1, window.input_size)
        return images * int(np.maximum(high - low, 0).prod()) * ((depth[1] - depth[0]) // taps.shape[1])

    def fold_back(result: Ints) -> NDArray[Any]:
        apart = result.reshape(groups, window.batch, per_image, product.n).transpose(1, 0, 3, 2)
        added = bias.reshape(1, -1, *(1,) * rank) if isinstance(bias, np.ndarray) else bias
        return apart.reshape(shape) + added

    return left, right, fetched, fold_back


def elementwise_value(graph: Graph, op: Op, operands: Operands) -> NDArray[Any]:
    """Return what numpy makes of the elementwise functions that the machine steps."""
    values = [operands.of(name) for name in op.inputs]
    functions: dict[str, Callable[..., NDArray[Any]]] = {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
        "maximum": np.maximum,
        "minimum": np.minimum,
        "relu": lambda x: np.maximum(x, 0),
    }
    name = op.attributes.get("function", op.kind)
    if name not in functions:
        raise UnsupportedOp(f"{name} is not stepped", where=f"systolic.machine.{op.name}")
    return functions[str(name)](*values)


def reference(graph: Graph, design: SystolicDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the output of `graph` by direct sums, for the operands that `draw` takes from `rng`."""
    operands = draw(graph, design, rng)
    for op in graph.ops:
        operands.values[op.outputs[0]] = _direct(graph, op, operands)
    return operands.of(graph.outputs[0])


def _direct(graph: Graph, op: Op, operands: Operands) -> NDArray[Any]:
    if op.kind == "convolution":
        return _direct_convolution(graph, op, operands)
    if op.kind not in ("gemm", "matmul"):
        return elementwise_value(graph, op, operands)
    product: NDArray[Any] = np.matmul(operands.of(op.inputs[0]), operands.of(op.inputs[1]))
    return product + operands.of(op.inputs[2]) if len(op.inputs) > 2 else product


def _direct_convolution(graph: Graph, op: Op, operands: Operands) -> NDArray[Any]:
    """Nested sums over output positions, straight from the definition of a convolution."""
    image, weight = operands.of(op.inputs[0]), operands.of(op.inputs[1])
    out = np.zeros(graph.tensors[op.outputs[0]].shape, dtype=np.int64)
    rank, groups = weight.ndim - 2, op.int("groups")
    pads, strides, dilations = op.ints("pads"), op.ints("strides"), op.ints("dilations")
    per_group = weight.shape[0] // groups
    for place in np.ndindex(*out.shape[2:]):
        for tap in np.ndindex(*weight.shape[2:]):
            at = tuple(
                p * s + k * d - b
                for p, s, k, d, b in zip(place, strides, tap, dilations, pads[:rank], strict=True)
            )
            if any(not 0 <= a < size for a, size in zip(at, image.shape[2:], strict=True)):
                continue
            for g in range(groups):
                filters = slice(g * per_group, (g + 1) * per_group)
                channels = slice(g * weight.shape[1], (g + 1) * weight.shape[1])
                out[(slice(None), filters, *place)] += (
                    image[(slice(None), channels, *at)] @ weight[(filters, slice(None), *tap)].T
                )
    return out
