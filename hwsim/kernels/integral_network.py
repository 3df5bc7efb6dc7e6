"""A layer of integral stochastic neurons on packed streams, 32 images side by side.

Layouts: inputs ``[word][synapse][lane]``, weights ``[word][neuron][plane][synapse]``, flat below the word;
synapses are padded to multiples of 8 with zero words. A lane is an image; 64 clocks are one word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.bit_masks import compiled

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

LANES = 32
GROUP = 8
LEVELS = 24
"""Bit planes of a sum: fan-in times planes below 2**20, and carries."""

_ZERO, _ONE, _BYTE = np.uint64(0), np.uint64(1), np.uint64(255)
_SPREAD = np.uint64(0x0101010101010101)
_M1, _M2, _M4 = (np.uint64(0x5555555555555555), np.uint64(0x3333333333333333),
                 np.uint64(0x0F0F0F0F0F0F0F0F))
_S2, _S4, _S56 = np.uint64(2), np.uint64(4), np.uint64(56)


@compiled
def _ones(word: np.uint64) -> np.uint64:
    x = word - ((word >> _ONE) & _M1)
    x = (x & _M2) + ((x >> _S2) & _M2)
    x = (x + (x >> _S4)) & _M4
    return (x * _SPREAD) >> _S56


@compiled
def _add_eight(v: Words, x: Words, planes: Words, carry: Words) -> None:
    """Multiply eight synapses by AND and add them to planes 0 to 2; what overflows weighs eight."""
    x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    for b in range(LANES):
        one = planes[b]
        p, q = v[b] & x0, v[LANES + b] & x1
        u = p ^ q
        t0, one = (p & q) | (u & one), u ^ one
        p, q = v[2 * LANES + b] & x2, v[3 * LANES + b] & x3
        u = p ^ q
        t1, one = (p & q) | (u & one), u ^ one
        p, q = v[4 * LANES + b] & x4, v[5 * LANES + b] & x5
        u = p ^ q
        t2, one = (p & q) | (u & one), u ^ one
        p, q = v[6 * LANES + b] & x6, v[7 * LANES + b] & x7
        u = p ^ q
        t3, one = (p & q) | (u & one), u ^ one
        planes[b] = one
        two = planes[LANES + b]
        u = t0 ^ t1
        f0, two = (t0 & t1) | (u & two), u ^ two
        u = t2 ^ t3
        f1, two = (t2 & t3) | (u & two), u ^ two
        planes[LANES + b] = two
        four = planes[2 * LANES + b]
        u = f0 ^ f1
        carry[b] = (f0 & f1) | (u & four)
        planes[2 * LANES + b] = u ^ four


@compiled
def _add_eight_approximately(v: Words, x: Words, planes: Words, carry: Words) -> None:
    """Do as `_add_eight` with OR and AND in turn in place of the first full adders."""
    x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    for b in range(LANES):
        t0 = (v[b] & x0) | (v[LANES + b] & x1)
        t1 = (v[2 * LANES + b] & x2) & (v[3 * LANES + b] & x3)
        t2 = (v[4 * LANES + b] & x4) | (v[5 * LANES + b] & x5)
        t3 = (v[6 * LANES + b] & x6) & (v[7 * LANES + b] & x7)
        two = planes[LANES + b]
        u = t0 ^ t1
        f0, two = (t0 & t1) | (u & two), u ^ two
        u = t2 ^ t3
        f1, two = (t2 & t3) | (u & two), u ^ two
        planes[LANES + b] = two
        four = planes[2 * LANES + b]
        u = f0 ^ f1
        carry[b] = (f0 & f1) | (u & four)
        planes[2 * LANES + b] = u ^ four


@compiled
def _carry_on(group: int, planes: Words, waiting: Words, carry: Words) -> None:
    """Add a carry of weight eight; every other carry of a level waits for the next one."""
    level = 3
    while group & 1:
        kept, held = planes[level * LANES : (level + 1) * LANES], waiting[level * LANES : (level + 1) * LANES]
        for b in range(LANES):
            p, q, r = held[b], carry[b], kept[b]
            u = p ^ q
            kept[b] = u ^ r
            carry[b] = (p & q) | (u & r)
        level += 1
        group >>= 1
    held = waiting[level * LANES : (level + 1) * LANES]
    for b in range(LANES):
        held[b] = carry[b]


@compiled
def _settle(groups: int, planes: Words, waiting: Words) -> None:
    """Add the carries that still wait."""
    level = 3
    while groups:
        if groups & 1:
            for b in range(LANES):
                carry, at = waiting[level * LANES + b], level
                while carry != _ZERO:
                    kept = planes[at * LANES + b]
                    planes[at * LANES + b] = kept ^ carry
                    carry = kept & carry
                    at += 1
        level += 1
        groups >>= 1


@compiled
def _sum_products(v: Words, x: Words, rows: int, repeats: int, approximate: bool, planes: Words,
                  waiting: Words, carry: Words) -> None:
    """Count, clock by clock, the ones of ``v & x`` over `rows` synapses and `repeats` planes of weights."""
    planes[:] = _ZERO
    group = 0
    for k in range(repeats):
        for r in range(0, rows, GROUP):
            weights, inputs = x[k * rows + r : k * rows + r + GROUP], v[r * LANES : (r + GROUP) * LANES]
            if approximate:
                _add_eight_approximately(inputs, weights, planes, carry)
            else:
                _add_eight(inputs, weights, planes, carry)
            _carry_on(group, planes, waiting, carry)
            group += 1
    _settle(group, planes, waiting)


@compiled
def _numbers(planes: Words, levels: int, low: Words, high: Words) -> None:
    """Turn bit planes into bytes: byte k of ``low[r]`` is the sum at clock 8 k + r, ``high`` counts 256s."""
    for r in range(8):
        shift = np.uint64(r)
        a, h = low[r * LANES : (r + 1) * LANES], high[r * LANES : (r + 1) * LANES]
        for b in range(LANES):
            a[b] = _ZERO
            h[b] = _ZERO
        for level in range(min(levels, 8)):
            up, p = np.uint64(level), planes[level * LANES : (level + 1) * LANES]
            for b in range(LANES):
                a[b] |= ((p[b] >> shift) & _SPREAD) << up
        for level in range(8, min(levels, 16)):
            up, p = np.uint64(level - 8), planes[level * LANES : (level + 1) * LANES]
            for b in range(LANES):
                h[b] |= ((p[b] >> shift) & _SPREAD) << up


@compiled
def _step_machines(low: Words, high: Words, offsets: Ints, states: int, limit: int, state: Ints,
                   out: Words) -> None:
    """Step NStanh through 64 clocks in every lane: sums are twice the count less `offsets` [clock][lane]."""
    for b in range(LANES):
        out[b] = _ZERO
    last, half = states - 1, states // 2
    for t in range(64):
        at, move, place = (t & 7) * LANES, np.uint64(8 * (t >> 3)), np.uint64(t)
        a, h, off = low[at : at + LANES], high[at : at + LANES], offsets[t * LANES : (t + 1) * LANES]
        for b in range(LANES):
            count = ((a[b] >> move) & _BYTE) + (((h[b] >> move) & _BYTE) << np.uint64(8))
            total = min(max(2 * np.int64(count) - off[b], -limit), limit)
            moved = min(max(state[b] + total, 0), last)
            state[b] = moved
            out[b] |= np.uint64(moved >= half) << place


@compiled
def hidden_layer(inputs: Words, weights: Words, rows: int, repeats: int, states: Ints, limit: int,
                 approximate: bool, length: int) -> Words:
    """Return the streams of a layer of NStanh neurons.

    Parameters
    ----------
    inputs : uint64[W, rows * LANES]
        Unipolar input streams; the bias is a row of ones.
    weights : uint64[W, neurons, repeats * rows]
        Bipolar integral weight streams of `repeats` planes.
    rows, repeats : int
        Synapses, a multiple of 8, and bits a weight has each clock (m).
    states : int64[neurons]
        States of each neuron's machine; it starts in the middle.
    limit : int
        The adder tree saturates at this magnitude.
    approximate : bool
        Approximate parallel counters.
    length : int
        Clocks.

    Returns
    -------
    uint64[W, neurons * LANES]
        Zero past the end.
    """
    count, neurons = weights.shape[0], weights.shape[1]
    planes, waiting = np.zeros(LEVELS * LANES, np.uint64), np.zeros(LEVELS * LANES, np.uint64)
    carry = np.zeros(LANES, np.uint64)
    low, high = np.zeros(8 * LANES, np.uint64), np.zeros(8 * LANES, np.uint64)
    offsets, ones = np.zeros(64 * LANES, np.int64), np.full(rows, np.uint64(0xFFFFFFFFFFFFFFFF))
    out = np.zeros((count, neurons * LANES), np.uint64)
    state = np.zeros((neurons, LANES), np.int64)
    for o in range(neurons):
        state[o, :] = states[o] // 2
    levels = 1
    while (1 << levels) <= 2 * rows * repeats:
        levels += 1
    for w in range(count):
        _sum_products(inputs[w], ones, rows, 1, False, planes, waiting, carry)
        _numbers(planes, levels, low, high)
        for t in range(64):
            for b in range(LANES):
                move, at = np.uint64(8 * (t >> 3)), (t & 7) * LANES + b
                set_rows = ((low[at] >> move) & _BYTE) + (((high[at] >> move) & _BYTE) << np.uint64(8))
                offsets[t * LANES + b] = repeats * np.int64(set_rows)
        for o in range(neurons):
            _sum_products(inputs[w], weights[w, o], rows, repeats, approximate, planes, waiting, carry)
            _numbers(planes, levels, low, high)
            _step_machines(low, high, offsets, states[o], limit, state[o],
                           out[w, o * LANES : (o + 1) * LANES])
    if length % 64:
        out[count - 1, :] &= (_ONE << np.uint64(length % 64)) - _ONE
    return out


@compiled
def output_layer(inputs: Words, weights: Words, rows: int, repeats: int, approximate: bool) -> Ints:
    """Return int64[neurons, LANES]: the sums of the last layer over all clocks."""
    count, neurons = weights.shape[0], weights.shape[1]
    planes, waiting = np.zeros(LEVELS * LANES, np.uint64), np.zeros(LEVELS * LANES, np.uint64)
    carry, ones = np.zeros(LANES, np.uint64), np.full(rows, np.uint64(0xFFFFFFFFFFFFFFFF))
    out, set_rows = np.zeros((neurons, LANES), np.int64), np.zeros(LANES, np.int64)
    for w in range(count):
        _sum_products(inputs[w], ones, rows, 1, False, planes, waiting, carry)
        for b in range(LANES):
            set_rows[b] = 0
            for level in range(LEVELS):
                set_rows[b] += np.int64(_ones(planes[level * LANES + b])) << level
        for o in range(neurons):
            _sum_products(inputs[w], weights[w, o], rows, repeats, approximate, planes, waiting, carry)
            for b in range(LANES):
                total = np.int64(0)
                for level in range(LEVELS):
                    total += np.int64(_ones(planes[level * LANES + b])) << level
                out[o, b] += 2 * total - repeats * set_rows[b]
    return out
