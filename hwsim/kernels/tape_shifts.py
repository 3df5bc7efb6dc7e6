"""Shifts of racetrack tapes for a sequence of accesses; ``kernel.plain`` is the plain twin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]

NEAREST, ASSIGNED = 0, 1
LAZY, EAGER = 0, 1


@compiled_at_once
def count_shifts(
    cluster: Ints,
    domain: Ints,
    ports: Ints,
    assigned: Ints,
    selection: int,
    policy: int,
    offset: Ints,
    shifts: Ints,
) -> int:
    """Count the shifts of every access, and leave each tape where it ends.

    A tape at offset o has domain p + o under the port at p. A lazy tape stays where the last access left
    it; an eager one goes back to offset 0, and the way back counts.

    Parameters
    ----------
    cluster, domain : int64[n]
        Where each access goes.
    ports : int64[P]
        Positions of the ports over a tape at rest.
    assigned : int64[domains]
        Port of each domain, for ``ASSIGNED``; ``NEAREST`` takes the one with the fewest shifts, the first of
        equals.
    selection, policy : int
        NEAREST or ASSIGNED, LAZY or EAGER.
    offset : int64[clusters]
        Offsets before; changed in place.
    shifts : int64[n]
        Filled with the shifts of each access.

    Returns
    -------
    int
        Sum of the shifts.
    """
    total = 0
    for i in range(cluster.shape[0]):
        c, d = cluster[i], domain[i]
        here = offset[c]
        if selection == 1:
            best = d - ports[assigned[d]]
            least = abs(best - here)
        else:
            best = d - ports[0]
            least = abs(best - here)
            for p in range(1, ports.shape[0]):
                target = d - ports[p]
                distance = abs(target - here)
                if distance < least:
                    least, best = distance, target
        if policy == 1:
            least += abs(best)
            best = 0
        offset[c] = best
        shifts[i] = least
        total += least
    return total
