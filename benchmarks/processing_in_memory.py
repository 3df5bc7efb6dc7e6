"""Speed of processing in memory: rows of real bits against a per-bit twin and the memory; cost of AlexNet.

    python benchmarks/processing_in_memory.py

One core. A time is the best of several; ratios are of times in this run. The per-bit twin goes through the
same commands one lane after the other and must agree bit for bit. Bytes of rows are those that commands read
and write; the memory's rate is that of copying an array that fits no cache, bytes read and written together.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from accelerators.dram_pim.expand import library
from accelerators.dram_pim.parse import CELLS
from hwsim.kernels.dram_rows import from_rows, pack, run_commands, run_commands_bitwise, to_rows, unpack
from hwsim.registry import accelerator_names
from hwsim.run import chip, evaluate, load

BITS, LANES, TWIN_LANES = 32, 65_536, 256
COPIED_BYTES = 2**28


def best_s(action: Callable[[], object], rounds: int) -> float:
    """Return the shortest of `rounds` runs, after one that compiles."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        found.append(time.perf_counter() - begin)
    return min(found)


def say(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<58}{value:>18}   {target}\n")


def memory_bytes_per_s() -> float:
    """Return the rate of copying an array much larger than any cache."""
    source = np.ones(COPIED_BYTES // 8, np.uint64)
    target = np.empty_like(source)
    return 2 * COPIED_BYTES / best_s(lambda: np.copyto(target, source), 5)


def dram_addition() -> bool:
    """Measure a 32-bit addition over all lanes of a rank's row; return whether every form agrees."""
    programs = library("simdram", "ambit", "logic")
    commands, rows = programs.expand("add", (BITS, BITS)), programs.rows("add", (BITS, BITS))
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2**BITS, (2, LANES))
    bits = np.zeros((rows, LANES), np.uint8)
    bits[CELLS.index("C1")] = 1
    first = len(CELLS)
    bits[first : first + BITS], bits[first + BITS : first + 2 * BITS] = to_rows(a, BITS), to_rows(b, BITS)
    packed, single = pack(bits), bits[:, :TWIN_LANES].copy()
    packed_s = best_s(lambda: run_commands(packed, commands), 50)
    twin_s = best_s(lambda: run_commands_bitwise(single, commands), 2) * LANES / TWIN_LANES
    memory = memory_bytes_per_s()
    sources, targets = commands[:, 1:4] >= 0, commands[:, 5:8] >= 0
    restored = 3 * (sources.sum(axis=1) == 3).sum()
    row_bytes = int(sources.sum() + targets.sum() + restored) * LANES // 8
    operand_bytes = 3 * BITS * LANES // 8
    sums = from_rows(unpack(packed, LANES)[first + 2 * BITS : first + 3 * BITS], signed=False)
    same = np.array_equal(sums, (a + b) % 2**BITS) and np.array_equal(
        single, unpack(packed, LANES)[:, :TWIN_LANES])
    say(f"DRAM rows, {BITS}-bit addition of {LANES:,} lanes", f"{packed_s * 1e6:,.0f} us")
    say("over the per-bit Python twin", f"{twin_s / packed_s:,.0f} x", "target: 200 x")
    say("bytes of rows read and written", f"{row_bytes / packed_s / 1e9:.1f} GB/s")
    say("memory, copying 256 MiB", f"{memory / 1e9:.1f} GB/s")
    say("memory over bytes of rows", f"{memory * packed_s / row_bytes:.2f} x", "target: at most 4 x")
    say("memory over operands and results alone", f"{memory * packed_s / operand_bytes:.1f} x")
    say("sums and twin agree bit for bit", str(same), "target: True")
    return same


OTHERS = ("racetrack_pim", "reram_pim", "edge_gpu", "edge_fpga")


def alexnet_cost() -> None:
    """Measure what costing AlexNet takes once it is built."""
    for form in ("ternary", "int8"):
        graph = load("alexnet", precision=form)
        for preset in ("simdram", "ambit", "elp2im"):
            target = chip(f"dram_pim:{preset}")
            seconds = best_s(lambda graph=graph, target=target: evaluate(graph, target), 5)
            say(f"alexnet {form} on dram_pim:{preset}", f"{seconds * 1e3:.1f} ms", "target: 50 ms")
    graph = load("alexnet_ternary")
    for name in OTHERS:
        if name in accelerator_names():
            target = chip(name)
            seconds = best_s(lambda graph=graph, target=target: evaluate(graph, target), 5)
            say(f"alexnet_ternary on {name}", f"{seconds * 1e3:.1f} ms", "target: 50 ms")


def main() -> int:
    """Print the table; exit 1 if the forms disagree."""
    same = dram_addition()
    alexnet_cost()
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
