"""Prices of racetracks: energies per bit of a command, cycles of one of the two levels."""

from __future__ import annotations

from accelerators.racetrack_pim.design import CONSTANTS, MultiplyModel, RacetrackDesign
from accelerators.racetrack_pim.timing import TAPE_ACTIONS, Level, command_cycles
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, chosen

_HIDDEN = "goes on beside another command of the same level"
_CHARGED = "charged by command"
_LEAKAGE = "not published for racetracks: a required figure that nobody knows, left out and said so"
_INSIDE = "inside the area of the tape"
ON_LANES = ("add", "multiply", "compare", "logic")
NARROWEST_LANE = 8


def datasheet(design: RacetrackDesign) -> Datasheet:
    """Return the datasheet of `design`.

    Reads, writes, shifts and transverse reads cost SPIMulator's energies per bit; a transverse read includes
    the logic behind its sense amplifiers. A published multiplication is charged as a whole.
    """
    return Datasheet(
        clock_hz=CONSTANTS.clock_hz,
        actions=(*_commands(design), *_multiplier(design), *_lanes(design), *_host(design)),
        units=_units(design),
    )


def energies() -> dict[tuple[str, str], Sourced]:
    """Return joules per bit of every command."""
    c = CONSTANTS
    read = c.transverse_read_j_per_bit + c.logic_j_per_bit
    tape = dict.fromkeys(TAPE_ACTIONS, c.write_j_per_bit) | {
        "shift": c.shift_j_per_bit,
        "read": c.read_j_per_bit,
        "transverse_read": read,
        "transverse_write": c.transverse_write_j_per_bit,
    }
    return {("tape", action): energy for action, energy in tape.items()} | {
        ("logic", "gate"): c.logic_j_per_bit,
        ("storage", "read"): c.read_j_per_bit,
        ("storage", "shift"): c.shift_j_per_bit,
        ("storage", "write"): c.write_j_per_bit,
        ("storage", "copy"): c.read_j_per_bit + c.shift_j_per_bit + c.write_j_per_bit,
    }


def _commands(design: RacetrackDesign) -> tuple[ActionRow, ...]:
    cycles = command_cycles(design.timing, CONSTANTS)
    found = []
    for (unit, action), energy in energies().items():
        interval = cycles[unit, action].cycles if (unit, action) in cycles else 0
        found.append(
            ActionRow(
                unit,
                action,
                energy_per_bit=energy,
                lanes=design.rows_at_once,
                interval_cycles=interval,
                zero_time="" if interval else _HIDDEN,
            )
        )
    return tuple(found)


def product_price(design: RacetrackDesign) -> tuple[int, Sourced] | None:
    """Return cycles and joules of the published 8-bit multiplication of a lane, None where there is none."""
    c = CONSTANTS
    if design.timing is not Level.DEVICE or design.trd == 5:
        return None
    if design.trd == 7:
        return int(c.product_trd7_cycles), c.product_trd7_j
    return int(c.product_trd3_cycles), c.product_trd3_j


def _multiplier(design: RacetrackDesign) -> tuple[ActionRow, ...]:
    price = product_price(design)
    if design.multiply_model is not MultiplyModel.PUBLISHED or price is None:
        return ()
    cycles, energy = price
    lanes = chosen(design.lanes(2 * 8), "_count", "design.wires / 16")
    return (ActionRow("multiplier", "product", energy * lanes, None, design.rows_at_once, cycles),)


def _lanes(design: RacetrackDesign) -> tuple[ActionRow, ...]:
    inside = "inside the commands of the tape"
    widest = design.rows_at_once * design.wires // NARROWEST_LANE
    return tuple(
        ActionRow("lanes", name, lanes=widest, interval_cycles=0, zero_energy=_CHARGED, zero_time=inside)
        for name in ("mac", *ON_LANES)
    )


def _host(design: RacetrackDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    slot = "takes its issue slot"
    transfer = ActionRow(
        "bus",
        "transfer",
        energy_per_bit=c.transfer_j_per_bit,
        interval_cycles=0,
        bits_per_s=c.bus_bits_per_s,
    )
    issue = ActionRow("host", "issue", lanes=design.host_lanes, zero_energy="charged as the operations")
    return (
        transfer,
        issue,
        *(
            ActionRow(
                "host",
                name,
                energy=c.host_multiply_j if name in ("multiply", "divide", "special") else c.host_add_j,
                interval_cycles=0,
                zero_time=slot,
            )
            for name in PRIMITIVES
        ),
    )


def _units(design: RacetrackDesign) -> tuple[UnitRow, ...]:
    c = CONSTANTS
    bits = chosen(capacity_bits(design), "_count", "capacity")
    cell = chosen(design.cell_area_ratio, "_count", "design.cell_area_ratio")
    area = bits * cell * c.feature_size_m**2 * (1 + c.pim_area_overhead_ratio)
    outside = "not part of the memory"
    found = [UnitRow("tape", area=area, zero_leakage=_LEAKAGE)]
    inside = ["logic", "lanes"]
    if _multiplier(design):
        inside.append("multiplier")
    found += [UnitRow(unit, zero_area=_INSIDE, zero_leakage=_LEAKAGE) for unit in inside]
    found.append(UnitRow("storage", role="memory", zero_area=_INSIDE, zero_leakage=_LEAKAGE))
    found.append(UnitRow("bus", role="link", zero_area=outside, zero_leakage=outside))
    found.append(UnitRow("host", zero_area=outside, zero_leakage=outside))
    return tuple(found)


def capacity_bits(design: RacetrackDesign) -> int:
    """Return the data bits of the memory, all subarrays and tiles."""
    c = CONSTANTS
    tiles = design.banks * int(c.subarrays_per_bank_count) * int(c.tiles_per_subarray_count)
    return tiles * design.clusters_per_tile * design.wires * design.domains
