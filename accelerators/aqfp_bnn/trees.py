"""One source and all its readers: the tree of splitters and buffers between them, phase by phase.

A cell at level l hands its bit to readers at levels l + 1 to l + m, where m is the largest phase skip.
Working from the last reader back to the source, a cell is placed only when a reader's deadline or the room
towards the source demands it, and takes as many waiting readers as it has outputs.
"""

from __future__ import annotations

from collections.abc import Sequence


def splitters(fan_out: int, capacity: int) -> int:
    """Return the splitters of a tree to `fan_out` readers: ceil((F - 1) / (s - 1))."""
    return -(-(fan_out - 1) // (capacity - 1))


def tree_depth(fan_out: int, capacity: int) -> int:
    """Return the phases of a tree of splitters to `fan_out` readers: ceil(log_s F)."""
    depth, reach = 0, 1
    while reach < fan_out:
        depth, reach = depth + 1, reach * capacity
    return depth


def edge_buffers(gap: int, skip: int) -> int:
    """Return the buffers on an edge between cells `gap` phases apart: ceil(g / m) - 1."""
    return -(-gap // skip) - 1


def grow(
    source: int, readers: Sequence[int], capacity: int, skip: int
) -> tuple[list[tuple[int, list[int]]], int]:
    """Return the cells between a source and its readers.

    Parameters
    ----------
    source : int
        Level of the source.
    readers : sequence of int
        Levels of the readers, latest first, each above the source by more than `tree_depth`.
    capacity, skip : int
        Outputs of a splitter, and the largest phase skip m.

    Returns
    -------
    cells : list of (level, children)
        Children below ``len(readers)`` are readers, others cells, in order of creation.
    root : int
        The child that the source itself drives.
    """
    count = len(readers)
    cells: list[tuple[int, list[int]]] = []
    waiting: list[tuple[int, int]] = []
    taken, level = 0, readers[0]
    while True:
        room = tree_depth(len(waiting) + count - taken, capacity)
        front = waiting[0][0] if waiting else readers[taken]
        level = min(level - 1, max(front - skip, source + room))
        if level <= source:
            break
        while taken < count and readers[taken] > level:
            waiting.append((readers[taken], taken))
            taken += 1
        waiting.sort(key=lambda item: -item[0])
        due = sum(1 for at, _ in waiting if at - level >= skip)
        reach = capacity ** min(level - 1 - source, 40)
        many = max(-(-due // capacity), -(-(len(waiting) + count - taken - reach) // (capacity - 1)))
        placed = []
        for _ in range(many):
            own, waiting = waiting[:capacity], waiting[capacity:]
            if own:
                cells.append((level, [child for _, child in own]))
                placed.append((level, count + len(cells) - 1))
        waiting += placed
    waiting += [(readers[index], index) for index in range(taken, count)]
    ((_, root),) = waiting
    return cells, root


def cells_needed(source: int, readers: Sequence[int], capacity: int, skip: int) -> int:
    """Return ``len(grow(...)[0])`` without growing long chains one by one."""
    if len(readers) == 1:
        return edge_buffers(readers[0] - source, skip)
    if skip > 1 or len(readers) > 8:
        return len(grow(source, readers, capacity, skip)[0])
    total, waiting, level = 0, 0, readers[0]
    for reader in readers:
        while level > reader and waiting > 1:
            waiting = -(-waiting // capacity)
            total, level = total + waiting, level - 1
        total, level = total + level - reader, reader
        waiting += 1
    while waiting > 1:
        waiting = -(-waiting // capacity)
        total, level = total + waiting, level - 1
    return total + level - source - 1
