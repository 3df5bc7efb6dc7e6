"""A network on real samples: packed XNOR-popcount products, whole-number thresholds, fixed-point ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.operands import thresholds_of
from accelerators.finn_bnn.stages import is_activation, stages_of
from hwsim.graph.types import FormatKind, Graph, Op
from hwsim.graph.values import Values, read_samples, run
from hwsim.kernels.binary_matmul import binary_product, masked_product, pack_signs
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
    reference = run(graph, arrays)[graph.outputs[0]].argmax(axis=1)
    product, exact = products(graph, design.full_precision_bits)
    predicted = run(graph, arrays, product, _special(graph, arrays, exact))[graph.outputs[0]].argmax(axis=1)
    notes = (
        f"{len(exact)} binary layers by XNOR and popcount",
        f"other layers in fixed point of {design.full_precision_bits} bits",
    )
    return FunctionalResult(labels, predicted, reference, notes)


def products(graph: Graph, bits: int) -> tuple[Callable[..., Values], frozenset[str]]:
    """Return the products of a network's layers, and the layers that are binary on both sides."""
    binary = {
        op.name
        for op in graph.ops
        if len(op.inputs) > 1
        and all(graph.tensors[name].format.kind is FormatKind.BINARY for name in op.inputs[:2])
    }

    def product(op: Op, rows: Values, inside: Values, weights: Values) -> Values:
        if op.name in binary:
            packed, stored = pack_signs(rows), pack_signs(weights)
            if inside.all():
                return binary_product(packed, stored, rows.shape[1]).astype(np.float64)
            return masked_product(packed, pack_signs(inside), stored).astype(np.float64)
        left, left_step = rounded(rows, bits)
        right, right_step = rounded(weights, bits)
        sums: Values = (left @ right.T) * (left_step * right_step)
        return sums

    return product, frozenset(binary)


def rounded(values: Values, bits: int) -> tuple[Values, float]:
    """Return whole numbers of `bits` bits and the step between them; signs stay what they are."""
    if (np.abs(values) == 1).all():
        return values, 1.0
    step = float(np.abs(values).max(initial=0.0)) / (2 ** (bits - 1) - 1) or 1.0
    return np.rint(values / step), step


def _special(
    graph: Graph, arrays: Mapping[str, Values], exact: frozenset[str]
) -> dict[str, Callable[..., Values]]:
    """Replace a normalization and the sign behind it by thresholds: whole ones where sums are whole."""
    found: dict[str, Callable[..., Values]] = {}
    producer = {name: op for op in graph.ops for name in op.outputs}
    folded = {stage.op.name for stage in stages_of(graph) if stage.absorbed}
    for op in graph.ops:
        before = producer.get(op.inputs[0]) if op.inputs else None
        if before is None or before.kind != "batch_normalization" or before.name not in folded:
            continue
        if not is_activation(op) or op.kind == "quantize":
            continue
        found[before.name] = _pass_on
        whole = _whole(producer, before, exact)
        found[op.name] = thresholds_of(graph, op, arrays, whole=whole).signs
    return found


def _whole(producer: Mapping[str, Op], op: Op, exact: frozenset[str]) -> bool:
    """Return whether `op` normalizes whole numbers: sums of a binary layer, pooled or not."""
    source = producer.get(op.inputs[0])
    while source is not None and source.kind == "max_pool":
        source = producer.get(source.inputs[0])
    return source is not None and source.name in exact


def _pass_on(x: Values, *_: Values) -> Values:
    return x
