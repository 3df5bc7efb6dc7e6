"""Knobs of processing in DRAM, and the presets of the three techniques."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "dram_pim")


class Technique(StrEnum):
    """Ambit: and, or, not by three rows. SIMDRAM: arithmetic by majority. ELP2IM: pseudo-precharge."""

    AMBIT = "ambit"
    SIMDRAM = "simdram"
    ELP2IM = "elp2im"


class EnergyModel(StrEnum):
    """Datasheet currents; 0.8 nJ/KB a copy as published for Ambit; NVMain-PIM's activation on an 8 KB row."""

    CURRENTS = "currents"
    AMBIT = "ambit"
    NVMAIN = "nvmain"


class Scope(StrEnum):
    """Whose rows open at once: one device's (1 KB), or those of all devices of a rank (8 KB)."""

    DEVICE = "device"
    RANK = "rank"


class Grade(StrEnum):
    """Speed grade of the DDR3 device."""

    DDR3_1600H = "ddr3_1600h"
    DDR3_1600J = "ddr3_1600j"
    DDR3_1600K = "ddr3_1600k"
    DDR3_1333H = "ddr3_1333h"


class DeviceDensity(StrEnum):
    """Capacity of an x8 device."""

    GB1 = "1gb"
    GB2 = "2gb"
    GB4 = "4gb"
    GB8 = "8gb"


class ActivationWindow(StrEnum):
    """When banks would open more than four rows in tFAW: they wait, it is an error, or nothing happens."""

    WAIT = "wait"
    REFUSE = "refuse"
    IGNORE = "ignore"


class Operands(StrEnum):
    """Operands lie where their lanes need them, as publications assume, or all of them use the channel."""

    RESIDENT = "resident"
    CHANNEL = "channel"


class DramPimDesign(Design):
    """Rows of DRAM as vectors of one bit a lane; an operation is a microprogram of row commands."""

    technique: Technique = Field(Technique.SIMDRAM, description="Whose row commands and microprograms")
    scope: Scope = Field(description="Rows that open at once, in lanes and in energy: device or rank")
    energy_model: EnergyModel = Field(
        EnergyModel.CURRENTS, description="How energy is found: what opening a row costs"
    )
    grade: Grade = Field(Grade.DDR3_1600K, description="Speed grade")
    device_density: DeviceDensity = Field(DeviceDensity.GB4, description="Capacity of an x8 device")
    banks: int = Field(16, ge=1, le=1024, description="Banks that compute at once")
    page_bits: int = Field(8192, ge=1, le=2**20, description="Row of one device")
    data_rows: int = Field(1006, ge=8, le=2**16, description="Rows of a subarray that hold data")
    overlapped: bool = Field(True, description="The second activation of a copy follows after 4 ns")
    activation_window: ActivationWindow = Field(
        ActivationWindow.WAIT, description="Four activations in tFAW: banks wait, are refused, or ignore it"
    )
    refresh: bool = Field(True, description="Refresh interrupts computing")
    operands: Operands = Field(Operands.RESIDENT, description="Operands in place, or through the channel")
    operand_bits: int = Field(
        8, ge=2, le=32, description="Bits of weights and activations of networks in floating point"
    )
    feature_size_m: float = Field(
        float(CONSTANTS.feature_size_m),
        ge=1e-9,
        le=1e-6,
        allow_inf_nan=False,
        description="F of a cell of 6 F^2",
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        slow = self.grade is Grade.DDR3_1333H
        if slow and self.activation_window is not ActivationWindow.IGNORE:
            raise ValueError("tFAW of ddr3_1333h is not known; set activation_window=ignore")
        if slow and self.energy_model is EnergyModel.CURRENTS:
            raise ValueError("currents are known for DDR3-1600 only; choose another energy_model")
        known = (DeviceDensity.GB4, DeviceDensity.GB8)
        if self.energy_model is EnergyModel.CURRENTS and self.device_density not in known:
            raise ValueError(
                f"currents of {self.device_density} devices are not known, only those of 4gb and 8gb"
            )
        if self.energy_model is EnergyModel.NVMAIN and self.scope is Scope.DEVICE:
            raise ValueError("energy_model nvmain charges rows of a rank; scope device would mix the two")
        if self.technique is Technique.ELP2IM and self.energy_model is EnergyModel.AMBIT:
            raise ValueError("energy_model ambit prices AAPs of Ambit; elp2im has other commands")
        if self.subarrays < 1:
            raise ValueError(f"{self.banks} banks leave no subarray to each of them in {self.device_density}")
        if self.activation_window is ActivationWindow.REFUSE:
            from accelerators.dram_pim.timing import most_banks

            most = most_banks(self)
            if self.banks > most:
                raise ValueError(f"{self.banks} banks open more than four rows in tFAW; {most} do not")
        return self

    @property
    def devices(self) -> int:
        """Devices whose rows open at once."""
        return int(CONSTANTS.rank_devices_count) if self.scope is Scope.RANK else 1

    @property
    def lanes(self) -> int:
        """Bits of a row, each a lane."""
        return self.page_bits * self.devices

    @property
    def device_bits(self) -> int:
        """Capacity of a device."""
        return int(self.device_density.value[0]) * 2**30

    @property
    def subarrays(self) -> int:
        """Subarrays of a bank."""
        rows = self.device_bits // (self.banks * self.page_bits)
        return rows // int(CONSTANTS.subarray_rows_count)

    @property
    def files(self) -> tuple[str, ...]:
        """Microprogram files of the technique, most specific first."""
        return {
            Technique.AMBIT: ("ambit", "logic"),
            Technique.SIMDRAM: ("simdram", "ambit", "logic"),
            Technique.ELP2IM: ("elp2im", "logic"),
        }[self.technique]


def _presets() -> dict[str, DramPimDesign]:
    c = CONSTANTS
    study = DramPimDesign(
        technique=Technique.SIMDRAM,
        scope=Scope.RANK,
        banks=int(c.study_banks_count),
        page_bits=int(c.page_bits),
        data_rows=int(c.data_rows_count),
    )
    plain = {"banks": int(c.standard_banks_count)}
    return {
        "simdram": study,
        "ambit": study.model_copy(update=plain | {"technique": Technique.AMBIT}),
        "elp2im": study.model_copy(update=plain | {"technique": Technique.ELP2IM}),
        "simdram_as_published": study.model_copy(
            update={"overlapped": False, "activation_window": ActivationWindow.IGNORE, "refresh": False}
        ),
        "simdram_channel": study.model_copy(update={"operands": Operands.CHANNEL}),
    }


PRESETS = _presets()
PRICES_ONLY = ("energy_model", "feature_size_m")


def structure(design: DramPimDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: nearly all, as commands have fixed latencies."""
    knobs = design.model_dump(mode="json")
    return {name: value for name, value in knobs.items() if name not in PRICES_ONLY}
