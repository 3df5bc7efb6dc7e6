"""Engines at equal work and the times that pay back, worked out by hand; refusals word by word."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

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

DIE = Die("28", 1e-4)
SLOW = Engine("slow", 10.0, 5.0, 1.0, (DIE,))
FAST = Engine("fast", 40.0, 9.0, 1.0, (DIE,))


def refusal(call: Callable[[], object]) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        call()
    return [(p.where, p.reason, p.hint) for p in caught.value.problems]


def test_an_engine_says_everything_that_is_wrong_with_it() -> None:
    assert refusal(lambda: Engine("x", 0.0, math.inf, math.inf, ())) == [
        ("x.throughput_per_s", "0.0 does no work", ""),
        ("x.active_w", "inf is not a power", ""),
        ("x.idle_w", "inf is not a power", ""),
        ("x.dies", "no die, so nothing was made", "give dies, or shared_existing = true"),
    ]
    assert refusal(lambda: Engine("x", math.inf, -1.0, -1.0, (DIE,), True)) == [
        ("x.throughput_per_s", "inf does no work", ""),
        ("x.active_w", "-1.0 is not a power", ""),
        ("x.idle_w", "-1.0 is not a power", ""),
    ]
    assert Engine("x", 1.0, 0.5, 0.0, (), True).dies == ()


def test_power_follows_activity_and_rate() -> None:
    service = in_service([SLOW, FAST])
    assert service.idle_w.tolist() == [1.0, 1.0]
    assert service.slope_w.tolist() == [4.0, 2.0]
    assert service.power_w([0.0, 0.5, 1.0]).tolist() == [[1.0, 3.0, 5.0], [1.0, 2.0, 3.0]]
    assert service.power_w([[0.25], [1.0]]).shape == (2, 2, 1)
    assert service.power_w(1).tolist() == [5.0, 3.0]
    for wrong in (-0.01, 1.01, math.nan, [0.5, 2.0]):
        assert refusal(lambda wrong=wrong: service.power_w(wrong)) == [  # type: ignore[misc]
            ("activity", f"{wrong!r} is not an activity ratio", "from 0 to 1")
        ]


def test_copies_are_as_many_as_the_rate_needs() -> None:
    assert in_service([SLOW, FAST], 40.0).replicas == (4, 1)
    assert in_service([SLOW, FAST], 40.1).replicas == (5, 2)
    assert in_service([SLOW, FAST], 1.0).replicas == (1, 1)
    # Three times a third is a rounding error above one: still one copy.
    third = Engine("third", 0.1, 2.0, 1.0, (DIE,))
    assert in_service([third], 0.1 + 1e-17).replicas == (1,)
    assert in_service([third], 0.3).replicas == (3,)
    four = in_service([SLOW], 40.0)
    assert (four.idle_w.tolist(), four.slope_w.tolist()) == ([4.0], [16.0])


def test_totals_are_making_and_running() -> None:
    service = in_service([SLOW, Engine("old", 10.0, 3.0, 1.0, (), True)], 20.0)
    found = service.totals([100.0, 70.0], [0.0, 10.0, 20.0], [0.0, 1.0])
    assert found.tolist() == [
        [[200.0, 220.0, 240.0], [200.0, 300.0, 400.0]],
        [[0.0, 20.0, 40.0], [0.0, 60.0, 120.0]],
    ]
    assert service.totals([100.0, 70.0], 10.0, 1.0).tolist() == [[[300.0]], [[60.0]]]
    assert service.totals([100.0, 70.0], 10.0, 1.0, 0.5).tolist() == [[[250.0]], [[30.0]]]
    with pytest.raises(ValueError, match="zip"):
        service.totals([100.0], 10.0, 1.0)


def test_nobody_to_compare_and_no_rate() -> None:
    assert in_service([FAST, SLOW]).full_rate_per_s == 10.0
    assert in_service([FAST]).engines == (FAST,)
    assert refusal(lambda: in_service([])) == [("engines", "no engine to compare", "")]
    for rate in (0.0, -1.0, math.inf, math.nan):
        assert refusal(lambda rate=rate: in_service([SLOW], rate)) == [  # type: ignore[misc]
            ("full_rate_per_s", f"{rate!r} is not a rate of tasks", "above zero")
        ]


def test_break_even_over_arrays() -> None:
    found = break_even_s([[10.0], [20.0]], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0])
    assert found.tolist() == [[5.0, math.inf, math.inf], [10.0, math.inf, math.inf]]
    assert float(break_even_s(0.0, 2.0, 1.0)) == 0.0


@pytest.mark.parametrize(
    ("one", "power_one", "other", "power_other", "expected"),
    [
        (10, 3, 30, 1, 10.0),  # dearer to make, cheaper to run
        (30, 1, 10, 3, 10.0),
        (10, 3, 10.5, 2.75, 2.0),
        (10.5, 2.75, 10, 3, 2.0),
        (10, 3, 10, 3, 0.0),
        (10, 3, 5, 3, 0.0),
        (10, 3, 10, 2, 0.0),
        (10, 3, 5, 2, 0.0),
        (5, 3, 10, 3, math.inf),
        (10, 2, 10, 3, math.inf),
        (5, 2, 10, 3, math.inf),
    ],
)
def test_indifference_of_two_new_systems(
    one: float, power_one: float, other: float, power_other: float, expected: float
) -> None:
    assert float(indifference_s(one, power_one, other, power_other)) == expected


def test_crossover_lies_between_idle_and_busy_or_nowhere() -> None:
    """Made for 0 J and 100 J; over 10 s, 1 + 30 a watts against 1 + 10 a: equal at a = 1/2."""
    given: dict[str, Any] = {
        "embodied_one": 0.0,
        "idle_one": 1.0,
        "slope_one": 30.0,
        "embodied_other": 100.0,
        "idle_other": 1.0,
        "slope_other": 10.0,
        "service_life_s": 10.0,
    }
    assert crossover_activity(**given) == 0.5
    assert crossover_activity(**given | {"idle_one": 3.0}) == 0.4
    assert crossover_activity(**given | {"idle_other": 3.0}) == 0.6
    assert crossover_activity(**given | {"embodied_one": 100.0}) == 0.0
    assert crossover_activity(**given | {"embodied_other": 200.0}) == 1.0
    assert crossover_activity(**given | {"embodied_other": 201.0}) is None
    assert crossover_activity(**given | {"embodied_one": 101.0}) is None
    assert crossover_activity(**given | {"slope_one": 10.0}) is None
    assert crossover_activity(**given | {"service_life_s": 0.5, "embodied_other": 5.0}) == 0.5
    for life in (0.0, -1.0, math.nan):
        assert refusal(lambda life=life: crossover_activity(**given | {"service_life_s": life})) == [  # type: ignore[misc]
            ("service_life", f"{life!r} s is not a service life", "")
        ]


def test_durations_and_how_to_write_them() -> None:
    assert read_duration("90 h", "x") == 324_000.0
    assert read_duration("0.5 s", "x") == 0.5
    assert refusal(lambda: read_duration("1e999 s", "life"))[0][1].endswith("range of a 64-bit float")
    assert refusal(lambda: read_duration("5q", "--service-life")) == [
        ("--service-life", "in '5q': unknown unit 'q'", "write 5y, 400 day or 90 h")
    ]
    assert refusal(lambda: read_duration("5", "--service-life")) == [
        ("--service-life", "'5' has no unit", "write 5y, 400 day or 90 h")
    ]
    for wrong in ("-1 y", "0 s"):
        assert refusal(lambda wrong=wrong: read_duration(wrong, "life")) == [  # type: ignore[misc]
            ("life", f"{wrong!r} is not a duration", "write 5y, 400 day or 90 h")
        ]
