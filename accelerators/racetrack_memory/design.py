"""Knobs of the racetrack memory, and the presets."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "racetrack_memory")
# Times become whole picoseconds: the finest step in which the published ones differ is ten of them.
RESOLUTION_HZ = 1e12


class Policy(StrEnum):
    """Whether a tape stays where an access left it, or goes back."""

    LAZY = "lazy"
    EAGER = "eager"


class PortSelection(StrEnum):
    """Which port reads a domain: that with the fewest shifts, or that of its part of the tape."""

    NEAREST = "nearest"
    ASSIGNED = "assigned"


class ShiftLatency(StrEnum):
    """Whether every shift takes its time, or an access shifts once whatever the distance, as in RTSim."""

    PHYSICAL = "physical"
    RTSIM_COMPATIBLE = "rtsim_compatible"


class Placement(StrEnum):
    """Where words lie that have no place of their own."""

    AS_GIVEN = "as_given"
    FIRST_USE = "first_use"
    FREQUENCY = "frequency"
    ARRANGEMENT = "arrangement"
    EXACT = "exact"


class FaultModel(StrEnum):
    """Which fault model the mean time to failure rests on; they differ by more than three orders."""

    NONE = "none"
    PINNING = "pinning"
    POSITION = "position"


class RacetrackMemoryDesign(Design):
    """Clusters of tapes under ports; a word is one domain of all tapes of a cluster."""

    clusters: int = Field(256, ge=1, le=2**24, description="Domain-block clusters: tapes that shift together")
    domains: int = Field(64, ge=1, le=2**16, description="Domains of a tape: words of a cluster")
    ports: int = Field(2, ge=1, le=2**10, description="Access ports of a tape, evenly spaced")
    word_bits: int = Field(32, ge=1, le=2**12, description="Tapes of a cluster: bits of a word")
    policy: Policy = Field(Policy.LAZY, description="Whether a tape stays or goes back after an access")
    port_selection: PortSelection = Field(PortSelection.NEAREST, description="Which port serves a domain")
    shift_latency: ShiftLatency = Field(
        ShiftLatency.PHYSICAL, description="Time of a shift over several domains"
    )
    placement: Placement = Field(Placement.AS_GIVEN, description="Where words lie")
    fault_model: FaultModel = Field(
        FaultModel.NONE, description="Kind of fault behind the mean time to failure"
    )
    corrected_steps: int = Field(
        0, ge=0, le=2, description="Position errors that the code corrects: p-ECC is 1"
    )
    shift_s: float = Field(2.14192e-9, gt=0, le=1, allow_inf_nan=False, description="One shift")
    read_s: float = Field(1.61338e-9, gt=0, le=1, allow_inf_nan=False, description="One read")
    write_s: float = Field(4.84522e-9, gt=0, le=1, allow_inf_nan=False, description="One write")

    @model_validator(mode="after")
    def _ports_fit(self) -> Self:
        if self.ports > self.domains:
            raise ValueError(f"{self.ports} ports over {self.domains} domains; at most one a domain")
        return self

    @property
    def port_places(self) -> tuple[int, ...]:
        """Domain under each port while the tape rests: j x domains / ports, as RTSim has them."""
        return tuple(j * self.domains // self.ports for j in range(self.ports))

    @property
    def words(self) -> int:
        """Words of the memory."""
        return self.clusters * self.domains

    @staticmethod
    def picoseconds(seconds: float) -> int:
        """Return a time in whole picoseconds, rounded up."""
        return math.ceil(seconds * RESOLUTION_HZ - 1e-6)


def _presets() -> dict[str, RacetrackMemoryDesign]:
    c = CONSTANTS
    physical = RacetrackMemoryDesign(
        shift_s=float(c.shift_s), read_s=float(c.read_s), write_s=float(c.write_s)
    )
    compatible = physical.model_copy(
        update={"shift_latency": ShiftLatency.RTSIM_COMPATIBLE, "port_selection": PortSelection.ASSIGNED}
    )
    return {"rtsim": physical, "rtsim_compatible": compatible}


PRESETS = _presets()


def structure(design: RacetrackMemoryDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: all but the times."""
    knobs = design.model_dump(mode="json")
    return {name: value for name, value in knobs.items() if not name.endswith("_s")}
