"""Passes that a network goes through before its weights are written into arrays."""

from __future__ import annotations

from accelerators.reram_pim.design import ReramDesign
from hwsim.graph.passes import fold_batch_normalization, store_floats
from hwsim.graph.types import FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: ReramDesign) -> Graph:
    """Fold normalizations, and store floating-point tensors as integers in the bits of the design.

    Tensors that are quantized already keep their formats, in networks of both kinds as well.
    """
    folded = fold_batch_normalization(graph)
    weights, inputs = (
        NumberFormat(FormatKind.INTEGER, bits) for bits in (design.weight_bits, design.activation_bits)
    )
    return store_floats(folded, inputs, weights)
