"""The data path clock by clock on real signs: a channel adds what differs to the sum of its parent."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.operands import operands
from accelerators.mst_bnn.streaming import pipeline_of
from accelerators.mst_bnn.trees import Schedule, schedule_of
from hwsim.graph.binary import thresholds_of
from hwsim.graph.engines import Stage, images_of, is_activation, levels_of, needs_of, pixels_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Tensor
from hwsim.graph.values import unfold
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]


class Engine:
    """A layer with weights: a binary one takes a position a clock and passes it down its levels."""

    def __init__(self, graph: Graph, stage: Stage, weights: Ints, schedule: Schedule | None, images: int,
                 design: MstBnnDesign) -> None:
        product = stage.product
        if product is None:
            raise ValueError(f"{stage.op.name} has no weights")
        self.stage, self.weights, self.schedule, self.design = stage, weights, schedule, design
        self.source, self.needs = product.left, needs_of(graph, stage, graph.tensors[product.left])
        self.sums = np.zeros((images, product.n, stage.pixels), np.int64)
        self.total, self.issued, self.finished = images * stage.pixels, 0, 0
        self.flying: list[tuple[int, int, Ints, Ints]] = []

    @property
    def place(self) -> tuple[int, int]:
        """Image and position to take next."""
        return divmod(self.issued, self.stage.pixels)

    def step(self, row: Ints | None, events: Counter[tuple[str, str]]) -> None:
        """Do one clock: `row` is what enters, None where nothing may."""
        if self.schedule is None:
            self._step_macs(row, events)
            return
        if row is not None:
            self.flying.append((self.issued, 0, row, np.zeros(len(self.weights), np.int64)))
            self.issued += 1
        moved = []
        for position, age, inputs, sums in self.flying:
            if age % self.design.level_cycles == 0:
                self._level(age // self.design.level_cycles, inputs, sums, events)
            if age + 1 < self.schedule.levels * self.design.level_cycles:
                moved.append((position, age + 1, inputs, sums))
                continue
            image, pixel = divmod(position, self.stage.pixels)
            self.sums[image, :, pixel] = sums
            self.finished += 1
        self.flying = moved

    def _level(self, level: int, inputs: Ints, sums: Ints, events: Counter[tuple[str, str]]) -> None:
        """Work out the channels of one level from those of the level above."""
        schedule = self.schedule
        if schedule is None:
            raise ValueError("no schedule")
        for channel in np.flatnonzero(schedule.depth == level):
            weights, parent = self.weights[channel], int(schedule.parent[channel])
            if parent < 0:
                # XNOR and popcount in numbers: agreeing positions count 1, others -1, padding nothing.
                sums[channel] = int((weights * inputs).sum())
                events["engine", "xnor"] += len(weights)
                continue
            start = -self.weights[parent] if schedule.opposite[channel] else self.weights[parent]
            differ = np.flatnonzero(weights != start)
            above = -sums[parent] if schedule.opposite[channel] else sums[parent]
            sums[channel] = above + 2 * int((inputs[differ] * weights[differ]).sum())
            events["engine", "xnor"] += len(differ)
            events["tree", "add"] += 1

    def _step_macs(self, row: Ints | None, events: Counter[tuple[str, str]]) -> None:
        """Do up to `mac_units` MACs of the position that is being worked on."""
        if row is not None:
            self.flying = [(self.issued, 0, row, np.zeros(len(self.weights), np.int64))]
            self.issued += 1
        if not self.flying:
            return
        position, done, inputs, sums = self.flying[0]
        outputs, k = self.weights.shape
        taken = np.arange(done, min(done + self.design.mac_units, outputs * k))
        np.add.at(sums, taken // k, self.weights[taken // k, taken % k] * inputs[taken % k])
        events["engine", "mac"] += len(taken)
        if taken[-1] + 1 < outputs * k:
            self.flying = [(position, int(taken[-1]) + 1, inputs, sums)]
            return
        image, pixel = divmod(position, self.stage.pixels)
        self.sums[image, :, pixel] = sums
        self.flying, self.finished = [], self.finished + 1
        events["weight_memory", "read"] += 1

    @property
    def may_issue(self) -> bool:
        """Whether a position may enter in this clock, as far as the engine is concerned."""
        return self.issued < self.total and (self.schedule is not None or not self.flying)


class Dataflow:
    """All engines of a network and what they have made so far."""

    def __init__(self, graph: Graph, design: MstBnnDesign, rng: np.random.Generator) -> None:
        self.graph, self.pipeline = graph, pipeline_of(graph, design)
        self.arrays = operands(graph, design, rng)
        self.by_result = {stage.op.outputs[0]: stage for stage in self.pipeline.stages}
        self.engines: dict[str, Engine] = {}
        for stage in self.pipeline.stages:
            if stage.product is None:
                continue
            weights = self.arrays[stage.product.right].reshape(stage.product.n, -1).astype(np.int64)
            schedule = None
            if stage.op.name in self.pipeline.reuse:
                signs = weights.astype(np.int8)
                schedule = schedule_of(signs, design.tree_depth, complement=design.complement)
            self.engines[stage.op.outputs[0]] = Engine(
                graph, stage, weights, schedule, self.pipeline.images, design)
        self.events: Counter[tuple[str, str]] = Counter()

    def arrived(self, tensor: Tensor, image: int, position: int) -> bool:
        """Return whether a position of a tensor has left the engine that makes it."""
        if tensor.name in self.engines:
            engine = self.engines[tensor.name]
            return engine.finished > image * engine.stage.pixels + position
        if tensor.name not in self.by_result:
            return True
        stage = self.by_result[tensor.name]
        before = self.graph.tensors[stage.op.inputs[0]]
        return self.arrived(before, image, int(needs_of(self.graph, stage, before)[position]))

    def value(self, name: str) -> Ints:
        """Return what is known of a tensor as [images, channels, positions]."""
        if name in self.engines:
            return self.engines[name].sums
        if name not in self.by_result:
            found = self.arrays[name].astype(np.int64)
            return found.reshape(found.shape[0], found.shape[1], -1)
        op = self.by_result[name].op
        before = self.value(op.inputs[0])
        if op.kind == "reshape":
            return before.reshape(len(before), -1, 1)
        if op.kind == "batch_normalization":
            return before
        return thresholds_of(self.graph, op, self.arrays).signs(before.astype(np.float64)).astype(np.int64)

    def run(self) -> int:
        """Step until the last result is there; return the clocks."""
        clock = 0
        while any(engine.finished < engine.total for engine in self.engines.values()):
            rows = [self._entering(engine) for engine in self.engines.values()]
            for engine, row in zip(self.engines.values(), rows, strict=True):
                engine.step(row, self.events)
            clock += 1
            self.events["pipeline", "clock"] += 1
        return clock

    def _entering(self, engine: Engine) -> Ints | None:
        """Return the inputs of the position that may enter an engine in this clock."""
        if not engine.may_issue:
            return None
        image, pixel = engine.place
        if not self.arrived(self.graph.tensors[engine.source], image, int(engine.needs[pixel])):
            return None
        self.events["buffer", "read"] += 1
        rows = _rows(engine.stage, self.value(engine.source)[image : image + 1])
        entering: Ints = rows[pixel]
        return entering


def _rows(stage: Stage, source: Ints) -> Ints:
    """Return the inputs of every position of an image [1, c, positions], zeros at padding."""
    window = stage.product.window if stage.product is not None else None
    if window is None:
        return source.reshape(1, -1)
    shaped = source.reshape(1, source.shape[1], *window.input_size).astype(np.float64)
    return unfold(shaped, window.kernel, window.strides, window.pads).astype(np.int64)


def machine(graph: Graph, design: MstBnnDesign, rng: np.random.Generator) -> MachineResult:
    """Run a network of layers with thresholds between them; values are those of the last operator."""
    flow = Dataflow(graph, design, rng)
    clocks = flow.run()
    for stage in flow.pipeline.stages:
        result = graph.tensors[stage.op.outputs[0]]
        if stage.product is not None:
            left = graph.tensors[stage.product.left]
            flow.events["buffer", "write"] += images_of(left) * pixels_of(left)
        elif stage.absorbed:
            for name, count in work_of(graph, stage.op).primitives.items():
                flow.events["folded", name] += count
            if is_activation(stage.op):
                flow.events["thresholds", "compare"] += result.elements * (levels_of(result) - 1)
    result = graph.tensors[graph.ops[-1].outputs[0]]
    return MachineResult(flow.value(result.name).reshape(result.shape), clocks, dict(flow.events))
