"""Weights as the neurons hold them: quantizers, stored codes, and the compressed columns."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.graph import weight_codes

Ints = NDArray[np.int64]
TERNARY_THRESHOLD = Fraction(1, 3)
encode = partial(weight_codes.encode, where="sparse_fc.weights")
decode = partial(weight_codes.decode, where="sparse_fc.weights")


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
