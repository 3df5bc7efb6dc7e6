"""Figures of the chip's own that publications state: commands, their latencies, energy of a KiB of row."""

from __future__ import annotations

from accelerators.dram_pim.datasheet import activation_energy, datasheet
from accelerators.dram_pim.design import CONSTANTS, DramPimDesign, EnergyModel
from accelerators.dram_pim.lower import KINDS, OPENED, lower
from accelerators.dram_pim.timing import timing_of
from hwsim.graph.types import Graph
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.model.types import Datasheet
from hwsim.trace import Trace, reduce


def figures(graph: Graph, design: DramPimDesign) -> dict[str, float]:
    """Return what `graph` makes of the chip, in the terms of publications.

    ap_s, aap_s: one command. commands_count and the other counts: over all banks. row_s: time of row commands
    over the rows that the results fill. results_per_s: elements of results a second. activation_j: opening
    one row. kib_of_row_j: energy of all rows over the KiB that the results fill. What is said by row is left
    out where the results fill not even one.
    """
    timing, tick_s, trace, sheet = timing_of(design), CONSTANTS.tick_s.value, *_lowered(graph, design)
    found = {"ap_s": timing.ap * tick_s, "aap_s": timing.aap * tick_s}
    if design.energy_model is not EnergyModel.AMBIT:
        found["activation_j"] = activation_energy(design).value
    prices = {(row.unit, row.action): row.energy for row in sheet.actions}
    counts = {f"{name}_count": 0.0 for name in (*KINDS, *OPENED, "refresh", "step")}
    joules = 0.0
    for (_, unit, action), events, _ in reduce(trace).items():
        if unit in ("banks", "rows", "sequencer"):
            counts[f"{action}_count"] += events
        if unit in ("banks", "rows"):
            energy = prices[unit, action]
            joules += events * energy.value if energy else 0.0
    steps = counts.pop("step_count")
    found |= counts | {"commands_count": sum(counts[f"{kind}_count"] for kind in KINDS)}
    results = [graph.tensors[name] for name in graph.outputs]
    bits = sum(tensor.bits for tensor in results)
    time_s = int(time_trace(trace, price(trace, sheet), sheet).cycles) * tick_s
    if bits >= design.lanes:
        found["kib_of_row_j"] = joules * 8 * 1024 / bits
        found["row_s"] = steps * tick_s * design.lanes / bits
    if time_s:
        found["results_per_s"] = sum(tensor.elements for tensor in results) / time_s
    return found


def _lowered(graph: Graph, design: DramPimDesign) -> tuple[Trace, Datasheet]:
    return lower(graph, design), datasheet(design)
