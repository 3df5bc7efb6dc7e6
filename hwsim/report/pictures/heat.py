"""A metric over two knobs as a heat map: each cell holds the best of its points."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hwsim.errors import InputError
from hwsim.report.pictures.svg import attribute, frame, number, short, text
from hwsim.report.sensitivity import Levels, effects, levels
from hwsim.report.sweep_table import Column, SweepTable

# Stops of cividis (Nunez, Anderton and Renslow 2018), told apart by colour-blind readers.
_STOPS = ((0, 34, 78), (53, 69, 108), (102, 105, 112), (148, 142, 119), (200, 184, 102), (254, 232, 56))
_LEFT, _TOP, _RIGHT = 150.0, 62.0, 24.0
_BOTTOM, _SLANTED_BOTTOM, _LETTER = 44.0, 92.0, 6.4
_WIDTH, _TALLEST, _LEAST_TEXT = 860.0, 46.0, 46.0
_STYLE = ".cell{stroke:none}.cell:hover{stroke:currentColor;stroke-width:2}"
_DARK_INK, _LIGHT_INK = "#0b0d10", "#f4f6f9"
_LOGARITHMIC_FROM = 8.0


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A metric over two knobs.

    Attributes
    ----------
    across, along : Column
        Knobs of the horizontal and vertical axis.
    across_levels, along_levels : Levels
        Their values, or ranges of them.
    best : mapping of (int, int) to int
        The best point in each cell that has any, by column and row.
    metric : Column
        What is drawn.
    maximise : bool
        Whether more is better.
    """

    across: Column
    along: Column
    across_levels: Levels
    along_levels: Levels
    best: dict[tuple[int, int], int]
    metric: Column
    maximise: bool


def heat_map(table: SweepTable, metric: str, knobs: tuple[str, ...] = ()) -> HeatMap:
    """Return a metric over two knobs, those with the largest effect on it unless named.

    Raises
    ------
    InputError
        Fewer than two knobs vary; a knob that does not vary; the same one twice.
    """
    names = knobs or tuple(effect.knob for effect in effects(table, metric)[:2])
    if len(names) != 2 or len(set(names)) != 2:
        raise InputError(f"a heat map needs two knobs that vary, not {len(set(names))}", where="--knobs",
                         hint=f"varied: {', '.join(each.name for each in table.varied) or 'none'}")
    across, along = sorted((table.knob(name) for name in names), key=lambda each: -len(set(each.values)))
    if knobs:
        across, along = (table.knob(name) for name in knobs)
    columns, rows = levels(across), levels(along)
    maximise = dict(table.objectives).get(metric, False)
    values, best = table.metric(metric).values, dict[tuple[int, int], int]()
    for point, cell in enumerate(zip(columns.codes.tolist(), rows.codes.tolist(), strict=True)):
        value = values[point]
        if value is None:
            continue
        held = values[best[cell]] if cell in best else None
        if held is None or (value > held if maximise else value < held):  # type: ignore[operator]
            best[cell] = point
    return HeatMap(across, along, columns, rows, best, table.metric(metric), maximise)


def heat_svg(heat: HeatMap, positions: tuple[int, ...]) -> str:
    """Draw a heat map; equal maps give equal bytes. Each cell carries its point as ``data-point``."""
    width = (_WIDTH - _LEFT - _RIGHT) / len(heat.across_levels.labels)
    height = min(_TALLEST, max(18.0, 420.0 / len(heat.along_levels.labels)))
    floor = _TOP + height * len(heat.along_levels.labels)
    colour = _Colours([float(heat.metric.values[p] or 0.0) for p in heat.best.values()])
    kind = "Most" if heat.maximise else "Least"
    title = f"{kind} {heat.metric.name} over {heat.across.name} and {heat.along.name}"
    body = [text(_LEFT, 20, title, extra='class="head"'), colour.legend(heat.metric)]
    last = len(heat.along_levels.labels) - 1
    for (column, row), point in sorted(heat.best.items()):
        value = float(heat.metric.values[point] or 0.0)
        x, y = _LEFT + width * column, _TOP + height * (last - row)
        told = (f"{heat.across.name} = {heat.across_levels.labels[column]}, {heat.along.name} = "
                f"{heat.along_levels.labels[row]}: {heat.metric.shown(value)}, point {positions[point]}")
        fill, ink = colour.of(value)
        body.append(f'<rect class="cell" data-point="{positions[point]}" x="{number(x + 0.75)}" '
                    f'y="{number(y + 0.75)}" width="{number(width - 1.5)}" height="{number(height - 1.5)}" '
                    f'fill="{fill}"><title>{attribute(told)[1:-1]}</title></rect>')
        if width >= _LEAST_TEXT:
            body.append(text(x + width / 2, y + height / 2 + 4, heat.metric.shown(value), anchor="middle",
                             extra=f'style="fill:{ink};pointer-events:none"'))
    slanted = max(map(len, heat.across_levels.labels)) * _LETTER > width
    bottom = _SLANTED_BOTTOM if slanted else _BOTTOM
    body += [_across(heat, width, floor, slanted), _along(heat, height)]
    body.append(text((_LEFT + _WIDTH - _RIGHT) / 2, floor + bottom - 8, heat.across.name, anchor="middle",
                     extra='font-weight="600"'))
    return frame(_WIDTH, floor + bottom, title, _STYLE, "".join(body))


def _across(heat: HeatMap, width: float, floor: float, slanted: bool) -> str:
    labels, parts = heat.across_levels.labels, []
    for at, label in enumerate(labels):
        x = _LEFT + width * (at + 0.5)
        turn = f'transform="rotate(-24 {number(x + 4)} {number(floor + 16)})"' if slanted else ""
        parts.append(text(x + 4 if slanted else x, floor + 16, short(label, 22),
                          anchor="end" if slanted else "middle", extra=turn))
    return "".join(parts)


def _along(heat: HeatMap, height: float) -> str:
    last = len(heat.along_levels.labels) - 1
    parts = [text(_LEFT - 8, _TOP + height * (last - at + 0.5) + 4, short(label, 22), anchor="end")
             for at, label in enumerate(heat.along_levels.labels)]
    parts.append(text(_LEFT - 8, _TOP - 10, heat.along.name, anchor="end", extra='font-weight="600"'))
    return "".join(parts)


class _Colours:
    """Values to colours, by equal ratios where they are positive and far apart."""

    def __init__(self, values: list[float]) -> None:
        self.low, self.high = (min(values), max(values)) if values else (0.0, 0.0)
        self.logarithmic = self.low > 0 and self.high / self.low >= _LOGARITHMIC_FROM

    def of(self, value: float) -> tuple[str, str]:
        """Return the colour of a value, and that of a text upon it."""
        if self.high == self.low:
            share = 0.5
        elif self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.at(share)

    def at(self, share: float) -> tuple[str, str]:
        """Return the colour at a share of the scale, and that of a text upon it."""
        place = min(max(share, 0.0), 1.0) * (len(_STOPS) - 1)
        below = min(int(place), len(_STOPS) - 2)
        mix = [round(a + (b - a) * (place - below))
               for a, b in zip(_STOPS[below], _STOPS[below + 1], strict=True)]
        bright = 0.299 * mix[0] + 0.587 * mix[1] + 0.114 * mix[2] > 120
        return "#{:02x}{:02x}{:02x}".format(*mix), _DARK_INK if bright else _LIGHT_INK

    def legend(self, metric: Column) -> str:
        """Return the scale with its ends."""
        left, low, high = _WIDTH - _RIGHT - 260, metric.shown(self.low), metric.shown(self.high)
        parts = [f'<rect x="{number(left + 60 + 7 * at)}" y="32" width="7.3" height="10" '
                 f'fill="{self.at(at / 19)[0]}"/>' for at in range(20)]
        return text(left + 54, 41, low, anchor="end") + "".join(parts) + text(left + 206, 41, high)
