"""One view for all chips of operators as matrix products: which matrices, how large, how often."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from hwsim.graph.ops.einsum import operand_shapes, pairs_of, parse_summation
from hwsim.graph.ops.kinds import need
from hwsim.graph.ops.matrix import matmul_shapes
from hwsim.graph.ops.recurrent import recurrent_sizes
from hwsim.graph.types import Graph, Op, Role, Shape, Tensor


@dataclass(frozen=True, slots=True)
class Window:
    """Geometry of a convolution whose left matrix is the unfolded input.

    Attributes
    ----------
    input_size, output_size, kernel, strides, dilations : tuple of int
        One number per spatial axis.
    pads : tuple of int
        All starts, then all ends.
    channels : int
        Input channels of one group.
    batch : int
        Samples.
    """

    input_size: tuple[int, ...]
    output_size: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    channels: int
    batch: int


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """``out[g, m, n] = sum_k left[g, m, k] * right[g, k, n]``, repeated `steps` times one after another.

    Attributes
    ----------
    groups, m, k, n, steps : int
        Independent products, their sizes, and dependent repetitions; macs = groups * m * k * n * steps.
    left, right, out : str
        Tensor names. An intermediate (einsum of three operands, recurrent state) has the result's name.
    right_is_weight : bool
        The right matrix is a parameter or constant; False: both operands are activations.
    right_shared : bool
        Every one of several groups uses the same right matrix.
    left_elements : int
        Distinct elements of the left operand that one step reads, over all groups: smaller than
        groups * m * k where windows overlap or the operand is broadcast.
    window : Window or None
        Geometry, for convolutions only (not transposed ones).
    label : str
        What the product is for: ``"convolution"``, ``"input_projection"``, ``"recurrence"``.
    """

    groups: int
    m: int
    k: int
    n: int
    steps: int
    left: str
    right: str
    out: str
    right_is_weight: bool
    right_shared: bool
    left_elements: int
    window: Window | None
    label: str

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all groups and steps."""
        return self.groups * self.m * self.k * self.n * self.steps


def matrix_products(graph: Graph, op: Op) -> tuple[MatrixProduct, ...]:
    """Return the matrix products that `op` consists of, in order; ``()`` when it is no contraction.

    The MACs of all products add up to ``work_of(graph, op).macs``.
    """
    if op.kind in ("convolution", "binary_convolution"):
        return (_convolution(graph, op),)
    if op.kind == "transposed_convolution":
        return (_transposed_convolution(graph, op),)
    if op.kind in ("matmul", "binary_matmul"):
        return (_matmul(graph, op),)
    if op.kind == "gemm":
        return (_gemm(graph, op),)
    if op.kind == "einsum":
        return _einsum(graph, op)
    if op.kind in ("lstm", "gru", "rnn"):
        return _recurrent(graph, op)
    return ()


def stationary(tensor: Tensor) -> bool:
    """Return whether a tensor is known before the network runs: a parameter or a constant."""
    return tensor.role in (Role.WEIGHT, Role.CONSTANT)


def _tensors(graph: Graph, op: Op) -> tuple[Tensor, Tensor, Tensor]:
    operands = graph.operands(op)
    return need(operands, 0), need(operands, 1), _first_result(graph, op)


def _first_result(graph: Graph, op: Op) -> Tensor:
    return next(result for result in graph.results(op) if result is not None)


def _convolution(graph: Graph, op: Op) -> MatrixProduct:
    image, weight, out = _tensors(graph, op)
    groups = op.int("groups")
    kernel, spatial = weight.shape[2:], out.shape[2:]
    window = Window(image.shape[2:], spatial, kernel, op.ints("strides"), op.ints("pads"),
                    op.ints("dilations"), weight.shape[1], image.shape[0])
    touched = math.prod(_touched(*axis) for axis in zip(
        window.input_size, spatial, kernel, window.strides, window.pads, window.dilations, strict=False))
    return MatrixProduct(
        groups=groups, m=image.shape[0] * math.prod(spatial), k=math.prod(weight.shape[1:]),
        n=weight.shape[0] // groups, steps=1, left=image.name, right=weight.name, out=out.name,
        right_is_weight=stationary(weight), right_shared=False,
        left_elements=image.shape[0] * image.shape[1] * touched, window=window, label="convolution")


@lru_cache(maxsize=4096)
def _touched(size: int, outputs: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Return how many of `size` input positions along one axis lie under any window.

    Tap i of output p reads p stride + i dilation - pad. Without dilation the windows are runs; with it, taps
    whose positions are alike modulo the stride are runs of outputs, in steps of the stride.
    """
    if dilation == 1:
        return _covered(size + pad, outputs, kernel, stride) - _covered(pad, outputs, kernel, stride)
    common = math.gcd(stride, dilation)
    period, pitch = stride // common, dilation // common
    found = 0
    for tap in range(min(period, kernel)):
        runs, first = -(-(kernel - tap) // period), tap * dilation - pad
        below, above = -(first // stride), -((first - size) // stride)
        found += _covered(above, runs, outputs, pitch) - _covered(below, runs, outputs, pitch)
    return found


def _covered(end: int, runs: int, length: int, pitch: int) -> int:
    """Return how many positions from 0 to before `end` lie in runs of `length`, `pitch` apart."""
    whole = (runs - 1) * pitch + length
    if end <= 0 or pitch <= length:
        return max(0, min(end, whole))
    full = min(runs, end // pitch)
    return full * length + (min(length, end - full * pitch) if full < runs else 0)


def _transposed_convolution(graph: Graph, op: Op) -> MatrixProduct:
    image, weight, out = _tensors(graph, op)
    groups = op.int("groups")
    return MatrixProduct(
        groups=groups, m=image.shape[0] * math.prod(image.shape[2:]), k=image.shape[1] // groups,
        n=math.prod(weight.shape[1:]), steps=1, left=image.name, right=weight.name, out=out.name,
        right_is_weight=stationary(weight), right_shared=False, left_elements=image.elements, window=None,
        label="transposed_convolution")


def _gemm(graph: Graph, op: Op) -> MatrixProduct:
    a, b, out = _tensors(graph, op)
    transposed = bool(op.attributes["trans_a"]), bool(op.attributes["trans_b"])
    left, right = matmul_shapes(a.shape, b.shape, *transposed)
    return _product(a, b, out, left, right, "gemm")


def _matmul(graph: Graph, op: Op) -> MatrixProduct:
    a, b, out = _tensors(graph, op)
    transposed = bool(op.attributes["transpose_a"]), bool(op.attributes["transpose_b"])
    left, right = matmul_shapes(a.shape, b.shape, *transposed)
    return _product(a, b, out, left, right, "matmul")


def _product(a: Tensor, b: Tensor, out: Tensor, left: Shape, right: Shape, label: str) -> MatrixProduct:
    """Return ``a @ b`` of shapes [..., m, k] and [..., k, n], turned so that a weight stands right."""
    if stationary(a) and not stationary(b):
        turned_left, turned_right = (*right[:-2], right[-1], right[-2]), (*left[:-2], left[-1], left[-2])
        return _product(b, a, out, turned_left, turned_right, label)
    rank = max(len(left), len(right)) - 2
    left_batch = (1,) * (rank - len(left) + 2) + left[:-2]
    right_batch = (1,) * (rank - len(right) + 2) + right[:-2]
    groups, folded = 1, 1
    for size, other in zip(left_batch, right_batch, strict=True):
        # A weight that serves every sample of a batch axis sees the samples as more rows.
        if stationary(b) and other == 1:
            folded *= size
        else:
            groups *= max(size, other)
    return MatrixProduct(
        groups=groups, m=folded * left[-2], k=left[-1], n=right[-1], steps=1, left=a.name, right=b.name,
        out=out.name, right_is_weight=stationary(b), right_shared=groups > 1 and math.prod(right_batch) == 1,
        left_elements=a.elements, window=None, label=label)


def _einsum(graph: Graph, op: Op) -> tuple[MatrixProduct, ...]:
    operands, out = graph.operands(op), _first_result(graph, op)
    equation, shapes = op.text("equation"), operand_shapes(operands)
    space = parse_summation(equation, shapes).space
    products: list[MatrixProduct] = []
    for pair in pairs_of(equation, shapes):
        left = out if pair.left_operand < 0 else need(operands, pair.left_operand)
        right = need(operands, pair.right_operand)
        left_labels, right_labels = pair.left, pair.right
        if pair.left_operand >= 0 and stationary(left) and not stationary(right):
            left, right, left_labels, right_labels = right, left, right_labels, left_labels
        kept, both = pair.result, left_labels & right_labels
        products.append(MatrixProduct(
            groups=space(both & kept), m=space((left_labels - right_labels) & kept),
            k=space((left_labels | right_labels) - kept), n=space((right_labels - left_labels) & kept),
            steps=1, left=left.name, right=right.name, out=out.name, right_is_weight=stationary(right),
            right_shared=False, left_elements=space(left_labels), window=None, label="einsum"))
    return tuple(products)


def _recurrent(graph: Graph, op: Op) -> tuple[MatrixProduct, ...]:
    operands, out = graph.operands(op), _first_result(graph, op)
    s = recurrent_sizes(op.kind, op.attributes, operands)
    x, weight, recurrence = (need(operands, position) for position in range(3))
    rows = s.steps * s.batch
    project = MatrixProduct(
        groups=1, m=rows, k=s.features, n=s.gates * s.hidden, steps=1, left=x.name, right=weight.name,
        out=out.name, right_is_weight=stationary(weight), right_shared=False,
        left_elements=rows * s.features, window=None, label="input_projection")
    recur = replace(project, m=s.batch, k=s.hidden, steps=s.steps, left=out.name, right=recurrence.name,
                    right_is_weight=stationary(recurrence), left_elements=s.batch * s.hidden,
                    label="recurrence")
    one_way: tuple[MatrixProduct, ...] = (project, recur)
    if op.kind == "gru" and not op.attributes["linear_before_reset"]:
        # The candidate gate multiplies reset * h, so it waits for the other two gates of the same step.
        one_way = (project, replace(recur, n=2 * s.hidden),
                   replace(recur, n=s.hidden, label="candidate_recurrence"))
    if op.text("direction") == "forward":
        return one_way
    reverse = tuple(replace(product, label=f"{product.label}_reverse") for product in one_way)
    return reverse if op.text("direction") == "reverse" else one_way + reverse
