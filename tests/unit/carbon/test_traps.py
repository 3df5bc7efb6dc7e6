"""Places where two published numbers look alike and are not: units, releases, dies."""

from __future__ import annotations

import pytest

from accelerators.edge_gpu import ACCELERATOR
from hwsim.errors import InputError
from hwsim.model.carbon import Die, greenchip, intensity, read_engine
from hwsim.model.carbon.tables import _table, tables_of
from hwsim.sourced import Constant, Kind, Source
from hwsim.units import parse_as

FIELDS = {"source": "s", "where": "here", "kind": "reported", "entries": {"28": 0.07}}
SOURCES = {"s": Source("s", "A title", "An Author", "a venue", 2020)}


def test_joules_per_mm2_and_kilowatt_hours_per_cm2_meet_in_one_unit() -> None:
    """45142 J/mm2 is 1.254 kWh/cm2; taken for each other they are off by 36,000."""
    entry = tables_of("greenchip")["logic_energy_j_per_m2"].entry("12").value
    assert entry == float(parse_as("45142 J/mm^2", "j_per_m2"))
    assert entry == pytest.approx(float(parse_as("1.254 kWh/cm^2", "j_per_m2")), rel=1e-4)
    with pytest.raises(InputError, match="does not fit"):
        _table("mine", "energy_j_per_m2", "1", {**FIELDS, "unit": "J"}, SOURCES)


def test_a_defect_density_is_read_with_its_unit() -> None:
    per_cm2, per_mm2 = (
        _table("mine", "defects_count_per_m2", "1", {**FIELDS, "unit": unit}, SOURCES).entry("28").value
        for unit in ("count/cm^2", "count/mm^2")
    )
    assert [per_cm2, per_mm2] == pytest.approx([700.0, 70_000.0])
    with pytest.raises(InputError, match="does not end in a unit"):
        _table("mine", "defects", "1", {**FIELDS, "unit": "count/cm^2"}, SOURCES)


def test_an_entry_carries_its_evidence_and_is_named_by_table_and_key() -> None:
    fields = {**FIELDS, "unit": "kJ/cm^2", "note": "old", "suspicious": {"28": "too large"}}
    table = _table("mine", "made_energy_j_per_m2", "v1", fields, SOURCES)
    assert (table.method, table.name, table.version) == ("mine", "made_energy_j_per_m2", "v1")
    assert table.suspicious == {"28": "too large"}
    number = table.entries["28"]
    assert number.value == pytest.approx(7e5)
    assert number.formula == "mine.made_energy_28_j_per_m2"
    (record,) = number.records
    assert record == Constant(
        "mine.made_energy_28_j_per_m2", "0.07 kJ/cm^2", SOURCES["s"], "here", Kind.REPORTED, "old"
    )
    plain = _table("mine", "yield_ratio", "v1", {**FIELDS, "unit": "1"}, SOURCES)
    (bare,) = plain.entries["28"].records
    assert (plain.entries["28"].value, plain.suspicious) == (0.07, {})
    assert isinstance(bare, Constant)
    assert (bare.text, bare.note) == ("0.07 1", "")
    assert (plain.entries["28"] + 1).value == 1.07
    with pytest.raises(InputError) as caught:
        _table("mine", "defects", "1", {**FIELDS, "unit": "count/cm^2"}, SOURCES)
    assert [(p.where, p.reason) for p in caught.value.problems] == [
        ("mine.defects", "the name does not end in a unit")
    ]


def test_three_intensities_of_taiwan_are_three_tables() -> None:
    found = {
        (table.version, name): table.entries["taiwan"].value * 3.6e9
        for method in ("act", "greenchip")
        for name, table in tables_of(method).items()
        if "taiwan" in table.entries
    }
    assert sorted(found.values()) == pytest.approx([583, 615, 642])
    assert len(found) == 3


def test_intensities_below_zero_are_refused() -> None:
    for value in (-1e-9, float("nan")):
        with pytest.raises(InputError, match="below zero"):
            intensity(value)


def test_two_authors_disagree_about_one_die() -> None:
    """Xavier: 12 nm and 350 mm2, or 10 nm and 400 mm2; 32 % apart, and the shipped scenario says so."""
    one, other = (
        greenchip.embodied(Die(node, area)).energy for node, area in (("12", 350e-6), ("10", 400e-6))
    )
    assert one is not None
    assert other is not None
    assert other.value / one.value == pytest.approx(1.32, abs=0.005)
    assert "10 nm, 400 mm2" in read_engine(ACCELERATOR.folder / "service.toml").note


def test_an_older_release_has_another_number() -> None:
    """Greenchip's earlier 20 nm entry is five times today's: a result names the release it rests on."""
    made = greenchip.embodied(Die("20", 300e-6))
    assert made.energy is not None
    assert 300 * 222453 / made.energy.value == pytest.approx(222453 / 41040)
    assert made.table_version == "Greenchip@3ea3b17"
