"""Train the binary digits networks: ``python -m workloads.binary.train`` (scikit-learn has the samples).

Samples: optical recognition of handwritten digits, E. Alpaydin and C. Kaynak, UCI repository 1998
(CC BY 4.0), as shipped in scikit-learn: 1797 images of 8 x 8 pixels from 0 to 16. The last fifth of a fixed
shuffle is the test set. Signs pass their gradient straight through where their argument is in [-1, 1]
(Courbariaux et al., Binarized Neural Networks, NIPS 2016). Names of networks as arguments train those alone.

`digits_mlp_mst` is the perceptron with a loss on top that draws output channels together along their
minimum spanning tree, as MST-compression does (Vo et al., ICCV 2023; its own loss is not known to us): half
the squared distance of the trained numbers of every channel and its parent, times `PULL`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.binary.digits import DigitsMlpConfig
from workloads.binary.reference import EPSILON, classify, columns, signs
from workloads.binary.steps import Adam, Floats, Normalization, Product, cross_entropy, pool, unpool

SEED, EPOCHS, BATCH, RATE = 2309, 120, 50, 2e-3
PULL = 1e-5


def load_samples() -> tuple[Floats, NDArray[np.int64]]:
    """Return images [n, 8, 8] in [0, 1] and labels in a fixed random order."""
    found = importlib.import_module("sklearn.datasets").load_digits()
    order = np.random.default_rng(SEED).permutation(len(found.target))
    return found.images[order] / 16, found.target[order].astype(np.int64)


def thermometer(pixels: Floats, levels: int) -> Floats:
    """Return `levels` signs of every pixel [n, k]: whether it reaches 1, 3, 5, ... of 2 x levels."""
    steps = (2 * np.arange(levels) + 1) / (2 * levels)
    return signs(pixels[:, None, :] - steps[:, None]).reshape(len(pixels), -1)


class Network:
    """Layers of a network while it is trained; products of name ``conv`` take 3 x 3 windows."""

    def __init__(self, names: tuple[str, ...], sizes: tuple[int, ...], pools: frozenset[str]) -> None:
        rng = np.random.default_rng(SEED)
        self.names, self.pools = names, pools
        self.products, self.norms = list[Product](), list[Normalization]()
        for index, name in enumerate(names):
            window = 9 if name.startswith("conv") else 1
            k = sizes[index] * window * (4 if index and names[index - 1] in pools and window == 1 else 1)
            last = index == len(names) - 1
            binary = not last and name != "conv0"
            self.products.append(Product(rng, k, sizes[index + 1], binary=binary, biased=last))
            if not last:
                self.norms.append(Normalization(sizes[index + 1], EPSILON))

    def forward(self, x: Floats) -> Floats:
        """Return the sums of the last layer, and keep what `backward` needs."""
        self.shapes: list[tuple[int, ...]] = []
        self.masks: list[NDArray[np.bool_]] = []
        self.chosen: dict[str, NDArray[np.bool_]] = {}
        for index, (name, product) in enumerate(zip(self.names, self.products, strict=True)):
            self.shapes.append(x.shape)
            spatial = name.startswith("conv")
            rows = columns(x) if spatial else x.reshape(len(x), -1)
            x = product.forward(rows)
            if spatial:
                n, _, height, width = self.shapes[-1]
                x = x.reshape(n, height, width, -1).transpose(0, 3, 1, 2)
            if name in self.pools:
                x, self.chosen[name] = pool(x)
            if index < len(self.norms):
                z = self.norms[index].forward(x)
                self.masks.append(np.abs(z) <= 1)
                x = signs(z)
        return x

    def backward(self, delta: Floats) -> None:
        """Leave a gradient in every parameter."""
        for index in reversed(range(len(self.names))):
            name = self.names[index]
            if index < len(self.norms):
                delta = self.norms[index].backward(delta.reshape(self.masks[index].shape) * self.masks[index])
            if name in self.pools:
                delta = unpool(delta, self.chosen[name])
            if name.startswith("conv"):
                delta = delta.transpose(0, 2, 3, 1).reshape(-1, delta.shape[1])
                delta = _fold(self.products[index].backward(delta), self.shapes[index])
            else:
                delta = self.products[index].backward(delta).reshape(self.shapes[index])

    def arrays(self) -> dict[str, Floats]:
        """Return weights and normalizations under the names of the graph's tensors."""
        found: dict[str, Floats] = {}
        for index, (name, product) in enumerate(zip(self.names, self.products, strict=True)):
            weights = product.used().T
            if name.startswith("conv"):
                weights = weights.reshape(len(weights), -1, 3, 3)
            found[f"{name}.weight"] = weights
            if product.biased:
                found[f"{name}.bias"] = product.bias
            if index < len(self.norms):
                norm = self.norms[index]
                place = f"bn{index + (name[:2] == 'fc')}"
                found |= {f"{place}.scale": norm.scale, f"{place}.bias": norm.bias,
                          f"{place}.mean": norm.mean, f"{place}.variance": norm.variance}
        return found


def _fold(rows: Floats, shape: tuple[int, ...]) -> Floats:
    """Add windows [n * h * w, c * 9] back to where they came from."""
    n, depth, height, width = shape
    padded = np.zeros((n, depth, height + 2, width + 2))
    windows = rows.reshape(n, height, width, depth, 3, 3)
    for i in range(3):
        for j in range(3):
            padded[:, :, i : i + height, j : j + width] += windows[..., i, j].transpose(0, 3, 1, 2)
    return padded[:, :, 1:-1, 1:-1]


def train(network: Network, x: Floats, labels: NDArray[np.int64], pull: float = 0.0) -> None:
    """Fit `network` by Adam on the cross-entropy; the rate falls linearly to zero.

    `pull` draws the channels of binary layers towards their parents in the trees of each epoch's signs.
    """
    rng = np.random.default_rng(SEED)
    adam = Adam([*network.products, *network.norms])
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        drawn = [(layer, parents(layer)) for layer in network.products if layer.binary and pull]
        for begin in range(0, len(x), BATCH):
            chosen = order[begin : begin + BATCH]
            network.backward(cross_entropy(network.forward(x[chosen]), labels[chosen]))
            for layer, parent in drawn:
                draw_together(layer, parent, pull)
            adam.step(RATE * (1 - epoch / EPOCHS))
    settle(network, x)


def parents(layer: Product) -> NDArray[np.int64]:
    """Return the parent of every channel in the minimum spanning tree of the signs; the root has itself."""
    from hwsim.graph.reuse import reuse_tree

    stored = layer.used().T
    tree = reuse_tree(np.rint((stored.shape[1] - stored @ stored.T) / 2).astype(np.int64), len(stored))
    return np.where(tree.parent < 0, np.arange(len(stored)), tree.parent)


def draw_together(layer: Product, parent: NDArray[np.int64], pull: float) -> None:
    """Add the gradient of pull / 2 times the squared distances of all channels and their parents."""
    apart = pull * (layer.weights - layer.weights[:, parent])
    layer.weight_gradient += apart
    np.add.at(layer.weight_gradient.T, parent, -apart.T)


def settle(network: Network, x: Floats) -> None:
    """Replace running statistics by those of all training samples, layer by layer."""
    network.forward(x)
    for norm in network.norms:
        norm.mean, norm.variance = norm.batch_mean, norm.batch_variance


def save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write the arrays: binary weights in bytes, all other numbers in 16-bit floating point."""
    kept = {}
    for name, values in arrays.items():
        binary = values.dtype.kind in "iu" or (name.endswith(".weight") and set(np.unique(values)) <= {-1, 1})
        kept[name] = values.astype(np.int8 if binary else np.float16)
    np.savez_compressed(path, **kept)


def main() -> int:
    """Train the networks named on the command line, or all; weights and test samples go beside this file."""
    images, labels = load_samples()
    split = len(images) * 4 // 5
    flat = thermometer(images.reshape(-1, 64), DigitsMlpConfig().levels)
    perceptron, spatial = ("fc1", "fc2", "fc3"), ("conv0", "conv1", "conv2", "fc")
    pools = frozenset({"conv1", "conv2"})
    networks = {
        "digits_mlp_bnn": (perceptron, (flat.shape[1], 256, 256, 10), 0.0),
        "digits_mlp_mst": (perceptron, (flat.shape[1], 256, 256, 10), PULL),
        "digits_cnn_bnn": (spatial, (1, 32, 64, 64, 10), 0.0),
    }
    for name in sys.argv[1:] or networks:
        layers, sizes, pull = networks[name]
        network = Network(layers, sizes, pools & set(layers))
        key, x = ("image", images[:, None]) if layers is spatial else ("input", flat)
        train(network, x[:split], labels[:split], pull)
        path = Path(__file__).with_name(f"{name}.npz")
        pixels = x[split:].astype(np.int8) if key == "input" else x[split:]
        save(path, network.arrays() | {key: pixels, "labels": labels[split:]})
        with np.load(path) as stored:
            found = {item: stored[item].astype(np.float64) for item in stored.files}
        wrong = (classify(network.names, network.pools, found, x[split:]) != labels[split:]).mean()
        sys.stdout.write(
            f"{path.name}: {path.stat().st_size} bytes, {wrong:.2%} of {len(x) - split} test samples wrong\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
