"""What a decoder computes with: the code's edges, weights as integers, tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.min_sum_decoder.design import MinSumDesign, Rule
from hwsim.errors import InputError
from hwsim.graph.tanner import TannerGraph, tanner_of
from hwsim.graph.types import Graph

Ints = NDArray[np.int64]
Words = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decoder:
    """A code with its number of iterations.

    Attributes
    ----------
    tanner : TannerGraph
        The code.
    starts, variables : int64[checks + 1], int64[E]
        Its edges, check by check.
    iterations : int
        Iterations written out in the network.
    """

    tanner: TannerGraph
    starts: Ints
    variables: Ints
    iterations: int


def decoder_of(graph: Graph) -> Decoder:
    """Return the decoder that a prepared network describes; InputError if it is none."""
    checks = [op for op in graph.ops if op.kind == "check_nodes"]
    pairs = [op.kind for op in graph.ops] == ["check_nodes", "variable_nodes"] * len(checks)
    same = len({(op.attributes["degrees"], op.attributes["variables"]) for op in checks}) == 1
    if not pairs or not same:
        raise InputError(
            "is no decoder: iterations of check_nodes and variable_nodes on one code",
            where=graph.name,
            hint="load an alist file or a network of the family codes",
        )
    tanner = tanner_of(checks[0], graph.tensors[checks[0].inputs[0]].shape[-1])
    starts = np.concatenate([[0], np.cumsum(tanner.degrees)]).astype(np.int64)
    return Decoder(tanner, starts, np.array(tanner.variables, np.int64), len(checks))


def quantized(llr: Floats, design: MinSumDesign) -> Words:
    """Return LLRs as integers: rounded to the nearest step (ties to even), saturated symmetrically."""
    steps: Words = np.clip(np.rint(llr * design.llr_steps_ratio), -design.largest, design.largest).astype(
        np.int32
    )
    return steps


def integer_weights(weights: Floats, design: MinSumDesign) -> Words:
    """Return offsets in steps of the LLR, or factors with `factor_bits` behind the point."""
    unit = design.llr_steps_ratio if design.rule is Rule.OFFSET_MIN_SUM else 2.0**design.factor_bits
    top = design.largest if design.rule is Rule.OFFSET_MIN_SUM else 4 * 2**design.factor_bits
    rounded: Words = np.minimum(np.rint(weights * unit), top).astype(np.int32)
    return rounded


def tables(design: MinSumDesign) -> tuple[Floats, Floats]:
    """Return tanh(x / 2) of every magnitude, and the products from which answers have magnitude 1, 2, ..."""
    half = 2 * design.llr_steps_ratio
    magnitudes = np.arange(design.largest + 1)
    return np.tanh(magnitudes / half), np.tanh((magnitudes[1:] - 0.5) / half)
