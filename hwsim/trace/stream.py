"""Double-buffered streams of tiles as loops: load the next, work on this one, store the last, all at once.

A controller runs in slots. In slot s it loads tile s, works on tile s - 1 and stores tile s - 2; the slot
ends when all three have ended. A stream of T tiles therefore takes T + 2 slots. Networks have few different
tiles in a very regular order, so a stream is kept as a multiset of slots that concatenates and repeats in
closed form: its cost follows the number of different tiles, not of tiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hwsim.trace.build import TraceBuilder
from hwsim.trace.types import LoopKind

Load = TypeVar("Load")
Work = TypeVar("Work")
Store = TypeVar("Store")


@dataclass(frozen=True, slots=True)
class Tile(Generic[Load, Work, Store]):
    """One tile: what is loaded, worked on and stored for it; each part any hashable description."""

    load: Load
    work: Work
    store: Store


Slot = tuple[Load, Work, Store]


@dataclass(frozen=True, slots=True)
class Stream(Generic[Load, Work, Store]):
    """A sequence of tiles, of which only the ends and the multiset of inner slots are kept.

    Attributes
    ----------
    length : int
        Number of tiles.
    head, tail : tuple of Tile
        First and last two tiles, or all of a shorter stream.
    slots : mapping of Slot to int
        How often each (load of tile i, work of tile i - 1, store of tile i - 2) occurs inside.
    """

    length: int
    head: tuple[Tile[Load, Work, Store], ...]
    tail: tuple[Tile[Load, Work, Store], ...]
    slots: Counter[Slot[Load, Work, Store]]

    def then(self, other: Stream[Load, Work, Store]) -> Stream[Load, Work, Store]:
        """Return this stream followed by `other`."""
        slots = self.slots + other.slots
        seam = self.tail + other.head
        border = len(self.tail)
        for last in range(border, min(len(seam), border + 2)):
            if last >= 2:
                slots[seam[last].load, seam[last - 1].work, seam[last - 2].store] += 1
        return Stream(self.length + other.length, (self.head + other.head)[:2], (self.tail + other.tail)[-2:], slots)

    def times(self, count: int) -> Stream[Load, Work, Store]:
        """Return this stream repeated `count` times, in time logarithmic in `count`."""
        result: Stream[Load, Work, Store] = Stream(0, (), (), Counter())
        power = self
        while count:
            if count & 1:
                result = result.then(power)
            count >>= 1
            if count:
                power = power.then(power)
        return result

    def all_slots(self, idle: Tile[Load, Work, Store]) -> Counter[Slot[Load, Work, Store]]:
        """Return every slot from the first load to the last store; `idle` stands for "no tile"."""
        if not self.length:
            return Counter()
        edge = stream([idle, idle])
        return edge.then(self).then(edge).slots


def stream(tiles: Iterable[Tile[Load, Work, Store]]) -> Stream[Load, Work, Store]:
    """Return the stream of `tiles` in order."""
    result: Stream[Load, Work, Store] = Stream(0, (), (), Counter())
    for tile in tiles:
        result = result.then(Stream(1, (tile,), (tile,), Counter()))
    return result


def write_slots(build: TraceBuilder, slots: Counter[Slot[Load, Work, Store]],
                write: Callable[[Load, Work, Store], None]) -> None:
    """Write one loop per different slot; `write` puts the events of one slot, which run at once."""
    for (load, work, store), count in slots.items():
        with build.loop(count), build.loop(1, LoopKind.PAR):
            write(load, work, store)
