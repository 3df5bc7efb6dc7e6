"""Prices of the binary/ternary LSTM engine: published power and area of 100 units, shared by the units."""

from __future__ import annotations

from accelerators.binary_lstm.design import CONSTANTS, BinaryLstmDesign
from accelerators.binary_lstm.weights import Weights
from hwsim.columns import given
from hwsim.constants import Sourced, by_law, chosen
from hwsim.graph.ops.kinds import PRIMITIVES
from hwsim.model.types import ActionRow, Datasheet, UnitRow

NOT_PUBLISHED = "the energy of the weight memory is not published; set memory_j_per_bit to charge it"


def datasheet(design: BinaryLstmDesign) -> Datasheet:
    """Return the datasheet of `design`.

    A MAC costs the power of the table's 100 units over their number and clock: 8.4 pJ at full precision,
    0.925 binary, 1.525 ternary (Ardakani et al. 2019, recalled). A cycle of gates and states costs as much
    as a cycle of MACs. Idle units are gated. The weight memory is outside the published area and power.
    """
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(*_mac_actions(design), *_memory_actions(design), *_elementwise_actions(design)),
        units=_units(design),
    )


def _published(design: BinaryLstmDesign) -> tuple[Sourced, Sourced]:
    """Return power and area of the table's 100 units."""
    c = CONSTANTS
    return {
        Weights.FULL_PRECISION: (c.full_precision_w, c.full_precision_m2),
        Weights.BINARY: (c.binary_w, c.binary_m2),
        Weights.TERNARY: (c.ternary_w, c.ternary_m2),
    }[design.weights]


def _mac_energy(design: BinaryLstmDesign) -> Sourced:
    c = CONSTANTS
    share = _published(design)[0] / (c.table_mac_units_count * c.table_clock_hz)
    return by_law(c.law("energy_per_busy_cycle"), share.value, share.dimension, {"share": share})


def _mac_actions(design: BinaryLstmDesign) -> tuple[ActionRow, ...]:
    return (ActionRow("mac_units", "mac", energy=_mac_energy(design), lanes=design.mac_units),)


def _memory_actions(design: BinaryLstmDesign) -> tuple[ActionRow, ...]:
    price = design.memory_j_per_bit
    charged = chosen(price, "_j_per_bit", "design.memory_j_per_bit") if given(price) else None
    reason = "" if charged else NOT_PUBLISHED
    return (
        ActionRow(
            "memory",
            "read",
            energy_per_bit=charged,
            lanes=design.memory_bits_per_cycle,
            zero_energy=reason,
        ),
    )


def _elementwise_actions(design: BinaryLstmDesign) -> tuple[ActionRow, ...]:
    energy = _mac_energy(design) * design.mac_units / design.vector_lanes
    law = CONSTANTS.law("elementwise_like_mac")
    names = PRIMITIVES if design.weights is Weights.FULL_PRECISION else (*PRIMITIVES, "scale")
    return (
        ActionRow(
            "vector",
            "issue",
            energy=by_law(law, energy.value, energy.dimension, {"mac": energy}),
            lanes=design.vector_lanes,
        ),
        *(
            ActionRow(
                "vector",
                name,
                interval_cycles=0,
                zero_energy="charged as the operations that are issued",
                zero_time="takes its issue slot",
            )
            for name in names
        ),
    )


def _units(design: BinaryLstmDesign) -> tuple[UnitRow, ...]:
    area = _published(design)[1] / CONSTANTS.table_mac_units_count * design.mac_units
    together = "contained in the published power, which is charged per busy cycle"
    return (
        UnitRow("mac_units", area=area, zero_leakage=together),
        UnitRow(
            "memory",
            role="memory",
            zero_area="the published area is taken as that of the core; the memory is not published",
            zero_leakage="not published",
        ),
        UnitRow("vector", zero_area="inside the published area of the core", zero_leakage=together),
    )
