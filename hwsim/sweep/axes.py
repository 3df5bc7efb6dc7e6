"""One knob of a space: the values it takes, typed by the chip's design, and how samples are drawn from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.sweep.axis_words import MOST_VALUES, check_axis
from hwsim.sweep.expressions import Column, Expression, Kind, parse_expression
from hwsim.sweep.knobs import Knob, distinct
from hwsim.units import parse_as, suffix_of

Pick = NDArray[Any]


@dataclass(frozen=True)
class Axis:
    """The values of one knob.

    Attributes
    ----------
    knob : Knob
        Which field.
    values : tuple
        The choices in order; empty for a range without a number of points, from which samples are drawn.
    low, high : float
        Ends of such a range.
    logarithmic : bool
        Whether samples and points grow by equal ratios.

    Notes
    -----
    Candidates are arrays of places among `values`, or of values of a range: see `values_of`.
    """

    knob: Knob
    values: tuple[Any, ...]
    low: float = 0.0
    high: float = 0.0
    logarithmic: bool = False

    @cached_property
    def places(self) -> Mapping[Any, int]:
        """Where each of `values` stands."""
        return {value: place for place, value in enumerate(self.values)}

    @cached_property
    def _column(self) -> Column:
        return _as_column(self.knob, self.values)

    @property
    def length(self) -> int | None:
        """Number of values; None for a range that cannot be counted."""
        if self.values:
            return len(self.values)
        return int(self.high) - int(self.low) + 1 if self.knob.whole else None

    def values_of(self, picks: Pick) -> list[Any]:
        """Return the values that candidates stand for."""
        if self.values:
            return [self.values[place] for place in picks.tolist()]
        return list(picks.tolist())

    def column_of(self, picks: Pick) -> Column:
        """Return the values that candidates stand for as expressions see them."""
        return self._column[picks] if self.values else np.asarray(picks, float)

    def drawn(self, shares: NDArray[np.float64]) -> Pick:
        """Return one candidate per number in [0, 1): equal shares belong to equal parts of the axis."""
        if self.values:
            return np.minimum((shares * len(self.values)).astype(np.int64), len(self.values) - 1)
        if self.knob.whole:
            return self._whole(shares)
        if self.logarithmic:
            low, high = math.log(self.low), math.log(self.high)
            return np.asarray(np.clip(np.exp(low + shares * (high - low)), self.low, self.high))
        return self.low + shares * (self.high - self.low)

    def _whole(self, shares: NDArray[np.float64]) -> Pick:
        if self.logarithmic:
            low, high = math.log(self.low), math.log(self.high + 1)
            found = np.floor(np.exp(low + shares * (high - low)))
        else:
            found = np.floor(self.low + shares * (self.high - self.low + 1))
        inside = np.clip(found, self.low, self.high)
        if self.high <= 2**53:
            return inside.astype(np.int64)
        return np.array([min(max(int(value), self.low), self.high) for value in inside], dtype=object)


def _as_column(knob: Knob, values: Sequence[Any]) -> Column:
    """Return values as expressions see them; what is neither number, text nor truth value as JSON text."""
    if knob.kind is Kind.NUMBER:
        return np.asarray(values, dtype=float)
    if knob.kind is Kind.TRUTH:
        return np.asarray(values, dtype=bool)
    return np.asarray([value if isinstance(value, str) else json.dumps(value) for value in values])


@dataclass(frozen=True, slots=True)
class Dependent:
    """A knob that follows from others.

    Attributes
    ----------
    knob : Knob
        Which field.
    expression : Expression
        Its value.
    """

    knob: Knob
    expression: Expression


def read_axis(knob: Knob, given: object, *, together: bool = False) -> Axis | Dependent:
    """Read the values of a knob as a space gives them.

    Parameters
    ----------
    knob : Knob
        Which field.
    given : object
        One value, a list of values, "all" for every choice, or a mapping of `RANGE_WORDS`.
    together : bool
        Whether values belong to those of other knobs at the same place (zip): repeated ones then count.

    Raises
    ------
    InputError
        Every value outside the knob's type or range, an empty list, a mapping that says too little or too
        much.
    """
    check_axis(given)
    if isinstance(given, Mapping) and "equal" in given:
        return Dependent(knob, parse_expression(given["equal"]))
    if isinstance(given, Mapping) and "from" in given and not {"step", "points", "ratio"} & given.keys():
        return Axis(knob, (), *_ends(knob, given), given.get("scale") == "log")
    values = knob.values(_given_values(knob, given))
    return Axis(knob, tuple(values) if together else distinct(values))


def _given_values(knob: Knob, given: Any) -> Sequence[Any]:
    if isinstance(given, Mapping):
        if "values" in given:
            return _given_values(knob, given["values"])
        if "powers_of_two" in given:
            return _powers(*(int(end) for end in given["powers_of_two"]))
        return _range(knob, given)
    if isinstance(given, str) and given == "all" and knob.choices and "all" not in knob.choices:
        return knob.choices
    return given if isinstance(given, list | tuple) else [given]


def _ends(knob: Knob, given: Mapping[str, Any]) -> tuple[Any, Any]:
    if knob.kind is not Kind.NUMBER:
        hint = f"give a list of {knob.choices}" if knob.choices else "give a list"
        raise InputError(f"is {knob.kind}, which has no range", hint=hint)
    low, high = knob.values([given["from"], given["to"]])
    if not low < high:
        raise InputError(f"the range from {low} to {high} is empty", hint="`from` must be below `to`")
    if given.get("scale") == "log" and low <= 0:
        raise InputError(f"a logarithmic range cannot begin at {low}")
    return low, high


def _range(knob: Knob, given: Mapping[str, Any]) -> Sequence[Any]:
    if "ratio" in given and knob.kind is Kind.NUMBER and knob.value(given["from"]) == knob.value(given["to"]):
        return [knob.value(given["from"])]
    low, high = _ends(knob, given)
    if "points" in given:
        return _spread(knob, low, high, int(given["points"]), given.get("scale") == "log")
    return _stepped(knob, low, high, given["step"]) if "step" in given else _multiplied(low, high, given)


def _spread(knob: Knob, low: float, high: float, points: int, logarithmic: bool) -> list[Any]:
    found = np.geomspace(low, high, points) if logarithmic else np.linspace(low, high, points)
    found[0], found[-1] = low, high
    return [int(value) for value in np.rint(found)] if knob.whole else list(found.tolist())


def _stepped(knob: Knob, low: float, high: float, given: object) -> Sequence[Any]:
    step = parse_as(given, suffix_of(knob.name) or "count") if isinstance(given, str) else given
    if not isinstance(step, int | float) or not 0 < step < math.inf:
        raise InputError(f"`step` is a number above zero, got {given!r}")
    if knob.whole and step != int(step):
        raise InputError(f"`step` {step} is no whole number")
    steps = (high - low) / step * (1 + 1e-12)
    if steps >= MOST_VALUES:
        raise InputError(f"{steps:,.0f} values are more than {MOST_VALUES:,}", hint="take larger steps")
    if knob.whole:
        return range(int(low), int(high) + 1, int(step))
    return list((low + np.arange(math.floor(steps) + 1) * float(step)).tolist())


def _multiplied(low: float, high: float, given: Mapping[str, Any]) -> list[float]:
    ratio, value, found = float(given["ratio"]), float(low), []
    if not low > 0:
        raise InputError(f"a range of equal ratios cannot begin at {low}")
    if math.log(high / low) / math.log(ratio) >= MOST_VALUES:
        raise InputError(f"the ratio {ratio} makes more than {MOST_VALUES:,} values", hint="take more")
    while value <= high * (1 + 1e-12):
        found.append(value)
        value *= ratio
    return found


def _powers(low: int, high: int) -> list[int]:
    if low > high:
        raise InputError(f"`powers_of_two` from {low} to {high} is empty", hint="the first power comes first")
    if any(end & (end - 1) for end in (low, high)):
        raise InputError(f"{[low, high]} are not both powers of two")
    return [2**power for power in range(low.bit_length() - 1, high.bit_length())]
