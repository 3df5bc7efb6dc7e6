"""The pipeline clock by clock on real signs: XNOR, popcount, threshold, one fold of every engine a clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.folding import Fold
from accelerators.finn_bnn.streaming import pipeline_of
from hwsim.graph.binary import binary_layers, draw
from hwsim.graph.engines import Stage
from hwsim.graph.types import Graph
from hwsim.model.dataflow import Dataflow, Entering
from hwsim.model.dataflow.machine import Events
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]


class Engine:
    """A layer with weights: vectors of SIMD inputs meet the weights of PE outputs, one pair a clock."""

    def __init__(self, stage: Stage, fold: Fold, weights: Ints, images: int, *, binary: bool) -> None:
        self.stage, self.fold, self.binary = stage, fold, binary
        outputs, inputs = weights.shape
        self.weights, self.used = np.zeros((2, fold.n, fold.k), np.int64)
        self.weights[:outputs, :inputs], self.used[:outputs, :inputs] = weights, 1
        self.sums = np.zeros((images, outputs, stage.pixels), np.int64)
        self.issued = self.finished = self.phase = 0
        self.row, self.inside = np.zeros((2, fold.k), np.int64)
        self.partial = np.zeros(fold.n, np.int64)

    @property
    def free(self) -> bool:
        """Whether the position before is done."""
        return self.issued == self.finished

    def step(self, entering: Entering | None, events: Events) -> None:
        """Do one fold of the position that is worked on, if there is one."""
        if entering is not None:
            width = len(entering.row)
            self.row[:width], self.inside[:width] = entering
            self.partial[:] = 0
            self.issued += 1
        if self.free:
            return
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
        if self.phase == fold.clocks:
            image, pixel = divmod(self.finished, self.stage.pixels)
            self.sums[image, :, pixel] = self.partial[: self.sums.shape[1]]
            self.phase, self.finished = 0, self.finished + 1


def machine(graph: Graph, design: FinnBnnDesign, rng: np.random.Generator) -> MachineResult:
    """Run a network of layers with thresholds between them; values are those of the last operator."""
    pipeline, arrays, binary = pipeline_of(graph, design), draw(graph, rng), binary_layers(graph)
    engines = {
        stage.op.name: Engine(
            stage,
            pipeline.layers[stage.op.name],
            arrays[stage.product.right].reshape(stage.product.n, -1).astype(np.int64),
            pipeline.images,
            binary=stage.op.name in binary,
        )
        for stage in pipeline.stages
        if stage.product is not None
    }
    return Dataflow(graph, pipeline.stages, arrays, engines).result()
