"""One binary layer on crossbars: windows, thresholds, counts of noisy tiles, and bits again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accelerators.aqfp_bnn.design import AqfpBnnDesign, ParallelCounter, Sampling
from accelerators.aqfp_bnn.matching import Matched, match, no_normalization
from accelerators.aqfp_bnn.network import Layer
from accelerators.aqfp_bnn.statistics import threshold_of
from accelerators.aqfp_bnn.tiles import Words, key_of, pack, rows_of
from hwsim.graph.types import Graph, Op
from hwsim.graph.values import Values


@dataclass(frozen=True, slots=True)
class Programmed:
    """A layer whose weights lie in crossbars.

    Attributes
    ----------
    layer : Layer
        Which.
    weights : uint64[columns, tiles, words]
        Opposite ones where `matched` inverts.
    matched : Matched
        Thresholds of the columns.
    bias : float64[columns]
        Added to the sums; in the thresholds already where the layer decides.
    """

    layer: Layer
    weights: Words
    matched: Matched
    bias: Values

    @property
    def row_tiles(self) -> int:
        """R."""
        return int(self.weights.shape[1])


def program(graph: Graph, layer: Layer, fixed: dict[str, Values], crossbar: int) -> Programmed:
    """Return `layer` with its weights in tiles and its normalization in thresholds."""
    op = layer.op
    weights = weight_rows(op, layer.product.right, fixed)
    bias = np.zeros(layer.product.n)
    if len(op.inputs) > 2 and op.inputs[2]:
        bias = np.broadcast_to(fixed[op.inputs[2]].reshape(-1), bias.shape).astype(np.float64)
    matched = no_normalization(len(weights), bias if layer.decides else None)
    for post in layer.posts:
        if post.kind == "batch_normalization":
            scale, shift, mean, variance = (fixed[name] for name in post.inputs[1:])
            epsilon = float(str(post.attributes["epsilon"]))
            matched = match(
                scale, shift, mean, variance, epsilon, bias=bias, where=f"{graph.name}.{post.name}"
            )
    turned = np.where(matched.inverted[:, None], -weights, weights).astype(np.int8)
    return Programmed(layer, pack(turned, crossbar), matched, bias)


def weight_rows(op: Op, name: str, fixed: dict[str, Values]) -> Values:
    """Return the weights of a product as [columns, rows]."""
    weights = fixed[name]
    if op.kind.endswith("convolution"):
        return weights.reshape(len(weights), -1)
    turned = op.attributes["trans_b" if op.kind == "gemm" else "transpose_b"]
    return weights if turned else weights.T


def count_tiles(
    programmed: Programmed, signs: Values, design: AqfpBnnDesign, gray_zone: float, place: int, first: int
) -> Values:
    """Return the counts of every window and column, float64[windows, columns].

    Parameters
    ----------
    signs : float64[samples, ...]
        Inputs of -1 and 1.
    gray_zone : float
        In products; 0: no noise.
    place, first : int
        Number of the layer and of the first window, which name the random numbers.
    """
    from hwsim.kernels.stochastic_tiles import binomial_counts, bitwise_counts

    layer, length = programmed.layer, design.stream_length
    rows = rows_of(signs.astype(np.int8), layer.product.window, design.crossbar_size)
    thresholds = programmed.matched.thresholds / programmed.row_tiles
    key = key_of(design.seed, place)
    operands = (rows.words, rows.mask, rows.active, programmed.weights, thresholds, gray_zone)
    approximate = design.parallel_counter is ParallelCounter.APPROXIMATE
    if design.sampling is Sampling.BITWISE or approximate:
        counts = bitwise_counts(*operands, length, approximate, key, first)
    else:
        counts = binomial_counts(*operands, log_binomials(length), key, first)
    return np.asarray(counts, np.float64)


def log_binomials(length: int) -> Values:
    """Return ln(L over k), k = 0..L."""
    whole = math.lgamma(length + 1)
    return np.array([whole - math.lgamma(k + 1) - math.lgamma(length - k + 1) for k in range(length + 1)])


def run_layer(
    graph: Graph,
    programmed: Programmed,
    inputs: Values,
    design: AqfpBnnDesign,
    gray_zone: float,
    place: int,
    first: int = 0,
) -> Values:
    """Return what leaves a layer: bits behind its sign and pooling, or sums that its counts stand for.

    Random numbers are named by the layer's `place` and the number of a sample, counted from `first`.
    """
    layer = programmed.layer
    window = layer.product.window
    signs = inputs if window else inputs.reshape(-1, layer.product.k)
    counts = count_tiles(programmed, signs, design, gray_zone, place, first * layer.windows)
    values = (
        decide(programmed, counts, design)
        if programmed.layer.decides
        else decode(programmed, counts, design, gray_zone)
    )
    if window is None:
        return values.reshape(*inputs.shape[:-1], -1)
    shaped = np.moveaxis(values.reshape(len(inputs), *window.output_size, -1), -1, 1)
    for op in programmed.layer.pools:
        shaped = pool_bits(graph, op, programmed, shaped)
    return shaped


def decide(programmed: Programmed, counts: Values, design: AqfpBnnDesign) -> Values:
    """Return -1 or 1: whether a count reaches half of what it can be; fixed columns never change."""
    least = threshold_of(programmed.row_tiles, design.stream_length, design.tie_rule)
    bits = np.where(counts >= least, 1.0, -1.0)
    return np.where(programmed.matched.fixed != 0, programmed.matched.fixed, bits)


def decode(programmed: Programmed, counts: Values, design: AqfpBnnDesign, gray_zone: float) -> Values:
    """Return dV / 2 (2 count / L - R) + bias: what counts say of the sum where neurons are linear."""
    unit = gray_zone / 2 if gray_zone else 1.0
    return unit * (2 * counts / design.stream_length - programmed.row_tiles) + programmed.bias


def pool_bits(graph: Graph, op: Op, programmed: Programmed, bits: Values) -> Values:
    """Pool bits: OR; where pooling comes before a normalization with negative scale, AND."""
    from accelerators.aqfp_bnn.host import compute

    largest = compute(graph, op, [bits])
    names = [post.name for post in programmed.layer.posts]
    norms = [post.name for post in programmed.layer.posts if post.kind == "batch_normalization"]
    if not norms or names.index(op.name) > names.index(norms[0]):
        return largest
    smallest = -compute(graph, op, [-bits])
    inverted = programmed.matched.inverted.reshape(1, -1, *(1,) * (bits.ndim - 2))
    return np.where(inverted, smallest, largest)
