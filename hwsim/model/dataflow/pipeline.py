"""Clocks of a network whose engines start as soon as they can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from hwsim.graph.dataflow import Flow
from hwsim.graph.engines import MOVED, STREAMED, Stage, images_of, pixels_of
from hwsim.graph.types import Graph, Role

LayerT = TypeVar("LayerT")


@dataclass(frozen=True, slots=True)
class Pipeline(Generic[LayerT]):
    """Clocks of a network.

    Attributes
    ----------
    stages : tuple of Stage
        One per operator.
    layers : mapping of str to anything
        What the chip worked out for operators with weights, by their names.
    clocks : tuple of int
        Clocks for which a position keeps each stage; 0 where another engine does its work.
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
    layers: Mapping[str, LayerT]
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


def paced(
    graph: Graph,
    stages: tuple[Stage, ...],
    layers: Mapping[str, LayerT],
    clocks: tuple[int, ...],
    delays: tuple[int, ...] | None = None,
) -> Pipeline[LayerT]:
    """Return the clocks of `graph`: a position is done ``clocks`` after the one before and its inputs.

    Parameters
    ----------
    graph, stages, layers, clocks
        As in `Pipeline`.
    delays : tuple of int, optional
        Clocks after which a position that no longer keeps the engine has left it.

    Raises
    ------
    InputError
        More positions than can be followed.
    """
    images = max((images_of(graph.tensors[name]) for name in graph.inputs), default=1)
    interval = max((each * stage.pixels for each, stage in zip(clocks, stages, strict=True)), default=0)
    flow = Flow(graph, stages, clocks, delays)
    return Pipeline(stages, layers, clocks, flow.ends(1), interval, images, flow.ends(images))


def passing_clocks(graph: Graph, stage: Stage, lanes: int) -> int:
    """Return the clocks of a position of an operator without weights: `lanes` channels at a time.

    Every position of its operands passes; aliases, and what an engine before it absorbs, take none.
    """
    op = stage.op
    if stage.absorbed or op.kind not in (*STREAMED, *MOVED):
        return 0
    data = [t for t in graph.operands(op) if t is not None and t.role not in (Role.WEIGHT, Role.CONSTANT)]
    visits = max(1, *(-(-pixels_of(tensor) // stage.pixels) for tensor in data))
    return visits * -(-stage.channels // lanes)
