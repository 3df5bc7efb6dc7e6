"""The data path clock by clock on real signs: a channel adds what differs to the sum of its parent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.operands import operands
from accelerators.mst_bnn.streaming import pipeline_of
from accelerators.mst_bnn.trees import Schedule, schedule_of
from hwsim.graph.engines import Stage
from hwsim.graph.types import Graph
from hwsim.model.dataflow import Dataflow, Entering
from hwsim.model.dataflow.machine import Events
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]


class Engine:
    """A layer with weights: a binary one takes a position a clock and passes it down its levels."""

    def __init__(
        self, stage: Stage, weights: Ints, schedule: Schedule | None, images: int, design: MstBnnDesign
    ) -> None:
        self.stage, self.weights, self.schedule, self.design = stage, weights, schedule, design
        self.sums = np.zeros((images, len(weights), stage.pixels), np.int64)
        self.issued = self.finished = 0
        self.flying: list[tuple[int, int, Ints, Ints]] = []

    @property
    def free(self) -> bool:
        """Whether a position may enter in this clock: a tree takes one a clock, MACs one after another."""
        return self.schedule is not None or not self.flying

    def step(self, entering: Entering | None, events: Events) -> None:
        """Do one clock."""
        if entering is not None:
            self.flying.append((self.issued, 0, entering.row, np.zeros(len(self.weights), np.int64)))
            self.issued += 1
        if self.schedule is None:
            self._step_macs(events)
        else:
            self._step_tree(self.schedule.levels * self.design.level_cycles, events)

    def _step_tree(self, cycles: int, events: Events) -> None:
        """Move every position on by a clock; it leaves after `cycles` of them."""
        moved = []
        for position, age, inputs, sums in self.flying:
            if age % self.design.level_cycles == 0:
                self._level(age // self.design.level_cycles, inputs, sums, events)
            if age + 1 < cycles:
                moved.append((position, age + 1, inputs, sums))
            else:
                self._leave(position, sums)
        self.flying = moved

    def _level(self, level: int, inputs: Ints, sums: Ints, events: Events) -> None:
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

    def _step_macs(self, events: Events) -> None:
        """Do up to `mac_units` MACs of the position that is being worked on."""
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
        self.flying = []
        self._leave(position, sums)
        events["weight_memory", "read"] += 1

    def _leave(self, position: int, sums: Ints) -> None:
        image, pixel = divmod(position, self.stage.pixels)
        self.sums[image, :, pixel] = sums
        self.finished += 1


def machine(graph: Graph, design: MstBnnDesign, rng: np.random.Generator) -> MachineResult:
    """Run a network of layers with thresholds between them; values are those of the last operator."""
    pipeline, arrays = pipeline_of(graph, design), operands(graph, design, rng)
    engines = {}
    for stage in pipeline.stages:
        if stage.product is None:
            continue
        weights = arrays[stage.product.right].reshape(stage.product.n, -1).astype(np.int64)
        schedule = None
        if stage.op.name in pipeline.layers:
            signs = weights.astype(np.int8)
            schedule = schedule_of(signs, design.tree_depth, complement=design.complement)
        engines[stage.op.name] = Engine(stage, weights, schedule, pipeline.images, design)
    return Dataflow(graph, pipeline.stages, arrays, engines).result()
