"""Prices of the systolic array: every number computed from sourced constants, in sight."""

from __future__ import annotations

from accelerators.systolic.design import CONSTANTS, DramEnergy, MemoryModel, SystolicDesign, sourced_knob
from hwsim.graph.ops.kinds import PRIMITIVES
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.physics import (
    add_energy_at_width,
    multiply_energy_at_width,
    scale_area,
    scale_energy_constant_field,
    sram_access_energy,
)
from hwsim.sourced import Sourced, chosen


def datasheet(design: SystolicDesign) -> Datasheet:
    """Return the datasheet of `design`.

    Energies are those of 45 nm (Horowitz 2014), scaled to node and supply of the design by constant-field
    scaling (E ~ L V^2, Dennard 1974). DRAM is not scaled: it is another chip. Areas are those of 40 nm
    (Shao 2014) scaled with L^2, SRAM is 140 F^2 a bit; wiring, control and periphery are not included.
    """
    return Datasheet(
        clock_hz=sourced_knob(design, "clock_hz"),
        actions=(
            *_array_actions(design),
            *_scratchpad_actions(design),
            *_dram_actions(design),
            *_vector_actions(design),
        ),
        units=_units(design),
    )


def _scaled(energy: Sourced, design: SystolicDesign) -> Sourced:
    c = CONSTANTS
    return scale_energy_constant_field(
        energy,
        c.reference_node_m,
        sourced_knob(design, "node_m"),
        c.reference_supply_v,
        sourced_knob(design, "supply_v"),
    )


def _mac_energy(design: SystolicDesign, bits: int) -> Sourced:
    multiply = multiply_energy_at_width(CONSTANTS.multiply_int8_j, 8, bits)
    return multiply + add_energy_at_width(CONSTANTS.add_int32_j, 32, design.accumulator_bits)


def _register_energy_per_bit(design: SystolicDesign) -> Sourced:
    c = CONSTANTS
    per_bit = c.register_bit_write_j / chosen(1, "_bits", "1 bit")
    return scale_energy_constant_field(
        per_bit,
        c.aladdin_node_m,
        sourced_knob(design, "node_m"),
        c.aladdin_supply_v,
        sourced_knob(design, "supply_v"),
    )


def sram_energy_per_bit(capacity_bytes: int) -> Sourced:
    """Return joules per bit of a scratchpad of `capacity_bytes` at the reference node."""
    c = CONSTANTS
    points = (
        (8 * 1024, c.sram_8kib_access_j),
        (32 * 1024, c.sram_32kib_access_j),
        (2**20, c.sram_1mib_access_j),
    )
    return sram_access_energy(capacity_bytes, points) / c.sram_word_bits


def scratchpad_j_per_bit(design: SystolicDesign, capacity_bytes: int) -> Sourced:
    """Return joules per bit of a scratchpad of `capacity_bytes` at node and supply of the design."""
    return _scaled(sram_energy_per_bit(capacity_bytes), design)


def _array_actions(design: SystolicDesign) -> tuple[ActionRow, ...]:
    inside = "happens inside the active cycles of the array"
    return (
        ActionRow(
            "array",
            "active",
            zero_energy="idle elements are clock-gated; work is charged as mac and register",
        ),
        ActionRow(
            "array",
            "mac",
            energy=_scaled(_mac_energy(design, design.operand_bits), design),
            lanes=design.peak_macs_per_cycle,
            interval_cycles=0,
            zero_time=inside,
        ),
        ActionRow(
            "array",
            "register",
            energy_per_bit=_register_energy_per_bit(design),
            interval_cycles=0,
            zero_time=inside,
        ),
    )


def _scratchpad_actions(design: SystolicDesign) -> tuple[ActionRow, ...]:
    rows = []
    for unit, capacity in _scratchpads(design):
        energy = _scaled(sram_energy_per_bit(capacity), design)
        rows += [
            ActionRow(
                unit,
                action,
                energy_per_bit=energy,
                interval_cycles=0,
                zero_time="banked to serve every row and column of the array each cycle",
            )
            for action in ("read", "write")
        ]
    return tuple(rows)


def _scratchpads(design: SystolicDesign) -> tuple[tuple[str, int], ...]:
    return (
        ("input_scratchpad", design.input_scratchpad_bytes),
        ("weight_scratchpad", design.weight_scratchpad_bytes),
        ("output_scratchpad", design.output_scratchpad_bytes),
    )


def _dram_actions(design: SystolicDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    access = {
        DramEnergy.LOW: c.dram_low_access_j,
        DramEnergy.HIGH: c.dram_high_access_j,
        DramEnergy.MEAN: (c.dram_low_access_j + c.dram_high_access_j) / 2,
    }[design.dram_energy]
    energy = access / c.sram_word_bits
    endless = design.memory_model is MemoryModel.STALL_FREE
    rate = None if endless else sourced_knob(design, "dram_bits_per_s")
    reason = "stall-free: operands are always in time" if endless else ""
    return tuple(
        ActionRow("dram", action, energy_per_bit=energy, interval_cycles=0, bits_per_s=rate, zero_time=reason)
        for action in ("write", "read")
    )


def _vector_actions(design: SystolicDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    add, multiply = c.add_int32_j, c.multiply_int32_j
    table = sram_energy_per_bit(8 * 1024) * c.sram_word_bits
    energies = {
        "add": add,
        "compare": add,
        "logic": add,
        "multiply": multiply,
        "divide": table + multiply,
        "special": table + multiply + add,
    }
    issue = ActionRow(
        "vector", "issue", lanes=design.vector_lanes, zero_energy="charged as the operations that are issued"
    )
    return (
        issue,
        *(
            ActionRow(
                "vector",
                name,
                energy=_scaled(energies[name], design),
                interval_cycles=0,
                zero_time="takes its issue slot",
            )
            for name in PRIMITIVES
        ),
    )


def _units(design: SystolicDesign) -> tuple[UnitRow, ...]:
    c = CONSTANTS
    width = design.operand_bits / 32
    registers = 2 * design.operand_bits + design.accumulator_bits
    element = (
        c.multiplier_32b_m2 * width**2
        + c.adder_32b_m2 * (design.accumulator_bits / 32)
        + c.register_bit_m2 * registers
    )
    element_leakage = (
        c.multiplier_32b_leakage_w * width**2
        + c.adder_32b_leakage_w * (design.accumulator_bits / 32)
        + c.register_bit_leakage_w * registers
    )
    lane = c.multiplier_32b_m2 + c.adder_32b_m2 + c.register_bit_m2 * 96
    lane_leakage = c.multiplier_32b_leakage_w + c.adder_32b_leakage_w + c.register_bit_leakage_w * 96
    cell = c.sram_cell_squares_ratio * sourced_knob(design, "node_m") ** 2
    scratchpads = tuple(
        UnitRow(
            unit, area=cell * (8 * capacity), leakage=c.sram_cell_leakage_w * (8 * capacity), role="memory"
        )
        for unit, capacity in _scratchpads(design)
    )
    return (
        UnitRow(
            "array",
            area=_scaled_area(element * design.peak_macs_per_cycle, design),
            leakage=element_leakage * design.peak_macs_per_cycle,
        ),
        *scratchpads,
        UnitRow(
            "vector",
            area=_scaled_area(lane * design.vector_lanes, design),
            leakage=lane_leakage * design.vector_lanes,
        ),
        UnitRow(
            "dram",
            role="memory",
            zero_area="another chip",
            zero_leakage="refresh and standby of the DRAM chips are not modeled",
        ),
    )


def _scaled_area(area: Sourced, design: SystolicDesign) -> Sourced:
    return scale_area(area, CONSTANTS.aladdin_node_m, sourced_knob(design, "node_m"))
