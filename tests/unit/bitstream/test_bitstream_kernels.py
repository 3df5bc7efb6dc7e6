"""Packed streams against their plain twins, and against what stochastic arithmetic promises."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hwsim.kernels import bitstream as bs
from tests.unit.bitstream import plain

LENGTHS = (1, 63, 64, 65, 200)


@pytest.mark.parametrize("length", LENGTHS)
def test_pack_and_unpack_are_inverse(length: int) -> None:
    bits = np.random.default_rng(length).integers(0, 2, (3, length)).astype(np.uint8)
    words = bs.pack(bits)
    assert words.shape == (3, bs.words_of(length))
    assert np.array_equal(bs.unpack(words, length), bits)
    assert int(words[0, 0]) & 1 == bits[0, 0]


@pytest.mark.parametrize("probability", [0.0, 1.0, 0.5, 0.3, 5 / 256, 0.999])
def test_bernoulli_words_equal_their_twin(probability: float) -> None:
    words = bs.bernoulli_words(np.array([probability]), np.array([7]), 42, 192)
    assert [int(word) for word in words[0]] == [
        plain.bernoulli_word(probability, 7, 42, word) for word in range(3)]


def test_bernoulli_streams_have_their_mean_and_no_tail() -> None:
    p = np.linspace(0, 1, 33)
    ones = bs.unpack(bs.bernoulli_words(p, np.arange(33), 3, 65536), 65536).mean(axis=1)
    assert np.all(np.abs(ones - p) <= 4.5 * np.sqrt(p * (1 - p) / 65536) + 2**-17)
    words = bs.bernoulli_words(np.ones(1), np.arange(1), 3, 70)
    assert [int(word) for word in words[0]] == [2**64 - 1, 63]


def test_bernoulli_streams_are_independent_of_order_and_threads() -> None:
    p, streams = np.random.default_rng(0).random(64), np.arange(64)
    whole = bs.bernoulli_words(p, streams, 9, 1000)

    def part(s: int) -> np.ndarray:
        return bs.bernoulli_words(p[s : s + 1], streams[s : s + 1], 9, 1000)[0]

    for workers in (1, 4):
        with ThreadPoolExecutor(workers) as pool:
            assert np.array_equal(np.stack(list(pool.map(part, range(64)))), whole)
    assert np.array_equal(bs.bernoulli_words(p, streams, 9, 640), whole[:, :10])
    assert not np.array_equal(bs.bernoulli_words(p, streams, 10, 1000), whole)


@pytest.mark.parametrize("width", sorted(bs.TAPS))
def test_shift_registers_visit_every_state_once(width: int) -> None:
    numbers = bs.shift_register(width, bs.TAPS[width], 1, 1)
    assert sorted(numbers.tolist()) == list(range(2**width - 1))


@pytest.mark.parametrize(("width", "leap"), [(3, 1), (5, 2), (11, 11)])
def test_shift_register_equals_its_twin(width: int, leap: int) -> None:
    taps = bs.TAPS[width]
    assert bs.shift_register(width, taps, 3, leap).tolist() == plain.shift_register(width, taps, 3, leap)


SEQUENCES = [bs.shift_register(11, bs.TAPS[11], 1, 11), bs.counter(11), bs.sobol(11, 3)]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_period_holds_exactly_the_threshold(sequence: np.ndarray) -> None:
    period = sequence.shape[0]
    thresholds = np.array([0, 1, 700, period])
    words = bs.compare_words(sequence, np.array([0, 5, 2000, 77]), thresholds, period)
    assert bs.unpack(words, period).sum(axis=1).tolist() == thresholds.tolist()


def test_compare_words_equal_their_definition_and_wrap() -> None:
    sequence = bs.shift_register(5, bs.TAPS[5], 1, 1)
    words = bs.compare_words(sequence, np.array([0, 4]), np.array([10, 20]), 100)
    for row, (phase, threshold) in enumerate([(0, 10), (4, 20)]):
        wanted = [int(sequence[(phase + i) % 31] < threshold) for i in range(100)]
        assert bs.unpack(words[row], 100).tolist() == wanted


def test_sobol_is_the_published_sequence() -> None:
    """First points of dimensions 1, 2, 4 and 10 in sixteenths, as scipy.stats.qmc.Sobol prints them."""
    published = {
        0: [0, 8, 12, 4, 6, 14, 10, 2, 3, 11, 15, 7, 5, 13, 9, 1],
        1: [0, 8, 4, 12, 6, 14, 2, 10, 5, 13, 1, 9, 3, 11, 7, 15],
        3: [0, 8, 4, 12, 14, 6, 10, 2, 7, 15, 3, 11, 9, 1, 13, 5],
        9: [0, 8, 12, 4, 10, 2, 6, 14, 5, 13, 9, 1, 15, 7, 3, 11],
    }
    assert {dimension: bs.sobol(4, dimension).tolist() for dimension in published} == published
    for dimension in range(bs.SOBOL_DIMENSIONS):
        assert sorted(bs.sobol(8, dimension).tolist()) == list(range(256))


def test_products_of_low_discrepancy_streams_are_better_than_random() -> None:
    a, b, n = 0.7, 0.6, 256
    product = bs.multiply_unipolar(
        bs.compare_words(bs.sobol(8, 0), np.zeros(1, int), np.array([round(a * n)]), n),
        bs.compare_words(bs.sobol(8, 1), np.zeros(1, int), np.array([round(b * n)]), n))
    assert abs(bs.count_ones(product.reshape(-1)) / n - a * b) < 0.01


def test_gates_multiply() -> None:
    rows = bs.bernoulli_words(np.array([0.8, 0.3]), np.arange(2), 1, 40000)
    assert bs.count_and(rows[0], rows[1]) / 40000 == pytest.approx(0.24, abs=0.01)
    product = bs.multiply_bipolar(rows[:1], rows[1:], 40000)
    assert 2 * bs.count_ones(product[0]) / 40000 - 1 == pytest.approx(0.6 * -0.4, abs=0.02)
    for length in LENGTHS:
        short = bs.bernoulli_words(np.array([0.8, 0.3]), np.arange(2), 1, length)
        a, b = bs.unpack(short, length)
        assert bs.unpack(bs.multiply_bipolar(short[:1], short[1:], length), length)[0].tolist() == (
            1 - (a ^ b)).tolist()
        assert bs.count_ones(bs.multiply_bipolar(short[:1], short[1:], length)[0]) == int((1 - (a ^ b)).sum())


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 33])
@pytest.mark.parametrize("length", [64, 130])
def test_counters_equal_their_twins(rows: int, length: int) -> None:
    bits = np.random.default_rng(rows).integers(0, 2, (rows, length)).astype(np.uint8)
    assert bs.column_counts(bs.pack(bits), length).tolist() == bits.sum(axis=0).tolist()
    assert bs.approximate_counts(bs.pack(bits), length).tolist() == plain.pairwise_counts(bits).tolist()


def test_approximate_counter_errs_little_on_average() -> None:
    words = bs.bernoulli_words(np.full(64, 0.5), np.arange(64), 1, 8192)
    exact, near = bs.column_counts(words, 8192), bs.approximate_counts(words, 8192)
    assert abs((near - exact).mean()) < 0.2
    assert 1 < (near - exact).std() < 5


@pytest.mark.parametrize(("value", "m"), [(2.5, 4), (0.25, 1), (7.0, 8)])
def test_integral_streams_hold_their_value(value: float, m: int) -> None:
    unipolar = bs.bernoulli_words(np.full(m, value / m), np.arange(m), 5, 20000)
    numbers = bs.integral_values(unipolar, 20000, bipolar=False)
    assert numbers.mean() == pytest.approx(value, abs=0.02 * m)
    assert 0 <= numbers.min() <= numbers.max() <= m
    bipolar = bs.bernoulli_words(np.full(m, (-value / m + 1) / 2), np.arange(m), 5, 20000)
    numbers = bs.integral_values(bipolar, 20000, bipolar=True)
    assert numbers.mean() == pytest.approx(-value, abs=0.04 * m)
    assert -m <= numbers.min() <= numbers.max() <= m


def test_integral_product_and_sum_need_no_scaling() -> None:
    m, n = 4, 20000
    a = bs.integral_values(bs.bernoulli_words(np.full(m, 0.6), np.arange(m), 1, n), n, bipolar=False)
    b = bs.integral_values(bs.bernoulli_words(np.full(m, 0.3), np.arange(m) + m, 1, n), n, bipolar=True)
    assert (a * b).mean() == pytest.approx(2.4 * -1.6, abs=0.1)
    assert (a + b).mean() == pytest.approx(2.4 - 1.6, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_machines_equal_their_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps, states = rng.integers(-4, 5, 300), 2 * int(rng.integers(1, 20))
    start, gap = int(rng.integers(states)), int(rng.integers(states))
    bits = bs.unpack(bs.tanh_machine(steps, states, start), 300)
    assert bits.tolist() == plain.machine(steps, states, start)
    assert bs.unpack(bs.exp_machine(steps, states, gap, start), 300).tolist() == plain.machine(
        steps, states, start, gap)


@pytest.mark.parametrize("seed", range(8))
def test_correlation_equals_its_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.random(150)
    other = base if seed % 3 == 0 else rng.random(150) if seed % 3 == 1 else 1 - base
    a, b = (base < 0.6).astype(np.uint8), (other < 0.3).astype(np.uint8)
    assert bs.correlation(bs.pack(a), bs.pack(b), 150) == pytest.approx(plain.correlation(a, b))


def test_correlation_ends() -> None:
    row = bs.bernoulli_words(np.array([0.5]), np.array([0]), 1, 128)[0]
    assert bs.correlation(row, row, 128) == 1.0
    assert bs.correlation(row, ~row, 128) == -1.0
    assert bs.correlation(row, np.zeros_like(row), 128) == 0.0


def test_shared_generators_make_wrong_products() -> None:
    """One generator on both operands: AND yields the smaller value, XNOR of equals yields one."""
    sequence = bs.shift_register(11, bs.TAPS[11], 1, 11)
    thresholds = np.array([round(0.7 * 2047), round(0.6 * 2047)])
    same = bs.compare_words(sequence, np.array([5, 5]), thresholds, 2047)
    apart = bs.compare_words(sequence, np.array([5, 900]), thresholds, 2047)
    assert bs.correlation(same[0], same[1], 2047) == 1.0
    assert bs.count_and(same[0], same[1]) / 2047 == pytest.approx(0.6, abs=1e-3)
    assert abs(bs.correlation(apart[0], apart[1], 2047)) < 0.1
    assert bs.count_and(apart[0], apart[1]) / 2047 == pytest.approx(0.42, abs=0.03)
    assert math.isclose(float(bs.count_ones(bs.multiply_bipolar(same[:1], same[:1], 2047)[0])), 2047)
