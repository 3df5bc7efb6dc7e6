"""Figures of the memory's own: shifts under every placement, means, and the mean time to failure."""

from __future__ import annotations

import numpy as np

from accelerators.racetrack_memory.datasheet import datasheet
from accelerators.racetrack_memory.design import FaultModel, RacetrackMemoryDesign, ShiftLatency
from accelerators.racetrack_memory.lower import traffic_of
from accelerators.racetrack_memory.placement import HEURISTICS, place
from accelerators.racetrack_memory.reliability import LONGEST, error_per_shift, mean_time_to_failure_s
from hwsim.graph.offload import is_free
from hwsim.graph.types import Graph


def figures(graph: Graph, design: RacetrackMemoryDesign) -> dict[str, float]:
    """Return shifts and accesses, their mean, shifts under each heuristic placement, and time to failure.

    Counters of RTSim are `counted_shifts_count`: shifts x bits of a word, in the compatible level only. The
    mean time to failure takes shifts at the rate of this run, each as one step (or, longer, in steps of 7).
    """
    shifts = accesses = 0
    clocks = 0
    prices = {(row.unit, row.action): row for row in datasheet(design).actions}
    others = dict.fromkeys(HEURISTICS, 0)
    steps: dict[int, int] = {}
    for op in graph.ops:
        if is_free(op):
            continue
        traffic = traffic_of(graph, op, design)
        shifts += traffic.shifts.total
        accesses += traffic.reads + traffic.writes
        for distance, count in zip(*np.unique(traffic.shifts.each, return_counts=True), strict=True):
            whole, rest = divmod(int(distance), LONGEST)
            steps[LONGEST] = steps.get(LONGEST, 0) + whole * int(count)
            steps[rest] = steps.get(rest, 0) + int(count)
        timed = (
            traffic.shifts.total if design.shift_latency is ShiftLatency.PHYSICAL else traffic.shifts.moving
        )
        action = "shift" if design.shift_latency is ShiftLatency.PHYSICAL else "command"
        clocks += (
            timed * prices["tape", action].interval_cycles
            + traffic.reads * prices["port", "read"].interval_cycles
            + traffic.writes * prices["port", "write"].interval_cycles
        )
        if op.kind == "memory_accesses":
            words = np.array(op.ints("words"), np.int64)
            count = graph.tensors[op.inputs[0]].elements
            for chosen in HEURISTICS:
                others[chosen] += place(op, count, design, chosen).shifts(words, design).total
        else:
            for chosen in HEURISTICS:
                others[chosen] += traffic.shifts.total
    found = {"shifts_count": float(shifts), "accesses_count": float(accesses)}
    if accesses:
        found["shifts_per_access_ratio"] = shifts / accesses
    found |= {f"{chosen}_shifts_count": float(count) for chosen, count in others.items()}
    if design.shift_latency is ShiftLatency.RTSIM_COMPATIBLE:
        found["counted_shifts_count"] = float(shifts * design.word_bits)
    if design.fault_model is not FaultModel.NONE and shifts:
        found["mean_time_to_failure_s"] = _time_to_failure(steps, clocks * 1e-12, design)
    return found


def _time_to_failure(steps: dict[int, int], time_s: float, design: RacetrackMemoryDesign) -> float:
    if design.fault_model is FaultModel.PINNING:
        error = error_per_shift(1, design.fault_model).value
        return mean_time_to_failure_s(error, sum(d * n for d, n in steps.items()) / time_s)
    errors = sum(
        error_per_shift(d, design.fault_model, design.corrected_steps).value * n
        for d, n in steps.items()
        if d and n
    )
    return mean_time_to_failure_s(1.0, errors / time_s)
