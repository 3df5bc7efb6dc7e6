"""A layer of integral stochastic neurons on packed streams, 64 images side by side.

Layouts: inputs ``[word][synapse][lane]``, weights ``[word][neuron][plane][synapse]``, flat below the word;
synapses are padded to multiples of 16 with zero words. A lane is an image; 64 clocks are one word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.bitstream import ones_of
from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]
Narrow = NDArray[np.int32]

LANES = 64
GROUP = 16
LEVELS = 24
"""Bit planes of a sum: fan-in times planes below 2**16, and carries."""

WIDEST = 2**30
"""Largest limit of an adder tree that 32-bit sums tell from none."""

_ZERO, _ONE, _BYTE = np.uint64(0), np.uint64(1), np.uint64(255)
_SPREAD, _HALF = np.uint64(0x0101010101010101), np.uint64(0xFFFFFFFF)
_S2, _S3, _S4, _S5, _S6, _S7, _S8 = (np.uint64(2), np.uint64(3), np.uint64(4), np.uint64(5), np.uint64(6),
                                     np.uint64(7), np.uint64(8))
_S16, _S24, _S32, _S40, _S48, _S56 = (np.uint64(16), np.uint64(24), np.uint64(32), np.uint64(40),
                                      np.uint64(48), np.uint64(56))


@compiled_at_once
def _add_three(p: np.uint64, q: np.uint64, r: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return carries and sums of 64 full adders."""
    u = p ^ q
    return (p & q) | (u & r), u ^ r


@compiled_at_once
def _add_sixteen(v: Words, x: Words, planes: Words, carry: Words) -> None:
    """Multiply sixteen synapses by AND and add them to planes 0 to 3; what overflows weighs sixteen."""
    x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    y0, y1, y2, y3, y4, y5, y6, y7 = x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15]
    for b in range(LANES):
        one, two, four, eight = planes[b], planes[LANES + b], planes[2 * LANES + b], planes[3 * LANES + b]
        t0, one = _add_three(v[b] & x0, v[LANES + b] & x1, one)
        t1, one = _add_three(v[2 * LANES + b] & x2, v[3 * LANES + b] & x3, one)
        t2, one = _add_three(v[4 * LANES + b] & x4, v[5 * LANES + b] & x5, one)
        t3, one = _add_three(v[6 * LANES + b] & x6, v[7 * LANES + b] & x7, one)
        f0, two = _add_three(t0, t1, two)
        f1, two = _add_three(t2, t3, two)
        e0, four = _add_three(f0, f1, four)
        t0, one = _add_three(v[8 * LANES + b] & y0, v[9 * LANES + b] & y1, one)
        t1, one = _add_three(v[10 * LANES + b] & y2, v[11 * LANES + b] & y3, one)
        t2, one = _add_three(v[12 * LANES + b] & y4, v[13 * LANES + b] & y5, one)
        t3, one = _add_three(v[14 * LANES + b] & y6, v[15 * LANES + b] & y7, one)
        f0, two = _add_three(t0, t1, two)
        f1, two = _add_three(t2, t3, two)
        e1, four = _add_three(f0, f1, four)
        carry[b], eight = _add_three(e0, e1, eight)
        planes[b], planes[LANES + b], planes[2 * LANES + b], planes[3 * LANES + b] = one, two, four, eight


@compiled_at_once
def _add_sixteen_approximately(v: Words, x: Words, planes: Words, carry: Words) -> None:
    """Do as `_add_sixteen` with OR and AND in turn in place of the first full adders."""
    x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    y0, y1, y2, y3, y4, y5, y6, y7 = x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15]
    for b in range(LANES):
        two, four, eight = planes[LANES + b], planes[2 * LANES + b], planes[3 * LANES + b]
        t0 = (v[b] & x0) | (v[LANES + b] & x1)
        t1 = (v[2 * LANES + b] & x2) & (v[3 * LANES + b] & x3)
        t2 = (v[4 * LANES + b] & x4) | (v[5 * LANES + b] & x5)
        t3 = (v[6 * LANES + b] & x6) & (v[7 * LANES + b] & x7)
        f0, two = _add_three(t0, t1, two)
        f1, two = _add_three(t2, t3, two)
        e0, four = _add_three(f0, f1, four)
        t0 = (v[8 * LANES + b] & y0) | (v[9 * LANES + b] & y1)
        t1 = (v[10 * LANES + b] & y2) & (v[11 * LANES + b] & y3)
        t2 = (v[12 * LANES + b] & y4) | (v[13 * LANES + b] & y5)
        t3 = (v[14 * LANES + b] & y6) & (v[15 * LANES + b] & y7)
        f0, two = _add_three(t0, t1, two)
        f1, two = _add_three(t2, t3, two)
        e1, four = _add_three(f0, f1, four)
        carry[b], eight = _add_three(e0, e1, eight)
        planes[LANES + b], planes[2 * LANES + b], planes[3 * LANES + b] = two, four, eight


@compiled_at_once
def _carry_on(group: int, planes: Words, waiting: Words, carry: Words) -> None:
    """Add a carry of weight sixteen; every other carry of a level waits for the next one."""
    level = 4
    while group & 1:
        kept, held = planes[level * LANES : (level + 1) * LANES], waiting[level * LANES : (level + 1) * LANES]
        for b in range(LANES):
            carry[b], kept[b] = _add_three(held[b], carry[b], kept[b])
        level += 1
        group >>= 1
    held = waiting[level * LANES : (level + 1) * LANES]
    for b in range(LANES):
        held[b] = carry[b]


@compiled_at_once
def _settle(groups: int, planes: Words, waiting: Words) -> None:
    """Add the carries that still wait."""
    level = 4
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


@compiled_at_once
def _sum_products(v: Words, x: Words, rows: int, repeats: int, approximate: bool, planes: Words,
                  waiting: Words, carry: Words) -> None:
    """Count, clock by clock, the ones of ``v & x`` over `rows` synapses and `repeats` planes of weights."""
    planes[:] = _ZERO
    group = 0
    for k in range(repeats):
        for r in range(0, rows, GROUP):
            weights, inputs = x[k * rows + r : k * rows + r + GROUP], v[r * LANES : (r + GROUP) * LANES]
            if approximate:
                _add_sixteen_approximately(inputs, weights, planes, carry)
            else:
                _add_sixteen(inputs, weights, planes, carry)
            _carry_on(group, planes, waiting, carry)
            group += 1
    _settle(group, planes, waiting)


@compiled_at_once
def _spread_bytes(p: Words, r: int, up: int, start: Narrow, counts: Narrow) -> None:
    """Add eight planes, from weight 2**up on, to `start` at every eighth clock from `r`: one a byte."""
    s, above = np.uint64(r), np.int32(up)
    c, d = counts[r * LANES : (57 + r) * LANES], start[r * LANES : (57 + r) * LANES]
    for b in range(LANES):
        a = (p[b] >> s) & _SPREAD
        a |= ((p[LANES + b] >> s) & _SPREAD) << _ONE
        a |= ((p[2 * LANES + b] >> s) & _SPREAD) << _S2
        a |= ((p[3 * LANES + b] >> s) & _SPREAD) << _S3
        a |= ((p[4 * LANES + b] >> s) & _SPREAD) << _S4
        a |= ((p[5 * LANES + b] >> s) & _SPREAD) << _S5
        a |= ((p[6 * LANES + b] >> s) & _SPREAD) << _S6
        a |= ((p[7 * LANES + b] >> s) & _SPREAD) << _S7
        c[b] = np.int32(d[b] + (np.int32(a & _BYTE) << above))
        c[8 * LANES + b] = np.int32(d[8 * LANES + b] + (np.int32((a >> _S8) & _BYTE) << above))
        c[16 * LANES + b] = np.int32(d[16 * LANES + b] + (np.int32((a >> _S16) & _BYTE) << above))
        c[24 * LANES + b] = np.int32(d[24 * LANES + b] + (np.int32((a >> _S24) & _BYTE) << above))
        c[32 * LANES + b] = np.int32(d[32 * LANES + b] + (np.int32((a >> _S32) & _BYTE) << above))
        c[40 * LANES + b] = np.int32(d[40 * LANES + b] + (np.int32((a >> _S40) & _BYTE) << above))
        c[48 * LANES + b] = np.int32(d[48 * LANES + b] + (np.int32((a >> _S48) & _BYTE) << above))
        c[56 * LANES + b] = np.int32(d[56 * LANES + b] + (np.int32(a >> _S56) << above))


@compiled_at_once
def _numbers(planes: Words, levels: int, up: int, start: Narrow, counts: Narrow) -> None:
    """Set ``counts[clock][lane]`` to `start` plus what the bit planes hold, times 2**up."""
    for r in range(8):
        _spread_bytes(planes[: 8 * LANES], r, up, start, counts)
    if levels > 8:
        for r in range(8):
            _spread_bytes(planes[8 * LANES : 16 * LANES], r, up + 8, counts, counts)


@compiled_at_once
def _step_machines(sums: Narrow, states: int, state: Narrow, bits: Narrow, out: Words) -> None:
    """Step NStanh through 64 clocks ``sums[clock][lane]`` in every lane.

    Everything is cast back to 32 bits, of which a vector register holds twice as many.
    """
    last, half, none = np.int32(states - 1), np.int32(states // 2), np.int32(0)
    for b in range(LANES):
        out[b] = _ZERO
    for begin in range(0, 64, 32):
        for b in range(LANES):
            bits[b] = none
        for t in range(32):
            place, s = np.int32(t), sums[(begin + t) * LANES : (begin + t + 1) * LANES]
            for b in range(LANES):
                moved = min(max(np.int32(state[b] + s[b]), none), last)
                state[b] = moved
                bits[b] |= np.int32(np.int32(moved >= half) << place)
        up = np.uint64(begin)
        for b in range(LANES):
            out[b] |= (np.uint64(bits[b]) & _HALF) << up


@compiled_at_once
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
        Synapses, a multiple of 16, and bits a weight has each clock (m).
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
    sums, offsets, nothing, bits = (np.zeros(64 * LANES, np.int32), np.zeros(64 * LANES, np.int32),
                                    np.zeros(64 * LANES, np.int32), np.zeros(LANES, np.int32))
    most = np.int32(min(limit, WIDEST))
    ones = np.full(rows, np.uint64(0xFFFFFFFFFFFFFFFF))
    out = np.zeros((count, neurons * LANES), np.uint64)
    state = np.zeros((neurons, LANES), np.int32)
    for o in range(neurons):
        state[o, :] = states[o] // 2
    levels = 1
    while (1 << levels) <= 2 * rows * repeats:
        levels += 1
    for w in range(count):
        _sum_products(inputs[w], ones, rows, 1, False, planes, waiting, carry)
        _numbers(planes, levels, 0, nothing, offsets)
        for at in range(64 * LANES):
            offsets[at] *= np.int32(-repeats)
        for o in range(neurons):
            _sum_products(inputs[w], weights[w, o], rows, repeats, approximate, planes, waiting, carry)
            _numbers(planes, levels, 1, offsets, sums)
            if most < rows * repeats:
                for at in range(64 * LANES):
                    sums[at] = min(max(sums[at], np.int32(-most)), most)
            _step_machines(sums, states[o], state[o], bits, out[w, o * LANES : (o + 1) * LANES])
    if length % 64:
        out[count - 1, :] &= (_ONE << np.uint64(length % 64)) - _ONE
    return out


@compiled_at_once
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
                set_rows[b] += np.int64(ones_of(planes[level * LANES + b])) << level
        for o in range(neurons):
            _sum_products(inputs[w], weights[w, o], rows, repeats, approximate, planes, waiting, carry)
            for b in range(LANES):
                total = np.int64(0)
                for level in range(LEVELS):
                    total += np.int64(ones_of(planes[level * LANES + b])) << level
                out[o, b] += 2 * total - repeats * set_rows[b]
    return out
