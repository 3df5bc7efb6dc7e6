"""Columns of a comparison as marks in a plane: energy against time, and errors against energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.report.compare import Comparison
from hwsim.report.glance import is_firm
from hwsim.report.normalised import inferences
from hwsim.report.pictures.drawing import PALETTE
from hwsim.report.pictures.front import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, FrontAxis, Scale, axes_of
from hwsim.report.pictures.svg import attribute, frame, line, number, text
from hwsim.report.types import Report
from hwsim.units import format_si

_RADIUS, _LETTER, _LINE = 6.0, 6.8, 12.0
_MARGIN = 0.12
_STYLE = ".bar{stroke:currentColor;stroke-opacity:.55;stroke-width:1.2}"
# Where a name may stand beside its mark: shift of its anchor, and the anchor itself.
_PLACES = ((10.0, 4.0, "start"), (-10.0, 4.0, "end"), (0.0, -11.0, "middle"), (0.0, 20.0, "middle"),
           (8.0, -9.0, "start"), (8.0, 17.0, "start"), (-8.0, -9.0, "end"), (-8.0, 17.0, "end"),
           (12.0, -22.0, "start"), (12.0, 30.0, "start"), (-12.0, -22.0, "end"), (-12.0, 30.0, "end"))

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A column in the plane.

    Attributes
    ----------
    x, y : float
        In points of the picture.
    name, tip : str
        Beside it, and under the pointer.
    colour : str
        Of the mark.
    firm : bool
        Filled; hollow where most of the energy rests on unconfirmed or assumed numbers.
    low, high : float
        Ends of a bar through it, in points; equal for none.
    """

    x: float
    y: float
    name: str
    tip: str
    colour: str
    firm: bool
    low: float = 0.0
    high: float = 0.0


def energy_and_time(comparison: Comparison) -> str:
    """Draw energy against time per inference, one mark per column; "" where a column takes neither."""
    energy, time = _per_inference(comparison.reports)
    if min(energy) <= 0 or min(time) <= 0:
        return ""
    across = Scale(FrontAxis("time_s", False, time, "time per inference"), LEFT, WIDTH - RIGHT, _MARGIN)
    along = Scale(FrontAxis("energy_j", False, energy, "energy per inference"), HEIGHT - BOTTOM, TOP, _MARGIN)
    marks = [_Mark(across.at(time[at]), along.at(energy[at]), name,
                  f"{name}: {format_si(energy[at], 'J')}, {format_si(time[at], 's')}",
                  PALETTE[at % len(PALETTE)], is_firm(comparison, at))
             for at, name in enumerate(comparison.names)]
    return _picture("Energy and time per inference", axes_of(across, along), marks)


def errors_and_energy(comparison: Comparison) -> str:
    """Draw misclassified samples with their intervals against energy; "" where no column has values."""
    measured = comparison.study.measured if comparison.study is not None else ()
    rates = {at: each.wrong for at, each in enumerate(measured) if each.wrong is not None}
    energy, _ = _per_inference(comparison.reports)
    if not rates or min(energy[at] for at in rates) <= 0:
        return ""
    ends = tuple(100 * end for rate in rates.values() for end in rate.interval)
    across = Scale(FrontAxis("energy_j", False, tuple(energy[at] for at in rates), "energy per inference"),
                   LEFT, WIDTH - RIGHT, _MARGIN)
    along = Scale(FrontAxis("", False, (0.0, *ends), "misclassified, % of the samples, with 95 % intervals"),
                  HEIGHT - BOTTOM, TOP, 0.06)
    marks = [_Mark(across.at(energy[at]), along.at(100 * rate.ratio), comparison.names[at],
                  f"{comparison.names[at]}: {rate}, {format_si(energy[at], 'J')}",
                  PALETTE[at % len(PALETTE)], is_firm(comparison, at),
                  along.at(100 * rate.interval[0]), along.at(100 * rate.interval[1]))
             for at, rate in rates.items()]
    return _picture("Errors and energy per inference", axes_of(across, along), marks)


def _per_inference(reports: Sequence[Report]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return (tuple(report.totals.energy_j / (inferences(report) or 1) for report in reports),
            tuple(report.totals.time_s / (inferences(report) or 1) for report in reports))


def _picture(title: str, axes: str, marks: Sequence[_Mark]) -> str:
    body = [axes]
    for mark in marks:
        if mark.low != mark.high:
            body.append(line(mark.x, mark.low, mark.x, mark.high, "bar"))
            body += [line(mark.x - 4, end, mark.x + 4, end, "bar") for end in (mark.low, mark.high)]
    for mark in marks:
        fill = f'fill="{mark.colour}"' if mark.firm else 'fill="none"'
        body.append(f'<circle {fill} stroke="{mark.colour}" stroke-width="2.4" cx="{number(mark.x)}" '
                    f'cy="{number(mark.y)}" r="{number(_RADIUS)}" pointer-events="all">'
                    f"<title>{attribute(mark.tip)[1:-1]}</title></circle>")
    body += [text(x, y, mark.name, anchor=anchor)
             for mark, (x, y, anchor) in zip(marks, _placed(marks), strict=True)]
    return frame(WIDTH, HEIGHT, title, _STYLE, "".join(body))


def _placed(marks: Sequence[_Mark]) -> list[tuple[float, float, str]]:
    """Return where the names stand: for each the first place that covers least of what is there already."""
    taken: list[Box] = []
    for mark in marks:
        taken.append((mark.x - _RADIUS - 1, mark.y - _RADIUS - 1, mark.x + _RADIUS + 1, mark.y + _RADIUS + 1))
        if mark.low != mark.high:
            taken.append((mark.x - 4, min(mark.low, mark.high), mark.x + 4, max(mark.low, mark.high)))
    found = []
    for mark in marks:
        options = [(mark.x + dx, mark.y + dy, anchor) for dx, dy, anchor in _PLACES]
        boxes = [_box(x, y, anchor, mark.name) for x, y, anchor in options]
        costs = [_outside(box) + sum(_overlap(box, other) for other in taken) for box in boxes]
        best = costs.index(min(costs))
        found.append(options[best])
        taken.append(boxes[best])
    return found


def _box(x: float, y: float, anchor: str, name: str) -> Box:
    width = _LETTER * len(name)
    left = {"start": x, "end": x - width, "middle": x - width / 2}[anchor]
    return left, y - _LINE + 2, left + width, y + 2


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Box) -> float:
    """Return how much of a name lies beyond the frame, which weighs more than covering another."""
    beyond = max(0.0, LEFT - box[0]) + max(0.0, box[2] - (WIDTH - RIGHT))
    beyond += max(0.0, TOP - box[1]) + max(0.0, box[3] - (HEIGHT - BOTTOM))
    return 100 * beyond
