"""Knobs of the binary/ternary LSTM engine, and the presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from accelerators.binary_lstm.weights import Weights
from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "binary_lstm")


class BinaryLstmDesign(Design):
    """An array of MAC units beside a weight memory, and a unit for gates and states."""

    weights: Weights = Field(Weights.BINARY, description="Weights of 12 bits, of one, or of two with zero")
    mac_units: int = Field(1000, ge=1, le=2**20, description="MACs per cycle: weights used")
    memory_bits_per_cycle: int = Field(1000, ge=1, le=2**30, description="Bits the memory delivers per cycle")
    vector_lanes: int = Field(
        1000, ge=1, le=2**20, description="Vector operations per cycle: gates and states"
    )
    activation_bits: int = Field(
        12, ge=6, le=24, description="Bits of an activation: inputs, states and gates"
    )
    memory_j_per_bit: float = Field(
        0.0, ge=0, le=1.0, allow_inf_nan=False, description="Energy to read a bit of memory; 0: not charged"
    )
    clock_hz: float = Field(400e6, gt=0, le=1e12, allow_inf_nan=False, description="Clock")

    @property
    def weight_bits(self) -> int:
        """Stored bits of one weight."""
        full = int(CONSTANTS.full_precision_weight_bits)
        return {Weights.FULL_PRECISION: full, Weights.BINARY: 1, Weights.TERNARY: 2}[self.weights]

    @property
    def fraction_bits(self) -> int:
        """Bits behind the point of inputs, states and gates, which lie in [-8, 8)."""
        return self.activation_bits - 4


def _presets() -> dict[str, BinaryLstmDesign]:
    c = CONSTANTS
    few = int(c.table_mac_units_count)
    rows = {
        "binary_high_speed": (Weights.BINARY, int(c.binary_high_speed_mac_units_count)),
        "ternary_high_speed": (Weights.TERNARY, int(c.ternary_high_speed_mac_units_count)),
        "binary_low_power": (Weights.BINARY, few),
        "ternary_low_power": (Weights.TERNARY, few),
        "full_precision": (Weights.FULL_PRECISION, few),
    }
    lanes = int(c.vector_lanes_per_mac_unit_count)
    designs = {}
    for name, (weights, units) in rows.items():
        design = BinaryLstmDesign(
            weights=weights,
            mac_units=units,
            vector_lanes=lanes * units,
            clock_hz=float(c.table_clock_hz),
        )
        feeding = {"memory_bits_per_cycle": units * design.weight_bits}
        designs[name] = design.model_copy(update=feeding)
    return designs


PRESETS = _presets()
PRICES = ("mac_units", "memory_bits_per_cycle", "vector_lanes", "memory_j_per_bit", "clock_hz")


def structure(design: BinaryLstmDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: lanes, clock and prices are read from the datasheet."""
    return {name: v for name, v in design.model_dump(mode="json").items() if name not in PRICES}
