"""One offline HTML page of a sweep: front, parallel coordinates, sensitivity, heat map, sortable table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.errors import InputError
from hwsim.report.pictures.heat import heat_map, heat_svg
from hwsim.report.pictures.tornado import tornado_svg
from hwsim.report.sensitivity import effects
from hwsim.report.sweep_table import SweepTable, Value

MAX_PAGE_BYTES = 1_000_000
MOST_POINTS = 5000
_MOST_FAILURES, _MOST_PICTURES, _MOST_AXES = 20, 4, 6
_DIGITS = 7
_FILL = 0.97
_LIKED = ("time_s", "energy_j", "area_m2", "power_w", "utilization", "misclassification_ratio")


@dataclass(frozen=True, slots=True)
class SweepPage:
    """A page and what stands on it.

    Attributes
    ----------
    table : SweepTable
        The points that pictures and sensitivity rest on.
    failures : tuple of (int, str, str)
        Position, error and command of the first points that failed.
    same : mapping of str to str
        What holds for every point: versions, knobs that do not vary.
    notes : tuple of str
        What the reader should know, such as that points were left out.
    knobs : tuple of str
        The two knobs of the heat map; () takes those with the largest effect.
    """

    table: SweepTable
    failures: tuple[tuple[int, str, str], ...] = ()
    same: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()
    knobs: tuple[str, ...] = ()


def to_sweep_html(page: SweepPage) -> str:
    """Return the page: under 1 MB, nothing from outside, equal bytes for equal results.

    Where the points do not fit, those on the front stay and others are left out evenly, and it says so.

    Raises
    ------
    InputError
        No finished point; knobs for the heat map that do not vary.
    """
    table = page.table
    if not len(table):
        raise InputError("no finished point to show", where=table.title,
                         hint="see the errors with `hwsim sweep ... --json`")
    wanted = [name for name, _ in table.objectives][:_MOST_PICTURES]
    context: dict[str, Any] = {
        "title": table.title, "summary": _summary(table, wanted),
        "tornados": [tornado_svg(effects(table, name), name, dict(table.objectives)[name])
                     for name in wanted],
        "failures": page.failures[:_MOST_FAILURES], "same": _same(page),
        "definitions": [(column.name, column.definition) for column in table.metrics if column.definition],
    }
    most = MOST_POINTS
    while True:
        kept = thinned(table, most)
        text = _render(context | {
            "data": _data(kept), "heats": _heats(page, kept, wanted),
            "notes": (*page.notes, *_left_out(kept, table))})
        if len(text.encode()) <= MAX_PAGE_BYTES or len(kept) <= 1:
            return text
        most = min(len(kept) - 1, int(_FILL * len(kept) * MAX_PAGE_BYTES / len(text.encode())))


def thinned(table: SweepTable, most: int) -> SweepTable:
    """Return at most `most` points: as much of the front as fits half, then others evenly spread."""
    if len(table) <= most:
        return table
    front = sorted(table.front)
    best = set(_spread(front, max(1, most // 2)))
    others = [row for row in range(len(table)) if row not in best]
    return table.take(sorted({*best, *_spread(others, most - len(best))}))


def _spread(rows: Sequence[int], most: int) -> list[int]:
    if len(rows) <= most:
        return list(rows)
    return [rows[place * len(rows) // most] for place in range(most)]


def _left_out(kept: SweepTable, table: SweepTable) -> tuple[str, ...]:
    missing = table.finished - len(kept)
    if not missing:
        return ()
    front = "all of the front" if len(kept.front) == len(table.front) else "part of the front"
    return (f"This page shows {len(kept):,} of {table.finished:,} finished points, {front} among them; "
            f"{missing:,} are left out, evenly, to keep it under one megabyte. The results file has all.",)


def _heats(page: SweepPage, kept: SweepTable, wanted: Sequence[str]) -> list[str]:
    """Draw heat maps of all points; cells whose point is left out of the page cannot be clicked."""
    if len(page.table.varied) < 2 and not page.knobs:
        return []
    maps = [heat_map(page.table, name, page.knobs) for name in wanted]
    present = set(kept.positions)
    positions = page.table.positions
    drawn = []
    for each in maps:
        svg = heat_svg(each, positions)
        for point in each.best.values():
            if positions[point] not in present:
                svg = svg.replace(f' data-point="{positions[point]}"', "")
        drawn.append(svg)
    return drawn


def _summary(table: SweepTable, wanted: Sequence[str]) -> str:
    failed = table.total - table.finished
    told = f"{table.finished:,} finished points" + (f", {failed:,} failed" if failed else "")
    told += f"; {len(table.front):,} on the front of {', '.join(wanted)}"
    return told + f"; varied: {', '.join(column.name for column in table.varied) or 'nothing'}."


def _same(page: SweepPage) -> list[tuple[str, str]]:
    fixed = [(column.name, column.shown(column.values[0]))
             for column in (*page.table.knobs, *page.table.metrics) if not column.varies]
    return fixed + sorted((page.same or {}).items())


def _data(table: SweepTable) -> str:
    """Return the points as JSON that may stand in a script element."""
    directions = dict(table.objectives)
    varied = [column for column in table.metrics if column.varies]
    names = [column.name for column in varied]
    liked = [name for name in (*directions, *_LIKED) if name in names]
    drawn = set(list(dict.fromkeys((*liked, *names)))[:_MOST_AXES])
    columns = [{"name": column.name, "unit": column.unit, "metric": metric, "varies": column.varies,
                "drawn": column.name in drawn, "more": directions.get(column.name, column.more),
                "values": [_rounded(value) for value in column.values]}
               for metric, group in ((False, table.knobs), (True, table.metrics)) for column in group]
    document = {"positions": table.positions, "commands": table.commands, "columns": columns,
                "objectives": [name for name, _ in table.objectives]}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _rounded(value: Value) -> Value:
    """Round to the digits that a page can show; whole numbers keep all of theirs."""
    if not isinstance(value, float) or isinstance(value, bool):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS - 1}e}")


def _render(context: Mapping[str, Any]) -> str:
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("hwsim.report", "page"), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("sweep.html").render(context)

