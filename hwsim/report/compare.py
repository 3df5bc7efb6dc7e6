"""Puts reports side by side: the same layers in the same rows, ratios to the first report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hwsim.errors import InputError, Problem
from hwsim.report.study import Study
from hwsim.report.types import Report

RATIO_METRICS = ("macs", "cycles", "compute_cycles", "stall_cycles", "time_s", "energy_j", "power_w",
                 "area_m2", "utilization")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Reports side by side: of one workload, or of the columns of a comparison file.

    Attributes
    ----------
    reports : tuple of Report
        As given; the first is the reference.
    names : tuple of str
        One distinct name per report: the chip and preset, numbered where two are equal, or the file's.
    network, graph_fingerprint : str
        The workload they share; all of them, with commas, where a file has several.
    ratios : mapping of str to tuple of float
        For each metric of the totals, value / value of the first report; None where that is zero, or where
        a reservation of the study says that it means nothing.
    study : Study or None
        What a comparison file adds.
    """

    reports: tuple[Report, ...]
    names: tuple[str, ...]
    network: str
    graph_fingerprint: str
    ratios: Mapping[str, tuple[float | None, ...]]
    study: Study | None = None

    def ratio(self, key: str, values: Sequence[float | None]) -> tuple[float | None, ...]:
        """Return every value over the first, None where that is unknown, zero or means nothing."""
        first = values[0]
        return tuple(None if value is None or first is None or not self.comparable(key, index)
                     else _ratio(value, first) for index, value in enumerate(values))

    def mark(self, key: str, column: int | None = None) -> str:
        """Return the marks of the reservations about a row, or about one cell of it."""
        return self.study.reserved(key, column) if self.study is not None else ""

    def comparable(self, key: str, column: int) -> bool:
        """Return whether the ratio of a column to the first one says something."""
        return self.study is None or not column or self.study.comparable(key, (0, column))


def align(reports: Sequence[Report] | Comparison) -> Comparison:
    """Align reports of one workload; what is aligned already stays as it is.

    Raises
    ------
    InputError
        No report at all, or reports of different graphs: comparing those says nothing about the chips.
    """
    if isinstance(reports, Comparison):
        return reports
    if not reports:
        raise InputError("nothing to compare", where="compare")
    first = reports[0]
    problems = [Problem(f"compare.{report.name}",
                        f"{_workload(report)} is not the workload of {first.name}, {_workload(first)}",
                        "compare runs of one network with the same dimensions, batch and precision")
                for report in reports[1:]
                if report.provenance["graph_fingerprint"] != first.provenance["graph_fingerprint"]]
    if problems:
        raise InputError(problems=problems)
    return side_by_side(reports, distinct_names(reports))


def side_by_side(reports: Sequence[Report], names: Sequence[str], study: Study | None = None) -> Comparison:
    """Return the reports of columns called `names`, whatever they run; `study` says what that is worth."""
    networks = dict.fromkeys(str(report.provenance["network"]) for report in reports)
    graphs = dict.fromkeys(str(report.provenance["graph_fingerprint"]) for report in reports)
    found = Comparison(tuple(reports), tuple(names), ", ".join(networks), ", ".join(graphs), {}, study)
    return replace(found, ratios={
        metric: found.ratio(metric, [getattr(report.totals, metric) for report in reports])
        for metric in RATIO_METRICS})


def distinct_names(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return one name per report, with ``#2``, ``#3`` where chip and preset repeat."""
    seen: dict[str, int] = {}
    names = []
    for report in reports:
        seen[report.name] = seen.get(report.name, 0) + 1
        names.append(report.name if seen[report.name] == 1 else f"{report.name}#{seen[report.name]}")
    return tuple(names)


def _workload(report: Report) -> str:
    return f"{report.provenance['network']} (graph {report.provenance['graph_fingerprint']})"


def _ratio(value: float, reference: float) -> float | None:
    if reference == 0 or not math.isfinite(value) or not math.isfinite(reference):
        return None
    return value / reference
