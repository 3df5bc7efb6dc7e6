"""Graph -> trace for ReRAM crossbars: reads of arrays, conversions, digital work, traffic of tiles."""

from __future__ import annotations

from accelerators.reram_pim.design import ReramDesign
from accelerators.reram_pim.mapping import Layer, placed
from hwsim.errors import DesignError, InputError, Problem
from hwsim.graph.contraction import matrix_products, stationary
from hwsim.graph.offload import is_free, operand_traffic
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import Graph, Op
from hwsim.trace import LoopKind, Trace, TraceBuilder

LARGEST = 2**60


def lower(graph: Graph, design: ReramDesign) -> Trace:
    """Return the trace of `graph` on `design`, operator after operator.

    An input vector takes ceil(input bits / DAC bits) read cycles in all arrays of its layer at once; the
    converter of each array turns one column after another, and its results are shifted and added as they
    come. Copies of a layer take different vectors. Digital work follows.

    Raises
    ------
    DesignError
        The converter is too small for the largest sum of a column and clipping was not allowed.
    UnsupportedOp, InputError
        The weights do not fit, or counts beyond 64 bits.
    """
    layers = placed(graph, design)
    if design.clips and not design.allow_clipping and layers:
        raise DesignError(
            f"a column sums up to {design.largest_sum}, the converter ends at {2**design.adc_bits - 1}",
            where="reram_pim.adc_bits",
            hint="more adc_bits, encoding=flipped, fewer rows, or allow_clipping=true",
        )
    build, problems = TraceBuilder(), []
    for op in graph.ops:
        if work_of(graph, op).macs * 64 > LARGEST:
            problems.append(Problem(f"{graph.name}.{op.name}", "too large to count in 64 bits"))
            continue
        build.node(op.name)
        with build.loop(1, node=op.name):
            for layer in layers.get(op.name, ()):
                _lower_product(build, graph, layer, design)
            _lower_digital(build, graph, op)
        if op.name in layers:
            build.note(op.name, "mapping", "; ".join(_describe(layer) for layer in layers[op.name]))
    if problems:
        raise InputError(problems=problems)
    return build.build()


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can: weights have to lie in the arrays."""
    products = matrix_products(graph, op)
    if work_of(graph, op).macs and not products:
        return f"{op.kind} {op.attributes.get('equation', '')} is no sum of matrix products"
    moving = [product.right for product in products if not product.right_is_weight]
    if op.kind in ("convolution", "gemm", "binary_convolution", "transposed_convolution"):
        moving = [name for name in op.inputs[1:2] if not stationary(graph.tensors[name])]
    if moving:
        return f"{moving[0]} is computed by the network, and arrays are too slow to write for each input"
    return ""


def _lower_product(build: TraceBuilder, graph: Graph, layer: Layer, design: ReramDesign) -> None:
    product = layer.product
    reads = layer.vectors * layer.reads
    columns = product.groups * layer.row_tiles * product.n * layer.slices
    build.event("array", "mac", product.macs)
    with build.loop(1, LoopKind.PAR):
        build.event("array", "step", layer.rounds * layer.reads)
        build.event("array", "read", reads * layer.arrays)
        build.event("dac", "drive", reads * product.groups * product.k * layer.column_tiles)
        build.event("adc", "convert", reads * columns)
        build.event("shift_add", "add", reads * columns)
    inputs = layer.vectors * product.groups * product.k * layer.activation_bits
    outputs = layer.vectors * product.groups * product.n * graph.tensors[product.out].format.bits
    for action, bits in (("read", inputs), ("write", outputs)):
        build.event("edram", action, 1, bits=bits)
        build.event("bus", action, 1, bits=bits)


def _lower_digital(build: TraceBuilder, graph: Graph, op: Op) -> None:
    work, kind = work_of(graph, op), op_kind(op.kind)
    for name, count in work.primitives.items():
        build.event("vector", name, count)
    if work.vector_operations:
        build.event("vector", "issue", work.vector_operations)
    if is_free(op):
        return
    if kind.category in (Category.VECTOR, Category.MOVEMENT):
        for action, bits in zip(("read", "write"), operand_traffic(graph, op), strict=True):
            if bits:
                build.event("edram", action, 1, bits=bits)
    moved = sum(graph.tensors[name].bits for name in op.outputs if name)
    if moved:
        build.event("router", "send", 1, bits=moved)


def _describe(layer: Layer) -> str:
    groups = f"{layer.product.groups} x " if layer.product.groups > 1 else ""
    return (
        f"{groups}{layer.row_tiles} x {layer.column_tiles} arrays, {layer.slices} cells a weight, "
        f"{layer.reads} reads a vector, {layer.copies} copies"
    )
