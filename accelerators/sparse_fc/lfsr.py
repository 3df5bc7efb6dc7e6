"""Linear-feedback shift registers, one per column, and the connection masks that they draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

States = NDArray[np.int64]

# Exponents of a primitive polynomial for every width; the constant 1 is left out.
MAXIMAL_TAPS: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        3: (3, 2),
        4: (4, 3),
        5: (5, 3),
        6: (6, 5),
        7: (7, 6),
        8: (8, 6, 5, 4),
        9: (9, 5),
        10: (10, 7),
        11: (11, 9),
        12: (12, 6, 4, 1),
        13: (13, 4, 3, 1),
        14: (14, 5, 3, 1),
        15: (15, 14),
        16: (16, 15, 13, 4),
        17: (17, 14),
        18: (18, 11),
        19: (19, 6, 2, 1),
        20: (20, 17),
        21: (21, 19),
        22: (22, 21),
        23: (23, 18),
        24: (24, 23, 22, 17),
    }
)


def period_of(bits: int) -> int:
    """Return the number of states of a maximal-length register: all but zero."""
    return int(2**bits - 1)


def feedback_bits(taps: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bits of the state whose parity is shifted in, bit 0 being the youngest.

    The most significant bit of the state is the sequence a(n), the bit below it a(n + 1), and so on;
    a(n + width) is the sum of a(n + e) over the exponents e < width of the feedback polynomial.
    """
    width = max(taps)
    return tuple(width - 1 - exponent for exponent in (0, *taps) if exponent < width)


def shift(states: States, taps: tuple[int, ...]) -> States:
    """Return the states one clock later; every element is a register of its own."""
    parity = np.zeros_like(states)
    for bit in feedback_bits(taps):
        parity ^= states >> bit
    return ((states << 1) | (parity & 1)) & period_of(max(taps))


def threshold_of(sparsity: float, bits: int) -> int:
    """Return the smallest state k that is kept: k / (2^bits - 1) >= sparsity."""
    return math.ceil(Fraction(repr(float(sparsity))) * period_of(bits))


def spread_seeds(count: int, bits: int, first: int = 1) -> tuple[int, ...]:
    """Return `count` different seeds, spread evenly over the states, the first one being `first`.

    They step through the states by the fraction e - 2 of their number, made coprime to it, so that no two
    columns share a seed as long as there are at most 2^bits - 1 of them.
    """
    states = period_of(bits)
    step = max(1, round(states * (math.e - 2)))
    while math.gcd(step, states) != 1:
        step += 1
    return tuple((first - 1 + index * step) % states + 1 for index in range(count))


def mask(taps: tuple[int, ...], seeds: tuple[int, ...], inputs: int, sparsity: float) -> NDArray[np.bool_]:
    """Return bool[inputs, columns]: which connections the registers keep.

    Input i of column j is kept exactly if state i of register j is at least `sparsity` on the scale of
    (0, 1], Eq. S_i >= p of Ardakani et al. 2017. A register that runs out of states starts over.
    """
    states, threshold = np.array(seeds, dtype=np.int64), threshold_of(sparsity, max(taps))
    kept = np.empty((inputs, len(seeds)), dtype=np.bool_)
    for index in range(inputs):
        kept[index] = states >= threshold
        states = shift(states, taps)
    return kept


@lru_cache(maxsize=64)
def kept_words(
    taps: tuple[int, ...], seeds: tuple[int, ...], inputs: int, sparsity: float
) -> tuple[int, ...]:
    """Return how many weights each column keeps out of `inputs`."""
    if sparsity == 0.0:
        return (inputs,) * len(seeds)
    laps, rest = divmod(inputs, period_of(max(taps)))
    per_lap = period_of(max(taps)) - max(threshold_of(sparsity, max(taps)), 1) + 1
    counts = mask(taps, seeds, rest, sparsity).sum(axis=0) + laps * per_lap
    return tuple(int(count) for count in counts)


def repeated_inputs(inputs: int, bits: int) -> int:
    """Return how many inputs see a state that an earlier input saw."""
    return max(0, inputs - period_of(bits))
