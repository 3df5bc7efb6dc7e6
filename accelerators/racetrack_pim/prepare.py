"""Passes that a network goes through before it is stored in racetracks."""

from __future__ import annotations

from accelerators.racetrack_pim.design import FloatAs, RacetrackDesign
from hwsim.graph.passes import fold_batch_normalization, store_floats
from hwsim.graph.types import FLOAT32, INT8, Graph


def prepare(graph: Graph, design: RacetrackDesign) -> Graph:
    """Fold normalizations, and store floating-point tensors as 8-bit integers or in 32 bits.

    Tensors that are quantized already keep their formats.
    """
    folded = fold_batch_normalization(graph)
    return store_floats(folded, FLOAT32 if design.float_as is FloatAs.FLOAT32 else INT8)
