"""Knobs of the racetrack chip, and the presets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from accelerators.racetrack_pim.timing import Level
from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "racetrack_pim")
DISTANCES, VOTERS, LANE_BITS = (3, 5, 7), (1, 3, 5, 7), (8, 16, 32, 64, 128, 256, 512)


class MultiplyModel(StrEnum):
    """Where the cycles of a multiplication come from."""

    PUBLISHED = "published"
    FUNCTIONAL = "functional"


class FloatAs(StrEnum):
    """How tensors of floating-point networks are stored."""

    INT8 = "int8"
    FLOAT32 = "float32"


class RacetrackDesign(Design):
    """Clusters of racetracks between two ports, which add by transverse reads."""

    trd: int = Field(7, description="Transverse-read distance: domains from port to port, 3, 5 or 7")
    timing: Level = Field(Level.DEVICE, description="Level of time: device, or controller; they never mix")
    subarrays_active: int = Field(
        0,
        ge=0,
        validate_default=True,
        description="Subarrays of a bank that compute at once, 1 to 64; 0: not given, and refused",
    )
    multiply_model: MultiplyModel = Field(
        MultiplyModel.PUBLISHED,
        description="published: 8 bits, TRD 3 or 7; functional: any bits, counted on the model's own trace",
    )
    float_as: FloatAs = Field(FloatAs.INT8, description="Tensors of floating-point networks: int8 or float32")
    accumulator_bits: int = Field(
        0, ge=0, le=512, description="Bits of a partial sum, its lane; 0: as many as exact sums need"
    )
    redundancy: int = Field(1, description="Times that everything is computed and voted on: 1, 3, 5 or 7")
    fault_probability: float = Field(
        1e-6, ge=0, le=0.5, allow_inf_nan=False, description="Chance that a transverse read is off by one"
    )
    banks: int = Field(32, ge=1, le=2**16, description="Banks that compute at once")
    tiles_active: int = Field(
        1, ge=1, le=16, description="Tiles of an active subarray that compute at once, one cluster in each"
    )
    clusters_per_tile: int = Field(16, ge=1, le=2**10, description="Clusters of a tile, storage included")
    wires: int = Field(512, ge=64, le=4096, multiple_of=64, description="Wires of a cluster")
    domains: int = Field(32, ge=7, le=4096, description="Domains of a wire that hold data, without padding")
    cell_area_ratio: float = Field(
        4.0, ge=1, le=4, allow_inf_nan=False, description="Area of a cell in squared feature sizes, 1 to 4"
    )
    host_lanes: int = Field(
        64, ge=1, le=2**20, description="Operations of the host in a bus cycle (divisions, look-ups)"
    )

    @field_validator("trd")
    @classmethod
    def _known_distance(cls, value: int) -> int:
        if value not in DISTANCES:
            raise ValueError("a transverse read spans 3, 5 or 7 domains")
        return value

    @field_validator("redundancy")
    @classmethod
    def _odd_votes(cls, value: int) -> int:
        if value not in VOTERS:
            raise ValueError("votes need 1, 3, 5 or 7 results")
        return value

    @field_validator("subarrays_active")
    @classmethod
    def _given(cls, value: int) -> int:
        if not 1 <= value <= 64:
            raise ValueError(
                "subarrays that compute at once are published by nobody and have no default: give 1 to 64, "
                "the bracket of the published geometry, such as subarrays_active=8"
            )
        return value

    @field_validator("accumulator_bits")
    @classmethod
    def _lane_width(cls, value: int) -> int:
        if value and value not in LANE_BITS:
            raise ValueError("a lane has 8, 16, 32, 64, 128, 256 or 512 bits")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.redundancy > self.trd:
            raise ValueError(f"a transverse read of {self.trd} domains cannot vote on {self.redundancy}")
        if self.domains < 2 * self.trd - 1:
            raise ValueError(f"{self.domains} domains leave less padding than a window of {self.trd} moves")
        if self.accumulator_bits > self.wires:
            raise ValueError(f"a lane of {self.accumulator_bits} bits does not fit {self.wires} wires")
        return self

    @property
    def operands(self) -> int:
        """Operands of one addition: C and C' take the ends of the window, at distance 3 C alone."""
        return 2 if self.trd == 3 else self.trd - 2

    @property
    def planes(self) -> int:
        """Bits of a count of ones."""
        return 2 if self.trd == 3 else 3

    @property
    def padding(self) -> int:
        """Domains beside the data, both sides together: Y - TRD of 2Y - TRD in total."""
        return self.domains - self.trd

    @property
    def rows_at_once(self) -> int:
        """Clusters that compute at once."""
        return self.banks * self.subarrays_active * self.tiles_active

    def lanes(self, bits: int) -> int:
        """Return lanes of `bits` bits in a row of a cluster."""
        return self.wires // bits


# Fitted to the published frames per second of AlexNet at distance 7, ternary and full; see anchors.toml.
TERNARY_SUBARRAYS, INT8_SUBARRAYS = 3, 6


def _presets() -> dict[str, RacetrackDesign]:
    c = CONSTANTS
    calibrated = RacetrackDesign(
        subarrays_active=TERNARY_SUBARRAYS,
        banks=int(c.banks_count),
        wires=int(c.wires_count),
        domains=int(c.domains_count),
        clusters_per_tile=int(c.clusters_per_tile_count),
        cell_area_ratio=float(c.cell_area_ratio),
    )

    def changed(**knobs: Any) -> RacetrackDesign:
        return RacetrackDesign.model_validate(calibrated.model_dump() | knobs)

    return {
        "calibrated_ternary": calibrated,
        "calibrated_int8": changed(subarrays_active=INT8_SUBARRAYS),
        "float32": changed(float_as=FloatAs.FLOAT32, multiply_model=MultiplyModel.FUNCTIONAL),
    }


PRESETS = _presets()
_PRICES = (
    "timing",
    "subarrays_active",
    "banks",
    "tiles_active",
    "clusters_per_tile",
    "cell_area_ratio",
    "fault_probability",
    "host_lanes",
)


def structure(design: RacetrackDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: all but times, parallelism and area."""
    knobs = design.model_dump(mode="json")
    return {name: value for name, value in knobs.items() if name not in _PRICES}
