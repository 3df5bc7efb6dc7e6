"""The network clock by clock on unpacked bits: AND, adder tree, saturation, state machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.integral_sc.design import Arithmetic, IntegralScDesign
from accelerators.integral_sc.network import product_of, samples_of
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, Graph
from hwsim.model.types import MachineResult

Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Operands:
    """Bits of a fully connected layer and its neurons.

    Attributes
    ----------
    inputs : uint8[samples, k, N]
        Unipolar streams.
    weights : uint8[n, m, k, N]
        Bipolar integral streams of m bits.
    neurons : bool
        Whether state machines follow.
    states : int
        States of each.
    """

    inputs: Bits
    weights: Bits
    neurons: bool
    states: int


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a random fully connected layer, with or without neurons."""
    samples, k, n = (int(rng.integers(1, high)) for high in (4, 20, 8))
    b = GraphBuilder("random", format=INT8)
    x, w = b.input("x", (samples, k)), b.weight("w", (k, n))
    kind = "gemm" if rng.integers(2) else "matmul"
    y = b.add(kind, [x, w], name="fc")
    if rng.integers(3):
        y = b.add("elementwise", [y], name="neurons", function=str(rng.choice(["sigmoid", "tanh", "relu"])))
    b.output(y)
    return b.build()


def draw(graph: Graph, design: IntegralScDesign, rng: np.random.Generator) -> Operands:
    """Draw streams of random probabilities for the layer of `graph`."""
    product = product_of(graph, graph.ops[0])
    if product is None:
        raise ValueError(f"{graph.ops[0].kind} is no fully connected layer")
    samples, k, n, clocks = product.m, product.k, product.n, design.stream_length
    inputs = (rng.random((samples, k, clocks)) < rng.random((samples, k, 1))).astype(np.uint8)
    weights = (rng.random((n, design.m, k, clocks)) < rng.random((n, 1, k, 1))).astype(np.uint8)
    states = design.states or 2 * max(1, k * design.m // 2)
    return Operands(inputs, weights, len(graph.ops) > 1, states)


def machine(graph: Graph, design: IntegralScDesign, rng: np.random.Generator) -> MachineResult:
    """Step a layer through all samples; values are sums over the stream, or ones of the neurons' streams."""
    if design.arithmetic is Arithmetic.BINARY_RADIX:
        return _binary(graph, design, rng)
    operands, samples = draw(graph, design, rng), samples_of(graph, graph.ops[0])
    events: Counter[tuple[str, str]] = Counter()
    neurons = operands.weights.shape[0]
    out = np.zeros((samples, neurons), np.int64)
    clock = 0
    for sample in range(samples):
        state = np.full(neurons, operands.states // 2)
        for t in range(design.stream_length):
            clock += 1
            events["pipeline", "clock"] += 1
            total = np.zeros(neurons, np.int64)
            for j, bit in enumerate(operands.inputs[sample, :, t].tolist()):
                if bit:
                    total += 2 * operands.weights[:, :, j, t].sum(axis=1, dtype=np.int64) - design.m
            total = _saturated(total, design)
            if operands.neurons:
                state = np.clip(state + total, 0, operands.states - 1)
                out[sample] += 2 * state >= operands.states
                events["machines", "step"] += neurons
            else:
                out[sample] += total
        events["synapses", "mac"] += operands.weights.shape[2] * neurons
    clock += design.fill_cycles
    events["pipeline", "fill"] += design.fill_cycles
    _count_work(events, graph, operands, design)
    return MachineResult(out, clock, dict(events))


def _saturated(total: Ints, design: IntegralScDesign) -> Ints:
    if not design.adder_range:
        return total
    limited: Ints = np.clip(total, -design.adder_range, design.adder_range)
    return limited


def _count_work(
    events: Counter[tuple[str, str]], graph: Graph, operands: Operands, design: IntegralScDesign
) -> None:
    samples, k, clocks = operands.inputs.shape
    n = operands.weights.shape[0]
    events["adders", "full_add"] += samples * k * n
    events["generators", "compare"] += samples * k * n
    numbers = k + k * design.m * (1 if design.shared_generators else n)
    events["generators", "shift"] += numbers * samples * clocks
    for op in graph.ops[1:]:
        action = "compare" if op.text("function") == "relu" else "special"
        events["machines", action] += samples * n


def _binary(graph: Graph, design: IntegralScDesign, rng: np.random.Generator) -> MachineResult:
    """Step the binary twin: one sample a clock through multipliers and a table of the activation's sign."""
    operands = draw(graph, design, rng)
    values, weights = _integers(operands, design)
    out = np.zeros((values.shape[0], weights.shape[1]), np.int64)
    events: Counter[tuple[str, str]] = Counter()
    for sample in range(values.shape[0]):
        events["pipeline", "clock"] += 1
        for j in range(values.shape[1]):
            out[sample] += values[sample, j] * weights[j]
            events["synapses", "mac"] += weights.shape[1]
        if operands.neurons:
            out[sample] = out[sample] >= 0
            events["machines", "step"] += weights.shape[1]
            action = "compare" if graph.ops[1].text("function") == "relu" else "special"
            events["machines", action] += weights.shape[1]
    events["pipeline", "fill"] += design.fill_cycles
    return MachineResult(out, events["pipeline", "clock"] + design.fill_cycles, dict(events))


def _integers(operands: Operands, design: IntegralScDesign) -> tuple[Ints, Ints]:
    """Return what the streams hold as integers: values [samples, k] and weights [k, n]."""
    values = operands.inputs.sum(axis=2, dtype=np.int64)
    weights = 2 * operands.weights.sum(axis=(1, 3), dtype=np.int64) - design.m * operands.weights.shape[3]
    return values, weights.T


def reference(graph: Graph, design: IntegralScDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of `machine` by whole-array sums over the same bits."""
    operands = draw(graph, design, rng)
    if design.arithmetic is Arithmetic.BINARY_RADIX:
        values, weights = _integers(operands, design)
        product = values @ weights
        return (product >= 0).astype(np.int64) if operands.neurons else product
    integers = 2 * operands.weights.sum(axis=1, dtype=np.int64) - design.m
    steps = _saturated(np.einsum("bkt,okt->bot", operands.inputs.astype(np.int64), integers), design)
    if not operands.neurons:
        sums: Ints = steps.sum(axis=2)
        return sums
    return _walk(steps, operands.states)


def _walk(steps: Ints, states: int) -> Ints:
    """Count the ones of NStanh, one neuron after the other."""
    out = np.zeros(steps.shape[:2], np.int64)
    for place in np.ndindex(*steps.shape[:2]):
        state = states // 2
        for step in steps[place].tolist():
            state = max(0, min(states - 1, state + step))
            out[place] += state >= states / 2
    return out
