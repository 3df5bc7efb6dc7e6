"""Weights as the neurons hold them: quantizers, stored codes, and the compressed columns."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem

Ints = NDArray[np.int64]
TERNARY_THRESHOLD = Fraction(1, 3)
_LEGAL = {"binary": (0b0, 0b1), "ternary": (0b00, 0b01, 0b11)}
_VALUE_OF = np.array([0, 1, 0, -1], dtype=np.int64)


class Weights(StrEnum):
    """What a weight can be: -1 and 1 in one bit, or -1, 0 and 1 in two."""

    BINARY = "binary"
    TERNARY = "ternary"

    @property
    def bits(self) -> int:
        """Stored bits of one weight."""
        return 1 if self is Weights.BINARY else 2


def quantize(weights: NDArray[np.float64], kind: Weights) -> Ints:
    """Return the deterministic quantization of `weights` (Ardakani et al. 2017).

    Binary: 1 if W >= 0, else -1. Ternary: 1 if W >= 1/3, -1 if W <= -1/3, else 0.

    Raises
    ------
    InputError
        If a weight is not a finite number.
    """
    values = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise InputError(f"{count} weights are no finite numbers", where="sparse_fc.weights")
    if kind is Weights.BINARY:
        return np.where(values >= 0, 1, -1).astype(np.int64)
    third = float(TERNARY_THRESHOLD)
    return (values >= third).astype(np.int64) - (values <= -third).astype(np.int64)


def encode(weights: Ints, kind: Weights) -> Ints:
    """Return the stored codes: 0 and 1 for -1 and 1; or two's complement, 11, 00 and 01.

    Raises
    ------
    InputError
        If a weight has no code.
    """
    known = (-1, 1) if kind is Weights.BINARY else (-1, 0, 1)
    wrong = sorted({int(value) for value in np.unique(weights)} - set(known))
    if wrong:
        raise InputError(
            f"{wrong} cannot be stored as {kind} weights",
            where="sparse_fc.weights",
            hint=f"quantize them to {known}",
        )
    if kind is Weights.BINARY:
        return (np.asarray(weights) + 1) // 2
    return np.asarray(weights, dtype=np.int64) & 0b11


def decode(codes: Ints, kind: Weights) -> Ints:
    """Return the weights of stored codes.

    Raises
    ------
    InputError
        If a code is none: 10 for ternary weights, or anything that is too wide. Every kind of code is named.
    """
    values = np.asarray(codes, dtype=np.int64)
    legal = _LEGAL[kind]
    wrong = sorted({int(code) for code in np.unique(values)} - set(legal))
    if wrong:
        raise InputError(
            problems=[
                Problem(
                    "sparse_fc.weights",
                    f"{int((values == code).sum())} weights hold the code {code:02b}, "
                    f"which is no {kind} weight",
                    "legal codes: " + ", ".join(f"{code:0{kind.bits}b}" for code in legal),
                )
                for code in wrong
            ]
        )
    return 2 * values - 1 if kind is Weights.BINARY else _VALUE_OF[values]


def pack(weights: Ints, kept: NDArray[np.bool_], kind: Weights) -> list[Ints]:
    """Return the codes of the kept weights of every column, in the order in which inputs arrive.

    Parameters
    ----------
    weights : int64[inputs, columns]
        Quantized weights.
    kept : bool[inputs, columns]
        The mask.
    kind : Weights
        How a weight is stored.

    Raises
    ------
    InputError
        If mask and weights differ in shape.
    """
    if weights.shape != kept.shape:
        raise InputError(
            f"a mask of {list(kept.shape)} for weights of {list(weights.shape)}", where="sparse_fc.mask"
        )
    codes = encode(weights, kind)
    return [codes[kept[:, column], column] for column in range(codes.shape[1])]
