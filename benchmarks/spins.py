"""Spin updates on one core: the 8x8 multiplier against integer additions, and what their cost follows.

Run: ``python -m benchmarks.spins``. Nothing is asserted but that threads change no bit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from accelerators.invertible_logic.circuit import circuit_of
from accelerators.invertible_logic.circuit import spin_network as network_of
from accelerators.invertible_logic.hamiltonian import SpinNetwork
from accelerators.invertible_logic.sampling import anneal
from hwsim.kernels import spin_network as kernel
from hwsim.run import chip, load


def best_s(action: Callable[[], object], rounds: int = 5) -> float:
    """Return the CPU time of the fastest of some rounds; the first, which compiles, does not count."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        action()
        found.append(time.process_time() - begin)
    return min(found)


def say(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<58}{value:>18}   {target}\n")


def updates_per_s(network: SpinNetwork, clocks: int, dtype: Any = np.int8) -> float:
    """Return the spin updates in a second of one block of replicas."""
    words, clamped = kernel.seed_words(1, 0), np.zeros(network.spins, np.uint8)
    state = np.empty((network.spins, kernel.LANES), dtype)
    kernel.draw_spins(state, clamped, words)
    counters, bounds = np.zeros_like(state), np.geomspace(1, 16, clocks).astype(np.int64)
    none, record = np.zeros(0, np.int64), np.zeros((0, 0, kernel.LANES), np.int8)

    def run() -> None:
        kernel.anneal_synchronous(
            state, counters, network.offsets, network.neighbours, network.weights, network.h, clamped,
            bounds, 1, 3, kernel.NOISE_LEVELS, words, none, record)  # fmt: skip

    return network.spins * kernel.LANES * clocks / best_s(run)


def adds_per_s() -> float:
    """Return the best rate of 8-bit additions from 4 kB to 256 kB."""
    rates = []
    for size in (4_096, 16_384, 65_536, 262_144):
        total, row = np.zeros(size, np.int8), np.ones(size, np.int8)
        repeats = 400_000_000 // size

        def run(total: Any = total, row: Any = row, repeats: int = repeats) -> None:
            kernel.add_lanes(total, row, repeats)

        rates.append(size * repeats / best_s(run, 3))
        say(f"bare 8-bit additions, {size // 1024} kB", f"{rates[-1] / 1e9:.1f} G/s")
    return max(rates)


def numpy_updates_per_s(network: SpinNetwork, clocks: int) -> float:
    """Return the rate of the same updates by whole-array numpy on as many replicas."""
    rng, matrix = np.random.default_rng(0), network.matrix().astype(np.float32)
    h = network.h[:, None].astype(np.float32)
    shape = (network.spins, kernel.LANES)

    def run() -> None:
        state, counters = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        for _ in range(clocks):
            counters = np.clip(
                counters + h + matrix @ state + 3 * (2 * rng.integers(0, 2, shape) - 1), -16, 15
            )
            state = np.where(counters >= 0, np.float32(1), np.float32(-1))

    return network.spins * kernel.LANES * clocks / best_s(run, 2)


def main() -> int:
    """Print the table; exit 1 if threads change a bit."""
    eight = network_of(circuit_of(load("multiplier_8x8")))
    rate = updates_per_s(eight, 1000)
    per_update = float(np.abs(eight.weights).sum() / eight.spins) + 3  # bias, counter and noise
    say("spin updates, 8x8 multiplier, one core", f"{rate / 1e6:,.0f} M/s", "target: 100 M/s")
    say("additions of an update", f"{per_update:.1f}")
    say("additions inside updates", f"{rate * per_update / 1e9:.1f} G/s")
    say("share of bare 8-bit additions", f"{rate * per_update / adds_per_s():.0%}", "stated")
    say("updates in 16-bit lanes", f"{updates_per_s(eight, 1000, np.int16) / 1e6:,.0f} M/s")
    slow = numpy_updates_per_s(eight, 20)
    say("whole-array numpy", f"{slow / 1e6:,.1f} M/s", f"{rate / slow:,.0f} x slower")
    for clocks in (250, 500, 1000, 2000, 4000):
        taken = eight.spins * kernel.LANES * clocks / updates_per_s(eight, clocks)
        say(f"time a clock, {clocks} clocks", f"{taken / clocks * 1e6:.1f} us", "flat")
    for bits in (4, 6, 8, 12, 16):
        network = network_of(circuit_of(load(f"multiplier_{bits}x{bits}")))
        taken = network.spins / updates_per_s(network, 500)
        say(
            f"time a coupling and replica, {network.nonzeros} nonzeros",
            f"{taken / network.nonzeros * 1e12:.1f} ps",
            "flat",
        )
    design = chip("invertible_logic", runs=4 * kernel.LANES, anneal_cycles=500).design
    found = [anneal(eight, design, {}, threads=threads).answers for threads in (1, 2, 4)]
    same = all(np.array_equal(found[0], other) for other in found[1:])
    say("1, 2 and 4 threads agree bit for bit", str(same), "target: True")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
