"""Passes that a network goes through before it reaches the array."""

from __future__ import annotations

from accelerators.systolic.design import SystolicDesign
from hwsim.errors import Problem, UnsupportedOp
from hwsim.graph.contraction import matrix_products
from hwsim.graph.passes import fold_batch_normalization, set_precision
from hwsim.graph.types import FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: SystolicDesign) -> Graph:
    """Fold normalizations, and store floating-point networks as integers of the array's operand width.

    Networks that are integer already keep their formats.

    Raises
    ------
    UnsupportedOp
        If integer operands are wider than the array; every operator is named.
    """
    folded = fold_batch_normalization(graph)
    products = [(op, product) for op in folded.ops for product in matrix_products(folded, op)]
    formats = [
        (op, folded.tensors[name].format)
        for op, product in products
        for name in (product.left, product.right)
    ]
    problems = [
        Problem(
            f"{graph.name}.{op.name}",
            f"{form} operands do not fit {design.operand_bits}-bit elements",
            f"set operand_bits={form.bits}",
        )
        for op, form in formats
        if form.kind is not FormatKind.FLOAT and form.bits > design.operand_bits
    ]
    if problems:
        raise UnsupportedOp(problems=list(dict.fromkeys(problems)))
    if formats and all(form.kind is not FormatKind.FLOAT for _, form in formats):
        return folded
    narrow = NumberFormat(FormatKind.INTEGER, design.operand_bits)
    wide = NumberFormat(FormatKind.INTEGER, design.accumulator_bits)
    return set_precision(folded, weights=narrow, activations=narrow, biases=wide)
