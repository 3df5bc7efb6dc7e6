"""Prices of the ReRAM crossbar chip: events by CiMLoop's components, the rest by the published powers."""

from __future__ import annotations

from accelerators.reram_pim.design import CONSTANTS, ReramDesign
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, chosen

_INSIDE = "happens inside the read cycles of the arrays"
_SHARED = "inside the area of the array unit, which is that of the whole chip"
_TABLE_WORD = chosen(256, "_bits", "256 bits")
_CHARGED = "components are charged by event; standby power is not published"


def datasheet(design: ReramDesign) -> Datasheet:
    """Return the datasheet of `design`.

    Drivers, arrays and sample-and-hold circuits cost their published power over their number for one read
    cycle of 100 ns, and arrays of another size in proportion to rows or cells. A converter of b bits costs
    2^(b - 8) times the published one of 8 bits. The area is that of the chip, in proportion to its arrays.
    """
    c = CONSTANTS
    return Datasheet(
        clock_hz=_knob(design, "adc_rate_hz"),
        actions=(
            ActionRow(
                "array", "step", interval_cycles=design.clocks_per_read, zero_energy="charged as reads"
            ),
            ActionRow(
                "array",
                "mac",
                lanes=design.cell_reads_per_clock,
                interval_cycles=0,
                zero_energy="charged as reads",
                zero_time=_INSIDE,
            ),
            ActionRow("array", "read", energy=_read_energy(design), interval_cycles=0, zero_time=_INSIDE),
            ActionRow(
                "dac",
                "drive",
                energy=_per_read(c.ima_dac_w) / c.array_rows_count * (2**design.dac_bits - 1),
                interval_cycles=0,
                zero_time=_INSIDE,
            ),
            ActionRow(
                "adc",
                "convert",
                energy=c.adc_conversion_j * 2.0 ** (design.adc_bits - 8),
                interval_cycles=0,
                zero_time=_INSIDE,
            ),
            ActionRow("shift_add", "add", energy=c.shift_add_j, interval_cycles=0, zero_time=_INSIDE),
            *(
                ActionRow(
                    "edram",
                    action,
                    energy_per_bit=c.edram_j_per_bit,
                    interval_cycles=0,
                    zero_time="banked; hidden behind read cycles",
                )
                for action in ("read", "write")
            ),
            *(
                ActionRow("bus", action, energy_per_bit=c.bus_j_per_bit, interval_cycles=0, zero_time=_INSIDE)
                for action in ("read", "write")
            ),
            ActionRow(
                "router",
                "send",
                energy_per_bit=c.router_j_per_bit,
                interval_cycles=0,
                zero_time="hidden behind read cycles",
            ),
            *_digital(design),
        ),
        units=(
            UnitRow(
                "array",
                area=c.chip_area_m2
                / int(c.tiles_count * c.imas_per_tile_count * c.arrays_per_ima_count)
                * (design.arrays),
                zero_leakage=_CHARGED,
            ),
            *(
                UnitRow(unit, role=role, zero_area=_SHARED, zero_leakage=_CHARGED)
                for unit, role in (
                    ("dac", "compute"),
                    ("adc", "compute"),
                    ("shift_add", "compute"),
                    ("digital", "compute"),
                    ("edram", "memory"),
                    ("bus", "link"),
                    ("router", "link"),
                )
            ),
        ),
    )


def _knob(design: ReramDesign, name: str) -> Sourced:
    value, known = getattr(design, name), CONSTANTS[name]
    return known if known.value == value else chosen(value, name.rpartition("_")[2], f"design.{name}")


def _per_read(power: Sourced) -> Sourced:
    """Return the energy of one array's share of a unit in one published read cycle."""
    return power * CONSTANTS.read_cycle_s / CONSTANTS.arrays_per_ima_count


def _read_energy(design: ReramDesign) -> Sourced:
    c = CONSTANTS
    rows, columns = design.array_rows / c.array_rows_count, design.array_cols / c.array_rows_count
    cells = _per_read(c.ima_array_w) * rows * columns
    held = _per_read(c.ima_sample_hold_w) * columns
    registers = _per_read(c.ima_input_register_w) * rows + _per_read(c.ima_output_register_w) * columns
    return cells + held + registers


def _digital(design: ReramDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    add, multiply = c.add_int32_j, c.multiply_int32_j
    table = c.edram_j_per_bit * _TABLE_WORD
    energies = {
        "add": add,
        "compare": add,
        "logic": add,
        "multiply": multiply,
        "divide": table + multiply,
        "special": table + multiply + add,
    }
    issue = ActionRow("digital", "issue", lanes=design.digital_lanes, zero_energy="charged as the operations")
    return (
        issue,
        *(
            ActionRow(
                "digital", name, energy=energies[name], interval_cycles=0, zero_time="takes its issue slot"
            )
            for name in PRIMITIVES
        ),
    )
