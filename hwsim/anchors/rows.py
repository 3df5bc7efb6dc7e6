"""Rows of an anchors.toml: which figure is published where, and what in the model answers it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.errors import InputError, Problem, nearest
from hwsim.reading import parse_toml, read_text
from hwsim.units import suffix_of

MOST_BYTES = 2**24
STATUSES = ("predicted", "calibrated", "unconfirmed")
COMPARISONS = ("equal", "at_most", "at_least")
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
    "activations": str,
    "network_knobs": dict,
    "knobs": dict,
    "layers": list,
    "unit": str,
    "baseline": dict,
    "comparison": str,
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that anchors may ask for.

    Attributes
    ----------
    suffix : str
        Its unit.
    needs_chip, needs_baseline : bool
        Whether it needs a chip or only a network, and the same chip with other knobs beside it.
    """

    suffix: str
    needs_chip: bool
    needs_baseline: bool = False


METRICS: Mapping[str, Metric] = {
    "macs": Metric("_count", False),
    "parameters": Metric("_count", False),
    "ace": Metric("_count", False),
    "bit_operations": Metric("_count", False),
    "kept_parameters": Metric("_count", False),
    "weight_bytes": Metric("_bytes", False),
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
    "executed_operations_per_s": Metric("_per_s", True),
    "executed_operations_per_j": Metric("_per_j", True),
    "offchip_bits_per_s": Metric("_bits_per_s", True),
    "unit_bits": Metric("_bits", True),
    "weight_saving_ratio": Metric("_ratio", True, True),
    "speedup_ratio": Metric("_ratio", True, True),
    "equivalent_operations_per_s": Metric("_per_s", True, True),
    "equivalent_operations_per_j": Metric("_per_j", True, True),
}


def read_anchors(path: Path) -> tuple[dict[str, Any], ...]:
    """Return the checked rows of an anchors.toml.

    Each ``[[anchors]]`` table has name, metric, published (a text with unit), tolerance_ratio, status, source
    and where; optional are preset, knobs, network, network_knobs, batch, precision, activations (their
    precision where it is not that of the weights), layers (kinds of operators to add up), known_error_ratio,
    reason, comparison (equal; at_most or at_least for bounds) and baseline (knobs on top of the others).
    Executed operations are twice the MACs that were not skipped; equivalent ones are those that the baseline
    executes. Per joule means the chip without its off-chip unit. unit_bits are those that `unit` handles;
    weight_bytes are those of matrix products, in the formats of the chip where a preset is named. A metric
    ``figures.NAME`` is one of the chip's own.
    """
    where = f"{path.parent.name}/{path.name}"
    document = parse_toml(read_text(path, most_bytes=MOST_BYTES, where=where), where)
    rows, problems = document.get("anchors", []), []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("anchors are no tables", where=where, hint="write [[anchors]] above each")
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
        hint = nearest(str(row["status"]), STATUSES)
        problems.append(Problem(f"{place}.status", f"{row['status']!r}", hint))
    metric = str(row.get("metric", ""))
    if metric and metric not in METRICS and not own_figure(metric):
        problems.append(Problem(f"{place}.metric", f"{row['metric']!r}", nearest(metric, METRICS)))
    if (comparison := row.get("comparison")) not in (*COMPARISONS, None):
        hint = nearest(str(comparison), COMPARISONS)
        problems.append(Problem(f"{place}.comparison", f"{comparison!r}", hint))
    if metric in METRICS and METRICS[metric].needs_baseline != ("baseline" in row):
        problems.append(Problem(f"{place}.baseline", f"wrong or missing with metric {metric}"))
    if (metric == "unit_bits") != ("unit" in row):
        problems.append(Problem(f"{place}.unit", "goes with unit_bits only, and always"))
    if row.get("known_error_ratio") and not row.get("reason"):
        problems.append(Problem(place, "a known error needs its reason"))
    if isinstance(row.get("tolerance_ratio"), (int, float)) and not 0 <= row["tolerance_ratio"] < math.inf:
        reason = f"{row['tolerance_ratio']} is no finite ratio >= 0"
        problems.append(Problem(f"{place}.tolerance_ratio", reason))
    return problems


def own_figure(metric: str) -> str:
    """Return the name behind ``figures.``, a figure that the chip itself works out; "" for other metrics."""
    name = metric.removeprefix("figures.")
    return name if name != metric and suffix_of(name) else ""
