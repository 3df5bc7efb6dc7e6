"""Graph -> trace for the weight-reusing data path."""

from __future__ import annotations

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.streaming import Pipeline, pipeline_of
from accelerators.mst_bnn.trees import Reuse
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.engines import MOVED, Stage, images_of, is_activation, levels_of, operand_bits, pixels_of
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph
from hwsim.trace import Trace, TraceBuilder

REUSED = "reused from the channel that another starts from"


def lower(graph: Graph, design: MstBnnDesign) -> Trace:
    """Return the trace of `graph` on `design`.

    All engines run at once; the clocks belong to the busiest one, and all other operators run inside them.

    Raises
    ------
    InputError
        The network needs more bit lanes than the chip has.
    """
    pipeline = pipeline_of(graph, design)
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
    build: TraceBuilder, graph: Graph, stage: Stage, pipeline: Pipeline, design: MstBnnDesign
) -> None:
    name = stage.op.name
    if stage.product is None:
        _write_stream(build, graph, stage, design)
        return
    if name in pipeline.reuse:
        _write_binary(build, stage.product, pipeline.reuse[name], name, design)
    else:
        _write_full(build, graph, stage.product, name)
    activation, _ = operand_bits(graph, stage.product)
    left = graph.tensors[stage.product.left]
    entered = images_of(left) * pixels_of(left)
    build.event("buffer", "write", entered, bits=left.shape[1] * activation, node=name)
    build.event("buffer", "read", stage.product.m, bits=stage.product.k * activation, node=name)
    _write_primitives(build, graph, stage, "stream", design)


def _write_binary(
    build: TraceBuilder, product: MatrixProduct, reuse: Reuse, name: str, design: MstBnnDesign
) -> None:
    """Write the bit products that are left, and an addition to the parent's sum for every other channel."""
    build.event("engine", "xnor", product.m * reuse.products, bits=1, node=name)
    if saved := product.macs - product.m * reuse.products:
        build.skip(name, REUSED, saved)
    if reuse.levels > 1 and product.n > 1:
        build.event("tree", "add", product.m * (product.n - 1), bits=design.accumulator_bits, node=name)
    share = reuse.products / (product.k * product.n)
    text = f"{product.k} x {product.n}: {share:.1%} of the bit products, {reuse.levels} levels"
    build.note(name, "mapping", text)


def _write_full(build: TraceBuilder, graph: Graph, product: MatrixProduct, name: str) -> None:
    activation, weight = operand_bits(graph, product)
    build.event("engine", "mac", product.macs, bits=activation * weight, node=name)
    build.event("weight_memory", "read", product.m, bits=product.k * product.n * weight, node=name)
    build.note(name, "mapping", f"{product.k} x {product.n} in {activation} x {weight} bits, nothing reused")


def _write_stream(build: TraceBuilder, graph: Graph, stage: Stage, design: MstBnnDesign) -> None:
    op, result = stage.op, graph.tensors[stage.op.outputs[0]]
    if op.kind == "offload":
        if not op.int("moves"):
            build.note(op.name, "mapping", "runs elsewhere at no cost")
            return
        for action, names in (("read", dict.fromkeys(op.inputs)), ("write", op.outputs)):
            moved = sum(graph.tensors[name].bits for name in names if name)
            build.event("io", action, 1, bits=moved, node=op.name)
        return
    if op_kind(op.kind).aliases or not op.inputs:
        build.note(op.name, "mapping", "no data moves")
        return
    if op.kind in MOVED:
        build.event("stream", "move", result.elements, bits=result.format.bits, node=op.name)
    _write_primitives(build, graph, stage, "folded" if stage.absorbed else "stream", design)
    if stage.absorbed and is_activation(op):
        compared = result.elements * (levels_of(result) - 1)
        build.event("thresholds", "compare", compared, bits=design.accumulator_bits, node=op.name)
    if stage.absorbed:
        build.note(op.name, "mapping", "thresholds of the layer before stand for it")


def _write_primitives(
    build: TraceBuilder, graph: Graph, stage: Stage, unit: str, design: MstBnnDesign
) -> None:
    for name, count in work_of(graph, stage.op).primitives.items():
        if count:
            build.event(unit, name, count, bits=design.accumulator_bits, node=stage.op.name)
