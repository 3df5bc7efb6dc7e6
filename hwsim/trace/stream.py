"""Double-buffered streams of tiles as loops: load the next, work on this one, store the last, all at once.

A controller runs in slots. In slot s it loads tile s, works on tile s - 1 and stores tile s - 2; the slot
ends when all three have ended. A stream of T tiles therefore takes T + 2 slots. Networks have few different
tiles in a very regular order, so a stream keeps only its ends and a total over its inner slots, which
concatenates and repeats in closed form: the cost follows the number of different tiles, not of tiles.

The total is whatever `measure` makes of one slot, as long as it can be added and multiplied by a count: an
int for a cost, `Slots` for the multiset that becomes loops.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hwsim.trace.build import TraceBuilder
from hwsim.trace.types import LoopKind

Load = TypeVar("Load", bound=Hashable)
Work = TypeVar("Work", bound=Hashable)
Store = TypeVar("Store", bound=Hashable)
Total = TypeVar("Total")

Tile = tuple[Load, Work, Store]
Slot = tuple[Load, Work, Store]


@dataclass(frozen=True, slots=True)
class Slots(Generic[Load, Work, Store]):
    """A multiset of slots, in order of first occurrence."""

    counts: dict[Slot[Load, Work, Store], int]

    @staticmethod
    def one(load: Load, work: Work, store: Store) -> Slots[Load, Work, Store]:
        """Return the multiset of a single slot; the `measure` of streams that become loops."""
        return Slots({(load, work, store): 1})

    def __add__(self, other: Slots[Load, Work, Store]) -> Slots[Load, Work, Store]:
        merged = dict(self.counts)
        for slot, count in other.counts.items():
            merged[slot] = merged.get(slot, 0) + count
        return Slots(merged)

    def __mul__(self, count: int) -> Slots[Load, Work, Store]:
        return Slots({slot: count * times for slot, times in self.counts.items()} if count else {})


@dataclass(frozen=True, slots=True)
class Stream(Generic[Load, Work, Store, Total]):
    """A sequence of tiles, of which only the ends and the total of the inner slots are kept.

    Attributes
    ----------
    length : int
        Number of tiles.
    head, tail : tuple of Tile
        First and last two tiles, or all of a shorter stream.
    total : Total
        Sum of `measure` over the slots (load of tile i, work of tile i - 1, store of tile i - 2) inside.
    measure : callable (load, work, store) -> Total
        Value of one slot.
    """

    length: int
    head: tuple[Tile[Load, Work, Store], ...]
    tail: tuple[Tile[Load, Work, Store], ...]
    total: Any
    measure: Callable[[Load, Work, Store], Any]

    def then(self, other: Stream[Load, Work, Store, Total]) -> Stream[Load, Work, Store, Total]:
        """Return this stream followed by `other`."""
        if not self.length:
            return other
        if not other.length:
            return self
        head, tail = (self.head + other.head)[:2], (self.tail + other.tail)[-2:]
        total = self.total + other.total + self._seam(other)
        return Stream(self.length + other.length, head, tail, total, self.measure)

    def times(self, count: int) -> Stream[Load, Work, Store, Total]:
        """Return this stream repeated `count` times, in constant time."""
        if count <= 0 or not self.length:
            return Stream(0, (), (), self.total * 0, self.measure)
        if count == 1:
            return self
        if self.length == 1:
            pair = self.head * 2
            load, work, store = self.head[0]
            return Stream(count, pair, pair, self.measure(load, work, store) * (count - 2), self.measure)
        total = self.total * count + self._seam(self) * (count - 1)
        return Stream(self.length * count, self.head, self.tail, total, self.measure)

    def whole(self, idle: Tile[Load, Work, Store]) -> Any:
        """Return the total from the first load to the last store; `idle` stands for "no tile"."""
        if not self.length:
            return self.total
        edge: Stream[Load, Work, Store, Total] = Stream(
            2, (idle, idle), (idle, idle), self.total * 0, self.measure
        )
        return edge.then(self).then(edge).total

    def _seam(self, other: Stream[Load, Work, Store, Total]) -> Any:
        """Return the total of the slots that span the end of this stream and the start of `other`."""
        seam, border = self.tail + other.head, len(self.tail)
        total = self.total * 0
        for last in range(max(border, 2), len(seam)):
            total = total + self.measure(seam[last][0], seam[last - 1][1], seam[last - 2][2])
        return total


def one_tile(
    tile: Tile[Load, Work, Store], measure: Callable[[Load, Work, Store], Total], nothing: Total
) -> Stream[Load, Work, Store, Total]:
    """Return the stream of one tile.

    Parameters
    ----------
    tile : (load, work, store)
        What is loaded, worked on and stored for it; each part any hashable description.
    measure : callable
        Value of one slot: ``Slots.one``, or a cost.
    nothing : Total
        Value of no slot: ``Slots({})``, or 0.
    """
    return Stream(1, (tile,), (tile,), nothing, measure)


def write_slots(
    build: TraceBuilder, slots: Slots[Load, Work, Store], write: Callable[[Load, Work, Store], None]
) -> None:
    """Write one loop per different slot; `write` puts the events of one slot, which run at once."""
    for (load, work, store), count in slots.counts.items():
        with build.loop(count), build.loop(1, LoopKind.PAR):
            write(load, work, store)
