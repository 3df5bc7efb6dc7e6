"""A graph as a dataflow chip sees it: engines in a row that pass on position after position."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import FormatKind, Graph, Op, Role, Tensor

Ints = NDArray[np.int64]
PRODUCTS = ("convolution", "binary_convolution", "gemm", "matmul", "binary_matmul")
STREAMED = (
    "batch_normalization",
    "elementwise",
    "quantize",
    "max_pool",
    "average_pool",
    "global_max_pool",
    "global_average_pool",
)
MOVED = ("cast", "pad", "slice")
SIMPLE = ("add", "multiply", "compare", "logic")
"""Elementary operations that the units of a stream perform."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An operator with an engine of its own, or one that takes part in the engine before it.

    Attributes
    ----------
    op : Op
        The operator.
    product : MatrixProduct or None
        Its matrix product, if it has weights.
    pixels : int
        Positions of one image, each with all its channels.
    channels : int
        Channels of a position.
    absorbed : bool
        Applied by the engine before it: a normalization, or an activation, that thresholds stand for.
    """

    op: Op
    product: MatrixProduct | None
    pixels: int
    channels: int
    absorbed: bool


def pixels_of(tensor: Tensor) -> int:
    """Return the positions of one image: sizes behind batch and channels."""
    return math.prod(tensor.shape[2:])


def images_of(tensor: Tensor) -> int:
    """Return how many images a tensor holds."""
    return tensor.shape[0] if tensor.shape else 1


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    if op.kind == "offload" or not op.inputs:
        return ""
    data = [tensor for tensor in graph.operands(op) if tensor is not None and tensor.role not in _FIXED]
    if not data:
        return f"{op.kind} has no stream of activations"
    aliases = op_kind(op.kind).aliases
    if not aliases and op.kind not in (*PRODUCTS, *STREAMED, *MOVED):
        return f"no engine for {op.kind}"
    result = graph.tensors[op.outputs[0]]
    if len(result.shape) < 2 or any(images_of(tensor) != images_of(result) for tensor in data):
        return "mixes the images of a batch, which pass one after another"
    if op.kind in STREAMED and not set(work_of(graph, op).primitives) <= set(SIMPLE):
        heavy = {name for name, count in work_of(graph, op).primitives.items() if count} - set(SIMPLE)
        if heavy:
            return f"no unit for {', '.join(sorted(heavy))}"
    return _product_reason(graph, op) if op.kind in PRODUCTS else ""


_FIXED = (Role.WEIGHT, Role.CONSTANT)


def _product_reason(graph: Graph, op: Op) -> str:
    (product,) = matrix_products(graph, op)
    if not product.right_is_weight:
        return "both operands are activations; weights are built in"
    if product.groups > 1:
        return "grouped convolutions have no engine"
    window = product.window
    if window is None:
        flat = len(graph.tensors[op.outputs[0]].shape) == 2
        return "" if flat else "a linear layer takes one vector an image"
    if len(window.kernel) != 2 or set(window.dilations) != {1}:
        return "only convolutions over two axes, not dilated, have an engine"
    return ""


def stages_of(graph: Graph) -> tuple[Stage, ...]:
    """Return one stage per operator, in order."""
    readers: dict[str, int] = dict.fromkeys(graph.outputs, 1)
    for op in graph.ops:
        for name in op.inputs:
            readers[name] = readers.get(name, 0) + 1
    producer = {name: op for op in graph.ops for name in op.outputs}
    followers = {op.inputs[0]: op for op in graph.ops if op.inputs and readers[op.inputs[0]] == 1}
    found = []
    for op in graph.ops:
        product = matrix_products(graph, op)[0] if op.kind in PRODUCTS else None
        result = graph.tensors[op.outputs[0]]
        absorbed = _is_absorbed(op, producer, followers)
        channels = result.shape[1] if len(result.shape) > 1 else 1
        found.append(Stage(op, product, pixels_of(result), channels, absorbed))
    return tuple(found)


def is_activation(op: Op) -> bool:
    """Return whether `op` maps sums onto a few levels, which thresholds can do."""
    return op.kind == "quantize" or (op.kind == "elementwise" and op.attributes["function"] == "sign")


def _is_absorbed(op: Op, producer: dict[str, Op], followers: dict[str, Op]) -> bool:
    """Tell normalizations that only an activation reads, and activations right behind a product."""
    if op.kind == "batch_normalization":
        after = followers.get(op.outputs[0])
        return after is not None and is_activation(after)
    if not is_activation(op) or op.inputs[0] not in followers:
        return False
    before = producer.get(op.inputs[0])
    if before is not None and before.kind == "batch_normalization" and before.inputs[0] in followers:
        before = producer.get(before.inputs[0])
    return before is not None and before.kind in PRODUCTS


def operand_bits(graph: Graph, product: MatrixProduct) -> tuple[int, int]:
    """Return the bits of an activation and of a weight."""
    return graph.tensors[product.left].format.bits, graph.tensors[product.right].format.bits


def levels_of(tensor: Tensor) -> int:
    """Return the levels of an activation of so many bits: thresholds are one fewer."""
    return 2 if tensor.format.kind is FormatKind.BINARY else 2 ** min(tensor.format.bits, 8)


def needs_of(graph: Graph, stage: Stage, operand: Tensor) -> Ints:
    """Return, for every position of a result, the last position of `operand` that it waits for."""
    have, op = pixels_of(operand), stage.op
    window = stage.product.window if stage.product is not None else None
    if window is not None:
        sizes = (window.input_size, window.output_size)
        return _window_needs(*sizes, window.kernel, window.strides, window.pads)
    if op.kind in ("max_pool", "average_pool"):
        size = graph.tensors[op.outputs[0]].shape[2:]
        if len(size) == 2:
            kernel, strides, pads = (op.ints(name) for name in ("kernel", "strides", "pads"))
            return _window_needs(operand.shape[2:], size, kernel, strides, pads)
    # Without a window positions follow each other at the rate at which both tensors run out.
    last = -(-(np.arange(stage.pixels, dtype=np.int64) + 1) * have // stage.pixels) - 1
    return np.clip(last, 0, have - 1)


def _window_needs(
    have: tuple[int, ...],
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    pads: tuple[int, ...],
) -> Ints:
    ends = []
    for axis in range(2):
        last = np.arange(size[axis], dtype=np.int64) * strides[axis] - pads[axis] + kernel[axis] - 1
        ends.append(np.clip(last, 0, have[axis] - 1))
    return (ends[0][:, None] * have[1] + ends[1]).reshape(-1)
