"""Five engines over 100 activity ratios and 20 years, all pairs, by every method: milliseconds a comparison.

python benchmarks/carbon.py
"""

from __future__ import annotations

import itertools
import time

import numpy as np

from hwsim.model.carbon import (
    METHODS,
    Die,
    Engine,
    break_even_s,
    embodied,
    in_service,
    indifference_s,
    intensity,
)

ENGINES = tuple(
    Engine(f"engine{i}", 80.0 + 40 * i, 2.0 + 3 * i, 0.2 + 0.3 * i, (Die("28", (20 + 60 * i) * 1e-6),))
    for i in range(5)
)


def compare() -> float:
    """Cost all engines, and return a number that depends on every result."""
    activity, years = np.linspace(0, 1, 100), np.arange(1, 21) * 3.156e7
    fab, service, seen = intensity(583 / 3.6e9), in_service(ENGINES), 0.0
    power = service.power_w(activity)
    for method in METHODS:
        footprints = [embodied(engine.dies[0], method, fab) for engine in ENGINES]
        made = [footprint.carbon.value for footprint in footprints if footprint.carbon is not None]
        seen += float(service.totals(made, years, activity, 380 / 3.6e9).sum())
        for one, other in itertools.permutations(range(5), 2):
            pays = break_even_s(made[other], power[one] * 1e-7, power[other] * 1e-7)
            meets = indifference_s(made[one], power[one] * 1e-7, made[other], power[other] * 1e-7)
            seen += float(np.isfinite(pays).sum() + np.isfinite(meets).sum())
    return seen


def main() -> None:
    """Print the shortest of ten comparisons."""
    compare()
    times = []
    for _ in range(10):
        start = time.perf_counter()
        compare()
        times.append(time.perf_counter() - start)
    print(
        f"five engines, 100 activities, 20 years, {len(METHODS)} methods, 20 pairs: {min(times) * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
