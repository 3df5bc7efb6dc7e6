"""Monte-Carlo over a noisy channel: frames and bits that the decoder leaves wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.min_sum_decoder.arithmetic import (
    Decoder,
    Floats,
    Words,
    decoder_of,
    integer_weights,
    quantized,
    tables,
)
from accelerators.min_sum_decoder.channel import LANES, Encoder, encoder_of, transmit
from accelerators.min_sum_decoder.design import MinSumDesign, Rule
from accelerators.min_sum_decoder.inputs import Run, read_run
from hwsim.errors import InputError
from hwsim.graph.types import Graph
from hwsim.kernels.message_passing import FACTOR, MIN_SUM, OFFSET, belief_propagation, min_sum, sum_product
from hwsim.model.types import Counted, ErrorRates, RatePoint

KERNEL_RULES = {Rule.MIN_SUM: MIN_SUM, Rule.OFFSET_MIN_SUM: OFFSET, Rule.NORMALIZED_MIN_SUM: FACTOR}
TANH_LIMIT = 30.0
"""Below this, tanh(x / 2) is not yet 1 in double precision."""
MANY_SATURATED_RATIO = 0.1
LARGEST_MATRIX = 2**26
"""Elements of the largest matrix to encode with: elimination takes some seconds, its square root cubed."""


def run(
    graph: Graph, design: MinSumDesign, data: Mapping[str, NDArray[Any]], *, threads: int = 0
) -> ErrorRates:
    """Decode random codewords at every point of the channel.

    Parameters
    ----------
    graph : Graph
        A prepared network: all iterations.
    data : mapping of str to array
        "ebn0_db", and optionally "frames", "seed", "belief_propagation", "offsets" or "factors".
    threads : int
        Worker threads, 0 for one per processor; the counts do not depend on it.

    Raises
    ------
    InputError
        With everything that is wrong with `data`; a network that is no decoder; a code without information.
    """
    decoder = decoder_of(graph)
    asked = read_run(data, decoder, design)
    if decoder.tanner.length * len(decoder.tanner.checks) > LARGEST_MATRIX:
        size = f"{len(decoder.tanner.checks)} x {decoder.tanner.length}"
        reason = f"{size} checks are too many to encode densely"
        raise InputError(reason, where=graph.name, hint="cost it without --functional")
    encoder = encoder_of(decoder.tanner)
    n, k = decoder.tanner.length, encoder.information.size
    if not k:
        raise InputError(f"all {n} bits are parity: the only codeword is zero", where=graph.name)
    weights = integer_weights(asked.weight_ratios, design)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        found = [_point(pool, decoder, encoder, weights, ebn0_db, asked, design) for ebn0_db in asked.ebn0_db]
    notes = [
        f"({n}, {k}) code, rate {k / n:.4g}, {decoder.iterations} iterations of {design.rule.value}, random "
        f"codewords as +1 and -1 in white Gaussian noise, seed {asked.seed}",
        f"LLRs of {design.llr_bits} bits, {design.llr_steps_ratio:g} steps a unit, saturated at "
        f"{design.largest / design.llr_steps_ratio:g}; bits are counted over whole codewords",
    ]
    warnings = [
        f"{share:.0%} of the channel's LLRs saturate at {point.setting['ebn0_db']:g} dB: lower "
        "llr_steps_ratio or raise llr_bits"
        for point, share in found
        if share > MANY_SATURATED_RATIO
    ]
    return ErrorRates(tuple(point for point, _ in found), tuple(notes), tuple(warnings))


def decode(llr: Words, decoder: Decoder, weights: Words, design: MinSumDesign) -> Words:
    """Return the totals int32[n, lanes] after all iterations for integer LLRs of the same shape."""
    if design.rule is Rule.SUM_PRODUCT:
        found: Words = sum_product(
            llr, decoder.starts, decoder.variables, decoder.iterations, *tables(design)
        )
        return found
    return min_sum(
        llr,
        decoder.starts,
        decoder.variables,
        weights,
        KERNEL_RULES[design.rule],
        design.factor_bits,
        design.largest,
    )


def decode_exactly(llr: Floats, decoder: Decoder) -> Floats:
    """Return float64 totals [n, lanes] of belief propagation in double precision."""
    return belief_propagation(llr, decoder.starts, decoder.variables, decoder.iterations, TANH_LIMIT)


def _point(
    pool: ThreadPoolExecutor,
    decoder: Decoder,
    encoder: Encoder,
    weights: Words,
    ebn0_db: float,
    asked: Run,
    design: MinSumDesign,
) -> tuple[RatePoint, float]:
    """Return the counts at one point, and the share of saturated channel LLRs."""

    def block(index: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        words, llr = transmit(encoder, ebn0_db, asked.seed, index)
        kept = min(LANES, asked.frames - index * LANES)
        words, received = words[:kept], np.ascontiguousarray(llr[:kept].T)
        steps = quantized(received, design)
        wrong = _wrong_bits(decode(steps, decoder, weights, design), words)
        exact = (
            _wrong_bits(decode_exactly(received, decoder), words) if asked.belief_propagation else wrong[:0]
        )
        saturated = np.abs(received) * design.llr_steps_ratio >= design.largest + 0.5
        return wrong, exact, int(saturated.sum())

    # Blocks in order, so that sums do not depend on who finishes first.
    parts = list(pool.map(block, range(-(-asked.frames // LANES))))
    n = decoder.tanner.length
    rates = _counted("", np.concatenate([part[0] for part in parts]), n)
    if asked.belief_propagation:
        rates |= _counted("_belief_propagation", np.concatenate([part[1] for part in parts]), n)
    share = sum(part[2] for part in parts) / (asked.frames * n)
    return RatePoint({"ebn0_db": ebn0_db}, rates), share


def _wrong_bits(totals: Words | Floats, words: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the wrong bits of every frame; a total of 0 decides for bit 0."""
    wrong: NDArray[np.int64] = (words != (totals < 0).T).sum(axis=1, dtype=np.int64)
    return wrong


def _counted(suffix: str, wrong: NDArray[np.int64], n: int) -> dict[str, Counted]:
    """Return wrong frames and bits; bits of a frame fail together and count as fewer independent trials."""
    frames = wrong.size
    bits = int(wrong.sum())
    ratio = bits / (frames * n)
    variance = float(((wrong / n - ratio) ** 2).sum()) / frames
    alone = ratio * (1 - ratio) / (n * variance) if variance else 1 / n
    share = min(1.0, max(1 / n, alone))
    return {
        f"frame_error{suffix}": Counted(int((wrong > 0).sum()), frames),
        f"bit_error{suffix}": Counted(bits, frames * n, share),
    }
