"""Number formats that a network has on the binary/ternary LSTM engine."""

from __future__ import annotations

from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.weights import Weights
from hwsim.graph.contraction import matrix_products
from hwsim.graph.passes import set_precision
from hwsim.graph.types import BINARY, TERNARY, FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: BinaryLstmDesign) -> Graph:
    """Return `graph` with the weights of every matrix product in the design's format, all else fixed point.

    Linear layers beside the recurrent ones are quantized alike, because the units know no other weights.
    """
    fixed = NumberFormat(FormatKind.INTEGER, design.activation_bits)
    full = NumberFormat(FormatKind.INTEGER, design.weight_bits)
    form = {Weights.BINARY: BINARY, Weights.TERNARY: TERNARY, Weights.FULL_PRECISION: full}[design.weights]
    weights = {
        product.right: form
        for op in graph.ops
        for product in matrix_products(graph, op)
        if product.right_is_weight
    }
    return set_precision(graph, weights=fixed, activations=fixed, tensors=weights)
