"""When every engine is done: completion times of a pipeline whose engines start as soon as they can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.folding import Fold, folds_of
from hwsim.graph.dataflow import Flow
from hwsim.graph.engines import MOVED, STREAMED, Stage, images_of, stages_of
from hwsim.graph.remember import remembered
from hwsim.graph.types import Graph, Role


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Clocks of a network.

    Attributes
    ----------
    stages : tuple of Stage
        One per operator.
    folds : mapping of str to Fold
        Layers with weights.
    clocks : tuple of int
        Clocks that each stage takes for one position; 0 where another engine does its work.
    latency_cycles : int
        Clocks from an image in an empty pipeline to its last result.
    interval_cycles : int
        Clocks from one image to the next in a full pipeline: those of the busiest engine.
    images : int
        Images of the batch.
    total_cycles : int
        Clocks of the whole batch.
    """

    stages: tuple[Stage, ...]
    folds: dict[str, Fold]
    clocks: tuple[int, ...]
    latency_cycles: int
    interval_cycles: int
    images: int
    total_cycles: int

    @property
    def busy(self) -> tuple[int, ...]:
        """Clocks for which each stage works on an image."""
        return tuple(each * stage.pixels for each, stage in zip(self.clocks, self.stages, strict=True))

    @property
    def busiest(self) -> int:
        """Index of the stage that sets the interval."""
        return self.busy.index(max(self.busy))


@remembered
def pipeline_of(graph: Graph, design: FinnBnnDesign) -> Pipeline:
    """Return the clocks of `graph`: a position is done ``clocks`` after the one before and its inputs.

    With FIFOs that never fill, done[p] = max(done[p - 1], ready[p]) + clocks: a running maximum.
    """
    stages, folds = stages_of(graph), folds_of(graph, design)
    clocks = tuple(clocks_of(graph, stage, folds, design) for stage in stages)
    busy = [each * stage.pixels for each, stage in zip(clocks, stages, strict=True)]
    images = max((images_of(graph.tensors[name]) for name in graph.inputs), default=1)
    flow = Flow(graph, stages, clocks)
    latency, total = flow.ends(1), flow.ends(images)
    return Pipeline(stages, folds, clocks, latency, max(busy, default=0), images, total)


def clocks_of(graph: Graph, stage: Stage, folds: dict[str, Fold], design: FinnBnnDesign) -> int:
    """Return the clocks of one position: a fold, or so many channels at a time of every input position."""
    op = stage.op
    if op.name in folds:
        return folds[op.name].clocks
    if stage.absorbed or op.kind not in (*STREAMED, *MOVED):
        return 0
    data = [t for t in graph.operands(op) if t is not None and t.role not in (Role.WEIGHT, Role.CONSTANT)]
    visits = max(1, *(-(-_positions(tensor.shape) // stage.pixels) for tensor in data))
    return visits * -(-stage.channels // design.stream_lanes)


def _positions(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape[2:], dtype=np.int64))
