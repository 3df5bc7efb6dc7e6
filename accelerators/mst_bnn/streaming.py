"""Clocks of the network: one position a clock in a binary layer, its levels one behind the other."""

from __future__ import annotations

from collections.abc import Mapping

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.trees import Reuse, reuse_of
from hwsim.errors import InputError
from hwsim.graph.binary import binary_layers
from hwsim.graph.engines import Stage, operand_bits, stages_of
from hwsim.graph.remember import remembered
from hwsim.graph.types import Graph
from hwsim.model.dataflow import Pipeline, paced, passing_clocks


@remembered
def pipeline_of(graph: Graph, design: MstBnnDesign) -> Pipeline[Reuse]:
    """Return the clocks of `graph`, with what its binary layers reuse.

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
    clocks = tuple(_clocks(graph, stage, reuse, design) for stage in stages)
    levels = [reuse[stage.op.name].levels if stage.op.name in reuse else 0 for stage in stages]
    delays = tuple(max(0, count * design.level_cycles - 1) for count in levels)
    lanes = sum(_lanes(graph, stage, reuse, design) for stage in stages)
    if lanes > design.bit_lanes:
        raise InputError(
            f"{graph.name} needs {lanes} bit lanes, the chip has {design.bit_lanes}",
            where="mst_bnn.bit_lanes",
            hint=f"set bit_lanes={lanes}, or fewer mac_units",
        )
    return paced(graph, stages, reuse, clocks, delays)


def bit_lanes_of(graph: Graph, pipeline: Pipeline[Reuse], design: MstBnnDesign) -> int:
    """Return the products of two bits a clock, of all engines."""
    return sum(_lanes(graph, stage, pipeline.layers, design) for stage in pipeline.stages)


def _lanes(graph: Graph, stage: Stage, reuse: Mapping[str, Reuse], design: MstBnnDesign) -> int:
    if stage.op.name in reuse:
        return reuse[stage.op.name].products
    if stage.product is None:
        return 0
    activation, weight = operand_bits(graph, stage.product)
    return min(design.mac_units, stage.product.k * stage.product.n) * activation * weight


def _clocks(graph: Graph, stage: Stage, reuse: Mapping[str, Reuse], design: MstBnnDesign) -> int:
    if stage.op.name in reuse:
        return 1
    if stage.product is not None:
        return -(-stage.product.k * stage.product.n // design.mac_units)
    return passing_clocks(graph, stage, design.stream_lanes)
