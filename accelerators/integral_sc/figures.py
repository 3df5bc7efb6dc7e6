"""Figures of the chip's own that its papers publish: throughput in bits of pixels, latency, LUTs."""

from __future__ import annotations

from accelerators.integral_sc.design import CONSTANTS, Arithmetic, IntegralScDesign, Technology
from accelerators.integral_sc.lower import clocks_of, synapses_of
from accelerators.integral_sc.network import Segment, segments_of
from hwsim.graph.types import Graph


def figures(graph: Graph, design: IntegralScDesign) -> dict[str, float]:
    """Return latency_s, throughput_bits_per_s and, on an FPGA, luts_count of a prepared network.

    Latency is that of one input; throughput counts 8-bit inputs of the network, one every N clocks. LUTs
    follow a line through the three published points, in proportion to the synapses of other networks.
    """
    c = CONSTANTS
    runs = [part for part in segments_of(graph) if isinstance(part, Segment)]
    clocks = sum(clocks_of(1, design) + design.fill_cycles for _ in runs)
    elements = sum(graph.tensors[name].elements for name in graph.inputs)
    samples = max((run.samples for run in runs), default=1)
    entering = clocks_of(samples, design) / design.clock_hz
    found = {
        "latency_s": clocks / design.clock_hz,
        "throughput_bits_per_s": elements * float(c.pixel_bits) / entering,
        "synapses_count": float(synapses_of(graph)),
    }
    if design.technology is Technology.VIRTEX7 and design.arithmetic is Arithmetic.INTEGRAL_STREAMS:
        luts = float(c.lut_base_count) + float(c.lut_per_bit_count) * design.m
        found["luts_count"] = luts * synapses_of(graph) / float(c.published_synapses_count)
    return found
