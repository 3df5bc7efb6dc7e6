"""Knobs of the message-passing decoder, and the presets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from hwsim.constants import Constants, load_constants
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "min_sum_decoder")


class Rule(StrEnum):
    """What a check tells each of its bits; the names of `hwsim.graph.ops.message_passing.RULES`."""

    MIN_SUM = "min_sum"
    OFFSET_MIN_SUM = "offset_min_sum"
    NORMALIZED_MIN_SUM = "normalized_min_sum"
    SUM_PRODUCT = "sum_product"


class Sharing(StrEnum):
    """Who shares a weight (offset or factor)."""

    ALL = "all"
    ITERATIONS = "iterations"
    NONE = "none"


class Search(StrEnum):
    """How the two smallest magnitudes of a check are found."""

    TOURNAMENT = "tournament"
    SEQUENTIAL = "sequential"


class MinSumDesign(Design):
    """A flooding decoder: edge processors sweep all edges for the checks, then for the variables."""

    edge_processors: int = Field(32, ge=1, le=2**24, description="Edges worked on in one clock")
    iterations: int = Field(5, ge=1, le=1000, description="Iterations of every codeword; none is left early")
    rule: Rule = Field(Rule.MIN_SUM, description="What checks compute")
    weight_sharing: Sharing = Field(
        Sharing.ALL,
        description="Offsets or factors: one for all edges, one an edge, one an edge and iteration",
    )
    offset_ratio: float = Field(
        0.5, ge=0.0, le=64.0, allow_inf_nan=False, description="Offset of all edges, in units of LLR"
    )
    factor_ratio: float = Field(
        0.75, ge=0.0, le=4.0, allow_inf_nan=False, description="Factor of all edges in normalized min-sum"
    )
    llr_bits: int = Field(6, ge=2, le=12, description="Bits of an LLR or message, sign included")
    llr_steps_ratio: float = Field(
        2.0, gt=0.0, le=1024.0, allow_inf_nan=False, description="Integer steps in one unit of LLR"
    )
    factor_bits: int = Field(6, ge=1, le=12, description="Bits behind the binary point of a factor")
    search: Search = Field(Search.TOURNAMENT, description="How the two smallest magnitudes are found")
    combined_phases: bool = Field(
        False, description="Checks and variables in one clock; needs a processor for every edge"
    )
    clock_hz: float = Field(400e6, ge=1.0, le=1e12, allow_inf_nan=False, description="Clock")
    stored_edges: int = Field(4096, ge=1, le=2**32, description="Edges the message memory has room for")
    stored_codeword_bits: int = Field(1024, ge=1, le=2**32, description="Bits of a codeword with room")
    node_m: float = Field(65e-9, ge=5e-9, le=1e-6, allow_inf_nan=False, description="Technology node")
    supply_v: float = Field(1.0, ge=0.3, le=5.0, allow_inf_nan=False, description="Supply")

    @property
    def largest(self) -> int:
        """Largest magnitude of an LLR or message: messages saturate symmetrically."""
        return (1 << (self.llr_bits - 1)) - 1

    @property
    def weighted(self) -> bool:
        """Whether the checks take offsets or factors."""
        return self.rule in (Rule.OFFSET_MIN_SUM, Rule.NORMALIZED_MIN_SUM)

    @property
    def weight_bits(self) -> int:
        """Bits of an offset (a magnitude) or a factor (below 4)."""
        return self.llr_bits - 1 if self.rule is Rule.OFFSET_MIN_SUM else self.factor_bits + 3


def _presets() -> dict[str, MinSumDesign]:
    c = CONSTANTS
    plain = MinSumDesign(
        iterations=int(c.iterations_count),
        clock_hz=float(c.clock_hz),
        node_m=float(c.node_m),
        supply_v=float(c.supply_v),
    )
    offset = plain.model_copy(update={"rule": Rule.OFFSET_MIN_SUM})
    factor = plain.model_copy(update={"rule": Rule.NORMALIZED_MIN_SUM})
    return {
        "min_sum": plain,
        "offset_min_sum": offset,
        "normalized_min_sum": factor,
        "neural_offset_min_sum": offset.model_copy(update={"weight_sharing": Sharing.NONE}),
        "neural_normalized_min_sum": factor.model_copy(update={"weight_sharing": Sharing.NONE}),
        "sum_product": plain.model_copy(update={"rule": Rule.SUM_PRODUCT}),
    }


PRESETS = _presets()
STRUCTURE = (
    "iterations",
    "rule",
    "weight_sharing",
    "llr_bits",
    "factor_bits",
    "search",
    "combined_phases",
    "stored_edges",
    "stored_codeword_bits",
)


def structure(design: MinSumDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on; with combined phases the processors decide if it exists."""
    knobs = design.model_dump(mode="json")
    found = {name: knobs[name] for name in STRUCTURE}
    return found | ({"edge_processors": design.edge_processors} if design.combined_phases else {})
