"""Questions to a value that is one number, or a column of numbers when a family of designs is priced at once.

Formulas of datasheets work on both; decisions do not, because members of a family may differ in them. A plain
``if`` on a column fails loudly, and these questions say what is meant. No numpy is loaded here.
"""

from __future__ import annotations

import math
from typing import Any


def is_column(value: Any) -> bool:
    """Return whether `value` is a column over designs instead of one number."""
    return bool(getattr(value, "ndim", 0))


def same(value: Any, number: Any) -> bool:
    """Return whether `value` is `number`; for a column, whether all of them are.

    For shortcuts only: where it is False, the long way has to give the right result for every member.
    """
    equal = value == number
    return bool(equal.all()) if is_column(equal) else bool(equal)


def given(value: Any) -> bool:
    """Return whether an optional number is there, that is, not zero; ValueError if members disagree."""
    if not is_column(value):
        return bool(value)
    there = value != 0
    if there.any() != there.all():
        raise ValueError("some members of the family give this number, others do not")
    return bool(there.all())


def nowhere_zero(value: Any) -> bool:
    """Return whether one may divide by `value`."""
    return bool((value != 0).all()) if is_column(value) else bool(value)


def finite(value: Any) -> bool:
    """Return whether `value` is a finite number, and every one of a column is."""
    return bool((value - value == 0).all()) if is_column(value) else math.isfinite(value)


def numbers_of(value: Any) -> list[Any]:
    """Return the numbers themselves: all of a column, or the one."""
    return list(value.tolist()) if is_column(value) else [value]
