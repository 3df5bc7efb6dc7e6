"""How many dies of a wafer work, and how many fit on it; units are square metres throughout."""

from __future__ import annotations

import math

from hwsim.errors import InputError
from hwsim.sourced import Sourced, chosen


def negative_binomial_yield(defects: Sourced, area: Sourced, clustering: Sourced | int) -> Sourced:
    """Return the share of working dies, (1 + D0 A / alpha)^-alpha.

    Parameters
    ----------
    defects : Sourced
        Defects per square metre. Published densities come per cm^2 and per mm^2, a factor of 100 apart: the
        unit is read with the number, never guessed.
    area : Sourced
        Square metres of one die.
    clustering : Sourced or int
        alpha, a whole number.
    """
    return (1 + defects * area / clustering) ** -int(clustering)


def checked_yield(ratio: float) -> Sourced:
    """Return a yield that somebody chose; InputError outside of (0, 1]."""
    if not 0.0 < ratio <= 1.0:
        raise InputError(
            f"{ratio!r} is not a share of working dies", where="yield_ratio", hint="above 0, at most 1"
        )
    return chosen(ratio, "_ratio", "yield")


def dies_per_wafer(diameter_m: float, area_m2: float) -> float:
    """Return pi d (d / (4 A) - 1 / sqrt(2 A)), not rounded; InputError where not a single die fits."""
    count = math.pi * diameter_m * (diameter_m / (4 * area_m2) - 1 / math.sqrt(2 * area_m2))
    if count < 1:
        raise InputError(
            f"a die of {area_m2 * 1e6:g} mm^2 does not fit on a wafer of {diameter_m * 1e3:g} mm",
            where="die.area_m2",
        )
    return count


def wafer_area_m2(diameter_m: float) -> float:
    """Return the area of a round wafer."""
    return math.pi * diameter_m**2 / 4
