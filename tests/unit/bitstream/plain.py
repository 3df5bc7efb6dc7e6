"""The bit-stream kernels again, one clock and one bit at a time, in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MASK = 2**64 - 1
GOLDEN, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * MIX1) & MASK
    z = ((z ^ (z >> 27)) * MIX2) & MASK
    return z ^ (z >> 31)


def bernoulli_word(probability: float, stream: int, seed: int, word: int) -> int:
    """Compare 64 numbers of 16 random digits with the probability's digits, bit by bit."""
    level = int(np.floor(probability * 65536 + 0.5))
    key = mix(mix((seed + GOLDEN) & MASK) ^ ((stream * MIX1 + GOLDEN) & MASK))
    digits = [mix((key + (word * 16 + digit) * GOLDEN) & MASK) for digit in range(16)]
    out = 0
    for clock in range(64):
        # The digit is random, inverted: a number lies below a level with a 1 where they first differ.
        number = sum((1 - ((digits[digit] >> clock) & 1)) << digit for digit in range(16))
        out |= int(number < level) << clock
    return out


def shift_register(width: int, taps: int, state: int, leap: int) -> list[int]:
    found = []
    for _ in range(2**width - 1):
        found.append(state - 1)
        for _ in range(leap):
            parity = bin(state & taps).count("1") % 2
            state = ((state << 1) & (2**width - 1)) | parity
    return found


def machine(steps: NDArray[Any], states: int, start: int, gap: int | None = None) -> list[int]:
    """NStanh, or NSexp when a gap is given."""
    state, bits = start, []
    for step in steps.tolist():
        state = max(0, min(states - 1, state + step))
        bits.append(int(state >= states / 2 if gap is None else state < states - gap))
    return bits


def correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The definition by the four counts of Alaghi and Hayes: n11, n10, n01, n00."""
    n11, n10 = int((a & b).sum()), int((a & (1 - b)).sum())
    n01, n00 = int(((1 - a) & b).sum()), int(((1 - a) & (1 - b)).sum())
    n = n11 + n10 + n01 + n00
    top = n11 * n00 - n10 * n01
    if top == 0:
        return 0.0
    if top > 0:
        return top / (n * min(n11 + n10, n11 + n01) - (n11 + n10) * (n11 + n01))
    return top / ((n11 + n10) * (n11 + n01) - n * max(n11 - n00, 0))


def pairwise_counts(bits: NDArray[Any]) -> NDArray[Any]:
    """Approximate parallel counter on unpacked bits [rows, clocks]."""
    total = np.zeros(bits.shape[1], int)
    for pair in range(bits.shape[0] // 2):
        a, b = bits[2 * pair], bits[2 * pair + 1]
        total += 2 * ((a | b) if pair % 2 == 0 else (a & b))
    return total + bits[bits.shape[0] // 2 * 2 :].sum(axis=0)


def layer(v: NDArray[Any], w: NDArray[Any], states: NDArray[Any], limit: int) -> NDArray[Any]:
    """Hidden layer on unpacked bits: v [images, rows, clocks], w [neurons, planes, rows, clocks]."""
    images, neurons, clocks = v.shape[0], w.shape[0], v.shape[2]
    out = np.zeros((images, neurons, clocks), np.uint8)
    for image in range(images):
        for o in range(neurons):
            values = (2 * w[o].astype(int).sum(axis=0) - w.shape[1]) * v[image]
            steps = np.clip(values.sum(axis=0), -limit, limit)
            out[image, o] = machine(steps, int(states[o]), int(states[o]) // 2)
    return out
