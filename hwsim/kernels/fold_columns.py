"""Latency of a loop program for many designs at once: the closed form of `hwsim.trace.fold`, loop by loop.

One pass over rows and loops per design, in the order of the trace, with tables that stay in the cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]

SEQ, PAR = 0, 1


@compiled_at_once
def fold_columns(
    parent: Ints,
    kind: Ints,
    shares: NDArray[np.bool_],
    trip: Ints,
    row_loop: Ints,
    row_unit: Ints,
    row_cycles: Ints,
    units: int,
) -> Ints:
    """Return int64[D, L]: latency of one execution of each loop.

    Parameters
    ----------
    parent, kind : int64[L]
        Loops in pre-order; kinds as in `hwsim.trace.LoopKind`.
    shares : bool[L]
        Whether it matters which unit works: loops that are not SEQ, and all loops inside of them.
    trip : int64[D or 1, L]
        Iterations per execution.
    row_loop, row_unit : int64[R]
        Loop and unit of each row.
    row_cycles : int64[D, R]
        Cycles for which one execution of each row occupies its unit.
    units : int
        Size of the unit pool.
    """
    designs, rows = row_cycles.shape
    loops = parent.size
    latency = np.zeros((designs, loops), np.int64)
    total = np.zeros(loops, np.int64)
    longest = np.zeros(loops, np.int64)
    busy = np.zeros((loops, units), np.int64)
    for design in range(designs):
        turns = trip[design if trip.shape[0] > 1 else 0]
        total[:] = 0
        longest[:] = 0
        busy[:] = 0
        for row in range(rows):
            cycles, loop = row_cycles[design, row], row_loop[row]
            total[loop] += cycles
            longest[loop] = max(longest[loop], cycles)
            if shares[loop]:
                busy[loop, row_unit[row]] += cycles
        for loop in range(loops - 1, -1, -1):
            times = turns[loop]
            busiest = 0
            if shares[loop]:
                for unit in range(units):
                    busiest = max(busiest, busy[loop, unit])
            if times == 0:
                done = 0
            elif kind[loop] == SEQ:
                done = times * total[loop]
            elif kind[loop] == PAR:
                done = max(longest[loop], times * busiest)
            else:
                done = total[loop] + (times - 1) * busiest
            latency[design, loop] = done
            outer = parent[loop]
            if outer >= 0:
                total[outer] += done
                longest[outer] = max(longest[outer], done)
                if shares[outer]:
                    for unit in range(units):
                        busy[outer, unit] += busy[loop, unit] * times
    return latency
