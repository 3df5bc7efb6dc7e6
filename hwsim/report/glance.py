"""A comparison of many columns on one screen: a row per column, marks where a figure has a reservation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.report.compare import Comparison
from hwsim.report.comparison_table import Sheet, sheet_of
from hwsim.report.difference import weak_share
from hwsim.report.evidence import evidence_shares
from hwsim.report.normalised import technology
from hwsim.report.reservations import PRICES
from hwsim.report.study import COLUMN, STATED, Study, mark_of
from hwsim.report.totals_rows import percent

_SHOWN = (("energy_j_per_inference", "Energy", True), ("time_s_per_inference", "Time", True),
          ("energy_j_per_mac", "Energy per MAC", False), ("area_m2", "Area", False),
          ("misclassified_ratio", "Misclassified (95 % interval)", False))


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and the marks of its reservations."""

    text: str
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.text} [{self.mark}]" if self.mark else self.text


@dataclass(frozen=True, slots=True)
class GlanceTable:
    """A table with heads and one row per column of the comparison.

    Attributes
    ----------
    title : str
        What it shows.
    heads : tuple of Cell
        Of its own columns; marks concern them as a whole.
    rows : tuple of tuple of Cell
        As wide as `heads`.
    words : int
        How many of the first columns hold words, which stand at the left.
    """

    title: str
    heads: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int


def glance_tables(comparison: Comparison) -> tuple[GlanceTable, ...]:
    """Return the tables of a study: figures of every column, what they rest on, and what each column is.

    Raises
    ------
    ValueError
        The comparison is not one of a comparison file.
    """
    if comparison.study is None:
        raise ValueError("no study")
    return (_figures(comparison, sheet_of(comparison)), _evidence(comparison),
            _columns(comparison, comparison.study))


def reservation_lines(study: Study) -> list[str]:
    """Return the reservations with their marks, those that a person stated named so."""
    return [f"[{mark_of(place)}] {each.reason}" + (" (stated)" if each.rule == STATED else "")
            for place, each in enumerate(study.reservations)]


def _names(comparison: Comparison) -> list[Cell]:
    return [Cell(name, comparison.mark(COLUMN, at)) for at, name in enumerate(comparison.names)]


def _columns(comparison: Comparison, study: Study) -> GlanceTable:
    rows = [(Cell(name), Cell(report.name), Cell(str(report.provenance["network"])),
             Cell(str(report.provenance["graph_fingerprint"])[:12]), Cell(settings or "-"))
            for name, report, settings in zip(comparison.names, comparison.reports, study.settings,
                                              strict=True)]
    heads = tuple(map(Cell, ("Column", "Chip", "Network", "Graph", "Changed from the preset")))
    return GlanceTable("Columns", heads, tuple(rows), len(heads))


def _figures(comparison: Comparison, sheet: Sheet) -> GlanceTable:
    found = {row.key: row for row in sheet.rows}
    heads, columns = [Cell("Per inference")], [_names(comparison)]
    for key, title, with_ratio in _SHOWN:
        row = found.get(key)
        if row is None:
            continue
        heads.append(Cell(title, row.mark))
        columns.append([_cell(text, row.marks[at], row.values[at]) for at, text in enumerate(row.texts)])
        if with_ratio:
            heads.append(Cell("÷ first"))
            columns.append([Cell("-" if ratio is None else f"{ratio:.3g}") for ratio in row.ratios])
    return GlanceTable("Figures", tuple(heads), tuple(zip(*columns, strict=True)), 1)


def _cell(text: str, mark: str, value: float | None) -> Cell:
    """Return a figure; an area of nothing is one that nobody knows."""
    return Cell("-" if value == 0 and text.endswith("mm²") else text, mark)


def _evidence(comparison: Comparison) -> GlanceTable:
    reports = comparison.reports
    shares = evidence_shares(reports)
    heads = [Cell("Energy rests on"), *(Cell(kind) for kind, _ in shares), Cell("Technology"),
             Cell("Coverage")]
    columns: list[Sequence[Cell]] = [[Cell(name) for name in comparison.names]]
    columns += [[Cell(percent(share) if share else "-") for share in own] for _, own in shares]
    columns.append([Cell("not stated" if technology(report).node_m is None else str(technology(report)))
                    for report in reports])
    columns.append([Cell(_coverage(report.totals.macs, int(report.coverage.get("macs", 0))))
                    for report in reports])
    return GlanceTable("Evidence", tuple(heads), tuple(zip(*columns, strict=True)), 1)


def _coverage(costed: int, whole: int) -> str:
    return f"{costed:,} MACs" + (f" of {whole:,}" if costed != whole else "")


def is_firm(comparison: Comparison, column: int) -> bool:
    """Return whether most of a column's energy rests on reported, derived or measured numbers."""
    chosen = comparison.study is not None and any(each.rule == PRICES and column in each.columns
                                                  for each in comparison.study.reservations)
    return not chosen and weak_share(comparison.reports[column]) <= 0.5
