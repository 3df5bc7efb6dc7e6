"""A sweep made up by formulas: a full grid of four knobs whose effects on energy and time are known."""

from __future__ import annotations

import itertools

from hwsim.report.sweep_table import Column, SweepTable

ROWS, CLOCKS, FLOWS = (4, 8, 16, 32, 64), (2e8, 4e8, 6e8, 8e8, 1e9), ("is", "os", "ws")
ENERGY_OF_FLOW = {"is": 2.0, "os": 1.0, "ws": 1.25}


def grid(repeats: int = 1) -> SweepTable:
    """Return 75 points times `repeats`, which differ in a seed without effect."""
    points = list(itertools.product(ROWS, CLOCKS, FLOWS, range(repeats)))
    energy = [1e-3 * ENERGY_OF_FLOW[flow] * (rows / 4) ** 0.5 for rows, _, flow, _ in points]
    time = [1e6 / (rows * clock) for rows, clock, _, _ in points]
    best = min(time)
    knobs = [Column("chip", ("systolic:edge_32",) * len(points))]
    for name, at in (("array_rows", 0), ("clock_hz", 1), ("dataflow", 2), ("seed", 3)):
        knobs.append(Column(name, tuple(point[at] for point in points)))
    metrics = (Column("time_s", tuple(time), "seconds"), Column("energy_j", tuple(energy), "joules"),
               Column("utilization", tuple(best / value for value in time), "ratio", more=True))
    front = [at for at in range(len(points)) if not any(
        energy[o] <= energy[at] and time[o] <= time[at] and (energy[o], time[o]) != (energy[at], time[at])
        for o in range(len(points)))] if len(points) < 400 else []
    return SweepTable(
        "made_up.db", tuple(range(len(points))), tuple(knobs), metrics,
        tuple(f"hwsim run net --on systolic --set array_rows={r} --set clock_hz={c} --set dataflow={f}"
              for r, c, f, _ in points),
        (("energy_j", False), ("time_s", False)), tuple(front), len(points), len(points))
