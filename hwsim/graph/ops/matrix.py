"""Matrix products: batched matmul with numpy semantics, gemm with a bias, and the binary form."""

from __future__ import annotations

import math

from hwsim.errors import GraphError
from hwsim.graph.ops.convolution import check_sizes, require_binary
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Tensors,
    Work,
    broadcast,
    get,
    need,
    show,
)
from hwsim.graph.types import Op, Shape, Tensor

_OUTPUTS = (Operand("output"),)


def matmul_shapes(a: Shape, b: Shape, transpose_a: bool, transpose_b: bool) -> tuple[Shape, Shape]:
    """Return both operands as ``[..., m, k]`` and ``[..., k, n]``, vectors and transposes resolved."""
    if not a or not b:
        raise GraphError(f"a scalar cannot enter a matrix product: {show(a)} x {show(b)}")
    if (transpose_a and len(a) < 2) or (transpose_b and len(b) < 2):
        raise GraphError(f"a vector cannot be transposed: {show(a)} x {show(b)}")
    left = (1, *a) if len(a) == 1 else a
    right = (*b, 1) if len(b) == 1 else b
    if transpose_a:
        left = (*left[:-2], left[-1], left[-2])
    if transpose_b:
        right = (*right[:-2], right[-1], right[-2])
    if left[-1] != right[-2]:
        raise GraphError(f"inner sizes {left[-1]} and {right[-2]} differ in {show(a)} x {show(b)}"
                         + (" (transposed)" if transpose_a or transpose_b else ""))
    return left, right


def _infer_matmul(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    a, b = need(operands, 0).shape, need(operands, 1).shape
    check_sizes("a", a)
    check_sizes("b", b)
    left, right = matmul_shapes(a, b, bool(attributes["transpose_a"]), bool(attributes["transpose_b"]))
    batch = broadcast((left[:-2], right[:-2]))
    rows = () if len(a) == 1 else (left[-2],)
    columns = () if len(b) == 1 else (right[-1],)
    return ((*batch, *rows, *columns),)


def _infer_binary(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    require_binary(operands)
    return _infer_matmul(attributes, operands)


def inner_size(tensor: Tensor, *, transposed: bool) -> int:
    """Return the summed size of the left operand of a matrix product."""
    return tensor.shape[-2] if transposed else tensor.shape[-1]


def _work_matmul(op: Op, operands: Tensors, results: Tensors) -> Work:
    inner = inner_size(need(operands, 0), transposed=bool(op.attributes["transpose_a"]))
    return Work(need(results, 0).elements * inner)


def _infer_gemm(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    a, b = need(operands, 0).shape, need(operands, 1).shape
    if len(a) != 2 or len(b) != 2:
        raise GraphError(f"gemm multiplies two matrices, not {show(a)} and {show(b)}")
    check_sizes("a", a)
    check_sizes("b", b)
    left, right = matmul_shapes(a, b, bool(attributes["trans_a"]), bool(attributes["trans_b"]))
    result = (left[0], right[1])
    bias = get(operands, 2)
    if bias is not None and broadcast((bias.shape, result)) != result:
        raise GraphError(f"c {show(bias.shape)} does not broadcast to the product {show(result)}")
    return (result,)


def _work_gemm(op: Op, operands: Tensors, results: Tensors) -> Work:
    inner = inner_size(need(operands, 0), transposed=bool(op.attributes["trans_a"]))
    outputs = need(results, 0).elements
    bias = get(operands, 2)
    scaled = outputs if op.attributes["alpha"] != 1.0 else 0
    if bias is None:
        return Work(outputs * inner, {"multiply": scaled})
    scaled += math.prod(bias.shape) if op.attributes["beta"] != 1.0 else 0
    return Work(outputs * inner, {"add": outputs, "multiply": scaled})


KINDS = (
    OpKind("matmul", Category.CONTRACTION, (Operand("a"), Operand("b")), _OUTPUTS,
           {"transpose_a": False, "transpose_b": False}, _infer_matmul, _work_matmul,
           "numpy.matmul, batches broadcast, optionally with the last two axes of an operand exchanged "
           "first. MACs: output elements x inner size."),
    OpKind("gemm", Category.CONTRACTION, (Operand("a"), Operand("b"), Operand("c", optional=True)), _OUTPUTS,
           {"trans_a": False, "trans_b": False, "alpha": 1.0, "beta": 1.0}, _infer_gemm, _work_gemm,
           "alpha * a @ b + beta * c (ONNX Gemm). MACs: output elements x inner size; adding c is one add "
           "per output element, a factor other than 1 one multiply per element it scales."),
    OpKind("binary_matmul", Category.CONTRACTION, (Operand("a"), Operand("b")), _OUTPUTS,
           {"transpose_a": False, "transpose_b": False}, _infer_binary, _work_matmul,
           "Matmul of {-1, 1} operands; one XNOR-popcount pair is counted as one MAC."),
)
