"""A network on real samples: every channel from its parent in the tree of the trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.trees import Schedule, schedule_of
from hwsim.graph.binary import binary_layers, fixed_point_product
from hwsim.graph.types import Graph, Op
from hwsim.graph.values import Values, read_samples
from hwsim.model.dataflow import predictions
from hwsim.model.types import FunctionalResult


def classify(graph: Graph, design: MstBnnDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Return the classes of the samples in `data`, and what the trained weights let channels reuse.

    Raises
    ------
    InputError
        With everything that is wrong with `data`.
    UnsupportedOp
        Operators that have no values.
    """
    arrays, labels = read_samples(graph, data)
    exact = binary_layers(graph)
    schedules = trained_schedules(graph, design, arrays)

    def product(op: Op, rows: Values, inside: Values, weights: Values) -> Values:
        if op.name in exact:
            return reused_product(rows * inside, weights, schedules[op.name])
        return fixed_point_product(rows, weights, design.operand_bits)

    predicted, reference = predictions(graph, arrays, product)
    return FunctionalResult(labels, predicted, reference, _notes(schedules))


def trained_schedules(
    graph: Graph, design: MstBnnDesign, arrays: Mapping[str, Values]
) -> dict[str, Schedule]:
    """Return the schedule of every binary layer with the weights of `arrays`."""
    found = {}
    for op in graph.ops:
        if op.name in binary_layers(graph):
            weights = arrays[op.inputs[1]]
            if op.kind != "gemm" and weights.ndim == 2 and not op.attributes.get("transpose_b", True):
                weights = weights.T
            signs = weights.reshape(len(weights), -1).astype(np.int8)
            found[op.name] = schedule_of(signs, design.tree_depth, complement=design.complement)
    return found


def reused_product(rows: Values, weights: Values, schedule: Schedule) -> Values:
    """Return ``rows @ weights.T`` channel after channel: the parent's sums and twice what differs."""
    # Whole numbers below 2^24 are exact in 32 bits; inputs stand in rows so that a few are picked at once.
    inputs, stored = np.ascontiguousarray(rows.T, np.float32), weights.astype(np.float32)
    sums = np.zeros((len(weights), len(rows)), np.float32)
    for channel in schedule.order:
        parent = schedule.parent[channel]
        if parent < 0:
            sums[channel] = stored[channel] @ inputs
            continue
        turn = np.float32(-1.0 if schedule.opposite[channel] else 1.0)
        differ = np.flatnonzero(stored[channel] != turn * stored[parent])
        sums[channel] = turn * sums[parent] + 2 * (stored[channel, differ] @ inputs[differ])
    return sums.T.astype(np.float64)


def _notes(schedules: Mapping[str, Schedule]) -> tuple[str, ...]:
    """Say what each layer reuses, and the two knobs that price a network alike."""
    rows = [
        f"{name}: {found.ratio:.1%} of the bit products left, {found.levels} levels"
        for name, found in schedules.items()
    ]
    before = sum(found.inputs * len(found.order) for found in schedules.values())
    if not before:
        return ("no binary layer: nothing to reuse",)
    left = sum(found.products for found in schedules.values()) / before
    levels = max(found.levels for found in schedules.values())
    return (*rows, f"all layers: set reuse_ratio={left:.4f} and reuse_levels={levels} to price these weights")
