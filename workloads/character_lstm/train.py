"""Trains the character LSTM and its pruned twin, from text that comes with Python; never needed to run them.

The text is that of ``pydoc_data.topics``. A dense network is trained first and rounded to 8 bits; from there
two networks go on for equally many updates. One stays dense. The other one has its state behind a threshold
that rises and then rests, while a penalty on the magnitude of the states, adjusted as it goes, brings the
wanted fraction below it. The gradient passes the threshold unchanged where a state is at least half as large
(straight-through), and not at all below.

Run ``python -m workloads.character_lstm.train FILE``; numpy is all it needs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.character_lstm.model import Model
from workloads.character_lstm.text import SYMBOLS, encode, held_out, paragraphs

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Weights = dict[str, Floats]


@dataclass(frozen=True)
class Plan:
    """How long and how to train.

    Attributes
    ----------
    hidden, batch, steps : int
        Width of the state, sequences side by side, characters of one truncated pass.
    rising, falling, apart : int
        Updates of the common network at full and at falling rate, and of each of the two after it.
    rate_ratio : float
        Largest learning rate of Adam.
    threshold_ratio : float
        States below it in magnitude become zero.
    zeros_ratio : float
        Fraction of zero states that the penalty is to reach.
    seed : int
        Of the initial weights.
    """

    hidden: int = 240
    batch: int = 32
    steps: int = 64
    rising: int = 1000
    falling: int = 1200
    apart: int = 1200
    rate_ratio: float = 4e-3
    threshold_ratio: float = 0.5
    zeros_ratio: float = 0.81
    seed: int = 2019


def initial(plan: Plan) -> Weights:
    """Return small random weights; gates in the order i, o, f, c, the forget gate open."""
    rng = np.random.default_rng(plan.seed)
    h, v = plan.hidden, SYMBOLS
    bound = 1 / np.sqrt(h)
    weights = {
        "input": rng.uniform(-bound, bound, (v, 4 * h)),
        "recurrence": rng.uniform(-bound, bound, (h, 4 * h)),
        "bias": np.zeros(4 * h),
        "decoder": rng.uniform(-bound, bound, (h, v)),
        "decoder_bias": np.zeros(v),
    }
    weights["bias"][2 * h : 3 * h] = 1
    return {name: value.astype(np.float32) for name, value in weights.items()}


def _sigmoid(x: Floats) -> Floats:
    return (1 / (1 + np.exp(-x))).astype(np.float32, copy=False)


def quantized(w: Weights, threshold: float) -> dict[str, Any]:
    """Return the weights as `model.Model` holds them: 8 bits, one scale for all gates."""
    largest = max(float(np.abs(w[name]).max()) for name in ("input", "recurrence"))
    scale, decoder_scale = largest / 127, float(np.abs(w["decoder"]).max()) / 127
    shift = 20
    return {
        "weight": np.rint(w["input"] / scale).astype(np.int8),
        "recurrence": np.rint(w["recurrence"] / scale).astype(np.int8),
        "bias": np.rint(w["bias"] * 128 / scale).astype(np.int32),
        "multiplier": np.int64(round(scale / 128 * 64 * 2**shift)),
        "shift": np.int64(shift),
        "threshold": np.int64(np.ceil(threshold * 128)),
        "decoder": np.rint(w["decoder"] / decoder_scale).astype(np.int8),
        "decoder_scale_ratio": np.float64(decoder_scale / 128),
        "decoder_bias": w["decoder_bias"],
    }


@dataclass(frozen=True)
class _Tape:
    """What a forward pass leaves behind for the backward pass.

    Attributes
    ----------
    states, cells : float32[steps + 1, batch, hidden]
        Pruned states and cells, the first ones from before the pass.
    gates : float32[steps, batch, 4 * hidden]
        i, o, f, c after their functions.
    squashed, raw : float32[steps, batch, hidden]
        Hyperbolic tangents of the cells, and states before pruning.
    """

    states: Floats
    cells: Floats
    gates: Floats
    squashed: Floats
    raw: Floats


def forward(w: Weights, ids: Ints, h: Floats, c: Floats, threshold: float) -> _Tape:
    """Run the cell over characters [steps, batch] from state and cell [batch, hidden]."""
    (steps, batch), hidden = ids.shape, h.shape[1]
    gates = np.empty((steps, batch, 4 * hidden), np.float32)
    states, cells = (np.empty((steps + 1, batch, hidden), np.float32) for _ in range(2))
    squashed, raw = (np.empty((steps, batch, hidden), np.float32) for _ in range(2))
    states[0], cells[0] = h, c
    for t in range(steps):
        z = w["input"][ids[t]] + w["bias"]
        z += states[t] @ w["recurrence"]
        z[:, : 3 * hidden] = _sigmoid(z[:, : 3 * hidden])
        z[:, 3 * hidden :] = np.tanh(z[:, 3 * hidden :])
        gates[t] = z
        i, o, f, g = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
        cells[t + 1] = f * cells[t] + i * g
        squashed[t] = np.tanh(cells[t + 1])
        raw[t] = o * squashed[t]
        states[t + 1] = np.where(np.abs(raw[t]) < threshold, 0, raw[t])
    return _Tape(states, cells, gates, squashed, raw)


def backward(w: Weights, tape: _Tape, outside: Floats, threshold: float, shrink: np.float32) -> Floats:
    """Return the gradients of the sums of the gates [steps, batch, 4 * hidden].

    `outside` is the gradient that the decoder sends to each state, `shrink` that of the penalty.
    """
    steps, _, hidden = tape.raw.shape
    dz = np.empty_like(tape.gates)
    dh, dc = np.zeros_like(tape.raw[0]), np.zeros_like(tape.raw[0])
    for t in reversed(range(steps)):
        passes = np.abs(tape.raw[t]) >= threshold / 2
        dh = (dh + outside[t]) * passes + shrink * np.sign(tape.raw[t])
        i, o, f, g = (tape.gates[t][:, k * hidden : (k + 1) * hidden] for k in range(4))
        dc = dc + dh * o * (1 - tape.squashed[t] ** 2)
        dz[t, :, :hidden] = dc * g * i * (1 - i)
        dz[t, :, hidden : 2 * hidden] = dh * tape.squashed[t] * o * (1 - o)
        dz[t, :, 2 * hidden : 3 * hidden] = dc * tape.cells[t] * f * (1 - f)
        dz[t, :, 3 * hidden :] = dc * i * (1 - g**2)
        dh, dc = dz[t] @ w["recurrence"].T, dc * f
    return dz


def loss_and_gradients(
    w: Weights, ids: Ints, h: Floats, c: Floats, threshold: float, penalty: float
) -> tuple[float, Weights, Floats, Floats, Floats]:
    """Return nats per character, gradients, last state and cell, and the magnitudes of all states.

    Parameters
    ----------
    w : dict
        Weights.
    ids : int64[steps + 1, batch]
        Characters; each one is to be predicted from those before it.
    h, c : float32[batch, hidden]
        State and cell before the first character.
    threshold : float
        States below it in magnitude become zero.
    penalty : float
        Nats per unit of magnitude of a state, added to the loss that is minimised.
    """
    hidden, tape = h.shape[1], forward(w, ids[:-1], h, c, threshold)
    flat = tape.states[1:].reshape(-1, hidden)
    logits = flat @ w["decoder"] + w["decoder_bias"]
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    target, row = ids[1:].reshape(-1), np.arange(flat.shape[0])
    loss = -float(np.log(logits[row, target] + 1e-12).mean())
    logits[row, target] -= 1
    logits /= flat.shape[0]
    outside = (logits @ w["decoder"].T).reshape(tape.raw.shape).astype(np.float32, copy=False)
    dz = backward(w, tape, outside, threshold, np.float32(penalty / flat.shape[0]))
    every = dz.reshape(-1, 4 * hidden)
    one_hot = np.zeros((every.shape[0], SYMBOLS), np.float32)
    one_hot[np.arange(every.shape[0]), ids[:-1].reshape(-1)] = 1
    grads: Weights = {
        "decoder": flat.T @ logits,
        "decoder_bias": logits.sum(axis=0),
        "input": one_hot.T @ every,
        "recurrence": tape.states[:-1].reshape(-1, hidden).T @ every,
        "bias": every.sum(axis=0),
    }
    return loss, grads, tape.states[-1], tape.cells[-1], np.abs(tape.raw)


def train(
    w: Weights, ids: Ints, plan: Plan, updates: int, zeros: float, rate: Callable[[float], float]
) -> tuple[Weights, float]:
    """Return trained weights and the threshold.

    Parameters
    ----------
    w : dict
        Weights to start from.
    ids : int64[characters]
        Training text.
    plan : Plan
        Sizes.
    updates : int
        Updates of the weights.
    zeros : float
        Fraction of zero states; 0 trains dense.
    rate : callable (float) -> float
        Learning rate at the fraction of the updates that is done.
    """
    w = {name: value.copy() for name, value in w.items()}
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in w.items()}
    lanes = ids[: ids.size // plan.batch * plan.batch].reshape(plan.batch, -1).T
    h = c = np.zeros((plan.batch, plan.hidden), np.float32)
    threshold, penalty, place, started, smooth = 0.0, 0.0, 0, time.monotonic(), 0.0
    for update in range(updates):
        if place + plan.steps + 1 > lanes.shape[0]:
            place, h, c = 0, np.zeros_like(h), np.zeros_like(c)
        done = update / updates
        piece = lanes[place : place + plan.steps + 1]
        loss, grads, h, c, magnitudes = loss_and_gradients(w, piece, h, c, threshold, penalty)
        place += plan.steps
        if zeros:
            threshold = plan.threshold_ratio * min(1.0, done / 0.2)
            wanted = zeros * min(1.0, 0.4 + done / 0.5)
            excess = wanted - float((magnitudes < threshold).mean())
            penalty = min(0.02, max(2e-3, penalty) * float(np.exp(0.1 * excess)))
        norm = np.sqrt(sum(float((grad**2).sum()) for grad in grads.values()))
        for name, grad in grads.items():
            grad *= min(1.0, 1.0 / (norm + 1e-9))
            first, second = moments[name]
            first += 0.1 * (grad - first)
            second += 0.01 * (grad**2 - second)
            first_hat, second_hat = first / (1 - 0.9 ** (update + 1)), second / (1 - 0.99 ** (update + 1))
            w[name] -= rate(done) * first_hat / (np.sqrt(second_hat) + 1e-8)
        smooth = loss if not update else 0.98 * smooth + 0.02 * loss
        if update % 50 == 0 or update == updates - 1:
            sys.stderr.write(
                f"{update:5d} {time.monotonic() - started:6.0f} s  {smooth / np.log(2):.3f} bits  "
                f"threshold {threshold:.3f}  penalty {penalty:.4f}  "
                f"zeros {float((magnitudes < threshold).mean()):.3f}\n"
            )
    return w, threshold


def dequantized(file: Mapping[str, Any], name: str) -> Weights:
    """Return the weights of a network that `quantized` made."""
    part = {key: file[f"{name}.{key}"] for key in quantized_fields()}
    scale = float(part["multiplier"]) / 2 ** float(part["shift"]) * 2
    return {
        "input": (part["weight"] * scale).astype(np.float32),
        "recurrence": (part["recurrence"] * scale).astype(np.float32),
        "bias": (part["bias"] * scale / 128).astype(np.float32),
        "decoder": (part["decoder"] * float(part["decoder_scale_ratio"]) * 128).astype(np.float32),
        "decoder_bias": part["decoder_bias"],
    }


def quantized_fields() -> tuple[str, ...]:
    """Return the names of the arrays of a network."""
    return tuple(Model.__dataclass_fields__)


def train_common(ids: Ints, plan: Plan) -> dict[str, Any]:
    """Return the arrays of the dense network that both others start from."""

    def rising(done: float) -> float:
        return plan.rate_ratio * min(1.0, 20 * done + 0.05)

    first, _ = train(initial(plan), ids, plan, plan.rising, 0.0, rising)
    common, _ = train(first, ids, plan, plan.falling, 0.0, lambda done: plan.rate_ratio * falling(done))
    return _named("dense", common, 0.0)


def train_apart(common: Mapping[str, Any], ids: Ints, plan: Plan, zeros: float) -> dict[str, Any]:
    """Return the arrays of the dense network (`zeros` 0) or of the pruned one, trained on from `common`."""
    start, rate = dequantized(common, "dense"), 0.75 * plan.rate_ratio
    trained, threshold = train(start, ids, plan, plan.apart, zeros, lambda done: rate * falling(done))
    return _named("pruned" if zeros else "dense", trained, threshold)


def _named(name: str, w: Weights, threshold: float) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in quantized(w, threshold).items()}


def falling(done: float) -> float:
    """Return the share of the learning rate that is left, from 0.7 down to 0.02."""
    return float(0.02 + 0.34 * (1 + np.cos(np.pi * done)))


def main() -> None:
    """Train both networks and write them with the held-out text."""
    parser = argparse.ArgumentParser(prog="workloads.character_lstm.train", description=__doc__)
    parser.add_argument("output", type=Path, help="file to write, for example trained.npz")
    chosen = parser.parse_args()
    plan = Plan()
    text, digest = paragraphs()
    excerpt, training = held_out(text)
    ids = encode(training)
    sys.stderr.write(f"text {digest}, {ids.size} characters to train on, {len(excerpt)} held out\n")
    common = train_common(ids, plan)
    arrays = train_apart(common, ids, plan, plan.zeros_ratio) | train_apart(common, ids, plan, 0.0)
    arrays |= {"text": encode(excerpt).astype(np.uint8), "topics_sha256": np.array(digest)}
    beside = chosen.output.with_name(f".{chosen.output.name}.partial")
    with beside.open("wb") as file:
        np.savez_compressed(file, **arrays)
    beside.replace(chosen.output)
    written = hashlib.sha256(chosen.output.read_bytes()).hexdigest()
    sys.stderr.write(f"{written} {chosen.output}, {chosen.output.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
