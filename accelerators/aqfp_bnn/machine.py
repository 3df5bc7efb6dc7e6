"""The chip clock by clock: lanes of windows, every tile's bit, counters, and pixels that arrive in order."""

from __future__ import annotations

import math
from collections import Counter as Tally
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.crossbars import Programmed, decide, decode, pool_bits, program, weight_rows
from accelerators.aqfp_bnn.design import Accounting, AqfpBnnDesign, ParallelCounter
from accelerators.aqfp_bnn.host import compute
from accelerators.aqfp_bnn.mapping import UNITS
from accelerators.aqfp_bnn.network import network_of
from accelerators.aqfp_bnn.neuron import gray_zone_products, probability
from accelerators.aqfp_bnn.operands import draw
from accelerators.aqfp_bnn.schedule import Schedule, schedule
from accelerators.aqfp_bnn.tiles import key_of, unfold, uniform_words
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.graph.values import Values
from hwsim.model.types import MachineResult

Events = Tally[tuple[str, str]]


class Stage:
    """One layer: its lanes, the window in each, and the pixels it has delivered."""

    def __init__(
        self, place: int, own: Programmed, fixed: dict[str, Values], plan: Schedule, design: AqfpBnnDesign
    ) -> None:
        layer, mapping = own.layer, plan.tables[place].mapping
        self.own, self.layer, self.design = own, layer, design
        self.turns, self.tail = mapping.module.interval, mapping.tail_cycles
        self.lanes: list[_Window | None] = [None] * (design.replication * self.turns)
        self.queue = [(b, p) for b in range(plan.samples) for p in range(layer.windows)]
        self.next_of = [0] * len(self.lanes)
        self.junctions = mapping.junctions_by_unit
        weights = weight_rows(layer.op, layer.product.right, fixed)
        self.weights = np.where(own.matched.inverted[:, None], -weights, weights)
        self.thresholds = own.matched.thresholds / own.row_tiles
        self.key, self.gray_zone = key_of(design.seed, place), gray_zone_products(design)
        self.counts = np.full((plan.samples, layer.windows, layer.product.n), np.nan)
        self.waiting: dict[tuple[int, int], tuple[int, NDArray[np.int64]]] = {}
        self.delivered = 0

    def start(self, clock: int, rows_of: Any) -> None:
        """Put the next window of every free lane to work whose turn it is and whose pixels are there."""
        for lane, busy in enumerate(self.lanes):
            mine = list(range(lane, self.layer.windows, len(self.lanes)))
            done = self.next_of[lane]
            if busy or not mine or done >= len(mine) * self.counts.shape[0]:
                continue
            sample, place = done // len(mine), mine[done % len(mine)]
            rows = rows_of(self, sample, place)
            if (clock - lane % self.turns) % self.turns == 0 and not np.isnan(rows).any():
                self.lanes[lane] = _Window(sample, place, clock, self._sums(rows))
                self.next_of[lane] += 1

    def _sums(self, rows: Values) -> Values:
        size = self.design.crossbar_size
        found = np.zeros((self.own.row_tiles, len(self.weights)))
        for row, sign in enumerate(rows.tolist()):
            found[row // size] += sign * self.weights[:, row]
        return found

    def step(self, clock: int, events: Events) -> None:
        """Observe every tile of the windows whose turn it is, once."""
        for window in self.lanes:
            if window is None or (clock - window.begun) % self.turns:
                continue
            window.count += self._observe(window)
            window.turn += 1
            if self.design.accounting is Accounting.ACTIVE:
                for unit in UNITS:
                    events[unit, "clock"] += self.junctions[unit]
            if window.turn == self.design.stream_length:
                events["crossbars", "mac"] += self.weights.size
                arrives = window.begun + self.design.stream_length * self.turns + self.tail
                self.waiting[window.sample, window.place] = (arrives, window.count)

    def _observe(self, window: _Window) -> NDArray[np.int64]:
        """Return what the parallel counters of all columns see in this cycle."""
        columns, tiles, length = len(self.weights), self.own.row_tiles, self.design.stream_length
        number = window.sample * self.layer.windows + window.place
        seen = np.zeros((tiles, columns), np.int64)
        for column in range(columns):
            for tile in range(tiles):
                index = (number * columns + column) * tiles * length + window.turn * tiles + tile
                p = probability(window.sums[tile, column], self.thresholds[column], self.gray_zone)
                level = math.floor(float(p) * 2**32 + 0.5)
                random = uniform_words(self.key, np.array([index], np.uint64))
                seen[tile, column] = int(random[0]) < level
        return _counted(seen, self.design.parallel_counter)

    def free(self, clock: int) -> None:
        """End windows whose time is over, and deliver pixels in order."""
        hold = self.design.stream_length * self.turns
        for lane, window in enumerate(self.lanes):
            if window is not None and clock - window.begun >= hold:
                self.lanes[lane] = None
        while self.delivered < len(self.queue):
            place = self.queue[self.delivered]
            arrives, count = self.waiting.get(place, (clock + 1, np.zeros(0, np.int64)))
            if arrives > clock:
                return
            self.counts[place] = count
            self.delivered += 1

    def pixels(self, graph: Graph, sample: int) -> Values:
        """Return what has left the layer for a sample, nan where nothing has yet."""
        counts = self.counts[sample]
        if self.layer.decides:
            values = np.where(np.isnan(counts), np.nan, decide(self.own, counts, self.design))
        else:
            values = decode(self.own, counts, self.design, self.gray_zone)
        window = self.layer.product.window
        if window is None:
            return values
        shaped = np.moveaxis(values.reshape(1, *window.output_size, -1), -1, 1)
        for op in self.layer.pools:
            shaped = pool_bits(graph, op, self.own, shaped)
        return shaped


class _Window:
    """A window at work: its tiles' sums, and the count so far."""

    def __init__(self, sample: int, place: int, begun: int, sums: Values) -> None:
        self.sample, self.place, self.begun, self.sums = sample, place, begun, sums
        self.turn, self.count = 0, np.zeros(sums.shape[1], np.int64)


def _counted(seen: NDArray[np.int64], counter: ParallelCounter) -> NDArray[np.int64]:
    """Count the tiles' bits, exactly or in pairs by OR and AND in turn; one row per tile."""
    if counter is ParallelCounter.EXACT:
        return np.asarray(seen.sum(axis=0), np.int64)
    total = seen[len(seen) - len(seen) % 2 :].sum(axis=0)
    for i in range(0, len(seen) - 1, 2):
        total = total + 2 * (seen[i] | seen[i + 1] if i % 4 == 0 else seen[i] & seen[i + 1])
    return np.asarray(total, np.int64)


def machine(graph: Graph, design: AqfpBnnDesign, rng: np.random.Generator) -> MachineResult:
    """Step a network through all samples; values are those of its last layer."""
    fixed, inputs = draw(graph, rng)
    plan, events = schedule(graph, design), Tally[tuple[str, str]]()
    layers = [table.mapping.layer for table in plan.tables]
    stages = [
        Stage(place, program(graph, layer, fixed, design.crossbar_size), fixed, plan, design)
        for place, layer in enumerate(layers)
    ]
    made = {stage.layer.output: stage for stage in stages}
    producer = network_of(graph).producer
    clock = 0

    def pixels(name: str, sample: int) -> Values:
        if name in made:
            return made[name].pixels(graph, sample)
        if name in graph.inputs:
            here: Values = inputs[
                sample * len(inputs) // plan.samples : (sample + 1) * len(inputs) // plan.samples
            ]
            return here if clock >= sample * plan.interval_cycles else np.full(here.shape, np.nan)
        op = producer[name]
        return compute(graph, op, [pixels(op.inputs[0], sample)])

    def rows_of(stage: Stage, sample: int, place: int) -> Values:
        image, window = pixels(stage.layer.product.left, sample), stage.layer.product.window
        rows = image.reshape(-1, stage.layer.product.k) if window is None else unfold(image, window)
        return np.asarray(rows[place], np.float64)

    while any(stage.delivered < len(stage.queue) for stage in stages):
        for stage in stages:
            stage.free(clock)
        if all(stage.delivered == len(stage.queue) for stage in stages):
            break
        for stage in stages:
            stage.start(clock, rows_of)
        for stage in stages:
            stage.step(clock, events)
        if design.accounting is Accounting.ALWAYS_ON:
            for stage in stages:
                for unit in UNITS:
                    events[unit, "clock"] += stage.junctions[unit] * design.replication
        clock += 1
    events["pipeline", "clock"] = clock
    for layer in layers:
        for op in (layer.op, *layer.posts):
            for name, count in work_of(graph, op).primitives.items():
                events["accumulators", name] += count
    values = np.concatenate([stages[-1].pixels(graph, sample) for sample in range(plan.samples)])
    return MachineResult(values, clock, dict(events))


def reference(graph: Graph, design: AqfpBnnDesign, rng: np.random.Generator) -> Values:
    """Return the values of `machine` by whole-array operations on the same random numbers."""
    fixed, inputs = draw(graph, rng)
    gray_zone, values = gray_zone_products(design), {**fixed, graph.inputs[0]: inputs}
    layers = network_of(graph).layers
    owned = {op.name for layer in layers for op in layer.posts}
    places = {layer.op.name: place for place, layer in enumerate(layers)}
    for op in graph.ops:
        if op.name in owned:
            continue
        if op.name not in places:
            values[op.outputs[0]] = compute(graph, op, [values[name] for name in op.inputs if name])
            continue
        layer = layers[places[op.name]]
        own = program(graph, layer, fixed, design.crossbar_size)
        image, window = values[layer.product.left], layer.product.window
        rows = image.reshape(-1, layer.product.k) if window is None else unfold(image, window)
        weights = weight_rows(op, layer.product.right, fixed)
        signs = np.where(own.matched.inverted[:, None], -weights, weights)
        counts = _all_counts(own, rows, signs, design, gray_zone, places[op.name])
        found = decide(own, counts, design) if layer.decides else decode(own, counts, design, gray_zone)
        if window is not None:
            found = np.moveaxis(found.reshape(len(image), *window.output_size, -1), -1, 1)
            for pool in layer.pools:
                found = pool_bits(graph, pool, own, found)
        values[layer.output] = found
    return values[layers[-1].output]


def _all_counts(
    own: Programmed, rows: Values, weights: Values, design: AqfpBnnDesign, gray_zone: float, place: int
) -> Values:
    tiles, length, size = own.row_tiles, design.stream_length, design.crossbar_size
    sums = np.stack(
        [rows[:, t * size : (t + 1) * size] @ weights[:, t * size : (t + 1) * size].T for t in range(tiles)],
        axis=2,
    )
    p = probability(sums, own.matched.thresholds[:, None] / tiles, gray_zone)
    shape = (len(rows), len(weights), length, tiles)
    numbers = np.arange(math.prod(shape), dtype=np.uint64)
    random = uniform_words(key_of(design.seed, place), numbers).reshape(shape)
    seen = (random < np.floor(p[:, :, None, :] * 2**32 + 0.5)).astype(np.int64)
    counted = _counted(np.moveaxis(seen, 3, 0), design.parallel_counter)
    return np.asarray(counted.sum(axis=2), np.float64)
