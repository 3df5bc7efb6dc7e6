"""Stochastic bit-streams, 64 clocks a word: generators, gates, counters, state machines, correlation.

Clock i of a stream is bit ``i % 64`` of word ``i // 64``; bits past its length are zero. Random words depend
on (seed, stream, word) alone, so that neither the order of work nor the number of threads changes a bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PRECISION_BITS = 16
"""Bits of a Bernoulli probability: streams are exact to 2**-17."""

TAPS = {3: 0b110, 4: 0b1100, 5: 0b10100, 6: 0b110000, 7: 0b1100000, 8: 0b10111000, 9: 0b100010000,
        10: 0b1001000000, 11: 0b10100000000, 12: 0b111000001000, 13: 0b1110010000000,
        14: 0b11100000000010, 15: 0b110000000000000, 16: 0b1101000000001000}
"""Taps of a maximal shift register of each width, as a mask of its state (Xilinx XAPP052)."""

# Primitive polynomials and first direction numbers of Joe and Kuo (2008), dimensions 2 to 10.
_DIRECTIONS = ((1, 0, (1,)), (2, 1, (1, 3)), (3, 1, (1, 3, 1)), (3, 2, (1, 1, 1)), (4, 1, (1, 1, 3, 3)),
               (4, 4, (1, 3, 5, 13)), (5, 2, (1, 1, 5, 5, 17)), (5, 4, (1, 1, 5, 5, 5)),
               (5, 7, (1, 1, 7, 11, 19)))
SOBOL_DIMENSIONS = 1 + len(_DIRECTIONS)

_ONE, _ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
_GOLDEN, _MIX1, _MIX2 = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9),
                         np.uint64(0x94D049BB133111EB))
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_M1, _M2, _M4 = (np.uint64(0x5555555555555555), np.uint64(0x3333333333333333),
                 np.uint64(0x0F0F0F0F0F0F0F0F))
_H01, _S1, _S2, _S4, _S56 = (np.uint64(0x0101010101010101), np.uint64(1), np.uint64(2), np.uint64(4),
                             np.uint64(56))


def words_of(length: int) -> int:
    """Return the words that `length` clocks take."""
    return -(-length // 64)


@compiled_at_once
def mix(value: np.uint64) -> np.uint64:
    """Return 64 well-mixed bits of a counter (the finalizer of SplitMix64)."""
    z = (value ^ (value >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@compiled_at_once
def ones_of(word: np.uint64) -> np.uint64:
    """Return the number of set bits; the compiler knows the pattern."""
    x = word - ((word >> _S1) & _M1)
    x = (x & _M2) + ((x >> _S2) & _M2)
    x = (x + (x >> _S4)) & _M4
    return (x * _H01) >> _S56


@compiled_at_once
def bernoulli_words(probability: Floats, streams: Ints, seed: int, length: int) -> Words:
    """Return independent streams, one row each: bit i of row s is set with `probability` [s].

    A probability is a binary fraction of 16 bits; each word takes one random word per digit, an OR where the
    digit is one and an AND where it is zero. `streams` [s] names the generator of row s.
    """
    count = (length + 63) // 64
    out = np.zeros((probability.shape[0], count), np.uint64)
    for s in range(probability.shape[0]):
        level = np.int64(np.floor(probability[s] * 65536.0 + 0.5))
        key = mix(mix(np.uint64(seed) + _GOLDEN) ^ (np.uint64(streams[s]) * _MIX1 + _GOLDEN))
        first = 0
        while first < 16 and not (level >> first) & 1:
            first += 1
        for w in range(count):
            word = np.uint64(0)
            if level >= 65536:
                word = _ALL
            base = key + np.uint64(w) * np.uint64(16) * _GOLDEN
            for digit in range(first, 16):
                random = mix(base + np.uint64(digit) * _GOLDEN)
                word = word | random if (level >> digit) & 1 else word & random
            out[s, w] = word
        if length % 64 and count:
            out[s, count - 1] &= (_ONE << np.uint64(length % 64)) - _ONE
    return out


@compiled_at_once
def shift_register(width: int, taps: int, state: int, leap: int) -> Ints:
    """Return one period of a Fibonacci shift register as numbers from 0, `leap` shifts a clock.

    The state counts from 1; one is taken off, so that a threshold t < 2**width yields t ones a period.
    """
    period = (1 << width) - 1
    out = np.empty(period, np.int64)
    for i in range(period):
        out[i] = state - 1
        for _ in range(leap):
            tapped, parity = state & taps, 0
            while tapped:
                parity ^= tapped & 1
                tapped >>= 1
            state = ((state << 1) & period) | parity
    return out


def counter(width: int) -> Ints:
    """Return one period of a counter: streams of it hold all their ones at the start of the period."""
    return np.arange(1 << width, dtype=np.int64)


def sobol(width: int, dimension: int) -> Ints:
    """Return the first 2**width integers of `width` bits of one dimension of the Sobol sequence."""
    directions = np.zeros(width, np.int64)
    if dimension == 0:
        directions[:] = 1 << np.arange(width - 1, -1, -1)
    else:
        degree, inner, initial = _DIRECTIONS[dimension - 1]
        odd = list(initial)
        for i in range(degree, width):
            value = odd[i - degree] ^ (odd[i - degree] << degree)
            for k in range(1, degree):
                if (inner >> (degree - 1 - k)) & 1:
                    value ^= odd[i - k] << k
            odd.append(value)
        directions[:] = [odd[i] << (width - 1 - i) for i in range(width)]
    gray = np.arange(1 << width) ^ (np.arange(1 << width) >> 1)
    out = np.zeros(1 << width, np.int64)
    for bit in range(width):
        out ^= np.where((gray >> bit) & 1, directions[bit], 0)
    return out


@compiled_at_once
def _threshold_rows(sequence: Ints, highest: int) -> Words:
    """Return one period of ``sequence < t`` for t from 0 to `highest`; each row adds to the last."""
    period = sequence.shape[0]
    counts = np.zeros(highest + 2, np.int64)
    for at in range(period):
        counts[min(sequence[at], highest) + 1] += 1
    starts = np.cumsum(counts)
    filled, places = starts.copy(), np.zeros(period, np.int64)
    for at in range(period):
        value = min(sequence[at], highest)
        places[filled[value]] = at
        filled[value] += 1
    rows = np.zeros((highest + 1, (period + 63) // 64 + 1), np.uint64)
    for t in range(1, highest + 1):
        rows[t] = rows[t - 1]
        for i in range(starts[t - 1], starts[t]):
            rows[t, places[i] >> 6] |= _ONE << np.uint64(places[i] & 63)
    return rows


@compiled_at_once
def compare_words(sequence: Ints, phases: Ints, thresholds: Ints, length: int) -> Words:
    """Return one row per phase: bit i is ``sequence[(phase + i) % period] < threshold``.

    One period is packed for every threshold; a phase is a shift of it, 64 clocks at a time.
    """
    count, period = (length + 63) // 64, sequence.shape[0]
    out = np.zeros((phases.shape[0], count), np.uint64)
    highest = 0
    for s in range(phases.shape[0]):
        highest = max(highest, min(thresholds[s], period + 1))
    rows = _threshold_rows(sequence, highest)
    for s in range(phases.shape[0]):
        row, at = rows[max(0, min(thresholds[s], highest))], phases[s] % period
        for w in range(count):
            if at + 64 < period:
                low = np.uint64(at & 63)
                out[s, w] = (row[at >> 6] >> low) | ((row[(at >> 6) + 1] << _ONE) << (np.uint64(63) - low))
                at += 64
                continue
            word, have = np.uint64(0), 0
            while have < 64:
                take, shift = min(64 - have, period - at), at & 63
                part = row[at >> 6] >> np.uint64(shift)
                if shift:
                    part |= row[(at >> 6) + 1] << np.uint64(64 - shift)
                if take < 64:
                    part &= (_ONE << np.uint64(take)) - _ONE
                word |= part << np.uint64(have)
                have += take
                at += take
                if at == period:
                    at = 0
            out[s, w] = word
        if length % 64 and count:
            out[s, count - 1] &= (_ONE << np.uint64(length % 64)) - _ONE
    return out


def multiply_unipolar(a: Words, b: Words) -> Words:
    """Return the product of values in [0, 1]: AND."""
    return a & b


def multiply_bipolar(a: Words, b: Words, length: int) -> Words:
    """Return the product of values in [-1, 1]: XNOR, zero past the end."""
    out = ~(a ^ b)
    if length % 64:
        out[..., -1] &= np.uint64((1 << (length % 64)) - 1)
    return out


@compiled_at_once
def count_ones(words: Words) -> int:
    """Return the set bits of an array of any number of rows, given flat."""
    total = np.uint64(0)
    for i in range(words.shape[0]):
        total += ones_of(words[i])
    return int(total)


@compiled_at_once
def count_and(a: Words, b: Words) -> int:
    """Return the set bits of ``a & b``: the bare loop that other kernels are measured against."""
    total = np.uint64(0)
    for i in range(a.shape[0]):
        total += ones_of(a[i] & b[i])
    return int(total)


@compiled_at_once
def column_counts(words: Words, length: int) -> Ints:
    """Return int64[length]: how many of the rows are one at each clock, an exact parallel counter.

    Sums are kept as bit planes: adding a row is a ripple of half adders on 64 clocks at once.
    """
    levels = 1
    while (1 << levels) <= words.shape[0]:
        levels += 1
    planes, out = np.zeros(levels, np.uint64), np.zeros(length, np.int64)
    for w in range(words.shape[1]):
        planes[:] = np.uint64(0)
        for s in range(words.shape[0]):
            carry, level = words[s, w], 0
            while carry != np.uint64(0):
                kept = planes[level]
                planes[level] = kept ^ carry
                carry = kept & carry
                level += 1
        for i in range(w * 64, min(length, w * 64 + 64)):
            for level in range(levels):
                out[i] += np.int64((planes[level] >> np.uint64(i & 63)) & _ONE) << level
    return out


def approximate_counts(words: Words, length: int) -> Ints:
    """Return the counts of an approximate parallel counter: pairs become twice their OR and AND in turn.

    The first layer of full adders gives way to single gates (Kim, Lee, Choi 2015); OR counts one too much
    where AND counts one too few, so that errors cancel on average. A row left over is counted exactly.
    """
    pairs = words.shape[0] // 2
    first, second = words[0 : 2 * pairs : 2], words[1 : 2 * pairs : 2]
    merged = np.where((np.arange(pairs) % 2 == 0)[:, None], first | second, first & second)
    counts: Ints = 2 * column_counts(np.ascontiguousarray(merged), length)
    return counts + column_counts(np.ascontiguousarray(words[2 * pairs :]), length)


def unpack(words: Words, length: int) -> NDArray[np.uint8]:
    """Return the bits as uint8[..., length]."""
    flat = np.unpackbits(np.ascontiguousarray(words).astype("<u8").view(np.uint8), axis=-1, bitorder="little")
    return flat[..., :length]


def pack(bits: NDArray[np.uint8]) -> Words:
    """Return bits [..., length] as words; the inverse of `unpack`."""
    short = -bits.shape[-1] % 64
    padded = np.concatenate([bits, np.zeros((*bits.shape[:-1], short), np.uint8)], axis=-1)
    packed: Words = np.packbits(padded, axis=-1, bitorder="little").view("<u8").astype(np.uint64)
    return packed


def integral_values(words: Words, length: int, *, bipolar: bool) -> Ints:
    """Return the integers of an integral stream of m rows: the sum of its bits, or twice that less m."""
    counts = column_counts(words, length)
    return 2 * counts - words.shape[0] if bipolar else counts


@compiled_at_once
def tanh_machine(steps: Ints, states: int, start: int) -> Words:
    """Return the output stream of NStanh: the state walks by `steps` in 0..states-1, one in the upper half.

    At ``state >= states / 2`` the output is one; with ``>`` the result is biased by up to 0.5.
    """
    out = np.zeros((steps.shape[0] + 63) // 64, np.uint64)
    state = start
    for i in range(steps.shape[0]):
        state = min(max(state + steps[i], 0), states - 1)
        if 2 * state >= states:
            out[i >> 6] |= _ONE << np.uint64(i & 63)
    return out


@compiled_at_once
def exp_machine(steps: Ints, states: int, gap: int, start: int) -> Words:
    """Return the output stream of NSexp: one while the state is below ``states - gap``."""
    out = np.zeros((steps.shape[0] + 63) // 64, np.uint64)
    state = start
    for i in range(steps.shape[0]):
        state = min(max(state + steps[i], 0), states - 1)
        if state < states - gap:
            out[i >> 6] |= _ONE << np.uint64(i & 63)
    return out


def correlation(a: Words, b: Words, length: int) -> float:
    """Return the stochastic cross-correlation of two streams, from -1 (no overlap) to 1 (most overlap).

    (p_ab - p_a p_b) over the largest value it can take with its sign (Alaghi and Hayes 2013); 0 if one of
    the streams is constant, which correlates with nothing.
    """
    ones_a, ones_b, both = count_ones(a), count_ones(b), count_and(a, b)
    excess = both * length - ones_a * ones_b
    if excess == 0:
        return 0.0
    if excess > 0:
        return excess / (min(ones_a, ones_b) * length - ones_a * ones_b)
    return excess / (ones_a * ones_b - max(ones_a + ones_b - length, 0) * length)
