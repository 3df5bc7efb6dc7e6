"""Batch normalization and sign as thresholds on the dot product, for every sign of the scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.neuron import Floats
from hwsim.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Matched:
    """What the columns of a layer compare with.

    Attributes
    ----------
    thresholds : float64[n]
        On the dot product after inversion: the output is 1 from here on.
    inverted : bool[n]
        Whether the column holds the opposite weights, because its scale is negative.
    fixed : int8[n]
        1 or -1 where the scale is 0 and the output never changes, otherwise 0.
    """

    thresholds: Floats
    inverted: NDArray[np.bool_]
    fixed: NDArray[np.int8]


def no_normalization(columns: int, bias: Floats | None = None) -> Matched:
    """Return thresholds of a layer without normalization: minus its bias."""
    thresholds = np.zeros(columns) if bias is None else -np.asarray(bias, np.float64)
    return Matched(thresholds, np.zeros(columns, bool), np.zeros(columns, np.int8))


def match(
    scale: Floats, shift: Floats, mean: Floats, variance: Floats, epsilon: float,
    alpha: float = 1.0, bias: Floats | None = None, where: str = "batch_normalization",
) -> Matched:  # fmt: skip
    """Return Vth = (mean - shift sqrt(variance + epsilon) / scale) / alpha, per column.

    y = sign(scale (alpha s + bias - mean) / sqrt(variance + epsilon) + shift). A negative scale compares the
    opposite sum with -Vth, so the column holds opposite weights; scale 0 leaves the sign of the shift.

    Parameters
    ----------
    scale, shift, mean, variance : float64[n]
        Of the normalization.
    epsilon, alpha : float
        Added to the variance; factor of the binary weights.
    bias : float64[n], optional
        Added to alpha s.
    where : str
        Name for messages.

    Raises
    ------
    InputError
        With every fault: alpha or a variance not above 0, values that are no numbers, scale and shift both 0.
    """
    problems = []
    if not alpha > 0:
        problems.append(Problem(where, f"weight factor {alpha} is not above 0"))
    for name, values in (("scale", scale), ("shift", shift), ("mean", mean), ("variance", variance)):
        if not np.isfinite(values).all():
            problems.append(Problem(f"{where}.{name}", "holds values that are no numbers"))
    width = np.asarray(variance, np.float64) + epsilon
    if (width <= 0).any():
        first = int(np.argmax(width <= 0))
        problems.append(
            Problem(f"{where}.variance", f"{width[first]:g} with epsilon is not above 0 in [{first}]")
        )
    empty = (scale == 0) & (shift == 0)
    if empty.any():
        problems.append(Problem(f"{where}.scale", f"scale and shift are both 0 in [{int(np.argmax(empty))}]"))
    if problems:
        raise InputError(problems=problems)
    still = scale == 0
    divisor = np.where(still, 1.0, scale)
    offset = 0.0 if bias is None else np.asarray(bias, np.float64)
    thresholds = (mean - offset - shift * np.sqrt(width) / divisor) / alpha
    inverted = scale < 0
    fixed = np.where(still, np.where(shift > 0, 1, -1), 0).astype(np.int8)
    return Matched(np.where(still, 0.0, np.where(inverted, -thresholds, thresholds)), inverted, fixed)
