"""Odds and times of a chip that answers at random, from counts alone."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hwsim.model.sampling import Sampling


def sampling(**changes: Any) -> Sampling:
    """8 attempts of 100 clocks on 3 free bits, of which 2 are right."""
    given: dict[str, Any] = {
        "clamps": {"P": 6},
        "mode": "reverse",
        "scored_by": "the last state",
        "attempts": 8,
        "valid_attempts": 2,
        "answers": 2,
        "free_bits": 3,
        "attempt_cycles": 100,
        "clock_hz": 1e6,
        "ground_energy": -4,
        "lowest_energy": -4,
        "states": (),
        "distinct_states": 5,
    }
    return Sampling(**given | changes)


def test_ratios_are_counts_over_counts() -> None:
    assert sampling().success_ratio == 0.25
    assert sampling().guess_ratio == 0.25
    assert sampling(answers=None).guess_ratio is None


@pytest.mark.parametrize(
    ("ratio", "attempts"),
    [
        (0.0, math.inf),
        (-0.1, math.inf),
        (0.1, math.log(0.01) / math.log(0.9)),
        (0.9, 2.0),
        (0.989, math.log(0.01) / math.log(0.011)),
        (0.99, 1.0),
        (0.995, 1.0),
        (1.0, 1.0),
    ],
)
def test_clocks_until_99_per_cent_certainty(ratio: float, attempts: float) -> None:
    assert sampling().solution_cycles(ratio) == pytest.approx(100 * attempts, rel=1e-12)


def test_the_measured_ratio_is_the_default() -> None:
    assert sampling().solution_cycles() == sampling().solution_cycles(0.25)
    assert sampling(valid_attempts=0).solution_cycles() == math.inf
    assert sampling(valid_attempts=0).solution_cycles(0.9) == pytest.approx(200.0)
