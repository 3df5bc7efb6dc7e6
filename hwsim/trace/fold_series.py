"""Latency of loop programs with data-dependent trip counts: a vector per loop instead of a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.trace.types import ROOT, Ints, LoopKind, Trace


@dataclass(slots=True)
class _Body:
    """Parts of a loop body: one column for all iterations, or one column per iteration.

    Attributes
    ----------
    total, longest : int64[1] or int64[iterations]
        Sum of the parts and longest part.
    busy : int64[U, 1] or int64[U, iterations]
        Cycles for which one pass occupies each unit.
    """

    total: Ints
    longest: Ints
    busy: Ints


def fold_series(trace: Trace, row_cycles: Ints) -> Ints:
    """Return int64[..., L]: latency of each loop added up over its executions, for any trace."""
    lead = np.broadcast_shapes(row_cycles.shape[:-1], trace.loops.trip.shape[:-1])
    cycles = np.broadcast_to(row_cycles, (*lead, row_cycles.shape[-1]))
    trips = np.broadcast_to(trace.loops.trip, (*lead, trace.loops.trip.shape[-1]))
    result = np.zeros((*lead, trips.shape[-1]), dtype=np.int64)
    for design in np.ndindex(*lead):
        result[design] = _fold_one(trace, trips[design], cycles[design])
    return result


def _fold_one(trace: Trace, trips: Ints, row_cycles: Ints) -> Ints:
    loops, units = trace.loops, len(trace.units)
    size = loops.parent.shape[0]
    counts = [_trip_counts(trace, trips, loop) for loop in range(size)]
    executions = _executions(trace, counts)
    bodies = [
        _Body(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros((units, 1), np.int64))
        for _ in range(size)
    ]
    for row, (loop, unit) in enumerate(zip(trace.rows.loop.tolist(), trace.rows.unit.tolist(), strict=True)):
        body = bodies[loop]
        body.total[0] += row_cycles[row]
        body.longest[0] = max(int(body.longest[0]), int(row_cycles[row]))
        body.busy[unit, 0] += row_cycles[row]
    totals = np.zeros(size, dtype=np.int64)
    for loop in reversed(range(size)):
        latency, busy = _close(LoopKind(int(loops.kind[loop])), counts[loop], bodies[loop])
        uniform = latency.shape[0] == 1
        totals[loop] = int(latency.sum()) * (executions[loop] if uniform else 1)
        if loop == ROOT:
            break
        outer = bodies[int(loops.parent[loop])]
        outer.total = outer.total + latency
        outer.longest = np.maximum(outer.longest, latency)
        outer.busy = outer.busy + busy
    return totals


def _trip_counts(trace: Trace, trips: Ints, loop: int) -> Ints:
    series = int(trace.loops.series[loop])
    return trace.series.of(series) if series >= 0 else trips[loop : loop + 1]


def _executions(trace: Trace, counts: list[Ints]) -> list[int]:
    """Return how often each loop is entered."""
    runs: list[int] = []
    entered: list[int] = []
    for loop, above in enumerate(trace.loops.parent.tolist()):
        entered.append(1 if above < 0 else runs[above])
        ragged = trace.loops.series[loop] >= 0
        runs.append(int(counts[loop].sum()) if ragged else entered[loop] * int(counts[loop][0]))
    return entered


def _close(kind: LoopKind, trip: Ints, body: _Body) -> tuple[Ints, Ints]:
    """Return latency[X or 1] and busy[U, X or 1] over the X executions of a loop."""
    total, longest, busy = body.total, body.longest, body.busy
    iterations = total.shape[0]
    if iterations == 1:
        return _close_uniform(kind, trip, body)
    if trip.shape[0] == 1:
        if trip[0] == 0:
            return np.zeros(1, np.int64), np.zeros((busy.shape[0], 1), np.int64)
        trip = np.full(iterations // int(trip[0]), trip[0])
    ends = np.cumsum(trip)
    starts = ends - trip
    spent = _sums(busy, starts, ends)
    if kind is LoopKind.SEQ:
        return _sums(total, starts, ends), spent
    some = trip > 0
    latency = np.zeros(trip.shape[0], dtype=np.int64)
    first = starts[some]
    if kind is LoopKind.PAR:
        latency[some] = np.maximum(np.maximum.reduceat(longest, first), spent[:, some].max(axis=0, initial=0))
        return latency, spent
    interval = busy.max(axis=0, initial=0)
    latency[some] = total[first] - interval[first] + _sums(interval, starts, ends)[some]
    return latency, spent


def _close_uniform(kind: LoopKind, trip: Ints, body: _Body) -> tuple[Ints, Ints]:
    spent = body.busy * trip
    if kind is LoopKind.SEQ:
        return trip * body.total, spent
    if kind is LoopKind.PAR:
        latency = np.maximum(body.longest, spent.max(axis=0, initial=0))
    else:
        latency = body.total + (trip - 1) * body.busy.max(axis=0, initial=0)
    return np.where(trip > 0, latency, 0), spent


def _sums(values: Ints, starts: Ints, ends: Ints) -> Ints:
    """Return the sums of values[..., start:end] for ragged ranges, empty ones included."""
    zero = np.zeros((*values.shape[:-1], 1), dtype=np.int64)
    running = np.concatenate([zero, np.cumsum(values, axis=-1)], axis=-1)
    ragged: Ints = running[..., ends] - running[..., starts]
    return ragged
