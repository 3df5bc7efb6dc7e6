"""Steps of training forth and back: products with binary weights, normalization, pools, Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workloads.binary.reference import signs

Floats = NDArray[np.float64]


class Trained(Protocol):
    """Something with parameters and their gradients, in the same order."""

    def parameters(self) -> list[Floats]:
        """Return the arrays that are updated in place."""

    def gradients(self) -> list[Floats]:
        """Return what `backward` left."""


class Product:
    """Rows times weights [k, n], which are signs of the trained numbers if `binary`."""

    def __init__(self, rng: np.random.Generator, k: int, n: int, *, binary: bool, biased: bool) -> None:
        self.weights = rng.uniform(-1, 1, (k, n)) if binary else rng.normal(0, np.sqrt(2 / k), (k, n))
        self.bias, self.binary, self.biased = np.zeros(n), binary, biased

    def used(self) -> Floats:
        """Return the weights as the product uses them."""
        return signs(self.weights) if self.binary else self.weights

    def forward(self, rows: Floats) -> Floats:
        """Return the sums [rows, n]."""
        self.rows = rows
        sums: Floats = rows @ self.used() + self.bias
        return sums

    def backward(self, delta: Floats) -> Floats:
        """Return the gradient of the rows; that of a sign passes where the number is in [-1, 1]."""
        self.weight_gradient = self.rows.T @ delta
        if self.binary:
            self.weight_gradient = self.weight_gradient * (np.abs(self.weights) <= 1)
        self.bias_gradient = delta.sum(axis=0) * self.biased
        back: Floats = delta @ self.used().T
        return back

    def parameters(self) -> list[Floats]:
        """Return weights and bias."""
        return [self.weights, self.bias]

    def gradients(self) -> list[Floats]:
        """Return their gradients."""
        return [self.weight_gradient, self.bias_gradient]


class Normalization:
    """Batch normalization over every axis but the second."""

    def __init__(self, channels: int, epsilon: float) -> None:
        self.scale, self.bias, self.epsilon = np.ones(channels), np.zeros(channels), epsilon
        self.mean, self.variance = np.zeros(channels), np.ones(channels)

    def forward(self, x: Floats) -> Floats:
        """Return `x` normalized by its own statistics."""
        self.axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        self.batch_mean, self.batch_variance = x.mean(axis=self.axes), x.var(axis=self.axes)
        self.deviation = np.sqrt(self.batch_variance + self.epsilon)
        self.normal = (x - self._wide(self.batch_mean)) / self._wide(self.deviation)
        result: Floats = self._wide(self.scale) * self.normal + self._wide(self.bias)
        return result

    def backward(self, delta: Floats) -> Floats:
        """Return the gradient of the input, through the statistics as well."""
        self.bias_gradient = delta.sum(axis=self.axes)
        self.scale_gradient = (delta * self.normal).sum(axis=self.axes)
        count = delta.size / len(self.scale)
        inner = delta - self._wide(self.bias_gradient) / count
        inner = inner - self.normal * self._wide(self.scale_gradient) / count
        result: Floats = inner * self._wide(self.scale / self.deviation)
        return result

    def parameters(self) -> list[Floats]:
        """Return scale and bias."""
        return [self.scale, self.bias]

    def gradients(self) -> list[Floats]:
        """Return their gradients."""
        return [self.scale_gradient, self.bias_gradient]

    def _wide(self, vector: Floats) -> Floats:
        return vector.reshape(1, -1, *(1,) * (len(self.axes) - 1))


class Adam:
    """Adam (Kingma and Ba 2015) over all parameters; trained numbers behind signs stay in [-1, 1]."""

    def __init__(self, parts: Sequence[Trained]) -> None:
        self.parts, self.steps = parts, 0
        self.first = [np.zeros_like(v) for part in parts for v in part.parameters()]
        self.second = [np.zeros_like(v) for v in self.first]

    def step(self, rate: float) -> None:
        """Move every parameter once."""
        self.steps += 1
        values = [value for part in self.parts for value in part.parameters()]
        slopes = [slope for part in self.parts for slope in part.gradients()]
        for i, (value, slope) in enumerate(zip(values, slopes, strict=True)):
            self.first[i] = 0.9 * self.first[i] + 0.1 * slope
            self.second[i] = 0.999 * self.second[i] + 0.001 * slope * slope
            spread = np.sqrt(self.second[i] / (1 - 0.999**self.steps)) + 1e-8
            value -= rate * self.first[i] / (1 - 0.9**self.steps) / spread
        for part in self.parts:
            if isinstance(part, Product) and part.binary:
                np.clip(part.weights, -1, 1, out=part.weights)


def pool(x: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the largest of every 2 x 2 window of [n, c, h, w], and which of the four it was, first wins."""
    n, c, height, width = x.shape
    four = x.reshape(n, c, height // 2, 2, width // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(
        n, c, height // 2, width // 2, 4)
    chosen = np.arange(4) == four.argmax(axis=-1)[..., None]
    return four.max(axis=-1), chosen


def unpool(delta: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return `delta` where `pool` found its maximum, zero elsewhere."""
    n, c, height, width, _ = chosen.shape
    spread = (delta[..., None] * chosen).reshape(n, c, height, width, 2, 2)
    return spread.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * height, 2 * width)


def cross_entropy(sums: Floats, labels: NDArray[np.int64]) -> Floats:
    """Return the gradient of the mean cross-entropy of a softmax by its sums."""
    z = np.exp(sums - sums.max(axis=1, keepdims=True))
    delta = z / z.sum(axis=1, keepdims=True)
    delta[np.arange(len(sums)), labels] -= 1
    mean: Floats = delta / len(sums)
    return mean
