"""Binary and ternary LSTM weights: multiply-accumulate becomes add, subtract or skip."""

from accelerators.binary_lstm.datasheet import datasheet
from accelerators.binary_lstm.design import CONSTANTS, FOLDER, PRESETS, BinaryLstmDesign, structure
from accelerators.binary_lstm.lower import lower
from accelerators.binary_lstm.machine import machine
from accelerators.binary_lstm.mapping import supports
from accelerators.binary_lstm.operands import random_graph, reference
from accelerators.binary_lstm.prepare import prepare
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import Accelerator

ACCELERATOR = Accelerator(
    name="binary_lstm",
    summary="LSTM engine with 12-bit, binary or ternary weights and normalization folded into the gates",
    design=BinaryLstmDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("mac_units", "mac"): "macs", **{("vector", name): name for name in PRIMITIVES}},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("mac_units", "memory_bits_per_cycle", "vector_lanes"),
)
