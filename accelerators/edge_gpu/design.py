"""The presets of the mobile GPU, and where their numbers come from."""

from __future__ import annotations

from pathlib import Path

from hwsim.constants import Constants, load_constants
from hwsim.model.roofline.design import RooflineDesign

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "edge_gpu")
PREFIXES = {"xavier_fp32": "fp32", "xavier_fp16": "fp16"}
PRESETS = {
    "xavier_fp32": RooflineDesign(
        lanes=512,
        operand_bits=32,
        clock_hz=float(CONSTANTS.fp32_clock_hz),
        dram_bits_per_s=float(CONSTANTS.fp32_dram_bits_per_s),
        active_power_w=float(CONSTANTS.fp32_active_power_w),
        die_area_m2=float(CONSTANTS.fp32_die_area_m2),
    ),
    "xavier_fp16": RooflineDesign(
        lanes=8192,
        operand_bits=16,
        clock_hz=float(CONSTANTS.fp16_clock_hz),
        dram_bits_per_s=float(CONSTANTS.fp16_dram_bits_per_s),
        active_power_w=float(CONSTANTS.fp16_active_power_w),
        die_area_m2=float(CONSTANTS.fp16_die_area_m2),
    ),
}
