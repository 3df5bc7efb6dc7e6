"""Figures of the chip's own: interval, latency, images a second, energy of an image, folds."""

from __future__ import annotations

from accelerators.finn_bnn.datasheet import datasheet
from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.lower import lower
from accelerators.finn_bnn.streaming import pipeline_of
from hwsim.graph.types import Graph
from hwsim.model.dataflow import steady_state


def figures(graph: Graph, design: FinnBnnDesign) -> dict[str, float]:
    """Return what a full pipeline does with a sample; always_on: with leakage, or the board's power.

    ``layer_N_cycles_count`` are the clocks of layer N with weights, counted from 0, for a sample.
    """
    pipeline = pipeline_of(graph, design)
    found = steady_state(graph, pipeline, datasheet(design), lower(graph, design), design.clock_hz)
    found["bit_lanes_used_count"] = float(sum(fold.bit_lanes for fold in pipeline.layers.values()))
    for index, fold in enumerate(pipeline.layers.values()):
        found[f"layer_{index}_cycles_count"] = float(fold.clocks * fold.pixels)
    return found
