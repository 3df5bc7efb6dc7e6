"""Texts with units become SI numbers exactly, traps are refused with a way out, pint agrees on the table."""

from __future__ import annotations

from fractions import Fraction

import pint
import pytest

from hwsim.dimensions import (
    AREA,
    BASES,
    BINARY_POWER,
    BIT,
    BYTE,
    DENOMINATOR_UNITS,
    ENERGY,
    LENGTH,
    NUMBER,
    POWER,
    SUFFIX_UNITS,
    TIME,
    UNITS,
    WHOLE_SUFFIXES,
    Dimension,
)
from hwsim.errors import InputError
from hwsim.units import (
    convert,
    cycles_to_seconds,
    dimension_of,
    format_bytes,
    format_count,
    format_si,
    missing_suffix,
    parse,
    parse_as,
    parse_exact,
    seconds_to_cycles,
    suffix_of,
    unit_of,
)


@pytest.mark.parametrize(("text", "value", "unit"), [
    ("0.03 pJ", 3e-14, "J"),
    ("0.03pJ", 3e-14, "J"),
    ("3.1 pJ", 3.1e-12, "J"),
    ("1e-12 J", 1e-12, "J"),
    ("1e-12J", 1e-12, "J"),
    ("+.5e3 W", 500.0, "W"),
    ("5. V", 5.0, "V"),
    ("012 s", 12.0, "s"),
    ("-40 mV", -0.04, "V"),
    ("4.2 K", 4.2, "K"),
    ("1.2 um^2", 1.2e-12, "m^2"),
    ("1.2 \u00b5m\u00b2", 1.2e-12, "m^2"),
    ("1.2 \u03bcm^2", 1.2e-12, "m^2"),
    ("331 mm^2", 3.31e-4, "m^2"),
    ("1 cm^2", 1e-4, "m^2"),
    ("10 kA/cm^2", 1e8, "A/m^2"),
    ("7 k\u03a9", 7000.0, "ohm"),
    ("64 KiB", 65536.0, "B"),
    ("2 Mib", 2.0 * 2**20, "b"),
    ("1 GiB", 2.0**30, "B"),
    ("34 GB/s", 34e9, "B/s"),
    ("25.6 Gbit/s", 25.6e9, "b/s"),
    ("3 pJ/bit", 3e-12, "J/b"),
    ("3 pJ / bit / mm", 3e-9, "J/b/m"),
    ("700 MHz", 7e8, "Hz"),
    ("400 /s", 400.0, "Hz"),
    ("400 1/s", 400.0, "Hz"),
    ("2 s^-1", 2.0, "Hz"),
    ("2 W*s", 2.0, "J"),
    ("1 eV", 1.602176634e-19, "J"),
    ("2.5 meV", 2.5 * 1.602176634e-22, "J"),
    ("1 kWh", 3.6e6, "J"),
    ("3 min", 180.0, "s"),
    ("2 h", 7200.0, "s"),
    ("1 day", 86400.0, "s"),
    ("1 y", 31557600.0, "s"),
    ("1 year", 31557600.0, "s"),
    ("583 gCO2e/kWh", 0.583 / 3.6e6, "kgCO2e/J"),
    ("2 kgCO2e", 2.0, "kgCO2e"),
    ("2 g", 0.002, "kg"),
    ("50 %", 0.5, "1"),
    ("7", 7.0, "1"),
    ("7 count", 7.0, "1"),
    ("7 cycles", 7.0, "1"),
    ("10 fF", 1e-14, "F"),
])
def test_text_is_the_nearest_float_in_base_units(text: str, value: float, unit: str) -> None:
    got, dimension = parse(text)
    assert got == pytest.approx(value, rel=2e-16, abs=0)
    assert dimension == parse(f"1 {unit}")[1]


def test_decimal_values_do_not_drift() -> None:
    for digits in ("0.03", "0.1", "0.2", "3.1", "0.007", "1.48", "13.75"):
        for unit, power in (("pJ", -12), ("nJ", -9), ("fJ", -15), ("aJ", -18)):
            assert parse(f"{digits} {unit}")[0] == float(f"{digits}e{power}")
    assert parse_exact("0.1 pJ")[0] * 10 == Fraction(1, 10**12)


@pytest.mark.parametrize(("text", "reason", "hint"), [
    ("64 kB", "ambiguous", "KiB"),
    ("64 kB", "ambiguous", "plain number of bytes"),
    ("64 MB", "ambiguous", "MiB"),
    ("64 KB", "ambiguous", "KiB"),
    ("64 mb", "ambiguous", "Mib"),
    ("64 kbit", "ambiguous", "bits"),
    ("3 pJ/kB", "ambiguous", "KiB"),
    ("3 GB*W", "ambiguous", "GiB"),
    ("1_000 J", "not a decimal number", "separators"),
    ("1,000 J", "not a decimal number", "separators"),
    ("1.2.3 J", "not a decimal number", "point"),
    ("", "does not begin with a number", "3 pJ"),
    ("no", "does not begin with a number", ""),
    ("nan", "does not begin with a number", ""),
    ("inf J", "does not begin with a number", ""),
    ("- 5 J", "does not begin with a number", ""),
    ("\u0663 J", "does not begin with a number", ""),
    ("0x10 J", "cannot read", ""),
    ("1:30", "cannot read ':30'", ""),
    ("1 kg m", "cannot read 'kg m'", ""),
    ("5 J/", "a unit is missing", ""),
    ("5 m**2", "a unit is missing", ""),
    ("5 *m", "a unit is missing", ""),
    ("3 mhz", "unknown unit 'mhz'", "'MHz' or 'mHz'"),
    ("3 pj", "unknown unit 'pj'", "'pJ'"),
    ("3 Kg", "unknown unit 'Kg'", "'kg'"),
    ("3 kib", "unknown unit 'kib'", "'Kib'"),
    ("3 kiB", "unknown unit 'kiB'", "'KiB'"),
    ("3 um2", "unknown unit 'um2'", "um^2"),
    ("3 volts", "unknown unit 'volts'", "known units"),
    ("3 MK", "unknown unit 'MK'", "'mK'"),
    ("3 ks", "unknown unit 'ks'", ""),
    ("1e999 J", "range", ""),
    ("1e-399 J", "range", ""),
    ("1e99999999999 J", "range", ""),
    ("9" * 200 + " J", "too long", ""),
])
def test_traps_are_refused_with_a_way_out(text: str, reason: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    problem = caught.value.problems[0]
    assert reason in problem.reason
    assert hint in problem.hint


@pytest.mark.parametrize("value", [5, 5.0, None, True, b"5 J"])
def test_only_texts_are_parsed(value: object) -> None:
    with pytest.raises(InputError, match="expected a text with a unit"):
        parse(value)  # type: ignore[arg-type]


def _pint_name(symbol: str) -> str:
    """Return what pint calls a unit of ours: its `b` is the barn, its `cycle` an angle, its `y` unknown."""
    names = {"%": "percent", "b": "bit", "bits": "bit", "B": "byte", "bytes": "byte", "cycle": "count",
             "cycles": "count", "y": "year", "h": "hour", "K": "kelvin", "C": "coulomb", "F": "farad",
             "1": "dimensionless", "Wh": "watt_hour"}
    return names.get(symbol, symbol)


_PINT_PREFIX = {"y": "yocto", "z": "zepto", "a": "atto", "f": "femto", "p": "pico", "n": "nano", "u": "micro",
                "m": "milli", "c": "centi", "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta",
                "E": "exa", "": ""}
_PINT_BASES = {"[mass]": "kg", "[length]": "m", "[time]": "s", "[current]": "A", "[temperature]": "K",
               "[carbon]": "kgCO2e"}


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry[float]:
    made: pint.UnitRegistry[float] = pint.UnitRegistry()
    made.define("kgCO2e = [carbon]")
    made.define("gCO2e = 1e-3 kgCO2e")
    return made


def _check_against_pint(registry: pint.UnitRegistry[float], ours: str, theirs: str) -> None:
    exact, dimension = parse_exact(f"1 {ours}")
    quantity = registry.Quantity(1.0, theirs)
    base = quantity.to_base_units()
    bits = dict(zip(BASES, dimension.exponents, strict=True))
    factor = float(exact) * 8.0 ** bits["B"]
    assert factor == pytest.approx(base.magnitude, rel=1e-12, abs=0), ours
    measured = {_PINT_BASES[name]: power for name, power in quantity.dimensionality.items()}
    expected = {base: power for base, power in bits.items() if power and base not in ("b", "B")}
    assert measured == pytest.approx(expected), ours


@pytest.mark.parametrize("symbol", list(UNITS))
def test_pint_agrees_on_every_unit_and_prefix(registry: pint.UnitRegistry[float], symbol: str) -> None:
    for prefix in ("", *UNITS[symbol][2]):
        rate = "/s" if UNITS[symbol][1] in (BIT, BYTE) else ""
        if symbol == "gCO2e":
            factor = registry.Quantity(1.0, _PINT_PREFIX[prefix] + "gram").to("gram").magnitude
            assert float(parse_exact(f"1 {prefix}gCO2e")[0]) == pytest.approx(factor * 1e-3, rel=1e-12, abs=0)
            continue
        theirs = _PINT_PREFIX[prefix] + _pint_name(symbol) + rate
        _check_against_pint(registry, prefix + symbol + rate, theirs)


@pytest.mark.parametrize("prefix", list(BINARY_POWER))
def test_pint_agrees_on_binary_prefixes(registry: pint.UnitRegistry[float], prefix: str) -> None:
    name = {"Ki": "kibi", "Mi": "mebi", "Gi": "gibi", "Ti": "tebi"}[prefix]
    for ours, theirs in (("b", "bit"), ("bit", "bit"), ("B", "byte")):
        _check_against_pint(registry, prefix + ours, name + theirs)


@pytest.mark.parametrize(("ours", "theirs"), [
    ("pJ/bit", "picojoule/bit"), ("um^2", "micrometer**2"), ("mm^2", "millimeter**2"),
    ("cm^3", "centimeter**3"), ("nJ/b/mm", "nanojoule/bit/millimeter"),
    ("kA/cm^2", "kiloampere/centimeter**2"), ("GB/s", "gigabyte/second"), ("mW/MHz", "milliwatt/megahertz"),
    ("V^2/kohm", "volt**2/kiloohm"), ("fF*V^2", "femtofarad*volt**2"), ("J/K", "joule/kelvin"),
    ("kgCO2e/kWh", "kgCO2e/(kilowatt*hour)"), ("W/m^2", "watt/meter**2"),
    ("s^-2", "second**-2"), ("A*s/C", "ampere*second/coulomb"),
])
def test_pint_agrees_on_compositions(registry: pint.UnitRegistry[float], ours: str, theirs: str) -> None:
    _check_against_pint(registry, ours, theirs)


@pytest.mark.parametrize(("text", "suffix", "value"), [
    ("0.03 pJ", "_j", 3e-14), ("0.03 pJ", "j", 3e-14), ("2 pJ/bit", "_j_per_bit", 2e-12),
    ("16 pJ/B", "_j_per_bit", 2e-12), ("2 pJ/bit", "_j_per_byte", 16e-12), ("34 GB/s", "_bits_per_s", 272e9),
    ("34 GB/s", "_bytes_per_s", 34e9), ("5 W/mm^2", "_w_per_m2", 5e6), ("1 pJ/ns", "_j_per_s", 1e-3),
    ("400 /s", "_per_s", 400.0), ("3 kgCO2e/kWh", "_kgco2e_per_j", 3 / 3.6e6), ("1 uA", "_a", 1e-6),
    ("12.5 b", "_bits_per_cycle", 12.5), ("80 %", "_ratio", 0.8), ("1 ns", "_s", 1e-9), ("4 K", "_k", 4.0),
])
def test_value_becomes_the_unit_of_the_suffix(text: str, suffix: str, value: float) -> None:
    got = parse_as(text, suffix)
    assert isinstance(got, float)
    assert got == pytest.approx(value, rel=2e-16, abs=0)


@pytest.mark.parametrize(("text", "suffix", "value"), [
    ("8 KiB", "_bytes", 8192), ("8 KiB", "_bits", 65536), ("16 b", "_bytes", 2), ("7", "_count", 7),
    ("1e3", "_cycles", 1000), ("3 cycles", "_cycles", 3),
    ("12345678901234567890123", "_count", 12345678901234567890123),
])
def test_counts_are_exact_ints(text: str, suffix: str, value: int) -> None:
    got = parse_as(text, suffix)
    assert isinstance(got, int)
    assert got == value


@pytest.mark.parametrize(("text", "suffix", "reason"), [
    ("3 W", "_j", "does not fit the suffix _j"),
    ("3 pJ", "_j_per_bit", "does not fit"),
    ("3", "_s", "does not fit"),
    ("3 b", "_count", "does not fit"),
    ("3 b^2", "_bytes", "does not fit"),
    ("12 b", "_bytes", "not a whole number"),
    ("1.5", "_cycles", "not a whole number"),
    ("1e400", "_count", "range"),
    ("3 J", "_joule", "unknown unit suffix 'joule'"),
    ("3 J", "_j_per", "unknown unit suffix"),
    ("3 J", "_j_per_furlong", "unknown unit suffix"),
    ("3 J", "", "unknown unit suffix"),
])
def test_unit_that_does_not_fit_the_suffix_is_refused(text: str, suffix: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_as(text, suffix)
    assert reason in str(caught.value)


def test_unknown_suffix_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'ratio'"):
        unit_of("ratios")


@pytest.mark.parametrize(("name", "suffix"), [
    ("add_int8_j", "j"), ("leak_w", "w"), ("period_s", "s"), ("clock_hz", "hz"), ("supply_v", "v"),
    ("read_a", "a"), ("bath_k", "k"), ("pitch_m", "m"), ("core_m2", "m2"), ("yield_ratio", "ratio"),
    ("hop_cycles", "cycles"), ("word_bits", "bits"), ("buffer_bytes", "bytes"), ("lanes_count", "count"),
    ("gate_f", "f"), ("wire_ohm", "ohm"), ("pulse_c", "c"), ("die_kg", "kg"), ("die_kgco2e", "kgco2e"),
    ("dram_j_per_bit", "j_per_bit"), ("wire_j_per_bit_per_m", "j_per_bit_per_m"),
    ("bus_bits_per_s", "bits_per_s"), ("bus_bits_per_cycle", "bits_per_cycle"), ("frames_per_s", "per_s"),
    ("ops_per_j", "per_j"), ("fab_kgco2e_per_m2", "kgco2e_per_m2"), ("j_per_bit", "j_per_bit"),
    ("rows", None), ("energy_pj", None), ("time_ns", None), ("s", None), ("", None), ("_", None),
    ("area_mm2", None), ("size_kb", None), ("bits_per_pixel", None),
])
def test_suffix_is_read_off_the_name(name: str, suffix: str | None) -> None:
    assert suffix_of(name) == suffix
    assert missing_suffix(name) is (suffix is None)


def test_every_suffix_has_a_unit_that_parses() -> None:
    for suffix, unit in SUFFIX_UNITS.items():
        assert suffix_of(f"name_{suffix}") == suffix
        assert parse(f"1 {unit}") == (1.0, dimension_of(suffix))
        for other, per in DENOMINATOR_UNITS.items():
            composed = f"{suffix}_per_{other}"
            assert suffix_of(f"name_{composed}") == composed
            assert dimension_of(composed) == dimension_of(suffix) / parse(f"1 {per}")[1]
    assert set(SUFFIX_UNITS) >= WHOLE_SUFFIXES


def test_dimensions_say_what_they_are() -> None:
    plain = (ENERGY, POWER, AREA, LENGTH, TIME, NUMBER, BIT, BYTE)
    assert [str(dimension) for dimension in plain] == ["J", "W", "m^2", "m", "s", "1", "b", "B"]
    assert [str(d) for d in (ENERGY / BIT, POWER / AREA, BYTE / TIME)] == ["J/b", "W/m^2", "B/s"]
    assert str(ENERGY**2) == "kg^2*m^4/s^4"
    assert str(NUMBER / AREA**2) == "1/m^4"
    assert NUMBER.is_number
    assert not ENERGY.is_number


def test_bits_and_bytes_convert_by_eight() -> None:
    assert convert(BYTE, BIT) == 8
    assert convert(BIT, BYTE) == Fraction(1, 8)
    assert convert(ENERGY / BIT, ENERGY / BYTE) == 8
    assert convert(ENERGY, ENERGY / BIT) is None
    assert convert(BIT, BYTE**2) is None
    assert convert(BIT, TIME) is None


@pytest.mark.parametrize(("value", "unit", "digits", "shown"), [
    (1.23456e-3, "J", 3, "1.23 mJ"),
    (3e-14, "J", 2, "30 fJ"),
    (0.9996, "J", 3, "1.00 J"),
    (999.6e-3, "J", 4, "999.6 mJ"),
    (0.0, "J", 3, "0 J"),
    (-2e-6, "J", 3, "-2.00 \u00b5J"),
    (7e8, "Hz", 3, "700 MHz"),
    (3.31e-4, "m^2", 3, "331 mm^2"),
    (1.2e-12, "m^2", 2, "1.2 \u00b5m^2"),
    (3e-12, "J/b", 3, "3.00 pJ/b"),
    (34e9, "B/s", 3, "34.0 GB/s"),
    (65536.0, "B", 5, "65536 B"),
    (0.0012, "kg", 3, "1.20 g"),
    (12.5, "kgCO2e", 3, "12.5 kgCO2e"),
    (1.5e5, "s", 2, "150000 s"),
    (4.2, "K", 2, "4.2 K"),
    (1e-30, "J", 3, "1.00e-30 J"),
    (1e-7, "W/m^2", 3, "100 nW/m^2"),
    (0.5, "1", 2, "0.50"),
    (0.0, "1", 2, "0"),
    (5e3, "/s", 1, "5000 /s"),
    (1e3, "pJ", 2, "1000 pJ"),
    (float("inf"), "J", 3, "inf J"),
])
def test_values_have_engineering_prefixes(value: float, unit: str, digits: int, shown: str) -> None:
    assert format_si(value, unit, digits) == shown


@pytest.mark.parametrize(("size", "shown"), [
    (0, "0 B"), (1, "1 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (262144, "256 KiB"),
    (1023.99 * 1024, "1 MiB"), (1000 * 1024, "1000 KiB"), (24 * 2**20, "24 MiB"), (5 * 2**40, "5 TiB"),
    (2**60, "1048576 TiB"),
])
def test_bytes_are_written_with_binary_prefixes(size: float, shown: str) -> None:
    assert format_bytes(size) == shown


def test_counts_are_grouped_by_thin_spaces() -> None:
    assert format_count(4089184256) == "4\u202f089\u202f184\u202f256"
    assert format_count(-1234, ",") == "-1,234"
    assert format_count(10**30).count("\u202f") == 10


@pytest.mark.parametrize(("time_s", "clock_hz", "cycles"), [
    (0.0, 1e9, 0), (13.75e-9, 800e6, 11), (3 * 13.75e-9, 800e6, 33), (13.76e-9, 800e6, 12), (1e-9, 1e9, 1),
    (1.0000001e-9, 1e9, 2), (1e-30, 1.0, 1), (0.1 + 0.2, 10.0, 3), (1 / 3, 3.0, 1), (7.8e-6, 1.6e9, 12480),
])
def test_time_is_rounded_up_to_cycles(time_s: float, clock_hz: float, cycles: int) -> None:
    assert seconds_to_cycles(time_s, clock_hz) == cycles


@pytest.mark.parametrize(("time_s", "clock_hz"), [
    (-1e-9, 1e9), (float("nan"), 1e9), (float("inf"), 1e9),
    (1.0, 0.0), (1.0, -5.0), (1.0, float("nan")), (1.0, float("inf")),
])
def test_impossible_times_and_clocks_are_refused(time_s: float, clock_hz: float) -> None:
    with pytest.raises(InputError):
        seconds_to_cycles(time_s, clock_hz)


def test_cycles_become_seconds() -> None:
    assert cycles_to_seconds(700_000_000, 7e8) == 1.0
    assert cycles_to_seconds(11, 800e6) == 13.75e-9
    with pytest.raises(InputError):
        cycles_to_seconds(1, 0.0)


def test_dimension_is_a_value() -> None:
    assert Dimension() == NUMBER
    assert hash(ENERGY / TIME) == hash(POWER)
    assert ENERGY / TIME == POWER
