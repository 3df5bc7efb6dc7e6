"""Figures of the chip's own: junctions, throughput, and energy under both accountings, cooled or not."""

from __future__ import annotations

from collections.abc import Sequence

from accelerators.aqfp_bnn.design import CONSTANTS, AqfpBnnDesign
from accelerators.aqfp_bnn.energy import energy_warnings, junction_energy
from accelerators.aqfp_bnn.library import library_figures
from accelerators.aqfp_bnn.lower import resident_junctions
from accelerators.aqfp_bnn.mapping import UNITS, map_layer
from accelerators.aqfp_bnn.network import network_of
from accelerators.aqfp_bnn.schedule import Schedule, schedule
from hwsim.graph.types import Graph


def figures(graph: Graph, design: AqfpBnnDesign) -> dict[str, float]:
    """Return junctions, time and energy in steady operation, one sample every interval.

    active: junctions of a layer while it works on a window; always_on: all of them in every cycle, which is
    what power_w counts. Operations are two a product. Cooled figures are wall energy, cooling_ratio times the
    chip's. A network without binary layers yields figures of the cell library instead.
    """
    plan = schedule(graph, design)
    if not plan.tables:
        return library_figures(design)
    joules, resident = float(junction_energy(design)), resident_junctions(plan, design)
    interval, operations = plan.interval_cycles, _operations(plan)
    found = {
        "junctions_count": float(resident),
        "junctions_over_demonstrated_ratio": resident / float(CONSTANTS.demonstrated_junctions_count),
        "crossbars_count": float(sum(table.mapping.tiles for table in plan.tables) * design.replication),
        "clocking_saving_ratio": _saving(plan),
        "interval_s": interval / design.clock_hz,
        "latency_s": plan.latency_cycles / design.clock_hz,
        "samples_per_s": design.clock_hz / interval,
        "junction_j": joules,
        "power_w": resident * joules * design.clock_hz,
    }
    energies = {"active": _active(plan, design) * joules, "always_on": resident * interval * joules}
    for name, energy_j in energies.items():
        found[f"{name}_j"] = energy_j
        found[f"{name}_operations_per_j"] = operations / energy_j
        found[f"{name}_cooled_j"] = energy_j * design.cooling_ratio
        found[f"{name}_cooled_operations_per_j"] = operations / energy_j / design.cooling_ratio
    return found


def crossbar_figures(graph: Graph, design: AqfpBnnDesign) -> dict[str, float]:
    """Return junctions and energy of the crossbars alone, in which the paper's bracket is reckoned."""
    plan, joules = schedule(graph, design), float(junction_energy(design))
    junctions = design.replication * sum(
        table.mapping.junctions_by_unit["crossbars"] for table in plan.tables
    )
    energies = {
        "active": _active(plan, design, ("crossbars",)) * joules,
        "always_on": junctions * plan.interval_cycles * joules,
    }
    found = {"junctions_count": float(junctions)}
    for name, energy_j in energies.items():
        found[f"{name}_j"] = energy_j
        found[f"{name}_operations_per_j"] = _operations(plan) / energy_j
    return found


def _operations(plan: Schedule) -> int:
    layers = [table.mapping.layer for table in plan.tables]
    return sum(2 * layer.product.macs // layer.samples for layer in layers)


def _active(plan: Schedule, design: AqfpBnnDesign, units: Sequence[str] = UNITS) -> int:
    """Return junctions times cycles of a sample that layers are at work for."""
    return sum(
        table.mapping.junctions_by_unit[unit] * table.mapping.layer.windows * design.stream_length
        for table in plan.tables
        for unit in units
    )


def _saving(plan: Schedule) -> float:
    """Return the share of junctions that phase skipping takes out of the accumulation modules."""
    kept = sum(table.mapping.layer.product.n * table.mapping.module.junctions for table in plan.tables)
    plain = sum(
        table.mapping.layer.product.n * table.mapping.module.unskipped_junctions for table in plan.tables
    )
    return 1 - kept / plain


def warnings(graph: Graph, design: AqfpBnnDesign) -> tuple[str, ...]:
    """Return what to know about a result: junctions never built, energy per junction, ranges left."""
    layers = network_of(graph).layers
    resident = design.replication * sum(map_layer(layer, design).junctions for layer in layers)
    built = float(CONSTANTS.demonstrated_junctions_count)
    found = energy_warnings(design)
    if resident > built:
        found.insert(
            0,
            f"{resident:.4g} junctions, {resident / built:.4g} times the largest AQFP chip shown ({built:g})",
        )
    if design.crossbar_size > float(CONSTANTS.largest_crossbar_count):
        found.append(f"crossbar {design.crossbar_size} is outside the sizes its cost was given for, 4 to 144")
    return tuple(found)
