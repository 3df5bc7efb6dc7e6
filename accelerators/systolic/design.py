"""Knobs of the systolic array, and the presets."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from hwsim.columns import same
from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design
from hwsim.sourced import Sourced, chosen
from hwsim.units import suffix_of

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "systolic")


class Dataflow(StrEnum):
    """Which operand stays in the array: outputs, weights, inputs, or whatever suits the layer best."""

    BEST = "best"
    OUTPUT_STATIONARY = "os"
    WEIGHT_STATIONARY = "ws"
    INPUT_STATIONARY = "is"


class Objective(StrEnum):
    """What the search for dataflow and tiles minimises."""

    CYCLES = "cycles"
    ENERGY = "energy"
    PRODUCT = "product"
    TRAFFIC = "traffic"


class FoldModel(StrEnum):
    """How consecutive folds of a matrix product share the array.

    OVERLAPPED
        The next fold enters while the last one leaves; edge folds take only the rows they use.
    SEQUENTIAL
        One fold after the other; edge folds take only the rows and columns they use.
    SCALESIM
        One fold after the other, every fold as long as a full one: the count of SCALE-Sim 3.0.
    """

    OVERLAPPED = "overlapped"
    SEQUENTIAL = "sequential"
    SCALESIM = "scalesim"


class MemoryModel(StrEnum):
    """Double-buffered scratchpads behind a DRAM of limited bandwidth, or operands always in time."""

    DOUBLE_BUFFERED = "double_buffered"
    STALL_FREE = "stall_free"


class DramEnergy(StrEnum):
    """Which end of the published range of DRAM energy is charged."""

    LOW = "low"
    MEAN = "mean"
    HIGH = "high"


class SystolicDesign(Design):
    """A systolic array with three scratchpads, a vector unit and DRAM."""

    array_rows: int = Field(32, ge=1, le=65536, description="Rows of processing elements")
    array_cols: int = Field(32, ge=1, le=65536, description="Columns of processing elements")
    operand_bits: int = Field(8, ge=1, le=32, description="Bits of weights and activations")
    accumulator_bits: int = Field(32, ge=8, le=64, description="Bits of a partial sum")
    dataflow: Dataflow = Field(Dataflow.BEST, description="Stationary operand, or best per layer")
    objective: Objective = Field(Objective.CYCLES, description="What dataflow and tiles are chosen for")
    fold_model: FoldModel = Field(FoldModel.OVERLAPPED, description="How folds share the array")
    memory_model: MemoryModel = Field(
        MemoryModel.DOUBLE_BUFFERED, description="Whether DRAM can stall the array"
    )
    fuse_elementwise: bool = Field(True, description="Run elementwise successors on outputs as they leave")
    input_scratchpad_bytes: int = Field(65536, ge=64, le=2**40, description="Input scratchpad, both halves")
    weight_scratchpad_bytes: int = Field(65536, ge=64, le=2**40, description="Weight scratchpad, both halves")
    output_scratchpad_bytes: int = Field(65536, ge=64, le=2**40, description="Accumulators, both halves")
    vector_lanes: int = Field(32, ge=1, le=2**20, description="Vector operations per cycle")
    clock_hz: float = Field(
        500e6, ge=1.0, le=1e12, allow_inf_nan=False, description="Clock of the whole chip"
    )
    dram_bits_per_s: float = Field(
        102.4e9, ge=1.0, le=1e18, allow_inf_nan=False, description="DRAM bandwidth"
    )
    dram_energy: DramEnergy = Field(
        DramEnergy.MEAN, description="Point in the published range of DRAM energy"
    )
    node_m: float = Field(45e-9, ge=5e-9, le=1e-6, allow_inf_nan=False, description="Technology node")
    supply_v: float = Field(
        0.9, ge=0.3, le=5.0, allow_inf_nan=False, description="Supply voltage of the logic"
    )

    @property
    def peak_macs_per_cycle(self) -> int:
        """Processing elements, each one MAC a cycle."""
        return self.array_rows * self.array_cols


def _presets() -> dict[str, SystolicDesign]:
    c = CONSTANTS
    edge_bytes = int(c.edge_scratchpad_bytes)
    edge = SystolicDesign(
        input_scratchpad_bytes=edge_bytes,
        weight_scratchpad_bytes=edge_bytes,
        output_scratchpad_bytes=edge_bytes,
        vector_lanes=int(c.edge_vector_lanes_count),
        clock_hz=float(c.edge_clock_hz),
        dram_bits_per_s=float(c.edge_dram_bits_per_s),
        node_m=float(c.reference_node_m),
        supply_v=float(c.reference_supply_v),
    )
    tpu = SystolicDesign(
        array_rows=256,
        array_cols=256,
        clock_hz=float(c.tpu_v1_clock_hz),
        dataflow=Dataflow.WEIGHT_STATIONARY,
        input_scratchpad_bytes=int(c.tpu_v1_unified_buffer_bytes),
        weight_scratchpad_bytes=int(c.tpu_v1_weight_buffer_bytes),
        output_scratchpad_bytes=int(c.tpu_v1_accumulator_bytes),
        vector_lanes=int(c.tpu_v1_vector_lanes_count),
        dram_bits_per_s=float(c.tpu_v1_dram_bits_per_s),
        node_m=float(c.tpu_v1_node_m),
        supply_v=float(c.tpu_v1_supply_v),
    )
    third = int(c.eyeriss_buffer_bytes) // 3
    eyeriss = SystolicDesign(
        array_rows=12,
        array_cols=14,
        operand_bits=16,
        clock_hz=float(c.eyeriss_clock_hz),
        input_scratchpad_bytes=third,
        weight_scratchpad_bytes=third,
        output_scratchpad_bytes=third,
        vector_lanes=int(c.eyeriss_vector_lanes_count),
        dram_bits_per_s=float(c.eyeriss_link_bits_per_s),
        node_m=float(c.eyeriss_node_m),
        supply_v=float(c.eyeriss_supply_v),
    )
    compatible = edge.model_copy(
        update={
            "dataflow": Dataflow.OUTPUT_STATIONARY,
            "fold_model": FoldModel.SCALESIM,
            "memory_model": MemoryModel.STALL_FREE,
            "fuse_elementwise": False,
        }
    )
    return {"edge_32": edge, "tpu_v1": tpu, "eyeriss_like": eyeriss, "scalesim_compatible": compatible}


PRESETS = _presets()
_CHIPS = {"edge_32": "edge", "tpu_v1": "tpu_v1", "eyeriss_like": "eyeriss"}
_CHIP_KNOBS = ("array_rows", "array_cols", "operand_bits")


def sourced_knob(design: SystolicDesign, name: str) -> Sourced:
    """Return a knob as a sourced number: with the evidence of the preset that it still equals.

    A design counts as a preset's if array and operand width are; a value that the user chose has a
    dimension but no evidence.
    """
    value = getattr(design, name)
    for preset, prefix in _CHIPS.items():
        base = PRESETS[preset]
        alike = all(same(getattr(design, knob), getattr(base, knob)) for knob in _CHIP_KNOBS)
        known = [f"{prefix}_{name}", name.replace("dram", f"{prefix}_link"), f"reference_{name}"]
        if alike and same(value, getattr(base, name)):
            return CONSTANTS[next(key for key in known if key in CONSTANTS)]
    return chosen(value, suffix_of(name) or "", f"design.{name}")


SEARCHED = {Objective.TRAFFIC: (), Objective.CYCLES: ("vector_lanes", "clock_hz", "dram_bits_per_s")}
PRICES = ("vector_lanes", "clock_hz", "dram_bits_per_s", "dram_energy", "node_m", "supply_v")


def structure(design: SystolicDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on.

    Prices, clock, bandwidth and lanes belong to them only as far as the objective of the search for
    dataflow and tiles looks at them: ``traffic`` at none, ``cycles`` at times, the others at everything.
    """
    return {name: getattr(design, name) for name in _structural(design.objective)}


@cache
def _structural(objective: Objective) -> tuple[str, ...]:
    looked_at = SEARCHED.get(objective, PRICES)
    return tuple(name for name in SystolicDesign.model_fields if name not in PRICES or name in looked_at)
