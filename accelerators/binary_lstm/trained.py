"""Trained LSTM parameters as the integers that the engine holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.normalization import Affine, BatchNorm, fold, to_fixed
from accelerators.binary_lstm.weights import Weights, quantize, scale_of
from hwsim.errors import InputError, Problem

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
Norms = tuple[BatchNorm | None, BatchNorm | None, BatchNorm | None]
SCALE_BITS = 10
WEIGHT_FRACTION_BITS = 8


@dataclass(frozen=True, slots=True)
class Direction:
    """Parameters of one direction, as integers; gates in the order i, o, f, c (LSTM) or z, r, h (GRU).

    Attributes
    ----------
    weight, recurrence : int64[4 H, X], int64[4 H, H]
        Quantized weights, or 12-bit fixed point with 8 bits behind the point.
    input_scale, recurrent_scale : int64[steps, 4 H]
        Factors of both sums, with `point` bits behind the point (full precision: 1).
    shift, recurrent_shift : int64[steps, 4 H]
        Added afterwards, in units of the states; the part of it that belongs to the sum over states.
    cell_scale, cell_shift : int64[steps, H]
        The same for the cell of an LSTM before its tanh.
    point : int
        Bits that are dropped from scaled sums.
    """

    weight: Ints
    recurrence: Ints
    input_scale: Ints
    recurrent_scale: Ints
    shift: Ints
    recurrent_shift: Ints
    cell_scale: Ints
    cell_shift: Ints
    point: int


def direction_of(
    weight: Reals,
    recurrence: Reals,
    design: BinaryLstmDesign,
    *,
    steps: int,
    norms: Norms = (None, None, None),
    bias: Reals | None = None,
    recurrent_bias: Reals | None = None,
    rng: np.random.Generator | None = None,
) -> Direction:
    """Return trained parameters as the engine of `design` holds them.

    Parameters
    ----------
    weight, recurrence : float64[4 H, X], float64[4 H, H]
        Trained weights, gates in the order i, o, f, c; or z, r, h of a GRU; or the one of an RNN.
    design : BinaryLstmDesign
        Weight format and widths.
    steps : int
        Time steps that will be run.
    norms : three BatchNorm
        Of the recurrent sum, the input sum and the cell; required for binary and ternary weights, and not
        applied at full precision.
    bias, recurrent_bias : float64[4 H], optional
        Gate biases beside the sum over inputs and beside that over states.
    rng : numpy.random.Generator, optional
        Makes binary and ternary quantization stochastic.

    Raises
    ------
    InputError
        Sizes that do not fit or are zero, weights that are no numbers or too large, missing statistics.
    """
    weight, recurrence = np.asarray(weight, np.float64), np.asarray(recurrence, np.float64)
    _check(weight, recurrence)
    rows, hidden = recurrence.shape
    biases = [
        np.zeros(rows) if given is None else np.asarray(given, np.float64) for given in (bias, recurrent_bias)
    ]
    if design.weights is Weights.FULL_PRECISION:
        ones, cells = np.ones((steps, rows)), np.ones((steps, hidden))
        affine = Affine(ones, ones, ones * (biases[0] + biases[1]), ones * biases[1], cells, cells * 0)
        stored = [_fixed_weights(matrix, design.weight_bits) for matrix in (weight, recurrence)]
        return _as_integers(affine, stored, design, factor_bits=0, point=WEIGHT_FRACTION_BITS)
    gates = rows // hidden
    scales = scale_of(weight.shape[1], hidden, gates), scale_of(hidden, hidden, gates)
    affine = fold(
        *norms,
        steps=steps,
        hidden=hidden,
        gates=gates,
        weight_scales=scales,
        bias=biases[0],
        recurrent_bias=biases[1],
    )
    pairs = zip((weight, recurrence), scales, strict=True)
    stored = [quantize(matrix, scale, design.weights, rng=rng) for matrix, scale in pairs]
    return _as_integers(affine, stored, design, factor_bits=SCALE_BITS, point=SCALE_BITS)


def _as_integers(
    affine: Affine, stored: list[Ints], design: BinaryLstmDesign, *, factor_bits: int, point: int
) -> Direction:
    return Direction(
        stored[0],
        stored[1],
        to_fixed(affine.input_scale, factor_bits),
        to_fixed(affine.recurrent_scale, factor_bits),
        to_fixed(affine.shift, design.fraction_bits),
        to_fixed(affine.recurrent_shift, design.fraction_bits),
        to_fixed(affine.cell_scale, point),
        to_fixed(affine.cell_shift, design.fraction_bits),
        point,
    )


def _check(weight: Reals, recurrence: Reals) -> None:
    problems = []
    for name, matrix in (("weight", weight), ("recurrence", recurrence)):
        place = f"binary_lstm.{name}"
        if matrix.ndim != 2 or 0 in matrix.shape:
            problems.append(
                Problem(place, f"shape {list(matrix.shape)} must be [4 H, width], none of them 0")
            )
        elif not np.isfinite(matrix).all():
            count = int((~np.isfinite(matrix)).sum())
            problems.append(Problem(place, f"{count} weights are no finite numbers"))
    whole = not problems and recurrence.shape[0] in [gates * recurrence.shape[1] for gates in (4, 3, 1)]
    if not problems and (not whole or len(weight) != len(recurrence)):
        shapes = f"{list(weight.shape)} and {list(recurrence.shape)}"
        reason = f"{shapes} are not [4 H, X] and [4 H, H], nor with 3 H or H rows"
        problems.append(Problem("binary_lstm.recurrence", reason))
    if problems:
        raise InputError(problems=problems)


def _fixed_weights(matrix: Reals, bits: int) -> Ints:
    fixed, bound = to_fixed(matrix, WEIGHT_FRACTION_BITS), 2 ** (bits - 1)
    outside = int(((fixed < -bound) | (fixed >= bound)).sum())
    if outside:
        limit = bound >> WEIGHT_FRACTION_BITS
        raise InputError(f"{outside} weights lie outside [-{limit}, {limit})", where="binary_lstm.weight")
    return fixed
