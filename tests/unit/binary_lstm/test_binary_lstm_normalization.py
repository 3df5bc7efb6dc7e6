"""Folded normalizations against the formula, and statistics that are missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from accelerators.binary_lstm import PRESETS
from accelerators.binary_lstm.normalization import BatchNorm, fold, to_fixed
from accelerators.binary_lstm.trained import direction_of
from hwsim.errors import InputError

HIDDEN, STEPS = 3, 4


def norm(width: int, steps: int = STEPS, seed: int = 0) -> BatchNorm:
    rng = np.random.default_rng([seed, width])
    return BatchNorm(
        rng.normal(1, 0.3, width),
        rng.normal(0, 0.3, width),
        rng.normal(0, 1, (steps, width)),
        rng.uniform(0.1, 2, (steps, width)),
    )


def norms(steps: int = STEPS) -> tuple[BatchNorm, BatchNorm, BatchNorm]:
    return norm(4 * HIDDEN, steps, 1), norm(4 * HIDDEN, steps, 2), norm(HIDDEN, steps, 3)


def applied(n: BatchNorm, values: np.ndarray, step: int) -> np.ndarray:
    row = step if len(n.mean) > 1 else 0
    return n.gamma * (values - n.mean[row]) / np.sqrt(n.variance[row] + n.epsilon) + n.beta


@pytest.mark.parametrize("stored", [STEPS, STEPS + 3, 1])
def test_fold_equals_the_normalizations(stored: int) -> None:
    a, b, c = norms(stored)
    bias = np.linspace(-1, 1, 4 * HIDDEN)
    affine = fold(a, b, c, steps=STEPS, hidden=HIDDEN, weight_scales=(0.3, 0.7), bias=bias)
    rng = np.random.default_rng(5)
    for step in range(STEPS):
        sums_x, sums_h, cell = (
            rng.normal(0, 9, 4 * HIDDEN),
            rng.normal(0, 9, 4 * HIDDEN),
            rng.normal(0, 1, HIDDEN),
        )
        gates = affine.input_scale[step] * sums_x + affine.recurrent_scale[step] * sums_h + affine.shift[step]
        assert np.allclose(gates, applied(a, 0.7 * sums_h, step) + applied(b, 0.3 * sums_x, step) + bias)
        folded = affine.cell_scale[step] * cell + affine.cell_shift[step]
        assert np.allclose(folded, applied(c, cell, step))


def test_missing_statistics_are_all_named() -> None:
    a, _, c = norms()
    short = replace(a, mean=a.mean[:2])
    wrong = replace(c, variance=-c.variance, gamma=c.gamma[:1])
    with pytest.raises(InputError) as caught:
        fold(short, None, wrong, steps=STEPS, hidden=HIDDEN, weight_scales=(1, 1))
    found = {p.where: p.reason for p in caught.value.problems}
    assert found == {
        "binary_lstm.batch_norm.recurrent.mean": "no statistics for time steps 2 to 3 of 4",
        "binary_lstm.batch_norm.inputs": "no statistics",
        "binary_lstm.batch_norm.cell.gamma": "shape [1] must be [3]",
        "binary_lstm.batch_norm.cell.variance": "statistics have to be finite, and variances not negative",
    }
    assert caught.value.problems[0].hint == "give one row per time step, or one row for all"


def test_statistics_of_a_wrong_width_are_refused() -> None:
    with pytest.raises(InputError, match=r"cell.mean: shape \[4, 12\] must be \[steps, 3\]"):
        fold(norms()[0], norms()[1], norms()[0], steps=STEPS, hidden=HIDDEN, weight_scales=(1, 1))


def test_fixed_point_rounds_half_to_even() -> None:
    assert to_fixed(np.array([0.5, 1.5, -0.3, 100.0]), 0).tolist() == [0, 2, 0, 100]
    assert to_fixed(np.array([0.5, -0.25]), 10).tolist() == [512, -256]


def test_quantized_parameters_need_normalizations_and_full_precision_does_not() -> None:
    rng = np.random.default_rng(0)
    weight, recurrence = rng.normal(0, 0.2, (12, 5)), rng.normal(0, 0.2, (12, 3))
    with pytest.raises(InputError, match="quantized weights need the batch normalization"):
        direction_of(weight, recurrence, PRESETS["binary_low_power"], steps=2)
    full = direction_of(weight, recurrence, PRESETS["full_precision"], steps=2)
    assert np.abs(full.weight / 256 - weight).max() <= 1 / 512
    assert (full.input_scale == 1).all()
    binary = direction_of(weight, recurrence, PRESETS["binary_low_power"], steps=STEPS, norms=norms())
    assert set(np.unique(binary.recurrence)) == {-1, 1}


@pytest.mark.parametrize(
    ("weight", "recurrence", "reason"),
    [
        ((12, 0), (12, 3), r"weight: shape \[12, 0\] must be \[4 H, width\], none of them 0"),
        ((0, 5), (0, 0), r"recurrence: shape \[0, 0\] must be"),
        ((12, 5), (12, 5), r"\[12, 5\] and \[12, 5\] are not \[4 H, X\] and \[4 H, H\], nor"),
        ((8, 5), (12, 3), r"are not \[4 H, X\]"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    weight: tuple[int, ...], recurrence: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        direction_of(np.zeros(weight), np.zeros(recurrence), PRESETS["full_precision"], steps=1)


def test_weights_that_are_no_numbers_or_too_large_are_refused() -> None:
    weight, recurrence = np.zeros((4, 2)), np.zeros((4, 1))
    weight[0, 0] = np.nan
    with pytest.raises(InputError, match="weight: 1 weights are no finite numbers"):
        direction_of(weight, recurrence, PRESETS["full_precision"], steps=1)
    weight[0, 0], recurrence[1, 0] = 0.0, 8.0
    with pytest.raises(InputError, match=r"1 weights lie outside \[-8, 8\)"):
        direction_of(weight, recurrence, PRESETS["full_precision"], steps=1)
