"""Pareto fronts: the points that no other point beats in everything."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
    """Rows are sorted, so nothing is dominated by a later row."""
    kept = np.empty((0, rows.shape[1]))
    places: list[int] = []
    for place, row in enumerate(rows):
        if not (kept <= row).all(axis=1).any():
            kept = np.vstack((kept, row))
            places.append(place)
    return np.array(places, dtype=np.int64)
