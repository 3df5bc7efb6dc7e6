"""Knobs of a roofline engine."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from hwsim.model.types import Design


class MemoryModel(StrEnum):
    """Whether memory takes time of its own, or its time is inside a peak that was achieved, not computed."""

    BOUNDED = "bounded"
    IN_PEAK = "in_peak"


class RooflineDesign(Design):
    """An engine that takes the longer of its peak work and its peak traffic, at constant power."""

    lanes: int = Field(ge=1, le=2**24, description="Multiply-accumulates, or vector operations, per cycle")
    clock_hz: float = Field(ge=1.0, le=1e12, allow_inf_nan=False, description="Clock")
    operand_bits: int = Field(32, ge=1, le=64, description="Bits of weights and activations")
    memory_model: MemoryModel = Field(
        MemoryModel.BOUNDED, description="Whether memory takes time beside the peak"
    )
    dram_bits_per_s: float = Field(
        1e12, ge=1.0, le=1e18, allow_inf_nan=False, description="DRAM bandwidth; for memory_model=bounded"
    )
    active_power_w: float = Field(
        gt=0, le=1e6, allow_inf_nan=False, description="Power when busy, memory included"
    )
    die_area_m2: float = Field(
        0.0, ge=0, lt=0.07, allow_inf_nan=False, description="Area of the die; 0: not published"
    )
