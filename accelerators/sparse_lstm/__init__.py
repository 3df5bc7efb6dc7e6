"""Sparse-state LSTM engine: skips the weight columns of states that are zero in every sequence of a batch."""

from accelerators.sparse_lstm.datasheet import datasheet
from accelerators.sparse_lstm.design import CONSTANTS, FOLDER, PRESETS, SparseLstmDesign, structure
from accelerators.sparse_lstm.lower import POINTWISE, lower, supports
from accelerators.sparse_lstm.machine import machine
from accelerators.sparse_lstm.operands import random_graph, reference
from accelerators.sparse_lstm.prepare import prepare
from hwsim.model.types import Accelerator

ACCELERATOR = Accelerator(
    name="sparse_lstm",
    summary="LSTM and GRU engine that skips the weight columns of zero states (65 nm)",
    design=SparseLstmDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("array", "mac"): "macs", **{("vector", name): name for name in POINTWISE}},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    offchip="dram",
    lane_knobs=("dram_bits_per_s",),
)
