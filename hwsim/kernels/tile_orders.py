"""The tiles of a matrix product in the order of a tiling, compiled: folds, loads and stores of each tile.

A product is int64[15]: groups, m, k, n, steps, kernel positions, samples, bits and operations per output
element, bits of parameters per column, bits of an addend per element, bits of an input and of a weight in
DRAM, bits of an operand and of a sum. Its row tiles are segments int64[., 3] (rows, inputs per channel, count).
A tiling is (dataflow, order, k, n, whether tiles hold whole samples). An array is (rows, columns, fold model).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_streams import Workspace, add_tile, empty, join, repeat, single

Ints = NDArray[np.int64]
Clock = tuple[int, int, float, int]
Array = tuple[int, int, int]
Tiling = tuple[int, int, int, int, int]

GROUPS, ROWS, DEPTH, COLUMNS, STEPS, POSITIONS, SAMPLES = 0, 1, 2, 3, 4, 5, 6
OUTPUT_BITS, POSTS, COLUMN_BITS, ADDEND_BITS, INPUT_BITS, WEIGHT_BITS, OPERAND_BITS, SUM_BITS = (
    7, 8, 9, 10, 11, 12, 13, 14,
)  # fmt: skip
OUTPUT_STATIONARY, WEIGHT_STATIONARY, INPUT_STATIONARY = 0, 1, 2
M_OUTER = 0
OVERLAPPED, SEQUENTIAL, SCALESIM = 0, 1, 2


@compiled_at_once
def tile_cycles(flow: int, m: int, k: int, n: int, array: Array) -> int:
    """Return the cycles for which a tile of m x k x n occupies the array."""
    rows, cols, model = array
    loads = flow != OUTPUT_STATIONARY
    p, q, t = k, n, m
    if flow == OUTPUT_STATIONARY:
        p, q, t = m, n, k
    elif flow == INPUT_STATIONARY:
        p, q, t = k, m, n
    row_folds, col_folds = (p + rows - 1) // rows, (q + cols - 1) // cols
    if model == SCALESIM:
        return row_folds * col_folds * (t + rows + cols - 2 + (rows if loads else 0))
    if model == SEQUENTIAL:
        return row_folds * col_folds * (t - 2) + (2 if loads else 1) * col_folds * p + row_folds * q
    last_rows, last_cols = p - (row_folds - 1) * rows, q - (col_folds - 1) * cols
    used_rows, used_cols = min(p, rows), min(q, cols)
    full, edge = max(t, rows), max(t, last_rows)
    per_column = (row_folds - 1) * full + edge
    shift, leaving, preload = 0, last_rows, 0
    if loads:
        shift, leaving, preload = edge - max(t, used_rows), used_rows, used_rows
    down = max((row_folds - 1) * full + shift + leaving, max(row_folds - 2, 0) * full + used_rows)
    across = max((col_folds - 1) * per_column + last_cols, max(col_folds - 2, 0) * per_column + used_cols)
    return preload + down + across + t - 2


@compiled_at_once
def tile_words(flow: int, m: int, k: int, n: int, array: Array) -> tuple[int, int, int, int]:
    """Return the words that the first tile along k reads of inputs and weights, writes to and reads of sums."""
    rows, cols, _ = array
    p, q = k, n
    if flow == OUTPUT_STATIONARY:
        p, q = m, n
    elif flow == INPUT_STATIONARY:
        p, q = k, m
    row_folds, col_folds = (p + rows - 1) // rows, (q + cols - 1) // cols
    if flow == OUTPUT_STATIONARY:
        return m * k * col_folds, k * n * row_folds, m * n, 0
    if flow == WEIGHT_STATIONARY:
        return m * k * col_folds, k * n, m * n * row_folds, m * n * (row_folds - 1)
    return m * k, k * n * col_folds, m * n * row_folds, m * n * (row_folds - 1)


@compiled_at_once
def product_words(product: Ints, segments: Ints, tiling: Tiling, array: Array, words: Ints) -> None:
    """Fill words int64[4]: scratchpad words of all tiles, groups and steps, results not yet drained."""
    flow, _, depth, width, whole_samples = tiling
    repeats = product[GROUPS] * product[STEPS] * (1 if whole_samples else product[SAMPLES])
    words[:] = 0
    for segment in range(segments.shape[0]):
        m, tall = segments[segment, 0], segments[segment, 2]
        for edge_n in range(2):
            n = product[COLUMNS] % width if edge_n else width
            wide = (1 if n else 0) if edge_n else product[COLUMNS] // width
            for edge_k in range(2):
                k = product[DEPTH] % depth if edge_k else depth
                deep = (1 if k else 0) if edge_k else product[DEPTH] // depth
                if wide and deep:
                    one = tile_words(flow, m, k, n, array)
                    count = repeats * tall * wide * deep
                    first = edge_k == 0 or product[DEPTH] < depth
                    later = repeats * tall * wide * (deep - (1 if first else 0))
                    words[0] += count * one[0]
                    words[1] += count * one[1]
                    words[2] += count * one[2]
                    words[3] += count * one[3] + later * m * n


@compiled_at_once
def tile_of(
    space: Workspace,
    product: Ints,
    sizes: tuple[int, int, int, int],
    loaded: tuple[int, int],
    ends: tuple[int, int],
    flow: int,
    array: Array,
    clock: Clock,
) -> int:
    """Return the stream of one tile of (m, inputs, k, n); `loaded`: inputs, weights; `ends`: first, last of k."""
    m, inputs, k, n = sizes
    elements = m * n
    per_input = product[INPUT_BITS] if product[INPUT_BITS] else product[OPERAND_BITS]
    per_weight = product[WEIGHT_BITS] if product[WEIGHT_BITS] else product[OPERAND_BITS]
    load = loaded[0] * inputs * (k // product[POSITIONS]) * per_input
    load += ends[0] * elements * product[ADDEND_BITS]
    weights = loaded[1] * (k * n * per_weight + ends[0] * n * product[COLUMN_BITS])
    stores = (ends[1] * elements * product[OUTPUT_BITS], ends[1] * elements * product[POSTS])
    work = tile_cycles(flow, m, k, n, array)
    return single(space, add_tile(space, (load, weights), work, stores, clock))


@compiled_at_once
def along_k(
    space: Workspace,
    product: Ints,
    segments: Ints,
    place: int,
    n: int,
    loaded: tuple[int, int],
    tiling: Tiling,
    array: Array,
    clock: Clock,
) -> int:
    """Return one output tile of a row tile by its place, made once: see `output_tile`."""
    parts = space[5]
    key = 8 * place + 4 * loaded[0] + 2 * loaded[1] + (1 if n == tiling[3] else 0)
    if key >= parts.size:
        return output_tile(space, product, segments[place], n, loaded, tiling, array, clock)
    if parts[key] < 0:
        parts[key] = output_tile(space, product, segments[place], n, loaded, tiling, array, clock)
    return parts[key]


@compiled_at_once
def output_tile(
    space: Workspace,
    product: Ints,
    segment: Ints,
    n: int,
    loaded: tuple[int, int],
    tiling: Tiling,
    array: Array,
    clock: Clock,
) -> int:
    """Return one output tile: partial sums stay until the last tile along k."""
    flow, depth = tiling[0], tiling[2]
    m, inputs = segment[0], segment[1]
    full, rest = product[DEPTH] // depth, product[DEPTH] % depth
    count = full + (1 if rest else 0)
    first_k = depth if full else rest
    if count == 1:
        return tile_of(space, product, (m, inputs, first_k, n), loaded, (1, 1), flow, array, clock)
    result = tile_of(space, product, (m, inputs, first_k, n), loaded, (1, 0), flow, array, clock)
    inner = full - 1 - (0 if rest else 1)
    if inner > 0:
        middle = tile_of(space, product, (m, inputs, depth, n), loaded, (0, 0), flow, array, clock)
        result = join(space, result, repeat(space, middle, inner))
    last_k = rest if rest else depth
    last = tile_of(space, product, (m, inputs, last_k, n), loaded, (0, 1), flow, array, clock)
    return join(space, result, last)


@compiled_at_once
def column_tiles(product: Ints, width: int, edge: int) -> tuple[int, int]:
    """Return (size, count) of the full column tiles, or of the one at the edge."""
    if edge:
        return product[COLUMNS] % width, (1 if product[COLUMNS] % width else 0)
    return width, product[COLUMNS] // width


@compiled_at_once
def along_n(
    space: Workspace,
    product: Ints,
    segments: Ints,
    place: int,
    first_weights: int,
    tiling: Tiling,
    array: Array,
    clock: Clock,
) -> int:
    """Return all columns of one row tile: its inputs are loaded once if they are one tile deep."""
    width = tiling[3]
    shallow = 0 if product[DEPTH] <= tiling[2] else 1
    head = width if product[COLUMNS] >= width else product[COLUMNS]
    result = along_k(space, product, segments, place, head, (1, first_weights), tiling, array, clock)
    for edge in range(2):
        n, count = column_tiles(product, width, edge)
        count -= 1 if n == head and (edge == 0 or product[COLUMNS] < width) else 0
        if n and count > 0:
            part = along_k(space, product, segments, place, n, (shallow, 1), tiling, array, clock)
            result = join(space, result, repeat(space, part, count))
    return result


@compiled_at_once
def m_outer(
    space: Workspace, product: Ints, segments: Ints, loaded: int, tiling: Tiling, array: Array, clock: Clock
) -> int:
    """Return all tiles, row tiles outside."""
    stay = product[DEPTH] <= tiling[2] and product[COLUMNS] <= tiling[3]
    images = 1 if tiling[4] else product[SAMPLES]
    fresh = 0 if stay else 1
    all_rows = empty(space)
    rest = empty(space)
    for place in range(segments.shape[0]):
        part = along_n(space, product, segments, place, fresh, tiling, array, clock)
        count = segments[place, 2]
        all_rows = join(space, all_rows, repeat(space, part, count))
        left = count - 1 if place == 0 else count
        if left > 0:
            rest = join(space, rest, repeat(space, part, left))
    if not stay or loaded:
        return repeat(space, all_rows, images)
    first = join(space, along_n(space, product, segments, 0, 1, tiling, array, clock), rest)
    if images == 1:
        return first
    return join(space, first, repeat(space, all_rows, images - 1))


@compiled_at_once
def along_m(
    space: Workspace,
    product: Ints,
    segments: Ints,
    n: int,
    loads: tuple[int, int],
    tiling: Tiling,
    array: Array,
    clock: Clock,
) -> int:
    """Return all rows of one column tile: its weights are loaded once if they are one tile deep."""
    deep = 1 if product[DEPTH] > tiling[2] else 0
    images = 1 if tiling[4] else product[SAMPLES]
    result = along_k(
        space, product, segments, 0, n, (max(loads[0], deep), max(loads[1], deep)), tiling, array, clock
    )
    all_rows = empty(space)
    for place in range(segments.shape[0]):
        part = along_k(space, product, segments, place, n, (1, deep), tiling, array, clock)
        count = segments[place, 2]
        all_rows = join(space, all_rows, repeat(space, part, count))
        left = count - 1 if place == 0 else count
        if left > 0:
            result = join(space, result, repeat(space, part, left))
    if images == 1:
        return result
    return join(space, result, repeat(space, all_rows, images - 1))


@compiled_at_once
def stream_of(
    space: Workspace, product: Ints, segments: Ints, loaded: int, tiling: Tiling, array: Array, clock: Clock
) -> int:
    """Return all tiles of one group in order; if `loaded`, a right matrix that stays is not fetched again."""
    width = tiling[3]
    stay = product[DEPTH] <= tiling[2] and product[COLUMNS] <= width
    resident = 1 if loaded and stay else 0
    if tiling[1] == M_OUTER:
        return m_outer(space, product, segments, resident, tiling, array, clock)
    row_tiles = segments[:, 2].sum() * (1 if tiling[4] else product[SAMPLES])
    again = 0 if row_tiles == 1 else 1
    fresh = 1 - resident
    head = width if product[COLUMNS] >= width else product[COLUMNS]
    result = along_m(space, product, segments, head, (1, fresh), tiling, array, clock)
    for edge in range(2):
        n, count = column_tiles(product, width, edge)
        count -= 1 if n == head and (edge == 0 or product[COLUMNS] < width) else 0
        if n and count > 0:
            part = along_m(space, product, segments, n, (again, fresh), tiling, array, clock)
            result = join(space, result, repeat(space, part, count))
    return result
