"""Even tiles of work without matrix products, for many designs: the count that overlaps best, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_streams import (
    FAULT,
    MOST_SLOTS,
    SLOT,
    SLOTS,
    TOTAL,
    Workspace,
    add_tile,
    clear,
    empty,
    join,
    repeat,
    single,
    whole,
    workspace,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@compiled_at_once
def even_tiles(
    space: Workspace, totals: tuple[int, int, int], count: int, clock: tuple[int, int, float, int]
) -> int:
    """Return the stream of `count` tiles that share totals evenly; the first take what is left over."""
    reads, operations, writes = totals
    stream = empty(space)
    start = 0
    while start < count:
        end = count
        for rest in (reads % count, operations % count, writes % count):
            if start < rest < end:
                end = rest
        read = reads // count + (1 if start < reads % count else 0)
        work = operations // count + (1 if start < operations % count else 0)
        write = writes // count + (1 if start < writes % count else 0)
        tile = single(space, add_tile(space, (read, 0), 0, (write, work), clock))
        stream = join(space, stream, repeat(space, tile, end - start))
        start = end
    return whole(space, stream)


@compiled_at_once
def choose_even_tiles(
    totals: tuple[int, int, int],
    most: int,
    fewest_only: int,
    designs: Ints,
    prices: Floats,
    found: Ints,
    counts: Ints,
    slots: Ints,
) -> None:
    """Cut work into a power of four of even tiles for every design, and list their slots.

    Parameters
    ----------
    totals : (int, int, int)
        Bits read, operations, bits written.
    most : int
        Counts below this one are multiplied by four once more.
    fewest_only : int
        Whether to take the fewest tiles that fit instead of the fewest of the fastest.
    designs, prices : int64[D, 9], float64[D, 7]
        As in `hwsim.kernels.tile_search`.
    found : int64[D]
        Filled with 1, or 0 where 64 bits do not do.
    counts, slots : int64[D, W], int64[D, W, 5]
        Filled with the slots.
    """
    space = workspace()
    for which in range(designs.shape[0]):
        design = designs[which]
        clock = (design[2], design[3], prices[which, 0], design[4])
        space[FAULT] = 0
        least = max(1, -(-totals[0] // design[5]), -(-totals[2] // design[7]))
        count = 1
        while count < least:
            count *= 4
        best, best_cycles = count, -1
        while not fewest_only:
            clear(space, 0)
            cycles = space[TOTAL + MOST_SLOTS * even_tiles(space, totals, count, clock)]
            if best_cycles < 0 or cycles < best_cycles:
                best, best_cycles = count, cycles
            if count >= most:
                break
            count *= 4
        clear(space, 1)
        total = even_tiles(space, totals, best, clock)
        counts[which, :] = 0
        for place in range(space[SLOTS]):
            counts[which, place] = space[TOTAL + MOST_SLOTS * total + place]
            slots[which, place] = space[SLOT + 5 * place : SLOT + 5 * place + 5]
        found[which] = 1 - space[FAULT]
