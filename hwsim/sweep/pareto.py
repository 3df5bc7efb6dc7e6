"""Pareto fronts: the points that no other point beats in everything."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 1024


def front(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows that no other row dominates, in the order of the rows.

    A row dominates another if it is nowhere larger and somewhere smaller, so equal rows stand together.

    Parameters
    ----------
    costs : float64[points, objectives]
        All to be made small. A row with a value that is no number is never on the front.

    Examples
    --------
    >>> front(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]])).tolist()
    [0, 1]
    """
    finite = np.flatnonzero(~np.isnan(costs).any(axis=1))
    if not finite.size:
        return finite
    unique, inverse = np.unique(costs[finite], axis=0, return_inverse=True)
    best = _front_of_two(unique) if costs.shape[1] <= 2 else _front_of_many(unique)
    on_front = np.zeros(len(unique), dtype=bool)
    on_front[best] = True
    return np.asarray(finite[on_front[inverse.ravel()]], dtype=np.int64)


def _front_of_two(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows are sorted and distinct: the last objective falls along the front."""
    last = rows[:, -1]
    lowest = np.concatenate(([np.inf], np.minimum.accumulate(last)[:-1]))
    found = np.flatnonzero(last < lowest)
    return found[:1] if rows.shape[1] == 1 else found


def _front_of_many(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows are sorted, so nothing is dominated by a later row, and the first objective never decides."""
    rest = np.ascontiguousarray(rows[:, 1:].T)
    places = np.zeros(0, dtype=np.int64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = np.arange(start, min(start + _ROWS_AT_ONCE, len(rows)))
        for first in range(0, places.size, _ROWS_AT_ONCE):
            block = block[~_beaten(rest[:, places[first : first + _ROWS_AT_ONCE]], rest[:, block])]
        inside = np.triu(_below(rest[:, block], rest[:, block]), 1)
        places = np.concatenate((places, block[~inside.any(axis=0)]))
    return places


def _beaten(better: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of `rows` [objectives, R] one of `better` [objectives, B] is nowhere above."""
    found: NDArray[np.bool_] = np.logical_or.reduce(_below(better, rows), axis=0)
    return found


def _below(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return bool[B, R]: whether column b of `one` is nowhere above column r of `other`."""
    found = np.ones((one.shape[1], other.shape[1]), dtype=bool)
    for mine, theirs in zip(one, other, strict=True):
        np.logical_and(found, mine[:, None] <= theirs, out=found)
    return found
