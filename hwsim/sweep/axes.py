"""One knob of a space: the values it takes, typed by the chip's design, and how samples are drawn from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import EnumType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hwsim.errors import InputError, nearest
from hwsim.model.types import Design
from hwsim.sweep.expressions import Expression, Kind, parse_expression
from hwsim.units import parse_as, suffix_of

MOST_VALUES = 10_000_000
RANGE_WORDS = ("from", "to", "step", "points", "scale", "powers_of_two", "equal", "values")


@dataclass(frozen=True, slots=True)
class Knob:
    """A field of a chip's design.

    Attributes
    ----------
    name : str
        As in the design.
    kind : Kind
        Number, text (a choice) or truth value.
    whole : bool
        Whether only whole numbers are allowed.
    adapter : TypeAdapter
        Checks a value against type and range of the field.
    choices : tuple
        All values of an enumeration or truth value; empty for numbers.
    """

    name: str
    kind: Kind
    whole: bool
    adapter: TypeAdapter[Any]
    choices: tuple[Any, ...]

    def value(self, given: object) -> Any:
        """Return `given` as the design's JSON form has it; InputError if the design refuses it."""
        suffix = suffix_of(self.name)
        if isinstance(given, str) and self.kind is Kind.NUMBER and suffix and given[:1] in "+-.0123456789":
            given = parse_as(given, suffix) if not _is_plain(given) else given
        try:
            checked = self.adapter.validate_python(given)
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            close = nearest(given, map(str, self.choices)) if self.choices and isinstance(given, str) else ""
            raise InputError(f"{message[0].lower()}{message[1:]}, got {given!r}", hint=close) from None
        return self.adapter.dump_python(checked, mode="json")


def knobs_of(design: type[Design]) -> dict[str, Knob]:
    """Return the knobs of a design by name."""
    return {name: _knob(name, field) for name, field in design.model_fields.items()}


def _knob(name: str, field: Any) -> Knob:
    kind = field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[kind, field] if field.metadata else kind)
    if kind is bool:
        return Knob(name, Kind.TRUTH, False, adapter, (False, True))
    if isinstance(kind, EnumType):
        members: Mapping[str, Any] = kind.__members__
        values = tuple(member.value for member in members.values())
        return Knob(name, Kind.TEXT, False, adapter, values)
    return Knob(name, Kind.NUMBER if kind in (int, float) else Kind.TEXT, kind is int, adapter, ())


@dataclass(frozen=True, slots=True)
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
    """

    knob: Knob
    values: tuple[Any, ...]
    low: float = 0.0
    high: float = 0.0
    logarithmic: bool = False

    def drawn(self, shares: NDArray[np.float64]) -> list[Any]:
        """Return one value per number in [0, 1): equal shares of it belong to equal parts of the axis."""
        if self.values:
            places = np.minimum((shares * len(self.values)).astype(np.int64), len(self.values) - 1)
            return [self.values[place] for place in places.tolist()]
        if self.knob.whole:
            return self._whole(shares)
        if self.logarithmic:
            low, high = math.log(self.low), math.log(self.high)
            found = np.clip(np.exp(low + shares * (high - low)), self.low, self.high)
        else:
            found = self.low + shares * (self.high - self.low)
        return [float(value) for value in found]

    def _whole(self, shares: NDArray[np.float64]) -> list[Any]:
        if self.logarithmic:
            low, high = math.log(self.low), math.log(self.high + 1)
            found = np.floor(np.exp(low + shares * (high - low)))
        else:
            found = np.floor(self.low + shares * (self.high - self.low + 1))
        return [int(value) for value in np.clip(found, self.low, self.high)]


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


def read_axis(knob: Knob, given: object) -> Axis | Dependent:
    """Read the values of a knob as a space gives them.

    Parameters
    ----------
    knob : Knob
        Which field.
    given : object
        One value, a list of values, "all" for every choice, or a mapping of `RANGE_WORDS`.

    Raises
    ------
    InputError
        A value outside the knob's type or range, an empty list, a mapping that says too little or too much.
    """
    if isinstance(given, Mapping):
        return _read_mapping(knob, given)
    if given == "all" and knob.choices and "all" not in knob.choices:
        return Axis(knob, knob.choices)
    many = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    return Axis(knob, _distinct(knob, many))


def _distinct(knob: Knob, given: Sequence[object]) -> tuple[Any, ...]:
    if not given:
        raise InputError("no values", hint="give at least one, or leave the knob out")
    found = {json.dumps(value): value for value in map(knob.value, given)}
    return tuple(found.values())


def _read_mapping(knob: Knob, given: Mapping[str, Any]) -> Axis | Dependent:
    for word in given:
        if word not in RANGE_WORDS:
            raise InputError(f"unknown word {word!r}", hint=nearest(str(word), RANGE_WORDS))
    words = set(given)
    if words == {"equal"}:
        return Dependent(knob, parse_expression(str(given["equal"])))
    if words == {"values"}:
        return read_axis(knob, list(given["values"]))
    if words == {"powers_of_two"}:
        return Axis(knob, _distinct(knob, _powers(given["powers_of_two"])))
    if not {"from", "to"} <= words or not words <= {"from", "to", "step", "points", "scale"}:
        raise InputError(
            f"a range needs `from` and `to`, got {', '.join(sorted(words))}",
            hint="as in { from = 8, to = 64, step = 8 }, { powers_of_two = [8, 64] } or "
            "{ equal = 'array_cols * 2' }",
        )
    return _read_range(knob, given)


def _read_range(knob: Knob, given: Mapping[str, Any]) -> Axis:
    if knob.kind is not Kind.NUMBER:
        raise InputError(f"is {knob.kind}, which has no range", hint=f"give a list of {knob.choices}")
    low, high, scale = knob.value(given["from"]), knob.value(given["to"]), given.get("scale", "linear")
    if scale not in ("linear", "log"):
        raise InputError(f"unknown scale {scale!r}", hint=nearest(str(scale), ("linear", "log")))
    if not low < high:
        raise InputError(f"the range from {low} to {high} is empty", hint="`from` must be below `to`")
    logarithmic = scale == "log"
    if logarithmic and low <= 0:
        raise InputError(f"a logarithmic range cannot begin at {low}")
    if "step" in given and "points" in given:
        raise InputError("both `step` and `points` are given", hint="keep one of them")
    if "points" in given:
        return Axis(knob, _distinct(knob, _spread(knob, low, high, given["points"], logarithmic)))
    if "step" in given:
        if logarithmic:
            raise InputError("a logarithmic range has no `step`", hint="give `points`")
        return Axis(knob, _distinct(knob, _stepped(knob, low, high, given["step"])))
    return Axis(knob, (), low, high, logarithmic)


def _spread(knob: Knob, low: float, high: float, points: object, logarithmic: bool) -> list[float]:
    if not isinstance(points, int) or isinstance(points, bool) or not 2 <= points <= MOST_VALUES:
        raise InputError(f"`points` is a whole number from 2 to {MOST_VALUES}, got {points!r}")
    found = np.geomspace(low, high, points) if logarithmic else np.linspace(low, high, points)
    found[0], found[-1] = low, high
    return [int(value) for value in np.rint(found)] if knob.whole else found.tolist()


def _stepped(knob: Knob, low: float, high: float, given: object) -> list[float]:
    step = parse_as(given, suffix_of(knob.name) or "count") if isinstance(given, str) else given
    if not isinstance(step, int | float) or isinstance(step, bool) or not step > 0:
        raise InputError(f"`step` is a number above zero, got {given!r}")
    if knob.whole and step != int(step):
        raise InputError(f"`step` {step} is no whole number")
    count = math.floor((high - low) / step * (1 + 1e-12)) + 1
    if count > MOST_VALUES:
        raise InputError(f"{count} values are more than {MOST_VALUES}", hint="take larger steps")
    return [low + place * step for place in range(count)]


def _powers(given: object) -> list[int]:
    ends = list(given) if isinstance(given, list | tuple) else []
    if len(ends) != 2 or not all(isinstance(end, int) and end > 0 for end in ends) or ends[0] > ends[1]:
        raise InputError(
            f"`powers_of_two` holds the first and the last power, got {given!r}",
            hint="as in { powers_of_two = [8, 256] }",
        )
    if any(end & (end - 1) for end in ends):
        raise InputError(f"{ends} are not both powers of two")
    return [2**power for power in range(ends[0].bit_length() - 1, ends[1].bit_length())]


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
