"""Train the masked digits network: ``python benchmarks/masked_digits.py`` (scikit-learn has the samples).

Weights are signs, and zero where the shift registers of `sparse_fc:mlp_90` drop a connection; behind every
hidden layer come a normalization and a relu. Samples and their split are those of the binary digits networks
(workloads/binary/train.py). The last fifth is the test set, and lies beside the weights.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_fc.design import PRESETS
from accelerators.sparse_fc.lfsr import mask
from workloads.binary.reference import EPSILON
from workloads.binary.steps import Adam, Normalization, Product, cross_entropy
from workloads.binary.train import load_samples, save

Floats = NDArray[np.float64]
SEED, EPOCHS, BATCH, RATE = 911, 60, 50, 2e-3
SIZES = (64, 512, 512, 10)
LOGIT_SCALE = 1 / 8  # sums of some fifty signs are too large for a softmax; classes do not depend on it
TARGET = Path(__file__).parents[1] / "workloads/mlp/digits_masked.npz"


class Masked(Product):
    """Signs behind a mask: a dropped weight is zero and gets no gradient."""

    def __init__(self, rng: np.random.Generator, kept: Floats) -> None:
        super().__init__(rng, *kept.shape, binary=True, biased=False)
        self.kept = kept

    def used(self) -> Floats:
        """Return the weights as the product uses them."""
        return super().used() * self.kept

    def backward(self, delta: Floats) -> Floats:
        """Return the gradient of the rows."""
        back = super().backward(delta)
        self.weight_gradient = self.weight_gradient * self.kept
        return back


class Network:
    """Masked products, with normalizations and relus between them."""

    def __init__(self) -> None:
        rng, design = np.random.default_rng(SEED), PRESETS["mlp_90"]
        masks = [mask(design.feedback, design.seeds_of(n), k, float(design.sparsity_ratio)).astype(np.float64)
                 for k, n in itertools.pairwise(SIZES)]
        self.products = [Masked(rng, kept) for kept in masks]
        self.norms = [Normalization(n, EPSILON) for n in SIZES[1:-1]]

    def forward(self, x: Floats) -> Floats:
        """Return the sums of the last layer, and keep what `backward` needs."""
        self.positive: list[NDArray[np.bool_]] = []
        for product, norm in zip(self.products, self.norms, strict=False):
            z = norm.forward(product.forward(x))
            self.positive.append(z > 0)
            x = np.maximum(z, 0)
        return self.products[-1].forward(x) * LOGIT_SCALE

    def backward(self, delta: Floats) -> None:
        """Leave a gradient in every parameter."""
        delta = self.products[-1].backward(delta * LOGIT_SCALE)
        for at in reversed(range(len(self.norms))):
            delta = self.products[at].backward(self.norms[at].backward(delta * self.positive[at]))

    def arrays(self) -> dict[str, Floats]:
        """Return weights and normalizations under the names of the graph's tensors."""
        found = {f"fc{at}.weight": product.used().T for at, product in enumerate(self.products, start=1)}
        for at, norm in enumerate(self.norms, start=1):
            found |= {f"bn{at}.scale": norm.scale, f"bn{at}.bias": norm.bias,
                      f"bn{at}.mean": norm.mean, f"bn{at}.variance": norm.variance}
        return found


def main() -> int:
    """Train, and write weights and test samples."""
    images, labels = load_samples()
    x, split = images.reshape(-1, 64), len(images) * 4 // 5
    network, rng = Network(), np.random.default_rng(SEED)
    adam = Adam([*network.products, *network.norms])
    for epoch in range(EPOCHS):
        order = rng.permutation(split)
        for begin in range(0, split, BATCH):
            chosen = order[begin : begin + BATCH]
            network.backward(cross_entropy(network.forward(x[chosen]), labels[chosen]))
            adam.step(RATE * (1 - epoch / EPOCHS))
    network.forward(x[:split])
    for norm in network.norms:
        norm.mean, norm.variance = norm.batch_mean, norm.batch_variance
    arrays = {name: values.astype(np.int8) if name.endswith(".weight") else values
              for name, values in network.arrays().items()}
    save(TARGET, arrays | {"input": x[split:], "labels": labels[split:]})
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
