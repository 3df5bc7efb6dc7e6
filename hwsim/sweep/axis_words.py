"""How values of a knob are written: what can be checked before the knob is known, and the JSON Schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hwsim.errors import InputError, Problem, nearest

MOST_VALUES = 10_000_000
LEAST_RATIO = 1.0001
RANGE_WORDS = ("from", "to", "step", "points", "ratio", "scale", "powers_of_two", "equal", "values")
_EXAMPLE = (
    "as in { from = 8, to = 64, step = 8 }, { powers_of_two = [8, 64] } or { equal = 'array_cols * 2' }"
)
_SCALES = ("linear", "log")
_LARGEST = 1 << 1023

_NUMBER_OR_TEXT = {"type": ["number", "string"]}
_ENDS = {"from": _NUMBER_OR_TEXT, "to": _NUMBER_OR_TEXT}
_ONE = {"type": ["number", "string", "boolean", "array"]}
_MANY = {"type": "array", "minItems": 1, "items": _ONE}
_SCALE = {"enum": list(_SCALES)}


def _form(properties: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": {**properties, **(optional or {})},
    }


AXIS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": ["number", "string", "boolean"],
            "description": 'one value; a text may carry a unit; "all": every choice',
        },
        {**_MANY, "description": "values; each a list itself where the knob is one"},
        _form({"values": {"anyOf": [{"const": "all"}, _MANY]}}),
        _form(_ENDS, {"scale": _SCALE}),
        _form(
            {
                **_ENDS,
                "step": {
                    "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "minLength": 1}]
                },
            },
            {"scale": {"const": "linear"}},
        ),
        _form(
            {**_ENDS, "points": {"type": "integer", "minimum": 2, "maximum": MOST_VALUES}},
            {"scale": _SCALE},
        ),
        _form({**_ENDS, "ratio": {"type": "number", "minimum": LEAST_RATIO}}),
        _form(
            {
                "powers_of_two": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 1},
                    "minItems": 2,
                    "maxItems": 2,
                }
            }
        ),
        _form({"equal": {"type": "string", "minLength": 1, "description": "an expression over other knobs"}}),
    ]
}


def check_axis(given: object) -> None:
    """Raise InputError, with all that is wrong, unless `given` has the form of `AXIS_SCHEMA`."""
    problems = list(_of_mapping(given) if isinstance(given, Mapping) else _of_values(given))
    if problems:
        raise InputError(problems=problems)


def _of_values(given: object) -> list[Problem]:
    if isinstance(given, list | tuple):
        if not given:
            return [Problem("", "no values", "give at least one, or leave the knob out")]
        return [
            Problem("", f"a table among values, got {_shown(value)}", "a range stands alone")
            for value in given
            if isinstance(value, Mapping)
        ]
    return (
        [] if isinstance(given, int | float | str) else [Problem("", f"values are due, got {_shown(given)}")]
    )


def _of_mapping(given: Mapping[str, Any]) -> list[Problem]:
    problems = [
        Problem("", f"unknown word {word!r}", nearest(str(word), RANGE_WORDS))
        for word in given
        if word not in RANGE_WORDS
    ]
    if problems:
        return problems
    words = set(given)
    if words == {"equal"}:
        fits = isinstance(given["equal"], str) and given["equal"]
        return (
            [] if fits else [Problem("", f"`equal` is an expression as a text, got {_shown(given['equal'])}")]
        )
    if words == {"values"}:
        if not isinstance(given["values"], list | tuple) and given["values"] != "all":
            return [Problem("", f"`values` is a list or 'all', got {_shown(given['values'])}")]
        return _of_values(given["values"])
    if words == {"powers_of_two"}:
        return _of_powers(given["powers_of_two"])
    if not {"from", "to"} <= words or words & {"equal", "values", "powers_of_two"}:
        told = f"got {', '.join(sorted(words))}" if words else "got an empty table"
        return [Problem("", f"a range needs `from` and `to`, {told}", _EXAMPLE)]
    return _of_range(given)


def _of_powers(given: object) -> list[Problem]:
    ends = given if isinstance(given, list | tuple) else ()
    if len(ends) == 2 and all(_is_whole(end) and end >= 1 for end in ends):
        return []
    return [
        Problem(
            "",
            f"`powers_of_two` holds the first and the last power, got {_shown(given)}",
            "as in { powers_of_two = [8, 256] }",
        )
    ]


def _of_range(given: Mapping[str, Any]) -> list[Problem]:
    problems = [
        Problem("", f"`{word}` is a number, or a text with a unit, got {_shown(given[word])}")
        for word in ("from", "to")
        if not (_is_number(given[word]) or isinstance(given[word], str))
    ]
    kinds = [word for word in ("step", "points", "ratio") if word in given]
    if len(kinds) > 1:
        told = "both " if len(kinds) == 2 else ""
        problems.append(
            Problem("", f"{told}{' and '.join(f'`{k}`' for k in kinds)} are given", "keep one of them")
        )
    scale = given.get("scale", "linear")
    if scale not in _SCALES:
        problems.append(Problem("", f"unknown scale {scale!r}", nearest(str(scale), _SCALES)))
    elif "step" in given and scale == "log":
        problems.append(Problem("", "a logarithmic range has no `step`", "give `points` or `ratio`"))
    if "ratio" in given and "scale" in given:
        problems.append(Problem("", "`ratio` has no `scale`", "leave `scale` out"))
    step, points, ratio = given.get("step", 1), given.get("points", 2), given.get("ratio", 2)
    if not (0 < step < math.inf if _is_number(step) else isinstance(step, str) and step):
        problems.append(Problem("", f"`step` is a number above zero, got {_shown(step)}"))
    if not (_is_whole(points) and 2 <= points <= MOST_VALUES):
        problems.append(
            Problem("", f"`points` is a whole number from 2 to {MOST_VALUES:,}, got {_shown(points)}")
        )
    if not (_is_number(ratio) and LEAST_RATIO <= ratio < math.inf):
        problems.append(Problem("", f"`ratio` is a number of at least {LEAST_RATIO}, got {_shown(ratio)}"))
    return problems


def _is_number(value: object) -> bool:
    """Whether `value` is a number that a 64-bit float can stand for."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value) and value == int(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
