"""The table of a comparison, one row per figure, a column and a ratio per chip: CSV, JSON or LaTeX."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.report.accuracy import accuracy_rows
from hwsim.report.compare import RATIO_METRICS, Comparison, align, distinct_names
from hwsim.report.difference import EnergyPart, TimePart, accounting_warnings, energy_parts, time_parts
from hwsim.report.evidence import evidence_shares
from hwsim.report.normalised import inferences, normalised_rows, technology_lines, technology_rows
from hwsim.report.study import Study, mark_of
from hwsim.report.totals_rows import TotalsRow, figure_rows, percent, reserved, totals_rows
from hwsim.report.types import Report
from hwsim.units import suffix_of, unit_of

SUFFIXES = (".csv", ".json", ".tex")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One figure of every chip.

    Attributes
    ----------
    section : str
        "totals", "per work", "one technology", "evidence" or "figures of the chips".
    key, title, unit : str
        Name for programs, name for people, unit of `values`.
    values : tuple of float or None
        None where a chip has no such figure.
    texts : tuple of str
        The same for people.
    ratios : tuple of float or None
        Value over that of the baseline, which is the first column.
    mark, marks : str, tuple of str
        Reservations about the row, and about each of its cells.
    """

    section: str
    key: str
    title: str
    unit: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]
    ratios: tuple[float | None, ...]
    mark: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A comparison as one table.

    Attributes
    ----------
    network : str
        What all chips run.
    names : tuple of str
        Chips; the first is the baseline.
    rows : tuple of SheetRow
        Figures, section by section.
    notes, warnings : tuple of str
        How figures were scaled; where columns rest on different evidence or accounting.
    energy, time : tuple of tuple of parts
        For every chip but the baseline, where its difference from the baseline comes from.
    study : Study or None
        What a comparison file adds.
    """

    network: str
    names: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    energy: tuple[tuple[EnergyPart, ...], ...]
    time: tuple[tuple[TimePart, ...], ...]
    study: Study | None = None

    def section(self, *names: str) -> list[SheetRow]:
        """Return the rows of some sections."""
        return [row for row in self.rows if row.section in names]


def baseline_first(reports: Sequence[Report], name: str | None) -> tuple[Report, ...]:
    """Return the reports with the one called `name` before the others; as they are for None.

    Raises
    ------
    InputError
        No report, or several, of that name; with the nearest name.
    """
    at = baseline_place(distinct_names(reports), [report.provenance["chip"] for report in reports], name)
    return (reports[at], *reports[:at], *reports[at + 1 :])


def baseline_place(names: Sequence[str], chips: Sequence[str], name: str | None) -> int:
    """Return the place of the column, or of the only column of the chip, called `name`; 0 for None."""
    if name is None:
        return 0
    found = [at for at, own in enumerate(names) if own == name]
    found = found or [at for at, chip in enumerate(chips) if chip == name]
    if len(found) != 1:
        reason = f"no column is called {name!r}" if not found else f"{name!r} fits {len(found)} columns"
        hint = nearest(name, names) if not found else ", ".join(names[at] for at in found)
        raise InputError(reason, where="--baseline", hint=hint or f"columns: {', '.join(names)}")
    return found[0]


def sheet_of(reports: Sequence[Report] | Comparison) -> Sheet:
    """Return the table of reports side by side; the first is the baseline.

    Raises
    ------
    InputError
        No report, or reports of different workloads.
    """
    comparison = align(reports)
    reports = comparison.reports
    rows = _totals(comparison)
    rows += [_sheet_row(comparison, "per work", *each) for each in normalised_rows(reports)]
    rows += [_sheet_row(comparison, "one technology", *each) for each in technology_rows(reports)]
    rows += [_sheet_row(comparison, "accuracy", *each) for each in accuracy_rows(comparison)]
    rows += [SheetRow("evidence", f"evidence_{kind}_ratio", f"Energy on {kind} numbers", "1", tuple(shares),
                      tuple(percent(share) for share in shares), (None,) * len(reports))
             for kind, shares in evidence_shares(reports)]
    for row in figure_rows(reports):
        suffix = suffix_of(row.title)
        values = tuple(report.figures.get(row.title) for report in reports)
        rows.append(SheetRow("figures of the chips", row.title, row.title, unit_of(suffix) if suffix else "1",
                             values, row.texts, row.ratios))
    others = reports[1:]
    warnings = () if comparison.study else accounting_warnings(comparison.names, reports)
    return Sheet(comparison.network, comparison.names, tuple(rows), _notes(comparison), tuple(warnings),
                 tuple(energy_parts(reports[0], other) for other in others),
                 tuple(time_parts(reports[0], other) for other in others), comparison.study)


def _totals(comparison: Comparison) -> list[SheetRow]:
    found = {row.key: row for row in totals_rows(comparison)}
    rows = []
    for metric in RATIO_METRICS:
        row, suffix = found[metric], suffix_of(metric)
        values = tuple(_known(metric, getattr(report.totals, metric)) for report in comparison.reports)
        rows.append(SheetRow("totals", metric, row.title.strip(), unit_of(suffix) if suffix else "1", values,
                             row.texts, comparison.ratios[metric], row.mark, row.marks))
    return rows


def _known(metric: str, value: float) -> float | None:
    """Return a total as a number; an area of nothing is one that nobody published."""
    return None if metric == "area_m2" and not value else float(value)


def _sheet_row(comparison: Comparison, section: str, key: str, unit: str, values: Sequence[float | None],
               row: TotalsRow) -> SheetRow:
    own = reserved(comparison, replace(row, key=key))
    return SheetRow(section, key, own.title, unit, tuple(values), own.texts, own.ratios, own.mark, own.marks)


def _notes(comparison: Comparison) -> tuple[str, ...]:
    batches = {inferences(report) for report in comparison.reports}
    known = sorted(batch for batch in batches if batch is not None)
    told = (f"a run is a batch of {known[0]}" if len(batches) == 1 and known
            else f"runs are batches of {', '.join(map(str, known))}" if None not in batches
            else "the network states no batch: a run counts as one inference")
    return (f"baseline: {comparison.names[0]}; {told}",
            *technology_lines(comparison.names, comparison.reports))


def to_csv(sheet: Sheet) -> str:
    """Return the table as CSV: exact values in the unit named, then ratios to the baseline."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["section", "figure", "unit", *sheet.names,
                     *(f"{name} / {sheet.names[0]}" for name in sheet.names[1:])])
    for row in sheet.rows:
        cells = ["" if value is None else repr(value) for value in (*row.values, *row.ratios[1:])]
        writer.writerow([row.section, row.key, row.unit, *cells])
    for place, each in enumerate(sheet.study.reservations if sheet.study else ()):
        about = ["1" if not each.columns or at in each.columns else "" for at in range(len(sheet.names))]
        figures = " ".join(each.figures)
        writer.writerow(["reservation", f"{mark_of(place)}: {each.reason}", figures, *about])
    return text.getvalue()


def to_json(sheet: Sheet) -> str:
    """Return the table, notes, warnings and differences as JSON; null where a chip lacks a figure."""
    hidden = {"texts"} if sheet.study else {"texts", "mark", "marks"}
    document: dict[str, Any] = {
        "network": sheet.network, "baseline": sheet.names[0], "names": sheet.names,
        "rows": [{key: value for key, value in asdict(row).items() if key not in hidden}
                 for row in sheet.rows],
        "notes": sheet.notes, "warnings": sheet.warnings,
        "differences": [
            {"name": name,
             "energy": [asdict(part) | {"difference_j": part.difference_j} for part in energy],
             "time": [asdict(part) | {"difference_s": part.difference_s} for part in time]}
            for name, energy, time in zip(sheet.names[1:], sheet.energy, sheet.time, strict=True)]}
    if sheet.study is not None:
        document["study"] = sheet.study.to_document(sheet.names)
    return json.dumps(_finite(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_latex(sheet: Sheet) -> str:
    """Return the table for a document that loads booktabs, values with their units as text."""
    columns = len(sheet.names)
    lines = [f"% {sheet.network}: {note}".replace("\n", " ") for note in (*sheet.notes, *sheet.warnings)]
    lines += [rf"\begin{{tabular}}{{l{'r' * columns}{'r' * (columns - 1)}}}", r"\toprule"]
    heads = ["", *sheet.names, *(f"{name} / first" for name in sheet.names[1:])]
    lines += [" & ".join(map(_tex, heads)) + r" \\", r"\midrule"]
    section = sheet.rows[0].section if sheet.rows else ""
    for row in sheet.rows:
        if row.section != section:
            section = row.section
            lines.append(r"\addlinespace")
        ratios = ["--" if ratio is None else f"{ratio:.3g}" for ratio in row.ratios[1:]]
        marks = row.marks or ("",) * len(row.texts)
        cells = ["--" if cell == "-" else _tex(cell) + _raised(mark)
                 for cell, mark in zip(row.texts, marks, strict=True)]
        lines.append(" & ".join([_tex(row.title) + _raised(row.mark), *cells, *ratios]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    for place, each in enumerate(sheet.study.reservations if sheet.study else ()):
        lines.append(rf"\par\footnotesize {_raised(mark_of(place))}{_tex(each.reason)}")
    return "\n".join(lines) + "\n"


WRITERS: Mapping[str, Callable[[Sheet], str]] = {".csv": to_csv, ".json": to_json, ".tex": to_latex}
_TEX = {"\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{",
        "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "µ": r"\textmu{}",
        "²": r"\textsuperscript{2}", "<": r"\textless{}", "\n": " "}


def _raised(mark: str) -> str:
    return rf"\textsuperscript{{{mark}}}" if mark else ""


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text if character.isprintable())


def _finite(value: Any) -> Any:
    """Write infinite numbers as text, the form that reports use."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
