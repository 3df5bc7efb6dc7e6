"""Speed of sweeps: points a minute, the store's share, growth with their number, workers, searches.

    python benchmarks/sweeps.py [--largest POINTS] [--only rate|growth|workers|search]

Ratios are of times in this run. The rate where only prices, lanes and clocks change is that of ResNet-50 on
`systolic` whose tiles are searched for the least traffic; the other rate is that of many shapes of its array.
`workers` computes points that sleep for 20 ms on a local Dask cluster of one and of two workers, and
needs the extra `dask`. `search` compares searches with all points of a space small enough for that.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hwsim
from hwsim.sweep.engines import InProcess
from hwsim.sweep.evaluation import Answer, Chunk, Evaluator
from hwsim.sweep.store import Store

PRICES: dict[str, Any] = {
    "objective": "traffic",
    "vector_lanes": {"from": 1, "to": 64, "step": 1},
    "clock_hz": {"from": 1e8, "to": 1.6e9, "points": 64},
}
SEARCHED: dict[str, Any] = {
    "array_rows": {"powers_of_two": [2, 64]},
    "array_cols": {"powers_of_two": [2, 64]},
    "dataflow": "all",
    "clock_hz": {"from": 1e8, "to": 1e9, "points": 4, "scale": "log"},
}


def say(what: str, value: str, target: str = "") -> None:
    print(f"{what:<62} {value:>16}  {target}", flush=True)


def space(network: str, knobs: dict[str, Any], **more: Any) -> Any:
    return hwsim.Space(chips=["systolic"], networks=[network], knobs=knobs, **more)


def spread(points: int) -> dict[str, Any]:
    """Return `PRICES` with as many supplies as make `points` points."""
    return PRICES | {"supply_v": {"from": 0.6, "to": 1.0, "points": max(2, points // 4096)}}


def timed(made: Any, **options: Any) -> tuple[float, Any]:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        done = hwsim.sweep(made, Path(folder) / "r.db", **options)
        return time.perf_counter() - begin, done.counts


def rates() -> None:
    """Points a minute, and what evaluation and store take of them."""
    inside = {"evaluate": 0.0, "store": 0.0}
    real_evaluate, real_add = Evaluator.evaluate, Store.add

    def evaluate(self: Evaluator, chunk: Chunk) -> Answer:
        begin = time.perf_counter()
        found = real_evaluate(self, chunk)
        inside["evaluate"] += time.perf_counter() - begin
        return found

    def add(self: Store, records: Any) -> None:
        begin = time.perf_counter()
        real_add(self, records)
        inside["store"] += time.perf_counter() - begin

    Evaluator.evaluate, Store.add = evaluate, add  # type: ignore[method-assign]
    sizes = {"from": 8, "to": 135, "step": 1}
    shapes = {"array_rows": sizes, "array_cols": sizes}
    for name, knobs, target in (("prices, lanes and clocks", spread(262144), "target: 1,000,000"),
                                ("array shape", shapes, "target: 100,000")):
        timed(space("resnet50", knobs, limit=64))
        inside |= {"evaluate": 0.0, "store": 0.0}
        wall_s, counts = timed(space("resnet50", knobs))
        rate = f"{60 * counts.computed / wall_s:,.0f}"
        say(f"ResNet-50, {name}: points a minute, one process", rate, target)
        say("  share of the store", f"{inside['store'] / wall_s:.1%}", "target: < 20 %")
        say("  share of the model", f"{inside['evaluate'] / wall_s:.1%}")
        wall_s, counts = timed(space("resnet50", knobs), engine="local", workers=2)
        say("  points a minute, two workers", f"{60 * counts.computed / wall_s:,.0f}", target)
    Evaluator.evaluate, Store.add = real_evaluate, real_add  # type: ignore[method-assign]


def growth(largest: int) -> None:
    """Time per point and peak memory as their number grows."""
    points = 1000
    while points <= largest:
        knobs = PRICES | {"supply_v": {"from": 0.6, "to": 1.0, "points": 250}}
        wall_s, counts = timed(space("digits_32", knobs, limit=points))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(f"{counts.computed:,} points: time per point, peak memory",
            f"{1e6 * wall_s / counts.computed:,.0f} us", f"{peak:,.0f} MiB")
        points *= 10


class Sleeping(Evaluator):
    """Takes 20 ms a point more."""

    def evaluate(self, chunk: Chunk) -> Answer:
        time.sleep(0.02 * len(chunk.rows))
        return super().evaluate(chunk)


def sleeping_engine(setup: Any) -> InProcess:
    engine = InProcess(setup)
    engine._evaluator = Sleeping(setup)
    return engine


def workers() -> None:
    """Dask with two local workers against one, for points of 20 ms."""
    from distributed import LocalCluster

    from hwsim.sweep import dask_engine

    dask_engine.InProcess = sleeping_engine  # type: ignore[assignment, misc]
    found = []
    for count in (1, 2):
        with LocalCluster(n_workers=count, threads_per_worker=1, processes=False, protocol="tcp://",
                          host="127.0.0.1", dashboard_address=None) as cluster:
            made = space("digits_32", spread(4096), limit=1000)
            found.append(timed(made, engine="dask", scheduler=cluster.scheduler_address)[0])
        say(f"Dask, {count} worker(s), 1,000 points of 20 ms", f"{found[-1]:.1f} s")
    say("  scheduling beside 20 s of sleep, one worker", f"{found[0] / 20 - 1:.1%}", "target: < 10 %")
    say("  two workers over one", f"{found[0] / found[1]:.2f} x", "target: 1.6 x")
    dask_engine.InProcess = InProcess  # type: ignore[misc]


def search() -> None:
    """Share of the true front that a search finds, by points evaluated."""
    objectives = ("energy_j", "time_s")
    whole = hwsim.sweep(space("digits_32", SEARCHED))
    true = {tuple(row.metrics[name] for name in objectives) for row in whole.pareto(objectives)}
    say(f"front of {len(whole.results)} points", f"{len(true)} designs")
    for method in ("response_surface", "optuna"):
        for budget in (48, 96, 192):
            shares = []
            for seed in range(4):
                options = {"method": method, "budget": budget, "objectives": objectives}
                done = hwsim.sweep(space("digits_32", SEARCHED, sampling="search", seed=seed, search=options))
                mine = {tuple(row.metrics[name] for name in objectives) for row in done.pareto(objectives)}
                shares.append(len(mine & true) / len(true))
            mean = sum(shares) / len(shares)
            say(f"  {method}, {budget} points: share of it, mean and least of 4 seeds",
                f"{mean:.0%}  {min(shares):.0%}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--only", choices=("rate", "growth", "workers", "search"))
    wanted = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "rate": rates, "growth": lambda: growth(wanted.largest), "workers": workers, "search": search,
    }
    for name, part in parts.items():
        if wanted.only in (None, name):
            part()


if __name__ == "__main__":
    main()
