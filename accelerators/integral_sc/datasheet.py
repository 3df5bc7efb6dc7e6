"""Prices of integral_sc: what the user gives, or an estimate from gates."""

from __future__ import annotations

from accelerators.integral_sc.design import CONSTANTS, Arithmetic, IntegralScDesign, Technology
from hwsim.columns import given
from hwsim.model.cells import Cells
from hwsim.model.pins import pin_actions, pin_unit
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.physics import multiply_energy_at_width
from hwsim.sourced import Sourced, chosen

AT_ONCE = "happens inside the clocks of the pipeline: every synapse and neuron exists once"
PRICED_ELSEWHERE = "charged bit by bit as the streams' gates"
ABSENT = (
    "no energy of the FPGA implementation is published: set and_j_per_bit, add_j_per_bit, "
    "state_j_per_bit, number_j_per_bit"
)
FPGA_AREA = "LUTs of an FPGA have no area of their own; see the figures"


def datasheet(design: IntegralScDesign) -> Datasheet:
    """Return the datasheet of `design`.

    Energies are the user's, or for standard cells an estimate: 45 nm additions (Horowitz 2014) per bit, gates
    as a fifth of a full adder, scaled by E ~ L V^2. Power and area of the published chip are unknown.
    """
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(
            ActionRow("pipeline", "clock", zero_energy=PRICED_ELSEWHERE),
            ActionRow("pipeline", "fill", zero_energy="pipeline registers are not modeled"),
            *_synapses(design),
            *_machines(design),
            *pin_actions("a whole input enters while the one before is worked on; no link is published"),
        ),
        units=_units(design),
    )


def _cells(design: IntegralScDesign) -> Cells:
    """Return standard cells at node and supply of the run."""
    return Cells(CONSTANTS, design.node_m, design.actual_supply_v)


def _bit_energies(design: IntegralScDesign) -> dict[str, Sourced | None]:
    """Return joules per bit of each kind of gate, None where nothing is known."""
    known = {
        name: chosen(value, "_j_per_bit", f"design.{name}") if given(value := getattr(design, name)) else None
        for name in ("and_j_per_bit", "add_j_per_bit", "state_j_per_bit", "number_j_per_bit")
    }
    if design.technology is Technology.VIRTEX7:
        return known
    add, gate = _cells(design).add_j_per_bit, _cells(design).gate_j_per_bit
    estimate = {"and_j_per_bit": gate, "add_j_per_bit": add, "state_j_per_bit": add, "number_j_per_bit": gate}
    return {name: known[name] or estimate[name] for name in known}


def _per_bit(unit: str, action: str, energy: Sourced | None, lanes: int = 1) -> ActionRow:
    return ActionRow(
        unit,
        action,
        energy_per_bit=energy,
        lanes=lanes,
        interval_cycles=0,
        zero_energy="" if energy else ABSENT,
        zero_time=AT_ONCE,
    )


def _synapses(design: IntegralScDesign) -> tuple[ActionRow, ...]:
    joules = _bit_energies(design)
    return (
        _mac(design, joules["and_j_per_bit"]),
        _per_bit("adders", "full_add", joules["add_j_per_bit"]),
        _per_bit("adders", "add", joules["add_j_per_bit"]),
        _per_bit("generators", "compare", joules["number_j_per_bit"]),
        _per_bit("generators", "shift", joules["number_j_per_bit"]),
    )


def _mac(design: IntegralScDesign, gate: Sourced | None) -> ActionRow:
    """Price a synapse: one AND per bit of its stream, or a multiplication and an addition in binary radix."""
    if design.arithmetic is Arithmetic.INTEGRAL_STREAMS:
        # A synapse finishes one product in N clocks: that is its share of a clock's peak.
        return _per_bit("synapses", "mac", gate, lanes=-(-design.synapses // design.stream_length))
    known = design.technology is Technology.CELLS
    c = CONSTANTS
    energy = multiply_energy_at_width(c.multiply_int8_j, 8, design.operand_bits) + c.add_int32_j
    return ActionRow(
        "synapses",
        "mac",
        energy=_cells(design).scaled(energy) if known else None,
        lanes=design.synapses,
        interval_cycles=0,
        zero_energy="" if known else ABSENT,
        zero_time=AT_ONCE,
    )


def _machines(design: IntegralScDesign) -> tuple[ActionRow, ...]:
    part_of = "charged as the steps of the state machine"
    return (
        _per_bit("machines", "step", _bit_energies(design)["state_j_per_bit"]),
        *(
            ActionRow("machines", name, interval_cycles=0, zero_time=AT_ONCE, zero_energy=part_of)
            for name in ("compare", "special")
        ),
    )


def _units(design: IntegralScDesign) -> tuple[UnitRow, ...]:
    """Return areas of standard cells: a full adder, an AND and a comparator per synapse and bit."""
    c = CONSTANTS
    if design.technology is Technology.VIRTEX7:
        names = ("synapses", "adders", "generators", "machines", "pipeline")
        absent = "static power of the FPGA is not published"
        rows = tuple(UnitRow(name, zero_area=FPGA_AREA, zero_leakage=absent) for name in names)
        return (*rows, pin_unit())
    cells = _cells(design)
    bit, leak = cells.adder_bit_m2, cells.adder_bit_leakage_w
    gate = c.gate_per_full_adder_ratio
    if design.arithmetic is Arithmetic.BINARY_RADIX:
        copies = {
            "synapses": design.operand_bits**2 * design.synapses,
            "adders": 32 * design.synapses,
        }
        shares = {"synapses": bit, "adders": bit, "generators": None}
    else:
        bits = design.m * design.synapses
        copies = {"synapses": bits, "adders": bits, "generators": bits * int(c.generator_bits)}
        shares = {"synapses": bit * gate, "adders": bit, "generators": bit * gate}
    rows = tuple(
        UnitRow(unit, zero_area="no numbers are made", zero_leakage="no numbers are made")
        if area is None
        else UnitRow(
            unit,
            area=cells.area(area * copies[unit]),
            leakage=leak * copies[unit] * (1 if area is bit else gate),
        )
        for unit, area in shares.items()
    )
    small = "two in a thousand of the synapses; not modeled"
    machines = UnitRow("machines", zero_area=small, zero_leakage=small)
    registers = UnitRow(
        "pipeline", zero_area="registers are not modeled", zero_leakage="registers are not modeled"
    )
    return (*rows, machines, registers, pin_unit())
