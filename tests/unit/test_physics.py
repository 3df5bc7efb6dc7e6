"""Scaling laws reproduce their published points, cite themselves and refuse what they do not cover."""

from __future__ import annotations

import pint
import pytest

from hwsim.constants import Kind, Law, Sourced, chosen, parse_constants
from hwsim.errors import ConstantError
from hwsim.physics import (
    add_energy_at_width,
    interpolate_energy_loglog,
    multiply_energy_at_width,
    physical_constants,
    scale_area,
    scale_delay,
    scale_energy_constant_field,
    sram_access_energy,
)
from hwsim.units import parse

_VALUES = {
    "add_int8_j": "0.03 pJ", "add_int32_j": "0.1 pJ", "mul_int8_j": "0.2 pJ", "mul_int32_j": "3.1 pJ",
    "add_int8_7nm_j": "0.007 pJ", "sram_8kib_j": "10 pJ", "sram_32kib_j": "20 pJ", "sram_1mib_j": "100 pJ",
    "core_m2": "12.25 mm^2", "gate_s": "20 ps", "old_node_m": "45 nm", "new_node_m": "28 nm",
    "supply_v": "0.9 V", "wire_j_per_bit": "1 pJ/bit",
}
_TABLE = "\n".join(f'[constants.{name}]\nvalue = "{value}"\nsource = "t"\nwhere = "w"\nkind = "reported"'
                   for name, value in _VALUES.items())
TABLE = parse_constants(
    _TABLE + '\n[sources.t]\ntitle = "T"\nauthors = "A"\nvenue = "V"\nyear = 2014', "t.toml", "table")
SRAM = [(32 * 1024, TABLE.sram_32kib_j), (8 * 1024, TABLE.sram_8kib_j), (2**20, TABLE.sram_1mib_j)]
NODES = [(45e-9, TABLE.add_int8_j), (7e-9, TABLE.add_int8_7nm_j)]


@pytest.mark.parametrize(("name", "pint_name"), [
    ("boltzmann_j_per_k", "boltzmann_constant"), ("elementary_charge_c", "elementary_charge"),
    ("planck_j_per_hz", "planck_constant"),
])
def test_physical_constants_equal_those_of_pint(name: str, pint_name: str) -> None:
    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    expected = registry(pint_name).to_base_units().magnitude
    assert physical_constants()[name].value == pytest.approx(expected, rel=1e-14, abs=0)


def test_electronvolt_of_the_unit_table_is_the_elementary_charge_times_a_volt() -> None:
    volt = chosen(1.0, "v", "volt")
    energy = physical_constants().elementary_charge_c * volt
    assert energy.in_unit_of("j") == parse("1 eV")[0]


def test_every_law_cites_a_publication_or_says_whose_choice_it_is() -> None:
    laws = [record for record in physical_constants().records.values() if isinstance(record, Law)]
    assert {law.key.removeprefix("physics.") for law in laws} == {
        "scale_energy_constant_field", "scale_area", "scale_delay", "interpolate_energy_loglog",
        "sram_access_energy", "sram_access_energy_extrapolated", "add_energy_at_width",
        "multiply_energy_at_width",
    }
    for law in laws:
        assert law.source.doi or law.source.key == "hwsim"
        assert law.kind in (Kind.DERIVED, Kind.ASSUMED)


def test_energy_scales_with_length_and_voltage_squared() -> None:
    scaled = scale_energy_constant_field(TABLE.add_int8_j, 45e-9, 28e-9, 0.9, 0.6)
    assert scaled.value == pytest.approx(3e-14 * 28 / 45 * (0.6 / 0.9) ** 2, rel=1e-14, abs=0)
    assert scaled.dimension == TABLE.add_int8_j.dimension
    assert scaled.kind is Kind.DERIVED
    assert scaled.uses == ("physics.scale_energy_constant_field", "table.add_int8_j")
    assert scaled.formula == (
        "physics.scale_energy_constant_field(energy=table.add_int8_j, from_node_m=4.5e-08, "
        "to_node_m=2.8e-08, from_supply_v=0.9, to_supply_v=0.6)"
    )


def test_supplies_that_follow_the_length_give_the_cubic_law() -> None:
    halved = scale_energy_constant_field(TABLE.mul_int8_j, 90e-9, 45e-9, 1.2, 0.6)
    assert halved.value == pytest.approx(TABLE.mul_int8_j.value / 8, rel=1e-14, abs=0)


def test_sourced_nodes_and_supplies_join_the_evidence() -> None:
    nodes = (TABLE.old_node_m, TABLE.new_node_m)
    scaled = scale_energy_constant_field(TABLE.wire_j_per_bit, *nodes, TABLE.supply_v, 0.9)
    assert set(scaled.uses) >= {"table.old_node_m", "table.new_node_m", "table.supply_v"}
    assert scaled.in_unit_of("j_per_bit") == pytest.approx(1e-12 * 28 / 45, abs=0)


def test_area_and_delay_scale_with_length() -> None:
    assert scale_area(TABLE.core_m2, 65e-9, 32.5e-9).value == pytest.approx(12.25e-6 / 4, rel=1e-14, abs=0)
    assert scale_delay(TABLE.gate_s, 65e-9, 32.5e-9).value == pytest.approx(1e-11, rel=1e-14, abs=0)
    assert scale_area(TABLE.core_m2, 65e-9, 32.5e-9).uses == ("physics.scale_area", "table.core_m2")


def test_nothing_changes_on_the_same_node() -> None:
    assert scale_energy_constant_field(TABLE.add_int8_j, 45e-9, 45e-9, 0.9, 0.9) is TABLE.add_int8_j
    assert scale_area(TABLE.core_m2, 65e-9, 65e-9) is TABLE.core_m2
    assert scale_delay(TABLE.gate_s, 65e-9, 65e-9) is TABLE.gate_s
    assert add_energy_at_width(TABLE.add_int8_j, 8, 8) is TABLE.add_int8_j
    assert multiply_energy_at_width(TABLE.mul_int8_j, 8, 8) is TABLE.mul_int8_j


@pytest.mark.parametrize("arguments", [
    (TABLE.gate_s, 45e-9, 28e-9, 0.9, 0.9), (TABLE.add_int8_j, 0.0, 28e-9, 0.9, 0.9),
    (TABLE.add_int8_j, 45e-9, -28e-9, 0.9, 0.9), (TABLE.add_int8_j, 45e-9, 28e-9, 0.0, 0.9),
    (TABLE.add_int8_j, 45e-9, 28e-9, 0.9, float("nan")), (TABLE.add_int8_j, 45e-9, TABLE.supply_v, 0.9, 0.9),
    (TABLE.add_int8_j, 45e-9, 28e-9, 0.9, TABLE.old_node_m), (TABLE.add_int8_j, 45e-9, 1e300, 1e-9, 1e300),
])
def test_scaling_refuses_wrong_dimensions_and_signs(arguments: tuple[Sourced, float, float, float, float],
                                                    ) -> None:
    with pytest.raises(ConstantError):
        scale_energy_constant_field(*arguments)


def test_area_and_delay_refuse_wrong_dimensions() -> None:
    with pytest.raises(ConstantError, match=r"area = table\.gate_s is in s, not in m"):
        scale_area(TABLE.gate_s, 65e-9, 45e-9)
    with pytest.raises(ConstantError, match=r"delay = table\.core_m2"):
        scale_delay(TABLE.core_m2, 65e-9, 45e-9)


def test_interpolation_between_nodes_is_exact_at_the_published_ones() -> None:
    assert interpolate_energy_loglog(45e-9, NODES) is TABLE.add_int8_j
    assert interpolate_energy_loglog(7e-9, NODES) is TABLE.add_int8_7nm_j
    middle = interpolate_energy_loglog((45e-9 * 7e-9) ** 0.5, NODES)
    assert middle.value == pytest.approx((3e-14 * 7e-15) ** 0.5, rel=1e-12, abs=0)
    assert middle.kind is Kind.DERIVED
    assert middle.uses == ("physics.interpolate_energy_loglog", "table.add_int8_7nm_j", "table.add_int8_j")
    assert "low=7e-09, low_energy=table.add_int8_7nm_j, high=4.5e-08" in middle.formula


@pytest.mark.parametrize("node_m", [5e-9, 65e-9])
def test_interpolation_between_nodes_refuses_to_extrapolate(node_m: float) -> None:
    with pytest.raises(ConstantError, match=r"outside the published range 7\.00 nm to 45\.0 nm"):
        interpolate_energy_loglog(node_m, NODES)


def test_sram_energy_is_exact_at_the_published_capacities() -> None:
    for capacity, energy in SRAM:
        assert sram_access_energy(capacity, SRAM) is energy


def test_sram_energy_between_capacities() -> None:
    assert sram_access_energy(16 * 1024, SRAM).value == pytest.approx(10e-12 * 2**0.5, rel=1e-12, abs=0)
    inside = sram_access_energy(64 * 1024, SRAM)
    assert 20e-12 < inside.value < 100e-12
    assert inside.value == pytest.approx(20e-12 * 5 ** (1 / 5), rel=1e-12, abs=0)
    assert inside.kind is Kind.DERIVED
    assert inside.uses == ("physics.sram_access_energy", "table.sram_1mib_j", "table.sram_32kib_j")


@pytest.mark.parametrize(("capacity", "value"), [
    (2 * 1024, 5e-12), (512, 2.5e-12), (32 * 2**20, 100e-12 * 5.0),
])
def test_sram_energy_outside_the_range_is_assumed(capacity: int, value: float) -> None:
    outside = sram_access_energy(capacity, SRAM)
    assert outside.value == pytest.approx(value, rel=1e-12, abs=0)
    assert outside.kind is Kind.ASSUMED
    assert outside.formula.startswith("physics.sram_access_energy_extrapolated(")


def test_sram_capacity_may_be_sourced_in_bits() -> None:
    capacity = chosen(16 * 1024 * 8, "bits", "design.buffer_bits")
    assert sram_access_energy(capacity, SRAM).value == sram_access_energy(16 * 1024, SRAM).value


@pytest.mark.parametrize(("capacity", "points"), [
    (0, SRAM), (-1, SRAM), (float("inf"), SRAM), (1024, SRAM[:1]), (1024, []), (1024, [SRAM[0], SRAM[0]]),
    (1024, [(0.0, TABLE.sram_8kib_j), SRAM[0]]), (1024, [(8.0, TABLE.wire_j_per_bit), SRAM[0]]),
    (1024, [(8.0, TABLE.gate_s), (9.0, TABLE.gate_s)]), (1024, [(8.0, TABLE.sram_8kib_j * 0), SRAM[0]]),
    (chosen(1.0, "s", "t"), SRAM), (1e308, [(1.0, TABLE.sram_8kib_j), (1.0000001, TABLE.sram_1mib_j)]),
])
def test_sram_energy_refuses_what_makes_no_line(capacity: float, points: list[tuple[float, Sourced]]) -> None:
    with pytest.raises(ConstantError):
        sram_access_energy(capacity, points)


def test_widths_scale_adders_linearly_and_multipliers_by_the_product() -> None:
    assert add_energy_at_width(TABLE.add_int32_j, 32, 16).value == pytest.approx(0.05e-12, abs=0)
    assert multiply_energy_at_width(TABLE.mul_int8_j, 8, 16).value == pytest.approx(0.8e-12, abs=0)
    assert multiply_energy_at_width(TABLE.mul_int8_j, 8, 4, 2).value == pytest.approx(0.2e-12 / 8, abs=0)
    even = multiply_energy_at_width(TABLE.mul_int8_j, 8, 4, 16)
    assert even.value == TABLE.mul_int8_j.value
    assert "physics.multiply_energy_at_width" in even.uses


def test_width_rule_meets_the_published_table_within_a_third() -> None:
    add = add_energy_at_width(TABLE.add_int8_j, 8, 32)
    multiply = multiply_energy_at_width(TABLE.mul_int8_j, 8, 32)
    assert add.value == pytest.approx(TABLE.add_int32_j.value, rel=1 / 3, abs=0)
    assert multiply.value == pytest.approx(TABLE.mul_int32_j.value, rel=1 / 3, abs=0)


@pytest.mark.parametrize("widths", [(0, 8), (8, 0), (-8, 8)])
def test_widths_are_positive(widths: tuple[int, int]) -> None:
    with pytest.raises(ConstantError):
        add_energy_at_width(TABLE.add_int8_j, *widths)
    with pytest.raises(ConstantError):
        multiply_energy_at_width(TABLE.mul_int8_j, *widths)
