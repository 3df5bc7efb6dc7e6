"""Quasi-synchronous operation: the same network with additions that fail, stage by stage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelerators.integral_sc.design import FaultModel, FaultStages, IntegralScDesign
from accelerators.integral_sc.streams import Streamed, layer_inputs, padded
from hwsim.kernels.faulty_adders import faulty_layer
from hwsim.kernels.integral_network import LANES

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]


def stage_rates(rows: int, design: IntegralScDesign) -> Ints:
    """Return failures in 2**32 of every stage of a tree over `rows` synapses, first stage first."""
    stages = max(1, (rows - 1).bit_length())
    rates = np.zeros(stages, np.int64)
    chosen = {FaultStages.ALL: slice(None), FaultStages.FIRST: slice(0, 1), FaultStages.LAST: slice(-1, None)}
    rates[chosen[design.fault_stages]] = round(design.fault_probability * 2**32)
    return rates


def forward_with_faults(
    layers: list[Streamed],
    weights: list[Words],
    streams: Words,
    samples: int,
    first: int,
    design: IntegralScDesign,
) -> Ints:
    """Return int64[classes, samples] of one block of samples, numbered from `first`."""
    limit, length = design.adder_range or 2**40, design.stream_length
    found = []
    for lane in range(samples):
        current = streams
        sums = np.zeros(0, np.int64)
        for index, (layer, own) in enumerate(zip(layers, weights, strict=True)):
            rows = padded(layer.inputs + layer.bias_rows)
            inputs = layer_inputs(current, layer, length).reshape(len(current), rows, LANES)
            seed = (first + lane) * len(layers) + index
            one, sums = faulty_layer(
                np.ascontiguousarray(inputs[:, :, lane]),
                own,
                rows,
                design.m,
                layer.states,
                limit,
                stage_rates(rows, design),
                design.fault_model is FaultModel.WORD,
                seed,
                length,
            )
            current = np.zeros((len(one), one.shape[1], LANES), np.uint64)
            current[:, :, lane] = one
            current = current.reshape(len(one), -1)
        found.append(sums)
    return np.stack(found, axis=1)
