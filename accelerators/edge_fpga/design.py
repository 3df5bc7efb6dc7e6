"""The preset of the FPGA, and where its numbers come from."""

from __future__ import annotations

from pathlib import Path

from hwsim.constants import Constants, load_constants
from hwsim.model.roofline.design import MemoryModel, RooflineDesign

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "edge_fpga")
PREFIXES = {"ef_train": "ef_train"}
PRESETS = {
    "ef_train": RooflineDesign(
        lanes=128,
        operand_bits=32,
        memory_model=MemoryModel.IN_PEAK,
        clock_hz=float(CONSTANTS.ef_train_clock_hz),
        active_power_w=float(CONSTANTS.ef_train_active_power_w),
    )
}
