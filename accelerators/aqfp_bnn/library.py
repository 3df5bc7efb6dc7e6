"""Figures of the cell library alone: published circuits, and those that are built and balanced here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from accelerators.aqfp_bnn.balancing import balance
from accelerators.aqfp_bnn.cells import junctions
from accelerators.aqfp_bnn.circuits import full_adder_netlist, xnor_netlist
from accelerators.aqfp_bnn.design import AqfpBnnDesign, carnot_ratio
from accelerators.aqfp_bnn.energy import (
    adiabatic_energy,
    junction_energy,
    memory_junctions,
    thermal_energy,
)
from accelerators.aqfp_bnn.mapping import crossbar_junctions, crossbar_latency_s
from accelerators.aqfp_bnn.neuron import gray_zone_at
from accelerators.aqfp_bnn.sorters import sorter_netlist

# SCE-benchmarks at 3005081, ISCAS/README.md: gates, and buffers with splitters.
PUBLISHED_CELLS: Mapping[str, tuple[int, int]] = {
    "adder1": (7, 16), "adder8": (77, 371), "mult8": (439, 1690), "counter16": (29, 65),
    "counter32": (82, 154), "counter64": (195, 347), "counter128": (428, 747), "c17": (6, 12),
    "c432": (121, 839), "c499": (387, 1173), "c880": (306, 1511), "c1355": (389, 1184),
    "c1908": (289, 1234), "c2670": (368, 1912), "c3540": (794, 1943), "c5315": (1302, 5640),
    "c6288": (1870, 8647), "c7552": (1394, 7437), "sorter32": (480, 480), "sorter48": (880, 880),
    "alu32": (1513, 13836),
}  # fmt: skip


def library_figures(design: AqfpBnnDesign) -> dict[str, float]:
    """Return junctions of circuits, energy by the adiabatic law, cooling and gray zone of `design`."""
    crossbar = crossbar_junctions(design)
    found = {
        "crossbar_junctions_count": float(crossbar),
        "crossbar_latency_s": crossbar_latency_s(design),
        "crossbar_cycle_j": crossbar * float(junction_energy(design)),
        "carnot_ratio": carnot_ratio(design.temperature_k),
        "thermal_j": float(thermal_energy(design.temperature_k)),
        "law_aqfp_j": 2 * float(adiabatic_energy(design.clock_hz)),
        "memory_bit_junctions_count": float(memory_junctions(1, design.clock_phases)),
    }
    if design.gray_zone_a:
        found["gray_zone_a"] = gray_zone_at(design.gray_zone_a, design.temperature_k)
    for name, cells in PUBLISHED_CELLS.items():
        found[f"{name}_junctions_count"] = float(junctions(*cells))
    return found | _built()


@cache
def _built() -> dict[str, float]:
    """Return junctions and phases of circuits that are built as netlists and balanced."""
    circuits = {
        "balanced_full_adder": full_adder_netlist(),
        "balanced_xnor": xnor_netlist(),
        **{f"balanced_sorter{size}": sorter_netlist(size) for size in (32, 64, 128)},
    }
    found = {}
    for name, netlist in circuits.items():
        built = balance(netlist)
        found[f"{name}_junctions_count"] = float(built.junctions)
        found[f"{name}_phases_count"] = float(built.depth)
    return found
