"""A network with real data on noisy crossbars, layer by layer, beside the same network without noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.crossbars import Programmed, program, run_layer
from accelerators.aqfp_bnn.design import AqfpBnnDesign, ParallelCounter, Sampling
from accelerators.aqfp_bnn.host import computable, compute, run_in_floating_point
from accelerators.aqfp_bnn.mapping import map_layer
from accelerators.aqfp_bnn.network import Layer, network_of
from accelerators.aqfp_bnn.neuron import gray_zone_products, neuron_notes
from hwsim.errors import InputError, Problem
from hwsim.graph.contraction import matrix_products
from hwsim.graph.types import Graph
from hwsim.graph.values import Values, read_samples
from hwsim.model.types import FunctionalResult

LARGEST_ELEMENTS = 2**25


def run(graph: Graph, design: AqfpBnnDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Classify the samples of `data` on `design`.

    Parameters
    ----------
    graph : Graph
        Binary layers run on crossbars; other operators in floating point on a host.
    data : mapping of str to array
        "labels", the network's input as samples, and every weight and constant by its tensor's name.

    Raises
    ------
    InputError
        With everything that is wrong with `data`, inputs of the neuron that are not known, or operators
        that have no values.
    """
    gray_zone = gray_zone_products(design)
    layers = network_of(graph).layers
    _check(graph, layers)
    fixed, labels = read_samples(graph, data)
    inputs = fixed.pop(graph.inputs[0])
    programmed = {layer.op.name: program(graph, layer, fixed, design.crossbar_size) for layer in layers}
    for layer in layers:
        map_layer(layer, design)
    found, reference = [], []
    size = samples_at_once(graph)
    for first in range(0, len(inputs), size):
        part = inputs[first : first + size]
        reference.append(_classes(run_in_floating_point(graph, fixed, part)))
        found.append(_classes(classify(graph, programmed, fixed, part, design, gray_zone, first)))
    notes, warnings = neuron_notes(design)
    drawn = design.sampling is Sampling.BITWISE or design.parallel_counter is ParallelCounter.APPROXIMATE
    notes.append(f"L = {design.stream_length}, {'bit by bit' if drawn else 'binomial'}, seed {design.seed}")
    away = [op.name for op in graph.ops if op.name not in _on_chip(layers) and op.kind not in ("reshape",)]
    if away:
        notes.append(f"in floating point on a host: {', '.join(away)}")
    return FunctionalResult(
        labels,
        np.concatenate(found),
        np.concatenate(reference),
        tuple(notes),
        (*warnings, *_still(programmed)),
    )


def samples_at_once(graph: Graph) -> int:
    """Return how many samples fit into memory together: unfolded windows are what takes most of it."""
    largest = 1
    for op in graph.ops:
        batch = max(1, (graph.tensors[op.inputs[0]].shape or (1,))[0]) if op.inputs else 1
        products = [product.m * product.k for product in matrix_products(graph, op)]
        made = [graph.tensors[name].elements for name in op.outputs if name]
        largest = max(largest, *(amount // batch for amount in (*products, *made)))
    return max(1, LARGEST_ELEMENTS // largest)


def classify(
    graph: Graph,
    programmed: dict[str, Programmed],
    fixed: dict[str, Values],
    inputs: Values,
    design: AqfpBnnDesign,
    gray_zone: float,
    first: int = 0,
) -> Values:
    """Return the network's output with every binary layer on crossbars; `first` numbers the first sample."""
    values = {**fixed, graph.inputs[0]: inputs}
    absorbed = {op.name for own in programmed.values() for op in own.layer.posts}
    for op in graph.ops:
        if op.name in programmed:
            own = programmed[op.name]
            place = list(programmed).index(op.name)
            seen = values[own.layer.product.left]
            values[own.layer.output] = run_layer(graph, own, seen, design, gray_zone, place, first)
        elif op.name not in absorbed:
            values[op.outputs[0]] = compute(graph, op, [values[name] for name in op.inputs if name])
    return values[graph.outputs[0]]


def _check(graph: Graph, layers: Sequence[Layer]) -> None:
    problems = [
        Problem(
            f"{graph.name}.{op.name}",
            f"{op.kind} {op.attributes.get('function', '')} computes no values here",
        )
        for op in graph.ops
        if not computable(op)
    ]
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        problems.append(Problem(graph.name, "a functional run takes one input and one output"))
    if not layers:
        problems.append(Problem(graph.name, "has no binary layer: weights of format binary behind a sign"))
    if problems:
        raise InputError(problems=problems)


def _on_chip(layers: Sequence[Layer]) -> set[str]:
    return {op.name for layer in layers for op in (layer.op, *layer.posts)}


def _classes(values: Values) -> NDArray[np.int64]:
    return np.asarray(values.reshape(len(values), -1).argmax(axis=1), np.int64)


def _still(programmed: dict[str, Programmed]) -> list[str]:
    """Say which columns never change because their normalization has scale 0."""
    return [
        f"{name}: {np.count_nonzero(own.matched.fixed)} columns have scale 0 and always yield the sign of "
        "their shift"
        for name, own in programmed.items()
        if own.matched.fixed.any()
    ]
