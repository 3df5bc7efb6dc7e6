"""A network on real bit-streams: classes by stochastic arithmetic beside those in floating point."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.integral_sc.design import Arithmetic, Generator, IntegralScDesign, ParallelCounter
from accelerators.integral_sc.streams import (
    PLANE_STEP,
    Streamed,
    input_words,
    layer_inputs,
    operand_correlation,
    padded,
    stream_layer,
    weight_words,
)
from accelerators.integral_sc.values import Layer, Values, float_activations, read, unipolar
from hwsim.errors import InputError, Problem
from hwsim.graph.types import Graph
from hwsim.kernels import bitstream
from hwsim.kernels.integral_network import LANES, hidden_layer, output_layer
from hwsim.model.types import FunctionalResult

LARGEST_BYTES = 4 * 2**30
Words = NDArray[np.uint64]
Ints = NDArray[np.int64]


def run(
    graph: Graph, design: IntegralScDesign, data: Mapping[str, NDArray[Any]], *, threads: int = 0
) -> FunctionalResult:
    """Classify the samples of `data` on `design`.

    Parameters
    ----------
    graph : Graph
        A chain of fully connected layers with sigmoid or tanh between them.
    data : mapping of str to array
        "labels", the network's input as samples in [0, 1], and every weight and bias by its tensor's name.
    threads : int
        Worker threads, 0 for one per processor; the bits do not depend on it.

    Raises
    ------
    InputError
        With everything that is wrong with `data`, with streams that share their numbers, or that need
        more memory than `LARGEST_BYTES`.
    """
    layers, samples = read(graph, data)
    exact = float_activations(layers, samples.inputs)
    reference = exact[-1].argmax(axis=1)
    if design.arithmetic is Arithmetic.BINARY_RADIX:
        predicted = _binary(unipolar(layers), samples.inputs, design).argmax(axis=1)
        return FunctionalResult(
            samples.labels, predicted, reference, (f"{design.operand_bits}-bit fixed point",)
        )
    streamed, warnings = prepare_layers(layers, exact, design)
    _check_memory(streamed, len(samples.inputs), design, threads or os.cpu_count() or 1)
    weights = [weight_words(layer, index, design) for index, layer in enumerate(streamed)]
    warnings += _correlation_warnings(streamed[0], weights[0], samples.inputs[:1], design)
    sums = classify(streamed, weights, samples.inputs, design, threads)
    notes = (
        f"N = {design.stream_length}, m = {design.m}, numbers from {design.generator.value}",
        *(f"{at.name}: weights over {at.scale_ratio:.4g}, {at.states} states" for at in streamed[:-1]),
    )
    return FunctionalResult(samples.labels, sums.argmax(axis=1), reference, notes, tuple(warnings))


def prepare_layers(
    layers: list[Layer], exact: list[Values], design: IntegralScDesign
) -> tuple[list[Streamed], list[str]]:
    """Scale every layer and choose its states, from activations in floating point."""
    problems, warnings = _phase_problems(design), list[str]()
    streamed = []
    shifted = False
    for layer, own, inputs in zip(layers, unipolar(layers), exact, strict=False):
        streamed.append(
            stream_layer(own, (inputs + 1) / 2 if shifted else inputs, design, problems, warnings)
        )
        shifted = layer.activation == "tanh"
    if problems:
        raise InputError(problems=problems)
    return streamed, warnings


def classify(
    layers: list[Streamed], weights: list[Words], inputs: Values, design: IntegralScDesign, threads: int = 0
) -> Ints:
    """Return int64[samples, classes]: what the output counters hold after N clocks."""

    def block(first: int) -> Ints:
        lanes = inputs[first : first + LANES]
        streams = input_words(lanes, first, design)
        return _forward(layers, weights, streams, design)[:, : len(lanes)]

    starts = range(0, len(inputs), LANES)
    if design.quasi_synchronous and design.fault_probability:
        from accelerators.integral_sc.faults import forward_with_faults

        def block(first: int) -> Ints:
            lanes = inputs[first : first + LANES]
            streams = input_words(lanes, first, design)
            return forward_with_faults(layers, weights, streams, len(lanes), first, design)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        found = list(pool.map(block, starts))
    return np.concatenate(found, axis=1).T


def _forward(layers: list[Streamed], weights: list[Words], streams: Words, design: IntegralScDesign) -> Ints:
    limit = design.adder_range or 2**40
    approximate = design.parallel_counter is ParallelCounter.APPROXIMATE
    for layer, own in zip(layers[:-1], weights, strict=False):
        rows = padded(layer.inputs + layer.bias_rows)
        states = np.full(own.shape[1], layer.states, np.int64)
        streams = hidden_layer(
            layer_inputs(streams, layer, design.stream_length),
            own,
            rows,
            design.m,
            states,
            limit,
            approximate,
            design.stream_length,
        )
    last = layers[-1]
    rows = padded(last.inputs + last.bias_rows)
    return output_layer(
        layer_inputs(streams, last, design.stream_length),
        weights[-1],
        rows,
        design.m,
        approximate,
    )


def _check_memory(layers: list[Streamed], samples: int, design: IntegralScDesign, threads: int) -> None:
    """Raise InputError if streams take more than `LARGEST_BYTES`: weights once, inputs for each thread."""
    words = bitstream.words_of(design.stream_length)
    rows = [padded(layer.inputs + layer.bias_rows) for layer in layers]
    weights = [row * layer.scaled.shape[1] * design.m for row, layer in zip(rows, layers, strict=True)]
    blocks = min(threads, -(-samples // LANES))
    # The largest layer, and the inputs of a block, exist twice while their words are put in order.
    needed = 8 * words * (sum(weights) + max(weights) + 2 * blocks * max(rows) * LANES)
    if needed > LARGEST_BYTES:
        raise InputError(
            f"streams of {design.stream_length} clocks, {design.m} bits a weight, take "
            f"{needed / 2**30:.3g} GiB, more than {LARGEST_BYTES / 2**30:.0f}",
            where="integral_sc.stream_length",
            hint="shorten the streams, or lower m",
        )


def _phase_problems(design: IntegralScDesign) -> list[Problem]:
    """Find planes of the first layer whose numbers are those of their input, clock by clock."""
    if design.generator in (Generator.BERNOULLI, Generator.SOBOL):
        return []
    return [
        Problem(
            "integral_sc.weight_seed",
            f"{design.weight_seed} gives bit {k} of every weight the numbers of its input (input_seed "
            f"{design.input_seed}): their product is the smaller of both",
            "choose another weight_seed",
        )
        for k in range(design.m)
        if (design.weight_seed + PLANE_STEP * k - design.input_seed) % design.period == 0
    ]


def _correlation_warnings(
    layer: Streamed, weights: Words, sample: Values, design: IntegralScDesign
) -> list[str]:
    """Say what repeating numbers do, with the correlation that they leave between operands."""
    period = design.period
    if design.generator is Generator.BERNOULLI or design.stream_length <= period:
        return []
    measured = operand_correlation(
        input_words(sample, 0, design), weights, layer.inputs, design.stream_length
    )
    return [
        f"streams of {design.stream_length} clocks repeat the {period} numbers of their generators: what is "
        f"longer adds no accuracy; correlation of operands that meet in a gate {measured:.3f} on average"
    ]


def _binary(layers: list[Layer], inputs: Values, design: IntegralScDesign) -> Values:
    """Run the binary twin: weights and activations rounded to `operand_bits`, sums exact."""
    steps, levels = 2 ** (design.operand_bits - 1) - 1, 2**design.operand_bits - 1
    values = np.rint(inputs * levels) / levels
    for layer in layers:
        largest = max(np.abs(layer.weights).max(initial=0.0), np.abs(layer.bias).max(initial=0.0))
        unit = float(largest) / steps or 1.0
        z: Values = values @ (np.rint(layer.weights / unit) * unit) + np.rint(layer.bias / unit) * unit
        values = np.rint(levels / (1 + np.exp(-np.clip(z, -500, 500)))) / levels if layer.activation else z
    checked: Values = np.asarray(values, dtype=np.float64)
    return checked
