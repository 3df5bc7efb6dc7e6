"""ONNX operators that multiply matrices: convolutions, products, einsum and their integer forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hwsim.errors import GraphError
from hwsim.graph.ops.convolution import same_pads
from hwsim.graph.types import INT32, NumberFormat
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_values import Value
from hwsim.importers.onnx_walk import Handler, Walker


def spatial(node: Node, image: Value, kernel: Sequence[int]) -> dict[str, Any]:
    """Return strides, pads and dilations of a windowed operator, ``auto_pad`` resolved."""
    rank = len(kernel)
    if len(image.shape) != rank + 2:
        raise GraphError(f"a kernel {list(kernel)} does not fit input {list(image.shape)}")
    strides = node.integers("strides", (1,) * rank)
    dilations = node.integers("dilations", (1,) * rank)
    pads = node.integers("pads", (0,) * (2 * rank))
    mode = node.text("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", ""):
        raise GraphError(f"auto_pad is {mode!r}", hint="known: NOTSET, VALID, SAME_UPPER, SAME_LOWER")
    if not len(strides) == len(dilations) == rank or min((*strides, *dilations), default=1) < 1:
        raise GraphError(f"strides {list(strides)} and dilations {list(dilations)} must be {rank} numbers "
                         "of at least 1")
    if mode == "VALID":
        pads = (0,) * (2 * rank)
    elif mode.startswith("SAME"):
        pads = same_pads(image.shape[2:], kernel, strides, dilations, upper=mode == "SAME_UPPER")
    return {"strides": strides, "pads": pads, "dilations": dilations}


def _kernel(node: Node, weight: Value) -> tuple[int, ...]:
    kernel = weight.shape[2:]
    stated = node.integers("kernel_shape", kernel)
    if stated != kernel:
        raise GraphError(f"kernel_shape {list(stated)} contradicts the weight {list(weight.shape)}")
    return kernel


def _convolve(node: Node, walker: Walker, operands: tuple[Value, Value, Value | None],
              number_format: NumberFormat | None = None) -> Sequence[Value]:
    image, weight, bias = operands
    window = spatial(node, image, _kernel(node, weight))
    return walker.emit(node, "convolution", [image, weight, bias], format=number_format,
                       groups=node.integer("group", 1), **window)


def _conv(node: Node, walker: Walker) -> Sequence[Value]:
    return _convolve(node, walker, (node.input(0), node.input(1), node.optional(2)))


def _conv_integer(node: Node, walker: Walker) -> Sequence[Value]:
    return _convolve(node, walker, (node.input(0), node.input(1), None), INT32)


def _qlinear_conv(node: Node, walker: Walker) -> Sequence[Value]:
    # x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B: requantisation is free.
    return _convolve(node, walker, (node.input(0), node.input(3), node.optional(8)), node.input(7).format)


def _conv_transpose(node: Node, walker: Walker) -> Sequence[Value]:
    image, weight = node.input(0), node.input(1)
    kernel = _kernel(node, weight)
    rank = len(kernel)
    mode = node.text("auto_pad", "NOTSET")
    window = spatial(node, image, kernel) if mode in ("NOTSET", "VALID", "") else None
    strides = node.integers("strides", (1,) * rank)
    dilations = node.integers("dilations", (1,) * rank)
    extra = node.integers("output_padding", (0,) * rank)
    if not len(strides) == len(dilations) == len(extra) == rank or len(image.shape) != rank + 2:
        raise GraphError(f"strides, dilations and output_padding must be {rank} numbers each")
    pads = window["pads"] if window is not None else (0,) * (2 * rank)
    if window is None or "output_shape" in node.attributes:
        natural = tuple(image.shape[2 + i] * strides[i] for i in range(rank))
        wanted = node.integers("output_shape", natural)[-rank:]
        if len(wanted) != rank:
            raise GraphError(f"output_shape {list(wanted)} must give {rank} sizes")
        totals = [strides[i] * (image.shape[2 + i] - 1) + extra[i] + (kernel[i] - 1) * dilations[i] + 1
                  - wanted[i] for i in range(rank)]
        # A wanted size beyond the natural one is output padding, below it cropping.
        extra = tuple(extra[i] + max(0, -totals[i]) for i in range(rank))
        crops = [max(0, total) for total in totals]
        small = tuple(crop // 2 for crop in crops)
        large = tuple(crop - crop // 2 for crop in crops)
        pads = (*large, *small) if mode == "SAME_LOWER" else (*small, *large)
    return walker.emit(node, "transposed_convolution", [image, weight, node.optional(2)], strides=strides,
                       pads=pads, dilations=dilations, output_pads=extra, groups=node.integer("group", 1))


def untransposed(value: Value) -> tuple[Value, bool]:
    """Return the stored matrix behind a constant and whether it is read transposed."""
    return (value, False) if value.view_of is None else (value.view_of, True)


def product(node: Node, walker: Walker, a: Value, b: Value, *, transpose: tuple[bool, bool] = (False, False),
            number_format: NumberFormat | None = None) -> Sequence[Value]:
    """Append a matrix product; transposed constants are read in place."""
    left, left_turned = untransposed(a)
    right, right_turned = untransposed(b)
    return walker.emit(node, "matmul", [left, right], format=number_format,
                       transpose_a=transpose[0] != left_turned, transpose_b=transpose[1] != right_turned)


def _matmul(node: Node, walker: Walker) -> Sequence[Value]:
    return product(node, walker, node.input(0), node.input(1))


def _matmul_integer(node: Node, walker: Walker) -> Sequence[Value]:
    return product(node, walker, node.input(0), node.input(1), number_format=INT32)


def _qlinear_matmul(node: Node, walker: Walker) -> Sequence[Value]:
    # a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point
    return product(node, walker, node.input(0), node.input(3), number_format=node.input(7).format)


def _fused_matmul(node: Node, walker: Walker) -> Sequence[Value]:
    if node.integer("transBatchA", 0) or node.integer("transBatchB", 0):
        raise GraphError("transBatchA and transBatchB are not supported")
    turned = (bool(node.integer("transA", 0)), bool(node.integer("transB", 0)))
    return product(node, walker, node.input(0), node.input(1), transpose=turned)


def _gemm(node: Node, walker: Walker) -> Sequence[Value]:
    (a, a_turned), (b, b_turned) = untransposed(node.input(0)), untransposed(node.input(1))
    return walker.emit(node, "gemm", [a, b, node.optional(2)],
                       trans_a=bool(node.integer("transA", 0)) != a_turned,
                       trans_b=bool(node.integer("transB", 0)) != b_turned,
                       alpha=node.number("alpha", 1.0), beta=node.number("beta", 1.0))


def _einsum(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "einsum", list(node.inputs), equation=node.text("equation", ""))


HANDLERS: Mapping[str, Handler] = MappingProxyType({
    "Conv": _conv, "ConvInteger": _conv_integer, "QLinearConv": _qlinear_conv,
    "ConvTranspose": _conv_transpose,
    "MatMul": _matmul, "MatMulInteger": _matmul_integer, "QLinearMatMul": _qlinear_matmul, "Gemm": _gemm,
    "Einsum": _einsum, "com.microsoft.FusedMatMul": _fused_matmul,
})
