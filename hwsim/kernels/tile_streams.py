"""Double-buffered streams of tiles in closed form, compiled: the algebra of `hwsim.trace.stream` on arrays.

A workspace is a tuple of arrays: tiles int64[T, 8] (inputs and weights loaded, work, bits stored, operations
done on the way, then the cycles of load, store and operations), ends int64[S, 5] of streams (length, first
two tiles, last two), totals int64[S, W], slots int64[W, 5], state int64[5] (tiles, streams and slots in use,
whether slots are listed instead of timed, and whether a number did not fit), and parts int64[P], streams that
the kernels of tile orders want again. Tile 0 stands for "no tile".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]
Workspace = tuple[Ints, Ints, Ints, Ints, Ints, Ints]

TILES, STREAMS, SLOTS, LISTING, FAULT = 0, 1, 2, 3, 4
MOST_TILES, MOST_STREAMS, MOST_SLOTS, MOST_PARTS = 512, 1024, 64, 128


@compiled_at_once
def workspace() -> Workspace:
    """Return an empty workspace."""
    return (
        np.zeros((MOST_TILES, 8), np.int64),
        np.zeros((MOST_STREAMS, 5), np.int64),
        np.zeros((MOST_STREAMS, MOST_SLOTS), np.int64),
        np.zeros((MOST_SLOTS, 5), np.int64),
        np.zeros(5, np.int64),
        np.full(MOST_PARTS, -1, np.int64),
    )


@compiled_at_once
def clear(space: Workspace, listing: int) -> None:
    """Forget all tiles, streams and slots; `listing` says whether slots are to be listed or timed."""
    state = space[4]
    space[5][:] = -1
    state[TILES], state[STREAMS], state[SLOTS], state[LISTING] = 1, 0, 0, listing


@compiled_at_once
def transfer(bits: int, up: int, down: int, ratio: float) -> int:
    """Return ceil(bits * up / down), or -1 if 64 bits do not tell; `ratio` is up / down as a float.

    Floats decide unless a whole number is near; `up` is 0 where the exact numbers are too long.
    """
    if bits == 0 or ratio == 0.0:
        return 0
    near = float(bits) * ratio
    if near < 4e18 and abs(near - np.rint(near)) > near * 1e-15:
        return int(np.ceil(near))
    if up > 0 and float(bits) * float(up) < 4e18:
        return (bits * up + down - 1) // down
    return -1


@compiled_at_once
def add_tile(
    space: Workspace,
    loads: tuple[int, int],
    work: int,
    stores: tuple[int, int],
    clock: tuple[int, int, float, int],
) -> int:
    """Return a new tile; `clock` is (up, down, ratio, lanes): cycles per bit, and operations a cycle."""
    tiles, _, _, _, state, _ = space
    tile = state[TILES]
    if tile >= MOST_TILES:
        state[FAULT] = 1
        return 0
    state[TILES] += 1
    up, down, ratio, lanes = clock
    load, store = transfer(loads[0] + loads[1], up, down, ratio), transfer(stores[0], up, down, ratio)
    if load < 0 or store < 0:
        state[FAULT] = 1
    tiles[tile, 0], tiles[tile, 1], tiles[tile, 2] = loads[0], loads[1], work
    tiles[tile, 3], tiles[tile, 4] = stores[0], stores[1]
    tiles[tile, 5], tiles[tile, 6], tiles[tile, 7] = load, store, (stores[1] + lanes - 1) // lanes
    return tile


@compiled_at_once
def measure(space: Workspace, load: int, work: int, store: int, times: int, into: int) -> None:
    """Add `times` slots that load, work on and store three tiles to the total of a stream."""
    tiles, _, totals, slots, state, _ = space
    if state[LISTING] == 0:
        memory = tiles[load, 5] + tiles[store, 6]
        totals[into, 0] += times * max(memory, tiles[work, 2], tiles[store, 7])
        return
    used = state[SLOTS]
    place = 0
    while place < used and not (
        slots[place, 0] == tiles[load, 0]
        and slots[place, 1] == tiles[load, 1]
        and slots[place, 2] == tiles[work, 2]
        and slots[place, 3] == tiles[store, 3]
        and slots[place, 4] == tiles[store, 4]
    ):
        place += 1
    if place == MOST_SLOTS:
        state[FAULT] = 1
        return
    if place == used:
        state[SLOTS] += 1
        slots[place, 0], slots[place, 1], slots[place, 2] = tiles[load, 0], tiles[load, 1], tiles[work, 2]
        slots[place, 3], slots[place, 4] = tiles[store, 3], tiles[store, 4]
    totals[into, place] += times


@compiled_at_once
def empty(space: Workspace) -> int:
    """Return a new stream of no tiles."""
    _, ends, totals, _, state, _ = space
    stream = state[STREAMS]
    if stream >= MOST_STREAMS:
        state[FAULT] = 1
        stream = MOST_STREAMS - 1
    else:
        state[STREAMS] += 1
    ends[stream, 0] = 0
    totals[stream, : MOST_SLOTS if state[LISTING] else 1] = 0
    return stream


@compiled_at_once
def single(space: Workspace, tile: int) -> int:
    """Return a new stream of one tile."""
    stream = empty(space)
    ends = space[1]
    ends[stream, 0] = 1
    ends[stream, 1:] = tile
    return stream


@compiled_at_once
def seam(space: Workspace, one: int, other: int, times: int, into: int) -> None:
    """Add the slots that span the end of one stream and the start of another."""
    ends = space[1]
    last = ends[one, 4]
    if ends[one, 0] >= 2:
        measure(space, ends[other, 1], last, ends[one, 3], times, into)
    if ends[other, 0] >= 2:
        measure(space, ends[other, 2], ends[other, 1], last, times, into)


@compiled_at_once
def join(space: Workspace, one: int, other: int) -> int:
    """Return one stream followed by another."""
    _, ends, totals, _, state, _ = space
    if ends[one, 0] == 0:
        return other
    if ends[other, 0] == 0:
        return one
    both = empty(space)
    width = MOST_SLOTS if state[LISTING] else 1
    for place in range(width):
        totals[both, place] = totals[one, place] + totals[other, place]
    ends[both, 0] = ends[one, 0] + ends[other, 0]
    ends[both, 1] = ends[one, 1]
    ends[both, 2] = ends[one, 2] if ends[one, 0] >= 2 else ends[other, 1]
    ends[both, 3] = ends[other, 3] if ends[other, 0] >= 2 else ends[one, 4]
    ends[both, 4] = ends[other, 4]
    seam(space, one, other, 1, both)
    return both


@compiled_at_once
def repeat(space: Workspace, one: int, count: int) -> int:
    """Return a stream `count` times."""
    _, ends, totals, _, state, _ = space
    if count == 1:
        return one
    many = empty(space)
    if count <= 0 or ends[one, 0] == 0:
        return many
    ends[many, 0] = ends[one, 0] * count
    ends[many, 1:] = ends[one, 1:]
    if ends[one, 0] == 1:
        tile = ends[one, 1]
        if count > 2:
            measure(space, tile, tile, tile, count - 2, many)
        return many
    width = MOST_SLOTS if state[LISTING] else 1
    for place in range(width):
        totals[many, place] = totals[one, place] * count
    seam(space, one, one, count - 1, many)
    return many


@compiled_at_once
def whole(space: Workspace, stream: int) -> int:
    """Return a stream from its first load to its last store: its total is that of all slots."""
    idle = single(space, 0)
    edge = join(space, idle, idle)
    return join(space, join(space, edge, stream), edge)
