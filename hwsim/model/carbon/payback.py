"""When a chip has paid back what making it took: break-even, indifference and the activity where they meet.

All functions take arrays and broadcast. Times come back in seconds; infinity means never, 0 from the start.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.errors import InputError
from hwsim.units import parse_as

Floats = NDArray[np.float64]
NEVER = math.inf


def break_even_s(embodied: ArrayLike, power_before: ArrayLike, power_after: ArrayLike) -> Floats:
    """Return the time after which replacing a system that exists has paid back: M1 / (P0 - P1).

    Parameters
    ----------
    embodied : array
        Of the new system: joules, or kgCO2e.
    power_before, power_after : array
        Mean power of the old and the new system in watts, or kgCO2e per second.

    Returns
    -------
    float64[...]
        Seconds; infinity where the new system does not save anything. GreenChip, line 107 and after.
    """
    cost, saving = np.broadcast_arrays(embodied, np.subtract(power_before, power_after))
    return _ratio(cost, saving, saving > 0)


def indifference_s(
    embodied_one: ArrayLike, power_one: ArrayLike, embodied_other: ArrayLike, power_other: ArrayLike
) -> Floats:
    """Return the time after which the other of two new systems has cost less: (M1 - M0) / (P0 - P1).

    Returns
    -------
    float64[...]
        Seconds until their totals are equal; 0 where the other is no worse in both from the start, infinity
        where the totals never meet.
    """
    more, saving = np.broadcast_arrays(
        np.subtract(embodied_other, embodied_one), np.subtract(power_one, power_other)
    )
    meets = ((more > 0) & (saving > 0)) | ((more < 0) & (saving < 0))
    always = (more <= 0) & (saving >= 0)
    return np.where(always, 0.0, _ratio(more, saving, meets))


def crossover_activity(
    embodied_one: float,
    idle_one: float,
    slope_one: float,
    embodied_other: float,
    idle_other: float,
    slope_other: float,
    service_life_s: float,
) -> float | None:
    """Return the activity at which two systems have cost the same at the end of their service life.

    Power is idle + activity x slope. The activity solves P0(a) - P1(a) = (M1 - M0) / L; None where it
    lies outside of [0, 1] or the powers are parallel.
    """
    if not service_life_s > 0:
        raise InputError(f"{service_life_s!r} s is not a service life", where="service_life")
    slope = slope_one - slope_other
    if slope == 0:
        return None
    found = ((embodied_other - embodied_one) / service_life_s - (idle_one - idle_other)) / slope
    return found if 0.0 <= found <= 1.0 else None


def read_duration(text: str, where: str) -> float:
    """Return seconds of ``5y``, ``400 day`` or ``90 h``; a number without unit is refused."""
    try:
        float(text)
    except ValueError:
        pass
    else:
        raise InputError(f"{text!r} has no unit", where=where, hint="write 5y, 400 day or 90 h")
    try:
        found = float(parse_as(text, "s"))
    except InputError as refusal:
        (problem,) = refusal.problems
        raise InputError(problem.reason, where=where, hint="write 5y, 400 day or 90 h") from None
    if not found > 0:
        raise InputError(f"{text!r} is not a duration", where=where, hint="write 5y, 400 day or 90 h")
    return found


def _ratio(upper: Floats, lower: Floats, where: NDArray[np.bool_]) -> Floats:
    out = np.full(upper.shape, NEVER)
    with np.errstate(over="ignore"):  # beyond the largest number is never
        np.divide(upper, lower, out=out, where=where)
    return out
