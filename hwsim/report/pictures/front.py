"""A Pareto front as a picture: all points behind, the front before them, each of its points with its name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.errors import InputError
from hwsim.report.pictures.svg import attribute, frame, line, number, text, ticks
from hwsim.units import format_si, suffix_of, unit_of

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860.0, 520.0, 84.0, 26.0, 48.0, 52.0
_STYLE = (".all{fill:currentColor;fill-opacity:.28}.front{fill:#009E73;stroke:none}"
          ".stairs{fill:none;stroke:#009E73;stroke-width:1.6;stroke-opacity:.7}")
_LOGARITHMIC_FROM = 8.0  # an axis whose ends differ by this ratio grows by equal ratios


@dataclass(frozen=True, slots=True)
class FrontAxis:
    """One objective.

    Attributes
    ----------
    metric : str
        Its name, which ends in the unit.
    maximise : bool
        Whether more is better.
    values : tuple of float
        Of all points.
    title : str
        Stands at the axis; the metric if left out.
    """

    metric: str
    maximise: bool
    values: tuple[float, ...]
    title: str = ""


def front_svg(
    first: FrontAxis, second: FrontAxis, front: Sequence[int], tips: Sequence[str], title: str
) -> str:
    """Draw two objectives against each other; equal results give equal bytes.

    Parameters
    ----------
    first, second : FrontAxis
        Horizontal and vertical axis, of equal length.
    front : sequence of int
        Which points are on the front.
    tips : sequence of str
        What a pointer over each of those shows.
    title : str
        Stands above.
    """
    if not first.values:
        raise InputError("no points to draw", where=title)
    across = Scale(first, LEFT, WIDTH - RIGHT)
    along = Scale(second, HEIGHT - BOTTOM, TOP)
    spots = {(round(across.at(x) * 2) / 2, round(along.at(y) * 2) / 2)
             for x, y in zip(first.values, second.values, strict=True)}
    body = [text(LEFT, 20, title, extra='class="head"'), axes_of(across, along)]
    body += [f'<circle class="all" cx="{number(x)}" cy="{number(y)}" r="2.2"/>' for x, y in sorted(spots)]
    best = sorted((across.at(first.values[place]), along.at(second.values[place]), tip)
                  for place, tip in zip(front, tips, strict=True))
    body.append(_stairs([(x, y) for x, y, _ in best], first.maximise))
    body += [f'<circle class="front" cx="{number(x)}" cy="{number(y)}" r="4">'
             f"<title>{attribute(tip)[1:-1]}</title></circle>" for x, y, tip in best]
    legend = f"{len(first.values):,} points, {len(best):,} on the front"
    body.append(text(WIDTH - RIGHT, 20, legend, anchor="end"))
    return frame(WIDTH, HEIGHT, title, _STYLE, "".join(body))


class Scale:
    """Values of one axis to points of the picture; `margin` is left free at both ends, as a share."""

    def __init__(self, axis: FrontAxis, start: float, end: float, margin: float = 0.04) -> None:
        low, high = min(axis.values), max(axis.values)
        self.name, self._start, self._end = axis.title or axis.metric, start, end
        self.unit = unit_of(suffix) if (suffix := suffix_of(axis.metric)) else ""
        self.logarithmic = low > 0 and high / low >= _LOGARITHMIC_FROM
        if self.logarithmic:
            low, high = math.log10(low), math.log10(high)
        free = (high - low) * margin or abs(high) * margin or 1.0
        self.low, self.high = low - free, high + free

    def at(self, value: float) -> float:
        """Return the coordinate of a value."""
        place = math.log10(value) if self.logarithmic else value
        return self._start + (self._end - self._start) * (place - self.low) / (self.high - self.low)

    def marks(self) -> list[float]:
        """Return round values inside the axis."""
        if not self.logarithmic:
            power = 10.0 ** math.floor(math.log10(max(abs(self.low), abs(self.high), 1e-300)))
            return [power * mark for mark in ticks(self.low / power, self.high / power, 8)]
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        factors = (1, 2, 5) if len(decades) <= 4 else (1,)
        found = [factor * 10.0**decade for decade in decades for factor in factors]
        return [mark for mark in found if self.low <= math.log10(mark) <= self.high]

    def shown(self, mark: float) -> str:
        """Write a mark of the axis."""
        return format_si(mark, self.unit, digits=3) if self.unit else f"{mark:.6g}"


def axes_of(across: Scale, along: Scale) -> str:
    """Return frame, rules, marks and titles of two axes."""
    floor, right, parts = HEIGHT - BOTTOM, WIDTH - RIGHT, []
    for mark in along.marks():
        parts.append(line(LEFT, along.at(mark), right, along.at(mark), "rule"))
        parts.append(text(LEFT - 6, along.at(mark) + 4, along.shown(mark), anchor="end"))
    for mark in across.marks():
        parts.append(line(across.at(mark), TOP, across.at(mark), floor, "rule"))
        parts.append(text(across.at(mark), floor + 17, across.shown(mark), anchor="middle"))
    parts.append(text((LEFT + right) / 2, floor + 38, across.name, anchor="middle"))
    parts.append(text(LEFT, TOP - 10, along.name))
    parts.append(f'<rect class="axis" x="{number(LEFT)}" y="{number(TOP)}" '
                 f'width="{number(right - LEFT)}" height="{number(floor - TOP)}"/>')
    return "".join(parts)


def _stairs(spots: Sequence[tuple[float, float]], right_is_better: bool) -> str:
    """Join the front by the edge of what it dominates: from a point to the next, the worse of both first."""
    corners: list[tuple[float, float]] = []
    for x, y in spots:
        if corners:
            before_x, before_y = corners[-1]
            corners.append((before_x, y) if right_is_better else (x, before_y))
        corners.append((x, y))
    points = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
    return f'<polyline class="stairs" points="{points}"/>'
