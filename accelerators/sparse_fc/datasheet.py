"""Prices of the sparsely-connected layer engine: a straight line through the ends of the published table."""

from __future__ import annotations

from accelerators.sparse_fc.design import CONSTANTS, SparseFcDesign
from accelerators.sparse_fc.weights import Weights
from hwsim.constants import Sourced, by_law, chosen
from hwsim.model.types import ActionRow, Datasheet, UnitRow

INSIDE = "part of the neuron, whose published figure is not split further"


def datasheet(design: SparseFcDesign) -> Datasheet:
    """Return the datasheet of `design`.

    A neuron with b bits of weight memory takes A0 + Ab b of area and draws P0 + Pb b at the table's clock,
    both lines through the rows of 1024 and of 64 bits of Table 6 (Ardakani et al. 2017). Energy per clock
    is power over the table's clock and does not change with the clock of the design.
    """
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=_actions(design),
        units=_units(design),
    )


def _line(largest: Sourced, smallest: Sourced) -> tuple[Sourced, Sourced]:
    """Return value at no bits and value per bit of the line through the two ends of the table."""
    c = CONSTANTS
    per_bit = (largest - smallest) / (c.largest_memory_bits - c.smallest_memory_bits)
    return smallest - per_bit * c.smallest_memory_bits, per_bit


def _on_line(number: Sourced, design: SparseFcDesign) -> Sourced:
    """Return `number` as evidence of the line, which is weaker outside the rows it was fitted to."""
    c = CONSTANTS
    fitted = c.smallest_memory_bits.value <= design.weight_memory_bits <= c.largest_memory_bits.value
    inside = fitted and design.weights is Weights.BINARY
    law = c.law("two_point_line" if inside else "two_point_line_extrapolated")
    return by_law(law, number.value, number.dimension, {"value": number})


def _actions(design: SparseFcDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    fixed, per_bit = _line(c.largest_neuron_w, c.smallest_neuron_w)
    stored = per_bit * chosen(design.weight_memory_bits, "_bits", "design.weight_memory_bits")
    beside = "happens in the clock in which the input arrives"
    return (
        ActionRow("input_bus", "broadcast", zero_energy=INSIDE),
        ActionRow(
            "neuron",
            "clock",
            energy=_on_line(fixed / c.table_clock_hz, design),
            lanes=design.neurons,
            interval_cycles=0,
            zero_time=beside,
        ),
        ActionRow(
            "neuron",
            "mac",
            lanes=design.neurons,
            interval_cycles=0,
            zero_energy="charged with the clock of the neuron, kept or not",
            zero_time=beside,
        ),
        *_register_actions(design, beside),
        ActionRow(
            "weight_memory",
            "clock",
            energy=_on_line(stored / c.table_clock_hz, design),
            interval_cycles=0,
            zero_time=beside,
        ),
        ActionRow(
            "weight_memory",
            "read",
            interval_cycles=0,
            zero_energy="published power follows the bits stored, not the words read",
            zero_time=beside,
        ),
        *(
            ActionRow(
                "output_stage",
                name,
                interval_cycles=0,
                zero_energy=INSIDE,
                zero_time="works on a sum while it is handed over",
            )
            for name in ("add", "multiply", "compare", "special")
        ),
    )


def _register_actions(design: SparseFcDesign, beside: str) -> tuple[ActionRow, ...]:
    """Return the row of the shift registers, which a dense layer does not need."""
    if design.sparsity_ratio == 0.0:
        return ()
    return (ActionRow("lfsr", "shift", interval_cycles=0, zero_energy=INSIDE, zero_time=beside),)


def _units(design: SparseFcDesign) -> tuple[UnitRow, ...]:
    c = CONSTANTS
    fixed, per_bit = _line(c.largest_neuron_m2, c.smallest_neuron_m2)
    stored = per_bit * chosen(design.weight_memory_bits, "_bits", "design.weight_memory_bits")
    together = "contained in the published power, which is charged per clock"
    return (
        UnitRow("input_bus", zero_area=INSIDE, zero_leakage=together),
        UnitRow("neuron", area=_on_line(fixed * design.neurons, design), zero_leakage=together),
        UnitRow("lfsr", zero_area=INSIDE, zero_leakage=together),
        UnitRow(
            "weight_memory",
            area=_on_line(stored * design.neurons, design),
            role="memory",
            zero_leakage=together,
        ),
        UnitRow("output_stage", zero_area=INSIDE, zero_leakage=together),
    )
