"""Knobs of the weight-reusing binary data path, and the presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "mst_bnn")
UNBOUNDED = 1024


class MstBnnDesign(Design):
    """Engines with weights in their wiring; a channel counts only where it differs from another one."""

    tree_depth: int = Field(
        UNBOUNDED, ge=0, le=2**20, description="Longest chain of channels that reuse each other; 0: none do"
    )
    complement: bool = Field(False, description="Extension: a channel may also start from another's opposite")
    seed: int = Field(0, ge=0, le=2**31, description="Seed of the weights that a cost model lacks")
    reuse_ratio: float = Field(
        0.0, ge=0.0, le=1.0, allow_inf_nan=False, description="Bit products left; 0: from random weights"
    )
    reuse_levels: int = Field(0, ge=0, le=2**20, description="Levels of the trees behind reuse_ratio")
    level_cycles: int = Field(1, ge=1, le=1000, description="Clocks of a level: XNOR, popcount and addition")
    mac_units: int = Field(1024, ge=1, le=2**24, description="MACs per cycle of a layer that is not binary")
    stream_lanes: int = Field(512, ge=1, le=2**20, description="Channels per cycle in pools and additions")
    bit_lanes: int = Field(2**23, ge=1, le=2**34, description="Products of two bits per cycle")
    operand_bits: int = Field(
        8, ge=2, le=32, description="Bits of weights and activations that the network has in floating point"
    )
    accumulator_bits: int = Field(16, ge=8, le=64, description="Bits of a partial sum or threshold")
    clock_hz: float = Field(300e6, ge=1.0, le=1e12, allow_inf_nan=False, description="Clock")
    node_m: float = Field(45e-9, ge=5e-9, le=1e-6, allow_inf_nan=False, description="Technology node")
    supply_v: float = Field(0.9, ge=0.3, le=5.0, allow_inf_nan=False, description="Supply")
    product_j_per_bit: float = Field(
        0.0, ge=0.0, le=1e-3, allow_inf_nan=False, description="XNOR and count of one bit; 0: estimate"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if bool(self.reuse_ratio) != bool(self.reuse_levels):
            raise ValueError(
                f"reuse_ratio {self.reuse_ratio} and reuse_levels {self.reuse_levels} belong together: "
                "a functional run states both"
            )
        return self


def _presets() -> dict[str, MstBnnDesign]:
    c = CONSTANTS
    tree = MstBnnDesign(node_m=float(c.reference_node_m), supply_v=float(c.reference_supply_v))
    return {"tree_45nm": tree, "no_reuse_45nm": tree.model_copy(update={"tree_depth": 0})}


PRESETS = _presets()
PRICES = ("clock_hz", "node_m", "supply_v", "product_j_per_bit")


def structure(design: MstBnnDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on."""
    return {name: v for name, v in design.model_dump(mode="json").items() if name not in PRICES}
