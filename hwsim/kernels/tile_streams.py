"""Double-buffered streams of tiles in closed form, compiled: `hwsim.trace.stream` on one array.

A workspace is one int64 array, because compiled code counts references to every array that it hands on:

    from       what                                                              each
    0          tiles, streams and slots in use; whether slots are listed
               instead of timed; whether a number did not fit                    1
    PARTS      streams that the kernels of tile orders want again, or -1         1
    TILE       inputs, weights loaded, work, bits stored, operations on the
               way; then the cycles of load, store and operations                8
    END        of a stream: its length, its first two tiles, its last two        5
    SLOT       inputs, weights loaded, work, bits stored, operations             5
    TOTAL      of a stream: its cycles, or how often it has each slot            MOST_SLOTS

Tile 0 stands for "no tile".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]
Workspace = Ints

TILES, STREAMS, SLOTS, LISTING, FAULT = 0, 1, 2, 3, 4
MOST_PARTS, MOST_TILES, MOST_STREAMS, MOST_SLOTS = 128, 512, 1024, 64
PARTS = 8
TILE = PARTS + MOST_PARTS
END = TILE + 8 * MOST_TILES
SLOT = END + 5 * MOST_STREAMS
TOTAL = SLOT + 5 * MOST_SLOTS
SIZE = TOTAL + MOST_STREAMS * MOST_SLOTS


@compiled_at_once
def workspace() -> Workspace:
    """Return an empty workspace."""
    return np.zeros(SIZE, np.int64)


@compiled_at_once
def clear(space: Workspace, listing: int) -> None:
    """Forget all tiles, streams and slots; `listing` says whether slots are to be listed or timed."""
    for place in range(PARTS, TILE):
        space[place] = -1
    space[TILES], space[STREAMS], space[SLOTS], space[LISTING] = 1, 0, 0, listing


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
    tile = int(space[TILES])
    if tile >= MOST_TILES:
        space[FAULT] = 1
        return 0
    space[TILES] += 1
    up, down, ratio, lanes = clock
    load, store = transfer(loads[0] + loads[1], up, down, ratio), transfer(stores[0], up, down, ratio)
    if load < 0 or store < 0:
        space[FAULT] = 1
    at = TILE + 8 * tile
    space[at], space[at + 1], space[at + 2] = loads[0], loads[1], work
    space[at + 3], space[at + 4] = stores[0], stores[1]
    space[at + 5], space[at + 6], space[at + 7] = load, store, (stores[1] + lanes - 1) // lanes
    return tile


@compiled_at_once
def measure(space: Workspace, load: int, work: int, store: int, times: int, into: int) -> None:
    """Add `times` slots that load, work on and store three tiles to the total of a stream."""
    first, second, third = TILE + 8 * load, TILE + 8 * work, TILE + 8 * store
    total = TOTAL + MOST_SLOTS * into
    if space[LISTING] == 0:
        memory = space[first + 5] + space[third + 6]
        space[total] += times * max(memory, space[second + 2], space[third + 7])
        return
    used = space[SLOTS]
    place = 0
    while place < used and not (
        space[SLOT + 5 * place] == space[first]
        and space[SLOT + 5 * place + 1] == space[first + 1]
        and space[SLOT + 5 * place + 2] == space[second + 2]
        and space[SLOT + 5 * place + 3] == space[third + 3]
        and space[SLOT + 5 * place + 4] == space[third + 4]
    ):
        place += 1
    if place == MOST_SLOTS:
        space[FAULT] = 1
        return
    if place == used:
        space[SLOTS] += 1
        at = SLOT + 5 * place
        space[at], space[at + 1], space[at + 2] = space[first], space[first + 1], space[second + 2]
        space[at + 3], space[at + 4] = space[third + 3], space[third + 4]
    space[total + place] += times


@compiled_at_once
def width_of(space: Workspace) -> int:
    """Return the numbers of a total that are in use: one while slots are timed."""
    return MOST_SLOTS if space[LISTING] else 1


@compiled_at_once
def empty(space: Workspace) -> int:
    """Return a new stream of no tiles."""
    stream = int(space[STREAMS])
    if stream >= MOST_STREAMS:
        space[FAULT] = 1
        stream = MOST_STREAMS - 1
    else:
        space[STREAMS] += 1
    space[END + 5 * stream] = 0
    for place in range(width_of(space)):
        space[TOTAL + MOST_SLOTS * stream + place] = 0
    return stream


@compiled_at_once
def single(space: Workspace, tile: int) -> int:
    """Return a new stream of one tile."""
    stream = empty(space)
    at = END + 5 * stream
    space[at] = 1
    for place in range(1, 5):
        space[at + place] = tile
    return stream


@compiled_at_once
def seam(space: Workspace, one: int, other: int, times: int, into: int) -> None:
    """Add the slots that span the end of one stream and the start of another."""
    left, right = END + 5 * one, END + 5 * other
    if space[left] >= 2:
        measure(space, space[right + 1], space[left + 4], space[left + 3], times, into)
    if space[right] >= 2:
        measure(space, space[right + 2], space[right + 1], space[left + 4], times, into)


@compiled_at_once
def join(space: Workspace, one: int, other: int) -> int:
    """Return one stream followed by another."""
    left, right = END + 5 * one, END + 5 * other
    if space[left] == 0:
        return other
    if space[right] == 0:
        return one
    both = empty(space)
    at = END + 5 * both
    for place in range(width_of(space)):
        added = space[TOTAL + MOST_SLOTS * one + place] + space[TOTAL + MOST_SLOTS * other + place]
        space[TOTAL + MOST_SLOTS * both + place] = added
    space[at] = space[left] + space[right]
    space[at + 1] = space[left + 1]
    space[at + 2] = space[left + 2] if space[left] >= 2 else space[right + 1]
    space[at + 3] = space[right + 3] if space[right] >= 2 else space[left + 4]
    space[at + 4] = space[right + 4]
    seam(space, one, other, 1, both)
    return both


@compiled_at_once
def repeat(space: Workspace, one: int, count: int) -> int:
    """Return a stream `count` times."""
    if count == 1:
        return one
    many = empty(space)
    source, at = END + 5 * one, END + 5 * many
    if count <= 0 or space[source] == 0:
        return many
    space[at] = space[source] * count
    for place in range(1, 5):
        space[at + place] = space[source + place]
    if space[source] == 1:
        tile = space[source + 1]
        if count > 2:
            measure(space, tile, tile, tile, count - 2, many)
        return many
    for place in range(width_of(space)):
        space[TOTAL + MOST_SLOTS * many + place] = space[TOTAL + MOST_SLOTS * one + place] * count
    seam(space, one, one, count - 1, many)
    return many


@compiled_at_once
def whole(space: Workspace, stream: int) -> int:
    """Return a stream from its first load to its last store: its total is that of all slots."""
    idle = single(space, 0)
    edge = join(space, idle, idle)
    return join(space, join(space, edge, stream), edge)
