"""Break-even, indifference and activity: published vectors, laws, and the words for never."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import InputError
from hwsim.model.carbon import (
    Die,
    Engine,
    break_even_s,
    crossover_activity,
    in_service,
    indifference_s,
    read_duration,
)

numbers = st.floats(0.01, 1e9)
powers = st.floats(0.0, 1e6)


def test_one_year_needs_the_published_savings() -> None:
    year = 3.156e7
    for megajoules, saving in ((1, 0.0317), (5, 0.158), (10, 0.317), (20, 0.634), (50, 1.584)):
        assert break_even_s(megajoules * 1e6, saving, 0.0) == pytest.approx(year, rel=3e-3)


@given(numbers, powers, powers)
def test_break_even_is_where_the_totals_meet(made: float, old: float, new: float) -> None:
    when = float(break_even_s(made, old, new))
    if math.isinf(when):
        assert new >= old
    else:
        assert made + new * when == pytest.approx(old * when)


@given(numbers, powers, numbers, powers)
def test_indifference_is_where_the_totals_meet(one: float, p: float, other: float, q: float) -> None:
    when = float(indifference_s(one, p, other, q))
    if when == 0:
        assert other <= one
        assert q <= p
    elif math.isfinite(when):
        assert one + p * when == pytest.approx(other + q * when)
        assert when == pytest.approx(float(indifference_s(other, q, one, p)))
    else:
        assert other >= one
        assert q >= p


def test_never_is_infinite_and_minus_42_is_nowhere() -> None:
    assert math.isinf(break_even_s(1.0, 1.0, 1.0))
    assert math.isinf(break_even_s(1.0, 1.0, 2.0))
    assert not (np.asarray(indifference_s([1, 2, 1], [1, 1, 2], [2, 1, 1], [2, 2, 3])) < 0).any()


@given(numbers, powers, powers, numbers, powers, powers)
def test_crossover_activity_makes_totals_equal(
    m0: float, i0: float, s0: float, m1: float, i1: float, s1: float
) -> None:
    life = 1e6
    found = crossover_activity(m0, i0, s0, m1, i1, s1, life)
    if found is not None:
        first, second = m0 + (i0 + found * s0) * life, m1 + (i1 + found * s1) * life
        assert first == pytest.approx(second, rel=1e-6)


def engine(name: str, rate: float, active: float, idle: float, shared: bool = False) -> Engine:
    return Engine(name, rate, active, idle, (Die("28", 1e-4),), shared)


def test_equal_work_follows_the_slowest() -> None:
    service = in_service([engine("slow", 10.0, 5.0, 1.0), engine("fast", 40.0, 9.0, 1.0)])
    assert service.full_rate_per_s == 10.0
    np.testing.assert_allclose(service.power_w(1.0), [5.0, 3.0])
    np.testing.assert_allclose(service.power_w(0.0), [1.0, 1.0])
    assert service.replicas == (1, 1)


def test_a_higher_rate_takes_copies() -> None:
    service = in_service([engine("slow", 10.0, 5.0, 1.0), engine("fast", 40.0, 9.0, 1.0)], 40.0)
    assert service.replicas == (4, 1)
    np.testing.assert_allclose(service.power_w(1.0), [20.0, 9.0])
    totals = service.totals([100.0, 50.0], np.array([0.0, 10.0]), np.array([1.0]))
    np.testing.assert_allclose(totals[:, 0, :], [[400.0, 600.0], [50.0, 140.0]])


def test_existing_hardware_costs_nothing_to_make() -> None:
    service = in_service([engine("old", 10.0, 5.0, 1.0, shared=True), engine("new", 10.0, 2.0, 0.0)])
    totals = service.totals([100.0, 50.0], np.array([0.0]), np.array([0.5]))
    np.testing.assert_allclose(totals[:, 0, 0], [0.0, 50.0])


def test_engines_are_checked() -> None:
    for change, message in (
        ({"rate": 0.0}, "throughput"),
        ({"active": math.nan}, "active_w"),
        ({"idle": -1.0}, "idle_w"),
    ):
        with pytest.raises(InputError, match=message):
            engine(**{"name": "x", "rate": 1.0, "active": 1.0, "idle": 0.0} | change)
    with pytest.raises(InputError, match="no die"):
        Engine("x", 1.0, 1.0, 0.0, ())
    with pytest.raises(InputError, match="activity"):
        in_service([engine("x", 1.0, 1.0, 0.0)]).power_w(1.5)


def test_durations_need_a_unit() -> None:
    assert read_duration("5y", "x") == pytest.approx(5 * 365.25 * 86400)
    for text in ("5", "-1y", "0y", "soon", ""):
        with pytest.raises(InputError):
            read_duration(text, "--service-life")
