"""Quantizers, stored codes, model sizes and the loss in precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

from accelerators.binary_lstm.weights import (
    Weights,
    decode,
    encode,
    model_bytes,
    quantize,
    scale_of,
    signal_to_noise_db,
    weight_count,
)
from hwsim.errors import InputError

BOTH = pytest.mark.parametrize("kind", [Weights.BINARY, Weights.TERNARY])


def test_scale_is_half_the_glorot_bound_of_four_gates() -> None:
    assert scale_of(50, 1000) == pytest.approx(math.sqrt(6 / 4050) / 2)
    with pytest.raises(InputError) as caught:
        scale_of(0, 0)
    assert [p.where for p in caught.value.problems] == ["binary_lstm.fan_in", "binary_lstm.hidden"]


def test_deterministic_quantizers() -> None:
    relative = np.array([-1.5, -0.34, -1 / 3, -0.1, 0.0, 0.1, 1 / 3, 0.34, 2.0])
    assert quantize(relative, 1.0, Weights.BINARY).tolist() == [-1, -1, -1, -1, 1, 1, 1, 1, 1]
    assert quantize(relative, 1.0, Weights.TERNARY).tolist() == [-1, -1, 0, 0, 0, 0, 0, 1, 1]
    assert quantize(relative * 0.25, 0.25, Weights.TERNARY).tolist() == [-1, -1, 0, 0, 0, 0, 0, 1, 1]


@BOTH
@pytest.mark.parametrize("relative", [-1.7, -1.0, -0.6, -0.2, 0.0, 0.3, 0.9, 1.0, 4.0])
def test_stochastic_quantizers_are_unbiased_inside_the_scale(kind: Weights, relative: float) -> None:
    count = 20000
    drawn = quantize(np.full(count, 0.3 * relative), 0.3, kind, rng=np.random.default_rng(7))
    assert drawn.mean() == pytest.approx(np.clip(relative, -1, 1), abs=5 / math.sqrt(count))
    if kind is Weights.TERNARY:
        assert set(np.unique(drawn)) <= {0, int(np.sign(relative))}


@BOTH
def test_stochastic_quantizers_repeat_with_an_equal_generator(kind: Weights) -> None:
    trained = np.random.default_rng(0).normal(0, 0.2, (30, 40))
    first, second, other = (quantize(trained, 0.2, kind, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@BOTH
def test_all_problems_of_a_quantization_are_reported(kind: Weights) -> None:
    with pytest.raises(InputError) as caught:
        quantize(np.array([np.nan, 0.0]), 0.0, kind)
    assert [p.reason for p in caught.value.problems] == [
        "0.0 is not above zero",
        "1 weights are no finite numbers",
    ]
    with pytest.raises(InputError, match="full precision is not quantized"):
        quantize(np.zeros(1), 1.0, Weights.FULL_PRECISION)


@BOTH
def test_codes_round_trip(kind: Weights) -> None:
    values = np.array([-1, 1] if kind is Weights.BINARY else [-1, 0, 1])
    assert np.array_equal(decode(encode(values, kind), kind), values)


def test_illegal_codes_are_refused() -> None:
    assert encode(np.array([-1, 0, 1]), Weights.TERNARY).tolist() == [0b11, 0b00, 0b01]
    with pytest.raises(
        InputError, match=r"2 weights hold the code 10: no ternary weight .legal codes: 00, 01, 11"
    ):
        decode(np.array([2, 0, 2]), Weights.TERNARY)
    with pytest.raises(InputError, match="1 weights hold the code 11: no binary weight"):
        decode(np.array([3]), Weights.BINARY)
    with pytest.raises(InputError, match=r"\[0\] cannot be stored as binary weights"):
        encode(np.array([0, 1]), Weights.BINARY)


@pytest.mark.parametrize(
    ("inputs", "hidden", "weights", "kilobytes"),
    [
        (50, 1000, 4_200_000, (16800, 6300, 525, 1050)),
        (101, 512, 1_255_424, (5021.696, 1883.136, 156.928, 313.856)),
        (300, 300, 720_000, (2880, 1080, 90, 180)),
        (1, 100, 40_400, (161.6, 60.6, 5.05, 10.1)),
    ],
)
def test_model_sizes(inputs: int, hidden: int, weights: int, kilobytes: tuple[float, ...]) -> None:
    assert weight_count(inputs, hidden) == weights
    assert [model_bytes(inputs, hidden, bits) / 1000 for bits in (32, 12, 1, 2)] == pytest.approx(kilobytes)


def test_signal_to_noise_ratio() -> None:
    trained = np.array([0.5, -0.5, 0.25])
    assert signal_to_noise_db(trained, np.array([1, -1, 1]), 0.5) == pytest.approx(10 * math.log10(9))
    assert signal_to_noise_db(np.array([0.5, -0.5]), np.array([1, -1]), 0.5) == math.inf
    normal = np.random.default_rng(3).normal(0, 1, 10000)
    # The best scale of a sign is E|W| = sqrt(2 / pi), which leaves 1 - 2 / pi of the power as error.
    expected = -10 * math.log10(1 - 2 / math.pi)
    found = signal_to_noise_db(normal, quantize(normal, 1.0, Weights.BINARY), math.sqrt(2 / math.pi))
    assert found == pytest.approx(expected, abs=0.1)
