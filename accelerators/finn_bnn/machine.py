"""The pipeline clock by clock on real signs: XNOR, popcount, threshold, one fold of every engine a clock."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.folding import Fold
from accelerators.finn_bnn.streaming import Pipeline, pipeline_of
from hwsim.graph.binary import draw, thresholds_of
from hwsim.graph.engines import (
    Stage,
    images_of,
    is_activation,
    levels_of,
    needs_of,
    pixels_of,
)
from hwsim.graph.ops import work_of
from hwsim.graph.types import FormatKind, Graph, Tensor
from hwsim.graph.values import unfold
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]


class Engine:
    """A layer with weights: vectors of SIMD inputs meet the weights of PE outputs, one pair a clock."""

    def __init__(self, graph: Graph, stage: Stage, fold: Fold, weights: Ints, images: int) -> None:
        product = stage.product
        if product is None:
            raise ValueError(f"{stage.op.name} has no weights")
        self.graph, self.stage, self.fold, self.source = graph, stage, fold, product.left
        self.weights = np.zeros((fold.n, fold.k), np.int64)
        self.weights[: weights.shape[0], : weights.shape[1]] = weights
        self.used = np.zeros((fold.n, fold.k), np.int64)
        self.used[: weights.shape[0], : weights.shape[1]] = 1
        self.binary = all(
            graph.tensors[name].format.kind is FormatKind.BINARY for name in (product.left, product.right)
        )
        self.needs = needs_of(graph, stage, graph.tensors[product.left])
        self.sums = np.zeros((images, product.n, stage.pixels), np.int64)
        self.total = images * stage.pixels
        self.position = self.phase = 0
        self.row = self.inside = np.zeros(0, np.int64)
        self.partial = np.zeros(fold.n, np.int64)

    @property
    def place(self) -> tuple[int, int]:
        """Image and position that are worked on, or next."""
        return divmod(self.position, self.stage.pixels)

    def fetch(self, source: Ints) -> None:
        """Take the inputs of the next position from what has arrived."""
        image, pixel = self.place
        rows, inside = windows(self.graph, self.stage, source[image : image + 1])
        self.row, self.inside = np.zeros(self.fold.k, np.int64), np.zeros(self.fold.k, np.int64)
        self.row[: rows.shape[1]], self.inside[: rows.shape[1]] = rows[pixel], inside[pixel]
        self.partial[:] = 0

    def step(self, events: Counter[tuple[str, str]]) -> bool:
        """Do one fold; True when the position is done."""
        fold, blocks = self.fold, self.fold.k // self.fold.simd
        outputs, inputs = divmod(self.phase, blocks)
        rows = slice(outputs * fold.pe, (outputs + 1) * fold.pe)
        columns = slice(inputs * fold.simd, (inputs + 1) * fold.simd)
        weights, x, inside = self.weights[rows, columns], self.row[columns], self.inside[columns]
        if self.binary:
            agree = (weights == x) & (inside == 1) & (weights != 0)
            self.partial[rows] += 2 * agree.sum(axis=1) - ((inside == 1) & (weights != 0)).sum(axis=1)
        else:
            self.partial[rows] += weights @ x
        useful = int(self.used[rows, columns].sum())
        events["engine", "mac"] += useful
        events["engine", "padding"] += weights.size - useful
        events["engine", "accumulate"] += fold.pe
        events["weight_memory", "read"] += 1
        self.phase += 1
        if self.phase < fold.clocks:
            return False
        image, pixel = self.place
        self.sums[image, :, pixel] = self.partial[: self.sums.shape[1]]
        self.phase, self.position = 0, self.position + 1
        events["buffer", "read"] += 1
        return True


def windows(graph: Graph, stage: Stage, source: Ints) -> tuple[Ints, Ints]:
    """Return the rows that a layer takes from [images, c, positions], and one where they are no padding."""
    window = stage.product.window if stage.product is not None else None
    if window is None:
        flat = source.reshape(len(source), -1)
        return flat, np.ones_like(flat)
    shaped = source.reshape(len(source), source.shape[1], *window.input_size).astype(np.float64)
    rows = unfold(shaped, window.kernel, window.strides, window.pads)
    inside = unfold(np.ones_like(shaped), window.kernel, window.strides, window.pads)
    return rows.astype(np.int64), inside.astype(np.int64)


class Dataflow:
    """All engines of a network, what they have made so far, and the clock."""

    def __init__(self, graph: Graph, design: FinnBnnDesign, rng: np.random.Generator) -> None:
        self.graph, self.pipeline = graph, pipeline_of(graph, design)
        self.arrays = draw(graph, rng)
        self.by_result = {stage.op.outputs[0]: stage for stage in self.pipeline.stages}
        self.engines = {
            stage.op.outputs[0]: Engine(
                graph,
                stage,
                self.pipeline.folds[stage.op.name],
                self.arrays[stage.op.inputs[1]].reshape(stage.product.n, -1).astype(np.int64),
                self.pipeline.images,
            )
            for stage in self.pipeline.stages
            if stage.product is not None
        }
        self.events: Counter[tuple[str, str]] = Counter()

    def arrived(self, tensor: Tensor, image: int, position: int) -> bool:
        """Return whether a position of a tensor has left the engine that makes it."""
        if tensor.name in self.engines:
            engine = self.engines[tensor.name]
            return engine.position > image * engine.stage.pixels + position
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
        while any(engine.position < engine.total for engine in self.engines.values()):
            ready = [engine for engine in self.engines.values() if self._may_step(engine)]
            for engine in ready:
                engine.step(self.events)
            clock += 1
            self.events["pipeline", "clock"] += 1
        return clock

    def _may_step(self, engine: Engine) -> bool:
        """Return whether the engine works in this clock: what it needs arrived in clocks before."""
        if engine.position >= engine.total:
            return False
        if engine.phase:
            return True
        image, pixel = engine.place
        if not self.arrived(self.graph.tensors[engine.source], image, int(engine.needs[pixel])):
            return False
        engine.fetch(self.value(engine.source))
        return True


def machine(graph: Graph, design: FinnBnnDesign, rng: np.random.Generator) -> MachineResult:
    """Run a network of layers with thresholds between them; values are those of the last operator."""
    flow = Dataflow(graph, design, rng)
    clocks = flow.run()
    _count_rest(flow.events, graph, flow.pipeline)
    result = graph.tensors[graph.ops[-1].outputs[0]]
    return MachineResult(flow.value(result.name).reshape(result.shape), clocks, dict(flow.events))


def _count_rest(events: Counter[tuple[str, str]], graph: Graph, pipeline: Pipeline) -> None:
    """Count what thresholds decided and buffers took in, once for everything that passed."""
    for stage in pipeline.stages:
        result = graph.tensors[stage.op.outputs[0]]
        if stage.product is not None:
            left = graph.tensors[stage.product.left]
            events["buffer", "write"] += images_of(left) * pixels_of(left)
        elif stage.absorbed:
            for name, count in work_of(graph, stage.op).primitives.items():
                events["folded", name] += count
            if is_activation(stage.op):
                events["thresholds", "compare"] += result.elements * (levels_of(result) - 1)

