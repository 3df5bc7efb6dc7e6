"""Quantizers, stored codes and compressed columns."""

from __future__ import annotations

import numpy as np
import pytest

from accelerators.sparse_fc.weights import Weights, decode, encode, pack, quantize
from hwsim.errors import InputError


def test_binary_is_the_sign_and_zero_counts_as_positive() -> None:
    values = np.array([-2.0, -1e-30, -0.0, 0.0, 0.4])
    assert quantize(values, Weights.BINARY).tolist() == [-1, -1, 1, 1, 1]


def test_ternary_changes_at_a_third_which_itself_is_kept() -> None:
    values = np.array([-1.0, -1 / 3, -0.333, 0.0, 0.333, 1 / 3, 0.9])
    assert quantize(values, Weights.TERNARY).tolist() == [-1, -1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="2 weights are no finite numbers"):
        quantize(np.array([bad, 1.0, bad]), Weights.BINARY)


@pytest.mark.parametrize(("kind", "values"), [(Weights.BINARY, [-1, 1]), (Weights.TERNARY, [-1, 0, 1])])
def test_codes_round_trip(kind: Weights, values: list[int]) -> None:
    stored = encode(np.array(values), kind)
    assert decode(stored, kind).tolist() == values
    assert stored.max() < 2**kind.bits


def test_ternary_codes_are_two_bits_of_twos_complement() -> None:
    assert encode(np.array([-1, 0, 1]), Weights.TERNARY).tolist() == [0b11, 0b00, 0b01]


def test_illegal_ternary_codes_are_counted_and_named() -> None:
    with pytest.raises(InputError) as caught:
        decode(np.array([0b00, 0b10, 0b10, 0b11, 5]), Weights.TERNARY)
    first, second = caught.value.problems
    assert "2 weights hold the code 10: no ternary weight" in first.reason
    assert first.hint == "legal codes: 00, 01, 11"
    assert "1 weights hold the code 101" in second.reason
    with pytest.raises(InputError, match="no binary weight"):
        decode(np.array([2]), Weights.BINARY)


@pytest.mark.parametrize(("kind", "value"), [(Weights.BINARY, 0), (Weights.TERNARY, 2)])
def test_values_without_a_code_are_refused(kind: Weights, value: int) -> None:
    with pytest.raises(InputError, match=rf"\[{value}\] cannot be stored as {kind} weights"):
        encode(np.array([value, 1]), kind)


def test_columns_hold_the_kept_weights_in_order() -> None:
    weights = np.array([[1, -1], [0, 1], [-1, 0]])
    kept = np.array([[True, False], [True, True], [True, False]])
    assert [column.tolist() for column in pack(weights, kept, Weights.TERNARY)] == [[1, 0, 3], [1]]
    with pytest.raises(InputError, match=r"a mask of \[2, 2\] for weights of \[3, 2\]"):
        pack(weights, kept[:2], Weights.TERNARY)
