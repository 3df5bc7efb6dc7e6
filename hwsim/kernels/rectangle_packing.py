"""Exhaustive placement of rectangles with fixed time spans in a strip, on plain arrays."""

from __future__ import annotations

import numpy as np

from hwsim.kernels.bit_masks import Ints
from hwsim.kernels.compiling import compiled


@compiled
def base_of(i: int, start: Ints, end: Ints, top: Ints) -> int:
    """Return the lowest address of rectangle i above everything placed at its steps."""
    base = 0
    for t in range(start[i], end[i] + 1):
        base = max(base, top[t])
    return base


@compiled
def hopeless(floor: int, start: Ints, end: Ints, size: Ints, address: Ints, top: Ints, open_load: Ints,
             budget: int) -> bool:
    """Refute a partial placement whose remaining rectangles all lie at `floor` or above.

    Either some step has more open blocks than room, or an open rectangle could sink below the floor:
    then the same placement with it sunk is met elsewhere.
    """
    for t in range(top.shape[0]):
        if open_load[t] > 0 and max(top[t], floor) + open_load[t] > budget:
            return True
    for j in range(start.shape[0]):
        if address[j] < 0 and base_of(j, start, end, top) + size[j] <= floor:
            return True
    return False


@compiled
def repeats(i: int, start: Ints, end: Ints, size: Ints, address: Ints) -> bool:
    """Tell whether an open rectangle before i has the same shape: only the first of them is tried."""
    for j in range(i):
        if address[j] < 0 and start[j] == start[i] and end[j] == end[i] and size[j] == size[i]:
            return True
    return False


@compiled
def place_all(start: Ints, end: Ints, size: Ints, steps: int, budget: int, nodes: int, address: Ints) -> int:
    """Search all normal patterns: rectangles by rising address, each on top of what lies below it.

    Parameters
    ----------
    start, end, size : arrays of int
        Inclusive steps and blocks of each rectangle, sizes positive; earlier ones are tried first.
    steps, budget, nodes : int
        Number of steps, blocks of the strip, and how many placements may be tried.
    address : array of int
        Receives the addresses; all -1 on entry.

    Returns
    -------
    int
        1 when placed, 0 when proven impossible, -1 when `nodes` ran out.
    """
    count = start.shape[0]
    top = np.zeros(steps, np.int64)
    open_load = np.zeros(steps, np.int64)
    for i in range(count):
        for t in range(start[i], end[i] + 1):
            open_load[t] += size[i]
    saved = np.zeros((count + 1, steps), np.int64)
    chosen = np.full(count + 1, -1, np.int64)
    floors = np.zeros(count + 1, np.int64)
    depth = 0
    if hopeless(0, start, end, size, address, top, open_load, budget):
        return 0
    while depth >= 0:
        if depth == count:
            return 1
        previous = chosen[depth]
        if previous >= 0:
            address[previous] = -1
            for t in range(start[previous], end[previous] + 1):
                top[t] = saved[depth, t]
                open_load[t] += size[previous]
        i = previous + 1
        while i < count and (address[i] >= 0 or base_of(i, start, end, top) < floors[depth]
                             or repeats(i, start, end, size, address)):
            i += 1
        if i == count:
            chosen[depth] = -1
            depth -= 1
            continue
        nodes -= 1
        if nodes < 0:
            return -1
        chosen[depth] = i
        address[i] = base_of(i, start, end, top)
        for t in range(start[i], end[i] + 1):
            saved[depth, t] = top[t]
            top[t] = address[i] + size[i]
            open_load[t] -= size[i]
        if not hopeless(address[i], start, end, size, address, top, open_load, budget):
            floors[depth + 1] = address[i]
            depth += 1
            chosen[depth] = -1
    return 0
