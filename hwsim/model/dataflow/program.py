"""Graph -> trace: all operators inside the clocks of the busiest engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.engines import MOVED, Stage, images_of, is_activation, levels_of, operand_bits, pixels_of
from hwsim.graph.offload import operand_traffic
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph
from hwsim.model.dataflow.pipeline import Pipeline
from hwsim.trace import Trace, TraceBuilder

WriteLayer = Callable[[TraceBuilder, str, MatrixProduct], None]


def program_of(
    graph: Graph, pipeline: Pipeline[Any], write_layer: WriteLayer, accumulator_bits: int
) -> Trace:
    """Return the trace of a network: images follow each other, and the busiest engine owns the clocks.

    Parameters
    ----------
    graph : Graph
        Prepared network.
    pipeline : Pipeline
        Its stages and clocks.
    write_layer : callable (TraceBuilder, name, MatrixProduct) -> None
        Writes the events of one operator with weights; none of them takes time beside the pipeline's clocks.
    accumulator_bits : int
        Bits of the elementary operations on sums.
    """
    build = TraceBuilder()
    for stage in pipeline.stages:
        build.node(stage.op.name)
    if not pipeline.stages:
        return build.build()
    owner = pipeline.stages[pipeline.busiest].op.name
    with build.loop(1, node=owner):
        if pipeline.total_cycles:
            build.event("pipeline", "clock", pipeline.total_cycles)
        for stage in pipeline.stages:
            if stage.product is None:
                _write_passing(build, graph, stage, accumulator_bits)
            else:
                write_layer(build, stage.op.name, stage.product)
                _write_primitives(build, graph, stage, "stream", accumulator_bits)
            if stage.op.name != owner:
                build.note(stage.op.name, "fused_into", owner)
    return build.build()


def write_buffer(build: TraceBuilder, graph: Graph, name: str, product: MatrixProduct, k: int) -> None:
    """Write what the buffer of a layer takes in, pixel by pixel, and hands out, `k` inputs a position."""
    left, (activation, _) = graph.tensors[product.left], operand_bits(graph, product)
    entered = images_of(left) * pixels_of(left)
    build.event("buffer", "write", entered, bits=left.shape[1] * activation, node=name)
    build.event("buffer", "read", product.m, bits=k * activation, node=name)


def _write_passing(build: TraceBuilder, graph: Graph, stage: Stage, bits: int) -> None:
    """Write an operator without weights: done as data pass, by thresholds, or elsewhere."""
    op, result = stage.op, graph.tensors[stage.op.outputs[0]]
    if op.kind == "offload":
        _write_offload(build, graph, stage)
        return
    if op_kind(op.kind).aliases or not op.inputs:
        build.note(op.name, "mapping", "no data moves")
        return
    if op.kind in MOVED:
        build.event("stream", "move", result.elements, bits=result.format.bits, node=op.name)
    _write_primitives(build, graph, stage, "folded" if stage.absorbed else "stream", bits)
    if stage.absorbed and is_activation(op):
        compared = result.elements * (levels_of(result) - 1)
        build.event("thresholds", "compare", compared, bits=bits, node=op.name)
    if stage.absorbed:
        build.note(op.name, "mapping", "thresholds of the layer before stand for it")


def _write_primitives(build: TraceBuilder, graph: Graph, stage: Stage, unit: str, bits: int) -> None:
    for name, count in work_of(graph, stage.op).primitives.items():
        if count:
            build.event(unit, name, count, bits=bits, node=stage.op.name)


def _write_offload(build: TraceBuilder, graph: Graph, stage: Stage) -> None:
    if not stage.op.int("moves"):
        build.note(stage.op.name, "mapping", "runs elsewhere at no cost")
        return
    for action, bits in zip(("read", "write"), operand_traffic(graph, stage.op), strict=True):
        build.event("io", action, 1, bits=bits, node=stage.op.name)
