"""Knobs of the folded dataflow network, and the presets."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "finn_bnn")
AUTOMATIC = "automatic"
_PAIR = r"[1-9]\d{0,5}x[1-9]\d{0,5}"


class Technology(StrEnum):
    """Where the network is built: standard cells, or the programmable logic of an FPGA."""

    CELLS = "cells"
    FPGA = "fpga"


class FinnBnnDesign(Design):
    """One engine for every layer; each works on SIMD inputs of PE outputs a clock."""

    folding: str = Field(
        AUTOMATIC,
        pattern=rf"^({AUTOMATIC}|{_PAIR}(,{_PAIR})*)$",
        max_length=4096,
        description="SIMDxPE of every layer with weights, commas between; automatic: fastest that fits",
    )
    bit_lanes: int = Field(4096, ge=1, le=2**30, description="Products of two bits per cycle")
    stream_lanes: int = Field(64, ge=1, le=2**20, description="Channels per cycle in pools and additions")
    host_word_bits: int = Field(
        1, ge=1, le=4096, description="Binary inputs of a first linear layer, and last outputs, fill words"
    )
    operand_bits: int = Field(
        8, ge=2, le=32, description="Bits of weights and activations that the network has in floating point"
    )
    accumulator_bits: int = Field(24, ge=8, le=64, description="Bits of a partial sum or threshold")
    weight_memory_bytes: int = Field(4 * 2**20, ge=1, le=2**40, description="Memory for weights, on the chip")
    technology: Technology = Field(Technology.CELLS, description="Standard cells, or an FPGA")
    clock_hz: float = Field(300e6, ge=1.0, le=1e12, allow_inf_nan=False, description="Clock")
    node_m: float = Field(45e-9, ge=5e-9, le=1e-6, allow_inf_nan=False, description="Technology node")
    supply_v: float = Field(0.9, ge=0.3, le=5.0, allow_inf_nan=False, description="Supply")
    product_j_per_bit: float = Field(
        0.0, ge=0.0, le=1e-3, allow_inf_nan=False, description="XNOR and count of one bit; 0: estimate"
    )
    memory_j_per_bit: float = Field(
        0.0, ge=0.0, le=1e-3, allow_inf_nan=False, description="Energy to read a bit of memory; 0: estimate"
    )
    board_power_w: float = Field(
        0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="Power of the FPGA board; 0: not charged"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.board_power_w and self.technology is not Technology.FPGA:
            raise ValueError(
                f"board_power_w {self.board_power_w} is that of an FPGA; technology is {self.technology}"
            )
        return self

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """SIMD and PE of every layer; empty if they are chosen here."""
        found = re.findall(r"(\d+)x(\d+)", self.folding)
        return tuple((int(simd), int(pe)) for simd, pe in found)


def _presets() -> dict[str, FinnBnnDesign]:
    c = CONSTANTS
    cells = FinnBnnDesign(node_m=float(c.reference_node_m), supply_v=float(c.reference_supply_v))
    board = cells.model_copy(
        update={
            "technology": Technology.FPGA,
            "clock_hz": float(c.ultra96_clock_hz),
            "host_word_bits": int(c.host_word_bits),
        }
    )
    return {"cells_45nm": cells, "ultra96": board}


PRESETS = _presets()
STRUCTURE = (
    "folding",
    "bit_lanes",
    "stream_lanes",
    "host_word_bits",
    "operand_bits",
    "accumulator_bits",
    "weight_memory_bytes",
)


def structure(design: FinnBnnDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on."""
    knobs = design.model_dump(mode="json")
    return {name: knobs[name] for name in STRUCTURE}
