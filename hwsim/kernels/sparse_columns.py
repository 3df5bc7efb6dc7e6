"""Columns of a matrix that may be skipped: zero masks to encoder entries, and the array that steps over them.

Every kernel is also its own plain-Python twin, ``kernel.plain``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@compiled_at_once
def count_entries(zero: Bytes, offset_bits: int, kept: Ints, fillers: Ints) -> None:
    """Count what the encoder writes for each step.

    A position is left out if it is zero for every sequence. An entry says how many positions were left out
    before it, in `offset_bits`; a run of ``2**offset_bits`` of them needs a zero entry of its own. Positions
    after the last kept one need no entry.

    Parameters
    ----------
    zero : uint8[steps, batch, width]
        1 where a value is zero.
    offset_bits : int
        Bits of the offset field.
    kept, fillers : int64[steps]
        Filled with the values and the zero entries of each step.
    """
    steps, batch, width = zero.shape
    together = np.empty(width, np.uint8)
    for t in range(steps):
        for j in range(width):
            together[j] = zero[t, 0, j]
        for b in range(1, batch):
            row = zero[t, b]
            for j in range(width):
                together[j] &= row[j]
        values, extra, run = 0, 0, 0
        for j in range(width):
            if together[j]:
                run += 1
            else:
                values += 1
                extra += run >> offset_bits
                run = 0
        kept[t] = values
        fillers[t] = extra


@compiled_at_once
def encode(zero: Bytes, offset_bits: int, position: Ints, offset: Ints) -> int:
    """Write the entries of one step as the encoder sees the positions go by; return how many there are.

    Parameters
    ----------
    zero : uint8[batch, width]
        1 where a value is zero.
    offset_bits : int
        Bits of the offset field.
    position, offset : int64[width]
        Filled with the position of each entry, ``-1 - position`` for a zero entry, and its offset field.
    """
    batch, width = zero.shape
    largest = (1 << offset_bits) - 1
    entries, run, pending = 0, 0, 0
    for j in range(width):
        every = True
        for b in range(batch):
            if not zero[b, j]:
                every = False
        if every:
            run += 1
            continue
        while run > largest:
            pending = j - run + largest
            position[entries] = -1 - pending
            offset[entries] = largest
            entries += 1
            run -= largest + 1
        position[entries] = j
        offset[entries] = run
        entries += 1
        run = 0
    return entries


@compiled_at_once
def step_columns(
    columns: NDArray[np.int8], values: NDArray[np.int16], real: Bytes, sums: NDArray[np.int32],
    weights_per_cycle: int, batch_lanes: int, rate: Ints, events: Ints,
) -> int:
    """Step the array clock by clock over columns of weights; return the clocks.

    In each clock a beat of `weights_per_cycle` weights meets one group of `batch_lanes` sequences, if its
    bits have arrived. The bits of a column come evenly spread over its beats; each column starts on a clock.

    Parameters
    ----------
    columns : int8[columns, rows]
        Weights of each column.
    values : int16[columns, batch]
        What each sequence multiplies the column with.
    real : uint8[columns]
        0 for a zero entry, whose beats pass without arithmetic.
    sums : int32[batch, rows]
        Partial sums, added to.
    rate : int64[3]
        Bits of a column's beats together, and the link's bits per clock as numerator and denominator.
    events : int64[2]
        Beats and multiply-accumulates, added to.
    """
    count, rows = columns.shape
    batch = values.shape[1]
    blocks = (rows + weights_per_cycle - 1) // weights_per_cycle
    groups = (batch + batch_lanes - 1) // batch_lanes
    beats = blocks * groups
    needed = rate[0] * rate[2]
    supply = rate[1] * beats
    clocks = 0
    for c in range(count):
        beat, block, group, arrived = 0, 0, 0, 0
        first_row = 0
        last_row = min(rows, weights_per_cycle)
        while beat < beats:
            clocks += 1
            arrived += supply
            if arrived < needed * (beat + 1):
                continue
            if real[c]:
                first = group * batch_lanes
                last = min(batch, first + batch_lanes)
                weights = columns[c, first_row:last_row]
                for b in range(first, last):
                    value = np.int32(values[c, b])
                    row = sums[b, first_row:last_row]
                    for r in range(row.shape[0]):
                        row[r] += np.int32(weights[r]) * value
                events[1] += (last - first) * (last_row - first_row)
            beat += 1
            group += 1
            if group == groups:
                group = 0
                block += 1
                first_row = block * weights_per_cycle
                last_row = min(rows, first_row + weights_per_cycle)
        events[0] += beats
    return clocks


@compiled_at_once
def hadamard_pass(
    left: NDArray[np.int32], right: NDArray[np.int32], addend: Ints, right_shift: int, limit: int,
    out: Ints, weights_per_cycle: int, batch_lanes: int,
) -> int:
    """Step one elementwise pass, (left * right + addend) >> shift with rounding; return the clocks.

    Parameters
    ----------
    left, right : int32[batch, width]
        Factors.
    addend : int64[batch, width]
        Added to the product.
    right_shift : int
        Bits dropped, the last one rounded; 0 keeps everything.
    limit : int
        Results saturate at plus and minus this.
    out : int64[batch, width]
        Filled.
    weights_per_cycle, batch_lanes : int
        Elements of each sequence, and sequences, that are done in one clock.
    """
    batch, width = left.shape
    half = (1 << right_shift) >> 1
    clocks = 0
    for first in range(0, width, weights_per_cycle):
        for group in range(0, batch, batch_lanes):
            clocks += 1
            for b in range(group, min(batch, group + batch_lanes)):
                for j in range(first, min(width, first + weights_per_cycle)):
                    value = np.int64(left[b, j]) * np.int64(right[b, j]) + addend[b, j]
                    out[b, j] = min(limit, max(-limit, (value + half) >> right_shift))
    return clocks
