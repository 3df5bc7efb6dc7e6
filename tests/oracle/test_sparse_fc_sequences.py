"""Masks and figures of the sparsely-connected engine, recomputed in other ways."""

from __future__ import annotations

import numpy as np
import pytest

from accelerators.sparse_fc import ACCELERATOR
from accelerators.sparse_fc.lfsr import MAXIMAL_TAPS, mask, period_of, shift, spread_seeds
from accelerators.sparse_fc.polynomial import prime_factors

TABLE_6 = {1024: (26265, 278), 512: (13859, 155), 256: (7316, 86), 128: (4221, 60), 64: (2662, 43)}


def companion(taps: tuple[int, ...]) -> np.ndarray:
    """The matrix over GF(2) that takes (a(n), ..., a(n + w - 1)) one step on."""
    width = max(taps)
    matrix = np.eye(width, k=1, dtype=np.int64)
    matrix[-1, [0, *(tap for tap in taps if tap < width)]] = 1
    return matrix


def power(matrix: np.ndarray, exponent: int) -> np.ndarray:
    result = np.eye(len(matrix), dtype=np.int64)
    while exponent:
        if exponent & 1:
            result = result @ matrix % 2
        matrix, exponent = matrix @ matrix % 2, exponent >> 1
    return result


@pytest.mark.parametrize("width", sorted(MAXIMAL_TAPS))
def test_companion_matrix_has_full_order(width: int) -> None:
    matrix, period = companion(MAXIMAL_TAPS[width]), period_of(width)
    unit = np.eye(width, dtype=np.int64)
    assert np.array_equal(power(matrix, period), unit)
    for prime in prime_factors(period):
        assert not np.array_equal(power(matrix, period // prime), unit)


@pytest.mark.parametrize("width", [3, 8, 16, 24])
def test_register_steps_as_its_companion_matrix(width: int) -> None:
    matrix, places = companion(MAXIMAL_TAPS[width]), width - 1 - np.arange(width)
    for seed in spread_seeds(5, width):
        state = np.array([seed], dtype=np.int64)
        bits = seed >> places & 1
        for _ in range(50):
            state, bits = shift(state, MAXIMAL_TAPS[width]), matrix @ bits % 2
            assert int(state[0]) == int((bits << places).sum())


@pytest.mark.parametrize("width", [5, 9, 12])
def test_maximal_sequences_have_two_valued_autocorrelation(width: int) -> None:
    """Golomb's third postulate: every shift of the sign sequence correlates as -1 / period."""
    signs = 2 * mask(MAXIMAL_TAPS[width], (1,), period_of(width), 0.5)[:, 0].astype(int) - 1
    spectrum = np.abs(np.fft.fft(signs)) ** 2
    correlation = np.rint(np.fft.ifft(spectrum).real).astype(int)
    assert correlation[0] == period_of(width)
    assert set(correlation[1:]) == {-1}


def test_line_through_the_ends_agrees_with_least_squares_over_the_table() -> None:
    bits = np.array(list(TABLE_6), dtype=float)
    for column, unit in ((0, 1e-12), (1, 1e-6)):
        published = np.array([row[column] for row in TABLE_6.values()]) * unit
        slope, offset = np.polyfit(bits, published, 1)
        modeled = []
        for preset in ("neuron_0", "neuron_50", "neuron_75", "neuron_87_5", "neuron_93_75"):
            design = ACCELERATOR.presets[preset]
            sheet = ACCELERATOR.datasheet(design)
            area = sum(row.area.value for row in sheet.units if row.area is not None)
            joules = sum(row.energy.value for row in sheet.actions if row.energy is not None)
            modeled.append(area if column == 0 else joules * design.clock_hz)
        assert np.allclose(modeled, offset + slope * bits, rtol=0.015)
        assert np.allclose(modeled, published, rtol=0.02 if column == 0 else 0.05)
        assert [modeled[0], modeled[-1]] == pytest.approx([published[0], published[-1]])
