"""The few JSON Schema keywords that hwsim writes, checked without the code that writes them."""

from __future__ import annotations

from typing import Any

_TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "integer": int,
                          "number": (int, float)}


def violations(value: Any, schema: dict[str, Any], where: str = "",
               definitions: dict[str, Any] | None = None) -> list[str]:
    """Return the dotted places where `value` does not obey `schema`."""
    named = schema.get("$defs", definitions or {})
    if "$ref" in schema:
        return violations(value, named[schema["$ref"].removeprefix("#/$defs/")], where, named)
    if "anyOf" in schema:
        fits = any(not violations(value, option, where, named) for option in schema["anyOf"])
        return [] if fits else [where]
    if "enum" in schema:
        return [] if value in schema["enum"] else [where]
    if "type" in schema and (not isinstance(value, _TYPES[schema["type"]]) or isinstance(value, bool)):
        return [where]
    found = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += violations(item, schema["items"], f"{where}[{index}]", named)
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
        found += [f"{where}.{name}".strip(".") for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            place = f"{where}.{name}".strip(".")
            if name not in known and rest is False:
                found.append(place)
            else:
                found += violations(item, known.get(name, rest or {}), place, named)
    return found
