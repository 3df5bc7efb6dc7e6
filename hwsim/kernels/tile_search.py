"""The best tiling of a matrix product for many designs: bounds first, exact costs where they could matter.

Columns of a design, int64[9]: array rows and columns, cycles per DRAM bit as numerator and denominator (0 if
they are too long), vector lanes, bits of half of the input, weight and output scratchpad, and whether repeated
weights have to be loaded again. Prices of a design, float64[7]: cycles per bit, joules per bit of DRAM, inputs,
weights, outputs and registers, joules leaked per cycle. A row choice is int64[11]: height, whole samples, tiles,
rows of a full and of the last tile, inputs of all, of the first, the largest and the smallest full tile, and
its segments from and to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_bounds import (
    fitted, least_cycles, least_work, onchip_joules, tile_sums, traffic_of,
)  # fmt: skip
from hwsim.kernels.tile_orders import (
    COLUMNS, DEPTH, GROUPS, OPERAND_BITS, OUTPUT_BITS, POSITIONS, ROWS, SAMPLES, STEPS, SUM_BITS, Array,
    product_words, stream_of, tile_cycles,
)  # fmt: skip
from hwsim.kernels.tile_streams import (
    FAULT,
    MOST_SLOTS,
    SLOTS,
    Workspace,
    clear,
    repeat,
    whole,
    workspace,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BY_CYCLES, BY_ENERGY, BY_PRODUCT, BY_TRAFFIC = 0, 1, 2, 3
SURE = 1.0 - 1e-12
MOST_SIZES = 128
MOST_CANDIDATES = 32768


@compiled_at_once
def cost_of(objective: int, cycles: float, traffic: int, onchip_j: float, prices: Floats) -> float:
    """Return what the objective minimises."""
    if objective == BY_CYCLES:
        return cycles
    energy = traffic * prices[1] + onchip_j + cycles * prices[6]
    return energy if objective == BY_ENERGY else energy * cycles


@compiled_at_once
def exact_cycles(
    space: Workspace,
    product: Ints,
    segments: Ints,
    tiling: tuple[int, int, int, int, int],
    array: Array,
    clock: tuple[int, int, float, int],
    reload: int,
) -> int:
    """Return the cycles of all groups and steps under a tiling, slot by slot."""
    totals = space[2]
    clear(space, 0)
    first = repeat(space, stream_of(space, product, segments, 0, tiling, array, clock), product[GROUPS])
    cycles = totals[whole(space, first), 0]
    if product[STEPS] > 1:
        stays = 1 if product[GROUPS] == 1 and not reload else 0
        later = stream_of(space, product, segments, stays, tiling, array, clock)
        later = repeat(space, later, product[GROUPS])
        cycles += (product[STEPS] - 1) * totals[whole(space, later), 0]
    return cycles


@compiled_at_once
def list_slots(
    space: Workspace,
    product: Ints,
    segments: Ints,
    tiling: tuple[int, int, int, int, int],
    array: Array,
    clock: tuple[int, int, float, int],
    reload: int,
    counts: Ints,
    slots: Ints,
) -> None:
    """Fill counts int64[2, W] and slots int64[2, W, 5]: of the first step, and of each later one."""
    totals, found, state = space[2], space[3], space[4]
    counts[:] = 0
    for later in range(2 if product[STEPS] > 1 else 1):
        clear(space, 1)
        stays = 1 if later and product[GROUPS] == 1 and not reload else 0
        stream = stream_of(space, product, segments, stays, tiling, array, clock)
        total = whole(space, repeat(space, stream, product[GROUPS]))
        for place in range(state[SLOTS]):
            counts[later, place] = totals[total, place]
            slots[later, place] = found[place]


@compiled_at_once
def candidates(
    product: Ints,
    rows: Ints,
    depths: Ints,
    widths: Ints,
    flows: Ints,
    whole_only: int,
    design: Ints,
    prices: Floats,
    array: Array,
    table: Ints,
    bound: Floats,
) -> int:
    """List what fits, with lower bounds of its cost; return how many, or -1 if there are too many.

    Parameters
    ----------
    whole_only : int
        Whether only the whole product is a tile, whatever the scratchpads hold.
    table : int64[C, 7]
        Filled with place in the list, flow, order, row choice, k, n, traffic of each candidate.
    bound : float64[C]
        Filled with a lower bound of its cycles.
    """
    used, place = 0, 0
    stores = product[GROUPS] * product[STEPS] * product[ROWS] * product[COLUMNS] * product[OUTPUT_BITS]
    bits, positions = product[OPERAND_BITS], product[POSITIONS]
    for choice in range(rows.shape[0]):
        row = rows[choice]
        images = 1 if row[1] > 1 else product[SAMPLES]
        for deep in range(depths.size):
            k = depths[deep] * positions
            if not whole_only and row[7] * (k // positions) * bits > design[5]:
                continue
            for wide in range(widths.size):
                n = widths[wide]
                if not whole_only and (
                    k * n * bits > design[6] or row[3] * n * product[SUM_BITS] > design[7]
                ):
                    continue
                twins = row[2] * images == 1 or n >= product[COLUMNS]
                for order in range(1 if twins else 2):
                    inputs, weights = traffic_of(product, row, k, n, order, design[8])
                    traffic = inputs + weights + stores
                    for at in range(flows.size):
                        if used == table.shape[0]:
                            return -1
                        flow = flows[at]
                        least = float(least_work(product, row, k, n, flow, array))
                        table[used, 0], table[used, 1], table[used, 2] = place, flow, order
                        table[used, 3], table[used, 4], table[used, 5] = choice, k, n
                        table[used, 6] = traffic
                        bound[used] = max(traffic * prices[0], least)
                        used += 1
                place += 1
    return used


@compiled_at_once
def smaller(one: tuple[float, int, int, int, int], other: tuple[float, int, int, int, int]) -> bool:
    """Return whether one (cost, traffic, flow, order, place) comes before another."""
    if one[0] != other[0]:
        return one[0] < other[0]
    return one[1:] < other[1:]


@compiled_at_once
def least_traffic(product: Ints, rows: Ints, array: Array, table: Ints, count: int, words: Ints) -> int:
    """Return the candidate of least traffic; ties go to less array work, then to the first listed."""
    best, best_key = -1, (0.0, 0, 0, 0, 0)
    for one in range(count):
        traffic = float(table[one, 6])
        if best >= 0 and traffic > best_key[0]:
            continue
        work = tile_sums(
            product, rows[table[one, 3]], table[one, 4], table[one, 5], table[one, 1], array, words
        )
        key = (traffic, work, table[one, 1], table[one, 2], table[one, 0])
        if best < 0 or smaller(key, best_key):
            best, best_key = one, key
    return best


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
    words: Ints,
) -> int:
    """Return the candidate of least cost; ties go to less traffic, then to the first listed."""
    clock = (design[2], design[3], prices[0], design[4])
    onchip = np.zeros(count)
    near = np.zeros(count, np.int64)
    start = int(np.argmin(bound[:count]))
    best, best_key = -1, (np.inf, 0, 0, 0, 0)
    used = 0
    for turn in range(count + 1):
        one = start if turn == 0 else turn - 1
        row, k, n = rows[table[one, 3]], table[one, 4], table[one, 5]
        flow, order, traffic = table[one, 1], table[one, 2], table[one, 6]
        if cost_of(objective, bound[one] * SURE, traffic, 0.0, prices) > best_key[0] or (
            turn and one == start
        ):
            continue
        work = tile_sums(product, row, k, n, flow, array, words)
        largest = tile_cycles(flow, row[3], min(k, product[DEPTH]), min(n, product[COLUMNS]), array)
        if objective != BY_CYCLES:
            inputs, weights = traffic_of(product, row, k, n, order, design[8])
            onchip[one] = onchip_joules(product, flow, words, inputs, weights, prices)
        bound[one] = max(bound[one], least_cycles(product, row, k, n, order, work, largest, prices[0]))
        bound[one] = cost_of(objective, bound[one], traffic, onchip[one], prices)
        near[used] = one
        used += 1
        if turn == 0:
            tiling = (flow, order, k, n, 1 if row[1] > 1 else 0)
            cycles = exact_cycles(space, product, segments[row[9] : row[10]], tiling, array, clock, design[8])
            cost = cost_of(objective, float(cycles), traffic, onchip[one], prices)
            best, best_key = one, (cost, traffic, flow, order, table[one, 0])
    for place in np.argsort(bound[near[:used]]):
        one = near[place]
        if bound[one] * SURE > best_key[0]:
            break
        row, k, n = rows[table[one, 3]], table[one, 4], table[one, 5]
        flow, order, traffic = table[one, 1], table[one, 2], table[one, 6]
        tiling = (flow, order, k, n, 1 if row[1] > 1 else 0)
        cycles = exact_cycles(space, product, segments[row[9] : row[10]], tiling, array, clock, design[8])
        cost = cost_of(objective, float(cycles), traffic, onchip[one], prices)
        key = (cost, traffic, flow, order, table[one, 0])
        if smaller(key, best_key):
            best, best_key = one, key
    return best


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
    deep, wide, scratch = (
        np.zeros(MOST_SIZES, np.int64),
        np.zeros(MOST_SIZES, np.int64),
        np.zeros(4, np.int64),
    )
    for which in range(designs.shape[0]):
        design = designs[which]
        array = (design[0], design[1], model)
        clock = (design[2], design[3], prices[which, 0], design[4])
        space[4][FAULT] = 0
        found[which, 1] = 0
        if whole_only:
            deep[0], wide[0], many_deep, many_wide = depths[0], widths[0], 1, 1
        else:
            many_deep = fitted(depths, product[POSITIONS], design[0], deep)
            many_wide = fitted(widths, 1, design[1], wide)
        count = candidates(
            product, rows, deep[:many_deep], wide[:many_wide], flows, whole_only, design, prices[which],
            array, table, bound,
        )  # fmt: skip
        if count <= 0:
            continue
        if objective == BY_TRAFFIC:
            best = least_traffic(product, rows, array, table, count, scratch)
        else:
            best = least_cost(
                space, product, rows, segments, objective, design, prices[which], array, table, bound, count,
                scratch,
            )  # fmt: skip
        row = rows[table[best, 3]]
        tiling = (table[best, 1], table[best, 2], table[best, 4], table[best, 5], 1 if row[1] > 1 else 0)
        own = segments[row[9] : row[10]]
        list_slots(space, product, own, tiling, array, clock, design[8], counts[which], slots[which])
        product_words(product, own, tiling, array, words[which])
        found[which, 0], found[which, 1] = tiling[0], 1 - space[4][FAULT]
