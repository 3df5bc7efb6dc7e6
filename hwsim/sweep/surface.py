"""A response surface: a Gaussian process that says what a point will cost, and how sure it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LENGTHS = (0.15, 0.4, 1.0, 2.5, 6.0)
_NOISE = 1e-4
MOST_TRAINED, MOST_JUDGED = 400, 128


class Surface:
    """A trained surface.

    Parameters
    ----------
    points : float64[n, features]
        What it was trained on.
    lengths : float64[features]
        Distances over which the answer changes.
    factor : float64[n, n]
        Cholesky factor of the covariance of the points.
    weights : float64[n]
        Covariance divided into the standardised answers.
    mean, spread : float
        Of the answers.
    """

    def __init__(
        self, points: Floats, lengths: Floats, factor: Floats, weights: Floats, mean: float, spread: float
    ) -> None:
        self.lengths, self.mean, self.spread = lengths, mean, spread
        self._points, self._factor, self._weights = points, factor, weights

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation at `points`, in the units of the answers."""
        covariance = _covariance(points, self._points, self.lengths)
        half = np.linalg.solve(self._factor, covariance.T)
        variance = np.maximum(1.0 - np.einsum("ij,ij->j", half, half), 0.0)
        return self.mean + self.spread * (covariance @ self._weights), self.spread * np.sqrt(variance)


def train(points: Floats, answers: Floats, lengths: Floats | None = None) -> Surface:
    """Fit a surface.

    Parameters
    ----------
    points : float64[n, features]
        Features from 0 to 1.
    answers : float64[n]
        One objective, n >= 1.
    lengths : float64[features], optional
        Of an earlier surface, kept as they are; by default the evidence chooses them, feature by feature.
    """
    mean, spread = float(answers.mean()), float(answers.std()) or 1.0
    scaled = (answers - mean) / spread
    if lengths is None:
        lengths = _chosen_lengths(points[-MOST_JUDGED:], scaled[-MOST_JUDGED:])
    factor = np.asarray(np.linalg.cholesky(_noisy(points, lengths)), np.float64)
    weights = np.linalg.solve(factor.T, np.linalg.solve(factor, scaled))
    return Surface(points, lengths, factor, weights, mean, spread)


def _chosen_lengths(points: Floats, scaled: Floats) -> Floats:
    lengths = np.full(points.shape[1], 0.8)
    best = _evidence(points, scaled, lengths)
    for feature in range(points.shape[1]):
        for length in _LENGTHS:
            trial = lengths.copy()
            trial[feature] = length
            evidence = _evidence(points, scaled, trial)
            if evidence > best + 1e-9:
                best, lengths = evidence, trial
    return lengths


def _noisy(points: Floats, lengths: Floats) -> Floats:
    return _covariance(points, points, lengths) + _NOISE * np.eye(len(points))


def _covariance(left: Floats, right: Floats, lengths: Floats) -> Floats:
    """Matern covariance of order 5/2: smooth, but not so smooth as to swing between steps."""
    a, b = left / lengths, right / lengths
    square = np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * a @ b.T, 0.0)
    distance = np.sqrt(5.0 * square)
    return np.asarray((1.0 + distance + distance * distance / 3.0) * np.exp(-distance))


def _evidence(points: Floats, scaled: Floats, lengths: Floats) -> float:
    """Return the logarithm of the likelihood of the answers, up to a constant."""
    try:
        factor = np.linalg.cholesky(_noisy(points, lengths))
    except np.linalg.LinAlgError:
        return -np.inf
    half = np.linalg.solve(factor, scaled)
    return float(-0.5 * half @ half - np.log(np.diag(factor)).sum())
