"""Rows of a difference for people: its largest parts, what is left, and the sum."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.report.difference import EnergyPart, TimePart
from hwsim.report.totals_rows import count, joules, percent, seconds

ENERGY_HEADS = ("Unit", "Event", "Difference", "Share", "by count", "by price", "Events of first", "Events")
TIME_HEADS = ("Time", "Difference", "Share", "First", "This")


def energy_rows(parts: Sequence[EnergyPart], most: int) -> list[tuple[str, ...]]:
    """Return the largest parts, then those left out, then the sum."""
    whole = math.fsum(part.difference_j for part in parts)
    rows = [(part.unit, part.action, _signed(part.difference_j, joules(abs(part.difference_j))),
             _share(part.difference_j, whole), _split(part.by_count_j), _split(part.by_price_j),
             *(count(events) if events else "-" for events in part.events))
            for part in parts[:most]]
    rest = math.fsum(part.difference_j for part in parts[most:])
    if len(parts) > most:
        rows.append((f"{len(parts) - most} smaller parts", "", _signed(rest, joules(abs(rest))),
                     _share(rest, whole), "", "", "", ""))
    share = "100.0 %" if whole else "-"
    return [*rows, ("all", "", _signed(whole, joules(abs(whole))), share, "", "", "", "")]


def time_rows(parts: Sequence[TimePart], most: int) -> list[tuple[str, ...]]:
    """Return the largest parts, then those left out, then the sum."""
    whole = math.fsum(part.difference_s for part in parts)
    rows = [(part.cause if part.cause == "compute" else f"stalls on {part.cause}",
             _signed(part.difference_s, seconds(abs(part.difference_s))), _share(part.difference_s, whole),
             *map(seconds, part.time_s)) for part in parts[:most]]
    rest = math.fsum(part.difference_s for part in parts[most:])
    if len(parts) > most:
        rows.append((f"{len(parts) - most} smaller parts", _signed(rest, seconds(abs(rest))),
                     _share(rest, whole), "", ""))
    return [*rows, ("all", _signed(whole, seconds(abs(whole))), "100.0 %" if whole else "-", "", "")]


def _split(value: float | None) -> str:
    return "only in one" if value is None else _signed(value, joules(abs(value)))


def _signed(value: float, text: str) -> str:
    return f"{'-' if value < 0 else '+' if value > 0 else ''}{text}"


def _share(part: float, whole: float) -> str:
    return _signed(part / whole, percent(abs(part / whole))).removeprefix("+") if whole else "-"
