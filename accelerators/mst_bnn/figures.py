"""Figures of the chip's own: what is reused, images a second, energy of an image."""

from __future__ import annotations

from accelerators.mst_bnn.datasheet import datasheet
from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.lower import lower
from accelerators.mst_bnn.streaming import pipeline_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.trace import reduce


def figures(graph: Graph, design: MstBnnDesign) -> dict[str, float]:
    """Return interval_s, latency_s, samples_per_s and what a full pipeline spends on a sample.

    active: events only; always_on: and leakage for an interval. Two operations a MAC, reused or not.

    ``reuse_ratio`` is the share of the binary layers' bit products that is left, ``levels_count`` the deepest
    tree's levels.
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
        "active_j": active,
        "active_operations_per_j": 2 * macs / active if active else 0.0,
        "always_on_j": always,
        "always_on_operations_per_j": 2 * macs / always,
        "power_w": always / interval,
        "bit_lanes_used_count": float(pipeline.bit_lanes),
    }
    layers = [stage for stage in pipeline.stages if stage.op.name in pipeline.reuse]
    asked = sum(stage.product.macs for stage in layers if stage.product is not None)
    if asked:
        left = sum(
            stage.product.m * pipeline.reuse[stage.op.name].products
            for stage in layers
            if stage.product is not None
        )
        found |= {
            "reuse_ratio": left / asked,
            "levels_count": float(max(reuse.levels for reuse in pipeline.reuse.values())),
            "binary_macs_count": asked / pipeline.images,
            "binary_weights_count": float(
                sum(stage.product.k * stage.product.n for stage in layers if stage.product is not None)
            ),
        }
    return found
