"""Knobs of the ReRAM crossbar chip, and the presets."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "reram_pim")


class Encoding(StrEnum):
    """How weights lie in a column: as they are, or complemented where that halves the largest sum."""

    PLAIN = "plain"
    FLIPPED = "flipped"


class ReramDesign(Design):
    """Tiles of crossbar arrays that hold all weights, one converter per array."""

    array_rows: int = Field(128, ge=1, le=4096, description="Rows of an array: inputs added in a column")
    array_cols: int = Field(128, ge=1, le=4096, description="Columns of an array")
    cell_bits: int = Field(2, ge=1, le=8, description="Bits of a cell")
    weight_bits: int = Field(16, ge=2, le=32, description="Bits of a weight of floating-point networks")
    activation_bits: int = Field(
        16, ge=2, le=32, description="Bits of an activation of floating-point networks"
    )
    dac_bits: int = Field(1, ge=1, le=8, description="Input bits that enter in one read cycle")
    adc_bits: int = Field(8, ge=1, le=24, description="Bits of the converter")
    encoding: Encoding = Field(Encoding.FLIPPED, description="Weights as they are, or complemented by column")
    allow_clipping: bool = Field(
        False, description="Let the converter saturate where its range is too small; the error is measured"
    )
    replicate: bool = Field(
        True, description="Spend arrays that are left over on copies of the slowest layers"
    )
    chips: int = Field(1, ge=1, le=2**16, description="Chips that hold the network together")
    tiles: int = Field(168, ge=1, le=2**16, description="Tiles")
    imas_per_tile: int = Field(12, ge=1, le=2**10, description="In-situ multiply-accumulate units of a tile")
    arrays_per_ima: int = Field(8, ge=1, le=2**10, description="Arrays of a unit")
    vector_lanes: int = Field(
        168, ge=1, le=2**20, description="Vector operations per cycle, all tiles together"
    )
    read_cycle_s: float = Field(
        100e-9, gt=0, le=1e-3, allow_inf_nan=False, description="One read of an array"
    )
    adc_rate_hz: float = Field(
        1.28e9, ge=1.0, le=1e12, allow_inf_nan=False, description="Conversions per second"
    )

    @property
    def arrays(self) -> int:
        """Arrays of all chips."""
        return self.chips * self.tiles * self.imas_per_tile * self.arrays_per_ima

    @property
    def cell_reads_per_clock(self) -> int:
        """Cells read in a clock when every array works: the bound of multiply-accumulates of any operands."""
        return max(1, self.arrays * self.array_rows * self.array_cols // self.clocks_per_read)

    @property
    def clocks_per_read(self) -> int:
        """Clocks of the converter in one read cycle: the cycle itself, or one conversion per column."""
        return max(math.ceil(self.read_cycle_s * self.adc_rate_hz - 1e-9), self.array_cols)

    def reads(self, bits: int) -> int:
        """Return read cycles in which inputs of `bits` bits enter."""
        return -(-bits // self.dac_bits)

    def slices(self, bits: int) -> int:
        """Return cells that a weight of `bits` bits takes."""
        return -(-bits // self.cell_bits)

    @property
    def largest_sum(self) -> int:
        """Largest sum of a column: all inputs and cells full, or half of it when columns are complemented."""
        whole: int = self.array_rows * (2**self.cell_bits - 1) * (2**self.dac_bits - 1)
        return whole // 2 if self.encoding is Encoding.FLIPPED else whole

    @property
    def clips(self) -> bool:
        """Whether a column can exceed the converter."""
        return self.largest_sum > int(2**self.adc_bits) - 1


def _presets() -> dict[str, ReramDesign]:
    c = CONSTANTS
    isaac = ReramDesign(
        array_rows=int(c.array_rows_count),
        array_cols=int(c.array_rows_count),
        tiles=int(c.tiles_count),
        imas_per_tile=int(c.imas_per_tile_count),
        arrays_per_ima=int(c.arrays_per_ima_count),
        read_cycle_s=float(c.read_cycle_s),
        adc_rate_hz=float(c.adc_rate_hz),
    )
    binary = isaac.model_copy(
        update={"cell_bits": 1, "weight_bits": 8, "activation_bits": 8, "encoding": Encoding.PLAIN}
    )
    return {"isaac": isaac, "binary": binary}


PRESETS = _presets()
_PRICES = ("read_cycle_s", "adc_rate_hz", "vector_lanes")


def structure(design: ReramDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: all but times and digital lanes."""
    knobs = design.model_dump(mode="json")
    return {name: value for name, value in knobs.items() if name not in _PRICES}
