"""Turns texts such as "0.03 pJ" into SI floats and back, so that units exist only at the door."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from hwsim.dimensions import (
    BASES,
    BINARY_POWER,
    BIT,
    BYTE,
    DENOMINATOR_UNITS,
    NUMBER,
    PREFIX_POWER,
    SUFFIX_UNITS,
    UNITS,
    WHOLE_SUFFIXES,
    Dimension,
)
from hwsim.errors import InputError, nearest

_SECOND, _BIT, _BYTE = BASES.index("s"), BASES.index("b"), BASES.index("B")
THIN_SPACE: Final = "\u202f"
MICRO: Final = "\u00b5"

_NUMBER_THEN_UNIT: Final = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?)\s*(.*)", re.DOTALL
)
_FACTOR: Final = re.compile(r"(1|%|[A-Za-z][A-Za-z0-9]*)(?:\^(-?[1-9]))?")
_SPELLINGS: Final = str.maketrans({
    "\u00b5": "u", "\u03bc": "u", "\u03a9": "ohm", "\u2126": "ohm",
    "\u00b2": "^2", "\u00b3": "^3", "\u00b7": "*",
})
_MAX_LENGTH, _MAX_EXPONENT = 100, 400


def parse_exact(text: str) -> tuple[Fraction, Dimension]:
    """Read a number with a unit, without rounding.

    Parameters
    ----------
    text : str
        Decimal or exponent notation, then a unit expression of `UNITS` with ``*``, ``/`` (divides the next
        unit only) and ``^``: ``"0.03 pJ"``, ``"1.2 um^2"``, ``"64 KiB"``, ``"5 W/m^2"``, ``"400 /s"``.

    Returns
    -------
    value : Fraction
        In the base units of the dimension (J, W, s, Hz, V, A, K, m, kg, bit or byte as written, kgCO2e).
    dimension : Dimension
        What it measures.

    Raises
    ------
    InputError
        Not a number, digit separators, unknown or ambiguous unit.
    """
    if not isinstance(text, str):
        raise InputError(f"expected a text with a unit such as '3 pJ', got {text!r}")
    if len(text) > _MAX_LENGTH:
        raise InputError(f"{text[:40] + '...'!r} is too long for a number with a unit")
    shown = repr(text)
    matched = _NUMBER_THEN_UNIT.fullmatch(text.strip())
    if matched is None:
        raise InputError(f"{shown} does not begin with a number", hint="write it like '3 pJ' or '1.5e-12 J'")
    digits, exponent, unit = matched.groups()
    if unit[:1] in ("_", ",", ".", "'"):
        raise InputError(f"{shown} is not a decimal number", hint="no digit separators; '.' is the point")
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        raise InputError(f"{shown} is outside the range of a 64-bit float")
    try:
        factor, dimension = _read_unit(unit)
    except InputError as error:
        problem = error.problems[0]
        raise InputError(f"in {shown}: {problem.reason}", hint=problem.hint) from None
    return Fraction(digits) * factor, dimension


def parse(text: str) -> tuple[float, Dimension]:
    """Read a number with a unit as the nearest float in base units; see `parse_exact`.

    Examples
    --------
    >>> value, dimension = parse("0.03 pJ")
    >>> value, str(dimension)
    (3e-14, 'J')
    """
    exact, dimension = parse_exact(text)
    return _nearest_float(exact, text), dimension


def parse_as(text: str, suffix: str) -> float | int:
    """Read a number with a unit as the canonical unit of a name suffix.

    Parameters
    ----------
    text : str
        See `parse_exact`.
    suffix : str
        A key of `SUFFIX_UNITS` or a composition ``X_per_Y``, with or without the leading underscore.

    Returns
    -------
    float or int
        An int for `_cycles`, `_bits`, `_bytes` and `_count`, else the nearest float.

    Raises
    ------
    InputError
        As `parse_exact`; also a unit that does not fit the suffix, or a fraction where an int is due.

    Examples
    --------
    >>> parse_as("64 KiB", "_bytes"), parse_as("34 GB/s", "bits_per_s")
    (65536, 272000000000.0)
    """
    suffix = suffix.removeprefix("_")
    wanted = dimension_of(suffix)
    exact, dimension = parse_exact(text)
    factor = convert(dimension, wanted)
    if factor is None:
        raise InputError(f"{text!r} is in {dimension}, which does not fit the suffix _{suffix}",
                         hint=f"write it in {unit_of(suffix)} or a multiple of it")
    exact *= factor
    value = _nearest_float(exact, text)
    if suffix not in WHOLE_SUFFIXES:
        return value
    if exact.denominator != 1:
        raise InputError(f"{text!r} is not a whole number, which the suffix _{suffix} needs")
    return exact.numerator


def convert(dimension: Dimension, wanted: Dimension) -> Fraction | None:
    """Return the factor from base units of one dimension to those of another, None if they do not fit.

    The factor is 1 unless bits have to become bytes or the reverse.
    """
    if dimension == wanted:
        return Fraction(1)
    have, want = dimension.exponents, wanted.exponents
    if have[:_BIT] + have[_BYTE + 1 :] != want[:_BIT] + want[_BYTE + 1 :]:
        return None
    if have[_BIT] + have[_BYTE] != want[_BIT] + want[_BYTE]:
        return None
    return Fraction(8) ** (have[_BYTE] - want[_BYTE])


def suffix_of(name: str) -> str | None:
    """Return the unit suffix of a name without its underscore, None if it has none.

    Examples
    --------
    >>> [suffix_of(name) for name in ("add_int8_j", "wire_j_per_bit_per_m", "frames_per_s", "rows")]
    ['j', 'j_per_bit_per_m', 'per_s', None]
    """
    words = name.split("_")
    last = len(words) - 1
    at = last
    while at >= 2 and words[at - 1] == "per" and words[at] in DENOMINATOR_UNITS:
        at -= 2
    has_numerator = words[at] in SUFFIX_UNITS and (at > 0 or at < last)
    start = at if has_numerator else at + 1
    return "_".join(words[start:]) if start <= last else None


def missing_suffix(name: str) -> bool:
    """Return whether the name of a physical number fails to say its unit (for lints)."""
    return suffix_of(name) is None


@lru_cache(maxsize=256)
def unit_of(suffix: str) -> str:
    """Return the canonical unit of a suffix as text: ``"j_per_bit"`` -> ``"J/b"``."""
    words = suffix.removeprefix("_").split("_")
    numerator = [] if words[0] == "per" else words[:1]
    rest = words[len(numerator) :]
    denominators = rest[1::2]
    is_known = set(numerator) <= SUFFIX_UNITS.keys() and set(denominators) <= DENOMINATOR_UNITS.keys()
    if len(rest) % 2 or any(word != "per" for word in rest[::2]) or not is_known:
        raise InputError(f"unknown unit suffix {suffix!r}", hint=nearest(words[-1], DENOMINATOR_UNITS))
    head = SUFFIX_UNITS[numerator[0]] if numerator else "1"
    return "/".join([head] + [DENOMINATOR_UNITS[word] for word in denominators])


@lru_cache(maxsize=256)
def dimension_of(suffix: str) -> Dimension:
    """Return the dimension of a suffix; InputError if the suffix is unknown."""
    return _read_unit(unit_of(suffix))[1]


def _read_unit(text: str) -> tuple[Fraction, Dimension]:
    """Return factor and dimension of a unit expression; the empty text is the plain number."""
    factor, dimension, decimal_size = Fraction(1), NUMBER, ""
    pieces = re.split(r"([*/])", text.translate(_SPELLINGS)) if text.strip() else []
    if len(pieces) > 2 and pieces[1] == "/" and not pieces[0].strip():
        pieces[0] = "1"
    for at in range(0, len(pieces), 2):
        piece = pieces[at].strip()
        matched = _FACTOR.fullmatch(piece)
        if matched is None:
            reason = f"cannot read {piece!r} as a unit" if piece else f"a unit is missing in {text!r}"
            raise InputError(reason, hint="units are written like J, um^2, pJ/b or W/m^2")
        symbol, power = matched.group(1), int(matched.group(2) or 1)
        if at and pieces[at - 1] == "/":
            power = -power
        scale, measures, is_decimal_size = _resolve(symbol)
        factor *= scale**power
        dimension *= measures**power
        decimal_size = symbol if is_decimal_size else decimal_size
    if decimal_size and not _is_data_rate(dimension):
        raise _ambiguous(decimal_size)
    return factor, dimension


def _resolve(symbol: str) -> tuple[Fraction, Dimension, bool]:
    """Return factor, dimension and whether it is a size with a decimal prefix (kB), for one unit symbol."""
    if symbol in UNITS:
        factor, dimension, _ = UNITS[symbol]
        return factor, dimension, False
    prefix, unit = symbol[:1], symbol[1:]
    if unit in UNITS and prefix in UNITS[unit][2]:
        factor, dimension, _ = UNITS[unit]
        return factor * Fraction(10) ** PREFIX_POWER[prefix], dimension, dimension in (BIT, BYTE)
    prefix, unit = symbol[:2], symbol[2:]
    if prefix in BINARY_POWER and unit in ("b", "bit", "B"):
        factor, dimension, _ = UNITS[unit]
        return factor * 2 ** BINARY_POWER[prefix], dimension, False
    raise _unknown(symbol)


def _is_data_rate(dimension: Dimension) -> bool:
    """Whether this is data per second (per length or area): there a decimal prefix is never read as 1024."""
    exponents = dimension.exponents
    return exponents[0] == 0 and exponents[_SECOND] == -1 and exponents[_BIT] + exponents[_BYTE] == 1


def _ambiguous(symbol: str) -> InputError:
    prefix, unit = symbol[0].upper(), symbol[1:]
    plain = "bytes" if unit == "B" else "bits"
    return InputError(f"{symbol!r} is ambiguous (1000 or 1024)",
                      hint=f"write {prefix}i{unit}, or the plain number of {plain}")


def _unknown(symbol: str) -> InputError:
    if re.fullmatch(r"[KMGT][bB]", symbol, re.IGNORECASE):
        return _ambiguous(symbol)
    reason = f"unknown unit {symbol!r}"
    if re.fullmatch(r"[A-Za-z]+[23]", symbol):
        return InputError(reason, hint=f"write {symbol[:-1]}^{symbol[-1]}")
    spellings = [prefix + unit for unit, (_, _, prefixes) in UNITS.items() for prefix in ("", *prefixes)]
    spellings += [prefix + unit for unit in ("b", "B") for prefix in BINARY_POWER]
    same = [spelling for spelling in spellings if spelling.lower() == symbol.lower()]
    if same:
        return InputError(reason, hint="did you mean " + " or ".join(repr(s) for s in sorted(same)) + "?")
    close = nearest(symbol, spellings)
    return InputError(reason, hint=close if close.startswith("did") else "known units: " + " ".join(UNITS))


def _nearest_float(exact: Fraction, text: str) -> float:
    try:
        value = float(exact)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or (exact and not value):
        raise InputError(f"{text!r} is outside the range of a 64-bit float")
    return value


def format_si(value: float, unit: str, digits: int = 3) -> str:
    """Write a value with an engineering prefix, for people.

    Parameters
    ----------
    value : float
        In `unit`.
    unit : str
        Unit expression; its first symbol takes the prefix, squared where the symbol is (``m^2`` -> ``mm^2``).
    digits : int
        Significant digits.

    Returns
    -------
    str
        Such as ``"1.23 mJ"``; `parse` reads it back.
    """
    _, dimension = _read_unit(unit)
    if not math.isfinite(value) or not value:
        return f"{value:.0f} {unit}".removesuffix(" 1")
    head = re.split(r"[*/]", unit, maxsplit=1)[0]
    rest = unit[len(head) :]
    rounded = Decimal(f"{value:.{max(digits, 1) - 1}e}")
    if head.startswith("kg") and "^" not in head:
        head, rounded = head[1:], rounded.scaleb(3)
    symbol, _, power_text = head.partition("^")
    power = int(power_text or 1)
    prefix = ""
    if power > 0 and symbol in UNITS and (UNITS[symbol][1] not in (BIT, BYTE) or _is_data_rate(dimension)):
        prefix = _engineering_prefix(rounded.adjusted() // (3 * power) * 3, UNITS[symbol][2])
    mantissa = rounded.scaleb(-PREFIX_POWER[prefix] * power)
    shown = f"{mantissa:f}" if -4 <= mantissa.adjusted() < 9 else f"{mantissa:e}"
    return f"{shown} {prefix.replace('u', MICRO)}{head}{rest}".removesuffix(" 1")


def _engineering_prefix(power_of_ten: int, allowed: str) -> str:
    """Return the prefix for a multiple of three; the largest smaller one if that unit does not take it."""
    prefixes: dict[int, str] = {PREFIX_POWER[prefix]: prefix for prefix in ("", *allowed)}
    if power_of_ten <= 0:
        return prefixes.get(power_of_ten, "")
    return prefixes[max(power for power in prefixes if power <= power_of_ten)]


def format_bytes(size_bytes: float, digits: int = 4) -> str:
    """Write a number of bytes with a binary prefix: ``262144`` -> ``"256 KiB"``."""
    step = 0
    value = float(size_bytes)
    while step < len(BINARY_POWER) and float(f"{abs(value):.{max(digits, 4)}g}") >= 1024:
        value, step = value / 1024, step + 1
    prefix = ("", *BINARY_POWER)[step]
    shown = f"{value:.{max(digits, 4)}g}" if abs(value) < 1e4 else f"{value:.0f}"
    return f"{shown} {prefix}B"


def format_count(count: int, separator: str = THIN_SPACE) -> str:
    """Write a whole number in groups of three digits."""
    return f"{count:,}".replace(",", separator)


_NOISE: Final = Fraction(1, 10**12)


def seconds_to_cycles(time_s: float, clock_hz: float) -> int:
    """Return the cycles that a time takes: the ceiling of time x clock. The only such rounding in hwsim.

    Both floats stand for their shortest decimal texts, whose product is exact (13.75 ns at 800 MHz is 11, not
    12). An excess over a whole number of at most 1e-12 of the product, and never more than half a cycle, is
    noise of earlier float arithmetic and is dropped.

    Parameters
    ----------
    time_s : float
        Seconds, finite and not negative.
    clock_hz : float
        Hertz, finite and positive.

    Returns
    -------
    int
        Cycles; at least 1 for every positive time.

    Raises
    ------
    InputError
        A negative or non-finite time, a clock that is not positive and finite.
    """
    time, clock = float(time_s), _clock(clock_hz)
    if not math.isfinite(time) or time < 0:
        raise InputError(f"a time of {time} s cannot become cycles", hint="give a finite time >= 0")
    product = Fraction(repr(time)) * clock
    whole = product.numerator // product.denominator
    is_whole = product - whole <= min(product * _NOISE, Fraction(1, 2))
    return whole if is_whole else whole + 1


def cycles_to_seconds(cycles: int, clock_hz: float) -> float:
    """Return the seconds that `cycles` take at `clock_hz`, correctly rounded."""
    return float(Fraction(int(cycles)) / _clock(clock_hz))


def _clock(clock_hz: float) -> Fraction:
    clock = float(clock_hz)
    if not math.isfinite(clock) or clock <= 0:
        raise InputError(f"a clock of {clock} Hz cannot tick", hint="give a finite clock > 0")
    return Fraction(repr(clock))
