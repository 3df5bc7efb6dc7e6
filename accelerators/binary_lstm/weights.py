"""Recurrent weights of one or two bits: both quantizers, stored codes, model sizes, loss in precision."""

from __future__ import annotations

import math
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem
from hwsim.graph import weight_codes

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
GATES = 4
encode = partial(weight_codes.encode, where="binary_lstm.weights")
decode = partial(weight_codes.decode, where="binary_lstm.weights")


class Weights(StrEnum):
    """What a weight can be: 12-bit fixed point; -1 and 1; or -1, 0 and 1."""

    FULL_PRECISION = "full_precision"
    BINARY = "binary"
    TERNARY = "ternary"


def scale_of(fan_in: int, hidden: int, gates: int = GATES) -> float:
    """Return W0 = sqrt(6 / (fan_in + 4 H)) / 2, what a weight of 1 stands for (Ardakani et al. 2019).

    Parameters
    ----------
    fan_in : int
        Inputs X for the input matrix, hidden size H for the recurrent one.
    hidden : int
        Hidden size H.
    gates : int
        4 for an LSTM; 3 and 1 for a GRU and an RNN, which the paper does not have.
    """
    problems = [
        Problem(f"binary_lstm.{name}", f"{value} is not above zero")
        for name, value in (("fan_in", fan_in), ("hidden", hidden))
        if value < 1
    ]
    if problems:
        raise InputError(problems=problems)
    return math.sqrt(6.0 / (fan_in + gates * hidden)) / 2.0


def quantize(weights: Reals, scale: float, kind: Weights, *, rng: np.random.Generator | None = None) -> Ints:
    """Return weights in units of `scale`, each -1, (0,) or 1 (Ardakani et al. 2019).

    Deterministic, without `rng`: binary is the sign, 0 counting as positive; ternary is the sign where
    ``|W| > W0 / 3``, else 0. Stochastic, with `rng`: binary is 1 with probability
    ``clip((W/W0 + 1)/2, 0, 1)``; ternary is the sign of W with probability ``clip(|W/W0|, 0, 1)``, else 0.

    Parameters
    ----------
    weights : float64[...]
        Trained weights.
    scale : float
        W0, see `scale_of`.
    kind : Weights
        Binary or ternary.
    rng : numpy.random.Generator, optional
        Makes the quantization stochastic.

    Raises
    ------
    InputError
        Full precision has no such quantizer; a scale that is not positive; weights that are no numbers.
    """
    values = np.asarray(weights, dtype=np.float64)
    problems = []
    if kind is Weights.FULL_PRECISION:
        problems.append(Problem("binary_lstm.weights", "full precision is not quantized to signs"))
    if not (math.isfinite(scale) and scale > 0):
        problems.append(Problem("binary_lstm.scale", f"{scale} is not above zero"))
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        problems.append(Problem("binary_lstm.weights", f"{count} weights are no finite numbers"))
    if problems:
        raise InputError(problems=problems)
    relative = values / scale
    if kind is Weights.BINARY:
        positive = relative >= 0 if rng is None else rng.random(values.shape) < (relative + 1) / 2
        return np.where(positive, 1, -1).astype(np.int64)
    kept = np.abs(relative) > 1 / 3 if rng is None else rng.random(values.shape) < np.abs(relative)
    return np.where(kept, np.sign(values), 0).astype(np.int64)


def signal_to_noise_db(weights: Reals, quantized: Ints, scale: float) -> float:
    """Return 10 log10 of the power of `weights` over that of the error of ``scale * quantized``.

    Infinite if there is no error.
    """
    values = np.asarray(weights, dtype=np.float64)
    error = values - scale * np.asarray(quantized, dtype=np.float64)
    noise = float((error**2).sum())
    if noise == 0.0:
        return math.inf
    signal = float((values**2).sum())
    return 10.0 * math.log10(signal / noise) if signal else -math.inf


def weight_count(inputs: int, hidden: int) -> int:
    """Return 4 H (X + H), the weights of an LSTM layer without biases."""
    return GATES * hidden * (inputs + hidden)


def model_bytes(inputs: int, hidden: int, bits: int) -> float:
    """Return the bytes of an LSTM layer's weights at `bits` each."""
    return weight_count(inputs, hidden) * bits / 8
