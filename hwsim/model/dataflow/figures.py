"""What a full pipeline does with a sample."""

from __future__ import annotations

from typing import Any

from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.model.dataflow.pipeline import Pipeline
from hwsim.model.types import Datasheet
from hwsim.trace import Trace, reduce


def steady_state(
    graph: Graph, pipeline: Pipeline[Any], sheet: Datasheet, trace: Trace, clock_hz: float
) -> dict[str, float]:
    """Return interval_s, latency_s, samples_per_s and what a full pipeline spends on a sample.

    active: events only, all of them priced by bit; always_on: and what is drawn all the time, for an
    interval. Two operations a MAC, done or saved. What costs nothing, or is not known, is left out.
    """
    interval_s = max(1, pipeline.interval_cycles) / clock_hz
    rows = {(row.unit, row.action): row for row in sheet.actions}
    switching = 0.0
    for (_, unit, action), _, bits in reduce(trace).items():
        price = rows[unit, action].energy_per_bit
        switching += bits * price.value if price else 0.0
    leakage = sum(row.leakage.value for row in sheet.units if row.leakage)
    active = switching / pipeline.images
    always = active + leakage * interval_s
    operations = 2 * sum(work_of(graph, op).macs for op in graph.ops) / pipeline.images
    found = {
        "interval_s": interval_s,
        "latency_s": pipeline.latency_cycles / clock_hz,
        "samples_per_s": 1 / interval_s,
    }
    if active:
        found |= {"active_j": active, "active_operations_per_j": operations / active}
    if always:
        found |= {"always_on_j": always, "always_on_operations_per_j": operations / always}
        found["power_w"] = always / interval_s
    return found
