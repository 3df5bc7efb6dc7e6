"""Traffic against scratchpad size as a picture, with the bound below the curve and the baselines above it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.report.pictures.svg import attribute, frame, line, number, text, ticks
from hwsim.report.schedule_table import SWEEP_HEADS, SWEEP_RIGHT, best_baseline, sweep_rows
from hwsim.schedule.size_sweep import Sweep, SweepPoint
from hwsim.units import format_bytes

_CURVES = (("default/belady", "#D55E00"), ("best baseline", "#E69F00"), ("this schedule", "#0072B2"))
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 960.0, 460.0, 74.0, 24.0, 46.0, 46.0
_STYLE = (".curve{fill:none;stroke-width:2}.gap{fill:#0072B2;fill-opacity:.18;stroke:none}"
          ".mark{stroke:currentColor;stroke-dasharray:4 3;stroke-opacity:.6}.dot{stroke:none}")
_LETTER = 6.4


def sweep_svg(sweep: Sweep) -> str:
    """Draw a sweep over budgets; equal sweeps give equal bytes.

    The horizontal axis grows by equal ratios. The shaded band lies between the schedule's traffic and
    the proven lower bound; budgets without any plan are left blank.
    """
    unit = sweep.network.problem.block_bytes
    chart = _Chart(sweep, unit)
    solved = [point for point in sweep.points if point.traffic is not None]
    body = [chart.axes(), chart.landmarks(), chart.band(solved)]
    for name, colour in _CURVES:
        body.append(chart.curve(name, colour, solved))
    title = f"{sweep.network.problem.name}: non-compulsory traffic against scratchpad size"
    if sweep.interrupted:
        title += " (interrupted)"
    body.append(text(_LEFT, 18, title, extra='class="head"'))
    body.append(_legend())
    return frame(_WIDTH, _HEIGHT, title, _STYLE, "".join(body))


def sweep_html(sweep: Sweep) -> str:
    """Return the picture and its table as a page that works offline."""
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("hwsim.report", "page"), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("size_sweep.html").render(
        title=f"{sweep.network.problem.name}: traffic against scratchpad size", svg=sweep_svg(sweep),
        heads=SWEEP_HEADS, right=SWEEP_RIGHT, rows=sweep_rows(sweep))


def _legend() -> str:
    parts, x = [], _LEFT
    for name, colour in _CURVES:
        parts.append(f'<rect x="{number(x)}" y="27" width="14" height="4" fill="{colour}"/>')
        parts.append(text(x + 19, 33, name))
        x += 34 + _LETTER * len(name)
    parts.append(f'<rect class="gap" x="{number(x)}" y="24" width="14" height="10"/>')
    parts.append(text(x + 19, 33, "between plan and lower bound"))
    return "".join(parts)


def value_of(point: SweepPoint, curve: str) -> int | None:
    """Return the blocks of a curve at one budget."""
    if curve == "this schedule":
        return point.traffic
    return best_baseline(point.baselines.values()) if curve == "best baseline" else point.baselines.get(curve)


class _Chart:
    """Blocks to points, with the frame around them."""

    def __init__(self, sweep: Sweep, unit: int) -> None:
        self._sweep, self._unit = sweep, unit
        budgets = [point.budget for point in sweep.points] or [1, 2]
        self._low, self._high = min(budgets), max(max(budgets), min(budgets) + 1)
        values = [value_of(p, name) or 0 for p in sweep.points for name, _ in _CURVES]
        self._top = max(values, default=0) * 1.06 or 1.0

    def x(self, budget: float) -> float:
        share = math.log(budget / self._low) / math.log(self._high / self._low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, blocks: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - blocks / self._top)

    def axes(self) -> str:
        floor, parts = _HEIGHT - _BOTTOM, []
        for value in ticks(0, self._top * self._unit, 8, binary=True):
            y = self.y(value / self._unit)
            parts.append(line(_LEFT, y, _WIDTH - _RIGHT, y, "rule"))
            parts.append(text(_LEFT - 6, y + 4, format_bytes(value), anchor="end"))
        for value in self._marks():
            x = self.x(value / self._unit)
            parts.append(line(x, floor, x, floor + 4, "axis"))
            parts.append(text(x, floor + 17, format_bytes(value), anchor="middle"))
        parts.append(text((_LEFT + _WIDTH - _RIGHT) / 2, floor + 36, "scratchpad", anchor="middle"))
        parts.append(f'<rect class="axis" x="{number(_LEFT)}" y="{number(_TOP)}" '
                     f'width="{number(_WIDTH - _LEFT - _RIGHT)}" height="{number(floor - _TOP)}"/>')
        return "".join(parts)

    def _marks(self) -> list[float]:
        """Return powers of two if there are enough of them inside, else round sizes."""
        low, high = self._low * self._unit, self._high * self._unit
        powers = [2.0 ** p for p in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
        return powers[::max(1, len(powers) // 10)] if len(powers) >= 3 else ticks(low, high, 8, binary=True)

    def landmarks(self) -> str:
        parts, last = [], -1e9
        named = ((self._sweep.smallest_budget, "smallest feasible"),
                 (self._sweep.smallest_peak, "smallest peak"))
        for row, (budget, name) in enumerate(named):
            if budget is None or not self._low <= budget <= self._high:
                continue
            x = self.x(budget)
            parts.append(line(x, _TOP, x, _HEIGHT - _BOTTOM, "mark"))
            left = x > _WIDTH * 0.75
            height = _TOP + 14 + (14 * row if x - last < 130 else 0)
            parts.append(text(x - 5 if left else x + 5, height, name, anchor="end" if left else "start"))
            last = x
        return "".join(parts)

    def band(self, points: Sequence[SweepPoint]) -> str:
        if not points:
            return ""
        upper = [(self.x(p.budget), self.y(p.traffic or 0)) for p in points]
        lower = [(self.x(p.budget), self.y(p.lower_bound)) for p in points]
        # A plan holds for larger budgets, a bound for smaller ones.
        around = [*_stairs(upper), *_stairs(lower[::-1])]
        corners = " ".join(f"{number(x)},{number(y)}" for x, y in around)
        return f'<polygon class="gap" points="{corners}"/>'

    def curve(self, name: str, colour: str, points: Sequence[SweepPoint]) -> str:
        known = [(point, value) for point in points if (value := value_of(point, name)) is not None]
        if not known:
            return ""
        spots = [(self.x(point.budget), self.y(value)) for point, value in known]
        path = " ".join(f"{number(x)},{number(y)}" for x, y in _stairs(spots))
        parts = [f'<polyline class="curve" stroke="{colour}" points="{path}"/>']
        for (x, y), (point, value) in zip(spots, known, strict=True):
            tip = (f"{name} at {format_bytes(point.budget * self._unit)}: {format_bytes(value * self._unit)}"
                   + (f", {point.status}" if name == "this schedule" else ""))
            parts.append(f'<circle class="dot" fill="{colour}" cx="{number(x)}" cy="{number(y)}" r="3.4">'
                         f"<title>{attribute(tip)[1:-1]}</title></circle>")
        return "".join(parts)


def _stairs(spots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep a value until the next budget: nothing is known in between but that it does not rise."""
    found: list[tuple[float, float]] = []
    for x, y in spots:
        if found:
            found.append((x, found[-1][1]))
        found.append((x, y))
    return found
