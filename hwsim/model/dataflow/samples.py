"""Networks of thresholds on numbers: samples through a chip's own products, and whole results."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.binary import as_thresholds, binary_layers
from hwsim.graph.types import Graph
from hwsim.graph.values import Product, Values, run

Ints = NDArray[np.int64]


def predictions(graph: Graph, arrays: Mapping[str, Values], product: Product) -> tuple[Ints, Ints]:
    """Return the classes of samples by the chip's products and thresholds, and in floating point.

    Parameters
    ----------
    graph : Graph
        Network with one output, [samples, classes].
    arrays : mapping of str to float64[...]
        Samples and weights by tensor.
    product : callable (Op, rows, inside, weights) -> values
        How the chip multiplies.

    Raises
    ------
    UnsupportedOp
        Operators that have no values.
    """
    reference = run(graph, arrays)[graph.outputs[0]].argmax(axis=1)
    values = run(graph, arrays, product, as_thresholds(graph, arrays, binary_layers(graph)))
    return values[graph.outputs[0]].argmax(axis=1), reference


def whole_results(graph: Graph, arrays: Mapping[str, Values]) -> Ints:
    """Return the last operator's values by whole-array arithmetic, nothing folded, as whole numbers."""
    return np.rint(run(graph, arrays)[graph.ops[-1].outputs[0]]).astype(np.int64)
