"""Knobs of the sparsely-connected layer engine, and the presets."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from accelerators.sparse_fc.lfsr import MAXIMAL_TAPS, period_of, spread_seeds
from accelerators.sparse_fc.polynomial import is_maximal
from accelerators.sparse_fc.weights import Weights
from hwsim.constants import Constants, load_constants
from hwsim.errors import GraphError, InputError
from hwsim.graph.ops.kinds import as_int
from hwsim.model.types import Design

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "sparse_fc")


STANDARD: Final = "standard"
SPREAD: Final = "spread"
NETWORK: Final = "network"


def _whole_numbers(value: object, name: str, word: str) -> tuple[int, ...]:
    """Read a list of whole numbers, or the text of one as the command line writes it."""
    items = value
    if isinstance(value, str):
        items = [item.strip() for item in value.strip("()[] ").split(",")]
    if not isinstance(items, (list, tuple)) or not items:
        raise ValueError(f"{name} has to be {word!r} or a list of whole numbers")
    try:
        return tuple(as_int("an entry", int(item) if isinstance(item, str) else item) for item in items)
    except (ValueError, GraphError):
        raise ValueError(f"{name} has to be {word!r} or a list of whole numbers") from None


class SparseFcDesign(Design):
    """Neurons that work in parallel, each with its register, counter, weight memory and accumulator."""

    weights: Weights = Field(Weights.BINARY, description="Weights of one bit, or of two with zero")
    sparsity_ratio: float | Literal["network"] = Field(
        0.9, description="Share of connections dropped, in [0, 1), or network to drop what it says"
    )
    neurons: int = Field(1024, ge=1, le=2**24, description="Neurons that work in parallel")
    weight_memory_bits: int = Field(512, ge=1, le=2**32, description="Weight memory of one neuron")
    lfsr_bits: int = Field(11, ge=3, le=24, description="Width of the shift registers")
    taps: tuple[int, ...] | Literal["standard"] = Field(
        STANDARD, description="Exponents of the feedback polynomial, or standard for a known maximal one"
    )
    seeds: tuple[int, ...] | Literal["spread"] = Field(
        SPREAD, description="First state of every column's register, or spread for evenly spaced ones"
    )
    activation_bits: int = Field(8, ge=1, le=32, description="Bits of an activation")
    clock_hz: float = Field(400e6, gt=0, le=1e12, allow_inf_nan=False, description="Clock")

    @field_validator("sparsity_ratio", mode="before")
    @classmethod
    def _share(cls, value: object) -> object:
        if value == NETWORK:
            return value
        try:
            share = float(value) if isinstance(value, (int, float, str)) else math.nan
        except (ValueError, OverflowError):
            share = math.nan
        if isinstance(value, bool) or not 0.0 <= share < 1.0:
            raise ValueError(f"sparsity_ratio has to be a share in [0, 1) or {NETWORK!r}")
        return share

    @field_validator("taps", mode="before")
    @classmethod
    def _maximal(cls, value: object, info: ValidationInfo) -> object:
        if value == STANDARD:
            return value
        taps, width = _whole_numbers(value, "taps", STANDARD), info.data.get("lfsr_bits")
        if width is None:
            return taps
        if max(taps) != width or min(taps) < 1:
            raise ValueError(f"taps are exponents from 1 to lfsr_bits = {width}, which is one of them")
        if not is_maximal(taps):
            known = list(MAXIMAL_TAPS[width])
            raise ValueError(f"taps do not run through all {period_of(width)} states, as {known} do")
        return taps

    @field_validator("seeds", mode="before")
    @classmethod
    def _different(cls, value: object, info: ValidationInfo) -> object:
        if value == SPREAD:
            return value
        seeds, width = _whole_numbers(value, "seeds", SPREAD), info.data.get("lfsr_bits")
        problems = ["seed 0 never leaves zero, so its column would keep nothing"] if 0 in seeds else []
        top = period_of(24 if width is None else width)
        wrong = sorted({seed for seed in seeds if seed < 0 or seed > top})
        twice = sorted(seed for seed, times in Counter(seeds).items() if times > 1)
        if wrong:
            problems.append(f"seeds {wrong} are no states from 1 to {top}")
        if twice:
            problems.append(f"seeds {twice} are given to several columns, which would be connected alike")
        if problems:
            raise ValueError("; ".join(problems))
        return seeds

    @property
    def feedback(self) -> tuple[int, ...]:
        """Exponents of the feedback polynomial."""
        return MAXIMAL_TAPS[self.lfsr_bits] if isinstance(self.taps, str) else self.taps

    def seeds_of(self, columns: int) -> tuple[int, ...]:
        """Return one seed per column.

        Raises
        ------
        InputError
            If there are fewer different seeds than columns.
        """
        if not isinstance(self.seeds, str):
            if len(self.seeds) < columns:
                raise InputError(f"{len(self.seeds)} seeds for {columns} columns", hint="set seeds=spread")
            return self.seeds[:columns]
        if columns > period_of(self.lfsr_bits):
            raise InputError(
                f"{columns} columns need different seeds, and {self.lfsr_bits} bits have "
                f"{period_of(self.lfsr_bits)}",
                hint=f"set lfsr_bits={columns.bit_length()}",
            )
        return spread_seeds(columns, self.lfsr_bits)


def _presets() -> dict[str, SparseFcDesign]:
    clock = float(CONSTANTS.table_clock_hz)
    mlp = SparseFcDesign(clock_hz=clock)
    one = mlp.model_copy(update={"neurons": 1, "lfsr_bits": 10})
    table = {"0": (0.0, 1024), "50": (0.5, 512), "75": (0.75, 256), "87_5": (0.875, 128)}
    rows = table | {"93_75": (0.9375, 64)}
    return {
        "mlp_90": mlp,
        "mlp_90_ternary": mlp.model_copy(update={"weights": Weights.TERNARY, "weight_memory_bits": 1024}),
        "mlp_dense": mlp.model_copy(update={"sparsity_ratio": 0.0, "weight_memory_bits": 4096}),
        "cifar_90": mlp.model_copy(update={"weight_memory_bits": 1152, "lfsr_bits": 14}),
        **{
            f"neuron_{name}": one.model_copy(update={"sparsity_ratio": sparsity, "weight_memory_bits": bits})
            for name, (sparsity, bits) in rows.items()
        },
    }


PRESETS = _presets()


def structure(design: SparseFcDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: all but the clock."""
    return {name: value for name, value in design.model_dump(mode="json").items() if name != "clock_hz"}
