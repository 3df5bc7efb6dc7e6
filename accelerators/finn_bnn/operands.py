"""What the machine's random networks come to in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from hwsim.graph.binary import draw
from hwsim.graph.types import Graph
from hwsim.model.dataflow import whole_results


def reference(graph: Graph, design: FinnBnnDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of the machine by whole-array arithmetic on the normalizations themselves."""
    del design
    return whole_results(graph, draw(graph, rng))
