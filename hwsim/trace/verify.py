"""Check a trace before anything is charged for it; a violation is a bug of the lowering, not of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hwsim.errors import Problem, TooLong, VerifyError
from hwsim.trace.reduce import Activity, iterations
from hwsim.trace.runs import SAFE
from hwsim.trace.types import ROOT, LoopKind, Trace


def verify_trace(trace: Trace) -> None:
    """Raise VerifyError with every structural fault of `trace`.

    Checked: loop 0 encloses everything; parents precede children; indices lie inside their pools; trips,
    counts and bits are not negative; owners do not nest; series hold one trip per execution; access
    patterns have one stride per enclosing loop; executions fit into 64 bits.
    """
    problems = list(_loop_problems(trace)) or [*_row_problems(trace), *_access_problems(trace)]
    if not problems:
        problems = list(_count_problems(trace))
    if problems:
        raise VerifyError(problems=problems)


def _loop_problems(trace: Trace) -> Iterator[Problem]:
    loops = trace.loops
    size = loops.parent.shape[0]
    where = "trace.loops"
    if size == 0 or loops.parent[ROOT] != -1 or loops.kind[ROOT] != LoopKind.SEQ:
        yield Problem(where, "loop 0 must be a SEQ loop without a parent")
        return
    if bool((loops.trip[..., ROOT] != 1).any()) or loops.series[ROOT] >= 0:
        yield Problem(where, "loop 0 must run exactly once")
    inner = np.arange(1, size)
    for loop in inner[(loops.parent[1:] >= inner) | (loops.parent[1:] < 0)]:
        yield Problem(f"{where}.{loop}", f"parent {loops.parent[loop]} does not precede it")
    if loops.trip.min() < 0:
        yield Problem(where, f"negative trip count {loops.trip.min()}")
    known = [int(kind) for kind in LoopKind]
    for loop in np.flatnonzero(~np.isin(loops.kind, known)):
        yield Problem(f"{where}.{loop}", f"unknown kind {loops.kind[loop]}")
    for loop in np.flatnonzero(loops.series >= len(trace.series.offset) - 1):
        yield Problem(f"{where}.{loop}", f"series {loops.series[loop]} does not exist")
    for loop in np.flatnonzero((loops.node < -1) | (loops.node >= len(trace.nodes))):
        yield Problem(f"{where}.{loop}", f"node {loops.node[loop]} does not exist")
    if trace.series.value.min(initial=0) < 0:
        yield Problem("trace.series", f"negative trip count {trace.series.value.min()}")
    owned: list[bool] = []
    for loop, (above, node) in enumerate(zip(loops.parent.tolist(), loops.node.tolist(), strict=True)):
        inside = 0 <= above < loop and owned[above]
        if inside and node >= 0:
            yield Problem(f"{where}.{loop}", "owners of latency are nested")
        owned.append(inside or node >= 0)


def _row_problems(trace: Trace) -> Iterator[Problem]:
    rows = trace.rows
    pools = {
        "node": len(trace.nodes),
        "unit": len(trace.units),
        "action": len(trace.actions),
        "loop": trace.loops.parent.shape[0],
    }
    for name, size in pools.items():
        column = getattr(rows, name)
        for row in np.flatnonzero((column < 0) | (column >= size)):
            yield Problem(f"trace.rows.{row}", f"{name} {column[row]} does not exist")
    for name in ("count", "bits"):
        column = getattr(rows, name)
        if column.min(initial=0) < 0:
            yield Problem("trace.rows", f"negative {name} {column.min()}")
    designs = {column.shape[0] for column in (trace.loops.trip, rows.count, rows.bits) if column.ndim == 2}
    if len(designs) > 1:
        yield Problem("trace", f"columns disagree on the number of designs: {sorted(designs)}")


def _access_problems(trace: Trace) -> Iterator[Problem]:
    patterns = trace.accesses.base.shape[0]
    depth = trace.layout.depth
    for row in np.flatnonzero(trace.rows.access >= 0):
        pattern = int(trace.rows.access[row])
        if pattern >= patterns:
            yield Problem(f"trace.rows.{row}", f"access {pattern} does not exist")
            continue
        strides = int(trace.accesses.offset[pattern + 1] - trace.accesses.offset[pattern])
        needed = int(depth[trace.rows.loop[row]]) + 2
        if strides != needed:
            yield Problem(f"trace.rows.{row}", f"access {pattern} has {strides} strides, needs {needed}")


def _count_problems(trace: Trace) -> Iterator[Problem]:
    runs = iterations(trace)
    most = int(runs.max())
    if most > SAFE:
        raise TooLong(f"{most:.3e} executions do not fit into 64 bits", where="trace.loops")
    for loop in np.flatnonzero(trace.loops.series >= 0):
        entered = int(np.max(runs[..., trace.loops.parent[loop]]))
        length = trace.series.of(int(trace.loops.series[loop])).shape[0]
        if length != entered:
            yield Problem(f"trace.loops.{loop}", f"series of {length} trips for {entered} executions")


def verify_conservation(
    trace: Trace,
    activity: Activity,
    work: Mapping[str, Mapping[str, int]],
    quantity_of: Mapping[tuple[str, str], str],
) -> None:
    """Raise VerifyError unless every node does exactly the useful work its operator asks for.

    Parameters
    ----------
    trace, activity : Trace, Activity
        The trace of one design and its counts.
    work : mapping of node to mapping of quantity to int
        Op-count formula of each node, for example ``{"conv1": {"macs": 118013952}}``.
    quantity_of : mapping of (unit, action) to str
        Which quantity an event of the chip performs; other events are not useful work.
    """
    done: dict[tuple[str, str], int] = {}
    for (node, unit, action), events, _ in activity.items():
        quantity = quantity_of.get((unit, action))
        if quantity is not None:
            done[node, quantity] = done.get((node, quantity), 0) + events
    skipped: dict[str, int] = {}
    for (node, _reason), events in trace.skips.items():
        skipped[node] = skipped.get(node, 0) + events
    problems = []
    for node, quantities in work.items():
        for quantity, asked in quantities.items():
            spare = skipped.get(node, 0) if quantity == "macs" else 0
            found = done.pop((node, quantity), 0)
            if found + spare != asked:
                problems.append(
                    Problem(
                        f"trace.{node}",
                        f"{found} {quantity} done and {spare} skipped by name, the operator asks for {asked}",
                    )
                )
    problems += [
        Problem(f"trace.{node}", f"{count} {quantity} that no operator asks for")
        for (node, quantity), count in done.items()
        if count
    ]
    if problems:
        raise VerifyError(problems=problems)
