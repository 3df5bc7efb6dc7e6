"""Run a loop program one event at a time and write down the addresses it touches.

The kernel knows no project type: it takes the columns of a trace and a small state, fills a buffer,
and goes on where it stopped when called again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]

ENTER, LEAVE = 0, 1


@compiled_at_once
def step(
    code: Ints,
    argument: Ints,
    jump: Ints,
    trip: Ints,
    series: Ints,
    series_start: Ints,
    series_value: Ints,
    depth: Ints,
    row_count: Ints,
    row_access: Ints,
    base: Ints,
    offset: Ints,
    stride: Ints,
    state: Ints,
    index: Ints,
    limit: Ints,
    entered: Ints,
    out_row: Ints,
    out_address: Ints,
) -> int:
    """Fill the output buffers with the next events that have an address.

    Parameters
    ----------
    code, argument, jump : int64[I]
        Instructions ENTER loop, LEAVE loop and ROW row; `jump` of ENTER points behind its LEAVE, `jump`
        of LEAVE to its ENTER.
    trip, series, depth : int64[L]
        Trip count, series index or -1, and depth of each loop.
    series_start, series_value : int64
        Ragged trip counts.
    row_count, row_access : int64[R]
        Events per execution and access pattern (or -1) of each row.
    base, offset, stride : int64
        Access patterns; the last stride of a pattern is that between events.
    state : int64[2]
        Program counter, and events of the current row already written; changed in place.
    index, limit, entered : int64[L]
        Current iteration, trip count of the current execution and executions so far; changed in place.
    out_row, out_address : int64[n]
        Filled from the front.

    Returns
    -------
    int
        Number of events written; less than n only at the end of the program.
    """
    pc, done = state[0], state[1]
    written = 0
    room = out_row.shape[0]
    line = np.zeros(depth.max() + 1, np.int64)
    for loop in range(index.shape[0]):
        if limit[loop] > 0:
            line[depth[loop]] = index[loop]
    while pc < code.shape[0] and written < room:
        what, which = code[pc], argument[pc]
        if what == ENTER:
            if series[which] >= 0:
                limit[which] = series_value[series_start[series[which]] + entered[which]]
            else:
                limit[which] = trip[which]
            entered[which] += 1
            index[which] = 0
            line[depth[which]] = 0
            if limit[which] == 0:
                pc = jump[pc]
                continue
        elif what == LEAVE:
            index[which] += 1
            line[depth[which]] = index[which]
            if index[which] < limit[which]:
                pc = jump[pc] + 1
                continue
            limit[which] = 0
        elif row_access[which] >= 0:
            pattern = row_access[which]
            start, end = offset[pattern], offset[pattern + 1]
            address = base[pattern]
            for level in range(end - start - 1):
                address += stride[start + level] * line[level]
            while done < row_count[which] and written < room:
                out_row[written] = which
                out_address[written] = address + stride[end - 1] * done
                written += 1
                done += 1
            if done < row_count[which]:
                break
            done = 0
        pc += 1
    state[0], state[1] = pc, done
    return written
