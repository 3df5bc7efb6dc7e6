"""Nothing to prepare: a memory takes words as they are."""

from __future__ import annotations

from accelerators.racetrack_memory.design import RacetrackMemoryDesign
from hwsim.graph.types import Graph


def prepare(graph: Graph, design: RacetrackMemoryDesign) -> Graph:
    """Return `graph` as it is; a tensor takes one word an element."""
    return graph
