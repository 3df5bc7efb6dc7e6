"""constants.toml is checked field by field; arithmetic on its numbers keeps dimension, formula, evidence."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

from hwsim.constants import (
    Constant,
    Constants,
    Kind,
    Sourced,
    UnknownConstantError,
    chosen,
    load_constants,
    maximum,
    minimum,
    parse_constants,
    sqrt,
    weakest,
)
from hwsim.dimensions import ENERGY, NUMBER, TIME
from hwsim.errors import ConstantError

GOOD = '''
[constants.add_int8_j]
value = "0.03 pJ"
source = "horowitz2014"
where = "Fig. 1.1.9, 45 nm, 0.9 V"
kind = "reported"

[constants.mul_int8_j]
value = "0.2 pJ"
source = "horowitz2014"
where = "Fig. 1.1.9, 45 nm, 0.9 V"
kind = "unconfirmed"
note = "read in a copy of the table"

[constants.dram_j_per_bit]
value = "20.3 pJ/bit"
source = "horowitz2014"
where = "Fig. 1.1.9"
kind = "measured"

[constants.buffer_bytes]
value = "8 KiB"
source = "horowitz2014"
where = "Fig. 1.1.9"
kind = "simulated"

[constants.activity_ratio]
value = "50 %"
source = "horowitz2014"
where = "nowhere"
kind = "assumed"
note = "no publication says it"

[laws.double]
statement = "y = 2 x"
source = "horowitz2014"
where = "text"
kind = "derived"

[sources.horowitz2014]
title = "Computing's energy problem"
authors = "Horowitz"
venue = "ISSCC"
year = 2014
doi = "10.1109/ISSCC.2014.6757323"
'''


@pytest.fixture
def constants() -> Constants:
    return parse_constants(GOOD, "chip/constants.toml", "chip")


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConstantError) as caught:
        parse_constants(text, "chip/constants.toml", "chip")
    return [str(problem) for problem in caught.value.problems]


def test_numbers_are_reached_by_attribute_and_by_key(constants: Constants) -> None:
    assert constants.add_int8_j is constants["add_int8_j"]
    assert constants.add_int8_j.value == 3e-14
    assert constants.dram_j_per_bit.value == 20.3e-12
    assert list(constants) == ["add_int8_j", "mul_int8_j", "dram_j_per_bit", "buffer_bytes", "activity_ratio"]
    assert len(constants) == 5
    assert "add_int8_j" in constants
    assert "add" not in constants
    assert constants.get("add") is None


def test_value_is_in_the_unit_of_its_name(constants: Constants) -> None:
    assert constants.buffer_bytes.value == 8192
    assert constants.buffer_bytes.in_unit_of("bits") == 65536
    assert constants.activity_ratio.value == 0.5
    assert int(constants.buffer_bytes) == 8192


def test_unknown_constant_names_the_nearest(constants: Constants) -> None:
    with pytest.raises(UnknownConstantError, match=r"chip: no constant 'add_int_j' \(did you mean 'add_in"):
        _ = constants.add_int_j
    with pytest.raises(KeyError):
        _ = constants["mul"]
    assert not hasattr(constants, "mul")
    with pytest.raises(ConstantError, match="did you mean 'double'"):
        constants.law("doubles")


def test_constants_cannot_be_changed(constants: Constants) -> None:
    with pytest.raises(AttributeError):
        constants.namespace = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        constants.records["x"] = constants.law("double")  # type: ignore[index]
    with pytest.raises(AttributeError):
        constants.add_int8_j.value = 1.0  # type: ignore[misc]


def test_constants_survive_copying_and_pickling(constants: Constants) -> None:
    for twin in (pickle.loads(pickle.dumps(constants)), copy.deepcopy(constants)):
        assert twin.add_int8_j == constants.add_int8_j
        assert twin.records == constants.records


def test_records_tell_where_a_number_is_from(constants: Constants) -> None:
    record = constants.records["chip.mul_int8_j"]
    assert isinstance(record, Constant)
    assert (record.text, record.unit, record.kind) == ("0.2 pJ", "J", Kind.UNCONFIRMED)
    assert record.as_row() == {
        "value": "0.2 pJ", "unit": "J", "kind": "unconfirmed", "source": "horowitz2014",
        "where": "Fig. 1.1.9, 45 nm, 0.9 V", "note": "read in a copy of the table",
        "title": "Computing's energy problem", "doi": "10.1109/ISSCC.2014.6757323",
    }
    assert str(record) == (
        'chip.mul_int8_j = 0.2 pJ [unconfirmed] Horowitz, "Computing\'s energy problem", ISSCC, 2014, '
        "doi 10.1109/ISSCC.2014.6757323, Fig. 1.1.9, 45 nm, 0.9 V. read in a copy of the table"
    )
    law = constants.law("double")
    assert law is constants.records["chip.double"]
    assert str(law).startswith("chip.double: y = 2 x [derived] Horowitz")
    assert law.as_row()["value"] == "y = 2 x"


def test_without_namespace_keys_are_bare_names() -> None:
    assert parse_constants(GOOD).add_int8_j.uses == ("add_int8_j",)


# --- arithmetic ---------------------------------------------------------------------------------------------


def test_formula_and_evidence_follow_arithmetic(constants: Constants) -> None:
    mac = constants.add_int8_j * 2 + constants.mul_int8_j
    assert mac.value == 3e-14 * 2 + 2e-13
    assert mac.dimension == ENERGY
    assert mac.formula == "chip.add_int8_j * 2 + chip.mul_int8_j"
    assert mac.uses == ("chip.add_int8_j", "chip.mul_int8_j")
    assert mac.kind is Kind.UNCONFIRMED
    assert str(mac) == "260 fJ"
    assert float(mac) == mac.value


def test_parentheses_keep_the_order_of_evaluation(constants: Constants) -> None:
    a, b, c = (constants[name] for name in ("add_int8_j", "mul_int8_j", "add_int8_j"))
    x, y = "chip.add_int8_j", "chip.mul_int8_j"
    assert ((a + b) * 2).formula == f"({x} + {y}) * 2"
    assert (2 * (a + b)).formula == f"2 * ({x} + {y})"
    assert (a - (b - c)).formula == f"{x} - ({y} - {x})"
    assert (a - b - c).formula == f"{x} - {y} - {x}"
    assert (a / (b / c)).formula == f"{x} / ({y} / {x})"
    assert (a * b / c).formula == f"{x} * {y} / {x}"
    assert ((a * b) ** 2).formula == f"({x} * {y}) ** 2"
    assert (a**2 * b).formula == f"{x} ** 2 * {y}"
    assert ((a**2) ** 3).formula == f"({x} ** 2) ** 3"
    assert (-a + b).formula == f"-{x} + {y}"
    assert (b * -a).formula == f"{y} * (-{x})"
    assert (a * -2).formula == f"{x} * (-2)"
    assert (a * 0.5).formula == f"{x} * 0.5"


def test_sums_products_and_powers_of_dimensions(constants: Constants) -> None:
    time = chosen(2.0, "s", "design.period_s")
    assert (constants.add_int8_j / time).in_unit_of("w") == 1.5e-14
    assert str((constants.add_int8_j / time).dimension) == "W"
    assert (1 / time).in_unit_of("hz") == 0.5
    assert (time**-2).value == 0.25
    assert (constants.dram_j_per_bit * chosen(8, "bits", "n")).in_unit_of("j") == 20.3e-12 * 8
    assert (5 - constants.activity_ratio).value == 4.5
    assert (2 + constants.activity_ratio).value == 2.5
    assert sqrt(time * time).value == 2.0
    assert sqrt(time * time).formula == "sqrt(design.period_s * design.period_s)"
    assert sqrt(time * time).dimension == TIME


def test_python_sum_needs_no_start_value(constants: Constants) -> None:
    assert sum([constants.add_int8_j, constants.mul_int8_j]).formula == "chip.add_int8_j + chip.mul_int8_j"  # type: ignore[union-attr]


def test_numpy_scalars_on_either_side(constants: Constants) -> None:
    left = np.float64(2.0) * constants.add_int8_j
    right = constants.add_int8_j * np.int64(2)  # type: ignore[operator]
    assert isinstance(left, Sourced)
    assert left.value == right.value == 6e-14
    assert left.formula == "2.0 * chip.add_int8_j"
    assert (constants.add_int8_j ** np.int64(2)).value == 3e-14**2  # type: ignore[operator]
    assert np.array([constants.add_int8_j], dtype=float)[0] == 3e-14


def test_minimum_and_maximum_rest_on_all_candidates(constants: Constants) -> None:
    low = minimum(constants.add_int8_j, constants.mul_int8_j)
    assert low.value == 3e-14
    assert low.formula == "min(chip.add_int8_j, chip.mul_int8_j)"
    assert low.kind is Kind.UNCONFIRMED
    assert maximum(constants.add_int8_j, constants.mul_int8_j, 0).value == 2e-13


def test_comparison_looks_at_values(constants: Constants) -> None:
    one, two = constants.add_int8_j, constants.mul_int8_j
    assert one < two
    assert one <= two
    assert two > one
    assert two >= one
    assert one > 0
    assert constants.activity_ratio < 1
    assert max(one, two) is two


def test_equality_looks_at_the_derivation(constants: Constants) -> None:
    assert constants.add_int8_j == parse_constants(GOOD, "elsewhere", "chip").add_int8_j
    assert constants.add_int8_j * 1 != constants.add_int8_j
    assert hash(constants.add_int8_j * 2) == hash(constants.add_int8_j * 2)


@pytest.mark.parametrize("expression", [
    "e + r", "e - r", "r + e", "e + 1", "1 - e", "e < r", "e >= 1", "minimum(e, r)", "maximum(e, 3)", "e + n",
    "e / 0", "e / (e - e)", "(e - e) ** -1", "e ** 0.5", "e ** -100 * e ** -100", "e * 1e308 * 1e308 * 1e308",
    "e * 'x'", "e + None", "sqrt(-r)", "sqrt(e)", "sqrt(r * t)", "e.in_unit_of('w')", "int(r)",
    "e * 10 ** 400", "e * float('nan')", "e + b - e", "b + n",
])
def test_nonsense_is_refused(constants: Constants, expression: str) -> None:
    names = {
        "e": constants.add_int8_j, "r": constants.activity_ratio, "b": constants.buffer_bytes,
        "n": chosen(3.0, "bits", "n"), "t": chosen(1.0, "s", "t"),
        "minimum": minimum, "maximum": maximum, "sqrt": sqrt,
    }
    with pytest.raises(ConstantError):
        eval(expression, {}, names)


def test_kinds_are_ordered_from_measured_to_assumed() -> None:
    assert list(Kind) == ["measured", "simulated", "reported", "derived", "unconfirmed", "assumed"]
    assert weakest([Kind.REPORTED, Kind.MEASURED]) is Kind.REPORTED
    assert weakest([Kind.ASSUMED, Kind.UNCONFIRMED]) is Kind.ASSUMED
    assert weakest([]) is Kind.DERIVED


def test_a_chosen_number_has_no_evidence_and_weakens_none(constants: Constants) -> None:
    clock = chosen(7e8, "hz", "design.clock_hz")
    assert (clock.uses, clock.kind) == ((), Kind.DERIVED)
    assert (constants.dram_j_per_bit * clock).kind is Kind.MEASURED
    assert (constants.dram_j_per_bit * clock).formula == "chip.dram_j_per_bit * design.clock_hz"


def test_two_files_may_not_share_a_key(constants: Constants) -> None:
    other = parse_constants(GOOD.replace("0.03 pJ", "0.04 pJ"), "other", "chip")
    with pytest.raises(ConstantError, match="two different constants"):
        _ = constants.add_int8_j + other.add_int8_j
    assert (constants.mul_int8_j + other.mul_int8_j).uses == ("chip.mul_int8_j",)


# --- bad files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new", "expected"), [
    ('value = "0.03 pJ"', 'value = "0.03 pW"', "constants.add_int8_j.value: '0.03 pW' is in W, which"),
    ('value = "0.03 pJ"', 'value = "0.03 pj"', "constants.add_int8_j.value: in '0.03 pj': unknown unit 'pj'"),
    ('value = "0.03 pJ"', "value = 0.03", "constants.add_int8_j.value: expected a text, got 0.03"),
    ('value = "0.03 pJ"', 'value = " "', "constants.add_int8_j.value: value is empty"),
    ('value = "0.03 pJ"\n', "", "constants.add_int8_j.value: value is missing"),
    ('value = "8 KiB"', 'value = "8 kB"', "'kB' is ambiguous (1000 or 1024) (write KiB"),
    ('value = "8 KiB"', 'value = "4 b"', "'4 b' is not a whole number"),
    ('value = "8 KiB"', 'value = "1e400 b"', "outside the range"),
    ('kind = "measured"', 'kind = "mesured"', "unknown kind 'mesured' (did you mean 'measured'?)"),
    ('kind = "measured"\n', "", "constants.dram_j_per_bit.kind: kind is missing"),
    ('note = "read in a copy of the table"', "", "constants.mul_int8_j.note: a number of kind unconf"),
    ('note = "no publication says it"', "", "constants.activity_ratio.note: a number of kind assumed needs"),
    ('where = "nowhere"\n', "", "constants.activity_ratio.where: where is missing"),
    ('where = "nowhere"', 'wheer = "nowhere"', "unknown field 'wheer' (did you mean 'where'?)"),
    ("[constants.add_int8_j]\n", "[constants.add_int8]\n", "the name 'add_int8' does not end in a unit"),
    ("[constants.add_int8_j]\n", "[constants.Add_j]\n", "'Add_j' is not a lower-case name"),
    ("[laws.double]", "[laws.add_int8_j]", "'add_int8_j' is not a name of its own"),
    ("[laws.double]", "[law.double]", "unknown table 'law' (did you mean 'laws'?)"),
    ("[sources.horowitz2014]", "[sources.horowitz2015]", "'horowitz2014' (did you mean 'horowitz2015'?)"),
    ("[sources.horowitz2014]", "[sources.horowitz2015]", "horowitz2015: nothing refers to this source"),
    ("year = 2014", 'year = "2014"', "sources.horowitz2014.year: expected a year, got '2014'"),
    ("year = 2014", "", "sources.horowitz2014.year: year is missing"),
    ("year = 2014", "year = true", "expected a year, got True"),
    ("year = 2014", "year = 14", "expected a year, got 14"),
    ('doi = "10', 'doi = "doi:10', "is not a DOI"),
    ('doi = "10.1109/ISSCC.2014.6757323"', 'url = "www.x.org"', "'www.x.org' is not a web address"),
    ('authors = "Horowitz"', "authors = [1]", "sources.horowitz2014.authors: expected a text, got [1]"),
    ('venue = "ISSCC"', 'venu = "ISSCC"', "unknown field 'venu' (did you mean 'venue'?)"),
])
def test_each_fault_is_named_with_its_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = problems_of(GOOD.replace(old, new, 1))
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("chip/constants.toml:") for problem in found)


def test_all_faults_are_reported_at_once() -> None:
    text = GOOD.replace("0.03 pJ", "0.03 pW").replace('"measured"', '"mesured"').replace("venue", "venu")
    assert len(problems_of(text)) == 4


@pytest.mark.parametrize(("text", "expected"), [
    ("constants = 3", "constants: expected tables [constants.NAME], got 3"),
    ("[constants]\nx_j = 3", "constants.x_j: expected a table [constants.x_j], got 3"),
    ("[constants.x_j]", "constants.x_j.source: source is missing"),
    ("sources = []", "sources: expected tables"),
    ("laws = 1", "laws: expected tables"),
    ("[laws.a]\n[constants.x_j]", "laws.a.statement: statement is missing"),
])
def test_wrong_shapes_are_reported(text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems_of(text))


@pytest.mark.parametrize(("text", "expected"), [
    ('[a]\nx = 1\nx = 2\n', "chip/constants.toml:3: 'x = 2' defines a key or table a second time"),
    ("[a]\nx = 1\n[a]\n", "chip/constants.toml:3: '[a]' defines a key or table a second time"),
    ("[a\n", "chip/constants.toml:1: is not valid TOML"),
    ("x = ", "not valid TOML"),
    ("x = " + "[" * 5000, "not valid TOML: nested too deeply"),
    ("x = " + "9" * 5000, "not valid TOML"),
    ("x = 2020-99-99", "not valid TOML"),
])
def test_invalid_toml_is_reported_with_its_line(text: str, expected: str) -> None:
    assert expected in problems_of(text)[0]


def test_empty_file_has_no_constants() -> None:
    assert len(parse_constants("")) == 0


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    where = f"{tmp_path.name}/constants.toml"
    path = tmp_path / "constants.toml"
    with pytest.raises(ConstantError, match=f"{where}: cannot be read: No such file"):
        load_constants(path)
    with pytest.raises(ConstantError, match="cannot be read"):
        load_constants(tmp_path)
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConstantError, match=f"{where}: is not text: byte 5 is not UTF-8"):
        load_constants(path)
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load_constants(path, "chip").add_int8_j.value == 3e-14


def test_plain_numbers_have_no_dimension() -> None:
    assert chosen(3, "count", "n").dimension == NUMBER
