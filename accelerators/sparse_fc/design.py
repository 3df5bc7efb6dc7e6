"""Knobs of the sparsely-connected layer engine, and the presets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from accelerators.sparse_fc.lfsr import MAXIMAL_TAPS, period_of, spread_seeds
from accelerators.sparse_fc.polynomial import is_maximal
from accelerators.sparse_fc.weights import Weights
from hwsim.errors import InputError
from hwsim.model.types import Design
from hwsim.sources import Constants, load_constants

FOLDER = Path(__file__).parent
CONSTANTS: Constants = load_constants(FOLDER / "constants.toml", "sparse_fc")


def _listed(value: object) -> object:
    """Read "10, 7" as a list, as the command line writes it."""
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.strip("()[] ").split(",") if item.strip()]


Listed = Annotated[tuple[int, ...], BeforeValidator(_listed)]


class SparseFcDesign(Design):
    """Neurons that work in parallel, each with its register, counter, weight memory and accumulator."""

    weights: Weights = Field(Weights.BINARY, description="Weights of one bit, or of two with zero")
    sparsity: float | None = Field(
        0.9,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="Share of connections dropped; none: the network's own",
    )
    neurons: int = Field(1024, ge=1, le=2**20, description="Neurons that work in parallel")
    memory_bits: int = Field(512, ge=1, le=2**30, description="Weight memory of one neuron")
    lfsr_bits: int = Field(11, ge=3, le=24, description="Width of the shift registers")
    taps: Listed | None = Field(None, description="Exponents of the feedback polynomial; none is a known one")
    seeds: Listed | None = Field(None, description="First state per column; none spreads them evenly")
    activation_bits: int = Field(8, ge=1, le=32, description="Bits of an input")
    clock_hz: float = Field(400e6, gt=0, le=1e12, allow_inf_nan=False, description="Clock of all neurons")

    @model_validator(mode="after")
    def _registers_run(self) -> Self:
        problems = [*self._tap_problems(), *self._seed_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _tap_problems(self) -> Iterator[str]:
        if self.taps is None:
            return
        known = MAXIMAL_TAPS[self.lfsr_bits]
        if not self.taps or max(self.taps) != self.lfsr_bits or min(self.taps) < 1:
            yield f"taps {list(self.taps)} have to be exponents from 1 to lfsr_bits = {self.lfsr_bits}"
        elif not is_maximal(tuple(self.taps)):
            yield (
                f"taps {list(self.taps)} do not run through all {period_of(self.lfsr_bits)} states; "
                f"{list(known)} do"
            )

    def _seed_problems(self) -> Iterator[str]:
        seeds, top = self.seeds, period_of(self.lfsr_bits)
        if seeds is None:
            return
        if not seeds:
            yield "seeds is empty; leave it out to spread them evenly"
        if 0 in seeds:
            yield "seed 0 never leaves zero, so that column would keep nothing"
        wrong = sorted({seed for seed in seeds if seed < 0 or seed > top})
        if wrong:
            yield f"seeds {wrong} are no states from 1 to {top}"
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            yield f"seeds {twice} are given to several columns, which would then be connected alike"

    @property
    def feedback(self) -> tuple[int, ...]:
        """Exponents of the feedback polynomial."""
        return MAXIMAL_TAPS[self.lfsr_bits] if self.taps is None else tuple(self.taps)

    def seeds_of(self, columns: int) -> tuple[int, ...]:
        """Return one seed per column.

        Raises
        ------
        InputError
            If there are fewer different seeds than columns.
        """
        if self.seeds is not None:
            if len(self.seeds) < columns:
                raise InputError(f"{len(self.seeds)} seeds for {columns} columns", hint="leave seeds out")
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
        "mlp_90_ternary": mlp.model_copy(update={"weights": Weights.TERNARY, "memory_bits": 1024}),
        "mlp_dense": mlp.model_copy(update={"sparsity": 0.0, "memory_bits": 4096}),
        "cifar_90": mlp.model_copy(update={"memory_bits": 1152, "lfsr_bits": 14}),
        **{
            f"neuron_{name}": one.model_copy(update={"sparsity": sparsity, "memory_bits": bits})
            for name, (sparsity, bits) in rows.items()
        },
    }


PRESETS = _presets()


def structure(design: SparseFcDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: all but the clock."""
    return {name: value for name, value in design.model_dump(mode="json").items() if name != "clock_hz"}
