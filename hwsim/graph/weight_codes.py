"""Stored codes of weights of one or two bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem

Ints = NDArray[np.int64]
_LEGAL = {"binary": (0b0, 0b1), "ternary": (0b00, 0b01, 0b11)}
_VALUE_OF = np.array([0, 1, 0, -1], dtype=np.int64)


def encode(weights: Ints, kind: str, *, where: str) -> Ints:
    """Return the stored codes: 0 and 1 for -1 and 1; or two's complement, 11, 00 and 01.

    Parameters
    ----------
    weights : int64[...]
        -1 and 1, or -1, 0 and 1.
    kind : str
        "binary" or "ternary".
    where : str
        What an error is about.

    Raises
    ------
    InputError
        If a weight has no code.
    """
    known = (-1, 1) if kind == "binary" else (-1, 0, 1)
    wrong = sorted({int(value) for value in np.unique(weights)} - set(known))
    if wrong:
        raise InputError(
            f"{wrong[:5]} cannot be stored as {kind} weights", where=where, hint=f"quantize them to {known}"
        )
    values = np.asarray(weights, dtype=np.int64)
    return (values + 1) // 2 if kind == "binary" else values & 0b11


def decode(codes: Ints, kind: str, *, where: str) -> Ints:
    """Return the weights of stored codes; parameters as in `encode`.

    Raises
    ------
    InputError
        If a code is none: 10 for ternary weights, or anything that is too wide; every such code is named.
    """
    values, legal = np.asarray(codes, dtype=np.int64), _LEGAL[kind]
    wrong = sorted({int(code) for code in np.unique(values)} - set(legal))
    if wrong:
        shown = ", ".join(f"{code:0{len(legal) - 1}b}" for code in legal)
        raise InputError(
            problems=[
                Problem(
                    where,
                    f"{int((values == code).sum())} weights hold the code {code:b}: no {kind} weight",
                    f"legal codes: {shown}",
                )
                for code in wrong
            ]
        )
    return 2 * values - 1 if kind == "binary" else _VALUE_OF[values]
