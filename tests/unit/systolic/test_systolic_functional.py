"""Samples in the array's integers: against plain integer arithmetic, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwsim
from hwsim.errors import InputError
from hwsim.functional import Outcome, classify, read_arrays

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "workloads/digits/digits_100_200.npz"


def outcome(**knobs: object) -> Outcome:
    found = classify(hwsim.load("digits_100_200"), hwsim.chip("systolic", **knobs), read_arrays(SAMPLES))
    assert isinstance(found, Outcome)
    return found


def plain(bits: int) -> np.ndarray:
    """Classify by hand: int64 products of tensors rounded to `bits` bits, layer by layer."""
    arrays = {name: array.astype(np.float64) for name, array in read_arrays(SAMPLES).items()}
    largest = 2 ** (bits - 1) - 1
    x = arrays["input"]
    for layer in (1, 2, 3):
        weights = arrays[f"fc{layer}.weight"]
        steps = np.abs(x).max() / largest, np.abs(weights).max() / largest
        left, right = np.rint(x / steps[0]).astype(np.int64), np.rint(weights / steps[1]).astype(np.int64)
        z = (left @ right.T) * (steps[0] * steps[1]) + arrays[f"fc{layer}.bias"]
        x = 1 / (1 + np.exp(-z)) if layer < 3 else z
    return x.argmax(axis=1)


@pytest.mark.parametrize("bits", [3, 4, 8])
def test_values_are_those_of_integer_arithmetic(bits: int) -> None:
    labels = read_arrays(SAMPLES)["labels"].astype(np.int64)
    assert outcome(operand_bits=bits).wrong.count == int((plain(bits) != labels).sum())


def test_narrow_operands_cost_accuracy_and_wide_ones_none() -> None:
    assert outcome(operand_bits=2).wrong.count > 100
    wide = outcome(operand_bits=16, accumulator_bits=48)
    assert (wide.different.count, wide.wrong.count) == (0, wide.reference_wrong.count)


def test_sums_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="accumulators hold 16 bits"):
        outcome(operand_bits=12, accumulator_bits=16)


def test_folded_normalizations_are_named() -> None:
    arrays = read_arrays(ROOT / "workloads/binary/digits_cnn_bnn.npz")
    with pytest.raises(InputError, match=r"data\.bn0: is a normalization that this chip folds"):
        classify(hwsim.load("digits_cnn_bnn"), hwsim.chip("systolic"), arrays)
