"""What a picture or page of a sweep needs: points as columns, free of files and designs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.report.pictures.svg import short
from hwsim.units import format_si, suffix_of, unit_of

Value = float | int | str | bool | None
_MOST_TEXT = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A knob or a metric of all points.

    Attributes
    ----------
    name : str
        As in the design, or in the results file.
    values : tuple
        One per point; None where a chip lacks the knob.
    definition : str
        What it means, with its unit; "" for knobs.
    more : bool
        Whether more of it is better.
    """

    name: str
    values: tuple[Value, ...]
    definition: str = ""
    more: bool = False

    @property
    def unit(self) -> str:
        """Unit for people, "" for counts, ratios and texts."""
        suffix = suffix_of(self.name)
        unit = unit_of(suffix) if suffix else ""
        return unit[1:] if unit.startswith("1/") else "" if unit in ("1", "cycle", "b", "B") else unit

    @property
    def varies(self) -> bool:
        """Whether two points differ in it."""
        return len(set(self.values)) > 1

    def shown(self, value: Value) -> str:
        """Write one value for people."""
        return shown(value, self.unit)


@dataclass(frozen=True, slots=True)
class SweepTable:
    """Finished points of a sweep.

    Attributes
    ----------
    title : str
        Name of the results file.
    positions : tuple of int
        Place of each point in its sweep.
    knobs, metrics : tuple of Column
        What was varied, chip and network among it, and what came out.
    commands : tuple of str
        What evaluates each point alone.
    objectives : tuple of (str, bool)
        Metric, and whether more is better.
    front : tuple of int
        Rows that no other point of the whole sweep beats in all objectives.
    total, finished : int
        Points in the results file, and those that did not fail.
    """

    title: str
    positions: tuple[int, ...]
    knobs: tuple[Column, ...]
    metrics: tuple[Column, ...]
    commands: tuple[str, ...]
    objectives: tuple[tuple[str, bool], ...]
    front: tuple[int, ...]
    total: int
    finished: int

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def varied(self) -> tuple[Column, ...]:
        """Knobs in which points differ."""
        return tuple(column for column in self.knobs if column.varies)

    def metric(self, name: str) -> Column:
        """Return a metric by name."""
        return next(column for column in self.metrics if column.name == name)

    def knob(self, name: str) -> Column:
        """Return a knob that varies; InputError with the nearest name for any other."""
        varied = {column.name: column for column in self.varied}
        if name not in varied:
            known = f"varied: {', '.join(varied) or 'none'}"
            raise InputError(f"{name!r} does not vary in this sweep", where="--knobs",
                             hint=nearest(name, varied) or known)
        return varied[name]

    def take(self, rows: Sequence[int]) -> SweepTable:
        """Return some of the points, in the order given."""
        places = {row: place for place, row in enumerate(rows)}
        return SweepTable(
            self.title, tuple(self.positions[row] for row in rows), _taken(self.knobs, rows),
            _taken(self.metrics, rows), tuple(self.commands[row] for row in rows), self.objectives,
            tuple(places[row] for row in self.front if row in places), self.total, self.finished)


def shown(value: Value, unit: str) -> str:
    """Write a value of a point for people, with an SI prefix if it has a unit."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return short(value, _MOST_TEXT)
    if unit == "m^2":
        return f"{value * 1e6:.4g} mm²"
    if unit and math.isfinite(value):
        number, _, tail = format_si(value, "Hz" if unit[0] == "/" else unit, digits=4).partition(" ")
        tail = tail.replace("Hz", unit) if unit[0] == "/" else tail
        return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {tail}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _taken(columns: Sequence[Column], rows: Sequence[int]) -> tuple[Column, ...]:
    return tuple(replace(each, values=tuple(each.values[row] for row in rows)) for each in columns)


def sort_key(value: Any) -> tuple[int, float, str]:
    """Order values of any kind: missing ones, truth values and numbers, texts."""
    if value is None:
        return (0, 0.0, "")
    return (2, 0.0, value) if isinstance(value, str) else (1, float(value), "")
