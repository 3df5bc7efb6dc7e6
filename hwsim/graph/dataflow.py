"""When a pipeline is done whose engines start on a position as soon as its inputs have arrived.

With FIFOs that never fill, done[p] = max(done[p - 1], ready[p]) + clocks: a running maximum over positions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.graph.engines import Stage, needs_of
from hwsim.graph.types import Graph

Ints = NDArray[np.int64]
MOST_POSITIONS = 2**25


class Flow:
    """Completion times of image after image.

    Parameters
    ----------
    graph : Graph
        Network.
    stages : tuple of Stage
        Its operators, in order.
    clocks : tuple of int
        Clocks for which a position keeps the engine of each stage.
    delays : tuple of int
        Clocks from there until the position has left the pipeline inside the engine.

    Raises
    ------
    InputError
        More positions than fit into memory.
    """

    def __init__(self, graph: Graph, stages: tuple[Stage, ...], clocks: tuple[int, ...],
                 delays: tuple[int, ...] | None = None) -> None:
        positions = sum(stage.pixels for stage in stages)
        if positions > MOST_POSITIONS:
            raise InputError(f"has {positions:,} positions in all layers; up to {MOST_POSITIONS:,} are "
                             "followed through a pipeline", where=graph.name, hint="check the sizes")
        made = {name: index for index, stage in enumerate(stages) for name in stage.op.outputs}
        self.stages, self.clocks, self.delays = stages, clocks, delays or (0,) * len(stages)
        self.sources = [
            [
                (made[name], needs_of(graph, stage, graph.tensors[name]))
                for name in stage.op.inputs
                if name in made
            ]
            for stage in stages
        ]
        # What a stage settles into: its own clocks an image, or those of a slower one before it.
        self.rates: list[int] = []
        for index, stage in enumerate(stages):
            before = [self.rates[source] for source, _ in self.sources[index]]
            self.rates.append(max([clocks[index] * stage.pixels, *before]))

    def ends(self, images: int) -> int:
        """Return the clock at which the last of `images` is done.

        Once all times of an image lie the stage's rate behind those of the image before, they do so for ever:
        what comes from a faster stage no longer decides, all else moves at the same rate.
        """
        free = [0] * len(self.stages)
        done = self._image(free)
        for image in range(1, images):
            found = self._image(free)
            if all(
                (new - old == rate).all() for new, old, rate in zip(found, done, self.rates, strict=True)
            ):
                rest = images - 1 - image
                return max(
                    int(times[-1]) + rest * rate for times, rate in zip(found, self.rates, strict=True)
                )
            done = found
        return max((int(times[-1]) for times in done), default=0)

    def _image(self, free: list[int]) -> list[Ints]:
        """Return the completion times of an image by stage; moves on when each stage is `free`."""
        found: list[Ints] = []
        for index, stage in enumerate(self.stages):
            ready = np.full(stage.pixels, free[index], np.int64)
            for source, needs in self.sources[index]:
                ready = np.maximum(ready, found[source][needs])
            left = completion(ready, self.clocks[index])
            free[index] = int(left[-1])
            found.append(left + self.delays[index])
        return found


def completion(ready: Ints, clocks: int) -> Ints:
    """Return when positions are done that are ready at `ready` and take `clocks` each, one after another."""
    order = np.arange(len(ready), dtype=np.int64)
    ends: Ints = np.maximum.accumulate(ready - order * clocks) + (order + 1) * clocks
    return ends
