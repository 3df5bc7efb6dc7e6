"""Knobs of a chip's design, and how values that a user gives are checked against their type and range."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import EnumType
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from hwsim.errors import InputError, Problem, nearest
from hwsim.model.types import Design
from hwsim.sweep.expressions import Kind
from hwsim.units import parse_as, suffix_of

_CHECKED_TOGETHER = 1 << 16
_MOST_TOLD = 8


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
        Checks a list of values against type and range of the field.
    choices : tuple
        All values of an enumeration or truth value; empty for numbers.
    """

    name: str
    kind: Kind
    whole: bool
    adapter: TypeAdapter[list[Any]]
    choices: tuple[Any, ...]

    def value(self, given: object) -> Any:
        """Return `given` as the design's JSON form has it; InputError if the design refuses it."""
        return self.values([given])[0]

    def values(self, given: Sequence[object]) -> list[Any]:
        """Return all of `given` as `value` does; InputError with every one that the design refuses."""
        found: list[Any] = []
        for start in range(0, len(given), _CHECKED_TOGETHER):
            found += self._checked(given[start : start + _CHECKED_TOGETHER])
        return found

    def _checked(self, given: Sequence[object]) -> list[Any]:
        problems: dict[int, Problem] = {}
        plain = [self._plain(place, value, problems) for place, value in enumerate(given)]
        try:
            checked = self.adapter.validate_python(plain)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                place = int(item["loc"][0])
                problems.setdefault(place, self._refusal(given[place], item["msg"]))
        if problems:
            told = [problems[place] for place in sorted(problems)]
            rest = len(told) - _MOST_TOLD
            more = [Problem("", f"and {rest:,} more values that it refuses")] if rest > 0 else []
            raise InputError(problems=[*dict.fromkeys(told[:_MOST_TOLD]), *more])
        return [_frozen(value) for value in self.adapter.dump_python(checked, mode="json")]

    def _plain(self, place: int, given: object, problems: dict[int, Problem]) -> object:
        """Return a text with a unit as a number; note what cannot be read."""
        if self.kind is not Kind.NUMBER:
            return given
        if isinstance(given, bool):
            problems[place] = Problem("", f"a number is due, got {str(given).lower()}")
            return given
        suffix = suffix_of(self.name)
        if isinstance(given, str) and suffix and given[:1] in "+-.0123456789" and not _is_plain(given):
            try:
                return parse_as(given, suffix)
            except InputError as error:
                problems[place] = error.problems[0]
        return given

    def _refusal(self, given: object, message: str) -> Problem:
        close = nearest(given, map(str, self.choices)) if self.choices and isinstance(given, str) else ""
        return Problem("", f"{message[0].lower()}{message[1:]}, got {_shown(given)}", close)


def knobs_of(design: type[Design]) -> dict[str, Knob]:
    """Return the knobs of a design by name."""
    return {name: _knob(name, field) for name, field in design.model_fields.items()}


def _knob(name: str, field: Any) -> Knob:
    kind = field.annotation
    one: Any = Annotated[kind, field] if field.metadata else kind
    adapter: TypeAdapter[list[Any]] = TypeAdapter(list[one])
    if kind is bool:
        return Knob(name, Kind.TRUTH, False, adapter, (False, True))
    if isinstance(kind, EnumType):
        members: Mapping[str, Any] = kind.__members__
        values = tuple(member.value for member in members.values())
        return Knob(name, Kind.TEXT, False, adapter, values)
    return Knob(name, Kind.NUMBER if kind in (int, float) else Kind.TEXT, kind is int, adapter, ())


def distinct(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return values without repetitions, in order; what differs in JSON differs."""
    if len({type(value) for value in values}) < 2:
        return tuple(dict.fromkeys(values))
    return tuple({json.dumps(value): value for value in values}.values())


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
