"""Figures of the chip's own: what is reused, images a second, energy of an image."""

from __future__ import annotations

from accelerators.mst_bnn.datasheet import datasheet
from accelerators.mst_bnn.design import MstBnnDesign
from accelerators.mst_bnn.lower import lower
from accelerators.mst_bnn.streaming import bit_lanes_of, pipeline_of
from hwsim.graph.types import Graph
from hwsim.model.dataflow import steady_state


def figures(graph: Graph, design: MstBnnDesign) -> dict[str, float]:
    """Return what a full pipeline does with a sample, and what its binary layers reuse.

    ``reuse_ratio`` is the share of the binary layers' bit products that is left, ``levels_count`` the deepest
    tree's levels.
    """
    pipeline = pipeline_of(graph, design)
    found = steady_state(graph, pipeline, datasheet(design), lower(graph, design), design.clock_hz)
    found["bit_lanes_used_count"] = float(bit_lanes_of(graph, pipeline, design))
    products = {stage.op.name: stage.product for stage in pipeline.stages if stage.product is not None}
    layers = [(products[name], reuse) for name, reuse in pipeline.layers.items()]
    asked = sum(product.macs for product, _ in layers)
    if asked:
        found |= {
            "reuse_ratio": sum(product.m * reuse.products for product, reuse in layers) / asked,
            "levels_count": float(max(reuse.levels for _, reuse in layers)),
            "binary_macs_count": asked / pipeline.images,
            "binary_weights_count": float(sum(product.k * product.n for product, _ in layers)),
        }
    return found
