"""Passes before lowering: normalizations are folded, floating-point numbers become integers."""

from __future__ import annotations

from accelerators.dram_pim.design import DramPimDesign
from hwsim.graph.passes import fold_batch_normalization, set_precision
from hwsim.graph.types import FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: DramPimDesign) -> Graph:
    """Return `graph` with floating-point tensors as integers of `operand_bits`; the rest stays."""
    folded = fold_batch_normalization(graph)
    narrow = NumberFormat(FormatKind.INTEGER, design.operand_bits)
    floating = {name: narrow for name, tensor in folded.tensors.items()
                if tensor.format.kind is FormatKind.FLOAT}
    return set_precision(folded, tensors=floating) if floating else folded
