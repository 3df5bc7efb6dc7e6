"""An edge FPGA as its published achieved rate and power: EF-Train."""

from accelerators.edge_fpga.datasheet import knob
from accelerators.edge_fpga.design import CONSTANTS, FOLDER, PRESETS
from hwsim.model.roofline import accelerator

ACCELERATOR = accelerator(
    "edge_fpga",
    "Edge FPGA as the rate and power that EF-Train achieved in 32 bits",
    PRESETS,
    CONSTANTS,
    FOLDER,
    knob,
)
