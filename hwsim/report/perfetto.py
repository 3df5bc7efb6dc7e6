"""Draws a report as a Chrome trace, which Perfetto opens: one track per unit, slices that never overlap."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hwsim.report.compare import distinct_names
from hwsim.report.rows import Stage, stages
from hwsim.report.types import Layer, Report

if TYPE_CHECKING:
    from hwsim.model.timeline import Timeline
    from hwsim.report.schedule_costs import ScheduledCost

_LAYER_TRACK = 1
_NOTE = ("Layers stand one after another at their real times. Inside a layer the busy time of a unit is "
         "drawn from the layer's start, and stalls at its end: how they interleave is not recorded. Under a "
         "schedule, operators and transfers stand where they ran.")


@dataclass(frozen=True, slots=True)
class Slice:
    """A named stretch of time on one track.

    Attributes
    ----------
    track : int
        Thread id; slices of one track nest or are apart.
    name, category : str
        What Perfetto shows.
    start_cycles, end_cycles : int
        Reference clock cycles since the start of the run, end excluded.
    depth : int
        Number of slices around it.
    arguments : dict
        Shown when the slice is selected.
    """

    track: int
    name: str
    category: str
    start_cycles: int
    end_cycles: int
    depth: int
    arguments: dict[str, Any]


def to_trace_json(reports: Sequence[Report], plans: Sequence[ScheduledCost] = ()) -> str:
    """Return the Chrome trace of one or more reports, one process each, times in microseconds.

    With `plans`, one for each report, every network has a second process: operators and transfers as its
    schedule runs them. Every slice has its exact cycles in its arguments; see `_slice_event` for the
    rounding to nanoseconds.
    """
    events: list[dict[str, Any]] = []
    names = distinct_names(reports)
    for pid, (name, report) in enumerate(zip(names, reports, strict=True), start=1):
        events += _names(pid, f"{report.provenance['network']} on {name}", tracks_of(report))
        clock_hz = report.totals.cycles / report.totals.time_s if report.totals.time_s else 0.0
        events += [_slice_event(pid, piece, clock_hz) for piece in lay_out(report)]
        events += _counters(pid, report, clock_hz)
    for pid, (name, report, plan) in enumerate(zip(names, reports, plans, strict=False), len(reports) + 1):
        events += _plan_events(pid, f"{report.provenance['network']} on {name}, schedule {plan.name}", plan)
    head = {"displayTimeUnit": "ns", "otherData": {"note": _NOTE}}
    lines = ",\n".join(json.dumps(event, ensure_ascii=False) for event in events)
    return json.dumps(head, ensure_ascii=False)[:-1] + ', "traceEvents": [\n' + lines + "\n]}\n"


def lay_out(report: Report) -> list[Slice]:
    """Place every layer, its stalls and the busy time of every unit, in cycles."""
    tracks, now = tracks_of(report), 0
    slices: list[Slice] = []
    for stage in stages(report):
        end = now + stage.layer.cycles
        slices += _layer_slices(stage, now, end)
        for unit, track in tracks.items():
            slices += _busy_slices(stage, unit, track, now, end)
        now = end
    return slices


def lay_out_plan(line: Timeline) -> list[Slice]:
    """Place operators and transfers of a plan, in cycles; pieces without a gap become one slice."""
    slices: list[Slice] = []
    for track, resource in enumerate(_resources(line), start=_LAYER_TRACK):
        own: list[Slice] = []
        for task, start, end in zip(line.tasks, line.start.tolist(), line.end.tolist(), strict=True):
            if task.resource != resource or start == end:
                continue
            if own and own[-1].name == task.name and own[-1].end_cycles == start:
                start = own.pop().start_cycles
            own.append(Slice(track, task.name, resource, start, end, 0, {"cycles": end - start}))
        slices += own
    return slices


def _resources(line: Timeline) -> list[str]:
    return list(dict.fromkeys(task.resource for task in line.tasks))


def _plan_events(pid: int, process: str, plan: ScheduledCost) -> list[dict[str, Any]]:
    if plan.timing is None:
        return []
    line, clock_hz = plan.timing.timeline, plan.cycles / plan.time_s if plan.time_s else 0.0
    tracks = {name: track for track, name in enumerate(_resources(line), start=_LAYER_TRACK)}
    return [*_process(pid, process, tracks),
            *(_slice_event(pid, piece, clock_hz) for piece in lay_out_plan(line))]


def tracks_of(report: Report) -> dict[str, int]:
    """Return the track of every unit that works, in the order of the layers."""
    units = dict.fromkeys(unit for layer in report.layers for unit in layer.busy_cycles_by_unit)
    return {unit: track for track, unit in enumerate(units, start=_LAYER_TRACK + 1)}


def _layer_slices(stage: Stage, start: int, end: int) -> Iterator[Slice]:
    layer = stage.layer
    if end == start:
        return
    yield Slice(_LAYER_TRACK, layer.name, layer.kind, start, end, 0, _facts(stage))
    at = start + layer.compute_cycles
    if layer.stall_cycles and layer.compute_cycles:
        yield Slice(_LAYER_TRACK, "compute", "compute", start, at, 1, {"cycles": layer.compute_cycles})
    for cause, cycles in layer.stall_cycles_by_cause.items():
        stop = min(at + cycles, end)
        if stop > at:
            yield Slice(_LAYER_TRACK, f"stall: {cause}", "stall", at, stop, 1, {"cycles": cycles})
        at = stop


def _busy_slices(stage: Stage, unit: str, track: int, start: int, end: int) -> Iterator[Slice]:
    """Yield the unit's work for the layer and what is fused into it, back to back, cut at the layer's end."""
    at = start
    for member in stage.members:
        cycles = member.busy_cycles_by_unit.get(unit, 0)
        stop = min(at + cycles, end)
        if stop > at:
            facts = {"cycles": cycles, "operator": member.kind}
            yield Slice(track, member.name, member.kind, at, stop, 0, facts)
        at = stop


def _facts(stage: Stage) -> dict[str, Any]:
    layer: Layer = stage.layer
    return {"cycles": layer.cycles, "compute_cycles": layer.compute_cycles,
            "stall_cycles": layer.stall_cycles, "macs": stage.macs,
            "energy_j": stage.energy_j, "utilization": layer.utilization,
            "bound_by": layer.bound_by, "mapping": layer.mapping, "shape": "x".join(map(str, layer.shape)),
            "fused": ", ".join(member.name for member in stage.fused)}


def _names(pid: int, process: str, tracks: dict[str, int]) -> list[dict[str, Any]]:
    return _process(pid, process, {"layers": _LAYER_TRACK} | tracks)


def _process(pid: int, process: str, threads: dict[str, int]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [_metadata(pid, 0, "process_name", {"name": process}),
                                    _metadata(pid, 0, "process_sort_index", {"sort_index": pid})]
    for name, tid in threads.items():
        events += [_metadata(pid, tid, "thread_name", {"name": name}),
                   _metadata(pid, tid, "thread_sort_index", {"sort_index": tid})]
    return events


def _metadata(pid: int, tid: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "pid": pid, "tid": tid, "name": name, "args": arguments}


def _slice_event(pid: int, piece: Slice, clock_hz: float) -> dict[str, Any]:
    """One complete event; ends are 0.2 ns early, and 0.1 ns more per depth.

    Readers turn microseconds into whole nanoseconds, some by cutting: these fractions keep neighbours apart
    and children inside under rounding, cutting and plain floats alike.
    """
    start_ns, end_ns = _nanoseconds(piece.start_cycles, clock_hz), _nanoseconds(piece.end_cycles, clock_hz)
    length = max(0, (end_ns - start_ns) * 10 - 2 - piece.depth)
    return {"ph": "X", "pid": pid, "tid": piece.track, "ts": (start_ns * 10 + 1) / 10_000,
            "dur": length / 10_000, "name": piece.name, "cat": piece.category, "args": piece.arguments}


def _nanoseconds(cycles: int, clock_hz: float) -> int:
    return round(cycles * 1e9 / clock_hz) if clock_hz else 0


def _counters(pid: int, report: Report, clock_hz: float) -> list[dict[str, Any]]:
    """Mean power and mean traffic per memory of each layer, as steps that end at zero."""
    events: list[dict[str, Any]] = []
    memories, now = list(report.totals.bytes_by_memory), 0
    for stage in stages(report):
        seconds = stage.layer.time_s
        if not stage.layer.cycles or not seconds:
            continue
        moved = stage.summed("bytes_by_memory")
        rates = {f"{memory} (GB/s)": moved.get(memory, 0) / seconds / 1e9 for memory in memories}
        events += _samples(pid, now, clock_hz, {"power (W)": stage.energy_j / seconds} | rates)
        now += stage.layer.cycles
    return events + _samples(pid, now, clock_hz, dict.fromkeys(
        ("power (W)", *(f"{memory} (GB/s)" for memory in memories)), 0.0))


def _samples(pid: int, cycles: int, clock_hz: float, values: dict[str, float]) -> list[dict[str, Any]]:
    at = (_nanoseconds(cycles, clock_hz) * 10 + 1) / 10_000
    return [{"ph": "C", "pid": pid, "tid": 0, "ts": at, "name": name, "args": {"value": value}}
            for name, value in values.items()]
