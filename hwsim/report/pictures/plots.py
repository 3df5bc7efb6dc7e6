"""Pictures of a report as SVG texts that read on light and dark pages and never change for equal reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hwsim.report.compare import distinct_names
from hwsim.report.pictures.bars import Bars, bars_of
from hwsim.report.pictures.drawing import (
    INK,
    PALETTE,
    Tip,
    finish,
    legend,
    new_figure,
    short,
    si_axis,
    styled,
    to_points,
)
from hwsim.report.rows import stages
from hwsim.report.types import Report
from hwsim.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKS = 240
_FEWEST_COLUMNS = 8
_MOST_INSIDE = 4  # legends with more entries stand beside the plot
_MARKERS = "osD^vPX*"
_MAX_COLOURS = len(PALETTE)
_AREA = "area of a mark: its layer's share of the time"


def roofline(reports: Sequence[Report], names: Sequence[str] | None = None) -> str:
    """Draw achieved against attainable MACs per second over MACs per byte of the slowest memory, as SVG.

    Each mark is a layer with MACs, its area the share of the run's time; each report has its own roof.
    """
    with styled():
        crowded = len(reports) > _MOST_INSIDE
        figure, axes = new_figure(4.6, right=3.9 if crowded else 0.1)
        tips: list[tuple[float, float, str]] = []
        for index, (name, report) in enumerate(zip(names or distinct_names(reports), reports, strict=True)):
            colour, marker = PALETTE[index % _MAX_COLOURS], _MARKERS[index % len(_MARKERS)]
            tips += _draw_roof(axes, report, name, MOST_MARKS // len(reports), colour, marker)
        axes.set(xscale="log", yscale="log", xlabel=f"MACs per byte of the slowest memory; {_AREA}",
                 ylabel="MACs per second")
        axes.grid(True, which="major", color=INK, alpha=0.15, linewidth=0.5)
        beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
        legend(axes, **beside if crowded else {"loc": "lower right"})
        return finish(figure, "Roofline", _marks(axes, tips))


def energy_bars(report: Report, limit_j: float | None = None) -> str:
    """Draw the energy of every layer, stacked by unit, as SVG; `limit_j` fixes the axis for comparisons."""
    units = report.totals.energy_j_by_unit
    return _draw_bars(bars_of(report, "energy"), units, "J", "Energy per layer", limit_j)


def cycle_bars(report: Report, limit_cycles: float | None = None) -> str:
    """Draw the cycles of every layer, compute and stalls by cause, as SVG."""
    causes = {f"stall: {cause}": cycles for cause, cycles in report.totals.stall_cycles_by_cause.items()}
    totals = {"compute": report.totals.compute_cycles} | causes
    return _draw_bars(bars_of(report, "cycles"), totals, "cycles", "Cycles per layer", limit_cycles)


def energy_totals(reports: Sequence[Report], names: Sequence[str] | None = None, *,
                  shares: bool = False) -> str:
    """Draw the total energy of every report, stacked by unit, as SVG; as shares of it where sizes differ."""
    with styled():
        figure, axes = new_figure(0.5 + 0.45 * len(reports), left=2.0, right=1.9,
                                  bottom=0.55 if shares else 0.35)
        shown = names or distinct_names(reports)
        units = _merged(report.totals.energy_j_by_unit for report in reports)
        if shares:
            units = _merged(_shared(report) for report in reports)
        starts = [0.0] * len(reports)
        for unit, colour in _colours(units).items():
            widths = [_joules(report, unit, units) / (report.totals.energy_j / 100 if shares else 1.0)
                      if report.totals.energy_j else 0.0 for report in reports]
            axes.barh(range(len(reports)), widths, left=starts, color=colour, height=0.62,
                      label=short(unit, 28))
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        axes.set_yticks(range(len(reports)), [short(name, 28) for name in shown])
        axes.invert_yaxis()
        if shares:
            axes.set(xlim=(0, 100), xlabel="% of the energy of the column")
        else:
            si_axis(axes.xaxis, "J")
        legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return finish(figure, "Total energy by unit", ())


def _shared(report: Report) -> dict[str, float]:
    whole = report.totals.energy_j or 1.0
    return {unit: joules / whole for unit, joules in report.totals.energy_j_by_unit.items()}


def _draw_roof(axes: Axes, report: Report, name: str, most: int, colour: str,
               marker: str) -> list[tuple[float, float, str]]:
    peak = report.roofline.get("peak_macs_per_s", 0.0)
    memory, bandwidth = slowest_memory(report)
    longest = sorted(stages(report), key=lambda stage: -stage.layer.cycles)[:most]
    points = [(stage.macs / moved, stage.macs / stage.layer.time_s, stage)
              for stage in longest
              if stage.macs and stage.layer.time_s and (moved := stage.moved_bytes(memory))]
    roof = f", {memory} {format_si(bandwidth, 'B/s')}" if bandwidth else ""
    label = f"{short(name, 40)}: {_macs_per_s(peak)}{roof}"
    if points:
        times = [stage.layer.time_s / report.totals.time_s for _, _, stage in points]
        axes.scatter([x for x, _, _ in points], [y for _, y, _ in points], color=colour, alpha=0.65,
                     s=[12 + 900 * time for time in times], linewidth=0, marker=marker)
    if peak and bandwidth:
        ridge = peak / bandwidth
        reach = [x for x, _, _ in points] + [ridge]
        low, high = min(reach) / 3, max(reach) * 3
        axes.plot([low, ridge, high], [low * bandwidth, peak, peak], color=colour, linewidth=1.6, label=label)
    elif peak:
        axes.axhline(peak, color=colour, linewidth=1.6, label=label)
    return [(x, y, f"{stage.layer.name} on {name}: {x:.3g} MAC/B, {_macs_per_s(y)}, "
             f"bound by {stage.layer.bound_by}") for x, y, stage in points]


def _macs_per_s(rate: float) -> str:
    return format_si(rate, "Hz").removesuffix("Hz") + "MAC/s"


def slowest_memory(report: Report) -> tuple[str, float]:
    """Return the memory with the least bandwidth that layers move bytes through, and bytes per second."""
    suffix = "_bits_per_s"
    known = {name.removesuffix(suffix): rate / 8 for name, rate in report.roofline.items()
             if name.endswith(suffix)}
    used = {name: rate for name, rate in known.items()
            if name in report.totals.bytes_by_memory and 0 < rate < math.inf}
    return min(used.items(), key=lambda item: item[1]) if used else ("", 0.0)


def _draw_bars(bars: Bars, totals: Mapping[str, float], unit: str, title: str, limit: float | None) -> str:
    from matplotlib.patches import PathPatch

    with styled():
        figure, axes = new_figure(4.4 if bars.named else 3.6, top=0.4, bottom=1.3 if bars.named else 0.55)
        starts = [0.0] * len(bars.names)
        for part, colour in _colours(totals).items():
            heights = bars.folded(part, _colours(totals))
            if not any(heights):
                continue
            shape = _columns(starts, heights)
            axes.add_patch(PathPatch(shape, facecolor=colour, edgecolor="none", label=short(part, 18)))
            starts = [start + height for start, height in zip(starts, heights, strict=True)]
        top = limit or max(starts, default=0.0) or 1.0
        axes.set(xlim=(-0.7, max(len(starts), _FEWEST_COLUMNS) - 0.3), ylim=(0, top * 1.04))
        _name_columns(axes, bars)
        si_axis(axes.yaxis, unit)
        axes.grid(True, axis="y", color=INK, alpha=0.15, linewidth=0.5)
        axes.set_axisbelow(True)
        legend(axes, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=_MAX_COLOURS)
        return finish(figure, title, _strips(axes, bars))


def _columns(starts: Sequence[float], heights: Sequence[float]) -> Any:
    """One compound path for all columns of a colour: a fraction of the size of one shape per column."""
    from matplotlib.path import Path as Outline

    corners, codes = [], []
    for index, (start, height) in enumerate(zip(starts, heights, strict=True)):
        if height:
            left, right, top = index - 0.42, index + 0.42, start + height
            corners += [(left, start), (left, top), (right, top), (right, start), (left, start)]
            codes += [Outline.MOVETO, Outline.LINETO, Outline.LINETO, Outline.LINETO, Outline.CLOSEPOLY]
    return Outline(corners, codes)


def _name_columns(axes: Axes, bars: Bars) -> None:
    count = len(bars.names)
    if bars.named:
        names = [short(name, 20) for name in bars.names]
        axes.set_xticks(range(count), names, rotation=90, fontsize=7)
        return
    step = max(1, round(count / 20))
    shown = range(0, count, step)
    axes.set_xticks(shown, [str(bars.first_index[index]) for index in shown])
    grouping = f" (each column sums {bars.per_column} layers)" if bars.per_column > 1 else ""
    axes.set_xlabel("layer number" + grouping)


def _colours(parts: Mapping[str, float]) -> dict[str, str]:
    """Give the largest parts a colour each, in their own order; the rest share the last as "other"."""
    names = [name for name, value in parts.items() if value]
    if len(names) > _MAX_COLOURS:
        kept = set(sorted(names, key=lambda name: -parts[name])[:_MAX_COLOURS - 1])
        names = [name for name in names if name in kept] + ["other"]
    return dict(zip(names, PALETTE, strict=False))


def _merged(mappings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            sums[name] = sums.get(name, 0.0) + value
    return sums


def _joules(report: Report, unit: str, units: Mapping[str, float]) -> float:
    parts = report.totals.energy_j_by_unit
    if unit in units:
        return parts.get(unit, 0.0)
    return sum(joules for name, joules in parts.items() if name not in _colours(units))


def _marks(axes: Axes, tips: Sequence[tuple[float, float, str]]) -> list[Tip]:
    """Return squares of 8 points around every mark, for tooltips."""
    found = []
    for x, y, text in tips:
        across, up = to_points(axes, x, y)
        found.append(((across - 4, up - 4, 8.0, 8.0), text))
    return found


def _strips(axes: Axes, bars: Bars) -> list[Tip]:
    """Return strips of full height over every column, for tooltips."""
    low, high = axes.get_ylim()
    found = []
    for index, text in enumerate(bars.tips):
        left, top = to_points(axes, index - 0.5, high)
        right, bottom = to_points(axes, index + 0.5, low)
        found.append(((left, top, right - left, bottom - top), text))
    return found
