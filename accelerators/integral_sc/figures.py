"""Figures of the chip's own that its papers publish: throughput in bits of pixels, latency, LUTs."""

from __future__ import annotations

from accelerators.integral_sc.datasheet import datasheet
from accelerators.integral_sc.design import CONSTANTS, Arithmetic, IntegralScDesign, Technology
from accelerators.integral_sc.lower import clocks_of, lower, synapses_of
from accelerators.integral_sc.network import Segment, segments_of
from hwsim.graph.types import Graph
from hwsim.trace import reduce


def figures(graph: Graph, design: IntegralScDesign) -> dict[str, float]:
    """Return latency_s, throughput_bits_per_s, synapses_count and figures of the technology.

    On an FPGA luts_count; in cells, switching energy over that of the binary twin at nominal supply.

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
    binary = design.model_copy(update={"arithmetic": Arithmetic.BINARY_RADIX, "operating_supply_v": 0.0})
    if design.technology is Technology.CELLS and (whole := switching_j(graph, binary)):
        found["energy_over_binary_ratio"] = switching_j(graph, design) / whole
    return found


def switching_j(graph: Graph, design: IntegralScDesign) -> float:
    """Return the joules of all events, leakage left out: it follows the size of the chip alone."""
    rows = {(row.unit, row.action): row for row in datasheet(design).actions}
    total = 0.0
    for (_, unit, action), events, bits in reduce(lower(graph, design)).items():
        row = rows[unit, action]
        total += events * row.energy.value if row.energy else 0.0
        total += bits * row.energy_per_bit.value if row.energy_per_bit else 0.0
    return total
