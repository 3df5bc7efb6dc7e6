"""Speed of the sparse-state engine: masks to cycles, and its machine against plain Python, in one run.

    python benchmarks/recurrent.py
    python benchmarks/recurrent.py --record    # measure the trained networks anew, write measured.toml

Ratios and times are printed and never asserted: machines are shared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accelerators.sparse_lstm.cell import Formats
from accelerators.sparse_lstm.design import PRESETS, SparseLstmDesign
from accelerators.sparse_lstm.lower import lower
from accelerators.sparse_lstm.machine import Chip, run_layer
from accelerators.sparse_lstm.operands import Layer, Sequence
from accelerators.sparse_lstm.zeros import ZeroStates, count_entries
from hwsim.graph.types import Graph
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.registry import load_accelerator, load_workload
from hwsim.run import chip, evaluate
from workloads.character_lstm.model import (
    SEQUENCES,
    TRAINED,
    bits_per_character,
    load_model,
    load_text,
    zero_states,
)

STEPS, HIDDEN, BATCH = 1000, 1000, 16


def best(run: Callable[[], object], rounds: int = 5) -> float:
    """Return the least CPU seconds of several rounds, after one that compiles."""
    run()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def real_masks() -> np.ndarray:
    """Return uint8[steps, batch, hidden]: the trained network's zero states, repeated up to the width."""
    zero = zero_states(load_model("pruned"), load_text(), SEQUENCES)
    copies = -(-HIDDEN // zero.shape[2])
    wide = np.concatenate([np.roll(zero, 37 * copy, axis=0) for copy in range(copies)], axis=2)
    return np.ascontiguousarray(wide[:STEPS, :BATCH, :HIDDEN]).view(np.uint8)


def plain_entries(zero: np.ndarray, offset_bits: int) -> tuple[list[int], list[int]]:
    """Count entries of every step in plain Python, on nested lists."""
    kept, fillers = [], []
    for step in zero.tolist():
        values = extra = run = 0
        for column in zip(*step, strict=True):
            if all(column):
                run += 1
            else:
                values += 1
                extra += run >> offset_bits
                run = 0
        kept.append(values)
        fillers.append(extra)
    return kept, fillers


def plain_columns(columns: list[list[int]], values: list[list[int]], design: SparseLstmDesign) -> int:
    """Step the array over columns in plain Python, on nested lists; return the clocks."""
    rows, batch = len(columns[0]), len(values[0])
    sums = [[0] * rows for _ in range(batch)]
    rate = design.dram_bits_per_s / design.clock_hz
    beats, bits = design.beats(rows, batch), design.column_bits(rows, batch)
    clocks = 0
    for column, value in zip(columns, values, strict=True):
        arrived, beat = 0.0, 0
        while beat < beats:
            clocks += 1
            arrived += rate
            if arrived * beats < bits * (beat + 1):
                continue
            block, group = divmod(beat, -(-batch // design.batch_lanes))
            first, lane = block * design.weights_per_cycle, group * design.batch_lanes
            for b in range(lane, min(batch, lane + design.batch_lanes)):
                row, factor = sums[b], value[b]
                for r in range(first, min(rows, first + design.weights_per_cycle)):
                    row[r] += column[r] * factor
            beat += 1
    return clocks


def masks_to_cycles(graph: Graph, zero: np.ndarray) -> float:
    """Return the seconds from masks in memory to the cycles of the layer."""
    accelerator, design = load_accelerator("sparse_lstm"), PRESETS["published"]
    prepared, sheet = accelerator.prepare(graph, design), accelerator.datasheet(design)
    states = {"lstm0": ZeroStates(zero[None], "real masks, repeated")}

    def run() -> int:
        trace = lower(prepared, design, states)
        return int(time_trace(trace, price(trace, sheet), sheet).cycles)

    return best(run)


def pe_cycles_per_s(batch: int, plain: bool) -> float:
    """Return processing-element cycles a second of the machine, or of plain Python."""
    design, rng = PRESETS["published"], np.random.default_rng(1)
    count, rows = (6, 480) if plain else (HIDDEN, 4 * HIDDEN)
    columns = rng.integers(-127, 128, (count, rows)).astype(np.int8)
    values = rng.integers(-127, 128, (count, batch))
    clocks = count * design.beats(rows, batch)
    if plain:
        lists = columns.tolist(), values.tolist()
        return clocks * design.pes / best(lambda: plain_columns(*lists, design))
    sums = np.zeros((batch, rows), np.int32)
    return clocks * design.pes / best(lambda: Chip(design).multiply(columns, values, sums))


def layer_pe_cycles_per_s(batch: int, steps: int = 3) -> float:
    """Return processing-element cycles a second of a whole dense layer: encoder, array, Hadamard phase."""
    rng = np.random.default_rng(1)
    layer = Layer(
        "lstm",
        rng.integers(-127, 128, (1, 1, 4 * HIDDEN)).astype(np.int8),
        rng.integers(-127, 128, (1, HIDDEN, 4 * HIDDEN)).astype(np.int8),
        np.zeros((1, 4 * HIDDEN), np.int64),
        np.zeros((1, 4 * HIDDEN), np.int64),
        False,
        Formats(8, 1, 12),
    )
    start = np.zeros((1, batch, HIDDEN), np.int64)
    fed = Sequence(rng.integers(-127, 128, (steps, batch, 1)), start, start, True)
    machine = Chip(PRESETS["dense"])
    run_layer(machine, layer, fed, lambda _, step: step)
    clocks = machine.clock
    seconds = best(lambda: run_layer(machine, layer, fed, lambda _, step: step), 2)
    return clocks * machine.design.pes / seconds


def record() -> str:
    """Return the text of measured.toml: loss, zeros that sequences share, and cycles on the chip."""
    text, pruned = load_text(), load_model("pruned")
    zero = zero_states(pruned, text, SEQUENCES)
    with np.load(TRAINED) as file:
        digest = str(file["topics_sha256"])
    losses = {name: bits_per_character(load_model(name), text) for name in ("dense", "pruned")}
    lines = [
        "# Measured by `python benchmarks/recurrent.py --record`; tests/unit/sparse_lstm measures again.",
        f"# {text.shape[0] - 1} characters of each of {SEQUENCES} held-out sequences, in 8-bit integers by "
        "model.py;",
        "# a batch takes the first sequences; cycles are those of lstm0 on sparse_lstm:published and :dense.",
        "",
        "[text]",
        f'topics_sha256 = "{digest}"',
        "",
        "[network]",
        f"hidden = {pruned.hidden}",
        f"threshold = {pruned.threshold}",
        "",
        "[bits_per_character]",
        *(f"{name} = {loss:.7f}" for name, loss in losses.items()),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "masks.npz"
        np.savez(path, lstm0=zero)
        for batch in (1, 4, 8, 16):
            graph = load_workload("lstm_character", {"batch": batch})
            skip, dense = (
                evaluate(graph, chip("sparse_lstm", state_masks=str(path), mode=mode)).layers[1].cycles
                for mode in ("skip", "dense")
            )
            lines += [
                "",
                "[[batches]]",
                f"batch = {batch}",
                f"shared_zero_fraction = {zero[:, :batch].all(axis=1).mean():.7f}",
                f"skip_cycles = {skip}",
                f"dense_cycles = {dense}",
                f"speed_up = {dense / skip:.4f}",
            ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print all figures, or record the measured ones."""
    parser = argparse.ArgumentParser(description="Speed of the sparse-state engine")
    parser.add_argument("--record", action="store_true", help="write measured.toml instead")
    if parser.parse_args().record:
        TRAINED.with_name("measured.toml").write_text(record(), encoding="utf-8")
        return
    zero = real_masks()
    network = {"batch": BATCH, "sequence_length": STEPS, "hidden": HIDDEN}
    graph = load_workload("lstm_ptb_char", network)
    few = zero[:20]
    fast, slow = best(lambda: count_entries(zero, 8)), best(lambda: plain_entries(few, 8), 2) * STEPS / 20
    print(f"masks {STEPS} x {BATCH} x {HIDDEN}, {zero.mean():.1%} zeros")
    print(f"  AND and encode        {1e3 * fast:8.2f} ms   plain Python {slow:.2f} s, {slow / fast:.0f} x")
    print(f"  AND, encode and fold  {1e3 * masks_to_cycles(graph, zero):8.2f} ms   (target 50 ms)")
    for batch in (8, 16):
        fast, slow = pe_cycles_per_s(batch, plain=False), pe_cycles_per_s(batch, plain=True)
        print(
            f"machine, batch {batch:2d}       {fast / 1e6:8.0f} million PE-cycles a second (target 2)   "
            f"plain Python {slow / 1e6:.1f} million, {fast / slow:.0f} x (target 100)"
        )


    whole = layer_pe_cycles_per_s(BATCH)
    print(f"whole layer, batch {BATCH}   {whole / 1e6:8.0f} million PE-cycles a second")


if __name__ == "__main__":
    main()
