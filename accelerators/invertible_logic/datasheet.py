"""Prices of invertible_logic: what the user gives, or an estimate from the widths of adders and counters."""

from __future__ import annotations

from accelerators.invertible_logic.design import CONSTANTS, InvertibleLogicDesign
from hwsim.model.cells import Cells
from hwsim.model.pins import pin_actions, pin_unit
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, chosen

AT_ONCE = "happens inside the clocks of the network: every spin exists once"
IN_SPINS = "part of the energy of a spin update, which the user gave"
SMALL = "small beside the spins; not modeled"


def cells_of(design: InvertibleLogicDesign) -> Cells:
    """Return the cells that an estimate is made of."""
    return Cells(CONSTANTS, design.node_m, design.supply_v)


def add_bit(design: InvertibleLogicDesign) -> Sourced:
    """Return joules of adding one bit at node and supply (E ~ L V^2)."""
    return cells_of(design).add_j_per_bit


def area_per_bit(design: InvertibleLogicDesign) -> Sourced:
    """Return the square metres of one bit of an adder, which a bit of a counter is taken to equal."""
    cells = cells_of(design)
    return cells.area(cells.adder_bit_m2)


def datasheet(design: InvertibleLogicDesign) -> Datasheet:
    """Return the datasheet of `design`.

    A spin update costs what the user says, or one addition per bit of its adders and counter (45 nm, Horowitz
    2014, scaled by E ~ L V^2); bits leak in every clock. No power or area of the published chip is known.
    """
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(*_spins(design), *_free()),
        units=_units(design),
    )


def _spins(design: InvertibleLogicDesign) -> tuple[ActionRow, ...]:
    """Price updates, leakage and noise: three parts of an estimate, or one number that the user gave."""
    if design.spin_update_j:
        given = chosen(design.spin_update_j, "_j", "design.spin_update_j")
        return (
            ActionRow("spins", "update", energy=given, interval_cycles=0, zero_time=AT_ONCE),
            _at_once("spins", "hold", zero_energy=IN_SPINS),
            _at_once("noise", "draw", zero_energy=IN_SPINS),
        )
    clock, bit = chosen(design.clock_hz, "_hz", "design.clock_hz"), add_bit(design)
    leakage = CONSTANTS.adder_32b_leakage_w / chosen(32, "_bits", "32 bits") / clock
    return (
        _at_once("spins", "update", bit),
        _at_once("spins", "hold", leakage),
        _at_once("noise", "draw", bit * CONSTANTS.gate_per_full_adder_ratio),
    )


def _free() -> tuple[ActionRow, ...]:
    """Return what takes no energy: clocks, answers of gates, pins."""
    return (
        ActionRow("control", "clock", zero_energy="clock tree and control are not modeled"),
        _at_once("gates", "resolve", zero_energy="charged as the updates of its spins"),
        *pin_actions("loads and answers overlap with anneals", "clamp", "read"),
    )


def _at_once(unit: str, action: str, per_bit: Sourced | None = None, zero_energy: str = "") -> ActionRow:
    return ActionRow(
        unit,
        action,
        energy_per_bit=per_bit,
        interval_cycles=0,
        zero_time=AT_ONCE,
        zero_energy=zero_energy,
    )


def _units(design: InvertibleLogicDesign) -> tuple[UnitRow, ...]:
    made = "gates are made of spins"
    return (
        UnitRow(
            "spins",
            area=area_per_bit(design) * design.built_bits,
            zero_leakage="charged as spins.hold: bits that a circuit leaves unused are switched off",
        ),
        UnitRow("noise", zero_area=SMALL, zero_leakage=SMALL),
        UnitRow("gates", zero_area=made, zero_leakage=made),
        UnitRow("control", zero_area=SMALL, zero_leakage=SMALL),
        pin_unit(),
    )
