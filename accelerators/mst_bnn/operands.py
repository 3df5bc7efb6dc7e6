"""Operands of the machine's random networks, and what they come to in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.trees import random_signs
from hwsim.graph.binary import binary_layers, draw
from hwsim.graph.engines import stages_of
from hwsim.graph.types import Graph
from hwsim.graph.values import Values
from hwsim.model.dataflow import whole_results


def operands(graph: Graph, design: MstBnnDesign, rng: np.random.Generator) -> dict[str, Values]:
    """Draw operands; binary layers get the random weights that their cost is worked out from."""
    found, binary = draw(graph, rng), binary_layers(graph)
    for stage in stages_of(graph):
        if stage.product is not None and stage.op.name in binary:
            signs = random_signs(stage.product.n, stage.product.k, design.seed)
            name = stage.product.right
            found[name] = signs.reshape(graph.tensors[name].shape).astype(np.float64)
    return found


def reference(graph: Graph, design: MstBnnDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of the machine by whole-array arithmetic, nothing reused or folded."""
    return whole_results(graph, operands(graph, design, rng))
