"""Passes before lowering: what the network has in floating point becomes fixed point."""

from __future__ import annotations

from accelerators.finn_bnn.design import FinnBnnDesign
from hwsim.graph.passes import store_floats
from hwsim.graph.types import FormatKind, Graph, NumberFormat


def prepare(graph: Graph, design: FinnBnnDesign) -> Graph:
    """Return `graph` with floating-point tensors in `operand_bits`; others keep their format.

    Sums are written as what they become; engines and thresholds work on `accumulator_bits` of them.
    """
    return store_floats(graph, NumberFormat(FormatKind.INTEGER, design.operand_bits))
