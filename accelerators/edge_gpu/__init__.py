"""A mobile GPU as its published peak, bandwidth, power and die: the Xavier class."""

from accelerators.edge_gpu.datasheet import knob
from accelerators.edge_gpu.design import CONSTANTS, FOLDER, PRESETS
from hwsim.model.roofline import accelerator

ACCELERATOR = accelerator(
    "edge_gpu",
    "Mobile GPU (Xavier class) as a roofline: published peak, bandwidth, power and die",
    PRESETS,
    CONSTANTS,
    FOLDER,
    knob,
)
