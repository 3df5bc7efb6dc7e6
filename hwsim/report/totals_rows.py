"""The rows that people read: totals and layers with formatted values, for the console and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hwsim.report.compare import Comparison
from hwsim.report.rows import Stage
from hwsim.report.types import Report, Totals
from hwsim.units import format_bytes, format_si, suffix_of, unit_of


@dataclass(frozen=True, slots=True)
class Metric:
    """A column of the per-layer table.

    Attributes
    ----------
    title : str
        Head of the column.
    value : callable
        Number or text to sort by.
    text : callable
        What is shown.
    weight : int
        Columns with more weight stay longest when the terminal is narrow.
    """

    title: str
    value: Callable[[Stage], float | int | str]
    text: Callable[[Stage], str]
    weight: int


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """One figure for every report.

    Attributes
    ----------
    title : str
        What it is.
    texts : tuple of str
        Formatted, one per report.
    ratios : tuple of float or None
        Value over that of the first report.
    key : str
        Name for programs; "" for figures that no reservation names.
    mark, marks : str, tuple of str
        Reservations about the row, and about each of its cells.
    """

    title: str
    texts: tuple[str, ...]
    ratios: tuple[float | None, ...]
    key: str = ""
    mark: str = ""
    marks: tuple[str, ...] = ()

    def marks_at(self, column: int) -> str:
        """Return the marks of a cell."""
        return self.marks[column] if self.marks else ""


def layer_metrics() -> tuple[Metric, ...]:
    """Return the columns of the per-layer table that differ between chips, in order."""
    return (
        Metric("Cycles", lambda s: s.layer.cycles, lambda s: f"{s.layer.cycles:,}", 6),
        Metric("Stalls", lambda s: s.layer.stall_cycles, _stalls, 2),
        Metric("Time", lambda s: s.layer.time_s, lambda s: seconds(s.layer.time_s), 1),
        Metric("Util.", lambda s: s.layer.utilization, lambda s: percent(s.layer.utilization), 4),
        Metric("Energy", lambda s: s.energy_j, lambda s: joules(s.energy_j), 5),
        Metric("Bound by", lambda s: s.layer.bound_by, lambda s: s.layer.bound_by, 3),
    )


def totals_rows(comparison: Comparison, *, own_figures: bool = True) -> list[TotalsRow]:
    """Return the totals of all reports with stalls by cause, then bytes per memory and energy per unit.

    What the chips state of their own follows, unless `own_figures` is off.
    """
    totals = [report.totals for report in comparison.reports]
    rows = _keyed(totals, _CYCLES)
    for cause in _keys(totals, "stall_cycles_by_cause"):
        waits = [each.stall_cycles_by_cause.get(cause, 0) for each in totals]
        rows += [_row(f"    on {cause}", waits, count)] if any(waits) else []
    rows += _keyed(totals, _TOTALS)
    if any(name.endswith(_EFFICIENCY) for report in comparison.reports for name in report.figures):
        # Where one chip states operations a joule, those of all stand beside: two a MAC, the whole energy.
        row = _row("Efficiency", [_operations_per_j(each) for each in totals], tops_per_w)
        rows.append(replace(row, key="macs_per_j"))
    for memory in _keys(totals, "bytes_by_memory"):
        moved = [each.bytes_by_memory.get(memory, 0) for each in totals]
        rows.append(_absent(_row(f"Moved, {memory}", moved, format_bytes), memory, totals))
    own = figure_rows(comparison.reports) if own_figures else []
    return [reserved(comparison, row) for row in rows] + energy_rows(totals) + own


def reserved(comparison: Comparison, row: TotalsRow) -> TotalsRow:
    """Return a row with its marks, and without the ratios that mean nothing."""
    if comparison.study is None or not row.key:
        return row
    columns = range(len(row.texts))
    ratios = tuple(ratio if comparison.comparable(row.key, column) else None
                   for column, ratio in zip(columns, row.ratios, strict=True))
    return replace(row, ratios=ratios, mark=comparison.mark(row.key),
                   marks=tuple(comparison.mark(row.key, column) for column in columns))


def figure_rows(reports: Sequence[Report]) -> list[TotalsRow]:
    """Return the chips' own figures by name, "-" where a chip has none; what most chips have comes first.

    Figures of single layers, whose names begin with ``layer_``, stand in JSON only.
    """
    names = list(dict.fromkeys(name for report in reports for name in report.figures))
    rows = []
    for name in sorted(names, key=lambda name: -sum(name in report.figures for report in reports)):
        if name.startswith("layer_"):
            continue
        suffix = suffix_of(name) or ""
        values = [report.figures.get(name) for report in reports]
        first = values[0]
        shown = tops_per_w if name.endswith(_EFFICIENCY) else partial(_figure, suffix=suffix)
        texts = tuple("-" if value is None else shown(value) for value in values)
        ratios = tuple(value / first if first and value is not None else None for value in values)
        rows.append(TotalsRow(name, texts, ratios))
    return rows


def _figure(value: float, suffix: str) -> str:
    if suffix in ("count", "ratio", ""):
        return f"{value:,.0f}" if suffix == "count" and value < 1e12 else f"{value:.4g}"
    unit = unit_of(suffix)
    return f"{value:.4g} {unit[1:]}" if unit.startswith("1/") else format_si(value, unit)


def energy_rows(totals: Sequence[Totals]) -> list[TotalsRow]:
    """Return the energy of every unit with its share, one row per unit."""
    rows = []
    for unit in _keys(totals, "energy_j_by_unit"):
        values = [t.energy_j_by_unit.get(unit, 0.0) for t in totals]
        shares = [value / t.energy_j if t.energy_j else 0.0 for value, t in zip(values, totals, strict=True)]
        texts = tuple(f"{joules(value)} ({percent(share)})"
                      for value, share in zip(values, shares, strict=True))
        rows.append(_absent(TotalsRow(f"Energy, {unit}", texts, _ratios(values)), unit, totals))
    return rows


def _absent(row: TotalsRow, unit: str, totals: Sequence[Totals]) -> TotalsRow:
    """Return a row with "-" where a chip has no such unit, which is not the same as a unit at rest."""
    there = [unit in each.bytes_by_memory or unit in each.energy_j_by_unit for each in totals]
    texts = tuple(text if has else "-" for text, has in zip(row.texts, there, strict=True))
    ratios = tuple(ratio if has else None for ratio, has in zip(row.ratios, there, strict=True))
    return replace(row, texts=texts, ratios=ratios)


def statements(names: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of all reports: once if every report says the same, else led by its name."""
    if all(own == lines[0] for own in lines):
        return list(lines[0]) if lines else []
    return [f"{name}: {line}" for name, own in zip(names, lines, strict=True) for line in own]


def gathered(names: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of all columns, each once, led by the names of those that say it."""
    places: dict[str, list[str]] = {}
    for name, own in zip(names, lines, strict=True):
        for line in own:
            places.setdefault(line, []).append(name)
    return [line if len(said) == len(names) else f"{', '.join(said)}: {line}"
            for line, said in places.items()]


def coverage_line(report: Report) -> str:
    """Return how much of the network was costed, in words."""
    return str(report.coverage.get("line", "not stated")).removeprefix("coverage: ")


def percent(share: float) -> str:
    """Write a share as percent with one decimal; "<0.1 %" for less than can be shown."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{share * 100:.1f} %"


def seconds(time_s: float) -> str:
    """Write seconds with an SI prefix."""
    return format_si(time_s, "s")


def joules(energy_j: float) -> str:
    """Write joules with an SI prefix."""
    return format_si(energy_j, "J")


def tops_per_w(operations_per_j: float) -> str:
    """Write operations per joule as tera-operations a second per watt."""
    return f"{operations_per_j / 1e12:.4g} TOPS/W"


def count(value: float) -> str:
    """Write a whole number in groups of three."""
    return f"{int(value):,}"


def _stalls(stage: Stage) -> str:
    return f"{stage.layer.stall_cycles:,}" if stage.layer.stall_cycles else "-"


def _keyed(totals: Sequence[Totals], figures: _Figures) -> list[TotalsRow]:
    return [replace(_row(title, [value(each) for each in totals], text), key=key)
            for key, title, value, text in figures]


def _row(title: str, values: Sequence[float], text: Callable[[float], str]) -> TotalsRow:
    return TotalsRow(title, tuple(text(value) for value in values), _ratios(values))


def _ratios(values: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(value / values[0] if values[0] else None for value in values)


def _keys(totals: Sequence[Totals], column: str) -> list[str]:
    return list(dict.fromkeys(key for each in totals for key in getattr(each, column)))


def _operations_per_j(totals: Totals) -> float:
    return 2 * totals.macs / totals.energy_j if totals.energy_j else 0.0


def _clock_hz(totals: Totals) -> float:
    return totals.cycles / totals.time_s if totals.time_s else 0.0


_EFFICIENCY = "operations_per_j"
_Figures = tuple[tuple[str, str, Callable[[Totals], float], Callable[[float], str]], ...]
_CYCLES: _Figures = (
    ("macs", "MACs", lambda t: t.macs, count),
    ("parameters", "Parameters", lambda t: t.parameters, count),
    ("cycles", "Cycles", lambda t: t.cycles, count),
    ("compute_cycles", "  compute", lambda t: t.compute_cycles, count),
    ("stall_cycles", "  stalls", lambda t: t.stall_cycles, count),
)
_TOTALS: _Figures = (
    ("time_s", "Time", lambda t: t.time_s, seconds),
    ("clock_hz", "Clock", _clock_hz, lambda value: format_si(value, "Hz")),
    ("utilization", "Utilization", lambda t: t.utilization, percent),
    ("energy_j", "Energy", lambda t: t.energy_j, joules),
    ("power_w", "Power", lambda t: t.power_w, lambda value: format_si(value, "W")),
    ("area_m2", "Area", lambda t: t.area_m2, lambda value: f"{value * 1e6:.4g} mm²" if value else "-"),
    ("bit_operations", "Bit operations", lambda t: t.bit_operations, count),
    ("ace", "ACE", lambda t: t.ace, count),
)
