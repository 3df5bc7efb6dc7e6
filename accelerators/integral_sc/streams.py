"""Streams of a functional run: scaled weights, machines wide enough, and the numbers behind every bit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.integral_sc.design import CONSTANTS, Generator, IntegralScDesign
from accelerators.integral_sc.values import Layer, Values
from hwsim.errors import Problem
from hwsim.kernels import bitstream
from hwsim.kernels.integral_network import GROUP, LANES

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

# Phases of neighbouring inputs, planes, neurons and layers lie far apart; all are prime to a period of 2047.
INPUT_STEP, PLANE_STEP, NEURON_STEP, LAYER_STEP = 1264, 389, 97, 701
LAYER_STREAMS = 1 << 40
MOST_BIAS_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Streamed:
    """A layer as the chip holds it.

    Attributes
    ----------
    name : str
        Operator in the graph.
    scaled : float64[rows, n]
        Weights over the scale, within [-m, m]; the bias lies in `bias_rows` rows of constant ones.
    scale_ratio : float
        What the weights were divided by.
    inputs, bias_rows : int
        Rows that are inputs, and rows that are ones.
    states : int
        States of every neuron's machine, even.
    activation : str
        "" for the sums of the last layer.
    """

    name: str
    scaled: Values
    scale_ratio: float
    inputs: int
    bias_rows: int
    states: int
    activation: str


def stream_layer(
    layer: Layer, inputs: Values, design: IntegralScDesign, problems: list[Problem], warnings: list[str]
) -> Streamed:
    """Scale a layer to [-m, m] and choose its states from the variance of its sums (K = scale x Var S).

    A bias beyond the largest weight is spread over several rows, so that it does not waste range.
    """
    weights, m = layer.weights, design.m
    largest = float(np.abs(weights).max(initial=0.0)) or float(np.abs(layer.bias).max(initial=0.0)) or 1.0
    ratio = float(np.abs(layer.bias).max(initial=0.0)) / largest
    if ratio > MOST_BIAS_ROWS:
        problems.append(
            Problem(f"data.{layer.name}", f"the largest bias is {ratio:.4g} times the largest weight; "
                    f"at most {MOST_BIAS_ROWS} rows carry it", "check weights and bias")
        )
    bias_rows = math.ceil(min(ratio, MOST_BIAS_ROWS))
    rows = np.concatenate([weights, np.repeat(layer.bias[None] / max(bias_rows, 1), bias_rows, axis=0)])
    scale = design.weight_scale_ratio or largest / m
    scaled = rows / scale
    over = float(np.abs(scaled).max(initial=0.0))
    if over > m * (1 + 1e-12):
        reason = f"weight {over * scale:.4g} over weight_scale_ratio {scale:g} is outside [-{m}, {m}]"
        problems.append(
            Problem(f"data.{layer.name}", reason, f"set weight_scale_ratio={largest / m:.4g}, or 0")
        )
    elif over < m / 2:
        warnings.append(
            f"{layer.name}: the largest weight uses {over / m:.0%} of [-{m}, {m}]; the rest only adds noise"
        )
    ones = np.concatenate([inputs, np.ones((len(inputs), bias_rows))], axis=1)
    second = scaled**2 + m - scaled**2 / m
    variance = float((ones @ second - ones**2 @ scaled**2).mean()) if len(inputs) else 0.0
    fitting = 2 * max(1, round(scale * variance / 2))
    states = design.states or fitting
    if layer.activation and 2 * states < fitting:
        warnings.append(
            f"{layer.name}: {states} states are too few; scale x Var(S) asks for {fitting}, and the slope of "
            f"the activation is {states / fitting:.0%} of what the network was trained with"
        )
    if rows.shape[0] * m >= 2**15:
        problems.append(
            Problem(f"data.{layer.name}", f"{rows.shape[0]} inputs of {m} bits overflow a 16-bit sum")
        )
    return Streamed(
        layer.name, np.clip(scaled, -m, m), scale, len(weights), bias_rows, states, layer.activation
    )


def padded(rows: int) -> int:
    """Return rows up to a whole group of the kernel."""
    return -(-rows // GROUP) * GROUP


def _words(
    probability: Values, places: Ints, dimensions: Ints, streams: Ints, seed: int, design: IntegralScDesign
) -> Words:
    """Return one stream per probability: by its own random words, or from a sequence at a phase."""
    length, width = design.stream_length, int(CONSTANTS.generator_bits)
    if design.generator is Generator.BERNOULLI:
        return bitstream.bernoulli_words(probability, streams, seed, length)
    if design.generator is Generator.SHIFT_REGISTER:
        sequence = bitstream.shift_register(width, bitstream.TAPS[width], 1, design.register_leap)
        return _compared(sequence, places, probability, length)
    if design.generator is Generator.COUNTER:
        return _compared(bitstream.counter(width), places, probability, length)
    out = np.zeros((len(probability), bitstream.words_of(length)), np.uint64)
    for dimension in range(bitstream.SOBOL_DIMENSIONS):
        chosen = np.flatnonzero(dimensions == dimension)
        out[chosen] = _compared(
            bitstream.sobol(width, dimension), places[chosen], probability[chosen], length
        )
    return out


def _compared(sequence: Ints, places: Ints, probability: Values, length: int) -> Words:
    thresholds = np.rint(probability * len(sequence)).astype(np.int64)
    return bitstream.compare_words(sequence, places, thresholds, length)


def input_words(pixels: Values, first: int, design: IntegralScDesign) -> Words:
    """Return the streams of up to 64 samples, numbered from `first`, as uint64[W, padded k * LANES]."""
    lanes, k = pixels.shape
    # Lanes of a synapse lie side by side, so that putting the words in order is one transposition.
    probability = np.zeros((k, LANES))
    probability[:, :lanes] = pixels.T
    j = np.repeat(np.arange(k), LANES)
    sample = np.tile(np.arange(first, first + LANES), k)
    words = _words(
        probability.reshape(-1),
        design.input_seed + INPUT_STEP * j,
        2 * j % bitstream.SOBOL_DIMENSIONS,
        sample * k + j,
        design.input_seed,
        design,
    )
    return np.ascontiguousarray(words.T)


def weight_words(layer: Streamed, index: int, design: IntegralScDesign) -> Words:
    """Return the weights of the `index`-th layer as uint64[W, n, m * padded rows]."""
    rows, n = layer.scaled.shape
    m, wide = design.m, padded(rows)
    o, k, j = (axis.reshape(-1) for axis in np.indices((n, m, rows)))
    apart = 0 * o if design.shared_generators else o
    probability = (layer.scaled / m + 1) / 2
    places = design.weight_seed + INPUT_STEP * j + PLANE_STEP * k + NEURON_STEP * apart + LAYER_STEP * index
    streams = (index + 1) * LAYER_STREAMS + (apart * m + k) * rows + j
    dimensions = (2 * j + 1 + 2 * k) % bitstream.SOBOL_DIMENSIONS
    words = _words(probability.T[o, j], places, dimensions, streams, design.weight_seed, design)
    out = np.zeros((words.shape[1], n, m, wide), np.uint64)
    out[..., :rows] = words.reshape(n, m, rows, -1).transpose(3, 0, 1, 2)
    return out.reshape(words.shape[1], n, m * wide)


def layer_inputs(streams: Words, layer: Streamed, length: int) -> Words:
    """Return the input streams of a layer followed by its bias rows of ones and the padding."""
    count = streams.shape[0]
    ones = np.full((count, layer.bias_rows * LANES), np.uint64(2**64 - 1))
    if length % 64 and layer.bias_rows:
        ones[-1] = np.uint64((1 << (length % 64)) - 1)
    rows = layer.inputs + layer.bias_rows
    rest = np.zeros((count, (padded(rows) - rows) * LANES), np.uint64)
    return np.ascontiguousarray(np.concatenate([streams, ones, rest], axis=1))


def operand_correlation(inputs: Words, weights: Words, rows: int, length: int) -> float:
    """Return the mean magnitude of the correlation of inputs and weights that meet in a gate, first lane."""
    found = []
    for j in range(rows):
        a, b = np.ascontiguousarray(inputs[:, j * LANES]), np.ascontiguousarray(weights[:, 0, j])
        if 0 < bitstream.count_ones(a) < length and 0 < bitstream.count_ones(b) < length:
            found.append(abs(bitstream.correlation(a, b, length)))
    return float(np.mean(found)) if found else 0.0
