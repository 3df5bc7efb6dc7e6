"""Knobs: every bad register, seed and share is refused in words."""

from __future__ import annotations

import pytest

from hwsim.errors import DesignError
from hwsim.run import chip


@pytest.mark.parametrize(
    ("knobs", "place", "reason"),
    [
        ({"sparsity_ratio": 1.0}, "sparsity_ratio", r"share in \[0, 1\).*got 1.0"),
        ({"sparsity_ratio": -0.1}, "sparsity_ratio", r"share in \[0, 1\)"),
        ({"sparsity_ratio": float("nan")}, "sparsity_ratio", r"share in \[0, 1\)"),
        ({"sparsity_ratio": True}, "sparsity_ratio", r"share in \[0, 1\)"),
        ({"seeds": (0, 1)}, "seeds", "seed 0 never leaves zero"),
        ({"seeds": (5, 7, 5)}, "seeds", r"seeds \[5\] are given to several columns"),
        (
            {"seeds": (0, 2048, 4, 4)},
            "seeds",
            r"seed 0 .*; seeds \[2048\] are no states .*; seeds \[4\] are given",
        ),
        ({"taps": (11, 1)}, "taps", r"do not run through all 2047 states, as \[11, 9\] do"),
        ({"taps": (10, 7)}, "taps", "exponents from 1 to lfsr_bits = 11"),
        ({"taps": (11, 0)}, "taps", "exponents from 1 to lfsr_bits = 11"),
        ({"taps": "11, x"}, "taps", "'standard' or a list of whole numbers"),
        ({"taps": (11, 9.5)}, "taps", "'standard' or a list of whole numbers"),
        ({"lfsr_bits": 2}, "lfsr_bits", "greater than or equal to 3"),
        ({"lfsr_bits": 25, "taps": (25, 22)}, "lfsr_bits", "less than or equal to 24"),
        ({"neurons": 0}, "neurons", "greater than or equal to 1"),
        ({"weight_memory_bits": 0}, "weight_memory_bits", "greater than or equal to 1"),
        ({"weights": "quaternary"}, "weights", "'binary' or 'ternary'"),
        ({"clock_hz": 0}, "clock_hz", "greater than 0"),
    ],
)
def test_bad_knobs_are_refused(knobs: dict[str, object], place: str, reason: str) -> None:
    with pytest.raises(DesignError, match=rf"sparse_fc\.{place}\S*: .*{reason}"):
        chip("sparse_fc", **knobs)


def test_all_bad_knobs_are_reported_at_once() -> None:
    with pytest.raises(DesignError) as caught:
        chip("sparse_fc", sparsity_ratio=2, seeds=[0], taps=[11, 1], neuron=4)
    places = {problem.where for problem in caught.value.problems}
    assert places == {"sparse_fc.sparsity_ratio", "sparse_fc.seeds", "sparse_fc.taps", "sparse_fc.neuron"}


def test_knobs_are_read_as_the_command_line_writes_them() -> None:
    design = chip("sparse_fc", taps="11, 9", seeds="3,1,2", sparsity_ratio="0.5").design
    assert (design.taps, design.seeds, design.sparsity_ratio) == ((11, 9), (3, 1, 2), 0.5)
    assert chip("sparse_fc", sparsity_ratio="network").design.sparsity_ratio == "network"
    assert chip("sparse_fc", lfsr_bits=14).design.feedback == (14, 5, 3, 1)
