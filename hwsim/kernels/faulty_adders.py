"""Adder trees that miss the clock: one image at a time, every partial sum in sight, failures from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

_ONE = np.uint64(1)
_GOLDEN, _MIX1, _MIX2 = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9),
                         np.uint64(0x94D049BB133111EB))
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@compiled_at_once
def _mix(value: np.uint64) -> np.uint64:
    z = (value ^ (value >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@compiled_at_once
def flipped(value: int, bit: int, width: int) -> int:
    """Return a two's complement number of `width` bits with one bit inverted."""
    pattern = (value ^ (1 << bit)) & ((1 << width) - 1)
    return pattern - (1 << width) if pattern >> (width - 1) else pattern


@compiled_at_once
def faulty_layer(inputs: Words, weights: Words, rows: int, planes: int, states: int, limit: int, rates: Ints,
                 whole_words: bool, seed: int, length: int) -> tuple[Words, Ints]:
    """Return the neurons' streams and the sums of one layer whose additions fail.

    Parameters
    ----------
    inputs : uint64[W, rows]
        Unipolar streams of one image.
    weights : uint64[W, n, planes * rows]
        Bipolar integral weights.
    rows, planes, states, limit, length : int
        As in `integral_network.hidden_layer`.
    rates : int64[stages]
        Failures of each stage of the trees in 2**32; stage d adds 2**(d + 1) synapses.
    whole_words : bool
        A failed adder keeps its sum of the clock before; otherwise one bit of its sum flips.
    seed : int
        The failures are a function of (seed, neuron, clock, adder).

    Returns
    -------
    streams : uint64[W, n]
        NStanh of every neuron.
    sums : int64[n]
        Sum of the trees over all clocks.
    """
    count, neurons = weights.shape[0], weights.shape[1]
    streams, sums = np.zeros((count, neurons), np.uint64), np.zeros(neurons, np.int64)
    level, kept = np.zeros(rows + 1, np.int64), np.zeros(2 * rows + 2, np.int64)
    narrow = 1
    while (1 << (narrow - 1)) < planes + 1:
        narrow += 1
    for o in range(neurons):
        state = states // 2
        kept[:] = 0
        key = _mix(np.uint64(seed) * _MIX1 + np.uint64(o) * _GOLDEN + _GOLDEN)
        for t in range(length):
            w, place = t >> 6, np.uint64(t & 63)
            for j in range(rows):
                level[j] = 0
                if (inputs[w, j] >> place) & _ONE:
                    for k in range(planes):
                        level[j] += 2 * np.int64((weights[w, o, k * rows + j] >> place) & _ONE) - 1
            width, adder, stage, have = narrow, 0, 0, rows
            while have > 1:
                width += 1
                for i in range(have // 2):
                    total = level[2 * i] + level[2 * i + 1]
                    if rates[stage]:
                        at = np.uint64(t) * np.uint64(2 * rows) + np.uint64(adder)
                        random = _mix(key + at * _GOLDEN)
                        if np.int64(random & _LOW) < rates[stage]:
                            total = kept[adder] if whole_words else flipped(
                                total, int((random >> _S32) % np.uint64(width)), width)
                    level[i] = total
                    kept[adder] = total
                    adder += 1
                if have & 1:
                    level[have // 2] = level[have - 1]
                have = (have + 1) // 2
                stage += 1
            step = min(max(level[0], -limit), limit)
            sums[o] += step
            state = min(max(state + step, 0), states - 1)
            if 2 * state >= states:
                streams[w, o] |= _ONE << place
    return streams, sums
