"""Random small binary networks, and what they come to in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from hwsim.graph.binary import draw, random_network
from hwsim.graph.types import Graph
from hwsim.graph.values import run


def random_graph(rng: np.random.Generator) -> Graph:
    """Return one to three random layers, most of them binary, with thresholds between them."""
    return random_network(rng)


def reference(graph: Graph, design: FinnBnnDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of the machine by whole-array arithmetic on the normalizations themselves."""
    del design
    result = run(graph, draw(graph, rng))[graph.ops[-1].outputs[0]]
    return np.rint(result).astype(np.int64)
