"""Prices of the sparse-state engine: core power over active cycles, and the off-chip port."""

from __future__ import annotations

from accelerators.sparse_lstm.design import CONSTANTS, SparseLstmDesign
from accelerators.sparse_lstm.lower import POINTWISE
from hwsim.columns import given
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, chosen

IN_CORE = "inside the published power of the core"


def datasheet(design: SparseLstmDesign) -> Datasheet:
    """Return the datasheet of `design`.

    Only one power is published, that of the core at its dense peak: it is charged for every cycle in which
    the array works, however many of its elements do, in proportion to the number of elements of the design.
    """
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(*_array(design), *_pointwise(design), *_offchip(design)),
        units=(
            UnitRow("array", area=_scaled(CONSTANTS.core_m2, design), zero_leakage=IN_CORE),
            UnitRow("encoder", zero_area="inside the area of the core", zero_leakage=IN_CORE),
            UnitRow("vector", zero_area="inside the area of the core", zero_leakage=IN_CORE),
            UnitRow("dram", role="memory", zero_area="another chip", zero_leakage="another chip"),
        ),
    )


def _published_pes() -> Sourced:
    return CONSTANTS.tiles_count * CONSTANTS.pes_per_tile_count


def _scaled(whole: Sourced, design: SparseLstmDesign) -> Sourced:
    return whole / _published_pes() * design.pes


def cycle_energy() -> Sourced:
    """Return the joules of the published core in one active cycle."""
    c = CONSTANTS
    return c.peak_operations_per_s / c.peak_operations_per_j / c.published_clock_hz


def _array(design: SparseLstmDesign) -> tuple[ActionRow, ...]:
    energy = _scaled(cycle_energy(), design)
    return (
        ActionRow("array", "beat", energy=energy),
        ActionRow("array", "hadamard", energy=energy),
        ActionRow(
            "array",
            "mac",
            lanes=design.pes,
            interval_cycles=0,
            zero_energy="charged as the beats that it happens in",
            zero_time="happens inside the beats",
        ),
        ActionRow(
            "encoder", "entry", interval_cycles=0, zero_energy=IN_CORE, zero_time="keeps up with the states"
        ),
    )


def _pointwise(design: SparseLstmDesign) -> tuple[ActionRow, ...]:
    issue = ActionRow(
        "vector", "issue", energy=_scaled(cycle_energy(), design) / design.pes, lanes=design.pes
    )
    return (
        issue,
        *(
            ActionRow(
                "vector",
                name,
                interval_cycles=0,
                zero_energy="charged as the cycles that it happens in",
                zero_time="takes its Hadamard cycle or issue slot; tables keep up",
            )
            for name in POINTWISE
        ),
    )


def _offchip(design: SparseLstmDesign) -> tuple[ActionRow, ...]:
    price = design.dram_j_per_bit
    energy = chosen(price, "_j_per_bit", "design.dram_j_per_bit") if given(price) else None
    reason = "" if energy else "no figure is published; set dram_j_per_bit to charge it"
    rate = chosen(design.dram_bits_per_s, "_bits_per_s", "design.dram_bits_per_s")
    timed = tuple(
        ActionRow(
            "dram", action, energy_per_bit=energy, interval_cycles=0, bits_per_s=rate, zero_energy=reason
        )
        for action in ("read", "write")
    )
    hidden = ActionRow(
        "dram",
        "state_write",
        energy_per_bit=energy,
        interval_cycles=0,
        zero_energy=reason,
        zero_time="leaves while the next step's columns come in",
    )
    return (*timed, hidden)
