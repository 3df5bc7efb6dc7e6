"""Batch normalization and a sign as one comparison: what a binary layer has in place of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One comparison per channel.

    Attributes
    ----------
    threshold : float64[channels]
        The sum at which the normalized value is zero; minus infinity or infinity where the sign is constant.
    rising : bool[channels]
        Whether sums at and above the threshold give 1; otherwise those at and below it.
    """

    threshold: Values
    rising: NDArray[np.bool_]

    def signs(self, sums: Values) -> Values:
        """Return 1 or -1 for every sum; channels are the second axis."""
        wide = (1, -1, *(1,) * (sums.ndim - 2))
        at, up = self.threshold.reshape(wide), self.rising.reshape(wide)
        return np.where(np.where(up, sums >= at, sums <= at), 1.0, -1.0)

    def whole(self) -> Thresholds:
        """Return thresholds that decide whole sums alike and are whole numbers themselves."""
        up, down = np.ceil(self.threshold), np.floor(self.threshold)
        return Thresholds(np.where(self.rising, up, down), self.rising)


def match_normalization(scale: Values, bias: Values, mean: Values, variance: Values, epsilon: float, *,
                        alpha: float = 1.0, where: str = "batch_normalization") -> Thresholds:
    """Return thresholds of ``sign(scale * (alpha * s - mean) / sqrt(variance + epsilon) + bias)``.

    ``s >= (mean - bias * sqrt(variance + epsilon) / scale) / alpha`` for a positive scale, ``<=`` for a
    negative one; a scale of zero leaves the sign of the bias.

    Raises
    ------
    InputError
        No finite numbers, a variance of which no root can be drawn, alpha that is not positive.
    """
    problems = []
    names = {"scale": scale, "bias": bias, "mean": mean, "variance": variance}
    problems += [Problem(f"{where}.{name}", "holds values that are no finite numbers")
                 for name, values in names.items() if not np.isfinite(values).all()]
    if not problems and (variance + epsilon <= 0).any():
        channel = int(np.argmax(variance + epsilon <= 0))
        problems.append(Problem(f"{where}.variance", f"variance {variance[channel]:g} + epsilon {epsilon:g} "
                                f"of channel {channel} is not above 0"))
    if not alpha > 0 or not np.isfinite(alpha):
        problems.append(Problem(f"{where}.alpha", f"{alpha} is no positive number"))
    if problems:
        raise InputError(problems=problems)
    safe = np.where(scale == 0, 1.0, scale)
    threshold = (mean - bias * np.sqrt(variance + epsilon) / safe) / alpha
    constant = np.where(bias >= 0, -np.inf, np.inf)
    return Thresholds(np.where(scale == 0, constant, threshold), np.asarray(scale >= 0))
