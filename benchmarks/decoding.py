"""Speed of min-sum decoding: against whole-array numpy and against a bare sweep over as many messages.

    python benchmarks/decoding.py

One core, 5 iterations, integer LLRs of 6 bits. A time is the best of several; ratios are of times in this
run. The numpy decoder handles all frames and checks of an iteration in whole-array operations (a partition, a
matrix product to add up messages) and must agree in every total. The bare sweep adds two arrays of 32-bit
integers as large as the messages once a phase: nothing touches messages faster.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from accelerators.min_sum_decoder.arithmetic import Decoder, decoder_of, quantized
from accelerators.min_sum_decoder.channel import LANES, encoder_of, transmit
from accelerators.min_sum_decoder.design import PRESETS
from accelerators.min_sum_decoder.functional import decode, decode_exactly
from accelerators.min_sum_decoder.prepare import prepare
from hwsim.run import load

CODES = ("bch_63_45", "ldpc_array_366_185")
BLOCKS = 8


def best_s(action: Callable[[], object], rounds: int) -> float:
    """Return the shortest of `rounds` runs, after one that compiles."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        found.append(time.perf_counter() - begin)
    return min(found)


def numpy_min_sum(llr: np.ndarray, decoder: Decoder, largest: int) -> np.ndarray:
    """Decode float32[frames, n] of whole numbers; all checks have one degree."""
    frames, checks = len(llr), decoder.starts.size - 1
    incidence = np.zeros((decoder.variables.size, llr.shape[1]), np.float32)
    incidence[np.arange(decoder.variables.size), decoder.variables] = 1
    totals, told = llr, np.zeros((frames, decoder.variables.size), np.float32)
    for _ in range(decoder.iterations):
        heard = np.clip(totals[:, decoder.variables] - told, -largest, largest).reshape(frames, checks, -1)
        sizes = np.abs(heard)
        smallest, second = np.split(np.partition(sizes, 1, axis=2)[:, :, :2], 2, axis=2)
        negative = heard < 0
        signs = np.float32(1) - 2 * ((negative.sum(axis=2, keepdims=True) - negative) % 2)
        told = (signs * np.where(sizes == smallest, second, smallest)).reshape(frames, -1)
        totals = llr + told @ incidence
    return totals


def bare_sweep(messages: np.ndarray, other: np.ndarray, phases: int) -> None:
    """Touch every message once a phase."""
    for _ in range(phases):
        np.add(messages, other, out=messages)


def say(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<62}{value:>16}   {target}\n")


def measure(name: str) -> bool:
    """Print the rows of one code; False if the decoders disagree."""
    design = PRESETS["min_sum"]
    decoder = decoder_of(prepare(load(name), design))
    encoder = encoder_of(decoder.tanner)
    received = [transmit(encoder, 3.0, 1, block)[1] for block in range(BLOCKS)]
    steps = [quantized(np.ascontiguousarray(llr.T), design) for llr in received]
    weights = np.zeros((decoder.iterations, decoder.tanner.edges), np.int32)
    frames = BLOCKS * LANES
    rows = np.concatenate(steps, axis=1).T.astype(np.float32)
    ours_s = best_s(lambda: [decode(block, decoder, weights, design) for block in steps], 7) / frames
    plain_s = min(best_s(lambda own=rows[:size]: numpy_min_sum(own, decoder, design.largest), 3) / size
                  for size in (LANES, frames))
    found = np.concatenate([decode(block, decoder, weights, design) for block in steps], axis=1)
    same = np.array_equal(found, numpy_min_sum(rows, decoder, design.largest).T)
    exact_s = best_s(lambda: [decode_exactly(llr.T.copy(), decoder) for llr in received[:2]], 3) / (2 * LANES)
    shape = (decoder.tanner.edges, LANES)
    a, b = np.zeros(shape, np.int32), np.ones(shape, np.int32)
    bare_s = best_s(lambda: bare_sweep(a, b, 2 * decoder.iterations), 7) / LANES
    say(f"{name}: min-sum, frames/s on one core", f"{1 / ours_s:,.0f}")
    say(f"{name}: whole-array numpy, frames/s", f"{1 / plain_s:,.0f}")
    say(f"{name}: ours over numpy", f"{plain_s / ours_s:,.0f} x")
    say(f"{name}: the two agree in every total", str(same), "target: True")
    say(f"{name}: share of the bare sweep's rate", f"{bare_s / ours_s:.0%}")
    say(f"{name}: belief propagation in double precision, frames/s", f"{1 / exact_s:,.0f}")
    return same


def main() -> int:
    """Print the table; exit 1 if two decoders disagree."""
    agree = [measure(name) for name in CODES]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
