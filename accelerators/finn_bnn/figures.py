"""Figures of the chip's own: interval, latency, images a second, energy of an image, folds."""

from __future__ import annotations

from accelerators.finn_bnn.datasheet import datasheet
from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.lower import lower
from accelerators.finn_bnn.streaming import pipeline_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.trace import reduce


def figures(graph: Graph, design: FinnBnnDesign) -> dict[str, float]:
    """Return interval_s, latency_s, samples_per_s and what a full pipeline spends on a sample.

    active: events only; always_on: and leakage, or the board's power, for an interval. Two operations a MAC.
    ``layer_N_cycles_count`` are the clocks of layer N with weights, counted from 0, for a sample.
    """
    pipeline = pipeline_of(graph, design)
    interval = max(1, pipeline.interval_cycles) / design.clock_hz
    sheet = datasheet(design)
    rows = {(row.unit, row.action): row for row in sheet.actions}
    switching = 0.0
    for (_, unit, action), _, bits in reduce(lower(graph, design)).items():
        price = rows[unit, action].energy_per_bit
        switching += bits * price.value if price else 0.0
    leakage = sum(row.leakage.value for row in sheet.units if row.leakage)
    active = switching / pipeline.images
    always = active + leakage * interval
    macs = sum(work_of(graph, op).macs for op in graph.ops) / pipeline.images
    found = {
        "interval_s": interval,
        "latency_s": pipeline.latency_cycles / design.clock_hz,
        "samples_per_s": 1 / interval,
        "bit_lanes_used_count": float(sum(fold.bit_lanes for fold in pipeline.folds.values())),
    }
    if always:
        found |= {"always_on_j": always, "always_on_operations_per_j": 2 * macs / always}
        found["power_w"] = always / interval
    if active:
        found |= {"active_j": active, "active_operations_per_j": 2 * macs / active}
    for index, fold in enumerate(pipeline.folds.values()):
        found[f"layer_{index}_cycles_count"] = float(fold.clocks * fold.pixels)
    return found
