"""What the hardware does: a loop program in columns, whose size follows loops and layers, never MACs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.trace.layout import Layout, lay_out
from hwsim.trace.runs import count_runs

Ints = NDArray[np.int64]
ROOT = 0


class LoopKind(IntEnum):
    """How the parts of a loop body, and its iterations, share time.

    SEQ
        One after another: trip times the sum of the parts.
    PAR
        All at once: the longest part, or the total of the busiest unit if that is longer.
    PIPE
        Iterations overlap: one pass through the body, then the busiest unit sets the interval.
    """

    SEQ = 0
    PAR = 1
    PIPE = 2


@dataclass(frozen=True, slots=True)
class Loops:
    """Loops in pre-order; loop 0 is the whole program, a SEQ loop of one trip.

    Attributes
    ----------
    parent : int64[L]
        Enclosing loop, smaller than the own index; -1 for loop 0.
    trip : int64[L] or int64[D, L]
        Iterations per execution; a leading axis holds one column per design of a family.
    series : int64[L]
        Index of the series that replaces `trip` (one trip count per execution), or -1.
    kind : int64[L]
        A LoopKind.
    node : int64[L]
        Node whose latency this loop is, or -1; nested owners are not allowed.
    """

    parent: Ints
    trip: Ints
    series: Ints
    kind: Ints
    node: Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """Events, one row per (loop body, unit, action).

    Attributes
    ----------
    node, unit, action : int64[R]
        Indices into the pools.
    loop : int64[R]
        Loop in whose body the events happen.
    position : int64[R]
        Number of loops opened before the row: with `loop`, the place in program order.
    count : int64[R] or int64[D, R]
        Events per execution of the body.
    bits : int64[R] or int64[D, R]
        Bits moved or handled by one event; 0 where bits mean nothing.
    access : int64[R]
        Index of the access pattern, or -1.
    """

    node: Ints
    unit: Ints
    action: Ints
    loop: Ints
    position: Ints
    count: Ints
    bits: Ints
    access: Ints


@dataclass(frozen=True, slots=True)
class Accesses:
    """Affine access patterns: address = base + sum over depth of stride * loop index.

    Attributes
    ----------
    base : int64[A]
        Address of the first event.
    offset : int64[A + 1]
        Pattern a owns ``stride[offset[a]:offset[a + 1]]``.
    stride : int64[sum of depths]
        One stride per enclosing loop, outermost (loop 0) first, then one for the events of the row.
    """

    base: Ints
    offset: Ints
    stride: Ints


@dataclass(frozen=True, slots=True)
class Series:
    """Data-dependent trip counts.

    Attributes
    ----------
    offset : int64[S + 1]
        Series s owns ``value[offset[s]:offset[s + 1]]``.
    value : int64[sum of lengths]
        One trip count for every execution of the loop that names the series.
    """

    offset: Ints
    value: Ints

    def of(self, index: int) -> Ints:
        """Return the trip counts of series `index`."""
        return self.value[self.offset[index] : self.offset[index + 1]]


@dataclass(frozen=True)
class Trace:
    """A program of a chip: loops, rows, accesses, series, and the names their columns index.

    Attributes
    ----------
    nodes, units, actions : tuple of str
        Name pools.
    skips : mapping of (str, str) to int
        Useful events a chip does not execute, by (node, reason): zero states, N:M, early exit.
    notes : mapping of (str, str) to str
        What the lowering decided, by (node, subject); subjects "mapping" and "fused_into" reach the report.
    """

    loops: Loops
    rows: Rows
    accesses: Accesses
    series: Series
    nodes: tuple[str, ...]
    units: tuple[str, ...]
    actions: tuple[str, ...]
    skips: Mapping[tuple[str, str], int]
    notes: Mapping[tuple[str, str], str]

    @property
    def designs(self) -> int | None:
        """Length of the design axis, or None for the trace of a single design."""
        for column in (self.loops.trip, self.rows.count, self.rows.bits):
            if column.ndim == 2:
                return int(column.shape[0])
        return None

    @property
    def nbytes(self) -> int:
        """Bytes held by the columns."""
        parts = (self.loops, self.rows, self.accesses, self.series)
        return sum(int(getattr(part, column.name).nbytes) for part in parts for column in fields(part))

    @cached_property
    def runs(self) -> NDArray[Any]:
        """How often each loop body runs in the whole program, see `hwsim.trace.iterations`."""
        loops = self.loops
        named = np.unique(loops.series[loops.series >= 0]).tolist()
        sums = {index: int(self.series.of(index).astype(object).sum()) for index in named}
        runs = count_runs(loops.parent, loops.trip, loops.series, sums, self.layout.levels)
        runs.setflags(write=False)
        return runs

    @cached_property
    def layout(self) -> Layout:
        """Index vectors that let `reduce` and `fold` work level by level; depends on structure only."""
        rows = self.rows
        return lay_out(self.loops.parent, rows.loop, rows.node, rows.unit, len(self.units))
