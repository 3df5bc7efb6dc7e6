"""Train the digits networks: ``python -m workloads.digits.train`` (needs scikit-learn for the samples).

Samples: optical recognition of handwritten digits, E. Alpaydin and C. Kaynak, UCI repository 1998
(CC BY 4.0), as shipped in scikit-learn: 1797 images of 8 x 8 pixels from 0 to 16. The last fifth of a fixed
shuffle is the test set.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.digits import WORKLOADS, DigitsConfig

Floats = NDArray[np.float64]
SEED, EPOCHS, BATCH = 1509, 300, 32
RATE, DECAY = 2e-3, 2e-4


def load_samples() -> tuple[Floats, NDArray[np.int64]]:
    """Return images in [0, 1] and labels in a fixed random order."""
    found = importlib.import_module("sklearn.datasets").load_digits()
    order = np.random.default_rng(SEED).permutation(len(found.target))
    return found.data[order] / 16, found.target[order].astype(np.int64)


def train(config: DigitsConfig, x: Floats, labels: NDArray[np.int64]) -> list[Floats]:
    """Return weights [k, n] and biases in turn, by Adam on the cross-entropy with weight decay."""
    rng = np.random.default_rng(SEED)
    sizes = (64, *config.hidden, 10)
    p: list[Floats] = []
    for k, n in itertools.pairwise(sizes):
        p += [rng.normal(0, 1.5 / np.sqrt(k), (k, n)), np.zeros(n)]
    first, second = [np.zeros_like(v) for v in p], [np.zeros_like(v) for v in p]
    step = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        rate = RATE * (1 - epoch / EPOCHS)
        for begin in range(0, len(x), BATCH):
            chosen = order[begin : begin + BATCH]
            step += 1
            for i, g in enumerate(gradients(config, p, x[chosen], labels[chosen])):
                g = g + DECAY * p[i] * (i % 2 == 0)
                first[i] = 0.9 * first[i] + 0.1 * g
                second[i] = 0.999 * second[i] + 0.001 * g * g
                corrected = np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8
                p[i] = p[i] - rate * first[i] / (1 - 0.9**step) / corrected
    return p


def gradients(config: DigitsConfig, p: list[Floats], x: Floats, labels: NDArray[np.int64]) -> list[Floats]:
    """Return the gradient of the mean cross-entropy by every parameter."""
    values = forward(config, p, x)
    z = values[-1] - values[-1].max(axis=1, keepdims=True)
    delta = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    delta[np.arange(len(x)), labels] -= 1
    delta /= len(x)
    found: list[Floats] = [np.zeros(0)] * len(p)
    for layer in reversed(range(len(p) // 2)):
        found[2 * layer], found[2 * layer + 1] = values[layer].T @ delta, delta.sum(axis=0)
        v = values[layer]
        slope = {"tanh": 1 - v * v, "relu": (v > 0).astype(np.float64)}.get(config.activation, v * (1 - v))
        delta = (delta @ p[2 * layer].T) * slope
    return found


def forward(config: DigitsConfig, p: list[Floats], x: Floats) -> list[Floats]:
    """Return the inputs of every layer and the last sums."""
    values = [x]
    for layer in range(len(p) // 2):
        z = values[-1] @ p[2 * layer] + p[2 * layer + 1]
        last = layer == len(p) // 2 - 1
        values.append(z if last else activate(config, z))
    return values


def activate(config: DigitsConfig, z: Floats) -> Floats:
    """Return the activation of the sums of a layer."""
    if config.activation == "relu":
        return np.maximum(z, 0)
    return np.tanh(z) if config.activation == "tanh" else 1 / (1 + np.exp(-z))


def main() -> int:
    """Train every preset and write weights and test samples beside this file."""
    x, labels = load_samples()
    split = len(x) * 4 // 5
    for name, config in WORKLOADS[0].presets.items():
        p = train(config, x[:split], labels[:split])
        arrays: dict[str, Any] = {
            "input": x[split:].astype(np.float16),
            "labels": labels[split:].astype(np.uint8),
        }
        for layer in range(len(p) // 2):
            arrays[f"fc{layer + 1}.weight"] = p[2 * layer].T.astype(np.float16)
            arrays[f"fc{layer + 1}.bias"] = p[2 * layer + 1].astype(np.float16)
        path = Path(__file__).with_name(f"{name}.npz")
        np.savez_compressed(path, **arrays)
        errors = (forward(config, p, x[split:])[-1].argmax(axis=1) != labels[split:]).mean()
        sys.stdout.write(
            f"{path.name}: {path.stat().st_size} bytes, {errors:.2%} of {len(x) - split} test samples wrong\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
