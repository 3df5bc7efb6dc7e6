"""Passes that a network goes through before it is stored in racetracks."""

from __future__ import annotations

from accelerators.racetrack_pim.design import FloatAs, RacetrackDesign
from hwsim.graph.passes import fold_batch_normalization, set_precision
from hwsim.graph.types import FLOAT32, INT8, FormatKind, Graph


def prepare(graph: Graph, design: RacetrackDesign) -> Graph:
    """Fold normalizations, and store floating-point tensors as 8-bit integers or in 32 bits.

    Tensors that are quantized already keep their formats.
    """
    folded = fold_batch_normalization(graph)
    stored = FLOAT32 if design.float_as is FloatAs.FLOAT32 else INT8
    floats = {
        name: stored for name, tensor in folded.tensors.items() if tensor.format.kind is FormatKind.FLOAT
    }
    return set_precision(folded, tensors=floats)
