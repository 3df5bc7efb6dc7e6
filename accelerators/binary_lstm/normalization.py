"""Batch normalization of the recurrent cell, folded into one affine step per gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """One batch normalization of the cell, with its statistics for every time step.

    Attributes
    ----------
    gamma, beta : float64[width]
        Learned scale and shift.
    mean, variance : float64[steps, width]
        Statistics, one row per time step, or a single row for all of them.
    epsilon : float
        Added to the variance.
    """

    gamma: Reals
    beta: Reals
    mean: Reals
    variance: Reals
    epsilon: float = 1e-5

    def check(self, name: str, steps: int, width: int) -> list[Problem]:
        """Return what is wrong with the statistics for `steps` time steps of `width` numbers."""
        problems = []
        for field in ("gamma", "beta"):
            shape = getattr(self, field).shape
            if shape != (width,):
                problems.append(Problem(f"{name}.{field}", f"shape {list(shape)} must be {[width]}"))
        for field in ("mean", "variance"):
            values = getattr(self, field)
            place = f"{name}.{field}"
            if values.ndim != 2 or values.shape[1:] != (width,):
                problems.append(
                    Problem(place, f"shape {list(values.shape)} must be [steps, {width}] or [1, {width}]")
                )
            elif values.shape[0] not in (1,) and values.shape[0] < steps:
                problems.append(
                    Problem(
                        place,
                        f"no statistics for time steps {values.shape[0]} to {steps - 1} of {steps}",
                        "give one row per time step, or one row for all",
                    )
                )
            elif not np.isfinite(values).all() or (field == "variance" and bool((values < 0).any())):
                problems.append(Problem(place, "statistics have to be finite, and variances not negative"))
        return problems

    def affine(self, steps: int) -> tuple[Reals, Reals]:
        """Return scale and shift, float64[steps, width]: scale * value + shift is the normalized value."""
        mean, variance = (
            np.broadcast_to(v[:steps] if v.shape[0] > 1 else v, (steps, v.shape[1]))
            for v in (self.mean, self.variance)
        )
        scale = self.gamma / np.sqrt(variance + self.epsilon)
        return scale, self.beta - scale * mean


@dataclass(frozen=True, slots=True)
class Affine:
    """What is left of both scales and three normalizations: one multiply-add per product and per cell.

    Attributes
    ----------
    input_scale, recurrent_scale : float64[steps, 4 H]
        Factors of the sums over inputs and over states.
    shift, recurrent_shift : float64[steps, 4 H]
        Added to both, gate biases included; and the part of it that belongs to the sum over states.
    cell_scale, cell_shift : float64[steps, H]
        Applied to the cell before its tanh.
    """

    input_scale: Reals
    recurrent_scale: Reals
    shift: Reals
    recurrent_shift: Reals
    cell_scale: Reals
    cell_shift: Reals


def fold(
    recurrent: BatchNorm | None,
    inputs: BatchNorm | None,
    cell: BatchNorm | None,
    *,
    steps: int,
    hidden: int,
    weight_scales: tuple[float, float],
    gates: int = 4,
    bias: Reals | None = None,
    recurrent_bias: Reals | None = None,
) -> Affine:
    """Return the affine steps that replace BN_a(Wh h) + BN_b(Wx x) + b and BN_c(c) (Ardakani et al. 2019).

    Cells of fewer than four gates have no BN_c.

    Parameters
    ----------
    recurrent, inputs, cell : BatchNorm
        The three normalizations a, b and c; widths 4 H, 4 H and H.
    steps, hidden : int
        Time steps of the run, and H.
    weight_scales : (float, float)
        W0 of input and recurrent matrix, what a weight of 1 stands for.
    gates : int
        4 for an LSTM, 3 for a GRU, 1 for an RNN; widths are gates x H.
    bias, recurrent_bias : float64[4 H], optional
        Gate biases, beside the sum over inputs and beside that over states.

    Raises
    ------
    InputError
        A normalization or the statistics of a time step are missing, or have a wrong shape; all at once.
    """
    rows = gates * hidden
    norms = {"recurrent": (recurrent, rows), "inputs": (inputs, rows)}
    norms |= {"cell": (cell, hidden)} if gates == 4 else {}
    problems: list[Problem] = []
    for name, (norm, width) in norms.items():
        place = f"binary_lstm.batch_norm.{name}"
        if norm is None:
            problems.append(
                Problem(place, "no statistics", "quantized weights need the batch normalization of training")
            )
        else:
            problems += norm.check(place, steps, width)
    if hidden < 1:
        problems.append(Problem("binary_lstm.hidden", f"{hidden} is not above zero"))
    if problems or recurrent is None or inputs is None:
        raise InputError(problems=problems)
    scale_a, shift_a = recurrent.affine(steps)
    scale_b, shift_b = inputs.affine(steps)
    scale_c, shift_c = (np.zeros((steps, 0)),) * 2 if cell is None else cell.affine(steps)
    state_part = shift_a + (0.0 if recurrent_bias is None else recurrent_bias)
    shift = state_part + shift_b + (0.0 if bias is None else bias)
    return Affine(scale_b * weight_scales[0], scale_a * weight_scales[1], shift, state_part, scale_c, shift_c)


def to_fixed(values: Reals, fraction_bits: int) -> Ints:
    """Return `values` as integers with `fraction_bits` bits behind the point, rounded half to even."""
    return np.rint(np.asarray(values, dtype=np.float64) * 2.0**fraction_bits).astype(np.int64)
