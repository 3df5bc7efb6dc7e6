"""Clocks of the network: one position a clock in a binary layer, its levels one behind the other."""

from __future__ import annotations

from dataclasses import dataclass

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.trees import Reuse, reuse_of
from hwsim.errors import InputError
from hwsim.graph.binary import binary_layers
from hwsim.graph.dataflow import Flow
from hwsim.graph.engines import MOVED, STREAMED, Stage, images_of, operand_bits, pixels_of, stages_of
from hwsim.graph.remember import remembered
from hwsim.graph.types import Graph, Role


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Clocks and lanes of a network.

    Attributes
    ----------
    stages : tuple of Stage
        One per operator.
    reuse : mapping of str to Reuse
        Binary layers.
    clocks, delays : tuple of int
        Clocks for which a position keeps each engine, and further ones until it leaves the last level.
    bit_lanes : int
        Products of two bits a clock, of all engines.
    latency_cycles, interval_cycles, images, total_cycles : int
        Clocks of an image, from one to the next, images of the batch, and clocks of all of them.
    """

    stages: tuple[Stage, ...]
    reuse: dict[str, Reuse]
    clocks: tuple[int, ...]
    delays: tuple[int, ...]
    bit_lanes: int
    latency_cycles: int
    interval_cycles: int
    images: int
    total_cycles: int

    @property
    def busiest(self) -> int:
        """Index of the stage that sets the interval."""
        busy = [each * stage.pixels for each, stage in zip(self.clocks, self.stages, strict=True)]
        return busy.index(max(busy))


@remembered
def pipeline_of(graph: Graph, design: MstBnnDesign) -> Pipeline:
    """Return clocks and lanes of `graph`.

    Raises
    ------
    InputError
        The network needs more bit lanes than the chip has.
    """
    stages, binary = stages_of(graph), binary_layers(graph)
    reuse = {
        stage.op.name: reuse_of(stage.product.n, stage.product.k, design)
        for stage in stages
        if stage.product is not None and stage.op.name in binary
    }
    lanes = sum(_lanes(graph, stage, reuse, design) for stage in stages)
    if lanes > design.bit_lanes:
        raise InputError(
            f"{graph.name} needs {lanes} bit lanes, the chip has {design.bit_lanes}",
            where="mst_bnn.bit_lanes",
            hint=f"set bit_lanes={lanes}, or fewer mac_units",
        )
    clocks = tuple(_clocks(graph, stage, reuse, design) for stage in stages)
    levels = [reuse[stage.op.name].levels if stage.op.name in reuse else 0 for stage in stages]
    delays = tuple(max(0, count * design.level_cycles - 1) for count in levels)
    flow = Flow(graph, stages, clocks, delays)
    images = max((images_of(graph.tensors[name]) for name in graph.inputs), default=1)
    interval = max((each * stage.pixels for each, stage in zip(clocks, stages, strict=True)), default=0)
    return Pipeline(stages, reuse, clocks, delays, lanes, flow.ends(1), interval, images, flow.ends(images))


def _lanes(graph: Graph, stage: Stage, reuse: dict[str, Reuse], design: MstBnnDesign) -> int:
    if stage.op.name in reuse:
        return reuse[stage.op.name].products
    if stage.product is None:
        return 0
    activation, weight = operand_bits(graph, stage.product)
    return min(design.mac_units, stage.product.k * stage.product.n) * activation * weight


def _clocks(graph: Graph, stage: Stage, reuse: dict[str, Reuse], design: MstBnnDesign) -> int:
    op = stage.op
    if op.name in reuse:
        return 1
    if stage.product is not None:
        return -(-stage.product.k * stage.product.n // design.mac_units)
    if stage.absorbed or op.kind not in (*STREAMED, *MOVED):
        return 0
    data = [t for t in graph.operands(op) if t is not None and t.role not in (Role.WEIGHT, Role.CONSTANT)]
    visits = max(1, *(-(-pixels_of(tensor) // stage.pixels) for tensor in data))
    return visits * -(-stage.channels // design.stream_lanes)
