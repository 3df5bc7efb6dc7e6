"""Batch normalization and sign as thresholds on the dot product, for every sign of the scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.neuron import Floats
from hwsim.errors import InputError
from hwsim.graph.thresholds import match_normalization


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
    offset = 0.0 if bias is None else np.asarray(bias, np.float64)
    found = match_normalization(scale, shift, mean - offset, variance, epsilon, alpha=alpha, where=where)
    still = scale == 0
    if (empty := still & (shift == 0)).any():
        raise InputError(f"scale and shift are both 0 in [{int(np.argmax(empty))}]", where=f"{where}.scale")
    turned = np.where(found.rising, found.threshold, -found.threshold)
    fixed = np.where(still, np.where(shift > 0, 1, -1), 0).astype(np.int8)
    return Matched(np.where(still, 0.0, turned), ~found.rising, fixed)
