"""Knobs of the AQFP crossbars and their clock, and the presets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "aqfp_bnn")
NO_PAIRS = "none"


class Neuron(StrEnum):
    """A buffer with thermal noise, or one without: the limit of a gray zone of no width."""

    GRAY_ZONE = "gray_zone"
    DETERMINISTIC = "deterministic"


class TieRule(StrEnum):
    """Output of the comparator when the count is exactly half: 1, 0, or undecided, which is an error."""

    ONE = "one"
    ZERO = "zero"
    NONE = "none"


class ParallelCounter(StrEnum):
    """Parallel counter of the row tiles: carry-save adders, or pairs through OR and AND in turn first."""

    EXACT = "exact"
    APPROXIMATE = "approximate"


class Accounting(StrEnum):
    """Junctions that are charged: those of tiles at work, or every junction in every cycle."""

    ACTIVE = "active"
    ALWAYS_ON = "always_on"


class WeightMemory(StrEnum):
    """Where weights stay: inside the logic-in-memory cells alone, or in chains of buffers beside them."""

    BUFFER_CHAIN = "buffer_chain"
    IN_CELL = "in_cell"


class EnergyModel(StrEnum):
    """Energy of a junction and cycle: as given, or by the adiabatic law of the clock."""

    GIVEN = "given"
    ADIABATIC_LAW = "adiabatic_law"


class Sampling(StrEnum):
    """One exact binomial number for a tile and window, or every bit of the stream."""

    BINOMIAL = "binomial"
    BITWISE = "bitwise"


class AqfpBnnDesign(Design):
    """Crossbars that hold a whole binary network, one tile of weights each."""

    crossbar_size: int = Field(72, ge=1, le=4096, description="Rows and columns of a crossbar")
    stream_length: int = Field(
        16, ge=1, le=4096, description="Cycles of a stream, for which a window is observed, L"
    )
    replication: int = Field(1, ge=1, le=2**16, description="Copies of every layer, each with own windows")
    parallel_counter: ParallelCounter = Field(
        ParallelCounter.EXACT, description="Parallel counter of the row tiles"
    )
    count_bits: int = Field(0, ge=0, le=62, description="Bits of the accumulated count; 0: as many as needed")
    tie_rule: TieRule = Field(TieRule.ONE, description="Output where the count is exactly half")
    weight_memory: WeightMemory = Field(WeightMemory.BUFFER_CHAIN, description="Where weights circulate")
    clock_hz: float = Field(5e9, gt=0.0, le=1e12, allow_inf_nan=False, description="Clock")
    clock_phases: int = Field(4, ge=3, le=64, description="Phases of a cycle; a cell takes one")
    max_phase_skip: int = Field(1, ge=1, le=64, description="Phases that data may pass without a buffer")
    splitter_outputs: int = Field(4, ge=2, le=16, description="Outputs of a splitter")
    temperature_k: float = Field(4.2, gt=0.0, lt=300.0, allow_inf_nan=False, description="Of the chip")
    junction_j: float = Field(gt=0.0, le=1e-3, allow_inf_nan=False, description="Per junction and cycle")
    energy_model: EnergyModel = Field(
        EnergyModel.GIVEN, description="How energy is found: junction_j, or the adiabatic law"
    )
    accounting: Accounting = Field(Accounting.ACTIVE, description="Junctions that are charged")
    cooling_ratio: float = Field(
        400.0, ge=1.0, le=1e6, allow_inf_nan=False, description="Wall power over the chip's; 1: none"
    )
    neuron: Neuron = Field(Neuron.GRAY_ZONE, description="Tile neurons with noise or without")
    gray_zone_a: float = Field(
        0.0, ge=0.0, le=1.0, allow_inf_nan=False, description="Width of the gray zone at 4.2 K; 0: unknown"
    )
    attenuation_scale_a: float = Field(
        0.0, ge=0.0, le=1.0, allow_inf_nan=False, description="A of I1 = A crossbar_size^-B; 0: unknown"
    )
    attenuation_exponent_ratio: float = Field(
        0.0, ge=0.0, le=8.0, allow_inf_nan=False, description="B of I1 = A crossbar_size^-B; 0: unknown"
    )
    attenuation_pairs: str = Field(
        NO_PAIRS,
        description="Measured CROSSBAR:AMPERES,... to fit A and B from, in place of both",
    )
    gray_zone_products_ratio: float = Field(
        0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="Gray zone in products of +-1, over all above"
    )
    sampling: Sampling = Field(Sampling.BINOMIAL, description="How --functional draws the streams")
    seed: int = Field(1, ge=0, le=2**31, description="Seed of noise in --functional")
    cell_junctions: int = Field(12, ge=1, le=10**6, description="Junctions of a logic-in-memory cell")
    line_junctions: int = Field(48, ge=0, le=10**6, description="Junctions of a row and column around it")
    crossbar_base_s: float = Field(
        45e-12, ge=0.0, le=1.0, allow_inf_nan=False, description="Latency of a crossbar of no rows"
    )
    crossbar_line_s: float = Field(
        7.5e-12, ge=0.0, le=1.0, allow_inf_nan=False, description="Latency that every row adds"
    )
    crossbars: int = Field(2**17, ge=1, le=2**32, description="Crossbars the chip has room for")

    @field_validator("attenuation_pairs")
    @classmethod
    def _read(cls, text: str) -> str:
        attenuation_pairs_of(text)
        return text

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.max_phase_skip > self.clock_phases:
            raise ValueError(
                f"max_phase_skip {self.max_phase_skip} is more than a cycle of {self.clock_phases} phases; "
                "a cell holds its bit for one cycle"
            )
        carnot = carnot_ratio(self.temperature_k)
        if self.cooling_ratio != 1.0 and self.cooling_ratio < carnot:
            raise ValueError(
                f"cooling_ratio {self.cooling_ratio:g} is below Carnot's {carnot:.1f} W/W at "
                f"{self.temperature_k:g} K; 1 leaves cooling out"
            )
        largest = unphysical_j()
        if self.junction_j > largest:
            raise ValueError(
                f"junction_j {self.junction_j:g} is above Ic Phi0 = {largest:.5g} J of a full flux quantum: "
                "not adiabatic"
            )
        return self


def attenuation_pairs_of(text: str) -> list[tuple[int, float]]:
    """Return the crossbars and amperes of ``CROSSBAR:AMPERES,...``; none of them for "none"."""
    if text == NO_PAIRS:
        return []
    found = []
    for pair in text.split(","):
        try:
            size, current = pair.split(":")
            found.append((int(size), float(current)))
        except ValueError:
            raise ValueError(f"{pair!r} is no CROSSBAR:AMPERES as in 4:30e-6,72:3e-6") from None
        if found[-1][0] < 1 or not 0 < found[-1][1] <= 1:
            raise ValueError(f"{pair!r}: crossbars are at least 1, currents above 0 and at most 1 A")
    if len({size for size, _ in found}) < 2:
        raise ValueError("one crossbar size fits no line; two are needed")
    return found


def carnot_ratio(temperature_k: float) -> float:
    """Return the least watts at room temperature that remove a watt at `temperature_k`."""
    return (float(CONSTANTS.ambient_k) - temperature_k) / temperature_k


def unphysical_j() -> float:
    """Return Ic Phi0: what a junction dissipates in a full phase slip, the opposite of adiabatic."""
    return float(CONSTANTS.law_critical_current_a) * float(CONSTANTS.law_flux_quantum_j_per_a)


def _presets() -> dict[str, AqfpBnnDesign]:
    c = CONSTANTS
    paper = AqfpBnnDesign(
        clock_hz=float(c.superbnn_clock_hz),
        clock_phases=int(c.clock_phases_count),
        splitter_outputs=int(c.splitter_outputs_count),
        temperature_k=float(c.reference_temperature_k),
        junction_j=float(c.superbnn_junction_j),
        cooling_ratio=float(c.cooling_ratio),
        cell_junctions=int(c.cell_junctions_count),
        line_junctions=int(c.line_junctions_count),
        crossbar_base_s=float(c.crossbar_base_s),
        crossbar_line_s=float(c.crossbar_line_s),
    )
    return {
        "superbnn": paper,
        "superbnn_always_on": paper.model_copy(update={"accounting": Accounting.ALWAYS_ON}),
        "superbnn_1p4zj": paper.model_copy(update={"junction_j": float(c.mana_junction_j)}),
        "illustrative": paper.model_copy(
            update={
                "gray_zone_a": float(c.simulated_gray_zone_a),
                "attenuation_scale_a": float(c.illustrative_scale_a),
                "attenuation_exponent_ratio": float(c.illustrative_exponent_ratio),
            }
        ),
    }


PRESETS = _presets()
STRUCTURE = (
    "crossbar_size",
    "stream_length",
    "replication",
    "parallel_counter",
    "count_bits",
    "tie_rule",
    "weight_memory",
    "clock_hz",
    "clock_phases",
    "max_phase_skip",
    "splitter_outputs",
    "accounting",
    "cell_junctions",
    "line_junctions",
    "crossbar_base_s",
    "crossbar_line_s",
    "crossbars",
)


def structure(design: AqfpBnnDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on."""
    knobs = design.model_dump(mode="json")
    return {name: knobs[name] for name in STRUCTURE}
