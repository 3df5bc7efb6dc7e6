"""Figures of the chip's own: arrays and chips it takes, pipelined rate, published peaks, clipping."""

from __future__ import annotations

import numpy as np

from accelerators.reram_pim.arithmetic import product
from accelerators.reram_pim.datasheet import datasheet
from accelerators.reram_pim.design import CONSTANTS, ReramDesign
from accelerators.reram_pim.lower import lower
from accelerators.reram_pim.machine import draw
from accelerators.reram_pim.mapping import Layer, placed
from hwsim.graph.types import Graph
from hwsim.trace import reduce

_SAMPLE_VECTORS, _SAMPLE_COLUMNS, _SEED = 4, 16, 0


def figures(graph: Graph, design: ReramDesign) -> dict[str, float]:
    """Return what the papers of the field print beside time and energy.

    Returns
    -------
    dict
        arrays_count that the network takes, copies included; samples_per_s, if every layer works on another
        input; active_j and active_operations_per_j, one MAC two operations; peak_operations_per_s,
        units_power_w, peak_power_w and peak_operations_per_s_per_m2 of a full chip of 16-bit operands;
        adc_power_ratio; clipping_error_ratio, the root mean square error of products of random operands
        relative to their own, if the converter can clip.
    """
    c = CONSTANTS
    layers = [layer for found in placed(graph, design).values() for layer in found]
    slowest = max((layer.rounds * layer.reads for layer in layers), default=0)
    read_s = design.clocks_per_read / design.adc_rate_hz
    macs = design.arrays * design.array_rows * (design.array_cols / design.slices(16))
    peak = 2 * macs / (design.reads(16) * read_s)
    unit = float(
        c.ima_adc_w
        + c.ima_dac_w
        + c.ima_sample_hold_w
        + c.ima_array_w
        + c.ima_shift_add_w
        + c.ima_input_register_w
        + c.ima_output_register_w
    )
    found = {
        "arrays_count": float(sum(layer.arrays * layer.copies for layer in layers)),
        "peak_operations_per_s": peak,
        "peak_operations_per_s_per_m2": peak / (design.chips * float(c.chip_area_m2)),
        "units_power_w": unit * int(c.imas_per_tile_count),
        "peak_power_w": float(c.tile_w) * int(c.tiles_count) + float(c.link_w),
        "adc_power_ratio": float(c.ima_adc_w) * int(c.imas_per_tile_count) / float(c.tile_w),
    }
    if slowest:
        found["samples_per_s"] = 1 / (slowest * read_s)
    if layers:
        found["active_j"] = event_energy_j(graph, design)
        found["active_operations_per_j"] = 2 * sum(layer.product.macs for layer in layers) / found["active_j"]
    if design.clips and layers:
        found["clipping_error_ratio"] = clipping_error(graph, layers, design)
    return found


def event_energy_j(graph: Graph, design: ReramDesign) -> float:
    """Return the energy of all events of one run; the chip's standby power is not published."""
    prices = {(row.unit, row.action): row for row in datasheet(design).actions}
    total = 0.0
    for (_, unit, action), events, bits in reduce(lower(graph, design)).items():
        row = prices[unit, action]
        total += events * (float(row.energy) if row.energy is not None else 0.0)
        total += bits * (float(row.energy_per_bit) if row.energy_per_bit is not None else 0.0)
    return total


def clipping_error(graph: Graph, layers: list[Layer], design: ReramDesign) -> float:
    """Return the relative error of products of random operands in the layer with the longest columns."""
    layer = max(layers, key=lambda found: found.product.k)
    rng = np.random.default_rng(_SEED)
    inputs, weights = (graph.tensors[name].format for name in (layer.product.left, layer.product.right))
    vectors = draw(inputs, (_SAMPLE_VECTORS, layer.product.k), rng)
    matrix = draw(weights, (layer.product.k, min(layer.product.n, _SAMPLE_COLUMNS)), rng)
    exact = vectors @ matrix
    error = product(vectors, matrix, inputs, weights, design) - exact
    return float(np.sqrt(np.mean(error.astype(float) ** 2) / np.mean(exact.astype(float) ** 2)))
