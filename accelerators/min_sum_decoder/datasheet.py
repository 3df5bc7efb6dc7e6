"""Prices of min_sum_decoder: every elementary operation and memory access, from 45 nm and 40 nm operators."""

from __future__ import annotations

from accelerators.min_sum_decoder.design import CONSTANTS, MinSumDesign, Rule, Sharing
from hwsim.model.cells import Cells
from hwsim.model.pins import pin_actions, pin_unit
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.physics import multiply_energy_at_width
from hwsim.sourced import Sourced, chosen

INSIDE = "happens inside the clock in which an edge processor takes its edge"


def datasheet(design: MinSumDesign) -> Datasheet:
    """Return the datasheet of `design`.

    An edge takes a clock of one of `edge_processors`. Additions and comparisons cost 45 nm additions
    (Horowitz 2014) by their bits, signs a gate, products a multiplication by its widths, tanh and atanh a
    reading of a table; scaled by E ~ L V^2. Weights lie on the chip.
    """
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(
            *_operations(design),
            *_memories(design),
            *pin_actions("codewords enter and leave while others are decoded; no link is modeled"),
        ),
        units=_units(design),
    )


def _cells(design: MinSumDesign) -> Cells:
    return Cells(CONSTANTS, design.node_m, design.supply_v)


def _operations(design: MinSumDesign) -> tuple[ActionRow, ...]:
    cells = _cells(design)
    per_bit = {
        ("adders", "add"): cells.add_j_per_bit,
        ("comparators", "compare"): cells.add_j_per_bit,
        ("signs", "logic"): cells.gate_j_per_bit,
        ("tables", "special"): cells.memory_j_per_bit,
    }
    product = multiply_energy_at_width(CONSTANTS.multiply_int8_j, 8, *_product_widths(design))
    return (
        ActionRow(
            "processors",
            "edge",
            lanes=design.edge_processors,
            zero_energy="charged as the operations and accesses of the edge",
        ),
        *(
            ActionRow(unit, action, energy_per_bit=energy, interval_cycles=0, zero_time=INSIDE)
            for (unit, action), energy in per_bit.items()
        ),
        ActionRow(
            "multipliers", "multiply", energy=cells.scaled(product), interval_cycles=0, zero_time=INSIDE
        ),
    )


def _product_widths(design: MinSumDesign) -> tuple[int, int]:
    """Return the widths of a multiplication: message by factor, or two tanh values."""
    if design.rule is Rule.SUM_PRODUCT:
        return int(CONSTANTS.table_product_bits), int(CONSTANTS.table_product_bits)
    return design.llr_bits, design.weight_bits


def _memories(design: MinSumDesign) -> tuple[ActionRow, ...]:
    access = _cells(design).memory_j_per_bit
    pairs = [
        ("messages", "read"),
        ("messages", "write"),
        ("totals", "read"),
        ("totals", "write"),
        ("weight_memory", "read"),
    ]
    return tuple(
        ActionRow(
            unit,
            action,
            energy_per_bit=access,
            interval_cycles=0,
            zero_time="banked to serve every edge processor each clock, without conflicts",
        )
        for unit, action in pairs
    )


def _units(design: MinSumDesign) -> tuple[UnitRow, ...]:
    """Return areas: per edge processor two adders, two comparators, two XORs and one multiplier if used."""
    c = CONSTANTS
    processors, message = design.edge_processors, design.llr_bits
    total = message + int(c.total_guard_bits)
    cells = _cells(design)
    bit, leak = cells.adder_bit_m2, cells.adder_bit_leakage_w
    gate = c.gate_per_full_adder_ratio
    inside = "a word for the whole; its parts have rows of their own"
    return (
        UnitRow("processors", zero_area=inside, zero_leakage=inside),
        _logic("adders", bit * (2 * total * processors), leak * (2 * total * processors), design),
        _logic(
            "comparators",
            bit * (2 * (message - 1) * processors),
            leak * (2 * (message - 1) * processors),
            design,
        ),
        _logic("signs", bit * gate * (2 * processors), leak * gate * (2 * processors), design),
        _multipliers(design),
        UnitRow(
            "tables",
            zero_area="tables of tanh and atanh are not modeled",
            zero_leakage="tables of tanh and atanh are not modeled",
        ),
        _memory("messages", design.stored_edges * message, design),
        _memory("totals", 2 * design.stored_codeword_bits * total, design),
        _weight_memory(design),
        pin_unit(),
    )


def _logic(unit: str, area: Sourced, leakage: Sourced, design: MinSumDesign) -> UnitRow:
    return UnitRow(unit, area=_cells(design).area(area), leakage=leakage)


def _multipliers(design: MinSumDesign) -> UnitRow:
    if design.rule in (Rule.MIN_SUM, Rule.OFFSET_MIN_SUM):
        return UnitRow("multipliers", zero_area="this rule has none", zero_leakage="this rule has none")
    c = CONSTANTS
    first, second = _product_widths(design)
    share = first * second / 32**2 * design.edge_processors
    return _logic("multipliers", c.multiplier_32b_m2 * share, c.multiplier_32b_leakage_w * share, design)


def _weight_memory(design: MinSumDesign) -> UnitRow:
    if not design.weighted:
        none = "this rule has no weights"
        return UnitRow("weight_memory", role="memory", zero_area=none, zero_leakage=none)
    copies = {
        Sharing.ALL: 1,
        Sharing.ITERATIONS: design.stored_edges,
        Sharing.NONE: design.stored_edges * design.iterations,
    }
    return _memory("weight_memory", copies[design.weight_sharing] * design.weight_bits, design)


def _memory(unit: str, bits: int, design: MinSumDesign) -> UnitRow:
    cells = _cells(design)
    return UnitRow(unit, area=cells.memory_area(bits), leakage=cells.memory_leakage(bits), role="memory")
