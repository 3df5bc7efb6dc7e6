"""A network stepped clock by clock: engines take positions whose inputs have arrived, and pass results on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.binary import thresholds_of
from hwsim.graph.engines import Stage, images_of, is_activation, levels_of, needs_of, pixels_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Tensor
from hwsim.graph.values import Values, unfold
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]
Events = Counter[tuple[str, str]]


class Entering(NamedTuple):
    """Inputs of one position, int64[k]: zeros at padding, and where `inside` is 0."""

    row: Ints
    inside: Ints


class Engine(Protocol):
    """A layer with weights, clock by clock.

    Attributes
    ----------
    stage : Stage
        Its operator.
    sums : int64[images, channels, positions]
        Results, as far as they are known.
    issued, finished : int
        Positions of all images that have been taken, and that have left, in order.
    """

    stage: Stage
    sums: Ints
    issued: int
    finished: int

    @property
    def free(self) -> bool:
        """Whether a position may enter in this clock, if there is one."""

    def step(self, entering: Entering | None, events: Events) -> None:
        """Do one clock; None where no position enters."""


class Dataflow:
    """All engines of a network, what they have made so far, and what happened.

    Parameters
    ----------
    graph : Graph
        Layers with weights, normalizations, activations and reshapes.
    stages : sequence of Stage
        Its operators.
    arrays : mapping of str to float64[...]
        Inputs and parameters.
    engines : mapping of str to Engine
        By the name of the operator.
    """

    def __init__(
        self,
        graph: Graph,
        stages: Sequence[Stage],
        arrays: Mapping[str, Values],
        engines: Mapping[str, Engine],
    ) -> None:
        self.graph, self.stages, self.arrays = graph, stages, arrays
        self.by_result = {stage.op.outputs[0]: stage for stage in stages}
        self.engines = {engine.stage.op.outputs[0]: engine for engine in engines.values()}
        self.needs = {
            name: needs_of(graph, stage, graph.tensors[_source(stage)])
            for name, stage in self.by_result.items()
        }
        self.inside = {name: _inside(graph, engine.stage) for name, engine in self.engines.items()}
        self.events: Events = Counter()

    def result(self) -> MachineResult:
        """Step until the last result is there; values are those of the last operator."""
        clocks = self._run()
        self._count_rest()
        last = self.graph.tensors[self.graph.ops[-1].outputs[0]]
        return MachineResult(self.value(last.name).reshape(last.shape), clocks, dict(self.events))

    def arrived(self, tensor: Tensor, image: int, position: int) -> bool:
        """Return whether a position of a tensor has left the engine that makes it."""
        if tensor.name in self.engines:
            engine = self.engines[tensor.name]
            return engine.finished > image * engine.stage.pixels + position
        if tensor.name not in self.by_result:
            return True
        before = self.graph.tensors[_source(self.by_result[tensor.name])]
        return self.arrived(before, image, int(self.needs[tensor.name][position]))

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

    def _run(self) -> int:
        clock = 0
        totals = {name: engine.stage.pixels * len(engine.sums) for name, engine in self.engines.items()}
        while any(engine.finished < totals[name] for name, engine in self.engines.items()):
            # What enters is looked up for all before any works: results arrive in clocks before.
            entering = [
                self._entering(name) if engine.issued < totals[name] else None
                for name, engine in self.engines.items()
            ]
            for engine, inputs in zip(self.engines.values(), entering, strict=True):
                engine.step(inputs, self.events)
                self.events["buffer", "read"] += inputs is not None
            clock += 1
            self.events["pipeline", "clock"] += 1
        return clock

    def _entering(self, name: str) -> Entering | None:
        """Return the inputs of the next position of an engine, if it is free and they have arrived."""
        engine = self.engines[name]
        image, pixel = divmod(engine.issued, engine.stage.pixels)
        source = _source(engine.stage)
        if not engine.free:
            return None
        if not self.arrived(self.graph.tensors[source], image, int(self.needs[name][pixel])):
            return None
        rows = _rows(engine.stage, self.value(source)[image : image + 1])
        return Entering(rows[pixel], self.inside[name][pixel])

    def _count_rest(self) -> None:
        """Count what thresholds decided and buffers took in, once for everything that passed."""
        for stage in self.stages:
            result = self.graph.tensors[stage.op.outputs[0]]
            if stage.product is not None:
                left = self.graph.tensors[stage.product.left]
                self.events["buffer", "write"] += images_of(left) * pixels_of(left)
            elif stage.absorbed:
                for name, count in work_of(self.graph, stage.op).primitives.items():
                    self.events["folded", name] += count
                if is_activation(stage.op):
                    self.events["thresholds", "compare"] += result.elements * (levels_of(result) - 1)


def _source(stage: Stage) -> str:
    """Return the tensor that a stage waits for."""
    return stage.product.left if stage.product is not None else stage.op.inputs[0]


def _rows(stage: Stage, source: Ints) -> Ints:
    """Return the inputs of every position of an image [1, c, positions], zeros at padding."""
    window = stage.product.window if stage.product is not None else None
    if window is None:
        return source.reshape(1, -1)
    shaped = source.reshape(1, source.shape[1], *window.input_size).astype(np.float64)
    return unfold(shaped, window.kernel, window.strides, window.pads).astype(np.int64)


def _inside(graph: Graph, stage: Stage) -> Ints:
    """Return one where the inputs of a position are no padding."""
    left = graph.tensors[_source(stage)]
    return _rows(stage, np.ones((1, left.shape[1], pixels_of(left)), np.int64))
