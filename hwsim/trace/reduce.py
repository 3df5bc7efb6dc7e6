"""Count what a trace does, exactly: events and bits per node, unit and action."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.trace.runs import SAFE
from hwsim.trace.types import Ints, Trace


@dataclass(frozen=True, slots=True)
class Activity:
    """Exact totals of a trace, one entry per (node, unit, action) that occurs.

    Attributes
    ----------
    node, unit, action : int64[E]
        Indices into the pools of the trace.
    events, bits : int64[..., E], or object (Python ints) where 64 bits would not hold them
        Events, and bits they handle; a leading design axis if the trace has one.
    nodes, units, actions : tuple of str
        The pools.
    """

    node: Ints
    unit: Ints
    action: Ints
    events: NDArray[Any]
    bits: NDArray[Any]
    nodes: tuple[str, ...]
    units: tuple[str, ...]
    actions: tuple[str, ...]

    def items(self) -> Iterator[tuple[tuple[str, str, str], int, int]]:
        """Yield ((node, unit, action), events, bits) of a single design, as Python ints."""
        for entry in range(self.node.shape[0]):
            key = (
                self.nodes[self.node[entry]],
                self.units[self.unit[entry]],
                self.actions[self.action[entry]],
            )
            yield key, int(self.events[entry]), int(self.bits[entry])

    def events_of(self, unit: str, action: str, node: str | None = None) -> int:
        """Return the events of `unit`.`action` over all nodes, or of one node."""
        return sum(
            events
            for (where, which, what), events, _ in self.items()
            if which == unit and what == action and node in (None, where)
        )


def iterations(trace: Trace) -> NDArray[Any]:
    """Return how often each loop body runs in the whole program.

    Returns
    -------
    int64[..., L], or object (Python ints) where 64 bits would not hold the counts; computed once a trace.
    """
    return trace.runs


def reduce(trace: Trace) -> Activity:
    """Return the exact activity of `trace`.

    The cost is proportional to the columns of the trace, whatever the trip counts. Products are
    taken in 64-bit integers only where a float shadow shows that they fit, in Python ints otherwise.
    """
    rows = trace.rows
    width = len(trace.units) * len(trace.actions)
    key = rows.node * width + rows.unit * len(trace.actions) + rows.action
    order = np.argsort(key)
    keys, starts = np.unique(key[order], return_index=True)
    runs = iterations(trace)
    columns = []
    for factor in (None, rows.bits):
        amount = rows.count if factor is None else _product(rows.count, factor)
        per_row = _product(amount, runs[..., rows.loop])[..., order]
        columns.append(_group_sums(per_row, starts))
    node, rest = np.divmod(keys, max(width, 1))
    unit, action = np.divmod(rest, max(len(trace.actions), 1))
    return Activity(node, unit, action, columns[0], columns[1], trace.nodes, trace.units, trace.actions)


def _product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    bound = np.abs(left.astype(np.float64)) * np.abs(right.astype(np.float64))
    exact = float(bound.sum(axis=-1).max()) > SAFE
    product: NDArray[Any] = left.astype(object) * right.astype(object) if exact else left * right
    return product


def _group_sums(values: NDArray[Any], starts: Ints) -> NDArray[Any]:
    if starts.size == 0:
        return values
    sums: NDArray[Any] = np.add.reduceat(values, starts, axis=-1)
    return sums
