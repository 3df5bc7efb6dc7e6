"""Datasheets of many designs in one call: columns where formulas allow them, one by one where not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hwsim.errors import DesignError
from hwsim.model.sheets import Sheets, knob_columns, sheets_of
from hwsim.model.types import Datasheet, Design
from hwsim.sourced import Sourced, chosen
from tests.unit.model.sheets import compute, hertz, rate, sheet, transfer, unit, watts


class Knobs(Design):
    lanes: int = 4
    clock_hz: float = 1.0
    mode: str = "fast"
    wide: bool = False


def chip(make: Any) -> Any:
    return SimpleNamespace(name="mine", datasheet=make)


def plain(design: Knobs) -> Datasheet:
    """Arithmetic only: works on a column as on a number."""
    return sheet(compute(lanes=design.lanes * 2), units=(unit("alu"),), clock=design.clock_hz)


def test_knobs_that_differ_become_columns_that_nobody_may_write_into() -> None:
    found = knob_columns(
        [Knobs(lanes=1, clock_hz=2.0), Knobs(lanes=3, clock_hz=2.0), Knobs(lanes=2, clock_hz=2.0)]
    )
    assert isinstance(found, Knobs)
    lanes: Any = found.lanes
    assert lanes.tolist() == [1, 3, 2]
    assert not lanes.flags.writeable
    assert (found.clock_hz, found.mode, found.wide) == (2.0, "fast", False)
    assert knob_columns([Knobs(), Knobs()]) == Knobs()
    assert knob_columns([Knobs(lanes=7)]) == Knobs(lanes=7)


@pytest.mark.parametrize(("knob", "value"), [("mode", "slow"), ("wide", True)])
def test_a_column_holds_numbers_only(knob: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^designs differ in {knob}, which is no number$"):
        knob_columns([Knobs(), Knobs(**{knob: value})])  # type: ignore[arg-type]


def test_arithmetic_is_asked_once_for_all_designs() -> None:
    asked: list[Knobs] = []

    def make(design: Knobs) -> Datasheet:
        asked.append(design)
        return plain(design)

    sheets = sheets_of(chip(make), [Knobs(lanes=1), Knobs(lanes=3)])
    assert (len(asked), len(sheets.members), sheets.designs) == (1, 1, 2)
    assert sheets.first is sheets.members[0]
    assert sheets.column(lambda member: member.actions[0].lanes, np.int64).tolist() == [2, 6]
    assert sheets.column(lambda member: member.clock_hz.value).tolist() == [1.0, 1.0]
    assert sheets.column(lambda member: member.clock_hz.value).dtype == np.float64


def refusing(error: Exception) -> Any:
    """A chip whose formulas do not take a column."""

    def make(design: Knobs) -> Datasheet:
        if isinstance(design.lanes, np.ndarray):
            raise error
        return plain(design)

    return make


def choosing(design: Knobs) -> Datasheet:
    return plain(design) if design.lanes > 1 else sheet(compute(lanes=2), units=(unit("alu"),))


@pytest.mark.parametrize(
    "make", [choosing, refusing(TypeError("int() of a column")), refusing(DesignError("out of range"))]
)
def test_what_a_column_cannot_answer_is_asked_one_by_one(make: Any) -> None:
    sheets = sheets_of(chip(make), [Knobs(lanes=1), Knobs(lanes=3)])
    assert (len(sheets.members), sheets.designs) == (2, 2)
    assert sheets.column(lambda member: member.actions[0].lanes, np.int64).tolist() == [2, 6]
    assert sheets.column(lambda member: member.actions[0].lanes, np.int64).dtype == np.int64


def test_other_mistakes_of_a_chip_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        sheets_of(chip(refusing(ZeroDivisionError())), [Knobs(lanes=1), Knobs(lanes=3)])


def hz(value: float) -> dict[str, Sourced]:
    return {"bus": hertz(value)}


@pytest.mark.parametrize(
    "other",
    [
        sheet(compute(), transfer()),
        sheet(compute(), transfer("write")),
        sheet(compute(bits_per_s=rate(1.0))),
        sheet(compute(), units=(unit("alu", role="memory"), unit("dram", role="memory"))),
        sheet(compute(), units=(unit("alu", clock="bus"), unit("dram", role="memory"))),
        sheet(compute(), units=(unit("alu", area=chosen(1.0, "_m2", "a")), unit("dram", role="memory"))),
        sheet(compute(), units=(unit("alu", leakage=watts(1.0)), unit("dram", role="memory"))),
        sheet(compute(), clocks=hz(2.0)),
    ],
)
def test_designs_of_other_rows_are_no_family(other: Datasheet) -> None:
    def make(design: Knobs) -> Datasheet:
        if isinstance(design.lanes, np.ndarray):
            raise TypeError
        return sheet(compute()) if design.lanes == 1 else other

    with pytest.raises(DesignError) as caught:
        sheets_of(chip(make), [Knobs(lanes=1), Knobs(lanes=2)])
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("mine", "designs have datasheets of different rows")


def test_values_are_spread_over_the_designs() -> None:
    one = Sheets((sheet(),), 3)
    assert one.spread([2.0]).tolist() == [2.0, 2.0, 2.0]
    assert one.spread([2]).dtype == one.column(lambda member: 2).dtype == np.float64
    assert one.spread([np.array([1, 2, 3])], np.int64).tolist() == [1, 2, 3]
    assert Sheets((sheet(), sheet()), 2).spread([1, 2]).dtype == np.float64
