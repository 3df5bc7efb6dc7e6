"""Figures of the chip's own: junctions, throughput, and energy under both accountings, cooled or not."""

from __future__ import annotations

from accelerators.aqfp_bnn.design import CONSTANTS, AqfpBnnDesign
from accelerators.aqfp_bnn.energy import energy_warnings, junction_energy
from accelerators.aqfp_bnn.library import library_figures
from accelerators.aqfp_bnn.lower import resident_junctions
from accelerators.aqfp_bnn.mapping import crossbar_junctions, crossbar_latency_s, map_layer
from accelerators.aqfp_bnn.network import Network
from accelerators.aqfp_bnn.schedule import Schedule, schedule
from hwsim.graph.types import Graph


def figures(graph: Graph, design: AqfpBnnDesign) -> dict[str, float]:
    """Return junctions, time and energy in steady operation, one sample every interval.

    active: junctions of a layer while it works on a window; always_on: all of them in every cycle. TOPS/W
    counts two operations a product. Cooled figures are wall energy, cooling_ratio times the chip's. A network
    without binary layers yields figures of the cell library instead.
    """
    plan = schedule(graph, design)
    joules = float(junction_energy(design))
    resident = resident_junctions(plan, design)
    found = {
        "junction_j": joules,
        "crossbar_junctions_count": float(crossbar_junctions(design)),
        "crossbar_latency_s": crossbar_latency_s(design),
        "crossbar_cycle_j": crossbar_junctions(design) * joules,
        "crossbars_count": float(sum(table.mapping.tiles for table in plan.tables) * design.replication),
        "junctions_count": float(resident),
        "crossbars_junctions_count": float(_crossbar_part(plan) * design.replication),
        "junctions_over_demonstrated_ratio": resident / float(CONSTANTS.demonstrated_junctions_count),
        "interval_cycles_count": float(plan.interval_cycles),
        "latency_s": plan.latency_cycles / design.clock_hz,
    }
    if not plan.tables:
        found |= library_figures(design)
    else:
        found |= _steady(plan, design, joules, resident)
        found["clocking_saving_ratio"] = _saving(plan)
    return found


def _steady(plan: Schedule, design: AqfpBnnDesign, joules: float, resident: int) -> dict[str, float]:
    length, interval = design.stream_length, plan.interval_cycles
    active = crossbars = operations = 0
    for table in plan.tables:
        layer = table.mapping.layer
        active += table.mapping.junctions * layer.windows * length
        crossbars += table.mapping.junctions_by_unit["crossbars"] * layer.windows * length
        operations += 2 * layer.product.macs // layer.samples
    always = resident * interval
    whole = _crossbar_part(plan) * design.replication * interval
    energies = {
        "active": active * joules, "always_on": always * joules,
        "crossbar_active": crossbars * joules, "crossbar_always_on": whole * joules,
    }  # fmt: skip
    found = {"samples_per_s": design.clock_hz / interval, "power_w": resident * joules * design.clock_hz}
    for name, energy_j in energies.items():
        found[f"{name}_j"] = energy_j
        found[f"{name}_operations_per_j"] = operations / energy_j
    for name in ("active", "always_on"):
        found[f"{name}_cooled_j"] = energies[name] * design.cooling_ratio
        found[f"{name}_cooled_operations_per_j"] = operations / energies[name] / design.cooling_ratio
    return found


def _crossbar_part(plan: Schedule) -> int:
    return sum(table.mapping.junctions_by_unit["crossbars"] for table in plan.tables)


def _saving(plan: Schedule) -> float:
    """Return the share of junctions that phase skipping takes out of the accumulation modules."""
    kept = sum(table.mapping.layer.product.n * table.mapping.module.junctions for table in plan.tables)
    plain = sum(
        table.mapping.layer.product.n * table.mapping.module.unskipped_junctions for table in plan.tables
    )
    return 1 - kept / plain


def warnings(graph: Graph, design: AqfpBnnDesign) -> tuple[str, ...]:
    """Return what to know about a result: junctions never built, energy per junction, ranges left."""
    layers = Network(graph).layers()
    resident = design.replication * sum(map_layer(layer, design).junctions for layer in layers)
    built = float(CONSTANTS.demonstrated_junctions_count)
    found = energy_warnings(design)
    if resident > built:
        found.insert(
            0,
            f"{resident:.4g} junctions, {resident / built:.4g} times the largest AQFP chip shown ({built:g})",
        )
    if design.crossbar > float(CONSTANTS.largest_crossbar_count):
        found.append(f"crossbar {design.crossbar} is outside the sizes its cost was given for, 4 to 144")
    return tuple(found)
