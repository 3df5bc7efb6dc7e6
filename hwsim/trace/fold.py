"""Closed-form latency of a loop program, given how long each row occupies its unit.

Definition, for a loop with trip count t over a body whose parts are rows and inner loops; S is the
sum of the parts, P the longest part, b(u) the cycles for which one pass of the body occupies unit u:

    SEQ     t * S
    PAR     max(P, max over u of t * b(u))             for t > 0
    PIPE    S + (t - 1) * max over u of b(u)           for t > 0

Under a series the body differs from one iteration to the next: SEQ adds the iterations, PAR takes the
longest part of all and the total of the busiest unit, PIPE adds the first pass and the interval of each
later one. Zero trips take no time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import TooLong
from hwsim.trace.fold_series import fold_series
from hwsim.trace.reduce import iterations
from hwsim.trace.runs import SAFE
from hwsim.trace.types import ROOT, Ints, LoopKind, Trace

MANY_ENTRIES = 50_000  # from here on there are many designs, and compiled code makes up for loading it
COMPILED = "hwsim.kernels.fold_columns"
SLOWER = "take a smaller network, a faster clock or more bandwidth"


@dataclass(frozen=True, slots=True)
class Folded:
    """Result of `fold`.

    Attributes
    ----------
    cycles : int64[...]
        Latency of the whole program.
    loop_cycles : int64[..., L]
        Latency of each loop, added up over all its executions.
    """

    cycles: Ints
    loop_cycles: Ints


def fold(trace: Trace, row_cycles: Ints) -> Folded:
    """Return the latency of `trace`.

    Parameters
    ----------
    trace : Trace
        A verified trace.
    row_cycles : int64[R] or int64[D, R]
        Cycles for which one execution of each row occupies its unit.

    Raises
    ------
    TooLong
        If a sum would not fit into 64 bits.
    """
    runs = iterations(trace)
    if not _fits(row_cycles, runs[..., trace.rows.loop]):
        raise TooLong("the latency does not fit into 64 bits", where="trace.fold", hint=SLOWER)
    if bool((trace.loops.series >= 0).any()):
        loop_cycles = fold_series(trace, row_cycles)
    else:
        executions = runs[..., np.maximum(trace.loops.parent, ROOT)].astype(np.int64)
        many = row_cycles.ndim > 1 and row_cycles.size > (0 if COMPILED in sys.modules else MANY_ENTRIES)
        loop_cycles = (_fold_many if many else fold_regular)(trace, row_cycles) * executions
    return Folded(loop_cycles[..., ROOT], loop_cycles)


def busy_cycles(trace: Trace, row_cycles: Ints) -> Ints:
    """Return int64[..., N, U]: cycles for which each unit works for each node, over the whole program."""
    totals = row_cycles * iterations(trace)[..., trace.rows.loop].astype(np.int64)
    busy = np.zeros((*totals.shape[:-1], len(trace.nodes) * len(trace.units)), dtype=np.int64)
    trace.layout.node_unit.add(totals, busy)
    return busy.reshape(*totals.shape[:-1], len(trace.nodes), len(trace.units))


def _fits(row_cycles: Ints, runs: NDArray[Any]) -> bool:
    """Return whether no sum can leave 64 bits: at a glance over all designs, else design by design."""
    longest, most = (
        column.max(axis=tuple(range(column.ndim - 1))).astype(np.float64)
        for column in (row_cycles, runs)
    )
    if float((longest * most).sum()) <= SAFE:
        return True
    work = row_cycles.astype(np.float64) * runs.astype(np.float64)
    return float(work.sum(axis=-1).max()) <= SAFE


def _fold_many(trace: Trace, row_cycles: Ints) -> Ints:
    """Return what `fold_regular` returns, design after design in compiled code."""
    from hwsim.kernels.fold_columns import fold_columns

    loops, rows = trace.loops, trace.rows
    lead = np.broadcast_shapes(row_cycles.shape[:-1], loops.trip.shape[:-1])
    cycles = np.broadcast_to(row_cycles, (*lead, rows.loop.size)).reshape(-1, rows.loop.size)
    trips = loops.trip if loops.trip.ndim == 1 else np.broadcast_to(loops.trip, (*lead, loops.parent.size))
    shares = loops.kind != LoopKind.SEQ
    for loop, outer in enumerate(loops.parent.tolist()):
        shares[loop] |= outer >= 0 and shares[outer]
    latency = fold_columns(
        loops.parent,
        loops.kind,
        shares,
        np.ascontiguousarray(trips.reshape(-1, loops.parent.size)),
        rows.loop,
        rows.unit,
        np.ascontiguousarray(cycles),
        len(trace.units),
    )
    return latency.reshape(*lead, loops.parent.size)


def fold_regular(trace: Trace, row_cycles: Ints) -> Ints:
    """Return int64[..., L]: the latency of one execution of each loop of a trace without series."""
    loops, rows, layout = trace.loops, trace.rows, trace.layout
    lead = np.broadcast_shapes(row_cycles.shape[:-1], loops.trip.shape[:-1])
    size = loops.parent.shape[0]
    trip = np.broadcast_to(loops.trip, (*lead, size))
    total = np.zeros((*lead, size), dtype=np.int64)
    longest = np.zeros((*lead, size), dtype=np.int64)
    busy = np.zeros((*lead, len(trace.units), size), dtype=np.int64)
    latency = np.zeros((*lead, size), dtype=np.int64)
    if rows.loop.size:
        cycles = np.broadcast_to(row_cycles, (*lead, rows.loop.size))[..., layout.row_order]
        total[..., layout.row_loops] = np.add.reduceat(cycles, layout.row_starts, axis=-1)
        longest[..., layout.row_loops] = np.maximum.reduceat(cycles, layout.row_starts, axis=-1)
        layout.unit_loop.add(row_cycles, busy.reshape((*lead, len(trace.units) * size)))
    for level in reversed(layout.levels):
        here = level.loops
        own, turns = busy[..., here], trip[..., here]
        done = _latency(
            loops.kind[here], turns, total[..., here], longest[..., here], own.max(axis=-2, initial=0)
        )
        latency[..., here] = done
        if level.parents[0] < 0:
            break
        spent = own * turns[..., None, :]
        total[..., level.parents] += np.add.reduceat(done, level.starts, axis=-1)
        longest[..., level.parents] = np.maximum(
            longest[..., level.parents], np.maximum.reduceat(done, level.starts, axis=-1)
        )
        busy[..., level.parents] += np.add.reduceat(spent, level.starts, axis=-1)
    return latency


def _latency(kind: Ints, trip: Ints, total: Ints, longest: Ints, busiest: Ints) -> Ints:
    together = np.maximum(longest, trip * busiest)
    overlapped = total + (trip - 1) * busiest
    chosen = np.where(kind == LoopKind.PAR, together, overlapped)
    return np.where(kind == LoopKind.SEQ, trip * total, np.where(trip > 0, chosen, 0))
