"""Knobs of the spin network, and the presets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "invertible_logic")


class Update(StrEnum):
    """All spins in one clock through saturating counters, or one spin a clock by its probability."""

    SYNCHRONOUS = "synchronous"
    SEQUENTIAL = "sequential"


class Schedule(StrEnum):
    """How I0 grows from its first to its last value within an anneal."""

    GEOMETRIC = "geometric"
    LINEAR = "linear"


class CounterStates(StrEnum):
    """States of a counter: -I0 to I0 - 1, which favours neither sign, or -I0 to I0, where 0 counts as +1."""

    EVEN = "even"
    ODD = "odd"


class Score(StrEnum):
    """Which state of an anneal is its answer."""

    FINAL = "final"
    MODE = "mode"


class InvertibleLogicDesign(Design):
    """Spin gates with integer weights, a saturating counter and a source of noise each."""

    update: Update = Field(Update.SYNCHRONOUS, description="All spins at once, or one after the other")
    counter_states: CounterStates = Field(
        CounterStates.EVEN, description="2 I0 states of a counter, or 2 I0 + 1"
    )
    noise_weight: int = Field(
        3, ge=1, le=2**20, description="Weight of the random +-1; 0 would freeze the spins"
    )
    noise_probability: float = Field(
        1.0, gt=0.0, le=1.0, description="Share of clocks in which a spin gets noise, in steps of 1/128"
    )
    i0_first_ratio: float = Field(
        1.0, gt=0.0, le=2.0**20, allow_inf_nan=False, description="I0 at the start of an anneal"
    )
    i0_last_ratio: float = Field(
        16.0,
        gt=0.0,
        le=2.0**20,
        allow_inf_nan=False,
        description="I0 at its end: half the states of a counter",
    )
    annealing_schedule: Schedule = Field(Schedule.GEOMETRIC, description="How I0 grows")
    anneal_cycles: int = Field(
        512, ge=1, le=2**24, description="Clocks of an anneal; sweeps over all spins if sequential"
    )
    anneals: int = Field(
        1, ge=1, le=2**16, description="Anneals of a run, each from the last state of the one before"
    )
    score: Score = Field(Score.FINAL, description="The last state of an anneal, or its most frequent one")
    runs: int = Field(1024, ge=1, le=2**24, description="Independent runs simulated for --clamp")
    seed: int = Field(1, ge=0, le=2**31, description="Seed of the shift registers")
    built_bits: int = Field(
        2**16, ge=1, le=2**40, description="Bits of adders and counters that the chip is built with"
    )
    clock_hz: float = Field(100e6, ge=1.0, le=1e12, allow_inf_nan=False, description="Clock")
    node_m: float = Field(65e-9, ge=5e-9, le=1e-6, allow_inf_nan=False, description="Technology node")
    supply_v: float = Field(1.0, ge=0.3, le=5.0, allow_inf_nan=False, description="Supply")
    spin_update_j: float = Field(
        0.0,
        ge=0.0,
        le=1e-3,
        allow_inf_nan=False,
        description="Energy of a spin in a clock; 0: estimate from widths",
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        ends = (self.i0_first_ratio, self.i0_last_ratio)
        if self.update is Update.SYNCHRONOUS and any(end != int(end) for end in ends):
            raise ValueError(
                f"I0 from {ends[0]} to {ends[1]}: half the states of a counter is a whole number; "
                "only update=sequential takes others"
            )
        return self

    @property
    def i0(self) -> NDArray[np.float64]:
        """I0 in every clock of an anneal."""
        shape = np.geomspace if self.annealing_schedule is Schedule.GEOMETRIC else np.linspace
        found: NDArray[np.float64] = shape(self.i0_first_ratio, self.i0_last_ratio, self.anneal_cycles)
        return found

    @property
    def largest_i0(self) -> int:
        """What counters must hold."""
        return int(np.ceil(max(self.i0_first_ratio, self.i0_last_ratio)))

    @property
    def counter_bits(self) -> int:
        """Bits of a counter of 2 I0 or 2 I0 + 1 states; none if spins follow their probability."""
        last = 2 * self.largest_i0 - self.top
        return last.bit_length() if self.update is Update.SYNCHRONOUS else 0

    @property
    def top(self) -> int:
        """By how much the highest count stays below I0."""
        return 1 if self.counter_states is CounterStates.EVEN else 0

    @property
    def bounds(self) -> NDArray[np.int64]:
        """I0 of the counters in every clock: whole numbers, rounded up."""
        # A hair below: a whole number that the power misses by its last bit stays itself.
        found: NDArray[np.int64] = np.ceil(self.i0 * (1 - 1e-9)).astype(np.int64)
        return found


def _presets() -> dict[str, InvertibleLogicDesign]:
    c = CONSTANTS
    annealed = InvertibleLogicDesign(
        clock_hz=float(c.preset_clock_hz), node_m=float(c.preset_node_m), supply_v=float(c.preset_supply_v)
    )
    fixed = {
        "counter_states": CounterStates.ODD,
        "noise_weight": 1,
        "i0_first_ratio": 4.0,
        "i0_last_ratio": 4.0,
        "score": Score.MODE,
    }
    sequential = {"update": Update.SEQUENTIAL, "i0_first_ratio": 1.0, "i0_last_ratio": 1.0}
    return {
        "annealed": annealed,
        "fixed": annealed.model_copy(update=fixed),
        "sequential": annealed.model_copy(update=sequential),
    }


PRESETS = _presets()
STRUCTURE = (
    "update",
    "counter_states",
    "noise_weight",
    "i0_first_ratio",
    "i0_last_ratio",
    "anneal_cycles",
    "anneals",
)


def structure(design: InvertibleLogicDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on."""
    knobs = design.model_dump(mode="json")
    return {name: knobs[name] for name in STRUCTURE}
