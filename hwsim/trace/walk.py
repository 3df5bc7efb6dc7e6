"""Walk a trace in program order, for models that depend on order: shifts, open rows, bank conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hwsim.errors import VerifyError
from hwsim.trace.types import Ints, Trace

ENTER, LEAVE, ROW = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of events with addresses, in program order.

    Attributes
    ----------
    row : int64[n]
        Row of the trace each event belongs to.
    address : int64[n]
        base + sum over depth of stride * loop index + event stride * event index.
    """

    row: Ints
    address: Ints


def walk(trace: Trace, chunk: int = 65536) -> Iterator[Chunk]:
    """Yield every event that has an access pattern, in program order.

    Parameters
    ----------
    trace : Trace
        A verified trace of a single design.
    chunk : int
        Events per chunk; memory stays bounded by it, whatever the program's length.
    """
    from hwsim.kernels import odometer

    if trace.designs is not None:
        raise VerifyError("only the trace of a single design can be walked", where="trace.walk")
    code, argument, jump = _instructions(trace)
    loops, rows, accesses = trace.loops, trace.rows, trace.accesses
    size = loops.parent.shape[0]
    state, index, limit, entered = (np.zeros(n, dtype=np.int64) for n in (2, size, size, size))
    while True:
        out_row, out_address = np.empty(chunk, np.int64), np.empty(chunk, np.int64)
        count = odometer.step(
            code,
            argument,
            jump,
            loops.trip,
            loops.series,
            trace.series.offset,
            trace.series.value,
            trace.layout.depth,
            rows.count,
            rows.access,
            accesses.base,
            accesses.offset,
            accesses.stride,
            state,
            index,
            limit,
            entered,
            out_row,
            out_address,
        )
        if count:
            yield Chunk(out_row[:count], out_address[:count])
        if count < chunk:
            return


def program_order(trace: Trace) -> list[tuple[int, int]]:
    """Return the program as (ENTER, loop), (ROW, row) and (LEAVE, loop), in the order written."""
    order: list[tuple[int, int]] = []
    waiting = iter(sorted(range(trace.rows.loop.shape[0]), key=lambda row: int(trace.rows.position[row])))
    row = next(waiting, None)
    open_loops: list[int] = []

    def close_to(loop: int) -> None:
        while open_loops and open_loops[-1] != loop:
            order.append((LEAVE, open_loops.pop()))

    for loop, above in enumerate(trace.loops.parent.tolist()):
        while row is not None and trace.rows.position[row] <= loop:
            close_to(int(trace.rows.loop[row]))
            order.append((ROW, row))
            row = next(waiting, None)
        close_to(above)
        open_loops.append(loop)
        order.append((ENTER, loop))
    while row is not None:
        close_to(int(trace.rows.loop[row]))
        order.append((ROW, row))
        row = next(waiting, None)
    close_to(-1)
    return order


def _instructions(trace: Trace) -> tuple[Ints, Ints, Ints]:
    order = program_order(trace)
    jump = np.zeros(len(order), dtype=np.int64)
    entry: dict[int, int] = {}
    for place, (what, which) in enumerate(order):
        if what == ENTER:
            entry[which] = place
        elif what == LEAVE:
            jump[place] = entry[which]
            jump[entry[which]] = place + 1
    code = np.array([what for what, _ in order], dtype=np.int64)
    argument = np.array([which for _, which in order], dtype=np.int64)
    return code, argument, jump
