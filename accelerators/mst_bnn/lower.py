"""Graph -> trace for the weight-reusing data path."""

from __future__ import annotations

from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.streaming import pipeline_of
from accelerators.mst_bnn.trees import Reuse
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.engines import operand_bits
from hwsim.graph.types import Graph
from hwsim.model.dataflow import program_of, write_buffer
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

    def write_layer(build: TraceBuilder, name: str, product: MatrixProduct) -> None:
        if name in pipeline.layers:
            _write_binary(build, product, pipeline.layers[name], name, design)
        else:
            _write_full(build, graph, product, name)
        write_buffer(build, graph, name, product, product.k)

    return program_of(graph, pipeline, write_layer, design.accumulator_bits)


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
