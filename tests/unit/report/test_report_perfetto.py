from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from hwsim.report.perfetto import lay_out, to_trace_json
from hwsim.report.types import Report

READERS: dict[str, Callable[[float], float]] = {
    "plain floats": lambda microseconds: microseconds * 1000,
    "cut to nanoseconds": lambda microseconds: int(microseconds * 1000),
    "rounded to nanoseconds": lambda microseconds: math.floor(microseconds * 1000 + 0.5),
}


def _tracks(text: str) -> dict[tuple[int, int], list[dict[str, float]]]:
    tracks = defaultdict(list)
    for event in json.loads(text)["traceEvents"]:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append(event)
    return tracks


def _clashes(events: list[dict[str, float]], reader: Callable[[float], float]) -> list[str]:
    """Walk in file order with a stack of open slices, as a trace viewer does."""
    clashes, open_ends = [], []
    for event in events:
        start = reader(event["ts"])
        end = start + reader(event["dur"])
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if open_ends and end > open_ends[-1]:
            clashes.append(str(event["name"]))
        open_ends.append(end)
    return clashes


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_slices_of_a_track_nest_or_are_apart(reports: tuple[Report, Report],
                                             reader: Callable[[float], float]) -> None:
    tracks = _tracks(to_trace_json(reports))
    assert len(tracks) == 8
    for events in tracks.values():
        assert _clashes(events, reader) == []


def test_the_check_sees_an_overlap() -> None:
    slices = [{"ts": 0.0, "dur": 2.0, "name": "a"}, {"ts": 1.0, "dur": 2.0, "name": "b"}]
    assert _clashes(slices, READERS["plain floats"]) == ["b"]


def test_ids_are_integers_with_names(reports: tuple[Report, Report]) -> None:
    events = json.loads(to_trace_json(reports))["traceEvents"]
    assert all(type(event["pid"]) is int and type(event["tid"]) is int for event in events)
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert named >= {(e["pid"], e["tid"]) for e in events if e["ph"] == "X"}
    processes = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    assert processes == ["synthetic54 on systolic:tpu_v1", "synthetic54 on systolic:edge_32"]


def test_layers_tile_the_run(report: Report) -> None:
    layers = [piece for piece in lay_out(report) if piece.track == 1 and piece.depth == 0]
    assert layers[0].start_cycles == 0
    assert all(a.end_cycles == b.start_cycles for a, b in pairwise(layers))
    assert layers[-1].end_cycles == report.totals.cycles
    assert sum(p.arguments["cycles"] for p in layers) == report.totals.cycles


def test_stalls_and_busy_cycles_are_all_drawn(report: Report) -> None:
    slices = lay_out(report)
    stalls = sum(p.end_cycles - p.start_cycles for p in slices if p.name.startswith("stall"))
    assert stalls == report.totals.stall_cycles
    busy = sum(p.end_cycles - p.start_cycles for p in slices if p.track > 1)
    assert busy == sum(sum(layer.busy_cycles_by_unit.values()) for layer in report.layers)


def test_times_are_microseconds_of_the_clock(report: Report) -> None:
    layers = _tracks(to_trace_json([report]))[1, 1]
    end = max(event["ts"] + event["dur"] for event in layers)
    assert end == pytest.approx(report.totals.time_s * 1e6, rel=1e-6)


def test_counters_integrate_to_the_energy(report: Report) -> None:
    events = json.loads(to_trace_json([report]))["traceEvents"]
    power = [(e["ts"] * 1e-6, e["args"]["value"]) for e in events if e["name"] == "power (W)"]
    joules = sum(value * (later - at) for (at, value), (later, _) in pairwise(power))
    assert joules == pytest.approx(report.totals.energy_j, rel=1e-4)
    assert power[-1][1] == 0.0


def test_a_run_without_cycles_is_still_a_trace(report: Report) -> None:
    layers = tuple(replace(layer, cycles=0, compute_cycles=0, stall_cycles=0, time_s=0.0)
                   for layer in report.layers)
    empty = replace(report, layers=layers, totals=replace(report.totals, cycles=0, time_s=0.0))
    assert _tracks(to_trace_json([empty])) == {}
