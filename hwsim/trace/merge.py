"""Equal layers once: a trace in which one layer stands for all layers that do the same.

Networks repeat their blocks, so that a trace shrinks to a half or less, and everything that reads it for many
designs is that much faster.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from hwsim.trace.types import ROOT, Accesses, Ints, LoopKind, Loops, Rows, Trace


@dataclass(frozen=True, slots=True)
class Merged:
    """A trace whose layers stand for several equal ones.

    Attributes
    ----------
    trace : Trace
        Each different layer once; its outermost loop runs as often as there are equal layers. A leading
        design axis for a family. Without access patterns: addresses differ between equal layers.
    times : int64[N]
        How many layers each node of the trace stands for.
    """

    trace: Trace
    times: Ints


def merge_equal(trace: Trace) -> Merged:
    """Return `trace` with equal layers written once; latency and activity in total stay what they are.

    Layers are the loops directly inside the program. Two are equal if loops, rows and skips agree up to the
    names of nodes; a layer whose loop is not SEQ, that holds a series, or whose nodes do something elsewhere
    too stays as it is.
    """
    loops, rows = trace.loops, trace.rows
    starts = np.flatnonzero(loops.parent == ROOT)
    layer_of_loop = np.searchsorted(starts, np.arange(loops.parent.size), side="right") - 1
    layer_of_row = layer_of_loop[rows.loop]
    times = np.ones(starts.size, dtype=np.int64)
    first: dict[object, int] = {}
    kept = np.ones(starts.size, dtype=bool)
    fixed = _fixed_layers(trace, starts, layer_of_loop, layer_of_row)
    ends = np.append(starts, loops.parent.size)[1:]
    for layer, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if fixed[layer]:
            continue
        found = first.setdefault(_content(trace, start, end, layer_of_row == layer), layer)
        if found != layer:
            times[found] += 1
            kept[layer] = False
    return _keep(trace, starts, times, np.append(kept, True)[layer_of_loop], layer_of_loop)


def _fixed_layers(trace: Trace, starts: Ints, layer_of_loop: Ints, layer_of_row: Ints) -> list[bool]:
    """Return which layers cannot stand for others."""
    loops = trace.loops
    seen = {*zip(trace.rows.node.tolist(), layer_of_row.tolist(), strict=True)}
    seen |= {*zip(loops.node.tolist(), layer_of_loop.tolist(), strict=True)}
    places = Counter(node for node, _ in seen)
    ragged = set(layer_of_loop[loops.series >= 0].tolist())
    shared = {layer for node, layer in seen if node >= 0 and places[node] > 1}
    return [
        layer in ragged or layer in shared or int(loops.kind[start]) != LoopKind.SEQ
        for layer, start in enumerate(starts.tolist())
    ]


def _content(trace: Trace, start: int, end: int, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> object:
    """Return what a layer does, nodes numbered by their first occurrence in it."""
    loops, rows, chosen = trace.loops, trace.rows, np.flatnonzero(mask)
    nodes = np.concatenate([loops.node[start:end], rows.node[chosen]])
    names = [node for node in dict.fromkeys(nodes.tolist()) if node >= 0]
    number = {node: place for place, node in enumerate(names)} | {-1: -1}
    skips = tuple(
        (number[node], reason, events)
        for (name, reason), events in sorted(trace.skips.items())
        for node in names
        if trace.nodes[node] == name
    )
    columns = (
        np.maximum(loops.parent[start:end] - start, -1),
        loops.kind[start:end],
        loops.trip[..., start:end],
        np.array([number[node] for node in nodes.tolist()]),
        rows.unit[chosen],
        rows.action[chosen],
        rows.loop[chosen] - start,
        rows.count[..., chosen],
        rows.bits[..., chosen],
    )
    return (end - start, *(column.tobytes() for column in columns), skips)


def _keep(trace: Trace, starts: Ints, times: Ints, mask: Ints, layer_of_loop: Ints) -> Merged:
    """Return `trace` with the loops in `mask`, the outermost loop of each layer run `times` times."""
    loops, rows = trace.loops, trace.rows
    trip = loops.trip.copy()
    trip[..., starts] *= times
    old_loops, old_rows = np.flatnonzero(mask), np.flatnonzero(mask[rows.loop])
    place = np.cumsum(mask) - 1
    used = {*rows.node[old_rows].tolist(), *loops.node[old_loops].tolist()} - {-1}
    skipping = {name for name, _ in trace.skips}
    gone = {*rows.node.tolist(), *loops.node.tolist()} - used
    nodes = sorted(used | {n for n, name in enumerate(trace.nodes) if name in skipping and n not in gone})
    node_place = np.full(len(trace.nodes) + 1, -1, dtype=np.int64)
    node_place[nodes] = np.arange(len(nodes))
    of_node = np.ones(len(trace.nodes), dtype=np.int64)
    stands_for = np.append(times, 1)[layer_of_loop]
    of_node[rows.node[old_rows]] = stands_for[rows.loop[old_rows]]
    owned = old_loops[loops.node[old_loops] >= 0]
    of_node[loops.node[owned]] = stands_for[owned]
    names = tuple(trace.nodes[node] for node in nodes)
    parent = loops.parent[old_loops]
    merged = replace(
        trace,
        loops=Loops(
            np.where(parent >= 0, place[parent], -1),
            trip[..., old_loops],
            loops.series[old_loops],
            loops.kind[old_loops],
            node_place[loops.node[old_loops]],
        ),
        rows=Rows(
            node_place[rows.node[old_rows]],
            rows.unit[old_rows],
            rows.action[old_rows],
            place[rows.loop[old_rows]],
            np.cumsum(mask)[rows.position[old_rows] - 1],
            rows.count[..., old_rows],
            rows.bits[..., old_rows],
            np.full(old_rows.size, -1, dtype=np.int64),
        ),
        accesses=Accesses(*(np.zeros(size, dtype=np.int64) for size in (0, 1, 0))),
        nodes=names,
        skips={
            (name, reason): events * int(of_node[trace.nodes.index(name)])
            for (name, reason), events in trace.skips.items()
            if name in names
        },
        notes={key: text for key, text in trace.notes.items() if key[0] in names},
    )
    return Merged(merged, of_node[nodes])


def take(merged: Merged, designs: Ints) -> Merged:
    """Return the members `designs` of a family, in this order and as often as they are named."""
    trace = merged.trace

    def of(column: Ints) -> Ints:
        return column[designs] if column.ndim == 2 else column

    loops = replace(trace.loops, trip=of(trace.loops.trip))
    rows = replace(trace.rows, count=of(trace.rows.count), bits=of(trace.rows.bits))
    return Merged(replace(trace, loops=loops, rows=rows), merged.times)
