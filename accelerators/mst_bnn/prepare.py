"""Passes before lowering: what the network has in floating point becomes fixed point."""

from __future__ import annotations

from accelerators.mst_bnn.design import MstBnnDesign
from hwsim.graph.passes import set_precision
from hwsim.graph.types import FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: MstBnnDesign) -> Graph:
    """Return `graph` with floating-point tensors in `operand_bits`; others keep their format.

    Sums are written as what they become; engines and thresholds work on `accumulator_bits` of them.
    """
    fixed = NumberFormat(FormatKind.INTEGER, design.operand_bits)
    floats = {t.name: fixed for t in graph.tensors.values() if t.format.kind is FormatKind.FLOAT}
    return set_precision(graph, tensors=floats) if floats else graph
