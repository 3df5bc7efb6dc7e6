"""Speed of bit-true additions on racetrack clusters: against single bits and the memory's bandwidth.

    python benchmarks/racetrack_words.py

Five operands of 8 bits in clusters of 512 wires, one core. A time is the best of several; ratios are of times
in this run. Bandwidth is what numpy reaches when it adds two arrays into a third of the same total size; the
additions read five words and write three (S, C and C') for every 64 wires.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from accelerators.racetrack_pim.design import PRESETS
from accelerators.racetrack_pim.processor import Processor
from hwsim.kernels.racetrack_words import add_bit_by_bit, add_rows
from hwsim.run import chip, evaluate, load

LANE_BITS, WORDS, CLUSTERS = 8, 8, 2**18
FIRST = 0x0101010101010101


def best_s(action: Callable[[], object], rounds: int) -> float:
    """Return the shortest of `rounds` runs, after one that compiles."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        found.append(time.perf_counter() - begin)
    return min(found)


def bits_of(rows: np.ndarray) -> list[list[int]]:
    """Return wires as Python numbers."""
    return [[int(row[w // 64]) >> (w % 64) & 1 for w in range(64 * row.size)] for row in rows]


def main() -> None:
    """Print seconds and ratios."""
    rng = np.random.default_rng(0)
    n = CLUSTERS * WORDS
    operands = rng.integers(0, 2**63, (5, n)).astype(np.uint64) * 2 + 1
    results = [np.empty(n, np.uint64) for _ in range(3)]
    packed_s = best_s(lambda: add_rows(operands, *results, FIRST, LANE_BITS), 9)

    few = 16
    bits = bits_of(operands[:, : few * WORDS])
    single_s = best_s(lambda: add_bit_by_bit(bits, LANE_BITS), 3) / few * CLUSTERS
    for found, expected in zip(results, add_bit_by_bit(bits, LANE_BITS), strict=True):
        assert bits_of(found[None, : few * WORDS])[0] == expected

    machine = Processor(PRESETS["calibrated_ternary"], few)
    stepped = machine.addition([row.reshape(few, WORDS) for row in operands[:, : few * WORDS]], LANE_BITS)
    assert np.array_equal(stepped.reshape(-1), results[0][: few * WORDS])

    moved = operands.nbytes + sum(result.nbytes for result in results)
    a, b, c = (np.ones(moved // 24, np.uint64) for _ in range(3))
    memory_s = best_s(lambda: np.add(a, b, out=c), 9)

    print(f"{CLUSTERS} clusters of 512 wires, five operands of 8 bits, {moved / 1e6:.0f} MB")
    print(f"packed words      {packed_s:10.4f} s   {CLUSTERS * 64 / packed_s / 1e9:.2f} G additions/s")
    print(f"single bits       {single_s:10.1f} s   {single_s / packed_s:.0f} x as long")
    print(f"memory bandwidth  {memory_s:10.4f} s   {moved / memory_s / 1e9:.1f} GB/s; packed words take "
          f"{packed_s / memory_s:.2f} x as long")
    network = load("alexnet_ternary")
    for trd in (7, 5, 3):
        target = chip("racetrack_pim", trd=trd)
        cost_s = best_s(lambda target=target: evaluate(network, target), 7)
        print(f"cost of alexnet_ternary at distance {trd}: {cost_s * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
