"""A trace as text, in program order: what a reader diffs and a golden file holds."""

from __future__ import annotations

import hashlib
from typing import Any

from hwsim.trace.types import LoopKind, Trace
from hwsim.trace.walk import ENTER, ROW, program_order


def to_text(trace: Trace) -> str:
    """Return the indented program, one line per loop and per row.

    Examples
    --------
    >>> print(to_text(trace))
    seq 1
      pipe 10 @conv1
        conv1 dram.read 1 x 512 b
        conv1 array.mac 64
    """
    lines, depth = [], 0
    for what, which in program_order(trace):
        if what == ENTER:
            lines.append("  " * depth + _loop_text(trace, which))
            depth += 1
        elif what == ROW:
            lines.append("  " * depth + _row_text(trace, which))
        else:
            depth -= 1
    lines += [f"skip {node} {events}: {reason}" for (node, reason), events in sorted(trace.skips.items())]
    return "\n".join(lines) + "\n"


def fingerprint(trace: Trace) -> str:
    """Return the BLAKE2b digest (16 bytes, hexadecimal) of the text form."""
    return hashlib.blake2b(to_text(trace).encode(), digest_size=16).hexdigest()


def _loop_text(trace: Trace, loop: int) -> str:
    loops = trace.loops
    series = int(loops.series[loop])
    trips = f"series {trace.series.of(series).tolist()}" if series >= 0 else _number(loops.trip[..., loop])
    owner = f" @{trace.nodes[loops.node[loop]]}" if loops.node[loop] >= 0 else ""
    return f"{LoopKind(int(loops.kind[loop])).name.lower()} {trips}{owner}"


def _row_text(trace: Trace, row: int) -> str:
    rows = trace.rows
    text = (
        f"{trace.nodes[rows.node[row]]} {trace.units[rows.unit[row]]}.{trace.actions[rows.action[row]]} "
        f"{_number(rows.count[..., row])}"
    )
    if rows.bits[..., row].any():
        text += f" x {_number(rows.bits[..., row])} b"
    pattern = int(rows.access[row])
    if pattern >= 0:
        accesses = trace.accesses
        strides = accesses.stride[accesses.offset[pattern] : accesses.offset[pattern + 1]].tolist()
        text += f" at {accesses.base[pattern]} + {strides}"
    return text


def _number(value: Any) -> str:
    return str(value.tolist())
