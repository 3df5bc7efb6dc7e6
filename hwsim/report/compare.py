"""Puts reports of one workload side by side: the same layers in the same rows, ratios to the first report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwsim.errors import InputError, Problem
from hwsim.report.types import Layer, Report

RATIO_METRICS = ("macs", "cycles", "compute_cycles", "stall_cycles", "time_s", "energy_j", "power_w",
                 "area_m2", "utilization")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Reports of one workload, aligned.

    Attributes
    ----------
    reports : tuple of Report
        As given; the first is the reference.
    names : tuple of str
        One distinct name per report: the chip and preset, numbered where two are equal.
    network, graph_fingerprint : str
        The workload they share.
    layer_names : tuple of str
        Every layer of any report, in the order of the first report that has it.
    ratios : mapping of str to tuple of float
        For each metric of the totals, value / value of the first report; None where that is zero.
    """

    reports: tuple[Report, ...]
    names: tuple[str, ...]
    network: str
    graph_fingerprint: str
    layer_names: tuple[str, ...]
    ratios: Mapping[str, tuple[float | None, ...]]

    def rows(self) -> list[tuple[str, tuple[Layer | None, ...]]]:
        """Return each layer name with its layer in every report, None where a report lacks it."""
        tables = [{layer.name: layer for layer in report.layers} for report in self.reports]
        return [(name, tuple(table.get(name) for table in tables)) for name in self.layer_names]


def align(reports: Sequence[Report]) -> Comparison:
    """Align reports of one workload.

    Raises
    ------
    InputError
        No report at all, or reports of different graphs: comparing those says nothing about the chips.
    """
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
    layer_names = tuple(dict.fromkeys(layer.name for report in reports for layer in report.layers))
    ratios = {metric: tuple(_ratio(getattr(report.totals, metric), getattr(first.totals, metric))
                            for report in reports) for metric in RATIO_METRICS}
    return Comparison(tuple(reports), distinct_names(reports), str(first.provenance["network"]),
                      str(first.provenance["graph_fingerprint"]), layer_names, ratios)


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
