"""Shift registers: the published example bit by bit, maximal length for every width, seeds that differ."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from accelerators.sparse_fc.lfsr import (
    MAXIMAL_TAPS,
    kept_words,
    mask,
    period_of,
    repeated_inputs,
    shift,
    spread_seeds,
    threshold_of,
)
from accelerators.sparse_fc.polynomial import is_maximal, prime_factors

WIDTHS = sorted(MAXIMAL_TAPS)
FIGURE_2 = {3: [0, 1, 1, 1, 0, 1, 0], 2: [0, 1, 0, 0, 1, 1, 1]}


def period(taps: tuple[int, ...], seed: int) -> int:
    """Clock a register until it is back at `seed`."""
    start = np.array([seed], dtype=np.int64)
    states, clocks = shift(start, taps), 1
    while states[0] != seed and clocks <= 2 ** max(taps):
        states, clocks = shift(states, taps), clocks + 1
    return clocks


def test_widths_from_3_to_24_are_covered() -> None:
    assert list(range(3, 25)) == WIDTHS
    assert all(max(taps) == width for width, taps in MAXIMAL_TAPS.items())


@pytest.mark.parametrize("width", [width for width in WIDTHS if width <= 12])
def test_narrow_registers_run_through_every_state(width: int) -> None:
    assert period(MAXIMAL_TAPS[width], 1) == period_of(width) == 2**width - 1


@pytest.mark.parametrize("width", WIDTHS)
def test_every_register_is_maximal_by_the_order_of_its_polynomial(width: int) -> None:
    assert is_maximal(MAXIMAL_TAPS[width])


@pytest.mark.parametrize("width", [3, 4, 5, 6, 7])
def test_order_of_the_polynomial_agrees_with_clocking_for_all_taps(width: int) -> None:
    verdicts = set()
    for size in range(width):
        for others in combinations(range(1, width), size):
            taps = (width, *others)
            found = is_maximal(taps)
            assert found == (period(taps, 1) == period_of(width)), taps
            verdicts.add(found)
    assert verdicts == {True, False}


def test_prime_factors() -> None:
    assert prime_factors(2**11 - 1) == (23, 89)
    assert prime_factors(2**12 - 1) == (3, 5, 7, 13)
    assert prime_factors(2**19 - 1) == (524287,)


def test_published_example_bit_by_bit() -> None:
    kept = mask(MAXIMAL_TAPS[3], tuple(FIGURE_2), 7, 0.57)
    assert kept.T.astype(int).tolist() == list(FIGURE_2.values())


@pytest.mark.parametrize("taps", [(3, 2), (3, 1)])
@pytest.mark.parametrize("seed", range(1, 8))
def test_every_mask_of_three_bits_is_a_rotation_of_one_sequence(taps: tuple[int, ...], seed: int) -> None:
    sequence = [1, 1, 1, 0, 1, 0, 0] if taps == (3, 2) else [0, 0, 1, 0, 1, 1, 1]
    found = mask(taps, (seed,), 7, 0.57)[:, 0].astype(int).tolist()
    assert found in [sequence[at:] + sequence[:at] for at in range(7)]


@pytest.mark.parametrize(
    ("sparsity", "words"), [(0.0, 1024), (0.5, 512), (0.75, 256), (0.875, 128), (0.9375, 64)]
)
def test_words_of_table_6(sparsity: float, words: int) -> None:
    assert kept_words(MAXIMAL_TAPS[10], (1,), 1024, sparsity) == (words,)


@pytest.mark.parametrize("bits", [3, 5, 10])
@pytest.mark.parametrize("inputs", [1, 7, 50, 2000])
def test_kept_words_count_the_mask(bits: int, inputs: int) -> None:
    seeds = spread_seeds(5, bits)
    for sparsity in (0.1, 0.5, 0.9, 0.999):
        counted = mask(MAXIMAL_TAPS[bits], seeds, inputs, sparsity).sum(axis=0)
        assert kept_words(MAXIMAL_TAPS[bits], seeds, inputs, sparsity) == tuple(counted.tolist())


def test_threshold_is_exact_on_the_scale_of_the_largest_state() -> None:
    assert threshold_of(0.0, 10) == 0
    assert threshold_of(0.5, 10) == 512
    assert threshold_of(4 / 7, 3) == 4
    assert threshold_of(0.57, 3) == 4
    assert threshold_of(0.58, 3) == 5
    assert threshold_of(0.999999999, 3) == 7


@pytest.mark.parametrize("bits", [3, 4, 10, 11])
def test_seeds_differ_until_there_are_no_more(bits: int) -> None:
    seeds = spread_seeds(period_of(bits), bits)
    assert sorted(seeds) == list(range(1, 2**bits))
    assert seeds[0] == 1
    assert spread_seeds(2, bits, first=3)[0] == 3


def test_a_register_that_runs_out_of_states_starts_over() -> None:
    kept = mask(MAXIMAL_TAPS[4], (5, 9), 40, 0.6)
    assert np.array_equal(kept[:15], kept[15:30])
    assert np.array_equal(kept[:10], kept[30:])
    assert [repeated_inputs(n, 4) for n in (1, 15, 16, 40)] == [0, 0, 1, 25]
    assert repeated_inputs(1024, 10) == 1
