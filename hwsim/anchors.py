"""Published figures against modeled ones: every chip's anchors.toml, evaluated row by row."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hwsim import registry
from hwsim.errors import InputError, Problem, nearest
from hwsim.graph.statistics import ace, bit_operations, macs, parameters
from hwsim.graph.types import Graph
from hwsim.report.types import Report
from hwsim.run import Chip, evaluate, load
from hwsim.run import chip as choose_chip
from hwsim.units import parse_as, suffix_of

STATUSES = ("predicted", "calibrated", "unconfirmed")
FIELDS = {
    "name": str,
    "metric": str,
    "published": str,
    "tolerance_ratio": float,
    "status": str,
    "source": str,
    "where": str,
}
OPTIONAL = {
    "known_error_ratio": float,
    "reason": str,
    "network": str,
    "preset": str,
    "batch": int,
    "precision": str,
    "network_knobs": dict,
    "knobs": dict,
    "layers": list,
}


@dataclass(frozen=True, slots=True)
class AnchorResult:
    """One published figure beside the modeled one.

    Attributes
    ----------
    chip, name : str
        Whose anchor, and what it is about.
    unit : str
        Unit of both figures.
    published, modeled : float
        The figures.
    error_ratio : float
        modeled / published - 1.
    tolerance_ratio : float
        Allowed distance of the error from `known_error_ratio`.
    known_error_ratio : float
        Error that is known and explained by `reason`; 0 for figures that the model should meet.
    status : str
        predicted, calibrated (a constant was fitted to it) or unconfirmed (the figure itself is).
    source, reason : str
        Where the figure stands, and why the model is off.
    passed : bool
        Whether the error is where it is known to be.
    """

    chip: str
    name: str
    unit: str
    published: float
    modeled: float
    error_ratio: float
    tolerance_ratio: float
    known_error_ratio: float
    status: str
    source: str
    reason: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that anchors may ask for: its unit suffix, and whether it needs a chip or only a network."""

    suffix: str
    needs_chip: bool


METRICS: Mapping[str, Metric] = {
    "macs": Metric("_count", False),
    "parameters": Metric("_count", False),
    "ace": Metric("_count", False),
    "bit_operations": Metric("_count", False),
    "peak_macs_per_s": Metric("_per_s", True),
    "peak_operations_per_s": Metric("_per_s", True),
    "frames_per_s": Metric("_per_s", True),
    "time_s": Metric("_s", True),
    "power_w": Metric("_w", True),
    "chip_power_w": Metric("_w", True),
    "energy_j": Metric("_j", True),
    "area_m2": Metric("_m2", True),
    "cycles": Metric("_count", True),
    "utilization_ratio": Metric("_ratio", True),
}


def validate(chip: str | None = None) -> tuple[AnchorResult, ...]:
    """Evaluate the anchors of one chip, or of all.

    Raises
    ------
    InputError
        Unknown chip, or an anchors.toml with errors; every error of a file at once.
    """
    names = registry.accelerator_names() if chip is None else (chip.partition(":")[0],)
    results: list[AnchorResult] = []
    for name in names:
        folder = registry.load_accelerator(name).folder
        results += [judge(name, anchor) for anchor in read_anchors(folder / "anchors.toml")]
    return tuple(results)


def read_anchors(path: Path) -> tuple[dict[str, Any], ...]:
    """Return the checked rows of an anchors.toml.

    Each ``[[anchors]]`` table has name, metric, published (a text with unit), tolerance_ratio, status, source
    and where; optional are preset, knobs, network, network_knobs, batch, precision, layers (kinds of
    operators to add up), known_error_ratio and reason. A metric ``figures.NAME`` is one of the chip's own.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=where) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not TOML: {error}", where=where) from None
    rows, problems = document.get("anchors", []), []
    for index, row in enumerate(rows):
        place = f"{where}.{row.get('name', index)}"
        problems += [Problem(place, f"{field} is missing") for field in FIELDS if field not in row]
        problems += [
            Problem(f"{place}.{field}", "unknown field", nearest(field, {**FIELDS, **OPTIONAL}))
            for field in row
            if field not in FIELDS and field not in OPTIONAL
        ]
        problems += _value_problems(place, row)
    if problems:
        raise InputError(problems=problems)
    return tuple(rows)


def _value_problems(place: str, row: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for field, kind in {**FIELDS, **OPTIONAL}.items():
        if field in row and not isinstance(row[field], (int, float) if kind is float else kind):
            problems.append(Problem(f"{place}.{field}", f"{row[field]!r} is no {kind.__name__}"))
    if row.get("status") not in (*STATUSES, None):
        problems.append(
            Problem(f"{place}.status", f"{row['status']!r}", nearest(str(row["status"]), STATUSES))
        )
    if row.get("metric") not in (*METRICS, None) and not _own_figure(row["metric"]):
        problems.append(
            Problem(f"{place}.metric", f"{row['metric']!r}", nearest(str(row["metric"]), METRICS))
        )
    if row.get("known_error_ratio") and not row.get("reason"):
        problems.append(Problem(place, "a known error needs its reason"))
    if isinstance(row.get("tolerance_ratio"), (int, float)) and not 0 <= row["tolerance_ratio"] < math.inf:
        problems.append(
            Problem(f"{place}.tolerance_ratio", f"{row['tolerance_ratio']} is no finite ratio >= 0")
        )
    return problems


def _own_figure(metric: str) -> str:
    """Return the name behind ``figures.``, a figure that the chip itself works out; "" for other metrics."""
    name = metric.removeprefix("figures.")
    return name if name != metric and suffix_of(name) else ""


def judge(chip: str, row: Mapping[str, Any]) -> AnchorResult:
    """Return what the model says of one row of `read_anchors`."""
    own = _own_figure(row["metric"])
    metric = Metric(f"_{suffix_of(own)}", True) if own else METRICS[row["metric"]]
    try:
        published = float(parse_as(row["published"], metric.suffix))
    except InputError as refusal:
        raise InputError(problems=refusal.inside(f"{chip}.{row['name']}.published").problems) from None
    modeled = _modeled(chip, row, metric)
    error = modeled / published - 1
    known = float(row.get("known_error_ratio", 0.0))
    return AnchorResult(
        chip,
        row["name"],
        metric.suffix.strip("_").replace("_", " "),
        published,
        modeled,
        error,
        float(row["tolerance_ratio"]),
        known,
        row["status"],
        f"{row['source']}, {row['where']}",
        row.get("reason", ""),
        abs(error - known) <= row["tolerance_ratio"] + 1e-12,
    )


def _modeled(chip: str, row: Mapping[str, Any], metric: Metric) -> float:
    graph = _network(
        row.get("network", "mlp_mnist"),
        row.get("batch"),
        row.get("precision"),
        tuple(sorted(row.get("network_knobs", {}).items())),
    )
    if not metric.needs_chip:
        counts = {"macs": macs, "ace": ace, "bit_operations": bit_operations, "parameters": parameters}
        return float(counts[row["metric"]](graph))
    target = choose_chip(f"{chip}:{row['preset']}" if "preset" in row else chip, **row.get("knobs", {}))
    if own := _own_figure(row["metric"]):
        return _figure(own, graph, target)
    report = evaluate(graph, target)
    return _measure(row["metric"], report, row.get("layers"), row.get("batch", 1), target.accelerator.offchip)


def _figure(name: str, graph: Graph, target: Chip) -> float:
    accelerator, design = target.accelerator, target.design
    found = accelerator.figures(accelerator.prepare(graph, design), design) if accelerator.figures else {}
    if name not in found:
        raise InputError(f"no figure {name!r}", where=target.name, hint=nearest(name, found))
    return found[name]


@cache
def _network(
    name: str, batch: int | None, precision: str | None, knobs: tuple[tuple[str, Any], ...]
) -> Graph:
    if not knobs:
        return load(name, batch=batch, precision=precision)
    return registry.load_workload(name, dict(knobs) | ({"batch": batch} if batch else {}))


def _measure(metric: str, report: Report, kinds: Sequence[str] | None, batch: int, offchip: str) -> float:
    chosen = {layer.name for layer in report.layers if kinds is None or layer.kind in kinds}
    chosen |= {layer.name for layer in report.layers if layer.fused_into in chosen}
    layers = [layer for layer in report.layers if layer.name in chosen]
    time_s, energy_j = sum(layer.time_s for layer in layers), sum(layer.energy_j for layer in layers)
    away_j = sum(layer.energy_j_by_unit.get(offchip, 0.0) for layer in layers)
    peak = report.roofline["peak_macs_per_s"]
    figures = {
        "peak_macs_per_s": peak,
        "peak_operations_per_s": 2 * peak,
        "frames_per_s": batch / time_s,
        "time_s": time_s,
        "power_w": energy_j / time_s,
        "chip_power_w": (energy_j - away_j) / time_s,
        "energy_j": energy_j,
        "area_m2": report.totals.area_m2,
        "cycles": float(sum(layer.cycles for layer in layers)),
        "utilization_ratio": report.totals.utilization,
    }
    return figures[metric]
