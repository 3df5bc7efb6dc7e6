"""Graph -> trace for the folded dataflow network."""

from __future__ import annotations

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.folding import Fold
from accelerators.finn_bnn.streaming import Pipeline, pipeline_of
from hwsim.errors import InputError
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.engines import (
    MOVED,
    Stage,
    images_of,
    is_activation,
    levels_of,
    operand_bits,
    pixels_of,
)
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph, Role
from hwsim.trace import Trace, TraceBuilder


def lower(graph: Graph, design: FinnBnnDesign) -> Trace:
    """Return the trace of `graph` on `design`.

    All engines run at once; images follow each other at the interval of the busiest one, which owns the
    clocks. All other operators run inside them.

    Raises
    ------
    InputError
        Weights that do not fit the chip, a folding that does not fit the network.
    """
    pipeline = pipeline_of(graph, design)
    _check_memory(graph, pipeline, design)
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
            _write_stage(build, graph, stage, pipeline, design)
            if stage.op.name != owner:
                build.note(stage.op.name, "fused_into", owner)
    return build.build()


def _write_stage(
    build: TraceBuilder, graph: Graph, stage: Stage, pipeline: Pipeline, design: FinnBnnDesign
) -> None:
    """Write the events of one operator; none of them takes time beside the clocks of the pipeline."""
    node = stage.op.name
    if stage.product is not None:
        fold = pipeline.folds[node]
        _write_product(build, graph, stage.product, fold, node, design)
        _write_primitives(build, graph, stage, "stream", design)
        build.note(node, "mapping", describe(fold))
    else:
        _write_stream(build, graph, stage, design)


def describe(fold: Fold) -> str:
    """Return a fold in words."""
    return f"{fold.k} x {fold.n} at SIMD {fold.simd} x PE {fold.pe}: {fold.clocks} clocks a position"


def weight_bits(graph: Graph) -> int:
    """Return the bits of all weights that a product reads, each tensor once."""
    names = {op.inputs[1] for op in graph.ops if len(op.inputs) > 1 and work_of(graph, op).macs}
    return sum(graph.tensors[name].bits for name in names if graph.tensors[name].role is Role.WEIGHT)


def _check_memory(graph: Graph, pipeline: Pipeline, design: FinnBnnDesign) -> None:
    needed = -(-weight_bits(graph) // 8)
    if needed > design.weight_memory_bytes:
        raise InputError(
            f"{graph.name} has {needed} bytes of weights, the chip holds {design.weight_memory_bytes}",
            where="finn_bnn.weight_memory_bytes",
            hint="all weights stay on the chip; set weight_memory_bytes higher",
        )


def _write_product(
    build: TraceBuilder, graph: Graph, product: MatrixProduct, fold: Fold, node: str, design: FinnBnnDesign
) -> None:
    left, positions = graph.tensors[product.left], product.m
    activation, weight = operand_bits(graph, product)
    build.event("engine", "mac", product.macs, bits=fold.bits, node=node)
    if padding := positions * fold.k * fold.n - product.macs:
        build.event("engine", "padding", padding, bits=fold.bits, node=node)
    additions = positions * fold.n * (fold.k // fold.simd)
    build.event("engine", "accumulate", additions, bits=design.accumulator_bits, node=node)
    build.event(
        "weight_memory", "read", positions * fold.clocks, bits=fold.simd * fold.pe * weight, node=node
    )
    entered = images_of(left) * pixels_of(left)
    build.event("buffer", "write", entered, bits=left.shape[1] * activation, node=node)
    build.event("buffer", "read", positions, bits=fold.k * activation, node=node)


def _write_stream(build: TraceBuilder, graph: Graph, stage: Stage, design: FinnBnnDesign) -> None:
    op, result = stage.op, graph.tensors[stage.op.outputs[0]]
    if op.kind == "offload":
        _write_offload(build, graph, stage)
        return
    if op_kind(op.kind).aliases or not op.inputs:
        build.note(op.name, "mapping", "no data moves")
        return
    if op.kind in MOVED:
        build.event("stream", "move", result.elements, bits=result.format.bits, node=op.name)
    _write_primitives(build, graph, stage, "folded" if stage.absorbed else "stream", design)
    if stage.absorbed and is_activation(op):
        build.event(
            "thresholds",
            "compare",
            result.elements * (levels_of(result) - 1),
            bits=design.accumulator_bits,
            node=op.name,
        )
    if stage.absorbed:
        build.note(op.name, "mapping", "thresholds of the layer before stand for it")


def _write_primitives(
    build: TraceBuilder, graph: Graph, stage: Stage, unit: str, design: FinnBnnDesign
) -> None:
    for name, count in work_of(graph, stage.op).primitives.items():
        if count:
            build.event(unit, name, count, bits=design.accumulator_bits, node=stage.op.name)


def _write_offload(build: TraceBuilder, graph: Graph, stage: Stage) -> None:
    op = stage.op
    if not op.int("moves"):
        build.note(op.name, "mapping", "runs elsewhere at no cost")
        return
    for action, names in (("read", dict.fromkeys(op.inputs)), ("write", op.outputs)):
        moved = sum(graph.tensors[name].bits for name in names if name)
        build.event("io", action, 1, bits=moved, node=op.name)
