"""Sizes, traffic and bounds of the tilings of a matrix product, compiled.

A row choice is int64[11]: height, whole samples, tiles, rows of a full and of the last tile, inputs of all,
of the first, the largest and the smallest full tile, and its segments from and to. Products and arrays are
those of `hwsim.kernels.tile_orders`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_orders import (
    ADDEND_BITS,
    COLUMN_BITS,
    COLUMNS,
    DEPTH,
    GROUPS,
    INPUT_BITS,
    OPERAND_BITS,
    OUTPUT_BITS,
    OUTPUT_STATIONARY,
    POSITIONS,
    ROWS,
    SAMPLES,
    STEPS,
    SUM_BITS,
    WEIGHT_BITS,
    Array,
    parts_of,
    tile_cycles,
    tile_words,
)  # fmt: skip

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Tables = tuple[Ints, Ints, Ints, Floats, Floats, Floats]


@compiled_at_once
def fitted(halved: Ints, unit: int, lanes: int, out: Ints) -> int:
    """Fill `out` with sizes and the same cut to whole multiples of the array, falling; return how many."""
    used = 0
    for turn in range(2):
        for place in range(halved.size):
            size = halved[place]
            if turn:
                size = size * unit // lanes * lanes // unit
            if size == 0:
                continue
            at = 0
            while at < used and out[at] > size:
                at += 1
            if at < used and out[at] == size:
                continue
            for later in range(used, at, -1):
                out[later] = out[later - 1]
            out[at] = size
            used += 1
    return used


@compiled_at_once
def traffic_of(
    product: Ints, row: Ints, tiles_k: int, tiles_n: int, order: int, reload: int
) -> tuple[int, int]:
    """Return DRAM bits of inputs (with addends) and of weights over all tiles, groups and steps."""
    images = 1 if row[1] > 1 else product[SAMPLES]
    tiles_m = row[2] * images
    stay = tiles_k == 1 and tiles_n == 1
    if order == 0:
        input_passes = 1 if tiles_k == 1 else tiles_n
        weight_passes = 1 if stay else tiles_m
    else:
        input_passes = 1 if tiles_k == 1 and tiles_m == 1 else tiles_n
        weight_passes = 1 if tiles_k == 1 else tiles_m
    held = 1 if stay and product[GROUPS] == 1 and not reload else product[STEPS]
    per_input = product[INPUT_BITS] if product[INPUT_BITS] else product[OPERAND_BITS]
    per_weight = product[WEIGHT_BITS] if product[WEIGHT_BITS] else product[OPERAND_BITS]
    inputs = row[5] * images * (product[DEPTH] // product[POSITIONS]) * per_input * input_passes
    inputs += product[ROWS] * product[COLUMNS] * product[ADDEND_BITS]
    weights = product[DEPTH] * product[COLUMNS] * per_weight + product[COLUMNS] * product[COLUMN_BITS]
    return product[GROUPS] * product[STEPS] * inputs, product[GROUPS] * weights * held * weight_passes


@compiled_at_once
def axis_of(total: int, tile: int, times: int, rows: int, axis: Ints) -> None:
    """Fill axis int64[2, 4] of full and last tile: how many, size, folds along rows, rows of the last."""
    tiles = parts_of(total, tile)
    for last in range(2):
        size = total - (tiles - 1) * tile if last else tile
        folds = parts_of(size, rows)
        axis[last, 0] = times if last else times * (tiles - 1)
        axis[last, 1], axis[last, 2], axis[last, 3] = size, folds, size - (folds - 1) * rows


@compiled_at_once
def pass_cycles(held: Ints, streamed: Ints, rows: int) -> float:
    """Return cycles that one column of folds takes at least, added up over tiles of two axes.

    Folds along the rows hold a part of one axis each, and stream the other one past: they start no closer
    than what they stream or hold.
    """
    total = 0.0
    for one in range(2):
        for other in range(2):
            stream = streamed[other, 1]
            cycles = (held[one, 2] - 1) * max(stream, rows) + max(stream, held[one, 3])
            total += float(held[one, 0] * streamed[other, 0]) * float(cycles)
    return total


@compiled_at_once
def axis_tables(product: Ints, rows: Ints, depths: Ints, widths: Ints, array: Array, tables: Tables) -> None:
    """Fill what the bounds of all tilings are products of, so that none of them divides.

    Parameters
    ----------
    product, rows, array
        See above.
    depths, widths : int64[K], int64[N]
        Channels and columns of a tile.
    tables : Tables
        int64[H, 2, 4], int64[K, 2, 4], int64[N, 2, 4] axes of rows, channels and columns; float64[H],
        float64[N] folds along the columns of the array; float64[3, S, S] passes by dataflow: [rows, channels]
        for the first two, [channels, columns] for the third.
    """
    tall, deep, wide, tall_folds, wide_folds, passes = tables
    lanes, cols, _ = array
    for at in range(rows.shape[0]):
        row = rows[at]
        images = 1 if row[1] > 1 else product[SAMPLES]
        axis_of((row[2] - 1) * row[3] + row[4], row[3], images, lanes, tall[at])
        tall_folds[at] = images * (parts_of(row[3], cols) * (row[2] - 1) + parts_of(row[4], cols))
    for at_k in range(depths.size):
        axis_of(product[DEPTH], depths[at_k] * product[POSITIONS], 1, lanes, deep[at_k])
        for at in range(rows.shape[0]):
            passes[0, at, at_k] = pass_cycles(tall[at], deep[at_k], lanes)
            passes[1, at, at_k] = pass_cycles(deep[at_k], tall[at], lanes)
    for at_n in range(widths.size):
        n = widths[at_n]
        axis_of(product[COLUMNS], n, 1, lanes, wide[at_n])
        wide_folds[at_n] = wide[at_n, 0, 0] * parts_of(n, cols) + parts_of(wide[at_n, 1, 1], cols)
        for at_k in range(depths.size):
            passes[2, at_k, at_n] = pass_cycles(deep[at_k], wide[at_n], lanes)


@compiled_at_once
def tile_sums(
    product: Ints, row: Ints, k: int, n: int, flow: int, array: Array, counting: int, words: Ints
) -> int:
    """Return array cycles of all tiles; if `counting`, fill words: reads of inputs, weights, uses of sums."""
    images = 1 if row[1] > 1 else product[SAMPLES]
    repeats = images * product[GROUPS] * product[STEPS]
    tiles_k, tiles_n = parts_of(product[DEPTH], k), parts_of(product[COLUMNS], n)
    work = 0
    words[:] = 0
    for edge_m in range(2):
        m, tall = (row[4], 1) if edge_m else (row[3], row[2] - 1)
        for edge_k in range(2):
            depth, deep = (product[DEPTH] - (tiles_k - 1) * k, 1) if edge_k else (k, tiles_k - 1)
            for edge_n in range(2):
                width, wide = (product[COLUMNS] - (tiles_n - 1) * n, 1) if edge_n else (n, tiles_n - 1)
                count = repeats * tall * deep * wide
                if count:
                    work += count * tile_cycles(flow, m, depth, width, array)
                    if counting:
                        one = tile_words(flow, m, depth, width, array)
                        words[0] += count * one[0]
                        words[1] += count * one[1]
                        words[2] += count * (one[2] + one[3])
    words[2] += product[GROUPS] * product[STEPS] * product[ROWS] * product[COLUMNS] * (tiles_k - 1)
    return work


@compiled_at_once
def least_cycles(
    product: Ints, row: Ints, k: int, n: int, order: int, work: int, largest: int, per_bit: float
) -> float:
    """Return cycles that a tiling takes at least, given its array cycles and those of its largest tile.

    The array works through, the first load and the last store are hidden by nothing, and slots whose traffic
    is known to outlast the largest tile wait for it.
    """
    samples = 1 if row[1] > 1 else product[SAMPLES]
    channels = k // product[POSITIONS]
    per_input = product[INPUT_BITS] if product[INPUT_BITS] else product[OPERAND_BITS]
    per_weight = product[WEIGHT_BITS] if product[WEIGHT_BITS] else product[OPERAND_BITS]
    tiles_k, tiles_n = parts_of(product[DEPTH], k), parts_of(product[COLUMNS], n)
    inputs, weights = row[8] * channels * per_input, k * n * per_weight
    store = row[3] * n * product[OUTPUT_BITS]
    last_store = row[4] * (product[COLUMNS] - (tiles_n - 1) * n) * product[OUTPUT_BITS]
    unhidden = row[6] * channels * per_input + weights + last_store
    full_m, full_n = (row[2] - 1) * samples, tiles_n - 1
    waits = 0.0
    heavy, wide, tall = (
        max((inputs + weights) * per_bit - largest, 0.0),
        max((weights + store) * per_bit - largest, 0.0),
        max((inputs + store) * per_bit - largest, 0.0),
    )
    if tiles_k > 1:
        waits = max(full_m * full_n * (tiles_k - 1) - 1, 0) * heavy
    elif order == 0:
        if tiles_n == 1:
            waits = max(full_m - 3, 0) * tall
        else:
            waits = max(full_m - 1, 0) * heavy + full_m * max(full_n - 2, 0) * wide
    else:
        waits = max(full_n - 1, 0) * heavy + full_n * max(full_m - 2, 0) * tall
    least: float = work + product[GROUPS] * product[STEPS] * waits + unhidden * per_bit
    return least


@compiled_at_once
def onchip_joules(product: Ints, flow: int, words: Ints, inputs: int, weights: int, prices: Floats) -> float:
    """Return joules of scratchpads and registers."""
    bits, sum_bits = product[OPERAND_BITS], product[SUM_BITS]
    repeats = product[GROUPS] * product[STEPS]
    macs = repeats * product[ROWS] * product[DEPTH] * product[COLUMNS]
    register_bits = (2 if flow == OUTPUT_STATIONARY else 1) * bits + sum_bits
    joules = (
        words[0] * prices[2] * bits
        + words[1] * prices[3] * bits
        + words[2] * prices[4] * sum_bits
        + macs * register_bits * prices[5]
    )
    drained = repeats * product[ROWS] * product[COLUMNS] * sum_bits
    total: float = joules + inputs * prices[2] + weights * prices[3] + drained * prices[4]
    return total
