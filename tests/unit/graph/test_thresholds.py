"""A normalization and a sign are one comparison, for every sign of the scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import InputError
from hwsim.graph.thresholds import match_normalization

ONE = np.ones(1)
numbers = st.integers(-8, 8)


def test_golden_value() -> None:
    found = match_normalization(0.8 * ONE, 0.3 * ONE, 2 * ONE, 9 * ONE, 0.0, alpha=0.5)
    assert found.threshold[0] == pytest.approx(1.75, rel=1e-12)
    assert found.rising[0]


@given(numbers, numbers, numbers, st.integers(1, 9), st.integers(-40, 40))
def test_whole_thresholds_decide_alike(scale: int, bias: int, mean: int, root: int, s: int) -> None:
    """Roots of squares and quarters are exact, so there is no rounding to hide behind."""
    found = match_normalization(scale / 4 * ONE, bias * ONE, mean * ONE, float(root * root) * ONE, 0.0)
    exact = scale * (s - mean) + 4 * bias * root
    assert found.whole().signs(np.full((1, 1), float(s)))[0, 0] == (1 if exact >= 0 else -1)


def test_bad_statistics_are_reported_together() -> None:
    with pytest.raises(InputError) as refused:
        match_normalization(np.nan * ONE, np.inf * ONE, ONE, ONE, 0.0, alpha=0.0)
    assert [p.where.rpartition(".")[2] for p in refused.value.problems] == ["scale", "bias", "alpha"]
    with pytest.raises(InputError, match=r"variance -1 \+ epsilon 0.5 of channel 0"):
        match_normalization(ONE, ONE, ONE, -ONE, 0.5)
