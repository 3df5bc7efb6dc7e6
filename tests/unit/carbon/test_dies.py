"""Dies, wafers, yields and intensities: what they are worth and which are refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from hwsim.errors import InputError
from hwsim.model.carbon import Die, intensity
from hwsim.model.carbon.yields import checked_yield, dies_per_wafer, negative_binomial_yield, wafer_area_m2
from hwsim.sourced import Sourced, chosen


def refusal(call: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(InputError) as caught:
        call()
    (problem,) = caught.value.problems
    return problem.where, problem.reason, problem.hint


def same(number: Sourced | None, value: float, formula: str) -> None:
    assert number is not None
    assert number.value == pytest.approx(value, rel=1e-12)
    assert number.formula == formula


def test_intensities_and_yields_that_somebody_chose() -> None:
    same(intensity(0.0), 0.0, "carbon_intensity")
    same(intensity(2e-7, "fab"), 2e-7, "fab")
    assert refusal(lambda: intensity(-1.0)) == ("carbon_intensity", "-1.0 is below zero", "")
    same(checked_yield(1.0), 1.0, "yield")
    assert refusal(lambda: checked_yield(0.0)) == (
        "yield_ratio",
        "0.0 is not a share of working dies",
        "above 0, at most 1",
    )
    found = negative_binomial_yield(chosen(100.0, "count_per_m2", "d"), chosen(1e-2, "_m2", "a"), 2)
    same(found, 1.5**-2, "(1 + d * a / 2) ** -2")


def test_dies_on_a_wafer() -> None:
    assert wafer_area_m2(0.3) == pytest.approx(math.pi * 0.15**2)
    assert dies_per_wafer(0.3, 1e-4) == pytest.approx(math.pi * 0.3 * (750 - math.sqrt(5000)))
    assert refusal(lambda: dies_per_wafer(0.3, 0.06)) == (
        "die.area_m2",
        "a die of 60000 mm^2 does not fit on a wafer of 300 mm",
        "",
    )


def test_a_wafer_of_a_single_die_is_still_one() -> None:
    """pi d (d / 4A - 1 / sqrt(2A)) = 1 just fits."""
    low, high = 0.001, 0.06
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (
            (middle, high)
            if math.pi * 0.3 * (0.3 / (4 * middle) - 1 / math.sqrt(2 * middle)) >= 1
            else (low, middle)
        )
    assert dies_per_wafer(0.3, low) == pytest.approx(1.0)


def test_a_die_names_everything_that_is_wrong_with_it() -> None:
    with pytest.raises(InputError) as caught:
        Die("28", 0.0706858, "flash", 0, True)
    assert [(p.where, p.reason, p.hint) for p in caught.value.problems] == [
        (
            "die.area_m2",
            "0.0706858 is not an area between nothing and a wafer of 300 mm",
            "give square metres: 350 mm^2 is 3.5e-4",
        ),
        ("die.kind", "unknown kind 'flash'", "one of logic, dram, sram, analog"),
        ("die.count", "0 is not a whole number above zero", ""),
        ("die.layers", "True is not a whole number above zero", ""),
    ]
    for field in ({"count": 1.0}, {"layers": 1.0}, {"area_m2": 0.0}):
        with pytest.raises(InputError, match="die"):
            Die(**{"node": "28", "area_m2": 1e-4} | field)  # type: ignore[arg-type]
