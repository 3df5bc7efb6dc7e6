"""When every window of every layer runs: layers work at once, each on what the one before has delivered.

A layer's copies and the interleaved turns of its accumulators are lanes; window p runs in lane p mod lanes.
It starts when its lane is free and all pixels up to the last of its receptive field have arrived, in raster
order. Samples are admitted at equal distances, so far apart that no window waits for an earlier sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.design import AqfpBnnDesign
from accelerators.aqfp_bnn.mapping import Mapping, map_layer
from accelerators.aqfp_bnn.network import Layer, Network, network_of
from hwsim.graph.contraction import Window
from hwsim.graph.remember import remembered
from hwsim.graph.types import Graph, Op

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Timetable:
    """When the windows of one layer run in the first sample.

    Attributes
    ----------
    mapping : Mapping
        The layer.
    lanes : int
        Windows at once.
    needs : dict of int to int64[P]
        For each layer that it waits for, by position, the last window that each window needs; -1: none.
    starts, delivered : int64[P]
        First cycle of each window, and the cycle from which its output and all before are there.
    """

    mapping: Mapping
    lanes: int
    needs: dict[int, Ints]
    starts: Ints
    delivered: Ints

    @property
    def span_cycles(self) -> int:
        """Cycles after which every lane is free for the next sample."""
        last = np.arange(len(self.starts))[-self.lanes :]
        first = self.starts[last % self.lanes]
        return int((self.starts[last] - first).max(initial=0)) + self.mapping.hold_cycles


@dataclass(frozen=True, slots=True)
class Schedule:
    """All layers of a network.

    Attributes
    ----------
    tables : tuple of Timetable
        In order of the graph.
    samples : int
        Inputs that follow each other.
    interval_cycles : int
        Between two of them.
    latency_cycles : int
        Of one of them.
    """

    tables: tuple[Timetable, ...]
    samples: int
    interval_cycles: int
    latency_cycles: int

    @property
    def cycles(self) -> int:
        """Cycles of all samples."""
        if not self.tables:
            return 0
        return (self.samples - 1) * self.interval_cycles + self.latency_cycles

    def layer_cycles(self) -> list[int]:
        """Return what each layer adds to the time of all layers before; the slowest waits for samples."""
        found, ended = [], 0
        for table in self.tables:
            finish = int(table.delivered[-1])
            found.append(max(0, finish - ended))
            ended = max(ended, finish)
        spans = [table.span_cycles for table in self.tables]
        if spans:
            found[spans.index(max(spans))] += (self.samples - 1) * self.interval_cycles
        return found


@remembered
def schedule(graph: Graph, design: AqfpBnnDesign) -> Schedule:
    """Return the schedule of `graph` on `design`."""
    network = network_of(graph)
    layers = network.layers
    places = {layer.op.name: place for place, layer in enumerate(layers)}
    tables: list[Timetable] = []
    for layer in layers:
        needs = _needs(network, layer, layers, places)
        ready = np.zeros(layer.windows, np.int64)
        for source, last in needs.items():
            arrived = np.concatenate([[0], tables[source].delivered])
            ready = np.maximum(ready, arrived[last + 1])
        tables.append(_timetable(map_layer(layer, design), needs, ready, design))
    spans = [table.span_cycles for table in tables]
    ends = [int(table.delivered[-1]) for table in tables]
    samples = max((layer.samples for layer in layers), default=1)
    return Schedule(tuple(tables), samples, max(spans, default=0), max(ends, default=0))


def _timetable(mapping: Mapping, needs: dict[int, Ints], ready: Ints, design: AqfpBnnDesign) -> Timetable:
    """Run one layer: start(p) = max(start(p - lanes) + hold, ready(p)), in each lane at its own turn."""
    turns = mapping.module.interval
    lanes, hold, count = design.replication * turns, mapping.hold_cycles, len(ready)
    rounds = -(-count // lanes)
    padded = np.full(rounds * lanes, np.iinfo(np.int64).min // 2, np.int64)
    padded[:count] = ready
    turn = np.arange(lanes) % turns
    grid = padded.reshape(rounds, lanes)
    grid = grid + (turn - grid) % turns
    steps = hold * np.arange(rounds)[:, None]
    starts = (np.maximum.accumulate(grid - steps, axis=0) + steps).reshape(-1)[:count]
    delivered = np.maximum.accumulate(starts + hold + mapping.tail_cycles)
    return Timetable(mapping, lanes, needs, starts, delivered)


def _needs(
    network: Network, layer: Layer, layers: tuple[Layer, ...], places: dict[str, int]
) -> dict[int, Ints]:
    """Return for each layer before `layer` the last window of it that each window needs.

    Only normalization, sign and pooling keep the order of pixels; behind anything else all pixels that
    pooling looks at have to be there.
    """
    found: dict[int, Ints] = {}
    window, seen = layer.product.window, set[str]()
    waiting: list[tuple[str, tuple[Op, ...], bool]] = [(layer.product.left, (), window is not None)]
    while waiting:
        name, pools, plain = waiting.pop()
        before = network.producer.get(name)
        if before is None or (not plain and name in seen):
            continue
        seen.add(name)
        if before.name not in places:
            plain = plain and before.kind in ("batch_normalization", "elementwise", "max_pool")
            pools = (*pools, before) if before.kind == "max_pool" else pools
            waiting += [(other, pools, plain) for other in before.inputs if other]
            continue
        source = layers[places[before.name]]
        last = np.full(layer.windows, source.windows - 1, np.int64)
        if source.product.window is not None:
            size = source.product.window.output_size
            seen_size = network.graph.tensors[pools[0].outputs[0]].shape[2:] if pools else size
            corner = [np.full(1, extent - 1, np.int64) for extent in seen_size]
            if plain and window is not None:
                corner = _corners(window)
            for pool in pools:
                corner = _through_pool(corner, pool, network.graph.tensors[pool.inputs[0]].shape[2:])
            last = np.broadcast_to(_raster(corner, size), (layer.windows,))
        place = places[before.name]
        found[place] = np.maximum(found[place], last) if place in found else last
    return found


def _corners(window: Window) -> list[Ints]:
    """Return the last pixel inside the image of every window, one array per axis; -1: in the padding."""
    return [
        np.minimum(np.arange(count) * stride - pad + kernel - 1, size - 1)
        for count, stride, pad, kernel, size in zip(
            window.output_size, window.strides, window.pads, window.kernel, window.input_size, strict=False
        )
    ]


def _through_pool(corner: list[Ints], pool: Op, size: tuple[int, ...]) -> list[Ints]:
    kernel, strides, pads = pool.ints("kernel"), pool.ints("strides"), pool.ints("pads")
    return [
        np.where(at < 0, -1, np.minimum(at * strides[axis] - pads[axis] + kernel[axis] - 1, size[axis] - 1))
        for axis, at in enumerate(corner)
    ]


def _raster(corner: list[Ints], size: tuple[int, ...]) -> Ints:
    """Return positions in raster order; windows that see padding only need nothing."""
    position: Ints = np.zeros((1,) * len(corner), np.int64)
    empty = np.zeros((1,) * len(corner), bool)
    for axis, at in enumerate(corner):
        shape = [1] * len(corner)
        shape[axis] = len(at)
        position = position * size[axis] + at.reshape(shape)
        empty = empty | (at.reshape(shape) < 0)
    return np.asarray(np.where(empty, -1, position).reshape(-1), np.int64)
