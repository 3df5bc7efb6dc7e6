"""One self-contained HTML page of one or several reports: works offline, tables sort, the data is inside."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hwsim.report.compare import Comparison, align
from hwsim.report.comparison_table import sheet_of
from hwsim.report.difference_table import ENERGY_HEADS, TIME_HEADS, energy_rows, time_rows
from hwsim.report.evidence import evidence_shares
from hwsim.report.json_form import comparison_to_json, to_json
from hwsim.report.rows import Stage, stages
from hwsim.report.study import COLUMN, STATED, Study, mark_of
from hwsim.report.totals_rows import (
    Metric,
    coverage_line,
    figure_rows,
    gathered,
    layer_metrics,
    statements,
    totals_rows,
)
from hwsim.report.types import EventRow, Price, Report
from hwsim.units import format_si

if TYPE_CHECKING:
    from hwsim.report.service import Sustainability

MAX_PAGE_BYTES = 1_000_000
_PLAIN_JSON_BYTES = 250_000
_FIGURE_REPORTS = 4
_MOST_PARTS = 15
_MOST_DIFFERENCES = 15


def to_html(reports: Sequence[Report] | Comparison, service: Sustainability | None = None) -> str:
    """Return a page on reports of one workload, or on the columns of a comparison file.

    Parameters
    ----------
    reports : sequence of Report, or Comparison
        One or several; several stand side by side, with ratios to the first.
    service : Sustainability, optional
        The same chips in service: embodied energy and carbon, and when they pay back.

    Returns
    -------
    str
        HTML under 1 MB without references to anything outside. The JSON form lies inside, compressed if
        large; where the page would grow past 1 MB it is left out, then the lightest layers, and it says so.

    Raises
    ------
    InputError
        No report, or reports of different workloads.
    """
    comparison = align(reports)
    reports, study = comparison.reports, comparison.study
    service = service or (study.service if study is not None else None)
    told = statements if study is None else gathered
    context = {
        "coverage": told(comparison.names, [(coverage_line(report),) for report in reports]),
        "warnings": told(comparison.names, [report.warnings for report in reports]),
        "title": study.title if study else f"{comparison.network} on {', '.join(comparison.names)}",
        "network": comparison.network, "study": _study_view(comparison, study),
        "heads": [(name, comparison.mark(COLUMN, at)) for at, name in enumerate(comparison.names)],
        "names": comparison.names, "reports": [_report_view(name, report) for name, report
                                               in zip(comparison.names, reports, strict=True)],
        "totals": totals_rows(comparison, own_figures=study is None),
        "own_figures": figure_rows(reports) if study is not None else [],
        "evidence": evidence_shares(reports), "figures": _figures(comparison),
        "constants": _constants(reports), "service": _service_view(service, 0 if study else None),
        "sheet": _sheet_view(comparison), "metrics": reports[0].metrics, "provenance": _provenance(reports),
    }
    document = to_json(reports[0]) if len(reports) == 1 else comparison_to_json(comparison)
    data: dict[str, str] | None = _embedded(document)
    rows = len({layer.name for report in reports for layer in report.layers})
    while True:
        page = _render(context | {"data": data, "layers": _layer_view(reports, comparison.names, rows)})
        if len(page.encode()) <= MAX_PAGE_BYTES or rows == 0:
            return page
        data, rows = None, rows if data else rows // 2


def _study_view(comparison: Comparison, study: Study | None) -> dict[str, Any] | None:
    """Return the tables, pictures and reservations of a comparison file."""
    if study is None:
        return None
    from hwsim.report.glance import glance_tables
    from hwsim.report.pictures.study import energy_and_time, errors_and_energy

    told = ("Filled marks rest mostly on reported, derived or measured numbers, hollow ones on unconfirmed "
            "or assumed numbers, or on prices that the file sets. Point at a mark for its values.")
    pictures = [{"title": title, "svg": svg, "text": told} for title, svg in (
        ("Energy and time per inference", energy_and_time(comparison)),
        ("Misclassified samples and energy per inference", errors_and_energy(comparison))) if svg]
    return {"title": study.title, "question": study.question, "task": study.task, "pictures": pictures,
            "tables": glance_tables(comparison), "stated": STATED,
            "reservations": [(mark_of(place), each) for place, each in enumerate(study.reservations)],
            "runs": [(name, line) for name, each in zip(comparison.names, study.measured, strict=False)
                     for line in (*each.notes, *each.warnings)]}


def _sheet_view(comparison: Comparison) -> dict[str, Any] | None:
    """Return figures per unit of work and in one technology, and where differences come from."""
    if len(comparison.reports) < 2:
        return None
    sheet = sheet_of(comparison)
    parts = zip(sheet.names[1:], sheet.energy, sheet.time, strict=True)
    return {"rows": sheet.section("per work", "one technology", "accuracy"), "notes": sheet.notes,
            "warnings": sheet.warnings, "energy_heads": ENERGY_HEADS, "time_heads": TIME_HEADS,
            "differences": [(name, energy_rows(energy, _MOST_PARTS), time_rows(time, _MOST_PARTS))
                            for name, energy, time in parts][:_MOST_DIFFERENCES]}


def _service_view(service: Sustainability | None, about: int | None) -> dict[str, Any] | None:
    if service is None:
        return None
    from hwsim.report.pictures.service import figures
    from hwsim.report.service_table import CHIP_HEADS, PAIR_HEADS, chip_rows, notes, pair_rows

    return {"label": service.scenario.label, "chip_heads": CHIP_HEADS, "chips": chip_rows(service),
            "about": "" if about is None else service.chips[about].name,
            "pair_heads": PAIR_HEADS, "pairs": pair_rows(service, about), "notes": notes(service),
            "figures": figures(service)}


def _render(context: dict[str, Any]) -> str:
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("hwsim.report", "page"), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("page.html").render(context)


def _report_view(name: str, report: Report) -> dict[str, Any]:
    return {"name": name, "prices": _price_view(report)}


def _figures(comparison: Comparison) -> list[dict[str, Any]]:
    """Return pictures of the columns; those of single ones are folded away where there are many."""
    from hwsim.report.pictures import plots

    reports, names, many = comparison.reports, comparison.names, comparison.study is not None
    drawn: list[dict[str, Any]] = []

    def add(title: str, svg: str, text: str = "", *, folded: bool = False) -> None:
        drawn.append({"title": title, "svg": svg, "text": text, "folded": folded})

    if any(report.roofline.get("peak_macs_per_s") for report in reports):
        add("Roofline", plots.roofline(reports, names),
            "Each mark is a layer, its area the share of the run's time. Drawn are at most "
            f"{plots.MOST_MARKS} layers, the longest. Point at a mark for its name.")
    if many:
        add("Where the energy goes", plots.energy_totals(reports, names, shares=True))
    elif len(reports) > 1:
        add("Total energy by unit", plots.energy_totals(reports, names))
    shown = list(zip(names, reports, strict=True))
    for name, report in shown if many else shown[:_FIGURE_REPORTS]:
        add(f"Energy per layer: {name}", plots.energy_bars(report), folded=many)
        if not many:
            add(f"Cycles per layer: {name}", plots.cycle_bars(report))
    return drawn


def _layer_view(reports: Sequence[Report], names: Sequence[str], most: int) -> dict[str, Any]:
    """Return the `most` heaviest rows of the per-layer table; fused operators join their layer."""
    tables = _layer_tables(reports)
    order = dict.fromkeys(name for table in tables for name in table)
    metrics = layer_metrics()
    heaviest = sorted(order, key=lambda name: -sum(table[name].energy_j for table in tables if name in table))
    kept = set(heaviest[:most])
    rows = [_layer_row(number, name, [table.get(name) for table in tables], metrics)
            for number, name in enumerate(order, start=1) if name in kept]
    return {"heads": [metric.title for metric in metrics], "names": names, "rows": rows,
            "left_out": len(order) - len(rows)}


def _layer_tables(reports: Sequence[Report]) -> list[dict[str, Stage]]:
    """Return the layers of every report by name; by network as well where equal names differ in shape."""
    shapes: dict[str, set[tuple[int, ...]]] = {}
    for report in reports:
        for layer in report.layers:
            shapes.setdefault(layer.name, set()).add(layer.shape)
    unlike = {name for name, found in shapes.items() if len(found) > 1}
    return [{_layer_title(report, stage) if stage.layer.name in unlike else stage.layer.name: stage
             for stage in stages(report)} for report in reports]


def _layer_title(report: Report, stage: Stage) -> str:
    shape = "x".join(map(str, stage.layer.shape))
    return f"{report.provenance['network']}: {stage.layer.name} ({shape})"


def _layer_row(number: int, name: str, found: Sequence[Stage | None],
               metrics: Sequence[Metric]) -> dict[str, Any]:
    stage = next(stage for stage in found if stage is not None)
    layer = stage.layer
    cells = [None if each is None else [(metric.value(each), metric.text(each)) for metric in metrics]
             for each in found]
    return {"number": number, "name": name, "kind": layer.kind,
            "shape": "x".join(map(str, layer.shape)), "macs": stage.macs,
            "fused": ", ".join(member.name for member in stage.fused), "fused_count": len(stage.fused),
            "mapping": layer.mapping, "cells": cells}


def _price_view(report: Report) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], list[EventRow]] = {}
    for row in report.events:
        sums.setdefault((row.unit, row.action), []).append(row)
    prices = {(price.unit, price.action): price for price in report.prices}
    view = []
    for (unit, action), rows in sums.items():
        joules = sum(row.energy_j for row in rows)
        price = prices.get((unit, action))
        share = joules / report.totals.energy_j if report.totals.energy_j else 0.0
        view.append({"unit": unit, "action": action,
                     "events": sum(row.events for row in rows), "bits": sum(row.bits for row in rows),
                     "energy_j": joules, "energy": format_si(joules, "J"),
                     "share": share, "price": _price_text(price), "formula": price.formula if price else "",
                     "kind": rows[0].kind, "constants": price.constants if price else ()})
    return sorted(view, key=lambda row: -float(row["energy_j"]))


def _price_text(price: Price | None) -> str:
    if price is None:
        return ""
    if price.unit == "overhead":
        return f"{price.energy_j:.4g} J/J"
    texts = [format_si(price.energy_j, "J")] if price.energy_j else []
    texts += [format_si(price.energy_j_per_bit, "J/b")] if price.energy_j_per_bit else []
    return " + ".join(texts)


def _constants(reports: Sequence[Report]) -> list[dict[str, Any]]:
    merged = {key: record for report in reports for key, record in report.constants.items()}
    empty = dict.fromkeys(("value", "kind", "where", "title", "source", "note"), "")
    return [{"key": key, **empty, **record, "link": _link(str(record.get("doi") or ""))}
            for key, record in sorted(merged.items())]


def _link(doi: str) -> str:
    """Return a web address for a DOI or an http(s) address, nothing for anything else."""
    if doi.startswith(("https://", "http://")):
        return doi
    return f"https://doi.org/{doi}" if doi.startswith("10.") else ""


def _provenance(reports: Sequence[Report]) -> list[tuple[str, list[str]]]:
    flat = [_flattened(report.provenance) for report in reports]
    keys = dict.fromkeys(key for entries in flat for key in entries)
    return [(key, [entries.get(key, "") for entries in flat]) for key in keys]


def _flattened(entries: Any, prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in entries.items():
        if isinstance(value, dict):
            found |= _flattened(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found


def _embedded(document: str) -> dict[str, str]:
    """Return the JSON as it may stand in a script element, compressed if it is large."""
    if len(document) <= _PLAIN_JSON_BYTES:
        return {"encoding": "plain", "text": document.replace("<", "\\u003c")}
    packed = gzip.compress(document.encode(), compresslevel=9, mtime=0)
    return {"encoding": "gzip", "text": base64.b64encode(packed).decode()}
