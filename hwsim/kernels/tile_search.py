"""The best tiling of a matrix product for many designs: bounds first, exact costs where they could matter.

A design is int64[9]: array rows and columns, cycles per DRAM bit as numerator and denominator (0 if they are
too long), vector lanes, bits of half of the input, weight and output scratchpad, and whether repeated weights
have to be loaded again. Its prices are float64[7]: cycles per bit, joules per bit of DRAM, inputs, weights,
outputs and registers, joules leaked per cycle. Row choices are those of `hwsim.kernels.tile_bounds`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_bounds import (
    Tables,
    axis_tables,
    fitted,
    least_cycles,
    onchip_joules,
    tile_sums,
    traffic_of,
)  # fmt: skip
from hwsim.kernels.tile_costs import BY_CYCLES, BY_TRAFFIC, cost_of, exact_cycles, list_slots
from hwsim.kernels.tile_orders import (
    COLUMNS,
    DEPTH,
    GROUPS,
    INPUT_BITS,
    OPERAND_BITS,
    OUTPUT_BITS,
    POSITIONS,
    ROWS,
    SAMPLES,
    STEPS,
    SUM_BITS,
    WEIGHT_BITS,
    Array,
    parts_of,
    product_words,
    tile_cycles,
)  # fmt: skip
from hwsim.kernels.tile_streams import (
    FAULT,
    Workspace,
    workspace,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SURE = 1.0 - 1e-12
PROMISING = 0.97
MOST_SIZES = 128
MOST_CANDIDATES = 32768


@compiled_at_once
def candidates(
    product: Ints,
    rows: Ints,
    depths: Ints,
    widths: Ints,
    flows: Ints,
    fixed: tuple[int, int, int],
    design: Ints,
    prices: Floats,
    tables: Tables,
    limit: float,
    table: Ints,
    bound: Floats,
) -> tuple[int, int]:
    """List tilings that fit and might cost no more than `limit`; return how many fit and how many are listed.

    Parameters
    ----------
    fixed : (int, int, int)
        Objective, fold model, and whether only the whole product is a tile, whatever the scratchpads hold.
    tables : Tables
        From `axis_tables`.
    table : int64[C, 7]
        Filled with place among those that fit, flow, order, row choice, k, n, traffic of each candidate.
    bound : float64[C]
        Filled with a lower bound of its cycles.
    """
    objective, _, whole_only = fixed
    _, deep, wide, tall_folds, wide_folds, passes = tables
    used, place = 0, 0
    repeats = product[GROUPS] * product[STEPS]
    stores = repeats * product[ROWS] * product[COLUMNS] * product[OUTPUT_BITS]
    bits, least = product[OPERAND_BITS], np.zeros(3)
    per_input = product[INPUT_BITS] if product[INPUT_BITS] else bits
    per_weight = product[WEIGHT_BITS] if product[WEIGHT_BITS] else bits
    for choice in range(rows.shape[0]):
        row = rows[choice]
        for at_k in range(depths.size):
            k = depths[at_k] * product[POSITIONS]
            if not whole_only and row[7] * depths[at_k] * bits > design[5]:
                continue
            for at_n in range(widths.size):
                n = widths[at_n]
                sums = row[3] * n * product[SUM_BITS]
                if not whole_only and (k * n * bits > design[6] or sums > design[7]):
                    continue
                place += 1
                unhidden = row[6] * depths[at_k] * per_input + k * n * per_weight
                unhidden += row[4] * wide[at_n, 1, 1] * product[OUTPUT_BITS]
                least[0] = passes[0, choice, at_k] * wide_folds[at_n]
                least[1] = passes[1, choice, at_k] * wide_folds[at_n]
                least[2] = passes[2, at_k, at_n] * tall_folds[choice]
                fastest = np.inf
                for flow in flows:
                    least[flow] = repeats * least[flow] + unhidden * prices[0]
                    fastest = min(fastest, least[flow])
                if cost_of(objective, fastest * SURE, stores, 0.0, prices) > limit:
                    continue
                tiles_k, tiles_n = deep[at_k, 0, 0] + 1, wide[at_n, 0, 0] + 1
                twins = n >= product[COLUMNS] or (row[2] == 1 and (row[1] > 1 or product[SAMPLES] == 1))
                for order in range(1 if twins else 2):
                    inputs, weights = traffic_of(product, row, tiles_k, tiles_n, order, design[8])
                    traffic = inputs + weights + stores
                    for flow in flows:
                        cycles = max(least[flow], traffic * prices[0])
                        if cost_of(objective, cycles * SURE, traffic, 0.0, prices) > limit:
                            continue
                        if used == table.shape[0]:
                            return place, -1
                        table[used, 0], table[used, 1], table[used, 2] = place, flow, order
                        table[used, 3], table[used, 4], table[used, 5] = choice, k, n
                        table[used, 6] = traffic
                        bound[used] = cycles
                        used += 1
    return place, used


@compiled_at_once
def smaller(one: tuple[float, int, int, int, int], other: tuple[float, int, int, int, int]) -> bool:
    """Return whether one (cost, traffic, flow, order, place) comes before another."""
    if one[0] != other[0]:
        return one[0] < other[0]
    return one[1:] < other[1:]


@compiled_at_once
def least_traffic(
    product: Ints, rows: Ints, objective: int, array: Array, table: Ints, count: int, words: Ints
) -> int:
    """Return the candidate of least traffic; ties go to less array work, then to the first listed."""
    best, best_key = -1, (0.0, 0, 0, 0, 0)
    for one in range(count):
        traffic = float(table[one, 6])
        if best >= 0 and traffic > best_key[0]:
            continue
        work = tile_sums(
            product, rows[table[one, 3]], table[one, 4], table[one, 5], table[one, 1], array, objective, words
        )
        key = (traffic, work, table[one, 1], table[one, 2], table[one, 0])
        if best < 0 or smaller(key, best_key):
            best, best_key = one, key
    return best


@compiled_at_once
def refine(
    product: Ints,
    rows: Ints,
    objective: int,
    reload: int,
    prices: Floats,
    array: Array,
    one: Ints,
    bound: float,
    words: Ints,
) -> tuple[float, float]:
    """Return a closer bound of the cost of one candidate, and its on-chip joules if anyone looks at them."""
    row, flow, order, k, n, traffic = rows[one[3]], one[1], one[2], one[4], one[5], one[6]
    work = tile_sums(product, row, k, n, flow, array, objective, words)
    largest = tile_cycles(flow, row[3], k, n, array)
    onchip_j = 0.0
    if objective != BY_CYCLES:
        tiles_k, tiles_n = parts_of(product[DEPTH], k), parts_of(product[COLUMNS], n)
        inputs, weights = traffic_of(product, row, tiles_k, tiles_n, order, reload)
        onchip_j = onchip_joules(product, flow, words, inputs, weights, prices)
    cycles = max(bound, least_cycles(product, row, k, n, order, work, largest, prices[0]))
    return cost_of(objective, cycles * SURE, traffic, onchip_j, prices), onchip_j


@compiled_at_once
def least_cost(
    space: Workspace,
    product: Ints,
    rows: Ints,
    segments: Ints,
    objective: int,
    design: Ints,
    prices: Floats,
    array: Array,
    table: Ints,
    bound: Floats,
    count: int,
    limit: float,
    words: Ints,
) -> int:
    """Return the candidate of least cost; ties go to less traffic, then to the first listed.

    A first look through the list costs at once what promises much, a second one goes by the bounds.
    """
    clock = (design[2], design[3], prices[0], design[4])
    onchip = np.zeros(count)
    best, best_key = -1, (np.inf, 0, 0, 0, 0)
    first = int(np.argmin(bound[:count]))
    for turn in range(2 * count + 1):
        if turn <= count:
            one = first if turn == 0 else turn - 1
            if bound[one] == np.inf:
                continue
            rough = cost_of(objective, bound[one] * SURE, table[one, 6], 0.0, prices)
            if rough <= limit:
                bound[one], onchip[one] = refine(
                    product, rows, objective, design[8], prices, array, table[one], bound[one], words
                )
            else:
                bound[one] = np.inf
            if turn and not bound[one] < PROMISING * limit:
                continue
        else:
            one = int(np.argmin(bound[:count]))
            if not bound[one] <= best_key[0]:
                break
        row, k, n = rows[table[one, 3]], table[one, 4], table[one, 5]
        flow, order, traffic = table[one, 1], table[one, 2], table[one, 6]
        tiling = (flow, order, k, n, 1 if row[1] > 1 else 0)
        cycles = exact_cycles(space, product, segments[row[9] : row[10]], tiling, array, clock, design[8])
        cost = cost_of(objective, float(cycles), traffic, onchip[one], prices)
        key = (cost, traffic, flow, order, table[one, 0])
        bound[one] = np.inf
        limit = min(limit, cost)
        if best < 0 or smaller(key, best_key):
            best, best_key = one, key
    return best


@compiled_at_once
def limit_of(
    space: Workspace,
    product: Ints,
    rows: Ints,
    segments: Ints,
    depths: Ints,
    widths: Ints,
    fixed: tuple[int, int, int],
    design: Ints,
    prices: Floats,
    array: Array,
    last: Ints,
    words: Ints,
) -> float:
    """Return the cost of a tiling like that of the design before: nothing dearer need be looked at."""
    objective, _, whole_only = fixed
    if last[0] < 0 or whole_only or objective == BY_TRAFFIC:
        return np.inf
    at_k, at_n = 0, 0
    while depths[at_k] * product[POSITIONS] > last[4] and at_k < depths.size - 1:
        at_k += 1
    while widths[at_n] > last[5] and at_n < widths.size - 1:
        at_n += 1
    row, k, n = rows[last[3]], depths[at_k] * product[POSITIONS], widths[at_n]
    bits = product[OPERAND_BITS]
    if (
        row[7] * depths[at_k] * bits > design[5]
        or k * n * bits > design[6]
        or row[3] * n * product[SUM_BITS] > design[7]
    ):
        return np.inf
    clock = (design[2], design[3], prices[0], design[4])
    tiling = (last[1], last[2], k, n, 1 if row[1] > 1 else 0)
    cycles = exact_cycles(space, product, segments[row[9] : row[10]], tiling, array, clock, design[8])
    if objective == BY_CYCLES:
        return float(cycles)
    tile_sums(product, row, k, n, last[1], array, objective, words)
    tiles_k, tiles_n = parts_of(product[DEPTH], k), parts_of(product[COLUMNS], n)
    inputs, weights = traffic_of(product, row, tiles_k, tiles_n, last[2], design[8])
    onchip_j = onchip_joules(product, last[1], words, inputs, weights, prices)
    stores = product[GROUPS] * product[STEPS] * product[ROWS] * product[COLUMNS] * product[OUTPUT_BITS]
    return cost_of(objective, float(cycles), inputs + weights + stores, onchip_j, prices)


@compiled_at_once
def choose_tilings(
    product: Ints,
    rows: Ints,
    segments: Ints,
    depths: Ints,
    widths: Ints,
    flows: Ints,
    fixed: tuple[int, int, int],
    designs: Ints,
    prices: Floats,
    found: Ints,
    words: Ints,
    counts: Ints,
    slots: Ints,
) -> None:
    """Choose the tiling of a product for every design, and write down what it does.

    Parameters
    ----------
    product, rows, segments
        See above.
    depths, widths : int64[.]
        Channels and columns halved again and again.
    flows : int64[.]
        Dataflows to choose from.
    fixed : (int, int, int)
        Objective, fold model, and whether only the whole product is a tile.
    designs, prices : int64[D, 9], float64[D, 7]
        See above.
    found : int64[D, 2]
        Filled with the dataflow, and 1; or with 0 where nothing fits or 64 bits do not do.
    words : int64[D, 4]
        Filled with scratchpad words.
    counts, slots : int64[D, 2, W], int64[D, 2, W, 5]
        Filled with the slots of the first step and of each later one.
    """
    objective, model, whole_only = fixed
    space = workspace()
    table = np.zeros((MOST_CANDIDATES, 7), np.int64)
    bound = np.zeros(MOST_CANDIDATES)
    depth_sizes, width_sizes = np.zeros(MOST_SIZES, np.int64), np.zeros(MOST_SIZES, np.int64)
    scratch, last = np.zeros(4, np.int64), np.full(7, -1, np.int64)
    most = max(depths.size, widths.size) * 2
    tables = (
        np.zeros((rows.shape[0], 2, 4), np.int64),
        np.zeros((most, 2, 4), np.int64),
        np.zeros((most, 2, 4), np.int64),
        np.zeros(rows.shape[0]),
        np.zeros(most),
        np.zeros((3, max(most, rows.shape[0]), most)),
    )
    for which in range(designs.shape[0]):
        design = designs[which]
        array = (design[0], design[1], model)
        clock = (design[2], design[3], prices[which, 0], design[4])
        space[FAULT] = 0
        found[which, 1] = 0
        if whole_only:
            depth_sizes[0], width_sizes[0], many_deep, many_wide = depths[0], widths[0], 1, 1
        else:
            many_deep = fitted(depths, product[POSITIONS], design[0], depth_sizes)
            many_wide = fitted(widths, 1, design[1], width_sizes)
        deep, wide = depth_sizes[:many_deep], width_sizes[:many_wide]
        axis_tables(product, rows, deep, wide, array, tables)
        limit = limit_of(
            space, product, rows, segments, deep, wide, fixed, design, prices[which], array, last, scratch
        )
        fitting, count = candidates(
            product, rows, deep, wide, flows, fixed, design, prices[which], tables, limit, table, bound
        )
        if fitting == 0 or count <= 0:
            continue
        if objective == BY_TRAFFIC:
            best = least_traffic(product, rows, objective, array, table, count, scratch)
        else:
            best = least_cost(
                space, product, rows, segments, objective, design, prices[which], array, table, bound, count,
                limit, scratch,
            )  # fmt: skip
        last[:] = table[best]
        row = rows[table[best, 3]]
        tiling = (table[best, 1], table[best, 2], table[best, 4], table[best, 5], 1 if row[1] > 1 else 0)
        own = segments[row[9] : row[10]]
        list_slots(space, product, own, tiling, array, clock, design[8], counts[which], slots[which])
        product_words(product, own, tiling, array, words[which])
        found[which, 0], found[which, 1] = tiling[0], 1 - space[FAULT]
