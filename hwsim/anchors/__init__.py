"""Published figures against modeled ones, row by row: every chip's anchors.toml, and the carbon methods'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hwsim import registry
from hwsim.anchors.rows import METRICS, Metric, own_figure, read_anchors
from hwsim.errors import InputError, nearest
from hwsim.graph.contraction import matrix_products
from hwsim.graph.formats import parse_format
from hwsim.graph.passes import set_precision
from hwsim.graph.statistics import ace, bit_operations, macs, parameters
from hwsim.graph.types import Graph
from hwsim.model.carbon.published import CARBON, FOLDER, published_figures
from hwsim.model.types import Accelerator
from hwsim.report.types import Report
from hwsim.run import Chip, evaluate, load
from hwsim.run import chip as choose_chip
from hwsim.units import parse_as, suffix_of, unit_of

__all__ = ["AnchorResult", "Networks", "judge", "kept_parameters", "read_anchors", "validate", "weight_bytes"]

Networks = dict[tuple[str, ...], Graph]

NETWORK_FIELDS = ("network", "batch", "precision", "activations", "network_knobs")


@dataclass(frozen=True, slots=True)
class AnchorResult:
    """One published figure beside the modeled one.

    Attributes
    ----------
    chip, name : str
        Whose anchor, and what it is about.
    unit : str
        Canonical unit of both figures; "1" for counts and ratios.
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
        Whether the error is where it is known to be; with a bound, whether the modeled figure keeps to it.
    comparison : str
        equal, or at_most or at_least for a published bound.
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
    comparison: str = "equal"


def validate(chip: str | None = None) -> tuple[AnchorResult, ...]:
    """Evaluate the anchors of one chip, of the carbon methods ("carbon"), or of all.

    Raises
    ------
    InputError
        Unknown chip, or an anchors.toml with errors; every error of a file at once.
    """
    names = (*registry.accelerator_names(), CARBON) if chip is None else (chip,)
    results: list[AnchorResult] = []
    networks: Networks = {}
    for name in names:
        folder = FOLDER if name == CARBON else registry.load_accelerator(name).folder
        results += [judge(name, anchor, networks) for anchor in read_anchors(folder / "anchors.toml")]
    return tuple(results)


def judge(chip: str, row: Mapping[str, Any], networks: Networks | None = None) -> AnchorResult:
    """Return what the model says of one row of `read_anchors`; `networks` keeps graphs for further rows."""
    own = own_figure(row["metric"])
    metric = Metric(f"_{suffix_of(own)}", True) if own else METRICS[row["metric"]]
    try:
        published = float(parse_as(row["published"], metric.suffix))
    except InputError as refusal:
        raise InputError(problems=refusal.inside(f"{chip}.{row['name']}.published").problems) from None
    if not published:
        raise InputError("nothing can be compared to zero", where=f"{chip}.{row['name']}.published")
    modeled = _modeled(chip, row, metric, {} if networks is None else networks)
    error = modeled / published - 1
    known, comparison = float(row.get("known_error_ratio", 0.0)), row.get("comparison", "equal")
    distance = {"equal": abs(error - known), "at_most": error - known, "at_least": known - error}[comparison]
    return AnchorResult(
        chip,
        row["name"],
        unit_of(metric.suffix),
        published,
        modeled,
        error,
        float(row["tolerance_ratio"]),
        known,
        row["status"],
        f"{row['source']}, {row['where']}",
        row.get("reason", ""),
        distance <= row["tolerance_ratio"] + 1e-12,
        comparison,
    )


def _modeled(chip: str, row: Mapping[str, Any], metric: Metric, networks: Networks) -> float:
    if chip == CARBON:
        return published_figures()[own_figure(row["metric"])]
    key = tuple(str(row.get(field)) for field in NETWORK_FIELDS)
    if key not in networks:
        networks[key] = _network(row)
    graph = networks[key]
    spec, knobs = f"{chip}:{row['preset']}" if "preset" in row else chip, row.get("knobs", {})
    target = choose_chip(spec, **knobs)
    if not metric.needs_chip:
        prepared = target.accelerator.prepare(graph, target.design) if "preset" in row else graph
        return _count(row["metric"], prepared, row.get("layers"))
    if own := own_figure(row["metric"]):
        return _figure(own, graph, target)
    if row["metric"] == "weight_saving_ratio":
        designs = (choose_chip(spec, **knobs | row["baseline"]).design, target.design)
        before, after = (target.accelerator.prepare(graph, design) for design in designs)
        return weight_bytes(before, row.get("layers")) / weight_bytes(after, row.get("layers"))
    run = _run_of(evaluate(graph, target), row.get("layers"), row.get("batch", 1), target.accelerator)
    if metric.needs_baseline:
        base = evaluate(graph, choose_chip(spec, **knobs | row["baseline"]))
        return _compared(row["metric"], run, _run_of(base, row.get("layers"), run.batch, target.accelerator))
    if row["metric"] == "unit_bits":
        return float(sum(e.bits for e in run.report.events if e.unit == row.get("unit")))
    return _measure(row["metric"], run)


def _figure(name: str, graph: Graph, target: Chip) -> float:
    accelerator, design = target.accelerator, target.design
    found = accelerator.figures(accelerator.prepare(graph, design), design) if accelerator.figures else {}
    if name not in found:
        raise InputError(f"no figure {name!r}", where=target.name, hint=nearest(name, found))
    return found[name]


def _count(metric: str, graph: Graph, kinds: Sequence[str] | None) -> float:
    if metric == "weight_bytes":
        return weight_bytes(graph, kinds)
    counts = {"macs": macs, "ace": ace, "bit_operations": bit_operations, "parameters": parameters}
    return float((counts | {"kept_parameters": kept_parameters})[metric](graph))


def weight_bytes(graph: Graph, kinds: Sequence[str] | None = None) -> float:
    """Return the stored bytes of the weights of matrix products, without biases, of operators of `kinds`."""
    products = [
        p for op in graph.ops if kinds is None or op.kind in kinds for p in matrix_products(graph, op)
    ]
    return sum(graph.tensors[name].bits for name in {p.right for p in products if p.right_is_weight}) / 8


def kept_parameters(graph: Graph) -> int:
    """Return the number of weight elements that their sparsity keeps, rounded over the whole network."""
    return round(sum(tensor.elements * Fraction(repr(tensor.density)) for tensor in graph.weights))


def _network(row: Mapping[str, Any]) -> Graph:
    name, batch, knobs = row.get("network", "mlp_mnist"), row.get("batch"), row.get("network_knobs", {})
    if knobs:
        graph = registry.load_workload(name, knobs | ({"batch": batch} if batch else {}))
    else:
        graph = load(name, batch=batch)
    weights, activations = row.get("precision"), row.get("activations", row.get("precision"))
    return set_precision(
        graph,
        weights=None if weights is None else parse_format(weights),
        activations=None if activations is None else parse_format(activations),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """The layers of a report that an anchor is about, added up.

    Attributes
    ----------
    time_s, energy_j, chip_j : float
        chip_j leaves out the off-chip unit.
    cycles, executed_macs, offchip_bits : int
        executed_macs leaves out what was skipped.
    """

    report: Report
    batch: int
    time_s: float
    energy_j: float
    chip_j: float
    cycles: int
    executed_macs: int
    offchip_bits: int


def _run_of(report: Report, kinds: Sequence[str] | None, batch: int, accelerator: Accelerator) -> _Run:
    chosen = {layer.name for layer in report.layers if kinds is None or layer.kind in kinds}
    chosen |= {layer.name for layer in report.layers if layer.fused_into in chosen}
    layers = [layer for layer in report.layers if layer.name in chosen]
    events = [event for event in report.events if event.layer in chosen]
    energy_j = sum(layer.energy_j for layer in layers)
    away = accelerator.offchip
    return _Run(
        report,
        batch,
        sum(layer.time_s for layer in layers),
        energy_j,
        energy_j - sum(layer.energy_j_by_unit.get(away, 0.0) for layer in layers),
        sum(layer.cycles for layer in layers),
        sum(event.events for event in events if accelerator.work.get((event.unit, event.action)) == "macs"),
        sum(event.bits for event in events if event.unit == away),
    )


def _measure(metric: str, run: _Run) -> float:
    totals, peak = run.report.totals, run.report.roofline["peak_macs_per_s"]
    if metric == "executed_operations_per_j":
        return 2 * run.executed_macs / run.chip_j
    figures = {
        "peak_macs_per_s": peak,
        "peak_operations_per_s": 2 * peak,
        "frames_per_s": run.batch / run.time_s,
        "time_s": run.time_s,
        "power_w": run.energy_j / run.time_s,
        "chip_power_w": run.chip_j / run.time_s,
        "energy_j": run.energy_j,
        "area_m2": totals.area_m2,
        "cycles": float(run.cycles),
        "utilization_ratio": totals.utilization,
        "executed_operations_per_s": 2 * run.executed_macs / run.time_s,
        "offchip_bits_per_s": run.offchip_bits / run.time_s,
    }
    return figures[metric]


def _compared(metric: str, run: _Run, baseline: _Run) -> float:
    if metric == "equivalent_operations_per_j":
        return 2 * baseline.executed_macs / run.chip_j
    figures = {
        "speedup_ratio": baseline.time_s / run.time_s,
        "equivalent_operations_per_s": 2 * baseline.executed_macs / run.time_s,
    }
    return figures[metric]
