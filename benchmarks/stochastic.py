"""Speed of bit-true integral stochastic inference: against unpacked numpy and a bare AND-popcount loop.

    python benchmarks/stochastic.py

One core, 784-100-200-10, N = 1024, m = 1, shared generators, random weights and images. A time is the best of
several, in processor seconds: on a shared machine long runs lose wall time to other programs, short ones do
not. Ratios are of this run. The numpy simulation works on one byte a bit and must agree bit for bit. Weights
become streams once, before the clock starts; making the streams of an image counts, in both.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable

import numpy as np

from accelerators.integral_sc.design import IntegralScDesign
from accelerators.integral_sc.functional import classify, prepare_layers
from accelerators.integral_sc.streams import INPUT_STEP, Streamed, Words, padded, weight_words
from accelerators.integral_sc.values import Layer, float_activations
from hwsim.kernels import bitstream
from hwsim.kernels.integral_network import LANES

SIZES = (784, 100, 200, 10)
IMAGES = 4 * LANES


def best_s(action: Callable[[], object], rounds: int) -> float:
    """Return the fewest processor seconds of `rounds` runs, after one that compiles."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        action()
        found.append(time.process_time() - begin)
    return min(found)


def network(sizes: tuple[int, ...], design: IntegralScDesign, images: int) -> tuple[
        list[Streamed], list[Words], np.ndarray]:
    rng = np.random.default_rng(0)
    layers = [Layer(f"fc{i}", rng.normal(0, 1 / np.sqrt(k), (k, n)), np.zeros(n), "sigmoid")
              for i, (k, n) in enumerate(itertools.pairwise(sizes))]
    layers[-1] = Layer("last", layers[-1].weights, layers[-1].bias, "")
    pixels = rng.random((images, sizes[0]))
    streamed, _ = prepare_layers(layers, float_activations(layers, pixels), design)
    return streamed, [weight_words(layer, i, design) for i, layer in enumerate(streamed)], pixels


def unpacked(streamed: list[Streamed], words: list[Words], design: IntegralScDesign) -> list[np.ndarray]:
    """Return weights as uint8[n, k, N]."""
    found = []
    for layer, own in zip(streamed, words, strict=True):
        bits = bitstream.unpack(own.transpose(1, 2, 0), design.stream_length)
        found.append(np.ascontiguousarray(bits[:, : layer.inputs]))
        assert own.shape[2] == padded(layer.inputs)
    return found


def numpy_inference(streamed: list[Streamed], weights: list[np.ndarray], pixels: np.ndarray,
                    design: IntegralScDesign, sequence: np.ndarray) -> np.ndarray:
    """Classify one image by whole-array numpy operations, from the sequence of the shift registers."""
    phases = design.input_seed + INPUT_STEP * np.arange(len(pixels))
    numbers = sequence[(phases[:, None] + np.arange(design.stream_length)) % len(sequence)]
    v = (numbers < np.rint(pixels * len(sequence))[:, None]).astype(np.uint8)
    for layer, w in zip(streamed, weights, strict=True):
        sums = 2 * (v[None] & w).sum(axis=1, dtype=np.int32) - v.sum(axis=0, dtype=np.int32)
        if not layer.activation:
            return sums.sum(axis=1)
        state = np.full(len(w), layer.states // 2)
        v = np.empty(sums.shape, np.uint8)
        for t in range(sums.shape[1]):
            state = np.clip(state + sums[:, t], 0, layer.states - 1)
            v[:, t] = 2 * state >= layer.states
    raise ValueError("the last layer must hold sums")


def say(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<58}{value:>16}   {target}\n")


def bare_words_per_s() -> float:
    """Return the best rate of ``popcount(a & b)`` over working sets from 16 kB to 16 MB."""
    rng, rates = np.random.default_rng(1), []
    for size in (1_000, 10_000, 100_000, 1_000_000):
        a, b = (rng.integers(0, 2**63, size, dtype=np.uint64) for _ in range(2))
        repeats = 4_000_000 // size

        def loop(a: Words = a, b: Words = b, repeats: int = repeats) -> None:
            for _ in range(repeats):
                bitstream.count_and(a, b)

        rates.append(repeats * size / best_s(loop, 5))
        say(f"bare AND-popcount, {16 * size / 1e3:,.0f} kB", f"{rates[-1] / 1e9:.2f} G words/s")
    return max(rates)


def main() -> int:
    """Print the table; exit 1 if the two simulations disagree."""
    design = IntegralScDesign(stream_length=1024, m=1)
    streamed, words, pixels = network(SIZES, design, IMAGES)
    packed_s = best_s(lambda: classify(streamed, words, pixels, design, 1), 5) / IMAGES
    byte_weights = unpacked(streamed, words, design)
    sequence = bitstream.shift_register(11, bitstream.TAPS[11], 1, design.register_leap)
    plain = numpy_inference(streamed, byte_weights, pixels[0], design, sequence)
    plain_s = best_s(lambda: numpy_inference(streamed, byte_weights, pixels[0], design, sequence), 5)
    same = np.array_equal(plain, classify(streamed, words, pixels[:1], design, 1)[0])
    synapses = sum(k * n for k, n in itertools.pairwise(SIZES))
    rate = synapses * design.stream_length / 64 / packed_s
    say("packed, images/s on one core", f"{1 / packed_s:,.0f}", "guide: 100")
    say("unpacked numpy, images/s", f"{1 / plain_s:,.1f}")
    say("packed over unpacked", f"{plain_s / packed_s:,.0f} x", "target: 100 x")
    say("the two agree bit for bit", str(same), "target: True")
    say("AND words of synapses, whole inference", f"{rate / 1e9:.2f} G words/s")
    say("share of the bare AND-popcount loop", f"{rate / bare_words_per_s():.0%}", "target: 30 %")
    for length in (256, 512, 1024, 2048, 4096):
        own = design.model_copy(update={"stream_length": length})
        made = network(SIZES, own, LANES)
        taken = best_s(lambda made=made, own=own: classify(*made, own, 1), 3)
        say(f"time a clock and image, N = {length}", f"{taken / length / LANES * 1e9:,.0f} ns", "flat")
    for width in (50, 100, 200, 400):
        made = network((784, width, 10), design, LANES)
        taken = best_s(lambda made=made: classify(*made, design, 1), 3)
        count = 784 * width + 10 * width
        say(f"time a synapse and image, {count} synapses", f"{taken / count / LANES * 1e9:,.2f} ns", "flat")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
