"""A network on real samples: packed XNOR-popcount products, whole-number thresholds, fixed-point ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from hwsim.graph.binary import binary_layers, fixed_point_product
from hwsim.graph.types import Graph, Op
from hwsim.graph.values import Product, Values, read_samples
from hwsim.kernels.binary_matmul import binary_product, masked_product, pack_signs
from hwsim.model.dataflow import predictions
from hwsim.model.types import FunctionalResult


def classify(graph: Graph, design: FinnBnnDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Return the classes of the samples in `data`, exactly as the engines and thresholds find them.

    Raises
    ------
    InputError
        With everything that is wrong with `data`.
    UnsupportedOp
        Operators that have no values.
    """
    arrays, labels = read_samples(graph, data)
    product, exact = products(graph, design.operand_bits)
    predicted, reference = predictions(graph, arrays, product)
    notes = (
        f"{len(exact)} binary layers by XNOR and popcount",
        f"other layers in fixed point of {design.operand_bits} bits",
    )
    return FunctionalResult(labels, predicted, reference, notes)


def products(graph: Graph, bits: int) -> tuple[Product, frozenset[str]]:
    """Return the products of a network's layers, and the layers that are binary on both sides."""
    binary = binary_layers(graph)

    def product(op: Op, rows: Values, inside: Values, weights: Values) -> Values:
        if op.name in binary:
            packed, stored = pack_signs(rows), pack_signs(weights)
            if inside.all():
                return binary_product(packed, stored, rows.shape[1]).astype(np.float64)
            return masked_product(packed, pack_signs(inside), stored).astype(np.float64)
        return fixed_point_product(rows, weights, bits)

    return product, binary
