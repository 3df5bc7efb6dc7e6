"""Prices of the ReRAM crossbar chip: events by CiMLoop's components, the rest by the published powers."""

from __future__ import annotations

from accelerators.reram_pim.design import CONSTANTS, ReramDesign
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, by_law, chosen

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
    return Datasheet(
        clock_hz=_knob(design, "adc_rate_hz"),
        actions=(*_analog(design), *_traffic(), *_digital(design)),
        units=_units(design),
    )


def _analog(design: ReramDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    driver = _per_read(c.ima_dac_w) / c.array_rows_count
    if design.dac_bits != 1:
        driver = _scaled("driver_of_other_bits", driver * (2**design.dac_bits - 1), bits=design.dac_bits)
    converter = c.adc_conversion_j
    if design.adc_bits != 8:
        converter = _scaled(
            "converter_of_other_bits", converter * 2.0 ** (design.adc_bits - 8), bits=design.adc_bits
        )
    charged = "charged as reads"
    return (
        ActionRow("array", "step", interval_cycles=design.clocks_per_read, zero_energy=charged),
        ActionRow(
            "array",
            "mac",
            lanes=design.cell_reads_per_clock,
            interval_cycles=0,
            zero_energy=charged,
            zero_time=_INSIDE,
        ),
        *(
            ActionRow(unit, action, energy=energy, interval_cycles=0, zero_time=_INSIDE)
            for unit, action, energy in (
                ("array", "read", _read_energy(design)),
                ("dac", "drive", driver),
                ("adc", "convert", converter),
                ("shift_add", "add", c.shift_add_j),
            )
        ),
    )


def _traffic() -> tuple[ActionRow, ...]:
    c = CONSTANTS
    hidden = "banked; hidden behind read cycles"
    return tuple(
        ActionRow(unit, action, energy_per_bit=energy, interval_cycles=0, zero_time=hidden)
        for unit, actions, energy in (
            ("edram", ("read", "write"), c.edram_j_per_bit),
            ("bus", ("read", "write"), c.bus_j_per_bit),
            ("router", ("send",), c.router_j_per_bit),
        )
        for action in actions
    )


def _units(design: ReramDesign) -> tuple[UnitRow, ...]:
    c = CONSTANTS
    per_chip = int(c.tiles_count * c.imas_per_tile_count * c.arrays_per_ima_count)
    roles = {"edram": "memory", "bus": "link", "router": "link"}
    others = ("dac", "adc", "shift_add", "vector", *roles)
    return (
        UnitRow("array", area=c.chip_area_m2 / per_chip * design.arrays, zero_leakage=_CHARGED),
        *(
            UnitRow(unit, role=roles.get(unit, "compute"), zero_area=_SHARED, zero_leakage=_CHARGED)
            for unit in others
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
    energy = cells + held + registers
    published = design.array_rows == design.array_cols == int(c.array_rows_count)
    if published:
        return energy
    return _scaled("array_of_other_size", energy, rows=design.array_rows, columns=design.array_cols)


def _scaled(law: str, energy: Sourced, **sizes: int) -> Sourced:
    """Return an energy that was scaled away from the published design, with the assumption it rests on."""
    return by_law(CONSTANTS.law(law), energy.value, energy.dimension, {"energy": energy, **sizes})


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
    issue = ActionRow("vector", "issue", lanes=design.vector_lanes, zero_energy="charged as the operations")
    return (
        issue,
        *(
            ActionRow(
                "vector", name, energy=energies[name], interval_cycles=0, zero_time="takes its issue slot"
            )
            for name in PRIMITIVES
        ),
    )
