"""Number formats that a network gets before it reaches the chip."""

from __future__ import annotations

from accelerators.sparse_lstm.design import SparseLstmDesign
from hwsim.errors import Problem, UnsupportedOp
from hwsim.graph.contraction import matrix_products
from hwsim.graph.passes import set_precision
from hwsim.graph.types import INT32, FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: SparseLstmDesign) -> Graph:
    """Store floating-point networks as integers of the chip's widths; integer networks keep their formats.

    Raises
    ------
    UnsupportedOp
        If integer operands are wider than the chip's; every operator is named.
    """
    widths = {False: design.activation_bits, True: design.weight_bits}
    formats = [
        (op, graph.tensors[name].format, widths[is_weight])
        for op in graph.ops
        for product in matrix_products(graph, op)
        for name, is_weight in ((product.left, False), (product.right, True))
    ]
    problems = [
        Problem(f"{graph.name}.{op.name}", f"{form} operands do not fit {bits}-bit elements")
        for op, form, bits in formats
        if form.kind is not FormatKind.FLOAT and form.bits > bits
    ]
    if problems:
        raise UnsupportedOp(problems=list(dict.fromkeys(problems)))
    if formats and all(form.kind is not FormatKind.FLOAT for _, form, _ in formats):
        return graph
    return set_precision(
        graph,
        weights=NumberFormat(FormatKind.INTEGER, design.weight_bits),
        activations=NumberFormat(FormatKind.INTEGER, design.activation_bits),
        biases=INT32,
    )
