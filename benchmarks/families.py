"""Families of designs against a loop of ``hwsim.evaluate``: points a minute, growth, memory.

    python benchmarks/families.py [--points 4096] [--workers 2]

All times are CPU seconds of this process and its children, so that other work on the machine disturbs less;
points a minute are what that many processes would do with a core each.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import hwsim
from hwsim.model.types import Design
from hwsim.run import Chip
from hwsim.sweep.family import Families

NETWORK, CHIP = "resnet50", "systolic:edge_32"
Draw = Callable[[np.random.Generator], dict[str, Any]]


def shapes(rng: np.random.Generator) -> dict[str, Any]:
    """The array changes, so tilings are chosen anew."""
    return {"array_rows": int(rng.integers(4, 129)), "array_cols": int(rng.integers(4, 129))}


def prices(rng: np.random.Generator) -> dict[str, Any]:
    """Clocks, lanes, bandwidth and prices change under tiles that were chosen for traffic: one trace."""
    return {
        "objective": "traffic",
        "clock_hz": float(rng.uniform(1e8, 2e9)),
        "vector_lanes": int(rng.integers(1, 257)),
        "dram_bits_per_s": float(rng.uniform(1e9, 1e12)),
        "node_m": float(rng.uniform(7e-9, 9e-8)),
        "supply_v": float(rng.uniform(0.6, 1.2)),
    }


def clocks(rng: np.random.Generator) -> dict[str, Any]:
    """Clocks, lanes and bandwidth change, and tiles are chosen for the cycles that follow."""
    return prices(rng) | {"objective": "cycles"}


CASES: dict[str, Draw] = {
    "array shape": shapes,
    "prices, lanes, clocks": prices,
    "lanes, clocks, tiles anew": clocks,
}


def designs_of(draw: Draw, points: int, seed: int = 1) -> list[Design]:
    rng, base = np.random.default_rng(seed), hwsim.chip(CHIP).design
    return [type(base).model_validate(base.model_dump() | draw(rng)) for _ in range(points)]


def cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def families() -> Families:
    return Families(hwsim.load(NETWORK), hwsim.chip(CHIP).accelerator)


def one_by_one(designs: Sequence[Design]) -> float:
    """Return CPU seconds a point of a loop over ``hwsim.evaluate``."""
    network, accelerator = hwsim.load(NETWORK), hwsim.chip(CHIP).accelerator
    hwsim.evaluate(network, Chip(accelerator, "", designs[0]))
    loop = cpu_s(lambda: [hwsim.evaluate(network, Chip(accelerator, "", design)) for design in designs])
    return loop / len(designs)


def worker(task: tuple[str, int, int]) -> tuple[float, int]:
    """Return CPU seconds of a warm family of points, and the peak memory of the process in bytes."""
    name, points, seed = task
    designs = designs_of(CASES[name], points, seed)
    engine = families()
    engine.evaluate(designs[:600])
    spent = cpu_s(lambda: [part.energy_j.min() for part in engine.stream(designs)])
    return spent, peak_bytes()


def peak_bytes() -> int:
    """Return the most memory this process had; what a parent had counts in ``ru_maxrss`` on Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = next(text for text in status.read_text().splitlines() if text.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--growth", type=int, nargs="*", default=[1000, 10000])
    options = parser.parse_args()
    print(f"{NETWORK} on {CHIP}")
    spawn = multiprocessing.get_context("spawn")
    for name, draw in CASES.items():
        loop_s = one_by_one(designs_of(draw, 10))
        tasks = [(name, options.points, seed) for seed in range(options.workers)]
        with spawn.Pool(options.workers) as pool:
            results = pool.map(worker, tasks)
        alone_s, _ = worker(tasks[0])
        each_s = alone_s / options.points
        together = sum(60 * options.points / spent for spent, _ in results)
        print(f"{name}: {each_s * 1e6:.0f} us a point, {60 / each_s:,.0f} a minute in one process,")
        print(f"  {together:,.0f} in {options.workers} at once;")
        print(
            f"  a loop of evaluate takes {loop_s * 1e3:.1f} ms a point, {loop_s / each_s:.0f} times as long"
        )
        for points in options.growth:
            with spawn.Pool(1) as pool:
                (spent, peak) = pool.map(worker, [(name, points, 9)])[0]
            print(f"  {points} points: {spent / points * 1e6:.0f} us each, peak {peak / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
