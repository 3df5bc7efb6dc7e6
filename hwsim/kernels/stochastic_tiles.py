"""Binary products on tiles whose sums are observed through noise, a stream of L bits for every tile.

Layouts: inputs ``[window][tile][word]``, weights ``[column][tile][word]``, bit r of a word is row r, 1 is +1.
Random words depend on (key, window, column, tile, cycle) alone, so that neither the order of work nor the
size of a batch changes a bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.bitstream import mix, ones_of
from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]
Narrow = NDArray[np.int32]
Floats = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ZERO, _ONE, _S32, _LOW = np.uint64(0), np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_ROOT_PI = math.sqrt(math.pi)


@compiled_at_once
def tile_probability(distance: float, gray_zone: float) -> float:
    """Return P(1) of a sum that lies `distance` above the threshold."""
    if gray_zone == 0.0:
        return 1.0 if distance >= 0.0 else 0.0
    return 0.5 + 0.5 * math.erf(_ROOT_PI * distance / gray_zone)


@compiled_at_once
def _fill_alias(probability: float, logs: Floats, slots: int, weight: Floats, small: Ints, large: Ints,
                table: Words) -> None:
    """Write the alias table of Binomial(L, probability): 32 bits of threshold over 32 bits of alias.

    Vose 1991; exact to 2**-32 / slots. `logs` holds the logarithms of the binomial coefficients.
    """
    length = logs.shape[0] - 1
    weight[:] = 0.0
    if probability <= 0.0:
        weight[0] = slots
    elif probability >= 1.0:
        weight[length] = slots
    else:
        yes, no = math.log(probability), math.log1p(-probability)
        total = 0.0
        for k in range(length + 1):
            weight[k] = math.exp(logs[k] + k * yes + (length - k) * no)
            total += weight[k]
        for k in range(length + 1):
            weight[k] *= slots / total
    below, above = 0, 0
    for k in range(slots):
        if weight[k] < 1.0:
            small[below] = k
            below += 1
        else:
            large[above] = k
            above += 1
    while below and above:
        below -= 1
        s, g = small[below], large[above - 1]
        table[s] = (np.uint64(weight[s] * 4294967296.0) << _S32) | np.uint64(g)
        weight[g] -= 1.0 - weight[s]
        if weight[g] < 1.0:
            above -= 1
            small[below] = g
            below += 1
    for k in range(below):
        table[small[k]] = (_LOW << _S32) | np.uint64(small[k])
    for k in range(above):
        table[large[k]] = (_LOW << _S32) | np.uint64(large[k])


@compiled_at_once
def binomial_counts(inputs: Words, mask: Words, active: Ints, weights: Words, thresholds: Floats,
                    gray_zone: float, logs: Floats, key: np.uint64, first: int) -> Narrow:
    """Return what the counters hold after L cycles: one exact binomial number for every tile.

    Parameters
    ----------
    inputs, weights : uint64[windows, tiles, words], uint64[columns, tiles, words]
        Bits of rows.
    mask, active : uint64[places, tiles, words], int64[places, tiles]
        Rows that carry current, and their number, for window % places.
    thresholds : float64[columns]
        Of every tile of a column.
    gray_zone : float
        In the unit of the sums; 0: no noise.
    logs : float64[L + 1]
        Logarithms of the binomial coefficients.
    key : uint64
        Names the random numbers.
    first : int
        Number of the first window.

    Returns
    -------
    int32[windows, columns]
    """
    windows, tiles, words = inputs.shape
    columns, places = weights.shape[0], mask.shape[0]
    largest = int(active.max())
    bits = 0
    while (1 << bits) < logs.shape[0]:
        bits += 1
    slots, shift = 1 << bits, np.uint64(64 - bits)
    sums = 2 * largest + 1
    table = np.zeros((sums, slots), np.uint64)
    ready = np.zeros(sums, np.bool_)
    weight, small, large = np.zeros(slots), np.zeros(slots, np.int64), np.zeros(slots, np.int64)
    out = np.zeros((windows, columns), np.int32)
    for n in range(columns):
        ready[:] = False
        for w in range(windows):
            place, count = w % places, 0
            index = (np.uint64(first + w) * np.uint64(columns) + np.uint64(n)) * np.uint64(tiles)
            for t in range(tiles):
                differ = 0
                for j in range(words):
                    differ += int(ones_of((inputs[w, t, j] ^ weights[n, t, j]) & mask[place, t, j]))
                total = active[place, t] - 2 * differ
                row = total + largest
                if not ready[row]:
                    _fill_alias(tile_probability(total - thresholds[n], gray_zone), logs, slots, weight,
                                small, large, table[row])
                    ready[row] = True
                index += _ONE
                random = mix(key + index * _GOLDEN)
                slot = random >> shift if bits else _ZERO
                entry = table[row, slot]
                # The comparison needs other bits than the slot.
                count += int(slot) if (random & _LOW) < (entry >> _S32) else int(entry & _LOW)
            out[w, n] = count
    return out


@compiled_at_once
def bitwise_counts(inputs: Words, mask: Words, active: Ints, weights: Words, thresholds: Floats,
                   gray_zone: float, length: int, approximate: bool, key: np.uint64, first: int) -> Narrow:
    """Do as `binomial_counts`, bit by bit; `approximate`: pairs of tiles by OR and AND in turn, twice."""
    windows, tiles, words = inputs.shape
    columns, places = weights.shape[0], mask.shape[0]
    out = np.zeros((windows, columns), np.int32)
    levels = np.zeros(tiles, np.uint64)
    for n in range(columns):
        for w in range(windows):
            place, count = w % places, 0
            for t in range(tiles):
                differ = 0
                for j in range(words):
                    differ += int(ones_of((inputs[w, t, j] ^ weights[n, t, j]) & mask[place, t, j]))
                total = active[place, t] - 2 * differ
                p = tile_probability(total - thresholds[n], gray_zone)
                levels[t] = np.uint64(math.floor(p * 4294967296.0 + 0.5))
            index = (np.uint64(first + w) * np.uint64(columns) + np.uint64(n)) * np.uint64(tiles)
            index *= np.uint64(length)
            for _ in range(length):
                held = 0
                for t in range(tiles):
                    index += _ONE
                    bit = 1 if (mix(key + index * _GOLDEN) >> _S32) < levels[t] else 0
                    if not approximate or (t == tiles - 1 and not t & 1):
                        count += bit
                    elif not t & 1:
                        held = bit
                    else:
                        count += 2 * (held | bit if t & 2 == 0 else held & bit)
            out[w, n] = count
    return out
