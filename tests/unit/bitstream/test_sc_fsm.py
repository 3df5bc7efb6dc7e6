"""NStanh and NSexp against the functions they stand for: bias, states needed, and a wrong comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hwsim.kernels import bitstream as bs

LENGTH, RUNS = 2048, 64
MEAN_LIMITS = {(1, 8): 0.007, (2, 4): 0.007, (4, 2): 0.014, (2, 8): 0.007, (4, 4): 0.007, (8, 8): 0.007}
MAX_BIAS = {(1, 2): 0.238, (1, 4): 0.056, (1, 8): 0.025, (2, 4): 0.014, (4, 4): 0.013, (8, 8): 0.043}
WRONG = {(1, 4): 0.549, (2, 4): 0.244, (4, 4): 0.121}


def steps_of(value: float, m: int, run: int, length: int = LENGTH) -> np.ndarray:
    words = bs.bernoulli_words(np.full(m, (value / m + 1) / 2), np.arange(m), 1000 + run, length)
    return bs.integral_values(words, length, bipolar=True)


def whole_range(m: int) -> np.ndarray:
    return np.linspace(-m, m, 21)


def transition(m: int, n: int) -> np.ndarray:
    """Where tanh(n s / 2) leaves its ends, and where a machine takes longest to forget its start."""
    end = min(m, 6 / n)
    return np.linspace(-end, end, 25)


def biases(m: int, n: int, values: np.ndarray, *, shift: int = 0) -> np.ndarray:
    """Bias of E[y] against tanh(n s / 2); `shift` moves the comparison up."""
    found = []
    for value in values:
        total = 0
        for run in range(RUNS):
            steps = steps_of(float(value), m, run)
            if shift:  # one while state > K/2: the state is above states - gap with gap = K/2 - 1
                ones = LENGTH - bs.count_ones(bs.exp_machine(steps, m * n, m * n // 2 - shift, m * n // 2))
            else:
                ones = bs.count_ones(bs.tanh_machine(steps, m * n, m * n // 2))
            total += ones
        found.append(2 * total / (RUNS * LENGTH) - 1 - math.tanh(n * value / 2))
    return np.array(found)


@pytest.mark.parametrize(("m", "n"), sorted(MAX_BIAS))
def test_largest_bias_of_nstanh(m: int, n: int) -> None:
    assert np.abs(biases(m, n, transition(m, n))).max() == pytest.approx(MAX_BIAS[m, n], abs=0.02)


@pytest.mark.parametrize(("m", "n"), sorted(MEAN_LIMITS))
def test_mean_bias_of_nstanh_with_eight_states_or_more(m: int, n: int) -> None:
    """On a uniform grid over [-m, m]; the starting transient of many states is part of it."""
    assert np.abs(biases(m, n, whole_range(m))).mean() <= MEAN_LIMITS[m, n] + 0.003


@pytest.mark.parametrize(("m", "n"), sorted(WRONG))
def test_strictly_above_half_is_wrong(m: int, n: int) -> None:
    wrong = np.abs(biases(m, n, whole_range(m), shift=1)).max()
    assert wrong == pytest.approx(WRONG[m, n], abs=0.02)
    assert wrong > 4 * np.abs(biases(m, n, whole_range(m))).max()


@pytest.mark.parametrize(("fan_in", "states"), [(16, 60), (50, 200), (100, 200)])
def test_random_walk_gives_tanh_of_mean_states_and_variance(fan_in: int, states: int) -> None:
    """E[y] = tanh(mu K / (2 Var S)) for a sum of many streams, whatever their number."""
    for mean in (-2.0, 0.7, 1.5):
        p = np.full(fan_in, (mean / fan_in + 1) / 2)
        length = 60000
        words = bs.bernoulli_words(p, np.arange(fan_in), 5, length)
        steps = 2 * bs.column_counts(words, length) - fan_in
        spread = fan_in * (1 - (mean / fan_in) ** 2)
        y = 2 * bs.count_ones(bs.tanh_machine(steps, states, states // 2)) / length - 1
        assert y == pytest.approx(math.tanh(mean * states / (2 * spread)), abs=0.05)


@pytest.mark.parametrize("value", [0.3, 0.6, 1.0])
def test_nsexp_falls_exponentially(value: float) -> None:
    """exp(-2 G s): many states, m = 2, gap m G."""
    m, n, gain, length = 2, 16, 1, 60000
    bits = bs.exp_machine(steps_of(value, m, 0, length), m * n, m * gain, m * n // 2)
    assert bs.count_ones(bits) / length == pytest.approx(math.exp(-2 * gain * value), abs=0.06)


def test_a_stream_longer_than_its_register_repeats() -> None:
    """The second period adds no information."""
    sequence = bs.shift_register(5, bs.TAPS[5], 1, 1)
    rows = bs.compare_words(sequence, np.array([0, 11]), np.array([20, 12]), 62)
    bits = bs.unpack(rows, 62)
    assert np.array_equal(bits[:, :31], bits[:, 31:])
