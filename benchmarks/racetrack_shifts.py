"""Shift simulation: accesses a second, against a loop that only reads the same arrays in the same run.

python benchmarks/racetrack_shifts.py
"""

from __future__ import annotations

import time

import numba
import numpy as np

from accelerators.racetrack_memory.design import PRESETS
from accelerators.racetrack_memory.shifts import Tapes

ACCESSES = 5_000_000


@numba.njit
def read_only(cluster: np.ndarray, domain: np.ndarray) -> int:  # type: ignore[type-arg]
    total = 0
    for i in range(cluster.shape[0]):
        total += cluster[i] ^ domain[i]
    return total


def shortest(run: object, times: int = 5) -> float:
    found = []
    for _ in range(times):
        start = time.process_time()
        run()  # type: ignore[operator]
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    rng = np.random.default_rng(0)
    cluster, domain = rng.integers(0, 256, ACCESSES), rng.integers(0, 64, ACCESSES)
    read_only(cluster[:9], domain[:9])
    Tapes(PRESETS["rtsim"]).access(cluster[:9], domain[:9])
    bare = shortest(lambda: read_only(cluster, domain))
    for name in PRESETS:
        taken = shortest(lambda name=name: Tapes(PRESETS[name]).access(cluster, domain))  # type: ignore[misc]
        print(
            f"{name}: {ACCESSES / taken / 1e6:.0f} million accesses a second, "
            f"{bare / taken:.1%} of reading the same arrays"
        )


if __name__ == "__main__":
    main()
