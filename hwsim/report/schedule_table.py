"""A schedule in words and rows: facts, baselines with reductions, and the points of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hwsim.report.schedule_costs import ScheduledCost
from hwsim.schedule.comparisons import PAPER_COMBINATIONS
from hwsim.schedule.network_run import ScheduleReport
from hwsim.schedule.size_sweep import Sweep
from hwsim.schedule.types import Status
from hwsim.units import format_bytes, format_si

BASELINE_HEADS = ("Order", "Eviction", "Traffic", "Plan avoids", "")
COST_HEADS = ("Plan", "Cycles", "Stalls", "Cycles against first", "Energy", "Energy against first",
              "Streamed", "Compulsory", "Non-compulsory")
SWEEP_HEADS = ("Scratchpad", "Blocks", "Status", "Traffic", "Lower bound", "Best baseline", "default/belady")
SWEEP_RIGHT = ("Scratchpad", "Blocks", "Traffic", "Lower bound", "Best baseline", "default/belady")


def fact_rows(report: ScheduleReport) -> list[tuple[str, str]]:
    """Return what a schedule is about, as pairs of title and text."""
    problem, result, stats = report.network.problem, report.result, report.result.stats
    rows = [("Network", f"{report.name}: {len(problem.operators)} operators, {len(problem.tensors)} tensors"),
            ("Scratchpad", _size(report, result.budget)),
            ("Smallest feasible budget", f"{_size(report, result.smallest_budget)}, set by "
                                         f"{report.limiting_operator}"),
            ("Smallest peak footprint", _peak(report))]
    if report.replay is not None:
        seen = report.replay
        rows += [("Non-compulsory traffic", f"{_size(report, seen.non_compulsory)}: "
                  f"{_bytes(report, seen.spilled)} spilled, {_bytes(report, seen.refetched)} fetched again"),
                 ("Compulsory traffic", f"{_bytes(report, seen.loaded)} loaded, "
                                        f"{_bytes(report, seen.stored)} stored"),
                 ("Lower bound", f"{_size(report, stats.lower_bound)}, by {stats.proof}")]
    rows += [("Status", _status(report)), ("Found by", f"{stats.formulation} ({stats.solver})"),
             ("Time", f"{stats.time_s:.2f} s, {stats.states:,} states")]
    return rows


def _status(report: ScheduleReport) -> str:
    stats = report.result.stats
    text = str(report.status)
    if report.status is Status.FEASIBLE:
        text += f", gap {stats.gap:.1%}"
    if stats.interrupted:
        text += "; interrupted: the best plan until then"
    return text


def _peak(report: ScheduleReport) -> str:
    peak = report.result.smallest_peak
    return "not found" if peak is None else f"{_size(report, peak)}; no traffic is avoidable from there on"


def _bytes(report: ScheduleReport, blocks: int) -> str:
    return format_bytes(blocks * report.network.problem.block_bytes)


def _size(report: ScheduleReport, blocks: int) -> str:
    return f"{_bytes(report, blocks)} ({blocks} block{'s' if blocks != 1 else ''})"


def baseline_rows(report: ScheduleReport) -> list[tuple[str, ...]]:
    """Return order, eviction, traffic, reduction and a mark for the paper's combinations, per baseline."""
    rows: list[tuple[str, ...]] = []
    for name, blocks in report.result.baselines.items():
        order, _, policy = name.partition("/")
        saved = report.reduction(name)
        avoided = "-" if saved is None or not blocks else f"{saved:.1%}"
        mark = "as in the paper" if name in PAPER_COMBINATIONS else ""
        moved = "does not fit" if blocks is None else _bytes(report, blocks)
        rows.append((order, policy, moved, avoided, mark))
    return rows


def sweep_rows(sweep: Sweep) -> list[tuple[str, ...]]:
    """Return one row per budget under `SWEEP_HEADS`."""
    unit = sweep.network.problem.block_bytes
    rows: list[tuple[str, ...]] = []
    for point in sweep.points:
        moved = "-" if point.traffic is None else format_bytes(point.traffic * unit)
        bound = "-" if point.traffic is None else format_bytes(point.lower_bound * unit)
        rows.append((format_bytes(point.budget * unit), str(point.budget), str(point.status), moved, bound,
                     _shown(best_baseline(point.baselines.values()), unit),
                     _shown(point.baselines.get("default/belady"), unit)))
    return rows


def cost_rows(costs: Sequence[ScheduledCost]) -> list[tuple[str, ...]]:
    """Return one row per plan under `COST_HEADS`; shares are relative to the first."""
    first = costs[0]
    return [(cost.name, f"{cost.cycles:,}", f"{cost.stall_cycles:,}", _change(cost.cycles, first.cycles),
             format_si(cost.energy_j, "J"), _change(cost.energy_j, first.energy_j),
             format_bytes(cost.stream_bytes), format_bytes(cost.compulsory_bytes),
             format_bytes(cost.non_compulsory_bytes)) for cost in costs]


def _change(value: float, base: float) -> str:
    return "-" if value == base or not base else f"{value / base - 1:+.1%}"


def best_baseline(traffic: Iterable[int | None]) -> int | None:
    """Return the least of the baselines that have a plan."""
    return min((blocks for blocks in traffic if blocks is not None), default=None)


def _shown(blocks: int | None, unit: int) -> str:
    return "-" if blocks is None else format_bytes(blocks * unit)
