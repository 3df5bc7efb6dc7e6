"""Reads JSON into the frozen report types and writes their JSON Schema, both from the annotations."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Any, cast, get_args, get_origin, get_type_hints

from hwsim.errors import Problem, nearest

_NON_FINITE = {"inf": float("inf"), "-inf": float("-inf")}
_SHOWN = 60
_MOST = 2**200


@lru_cache(maxsize=32)
def annotations_of(cls: type) -> Mapping[str, Any]:
    """Return the resolved annotation of every field of a dataclass."""
    return get_type_hints(cls)


def decode(hint: Any, value: object, where: str, problems: list[Problem]) -> Any:
    """Turn a parsed JSON value into the annotated type.

    Parameters
    ----------
    hint : type
        int, float, str, Any, a dataclass, ``tuple[T, ...]`` or ``Mapping[str, T]``.
    value : object
        What the JSON parser returned.
    where : str
        Dotted place for problems.
    problems : list of Problem
        Everything wrong is appended; the returned value is only meaningful if nothing was.
    """
    if hint is Any:
        return value
    if is_dataclass(hint):
        return _decode_record(cast(type, hint), value, where, problems)
    origin = get_origin(hint)
    if origin is tuple:
        return _decode_list(get_args(hint)[0], value, where, problems)
    if origin is not None:
        return _decode_mapping(get_args(hint)[1], value, where, problems)
    return _decode_scalar(hint, value, where, problems)


def schema_of(hint: Any, describe: Callable[[str], str] = lambda name: "") -> dict[str, Any]:
    """Return the JSON Schema of a type that `decode` reads; `describe` explains a field by name."""
    if hint is Any:
        return {}
    if is_dataclass(hint):
        record = cast(type, hint)
        properties = {}
        for name, annotation in annotations_of(record).items():
            text = describe(name)
            properties[name] = schema_of(annotation, describe) | ({"description": text} if text else {})
        required = [f.name for f in fields(record) if f.default is MISSING and f.default_factory is MISSING]
        return {"type": "object", "properties": properties, "required": required,
                "additionalProperties": False}
    origin = get_origin(hint)
    if origin is tuple:
        return {"type": "array", "items": schema_of(get_args(hint)[0], describe)}
    if origin is not None:
        return {"type": "object", "additionalProperties": schema_of(get_args(hint)[1], describe)}
    if hint is float:
        return {"anyOf": [{"type": "number"}, {"enum": sorted(_NON_FINITE)}]}
    return {"type": {int: "integer", str: "string"}[hint]}


def _decode_record(cls: type, value: object, where: str, problems: list[Problem]) -> Any:
    if not isinstance(value, dict):
        problems.append(_mismatch(where, "an object", value))
        return None
    hints = annotations_of(cls)
    optional = {f.name for f in fields(cls) if f.default is not MISSING or f.default_factory is not MISSING}
    before = len(problems)
    for name in value.keys() - hints.keys():
        problems.append(Problem(_join(where, name), "unknown field", nearest(name, hints)))
    for name in sorted(hints.keys() - value.keys() - optional):
        problems.append(Problem(_join(where, name), "missing"))
    found = {name: decode(hint, value[name], _join(where, name), problems)
             for name, hint in hints.items() if name in value}
    return cls(**found) if len(problems) == before else None


def _decode_list(item: Any, value: object, where: str, problems: list[Problem]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        problems.append(_mismatch(where, "a list", value))
        return ()
    return tuple(decode(item, element, f"{where}[{index}]", problems) for index, element in enumerate(value))


def _decode_mapping(item: Any, value: object, where: str, problems: list[Problem]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        problems.append(_mismatch(where, "an object", value))
        return types.MappingProxyType({})
    return {name: decode(item, element, _join(where, name), problems) for name, element in value.items()}


def _decode_scalar(kind: type, value: object, where: str, problems: list[Problem]) -> Any:
    if kind is float and isinstance(value, str) and value in _NON_FINITE:
        return _NON_FINITE[value]
    if isinstance(value, int) and abs(value) >= _MOST:
        problems.append(Problem(where, "a number beyond 2**200 is no figure of a report"))
        return kind()
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    wanted = {int: "a whole number", float: "a number", str: "a text"}[kind]
    problems.append(_mismatch(where, wanted, value))
    return kind()


def _mismatch(where: str, wanted: str, value: object) -> Problem:
    text = repr(value)
    return Problem(where, f"expected {wanted}, got {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}")


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
