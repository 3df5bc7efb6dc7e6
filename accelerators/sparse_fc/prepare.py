"""Number formats that a network has on the sparsely-connected layer engine."""

from __future__ import annotations

from accelerators.sparse_fc.design import SparseFcDesign
from accelerators.sparse_fc.weights import Weights
from hwsim.graph.contraction import matrix_products
from hwsim.graph.passes import set_precision
from hwsim.graph.types import BINARY, TERNARY, FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: SparseFcDesign) -> Graph:
    """Return `graph` with binary or ternary weights in every layer and inputs of the design's width.

    Normalizations stay: their scale cannot enter a weight of one or two bits, so the output stage applies it.
    """
    form = BINARY if design.weights is Weights.BINARY else TERNARY
    weights = {
        product.right: form
        for op in graph.ops
        for product in matrix_products(graph, op)
        if product.right_is_weight
    }
    activations = NumberFormat(FormatKind.INTEGER, design.activation_bits)
    return set_precision(graph, activations=activations, tensors=weights)
