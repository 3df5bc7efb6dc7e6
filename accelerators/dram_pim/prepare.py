"""Passes before lowering: normalizations are folded, floating-point numbers become integers."""

from __future__ import annotations

from accelerators.dram_pim.design import DramPimDesign
from hwsim.graph.passes import fold_batch_normalization, store_floats
from hwsim.graph.types import FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: DramPimDesign) -> Graph:
    """Return `graph` with floating-point tensors as integers of `operand_bits`; the rest stays."""
    folded = fold_batch_normalization(graph)
    return store_floats(folded, NumberFormat(FormatKind.INTEGER, design.operand_bits))
