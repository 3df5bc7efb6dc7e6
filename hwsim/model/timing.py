"""Cycles of a trace under given prices, and what each memory makes the chip wait for."""

from __future__ import annotations

import numpy as np

from hwsim.model.prices import Prices, alike_in_time, row_cycles
from hwsim.model.types import Datasheet, Ints, Timing
from hwsim.trace.fold import busy_cycles, fold
from hwsim.trace.types import Trace


def time_trace(trace: Trace, prices: Prices, datasheet: Datasheet, *, busy: bool = True) -> Timing:
    """Return the timing of `trace`.

    Stalls are differences between folds of the same trace: memories and links of the datasheet are made
    instantaneous one action after the other, in datasheet order, and each is charged the cycles that this
    saves. Their sum is exactly what separates the latency from that of the compute units alone.

    Parameters
    ----------
    trace : Trace
        A verified trace.
    prices : Prices
        From `price`, for one design or a family.
    datasheet : Datasheet
        Says which units are memories or links; of a family, any member.
    busy : bool
        Whether to count how long each unit works; without it, the result has a table of no units.
    """
    if prices.lanes.ndim > 1 and trace.designs is None:
        different, which = alike_in_time(prices)
        if different.lanes.shape[0] < which.size:
            return _spread(_timing(trace, different, datasheet, busy), which)
    return _timing(trace, prices, datasheet, busy)


def _spread(timing: Timing, which: Ints) -> Timing:
    """Return the timing of designs, of which several may take the same time."""
    return Timing(
        timing.cycles[which],
        timing.compute_cycles[which],
        timing.node_cycles[which],
        timing.node_stalls[which],
        timing.busy_cycles[which],
        timing.causes,
    )


def _timing(trace: Trace, prices: Prices, datasheet: Datasheet, busy: bool) -> Timing:
    base = row_cycles(trace, prices)
    waits = {row.unit for row in datasheet.units if row.role != "compute"}
    names = {
        (trace.units[u], trace.actions[a]): p
        for p, (u, a) in enumerate(zip(prices.unit.tolist(), prices.action.tolist(), strict=True))
    }
    causes = [
        (row.unit, row.action)
        for row in datasheet.actions
        if row.unit in waits and base[..., prices.pair == names.get((row.unit, row.action), -1)].any()
    ]
    variants = [base]
    for cause in causes:
        variants.append(np.where(prices.pair == names[cause], 0, variants[-1]))
    folded = fold(trace, np.stack(variants))
    per_node = _per_node(trace, folded.loop_cycles)
    stalls = np.moveaxis(per_node[:-1] - per_node[1:], 0, -1)
    return Timing(
        folded.cycles[0],
        folded.cycles[-1],
        per_node[0],
        stalls,
        busy_cycles(trace, base) if busy else np.zeros((*per_node.shape[1:], 0), dtype=np.int64),
        tuple(f"{unit}.{action}" for unit, action in causes),
    )


def _per_node(trace: Trace, loop_cycles: Ints) -> Ints:
    """Add the loops that each node owns: int64[..., L] -> int64[..., N]."""
    total = np.zeros((*loop_cycles.shape[:-1], len(trace.nodes)), dtype=np.int64)
    owned = np.flatnonzero(trace.loops.node >= 0)
    owned = owned[np.argsort(trace.loops.node[owned])]
    nodes, starts = np.unique(trace.loops.node[owned], return_index=True)
    if nodes.size:
        total[..., nodes] = np.add.reduceat(loop_cycles[..., owned], starts, axis=-1)
    return total
