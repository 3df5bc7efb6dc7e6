"""Knobs of the integral stochastic network, and the presets."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "integral_sc")
PERIOD: int = 2 ** int(CONSTANTS.generator_bits) - 1


class Arithmetic(StrEnum):
    """Streams of m bits a clock, or the same network in binary numbers."""

    INTEGRAL_STREAMS = "integral_streams"
    BINARY_RADIX = "binary_radix"


class Technology(StrEnum):
    """Where the network is built: LUTs of an FPGA, or standard cells."""

    VIRTEX7 = "virtex7"
    CELLS = "cells"


class Generator(StrEnum):
    """Where the random numbers of the streams come from."""

    BERNOULLI = "bernoulli"
    SHIFT_REGISTER = "shift_register"
    SOBOL = "sobol"
    COUNTER = "counter"


class ParallelCounter(StrEnum):
    """Adders of bits: full adders throughout, or pairs through OR and AND in turn first."""

    EXACT = "exact"
    APPROXIMATE = "approximate"


class FaultModel(StrEnum):
    """What a timing violation does to the output of an adder: one bit flips, or the last sum stays."""

    BIT = "bit"
    WORD = "word"


class FaultStages(StrEnum):
    """Which stages of the adder trees violate their timing."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"


class IntegralScDesign(Design):
    """A fully parallel network: every synapse, adder tree and neuron exists once."""

    stream_length: int = Field(1024, ge=1, le=2**20, description="Cycles of a stream, N")
    m: int = Field(1, ge=1, le=64, description="Bits of a weight each clock, summed to an integer")
    arithmetic: Arithmetic = Field(Arithmetic.INTEGRAL_STREAMS, description="Streams, or binary radix")
    technology: Technology = Field(Technology.CELLS, description="Standard cells, or an FPGA's LUTs")
    clock_hz: float = Field(400e6, ge=1.0, le=1e12, allow_inf_nan=False, description="Clock")
    fill_cycles: int = Field(10, ge=0, le=10000, description="Clocks from the last input to the last output")
    synapses: int = Field(2**20, ge=1, le=2**40, description="Synapses the chip has room for")
    states: int = Field(0, ge=0, le=2**20, description="States of NStanh, even; 0: from the variance")
    weight_scale_ratio: float = Field(
        0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="Divides all weights; 0: largest weight over m"
    )
    adder_range: int = Field(0, ge=0, le=2**30, description="Adder trees saturate here; 0: never")
    parallel_counter: ParallelCounter = Field(
        ParallelCounter.EXACT,
        description="Parallel counter of an adder tree; approximate: OR and AND in place of full adders",
    )
    generator: Generator = Field(Generator.SHIFT_REGISTER, description="Source of random numbers")
    shared_generators: bool = Field(True, description="All neurons of a layer share the numbers of an input")
    register_leap: int = Field(11, ge=1, le=4096, description="Shifts of a register per clock")
    input_seed: int = Field(1, ge=0, le=2**31, description="Seed of the numbers of the inputs")
    weight_seed: int = Field(1000, ge=0, le=2**31, description="Seed of the numbers of the weights")
    quasi_synchronous: bool = Field(False, description="Run so low that some additions miss the clock")
    fault_probability: float = Field(
        0.0, ge=0.0, le=0.2, allow_inf_nan=False, description="Chance that an addition fails, per stage"
    )
    fault_model: FaultModel = Field(
        FaultModel.WORD, description="Kind of fault: what a failed addition yields"
    )
    fault_stages: FaultStages = Field(FaultStages.ALL, description="Stages of the adder trees that fail")
    operating_supply_v: float = Field(
        0.0, ge=0.0, le=5.0, allow_inf_nan=False, description="Supply of the run; 0: the nominal one"
    )
    operand_bits: int = Field(8, ge=2, le=32, description="Bits of weights and activations in binary radix")
    node_m: float = Field(65e-9, ge=5e-9, le=1e-6, allow_inf_nan=False, description="Technology node")
    supply_v: float = Field(1.0, ge=0.3, le=5.0, allow_inf_nan=False, description="Supply, nominal")
    and_j_per_bit: float = Field(
        0.0, ge=0.0, le=1e-3, allow_inf_nan=False, description="AND of one bit; 0: estimate"
    )
    add_j_per_bit: float = Field(
        0.0, ge=0.0, le=1e-3, allow_inf_nan=False, description="Addition of one bit; 0: estimate"
    )
    state_j_per_bit: float = Field(
        0.0,
        ge=0.0,
        le=1e-3,
        allow_inf_nan=False,
        description="A neuron's step, per bit of state; 0: estimate",
    )
    number_j_per_bit: float = Field(
        0.0,
        ge=0.0,
        le=1e-3,
        allow_inf_nan=False,
        description="Making and comparing a number, per bit; 0: estimate",
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.states % 2:
            raise ValueError(f"states {self.states} is odd; the output needs two equal halves")
        if self.quasi_synchronous and not self.operating_supply_v:
            raise ValueError(
                "quasi_synchronous needs operating_supply_v: the published supplies are not known"
            )
        if self.fault_probability and not self.quasi_synchronous:
            raise ValueError(f"fault_probability {self.fault_probability} without quasi_synchronous")
        deterministic = self.generator is not Generator.BERNOULLI
        if self.generator is Generator.SHIFT_REGISTER and self.period == 1:
            raise ValueError(
                f"register_leap {self.register_leap} is a multiple of {PERIOD}, the period of the register: "
                "it stands still"
            )
        same = (self.input_seed - self.weight_seed) % self.period == 0
        if self.input_seed == self.weight_seed or (deterministic and same):
            raise ValueError(
                f"input_seed {self.input_seed} and weight_seed {self.weight_seed} start the same numbers on "
                "both operands of a multiplication, which then yields the smaller one"
            )
        return self

    @property
    def period(self) -> int:
        """Clocks until numbers repeat; a leap that divides a register's period visits a part of it."""
        if self.generator is Generator.SHIFT_REGISTER:
            return PERIOD // math.gcd(PERIOD, self.register_leap)
        return PERIOD + 1

    @property
    def actual_supply_v(self) -> float:
        """The supply of the run."""
        return self.operating_supply_v or self.supply_v


def _presets() -> dict[str, IntegralScDesign]:
    c = CONSTANTS
    fill = int(c.fill_cycles)
    cells = IntegralScDesign(
        fill_cycles=fill,
        clock_hz=float(c.gates_clock_hz),
        node_m=float(c.gates_node_m),
        supply_v=float(c.gates_supply_v),
    )
    board = {"technology": Technology.VIRTEX7}
    return {
        "gates_65nm": cells,
        "virtex7_n1024_m1": cells.model_copy(
            update=board | {"stream_length": 1024, "m": 1, "clock_hz": float(c.clock_n1024_m1_hz)}
        ),
        "virtex7_n512_m2": cells.model_copy(
            update=board | {"stream_length": 512, "m": 2, "clock_hz": float(c.clock_n512_m2_hz)}
        ),
        "virtex7_n256_m4": cells.model_copy(
            update=board | {"stream_length": 256, "m": 4, "clock_hz": float(c.clock_n256_m4_hz)}
        ),
        "binary_radix_65nm": cells.model_copy(update={"arithmetic": Arithmetic.BINARY_RADIX}),
    }


PRESETS = _presets()
STRUCTURE = (
    "stream_length",
    "m",
    "arithmetic",
    "operand_bits",
    "fill_cycles",
    "states",
    "shared_generators",
)


def structure(design: IntegralScDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on."""
    knobs = design.model_dump(mode="json")
    return {name: knobs[name] for name in STRUCTURE}
