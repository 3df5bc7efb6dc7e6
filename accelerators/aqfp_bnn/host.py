"""Operators in floating point: the noiseless network, and on chip runs whatever no crossbar can do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from hwsim.errors import InputError
from hwsim.graph.contraction import Window
from hwsim.graph.types import Graph, Op
from hwsim.graph.values import Values

Operands = Sequence[Values]
Compute = Callable[[Graph, Op, Operands], Values]


def compute(graph: Graph, op: Op, operands: Operands) -> Values:
    """Return the result of `op`, the first axis of which may hold any number of samples.

    Raises
    ------
    InputError
        For kinds and functions that have no values here.
    """
    if op.kind not in KINDS:
        raise InputError(f"{op.kind} computes no values here", where=f"{graph.name}.{op.name}")
    return np.asarray(KINDS[op.kind](graph, op, operands), np.float64)


def computable(op: Op) -> bool:
    """Return whether `compute` knows `op`."""
    return op.kind in KINDS and (op.kind != "elementwise" or op.text("function") in FUNCTIONS)


def sign_of(values: Values) -> Values:
    """Return 1 where a value is not below 0, otherwise -1: bits know no 0."""
    return np.where(values >= 0, 1.0, -1.0)


def unfold(values: Values, window: Window, padding: float = 0.0) -> Values:
    """Return windows [samples, places..., channels, kernel...]."""
    rank = len(window.kernel)
    widths = [(window.pads[axis], window.pads[rank + axis]) for axis in range(rank)]
    # Rounding up may look beyond the padding.
    beyond = [
        max(0, (count - 1) * stride + (kernel - 1) * dilation + 1 - size - sum(width))
        for count, stride, kernel, dilation, size, width in zip(
            window.output_size, window.strides, window.kernel, window.dilations, window.input_size, widths,
            strict=False,
        )
    ]  # fmt: skip
    widths = [(low, high + extra) for (low, high), extra in zip(widths, beyond, strict=True)]
    padded = np.pad(values, [(0, 0), (0, 0), *widths], constant_values=padding)
    reach = tuple((k - 1) * d + 1 for k, d in zip(window.kernel, window.dilations, strict=True))
    views = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=tuple(range(2, 2 + rank)))
    steps = tuple(slice(None, None, stride) for stride in window.strides)
    counts = tuple(slice(count) for count in window.output_size)
    inner = tuple(slice(None, None, dilation) for dilation in window.dilations)
    chosen = views[(slice(None), slice(None), *steps, *inner)][(slice(None), slice(None), *counts)]
    return chosen.transpose(0, *range(2, 2 + rank), 1, *range(2 + rank, 2 + 2 * rank))


def window_of(graph: Graph, op: Op, kernel: tuple[int, ...]) -> Window:
    """Return the geometry of a convolution or pooling operator."""
    image, out = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    return Window(
        image[2:],
        out[2:],
        kernel,
        op.ints("strides"),
        op.ints("pads"),
        op.ints("dilations"),
        image[1],
        image[0],
    )


def _convolution(graph: Graph, op: Op, operands: Operands) -> Values:
    image, weights = operands[0], operands[1]
    groups = op.int("groups")
    columns = unfold(image, window_of(graph, op, weights.shape[2:]))
    samples, rank = columns.shape[0], len(weights.shape) - 2
    places = columns.shape[1 : 1 + rank]
    parts = np.split(columns, groups, axis=1 + rank)
    kernels = np.split(weights, groups, axis=0)
    found = [
        part.reshape(samples * math.prod(places), -1) @ kernel.reshape(len(kernel), -1).T
        for part, kernel in zip(parts, kernels, strict=True)
    ]
    result = np.concatenate(found, axis=1).reshape(samples, *places, -1)
    result = np.moveaxis(result, -1, 1)
    return result + _per_channel(operands[2], result) if len(operands) > 2 else result


def _per_channel(values: Values, like: Values) -> Values:
    return values.reshape(1, -1, *(1,) * (like.ndim - 2))


def _gemm(graph: Graph, op: Op, operands: Operands) -> Values:
    a = operands[0].T if op.attributes["trans_a"] else operands[0]
    b = operands[1].T if op.attributes["trans_b"] else operands[1]
    found = float(str(op.attributes["alpha"])) * (a @ b)
    return found + float(str(op.attributes["beta"])) * operands[2] if len(operands) > 2 else found


def _matmul(graph: Graph, op: Op, operands: Operands) -> Values:
    a = operands[0].swapaxes(-1, -2) if op.attributes["transpose_a"] else operands[0]
    b = operands[1].swapaxes(-1, -2) if op.attributes["transpose_b"] else operands[1]
    return np.asarray(a @ b)


def _batch_normalization(graph: Graph, op: Op, operands: Operands) -> Values:
    x, scale, shift, mean, variance = operands
    width = np.sqrt(variance + float(str(op.attributes["epsilon"])))
    return (x - _per_channel(mean, x)) * _per_channel(scale / width, x) + _per_channel(shift, x)


def _elementwise(graph: Graph, op: Op, operands: Operands) -> Values:
    function = op.text("function")
    if function not in FUNCTIONS:
        raise InputError(f"{function} computes no values here", where=f"{graph.name}.{op.name}")
    if function == "clip":
        bounds = op.attributes["parameters"]
        return (
            np.clip(operands[0], *bounds) if isinstance(bounds, tuple) and len(bounds) == 2 else operands[0]
        )
    return FUNCTIONS[function](*operands)


def _pool(reduce: Callable[..., Values], padding: float) -> Compute:
    def pool(graph: Graph, op: Op, operands: Operands) -> Values:
        window = window_of(graph, op, op.ints("kernel"))
        rank = len(window.kernel)
        found = reduce(unfold(operands[0], window, padding), axis=tuple(range(2 + rank, 2 + 2 * rank)))
        return np.moveaxis(found, -1, 1)

    return pool


def _global(reduce: Callable[..., Values]) -> Compute:
    def pool(graph: Graph, op: Op, operands: Operands) -> Values:
        x = operands[0]
        return np.asarray(reduce(x, axis=tuple(range(2, x.ndim)), keepdims=True))

    return pool


def _reshape(graph: Graph, op: Op, operands: Operands) -> Values:
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    if not before or not after or before[0] != after[0]:
        raise InputError(f"reshapes {before} to {after} across samples", where=f"{graph.name}.{op.name}")
    return operands[0].reshape(len(operands[0]), *after[1:])


def _softmax(graph: Graph, op: Op, operands: Operands) -> Values:
    z = np.exp(operands[0] - operands[0].max(axis=op.int("axis"), keepdims=True))
    found: Values = z / z.sum(axis=op.int("axis"), keepdims=True)
    return np.log(found) if op.attributes["logarithm"] else found


FUNCTIONS: dict[str, Callable[..., Values]] = {
    "sign": sign_of, "clip": np.clip, "add": np.add, "subtract": np.subtract, "multiply": np.multiply,
    "divide": np.divide, "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0.0), "negate": np.negative,
    "sigmoid": lambda x: 1 / (1 + np.exp(-np.clip(x, -500, 500))), "absolute": np.abs,
    "prelu": lambda x, slope: np.where(x >= 0, x, x * slope), "softsign": lambda x: x / (1 + np.abs(x)),
}  # fmt: skip
KINDS: dict[str, Compute] = {
    "convolution": _convolution, "binary_convolution": _convolution, "gemm": _gemm, "matmul": _matmul,
    "binary_matmul": _matmul, "batch_normalization": _batch_normalization, "elementwise": _elementwise,
    "max_pool": _pool(np.max, -math.inf), "global_max_pool": _global(np.max),
    "global_average_pool": _global(np.mean), "reshape": _reshape, "softmax": _softmax,
    "identity": lambda graph, op, operands: operands[0],
    "transpose": lambda graph, op, operands: operands[0].transpose(op.ints("permutation")),
}  # fmt: skip


def run_in_floating_point(graph: Graph, fixed: dict[str, Values], inputs: Values) -> Values:
    """Return the output of the same network without noise."""
    values = {**fixed, graph.inputs[0]: inputs}
    for op in graph.ops:
        values[op.outputs[0]] = compute(graph, op, [values[name] for name in op.inputs if name])
    return values[graph.outputs[0]]
