"""Graph -> trace: every layer streams at the same time, N clocks a sample and one fill."""

from __future__ import annotations

from accelerators.integral_sc.design import CONSTANTS, Arithmetic, IntegralScDesign
from accelerators.integral_sc.network import Segment, product_of, segments_of
from hwsim.errors import InputError
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Op
from hwsim.model.pins import write_pins
from hwsim.trace import Trace, TraceBuilder

LARGEST = 2**62


def lower(graph: Graph, design: IntegralScDesign) -> Trace:
    """Return the trace of `graph` on `design`.

    Raises
    ------
    InputError
        More synapses than the chip has room for, or more bits than can be counted.
    """
    synapses = synapses_of(graph)
    if synapses > design.synapses:
        raise InputError(
            f"{synapses} synapses, the chip has room for {design.synapses}",
            where=f"{graph.name}",
            hint=f"set synapses={synapses}",
        )
    widest = sum(work_of(graph, op).macs for op in graph.ops) * design.stream_length * design.m * 64
    if widest > LARGEST:
        raise InputError(f"{widest:.3e} bits of streams are too many to count in 64 bits", where=graph.name)
    build = TraceBuilder()
    for part in segments_of(graph):
        if isinstance(part, Segment):
            _lower_segment(build, graph, part, design)
        else:
            write_pins(build, graph, part)
    return build.build()


def synapses_of(graph: Graph) -> int:
    """Return the weights of all fully connected layers: each is a gate of its own."""
    products = (product_of(graph, op) for op in graph.ops if op.kind in ("gemm", "matmul"))
    return sum(product.k * product.n for product in products if product is not None)


def clocks_of(samples: int, design: IntegralScDesign) -> int:
    """Return the clocks in which `samples` inputs enter: N each, or one each in binary radix."""
    binary = design.arithmetic is Arithmetic.BINARY_RADIX
    return samples * (1 if binary else design.stream_length)


def weight_bits(design: IntegralScDesign) -> int:
    """Return the bits of a weight or bias in one sample: m in each of N clocks, or one number."""
    binary = design.arithmetic is Arithmetic.BINARY_RADIX
    return design.operand_bits if binary else design.stream_length * design.m


def state_bits(fan_in: int, design: IntegralScDesign) -> int:
    """Return the bits of a neuron's state; without a given number of states, enough for any variance."""
    return max(1, (design.states or max(2, fan_in * design.m)) - 1).bit_length()


def _lower_segment(build: TraceBuilder, graph: Graph, segment: Segment, design: IntegralScDesign) -> None:
    head = segment.ops[0]
    for op in segment.ops[1:]:
        build.note(op.name, "fused_into", head.name)
    with build.loop(1, node=head.name):
        build.event("pipeline", "clock", clocks_of(segment.samples, design))
        if design.fill_cycles:
            build.event("pipeline", "fill", design.fill_cycles)
        fan_in = 1
        for op in segment.ops:
            product = product_of(graph, op)
            if product is not None:
                fan_in = product.k
                _lower_product(build, op, product, design)
            elif op.kind == "elementwise":
                _lower_neurons(build, graph, op, fan_in, segment.samples, design)
            for name, count in work_of(graph, op).primitives.items():
                unit = "machines" if product is None else "adders"
                bits = 0 if product is None else weight_bits(design)
                build.event(unit, name, count, bits=bits, node=op.name)
        first, last = graph.tensors[head.inputs[0]], graph.tensors[segment.ops[-1].outputs[0]]
        build.event("io", "read", 1, bits=first.elements * int(CONSTANTS.pixel_bits), node=head.name)
        build.event("io", "write", 1, bits=last.bits, node=segment.ops[-1].name)


def _lower_product(build: TraceBuilder, op: Op, product: MatrixProduct, design: IntegralScDesign) -> None:
    """Write the synapses: AND, one full adder, and a comparison of the number that makes the weight's bit."""
    if design.arithmetic is Arithmetic.BINARY_RADIX:
        build.event("synapses", "mac", product.macs, bits=1, node=op.name)
        build.note(op.name, "mapping", f"{product.k} x {product.n} binary multipliers")
        return
    per_mac = weight_bits(design)
    clocks = clocks_of(product.m, design)
    numbers = product.k * design.m * (1 if design.shared_generators else product.n) + product.k
    width = int(CONSTANTS.generator_bits)
    build.event("synapses", "mac", product.macs, bits=per_mac, node=op.name)
    build.event("adders", "full_add", product.macs, bits=per_mac, node=op.name)
    build.event("generators", "compare", product.macs, bits=per_mac * width, node=op.name)
    build.event("generators", "shift", numbers * clocks, bits=width, node=op.name)
    build.note(op.name, "mapping", f"{product.k} x {product.n} synapses, {design.m} bits a clock")


def _lower_neurons(
    build: TraceBuilder, graph: Graph, op: Op, fan_in: int, samples: int, design: IntegralScDesign
) -> None:
    neurons = graph.tensors[op.outputs[0]].elements // samples
    bits = design.operand_bits if design.arithmetic is Arithmetic.BINARY_RADIX else state_bits(fan_in, design)
    build.event("machines", "step", neurons * clocks_of(samples, design), bits=bits, node=op.name)
    stands_for = " in place of relu: cycles hold, values do not" if op.text("function") == "relu" else ""
    build.note(op.name, "mapping", f"{neurons} state machines of {bits} bits{stands_for}")


__all__ = ["clocks_of", "lower", "state_bits", "synapses_of", "weight_bits"]
