"""Networks of binary spins, many replicas side by side: saturating counters, and one spin after the other.

Replicas lie in lanes of narrow integers, so that an update of one spin is a few vector instructions for many
of them. Every lane draws from a shift register of its own phase; no result depends on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.bitstream import mix
from hwsim.kernels.compiling import compiled_at_once

Narrow = NDArray[Any]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

LANES = 512
"""Replicas of a block."""

NOISE_LEVELS = 128
"""Steps in which the probability of noise is set."""

_GROUPS = LANES // 8
_S7, _S13, _S17, _S32 = np.uint64(7), np.uint64(13), np.uint64(17), np.uint64(32)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@compiled_at_once
def seed_words(seed: int, block: int) -> Words:
    """Return the shift registers of a block, one per eight lanes; none is zero."""
    words = np.empty(_GROUPS, np.uint64)
    key = mix(np.uint64(seed) + _GOLDEN)
    for g in range(_GROUPS):
        word = mix(key + (np.uint64(block) * np.uint64(_GROUPS) + np.uint64(g + 1)) * _GOLDEN)
        words[g] = word if word != np.uint64(0) else _GOLDEN
    return words


@compiled_at_once
def step_words(words: Words) -> None:
    """Advance every 64-bit shift register (Marsaglia 2003, shifts 13, 7, 17; period 2**64 - 1)."""
    for g in range(_GROUPS):
        word = words[g]
        word = word ^ (word << _S13)
        word = word ^ (word >> _S7)
        words[g] = word ^ (word << _S17)


@compiled_at_once
def draw_spins(state: Narrow, clamped: Bytes, words: Words) -> None:
    """Set every spin that is not clamped to +1 or -1 at random."""
    lanes = words.view(np.uint8)
    for i in range(state.shape[0]):
        step_words(words)
        if not clamped[i]:
            for r in range(LANES):
                state[i, r] = 1 if lanes[r] >= 128 else -1


@compiled_at_once
def sum_neighbours(
    total: Narrow, state: Narrow, start: int, stop: int, neighbours: Ints, weights: Ints
) -> None:
    """Add weight x spin of the neighbours `start` to `stop` to the totals of all lanes."""
    for e in range(start, stop):
        row, weight = state[neighbours[e]], weights[e]
        if weight == 1:
            for r in range(LANES):
                total[r] += row[r]
        elif weight == -1:
            for r in range(LANES):
                total[r] -= row[r]
        elif weight == 2:
            for r in range(LANES):
                total[r] += row[r] + row[r]
        elif weight == -2:
            for r in range(LANES):
                total[r] -= row[r] + row[r]
        else:
            for r in range(LANES):
                total[r] += weight * row[r]


@compiled_at_once
def step_counters(
    total: Narrow, counters: Narrow, spins: Narrow, lanes: Bytes, limits: Narrow, level: int
) -> None:
    """Add field and noise to the counters of one spin, saturate them, and compare with zero.

    `limits` holds the lowest and highest count, -noise and noise in the type of the lanes: wider numbers
    would halve the speed.
    """
    low, high, down, up = limits[0], limits[1], limits[2], limits[3]
    for r in range(LANES):
        total[r] += counters[r]
    if level == NOISE_LEVELS:
        for r in range(LANES):
            total[r] += up if lanes[r] >= 128 else down
    else:
        for r in range(LANES):
            total[r] += (up if lanes[r] >= 128 else down) if lanes[r] & 127 < level else 0
    for r in range(LANES):
        value = total[r]
        value = high if value > high else value
        value = low if value < low else value
        counters[r] = value
        spins[r] = 1 if value >= 0 else -1


@compiled_at_once
def anneal_synchronous(
    state: Narrow,
    counters: Narrow,
    offsets: Ints,
    neighbours: Ints,
    weights: Ints,
    bias: Ints,
    clamped: Bytes,
    bounds: Ints,
    top: int,
    noise: int,
    level: int,
    words: Words,
    watched: Ints,
    record: Narrow,
) -> None:
    """Update all spins of a block at once, one clock per entry of `bounds`.

    I = h + J m + noise; counter = clip(counter + I, -bound, bound - top); m = +1 if counter >= 0, else -1.

    Parameters
    ----------
    state, counters : int8 or int16 [spins, LANES]
        Spins +1 or -1 and saturating counters; changed in place. The type must hold bound + field + noise.
    offsets, neighbours, weights : int64[spins + 1], int64[couplings], int64[couplings]
        Rows of J.
    bias : int64[spins]
        h.
    clamped : uint8[spins]
        Spins that keep their value.
    bounds : int64[clocks]
        I0 of every clock.
    top : int
        1 for counters of 2 I0 states, which favour neither sign; 0 for 2 I0 + 1 states.
    noise, level : int
        Noise weight, and the share of clocks with noise in units of 1 / NOISE_LEVELS.
    words : uint64[LANES / 8]
        Shift registers; changed in place.
    watched : int64[visible]
        Spins to write down after every clock; none: nothing is written.
    record : int8 [clocks, visible, LANES]
        Where they are written.
    """
    lanes = words.view(np.uint8)
    now, after = state, state.copy()
    total = np.empty_like(state[0])
    limits = np.empty_like(state[0, :4])
    limits[2], limits[3] = -noise, noise
    for t in range(bounds.shape[0]):
        limits[0], limits[1] = -bounds[t], bounds[t] - top
        for i in range(now.shape[0]):
            step_words(words)
            if clamped[i]:
                continue
            for r in range(LANES):
                total[r] = bias[i]
            sum_neighbours(total, now, offsets[i], offsets[i + 1], neighbours, weights)
            step_counters(total, counters[i], after[i], lanes, limits, level)
        now, after = after, now
        for v in range(watched.shape[0]):
            for r in range(LANES):
                record[t, v, r] = now[watched[v], r]
    if bounds.shape[0] % 2:
        state[:, :] = now


@compiled_at_once
def anneal_sequential(
    state: Narrow,
    offsets: Ints,
    neighbours: Ints,
    weights: Ints,
    bias: Ints,
    clamped: Bytes,
    thresholds: Ints,
    words: Words,
    watched: Ints,
    record: Narrow,
) -> None:
    """Update the spins of a block one after the other, one sweep per row of `thresholds`.

    A spin of field F becomes +1 if a random number of 32 bits is below thresholds[sweep, F + reach], where
    reach is the middle of a row: m = sgn(rnd(-1, 1) + tanh(I0 F)). Other arguments as in
    `anneal_synchronous`; a state is written down after every sweep.
    """
    total = np.empty_like(state[0])
    draws = np.empty(LANES, np.int64)
    reach = thresholds.shape[1] // 2
    for t in range(thresholds.shape[0]):
        row = thresholds[t]
        for i in range(state.shape[0]):
            if clamped[i]:
                continue
            for quarter in range(0, LANES, _GROUPS):
                step_words(words)
                for g in range(_GROUPS):
                    draws[quarter + g] = np.int64(words[g] >> _S32)
            for r in range(LANES):
                total[r] = bias[i]
            sum_neighbours(total, state, offsets[i], offsets[i + 1], neighbours, weights)
            for r in range(LANES):
                state[i, r] = 1 if draws[r] < row[total[r] + reach] else -1
        for v in range(watched.shape[0]):
            for r in range(LANES):
                record[t, v, r] = state[watched[v], r]


@compiled_at_once
def add_lanes(total: Narrow, row: Narrow, repeats: int) -> None:
    """Add one array of narrow integers to another again and again: the limit of integer additions."""
    for _ in range(repeats):
        for r in range(total.shape[0]):
            total[r] += row[r]
