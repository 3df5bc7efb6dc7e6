"""Holds the closed lists that give units a meaning: dimensions, unit symbols, prefixes, name suffixes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from operator import add, sub
from typing import Final

BASES: Final = ("kg", "m", "s", "A", "K", "b", "B", "kgCO2e")


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a number measures, as a vector of exponents.

    Bit and byte are two dimensions, so that a value keeps the unit which its name states: converting is
    `convert`'s work (1 B = 8 b), adding one to the other is an error.

    Attributes
    ----------
    exponents : tuple of int
        One exponent for each of `BASES`; all zero is a plain number.
    """

    exponents: tuple[int, ...] = (0,) * len(BASES)

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(tuple(map(add, self.exponents, other.exponents)))

    def __truediv__(self, other: Dimension) -> Dimension:
        return Dimension(tuple(map(sub, self.exponents, other.exponents)))

    def __pow__(self, power: int) -> Dimension:
        return Dimension(tuple(a * power for a in self.exponents))

    def __str__(self) -> str:
        return _dimension_text(self)

    @property
    def is_number(self) -> bool:
        """Whether this is the dimension of a plain number."""
        return not any(self.exponents)


def _dimension(**powers: int) -> Dimension:
    return Dimension(tuple(powers.get(base, 0) for base in BASES))


NUMBER: Final = Dimension()
ENERGY: Final = _dimension(kg=1, m=2, s=-2)
POWER: Final = _dimension(kg=1, m=2, s=-3)
TIME: Final = _dimension(s=1)
FREQUENCY: Final = _dimension(s=-1)
LENGTH: Final = _dimension(m=1)
AREA: Final = _dimension(m=2)
CURRENT: Final = _dimension(A=1)
VOLTAGE: Final = POWER / CURRENT
BIT: Final = _dimension(b=1)
BYTE: Final = _dimension(B=1)

_SMALL, _LARGE = "yzafpnum", "kMGTPE"
PREFIX_POWER: Final = {
    "y": -24, "z": -21, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2,
    "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}
BINARY_POWER: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40}
_DAY, _EV = Fraction(86_400), Fraction("1.602176634e-19")

# Unit -> (factor to the base units, dimension, SI prefixes it takes). A year is the Julian year, 365.25 days.
UNITS: Final[dict[str, tuple[Fraction, Dimension, str]]] = {
    "1": (Fraction(1), NUMBER, ""),
    "%": (Fraction(1, 100), NUMBER, ""),
    "count": (Fraction(1), NUMBER, ""),
    "cycle": (Fraction(1), NUMBER, ""),
    "cycles": (Fraction(1), NUMBER, ""),
    "J": (Fraction(1), ENERGY, _SMALL + _LARGE),
    "eV": (_EV, ENERGY, "umkMG"),
    "Wh": (Fraction(3600), ENERGY, "mkMGT"),
    "W": (Fraction(1), POWER, _SMALL + _LARGE),
    "s": (Fraction(1), TIME, _SMALL),
    "min": (Fraction(60), TIME, ""),
    "h": (Fraction(3600), TIME, ""),
    "day": (_DAY, TIME, ""),
    "year": (_DAY * Fraction("365.25"), TIME, ""),
    "y": (_DAY * Fraction("365.25"), TIME, ""),
    "Hz": (Fraction(1), FREQUENCY, "m" + _LARGE),
    "V": (Fraction(1), VOLTAGE, _SMALL + "kM"),
    "A": (Fraction(1), CURRENT, _SMALL + "kM"),
    "K": (Fraction(1), _dimension(K=1), "num"),
    "m": (Fraction(1), LENGTH, "afpnumck"),
    "g": (Fraction(1, 1000), _dimension(kg=1), "pnumk"),
    "C": (Fraction(1), CURRENT * TIME, _SMALL + "k"),
    "F": (Fraction(1), CURRENT * TIME / VOLTAGE, _SMALL),
    "ohm": (Fraction(1), VOLTAGE / CURRENT, "num" + "kMGT"),
    "b": (Fraction(1), BIT, _LARGE),
    "bit": (Fraction(1), BIT, _LARGE),
    "bits": (Fraction(1), BIT, ""),
    "B": (Fraction(1), BYTE, _LARGE),
    "byte": (Fraction(1), BYTE, ""),
    "bytes": (Fraction(1), BYTE, ""),
    "gCO2e": (Fraction(1, 1000), _dimension(kgCO2e=1), "pnumk"),
}

# Last word of a name -> canonical unit. Compositions X_per_Y follow; those in WHOLE_SUFFIXES are integers.
SUFFIX_UNITS: Final = {
    "j": "J", "w": "W", "s": "s", "hz": "Hz", "v": "V", "a": "A", "k": "K", "m": "m", "m2": "m^2",
    "c": "C", "f": "F", "ohm": "ohm", "kg": "kg", "kgco2e": "kgCO2e",
    "ratio": "1", "cycles": "1", "bits": "b", "bytes": "B", "count": "1",
}
DENOMINATOR_UNITS: Final = {**SUFFIX_UNITS, "cycle": "1", "bit": "b", "byte": "B"}
WHOLE_SUFFIXES: Final = frozenset({"cycles", "bits", "bytes", "count"})

_NAMED: Final = {
    "1": NUMBER, "J": ENERGY, "W": POWER, "s": TIME, "Hz": FREQUENCY, "V": VOLTAGE, "A": CURRENT, "m": LENGTH,
    "m^2": AREA, **{unit: UNITS[unit][1] for unit in ("K", "C", "F", "ohm", "b", "B")},
    "kg": _dimension(kg=1), "kgCO2e": _dimension(kgCO2e=1),
}


@lru_cache(maxsize=512)
def _dimension_text(dimension: Dimension) -> str:
    """Return a short unit expression that `hwsim.units.parse` reads back as this dimension."""
    names = {named: unit for unit, named in _NAMED.items()}
    if dimension in names:
        return names[dimension]
    for unit, named in _NAMED.items():
        if named / dimension in names:
            return f"{unit}/{names[named / dimension]}"
    powers = [(base, power) for base, power in zip(BASES, dimension.exponents, strict=True) if power]
    upper = "*".join(base if power == 1 else f"{base}^{power}" for base, power in powers if power > 0)
    lower = "".join(f"/{base}" if power == -1 else f"/{base}^{-power}" for base, power in powers if power < 0)
    return (upper or "1") + lower
