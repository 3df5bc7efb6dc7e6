"""Graph -> trace for the folded dataflow network."""

from __future__ import annotations

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.folding import Fold
from accelerators.finn_bnn.streaming import pipeline_of
from hwsim.errors import InputError
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.engines import operand_bits
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Role
from hwsim.model.dataflow import program_of, write_buffer
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
    _check_memory(graph, design)

    def write_layer(build: TraceBuilder, name: str, product: MatrixProduct) -> None:
        _write_product(build, graph, product, pipeline.layers[name], name, design)

    return program_of(graph, pipeline, write_layer, design.accumulator_bits)


def describe(fold: Fold) -> str:
    """Return a fold in words."""
    return f"{fold.k} x {fold.n} at SIMD {fold.simd} x PE {fold.pe}: {fold.clocks} clocks a position"


def weight_bits(graph: Graph) -> int:
    """Return the bits of all weights that a product reads, each tensor once."""
    names = {op.inputs[1] for op in graph.ops if len(op.inputs) > 1 and work_of(graph, op).macs}
    return sum(graph.tensors[name].bits for name in names if graph.tensors[name].role is Role.WEIGHT)


def _check_memory(graph: Graph, design: FinnBnnDesign) -> None:
    needed = -(-weight_bits(graph) // 8)
    if needed > design.weight_memory_bytes:
        raise InputError(
            f"{graph.name} has {needed} bytes of weights, the chip holds {design.weight_memory_bytes}",
            where="finn_bnn.weight_memory_bytes",
            hint="all weights stay on the chip; set weight_memory_bytes higher",
        )


def _write_product(
    build: TraceBuilder, graph: Graph, product: MatrixProduct, fold: Fold, name: str, design: FinnBnnDesign
) -> None:
    positions, weight = product.m, operand_bits(graph, product)[1]
    build.event("engine", "mac", product.macs, bits=fold.bits, node=name)
    if padding := positions * fold.k * fold.n - product.macs:
        build.event("engine", "padding", padding, bits=fold.bits, node=name)
    additions = positions * fold.n * (fold.k // fold.simd)
    build.event("engine", "accumulate", additions, bits=design.accumulator_bits, node=name)
    read = fold.simd * fold.pe * weight
    build.event("weight_memory", "read", positions * fold.clocks, bits=read, node=name)
    write_buffer(build, graph, name, product, fold.k)
    build.note(name, "mapping", describe(fold))
