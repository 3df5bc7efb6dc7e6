"""The tiles of a matrix product in the order of a tiling, compiled: folds, loads and stores of each tile.

A product is int64[15]: groups, m, k, n, steps, kernel positions, samples, bits and operations per output
element, bits of parameters per column, bits of an addend per element, bits of an input and of a weight in
DRAM, bits of an operand and of a sum. Its row tiles are int64[., 3]: rows, inputs per channel, count.
A tiling is (dataflow, order, k, n, whether tiles hold whole samples), an array (rows, columns, fold model).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_streams import (
    MOST_PARTS,
    PARTS,
    Workspace,
    add_tile,
    empty,
    join,
    repeat,
    single,
)

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
def parts_of(whole: int, part: int) -> int:
    """Return ceil(whole / part): floats divide much faster, and exactly so below 2^52."""
    return int((whole + part - 1) / part)


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
    row_folds, col_folds = parts_of(p, rows), parts_of(q, cols)
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
    """Return the words that a first tile along k reads of inputs and weights, writes to and reads of sums."""
    rows, cols, _ = array
    p, q = k, n
    if flow == OUTPUT_STATIONARY:
        p, q = m, n
    elif flow == INPUT_STATIONARY:
        p, q = k, m
    row_folds, col_folds = parts_of(p, rows), parts_of(q, cols)
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
    flags: tuple[int, int, int, int],
    flow: int,
    array: Array,
    clock: Clock,
) -> int:
    """Return the stream of one tile of (m, inputs, k, n).

    `flags`: are inputs and weights loaded, is the tile the first and the last along k.
    """
    m, inputs, k, n = sizes
    load_inputs, load_weights, first, last = flags
    elements = m * n
    per_input = product[INPUT_BITS] if product[INPUT_BITS] else product[OPERAND_BITS]
    per_weight = product[WEIGHT_BITS] if product[WEIGHT_BITS] else product[OPERAND_BITS]
    load = load_inputs * inputs * (k // product[POSITIONS]) * per_input
    load += first * elements * product[ADDEND_BITS]
    weights = load_weights * (k * n * per_weight + first * n * product[COLUMN_BITS])
    stores = (last * elements * product[OUTPUT_BITS], last * elements * product[POSTS])
    work = tile_cycles(flow, m, k, n, array)
    return single(space, add_tile(space, (load, weights), work, stores, clock))


@compiled_at_once
def piece_of(total: int, size: int, piece: int) -> tuple[int, int]:
    """Return (size, count) of the first tile of a dimension, of further full ones, or of that at its edge."""
    if piece == 0:
        return min(size, total), 1
    if piece == 1:
        return size, max(total // size - 1, 0)
    return total % size, (1 if total > size and total % size else 0)


@compiled_at_once
def output_tile(
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
    """Return one output tile: partial sums stay until the last tile along k."""
    result = empty(space)
    left = parts_of(product[DEPTH], tiling[2])
    for step in range(4):
        # The first tile, further full ones, the last of them by itself if no edge follows, the edge.
        k, count = piece_of(product[DEPTH], tiling[2], min(step, 1) if step < 3 else 2)
        if step == 1 and count == left:
            count -= 1
        elif step == 2:
            count = min(left, 1) if product[DEPTH] % tiling[2] == 0 else 0
        if count > 0:
            left -= count
            flags = (loaded[0], loaded[1], 1 if step == 0 else 0, 1 if left == 0 else 0)
            sizes = (segments[place, 0], segments[place, 1], k, n)
            tile = tile_of(space, product, sizes, flags, tiling[0], array, clock)
            result = join(space, result, repeat(space, tile, count))
    return result


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
    """Return the output tile of a row tile by its place, made once: see `output_tile`."""
    key = 8 * place + 4 * loaded[0] + 2 * loaded[1] + (1 if n == tiling[3] else 0)
    known = int(space[PARTS + key]) if key < MOST_PARTS else -1
    if known >= 0:
        return known
    made = output_tile(space, product, segments, place, n, loaded, tiling, array, clock)
    if key < MOST_PARTS:
        space[PARTS + key] = made
    return made


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
    again = 0 if product[DEPTH] <= tiling[2] else 1
    result = empty(space)
    for piece in range(3):
        n, count = piece_of(product[COLUMNS], tiling[3], piece)
        if count > 0:
            loaded = (1 if piece == 0 else again, first_weights if piece == 0 else 1)
            part = along_k(space, product, segments, place, n, loaded, tiling, array, clock)
            result = join(space, result, repeat(space, part, count))
    return result


@compiled_at_once
def along_m(
    space: Workspace,
    product: Ints,
    segments: Ints,
    n: int,
    first: tuple[int, int],
    tiling: Tiling,
    array: Array,
    clock: Clock,
) -> int:
    """Return all rows of one column tile: its weights are loaded once if they are one tile deep."""
    deep = 1 if product[DEPTH] > tiling[2] else 0
    images = 1 if tiling[4] else product[SAMPLES]
    result, all_rows = empty(space), empty(space)
    for place in range(-1, segments.shape[0]):
        loaded = (max(first[0], deep), max(first[1], deep)) if place < 0 else (1, deep)
        part = along_k(space, product, segments, max(place, 0), n, loaded, tiling, array, clock)
        if place < 0:
            result = part
            continue
        count = segments[place, 2]
        all_rows = join(space, all_rows, repeat(space, part, count))
        result = join(space, result, repeat(space, part, count - 1 if place == 0 else count))
    return join(space, result, repeat(space, all_rows, images - 1))


@compiled_at_once
def m_outer(
    space: Workspace, product: Ints, segments: Ints, loaded: int, tiling: Tiling, array: Array, clock: Clock
) -> int:
    """Return all tiles, row tiles outside; weights that stay come with the first one, unless loaded."""
    stay = product[DEPTH] <= tiling[2] and product[COLUMNS] <= tiling[3]
    images = 1 if tiling[4] else product[SAMPLES]
    result, all_rows = empty(space), empty(space)
    for place in range(-1, segments.shape[0]):
        weights = 0 if stay and (place >= 0 or loaded) else 1
        part = along_n(space, product, segments, max(place, 0), weights, tiling, array, clock)
        if place < 0:
            result = part
            continue
        count = segments[place, 2]
        all_rows = join(space, all_rows, repeat(space, part, count))
        result = join(space, result, repeat(space, part, count - 1 if place == 0 else count))
    return join(space, result, repeat(space, all_rows, images - 1))


@compiled_at_once
def n_outer(
    space: Workspace, product: Ints, segments: Ints, loaded: int, tiling: Tiling, array: Array, clock: Clock
) -> int:
    """Return all tiles, column tiles outside; inputs that are one tile are fetched with the first one."""
    one = segments.shape[0] == 1 and segments[0, 2] == 1 and (tiling[4] or product[SAMPLES] == 1)
    again = 0 if one else 1
    result = empty(space)
    for piece in range(3):
        n, count = piece_of(product[COLUMNS], tiling[3], piece)
        if count > 0:
            first = (1 if piece == 0 else again, 1 - loaded)
            part = along_m(space, product, segments, n, first, tiling, array, clock)
            result = join(space, result, repeat(space, part, count))
    return result


@compiled_at_once
def stream_of(
    space: Workspace, product: Ints, segments: Ints, loaded: int, tiling: Tiling, array: Array, clock: Clock
) -> int:
    """Return all tiles of one group in order; if `loaded`, a right matrix that stays is not fetched again."""
    stay = product[DEPTH] <= tiling[2] and product[COLUMNS] <= tiling[3]
    resident = 1 if loaded and stay else 0
    if tiling[1] == M_OUTER:
        return m_outer(space, product, segments, resident, tiling, array, clock)
    return n_outer(space, product, segments, resident, tiling, array, clock)
