"""How often each loop body runs: products of trip counts, or sums of a series, down the loop tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.trace.layout import Level

Ints = NDArray[np.int64]
SAFE = float(2**62)


def count_runs(
    parent: Ints, trip: Ints, series: Ints, series_sums: Mapping[int, int], levels: tuple[Level, ...]
) -> NDArray[Any]:
    """Return the executions of each loop body.

    Parameters
    ----------
    parent, trip, series : int64[L], int64[..., L], int64[L]
        Columns of the loops.
    series_sums : mapping of int to int
        Sum of each series.
    levels : tuple of Level
        Loops by depth.

    Returns
    -------
    int64[..., L], or object (Python ints) where a float shadow shows that 64 bits would not do.
    """
    shadow = _count(parent, trip, series, series_sums, levels, np.float64)
    kind: Any = object if float(shadow.max()) > SAFE else np.int64
    return _count(parent, trip, series, series_sums, levels, kind)


def _count(
    parent: Ints,
    trip: Ints,
    series: Ints,
    series_sums: Mapping[int, int],
    levels: tuple[Level, ...],
    kind: Any,
) -> NDArray[Any]:
    trips = trip.astype(kind)
    total = trips.copy()
    for level in levels[1:]:
        here = level.loops
        total[..., here] = total[..., parent[here]] * trips[..., here]
        for loop in here[series[here] >= 0]:
            total[..., loop] = series_sums[int(series[loop])]
    return total
