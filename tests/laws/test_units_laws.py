"""What holds for every number: texts round-trip, dimensions form a group, formulas give their values."""

from __future__ import annotations

import ast
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hwsim.constants import Constant, Kind, Source, Sourced, maximum, minimum, parse_constants, sqrt, weakest
from hwsim.dimensions import BASES, NUMBER, SUFFIX_UNITS, UNITS, WHOLE_SUFFIXES, Dimension
from hwsim.errors import ConstantError, InputError, Problem
from hwsim.units import (
    convert,
    cycles_to_seconds,
    dimension_of,
    format_si,
    parse,
    parse_as,
    parse_exact,
    seconds_to_cycles,
    suffix_of,
)
from tests.examples import examples

floats = st.floats(min_value=1e-25, max_value=1e25).flatmap(lambda x: st.sampled_from([x, -x]))
decimals = st.decimals(min_value=Decimal("-1e12"), max_value=Decimal("1e12"), allow_nan=False, places=6)
symbols = st.sampled_from([
    prefix + unit for unit, (_, _, prefixes) in UNITS.items() for prefix in ("", *prefixes)
    if not (prefix and unit in ("b", "bit", "B"))
])
heads = st.sampled_from([
    "J", "W", "s", "Hz", "V", "A", "K", "m", "m^2", "F", "C", "ohm", "kg", "kgCO2e", "b", "B", "1",
])
tails = st.lists(st.builds(lambda sign, head: sign + head, st.sampled_from("*/"), heads), max_size=2)
units = st.builds(lambda head, rest: head + "".join(rest), heads, tails)
dimensions = st.tuples(*[st.integers(-2, 2)] * len(BASES)).map(Dimension)


@given(number=decimals, symbol=symbols)
def test_a_value_is_the_nearest_float_of_the_exact_product(number: Decimal, symbol: str) -> None:
    exact, dimension = parse_exact(f"{number} {symbol}")
    unit_factor, unit_dimension = parse_exact(f"1 {symbol}")
    assert exact == Fraction(number) * unit_factor
    assert dimension == unit_dimension
    assert parse(f"{number} {symbol}") == (float(exact), dimension)


@given(value=floats, unit=units)
def test_formatted_values_read_back(value: float, unit: str) -> None:
    factor, dimension = parse_exact(f"1 {unit}")
    got, got_dimension = parse(format_si(value, unit, digits=17))
    assert got_dimension == dimension
    assert got == pytest.approx(value * float(factor), rel=4e-16, abs=0)


@given(value=floats, unit=units, digits=st.integers(1, 9))
def test_formatting_rounds_by_at_most_half_a_digit(value: float, unit: str, digits: int) -> None:
    factor, _ = parse_exact(f"1 {unit}")
    got, _ = parse(format_si(value, unit, digits))
    assert abs(got / float(factor) - value) <= abs(value) * (0.5 * 10.0 ** (1 - digits) + 1e-15)


@given(value=st.floats(min_value=1e-24, max_value=9.9e20), unit=st.sampled_from(["J", "W"]))
def test_prefixes_leave_one_to_three_digits_before_the_point(value: float, unit: str) -> None:
    mantissa = float(format_si(value, unit, digits=6).split()[0])
    assert 1 <= mantissa < 1000


number_like = st.from_regex(r"[-+0-9.eE ]{1,8}[A-Za-z0-9%^*/ µ²_]{0,12}", fullmatch=True)


@given(text=st.text(max_size=30) | number_like)
@examples(1000)
def test_any_text_is_a_number_or_a_clear_refusal(text: str) -> None:
    reason, value = "", 0.0
    try:
        value, _ = parse(text)
    except InputError as error:
        reason = error.problems[0].reason
        value = math.nan
    assert math.isfinite(value) != bool(reason)


@given(unit=units, suffix=st.sampled_from(sorted(SUFFIX_UNITS)), number=st.integers(1, 10**6))
def test_a_suffix_takes_exactly_the_units_of_its_dimension(unit: str, suffix: str, number: int) -> None:
    exact, dimension = parse_exact(f"{number} {unit}")
    factor = convert(dimension, dimension_of(suffix))
    whole = suffix in WHOLE_SUFFIXES
    if factor is None or (whole and (exact * factor).denominator != 1):
        with pytest.raises(InputError):
            parse_as(f"{number} {unit}", suffix)
    else:
        assert parse_as(f"{number} {unit}", suffix) == (exact * factor if whole else float(exact * factor))


@given(stem=st.from_regex(r"[a-z]{2,6}(_[a-z0-9]{2,5})?", fullmatch=True),
       suffix=st.sampled_from(sorted(SUFFIX_UNITS)),
       per=st.lists(st.sampled_from(sorted(SUFFIX_UNITS)), max_size=2))
def test_a_suffix_is_found_behind_every_stem(stem: str, suffix: str, per: list[str]) -> None:
    assume("per" not in stem.split("_"))
    composed = "_per_".join([suffix, *per])
    assert suffix_of(f"{stem}_{composed}") == composed


@given(one=dimensions, two=dimensions, three=dimensions, power=st.integers(-3, 3))
def test_dimensions_form_a_commutative_group(one: Dimension, two: Dimension, three: Dimension,
                                             power: int) -> None:
    assert one * two == two * one
    assert (one * two) * three == one * (two * three)
    assert one * NUMBER == one
    assert one / one == NUMBER
    assert one / two == one * two**-1
    assert (one * two) ** power == one**power * two**power


@given(one=dimensions)
def test_the_text_of_a_dimension_reads_back(one: Dimension) -> None:
    assert parse(f"1 {one}") == (1.0, one)


@given(one=dimensions, two=dimensions)
def test_conversion_is_inverse_both_ways(one: Dimension, two: Dimension) -> None:
    there, back = convert(one, two), convert(two, one)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert there * back == 1
        assert convert(one * one, two * two) == there * there


# --- time ---------------------------------------------------------------------------------------------------

clocks = st.floats(min_value=1e3, max_value=1e11)


@given(cycles=st.integers(0, 2**50), clock_hz=clocks)
def test_cycles_survive_seconds_and_back(cycles: int, clock_hz: float) -> None:
    assert seconds_to_cycles(cycles_to_seconds(cycles, clock_hz), clock_hz) == cycles


@given(time_s=st.floats(min_value=0, max_value=1e3), clock_hz=clocks)
def test_cycles_cover_the_time_and_not_one_more(time_s: float, clock_hz: float) -> None:
    cycles = seconds_to_cycles(time_s, clock_hz)
    product = Fraction(repr(time_s)) * Fraction(repr(clock_hz))
    assert product <= cycles + min(product * Fraction(1, 10**12), Fraction(1, 2))
    assert cycles - 1 < product or cycles == 0
    assert (cycles == 0) == (time_s == 0)


@given(one=st.floats(0, 1e3), two=st.floats(0, 1e3), clock_hz=clocks)
def test_more_time_is_never_fewer_cycles(one: float, two: float, clock_hz: float) -> None:
    short, long = sorted((one, two))
    assert seconds_to_cycles(short, clock_hz) <= seconds_to_cycles(long, clock_hz)


@given(parts=st.lists(st.integers(1, 10**6), min_size=1, max_size=20), clock_mhz=st.integers(1, 5000))
def test_summing_whole_cycles_as_floats_adds_no_cycle(parts: list[int], clock_mhz: int) -> None:
    clock_hz = clock_mhz * 1e6
    total_s = sum(part / clock_hz for part in parts)
    assert seconds_to_cycles(total_s, clock_hz) == sum(parts)


# --- sourced numbers ----------------------------------------------------------------------------------------

SOURCE = Source("s", "T", "A", "V", 2000)
KIND_OF = dict(zip("abcdef", Kind, strict=True))
values = st.shared(st.lists(st.floats(0.5, 8.0), min_size=len(KIND_OF), max_size=len(KIND_OF)), key="values")


def _constant(name: str, value: float, dimension: Dimension = NUMBER) -> Sourced:
    """Return a constant whose record states its value, so that a formula can be evaluated from records."""
    return Sourced(value, dimension, name, (Constant(name, repr(value), SOURCE, "w", KIND_OF[name]),))


names = st.sampled_from(sorted(KIND_OF))
constants = st.builds(lambda name, drawn: _constant(name, drawn["abcdef".index(name)]), names, values)


def _power(base: Sourced, power: int) -> Sourced:
    return base**power if abs(base.value) < 1e100 else base


def _combined(children: st.SearchStrategy[Sourced]) -> st.SearchStrategy[Sourced]:
    plain = st.integers(1, 5) | st.floats(0.5, 4.0) | st.integers(-3, -1)
    return st.one_of(
        st.builds(lambda x, y: x + y, children, children | plain),
        st.builds(lambda x, y: y - x, children, children | plain),
        st.builds(lambda x, y: x - y, children, children),
        st.builds(lambda x, y: y * x, children, children | plain),
        st.builds(lambda x, y: x * y, children, children | plain),
        st.builds(lambda x, y: x / (y * y + 1), children, children),
        st.builds(lambda x, y: y / (x * x + 1), children, plain),
        st.builds(_power, children, st.integers(0, 3)),
        st.builds(lambda x: -x, children),
        st.builds(lambda x: sqrt(maximum(x, 0)), children),
        st.builds(minimum, children, children | plain),
        st.builds(maximum, children, children | plain),
    )


expressions = st.recursive(constants, _combined, max_leaves=8)


@given(result=expressions)
@examples(500)
def test_a_formula_evaluates_to_its_value_and_uses_what_it_names(result: Sourced) -> None:
    drawn = {record.key: float(record.text) for record in result.records if isinstance(record, Constant)}
    functions = {"sqrt": math.sqrt, "min": min, "max": max}
    assert eval(result.formula, dict(functions), drawn) == result.value
    read = {node.id for node in ast.walk(ast.parse(result.formula)) if isinstance(node, ast.Name)}
    assert set(result.uses) == read - set(functions)
    assert list(result.uses) == sorted(set(result.uses))


@given(result=expressions)
def test_the_kind_is_the_weakest_that_went_in(result: Sourced) -> None:
    went_in = [KIND_OF[key] for key in result.uses]
    assert result.kind is weakest(went_in)
    assert list(Kind).index(result.kind) == max(list(Kind).index(kind) for kind in went_in)


@given(one=expressions, two=expressions)
def test_sums_and_products_commute(one: Sourced, two: Sourced) -> None:
    assume(max(abs(one.value), abs(two.value)) < 1e150)
    for left, right in ((one + two, two + one), (one * two, two * one)):
        assert left.value == right.value
        assert (left.dimension, left.kind, left.uses) == (right.dimension, right.kind, right.uses)


@given(dimension=dimensions, other=dimensions, drawn=values, power=st.integers(-3, 3))
def test_arithmetic_follows_dimensions(dimension: Dimension, other: Dimension, drawn: list[float],
                                       power: int) -> None:
    one, two = _constant("a", drawn[0], dimension), _constant("b", drawn[1], other)
    assert (one * two).dimension == dimension * other
    assert (one / two).dimension == dimension / other
    assert (one**power).dimension == dimension**power
    assert sqrt(one * one).dimension == dimension
    assert (one + one - one).dimension == dimension
    assert (one + 0).value == (0 + one).value == one.value
    if dimension != other:
        for operation in (lambda: one + two, lambda: one - two, lambda: one < two, lambda: minimum(one, two)):
            with pytest.raises(ConstantError):
                operation()


# --- files --------------------------------------------------------------------------------------------------

FILE = """[constants.add_j]
value = "0.03 pJ"
source = "s"
where = "Table 1"
kind = "assumed"
note = "n"
[constants.size_bytes]
value = "8 KiB"
source = "s"
where = "Table 1"
kind = "measured"
[laws.scale]
statement = "y = x"
source = "s"
where = "Table 2"
kind = "derived"
[sources.s]
title = "T"
authors = "A"
venue = "V"
year = 2000
doi = "10.1000/1"
"""
fragments = st.text(max_size=5) | st.sampled_from([
    "", "\n", '"', "=", "[", "]", ".", "0", "-1", "é", "\x00", "value", "kind", "[[constants]]", "true", "{}",
    "1e999", "_", "# ", "kB", "year = 1", "9" * 30,
])


@given(at=st.integers(0, len(FILE)), drop=st.integers(0, 25), insert=fragments)
@examples(1000)
def test_a_damaged_file_is_read_or_refused_with_a_place(at: int, drop: int, insert: str) -> None:
    text = FILE[:at] + insert + FILE[at + drop :]
    problems: tuple[Problem, ...] = ()
    numbers: list[Sourced] = []
    try:
        numbers = list(parse_constants(text, "chip/constants.toml", "chip").values())
    except ConstantError as error:
        problems = error.problems
    assert all(problem.where.startswith("chip/constants.toml") and problem.reason for problem in problems)
    assert all(math.isfinite(number.value) and number.uses for number in numbers)
    assert not (problems and numbers)
