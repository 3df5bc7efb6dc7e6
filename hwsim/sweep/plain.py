"""What Python users hand over (numpy numbers and arrays, ranges, enumerations) as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np

from hwsim.errors import Problem


def plain(value: Any) -> Any:
    """Return numpy numbers, arrays, ranges and choices as numbers, texts and lists; others as they are."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Decimal | Fraction):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, Mapping):
        return {plain(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray) or (hasattr(value, "tolist") and not isinstance(value, type)):
        return plain(value.tolist())
    return value


def strange(where: str, value: Any) -> list[Problem]:
    """Return a problem for everything inside `value` that no sweep file could hold."""
    if isinstance(value, Mapping):
        return [problem for name, part in value.items() for problem in strange(f"{where}.{name}", part)]
    if isinstance(value, list):
        kinds = {type(part) for part in value}
        if kinds <= {int, float, str, bool}:
            return []
        return list(dict.fromkeys(problem for part in value for problem in strange(where, part)))
    if isinstance(value, bool | int | float | str):
        return []
    text = repr(value)
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return [Problem(where, f"not a value: {shown}", "give numbers, texts, truth values, a list or an array")]
