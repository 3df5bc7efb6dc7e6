"""Knobs of the sparse-state LSTM engine, and the presets."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
NO_MASKS = "none"
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "sparse_lstm")


class Mode(StrEnum):
    """Skip the columns of zero states, or compute every column on the same hardware."""

    SKIP = "skip"
    DENSE = "dense"


class Correlation(StrEnum):
    """How the zeros of sequences that are computed together relate, where only their fraction is known.

    NONE
        Not said: only one sequence at a time can be modeled.
    INDEPENDENT
        Every state of every sequence is zero on its own.
    CORRELATED
        With probability `correlation_ratio` a state is drawn once for all sequences, else for each alone.
    """

    NONE = "none"
    INDEPENDENT = "independent"
    CORRELATED = "correlated"


class SparseLstmDesign(Design):
    """Tiles of processing elements that share weight columns over a batch and skip those of zero states."""

    tiles: int = Field(4, ge=1, le=4096, description="Tiles")
    pes_per_tile: int = Field(48, ge=1, le=65536, description="Processing elements per tile")
    weights_per_cycle: int = Field(
        24, ge=1, le=2**24, validate_default=True, description="Weights that enter in one cycle"
    )
    scratch_depth: int = Field(16, ge=1, le=65536, description="Sequences computed together, at most")
    weight_bits: int = Field(8, ge=2, le=8, description="Bits of a weight")
    activation_bits: int = Field(8, ge=4, le=8, description="Bits of an activation: a state or input")
    offset_bits: int = Field(8, ge=1, le=32, description="Bits of the offset field of an encoded state")
    mode: Mode = Field(Mode.SKIP, description="Skip zero states, or compute every column")
    state_masks: str = Field(
        NO_MASKS,
        pattern=r"^none$|\.npz$",
        description="Measured zero-state masks, or states, an .npz file; none: nothing is known",
    )
    threshold_ratio: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="States in the file below it in magnitude are zero"
    )
    state_sparsity_ratio: float = Field(
        0.0, ge=0, lt=1, allow_inf_nan=False, description="Fraction of zero states, where no masks are known"
    )
    correlation: Correlation = Field(Correlation.NONE, description="How zeros of a batch relate")
    correlation_ratio: float = Field(
        0.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        validate_default=True,
        description="Correlation of the zeros of two sequences",
    )
    seed: int = Field(1, ge=0, lt=2**63, description="Seed of the zeros drawn for state_sparsity_ratio")
    clock_hz: float = Field(200e6, gt=0, le=1e12, allow_inf_nan=False, description="Clock")
    dram_bits_per_s: float = Field(51.2e9, gt=0, le=1e18, allow_inf_nan=False, description="DRAM bandwidth")
    dram_j_per_bit: float = Field(
        0.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Energy of a DRAM access; unpublished, 0: not charged",
    )

    @field_validator("weights_per_cycle")
    @classmethod
    def _divides(cls, weights: int, info: ValidationInfo) -> int:
        tiles, pes = info.data.get("tiles"), info.data.get("pes_per_tile")
        if tiles and pes and tiles * pes % weights:
            raise ValueError(f"{weights} does not divide {tiles} x {pes} processing elements")
        return weights

    @field_validator("threshold_ratio")
    @classmethod
    def _has_states(cls, threshold: float, info: ValidationInfo) -> float:
        if threshold and info.data.get("state_masks") == NO_MASKS:
            raise ValueError("needs state_masks, a file of states for it to act on")
        return threshold

    @field_validator("state_sparsity_ratio")
    @classmethod
    def _has_no_masks(cls, fraction: float, info: ValidationInfo) -> float:
        if fraction and info.data.get("state_masks", NO_MASKS) != NO_MASKS:
            raise ValueError("state_masks says which states are zero already; set one of them")
        return fraction

    @field_validator("correlation_ratio")
    @classmethod
    def _is_correlated(cls, ratio: float, info: ValidationInfo) -> float:
        correlation = info.data.get("correlation")
        if correlation and (correlation is Correlation.CORRELATED) != (ratio > 0):
            raise ValueError("goes with correlation=correlated, above zero, and only with it")
        return ratio

    @property
    def has_masks(self) -> bool:
        """Whether measured masks are given."""
        return self.state_masks != NO_MASKS

    @property
    def pes(self) -> int:
        """Processing elements, each one MAC a cycle."""
        return self.tiles * self.pes_per_tile

    @property
    def batch_lanes(self) -> int:
        """Sequences that one weight serves in the same cycle."""
        return self.pes // self.weights_per_cycle

    def blocks(self, rows: int) -> int:
        """Return the beats of weights in a column of `rows`."""
        return -(-rows // self.weights_per_cycle)

    def beats(self, rows: int, batch: int) -> int:
        """Return the cycles of a column of `rows` for `batch` sequences, bandwidth aside."""
        return self.blocks(rows) * -(-batch // self.batch_lanes)

    def column_bits(self, rows: int, batch: int) -> int:
        """Return the bits of a column: the weights for every group of sequences, one value each per beat."""
        groups = -(-batch // self.batch_lanes)
        weights = groups * self.weights_per_cycle * self.weight_bits
        return self.blocks(rows) * (weights + batch * self.activation_bits)


def _presets() -> dict[str, SparseLstmDesign]:
    c = CONSTANTS
    published = SparseLstmDesign(
        tiles=int(c.tiles_count),
        pes_per_tile=int(c.pes_per_tile_count),
        weights_per_cycle=int(c.weights_per_cycle_count),
        scratch_depth=int(c.scratch_depth_count),
        weight_bits=int(c.operand_bits),
        activation_bits=int(c.operand_bits),
        offset_bits=int(c.offset_bits),
        clock_hz=float(c.published_clock_hz),
        dram_bits_per_s=float(c.published_dram_bits_per_s),
    )
    return {"published": published, "dense": published.model_copy(update={"mode": Mode.DENSE})}


PRESETS = _presets()
PRICES = ("clock_hz", "dram_bits_per_s", "dram_j_per_bit")


def structure(design: SparseLstmDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on, and the digest of the masks in place of their path."""
    knobs = {name: value for name, value in design.model_dump(mode="json").items() if name not in PRICES}
    path = Path(design.state_masks)
    if design.has_masks and path.is_file():
        knobs["state_masks"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return knobs
