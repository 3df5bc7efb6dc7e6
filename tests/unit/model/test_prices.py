"""Prices as columns: cycles worked out by hand, clock domains, bandwidths, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hwsim.errors import MissingDatasheetRow, TooLong
from hwsim.model.prices import _exact, family_of, price, row_cycles, transfer_columns, verify_datasheet
from hwsim.model.sheets import Sheets
from hwsim.model.types import ActionRow, Datasheet
from hwsim.trace import Trace, TraceBuilder
from tests.unit.model.sheets import compute, hertz, joules, rate, sheet, transfer, two_layers, unit, watts


def one_row(unit_name: str, action: str, count: int, bits: int = 0) -> Trace:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        build.event(unit_name, action, count, bits=bits)
    return build.build()


def cycles_of(trace: Trace, datasheet: Datasheet) -> list[int]:
    found: list[int] = row_cycles(trace, price(trace, datasheet)).tolist()
    return found


@pytest.mark.parametrize(("count", "cycles"), [(0, 0), (1, 2), (4, 2), (5, 4), (8, 4), (9, 6)])
def test_events_take_groups_of_lanes_times_interval(count: int, cycles: int) -> None:
    assert cycles_of(one_row("alu", "add", count), sheet()) == [cycles]


@pytest.mark.parametrize(("bits", "cycles"), [(0, 0), (1, 1), (3, 1), (4, 2), (3000000, 1000000)])
def test_bits_take_their_bandwidth_rounded_up(bits: int, cycles: int) -> None:
    assert cycles_of(one_row("dram", "read", 1, bits), sheet()) == [cycles]


def test_bits_of_all_events_of_a_row_are_rounded_once() -> None:
    assert cycles_of(one_row("dram", "read", 5, 2), sheet()) == [4]


def test_the_longer_of_events_and_bits_counts() -> None:
    both = sheet(compute(), transfer(interval_cycles=4))
    assert cycles_of(one_row("dram", "read", 3, 3), both) == [12]
    assert cycles_of(one_row("dram", "read", 1, 99), both) == [33]


def test_without_a_bandwidth_bits_take_no_time() -> None:
    endless = sheet(transfer(bits_per_s=None, zero_time="always in time"))
    assert cycles_of(one_row("dram", "read", 1, 10**15), endless) == [0]


def test_a_decimal_bandwidth_means_what_it_says() -> None:
    """0.1 bit a second is one bit in ten cycles, not in eleven."""
    slow = sheet(transfer(bits_per_s=rate(0.1)))
    assert cycles_of(one_row("dram", "read", 1, 3), slow) == [30]
    assert price(one_row("dram", "read", 1, 3), slow).cycles_per_bit == ((Fraction(10),),)
    assert [_exact(value) for value in (0.1, 3, 2.5e-7)] == [Fraction(1, 10), 3, Fraction(1, 4_000_000)]


@pytest.mark.parametrize(
    ("reference", "own", "cycles"),
    [(1.0, 1.0, 3), (2.0, 1.0, 6), (1.0, 2.0, 2), (3.0, 2.0, 5), (1.0, 1000.0, 1)],
)
def test_another_clock_domain_becomes_reference_cycles_rounded_up(
    reference: float, own: float, cycles: int
) -> None:
    """An interval of three cycles of its own clock."""
    row = compute(lanes=1, interval_cycles=3)
    units = (unit("alu", clock="slow"),)
    other = sheet(row, clock=reference, units=units, clocks={"slow": hertz(own)})
    assert cycles_of(one_row("alu", "add", 1), other) == [cycles]


def test_bandwidth_follows_the_reference_clock_only() -> None:
    units = (unit("dram", clock="bus", role="memory"),)
    other = sheet(transfer(), clock=6.0, units=units, clocks={"bus": hertz(2.0)})
    assert cycles_of(one_row("dram", "read", 1, 3), other) == [6]


def columns(bits: list[list[int]], *rates: Fraction) -> list[list[int]]:
    found: list[list[int]] = transfer_columns(np.array(bits), np.array(rates, dtype=object)).tolist()
    return found


def test_transfers_are_exact_beyond_what_a_float_holds() -> None:
    bits = [2**61, 2**61 + 1, 1, 0]
    assert columns([bits], Fraction(1, 3)) == [[-(-b // 3) for b in bits]]
    assert columns([[10**17]], Fraction(10**18 + 9, 10**18 + 7)) == [[10**17 + 1]]
    assert columns([bits], Fraction(0)) == [[0, 0, 0, 0]]
    assert columns([[2**61 + 1]], Fraction(2)) == [[2**62 + 2]]
    assert columns([[2**54 + 1]], Fraction(1)) == [[2**54 + 1]]
    assert 27 * float(Fraction(7, 3)) > 63  # the float is above the whole number that the product is
    assert columns([[27]], Fraction(7, 3)) == [[63]]
    # A denominator that 64 bits do not hold beside the bits.
    assert columns([[3, 6]], Fraction(2**70 + 1, 3 * 2**70)) == [[2, 3]]


def test_no_transfers_take_no_time() -> None:
    nothing = transfer_columns(np.zeros((2, 0), np.int64), np.array([Fraction(1, 3)] * 2, dtype=object))
    assert nothing.shape == (2, 0)


def test_transfers_of_designs_with_bits_or_rates_of_their_own() -> None:
    assert columns([[6, 7]], Fraction(1, 2), Fraction(1, 3)) == [[3, 4], [2, 3]]
    assert columns([[6, 7], [9, 10]], Fraction(1, 3)) == [[2, 3], [3, 4]]
    assert columns([[6, 7], [9, 10]], Fraction(1, 3), Fraction(1)) == [[2, 3], [9, 10]]
    odd = Fraction(10**18 + 9, 10**18 + 7)
    assert columns([[10**17], [3 * 10**17]], odd, Fraction(1, 3)) == [[10**17 + 1], [10**17]]
    assert columns([[10**17], [3 * 10**17]], Fraction(1, 3), odd) == [[10**17 // 3 + 1], [3 * 10**17 + 1]]


def test_bits_that_64_bits_do_not_hold_are_counted_all_the_same() -> None:
    wide = np.array([[2**70, 3]], dtype=object)
    rates = np.array([Fraction(1, 2**10), Fraction(1, 3)], dtype=object)
    with pytest.raises(TooLong) as caught:
        transfer_columns(wide, rates)
    (problem,) = caught.value.problems
    assert problem.where == "model.prices"
    assert problem.reason == "a transfer of 3.935e+20 cycles does not fit into 64 bits"
    assert transfer_columns(wide, rates[:1]).tolist() == [[2**60, 1]]
    assert columns([[2**62]], Fraction(1)) == [[2**62]]  # the longest there is
    with pytest.raises(TooLong):
        columns([[2**62]], Fraction(3, 2))


def test_a_clock_of_each_design_is_its_own() -> None:
    """Two designs at 1 and 6 Hz whose adder runs at 2 Hz and whose memory moves 3 bits a second."""
    units = (unit("alu", clock="own"), unit("dram", role="memory"))
    members = [sheet(units=units, clock=clock, clocks={"own": hertz(2.0)}) for clock in (1.0, 6.0)]
    trace = two_layers()
    prices = price(trace, members)
    names = [(trace.units[u], trace.actions[a]) for u, a in zip(prices.unit, prices.action, strict=True)]
    adder, reads = names.index(("alu", "add")), names.index(("dram", "read"))
    assert prices.interval[:, adder].tolist() == [1, 6]
    assert [rates[reads] for rates in prices.cycles_per_bit] == [Fraction(1, 3), Fraction(2)]
    assert [rates[adder] for rates in prices.cycles_per_bit] == [0, 0]
    assert prices.clock_hz.tolist() == [1.0, 6.0]
    assert prices.lanes.dtype == prices.interval.dtype == np.int64
    assert prices.energy.shape == prices.energy_per_bit.shape == (2, 3)
    alone = price(trace, members[1])
    assert alone.energy.shape == (3,)
    assert float(alone.clock_hz) == 6.0
    assert row_cycles(trace, prices)[1].tolist() == row_cycles(trace, alone).tolist()


def test_a_clock_domain_that_only_some_designs_have() -> None:
    trace = one_row("alu", "add", 1)
    row = compute(lanes=1, interval_cycles=3)
    with_own = sheet(row, units=(unit("alu", clock="own"),), clock=4.0, clocks={"own": hertz(2.0)})
    without = sheet(row, units=(unit("alu"),), clock=4.0)
    for members, expected in (([with_own, without], [6, 3]), ([without, with_own], [3, 6])):
        assert price(trace, members).interval[:, 0].tolist() == expected


def test_a_bandwidth_that_only_some_designs_have() -> None:
    trace = one_row("dram", "read", 1, 3)
    endless = sheet(transfer(bits_per_s=None, zero_time="always in time"))
    for members, expected in (([sheet(), endless], [1, 0]), ([endless, sheet()], [0, 1])):
        prices = price(trace, members)
        assert [rates[0] for rates in prices.cycles_per_bit] == [Fraction(one, 3) for one in expected]
        assert row_cycles(trace, prices)[:, 0].tolist() == expected


def test_lanes_and_intervals_are_whole_numbers_beyond_what_a_float_holds() -> None:
    prices = price(one_row("alu", "add", 1), sheet(compute(lanes=2**53 + 1, interval_cycles=2**53 + 1)))
    assert (prices.lanes.tolist(), prices.interval.tolist()) == ([2**53 + 1], [2**53 + 1])


def test_sheets_are_a_family_already() -> None:
    one, several = sheet(), [sheet(), sheet(clock=2.0)]
    family = Sheets(tuple(several), 2)
    assert family_of(family) is family
    assert family_of(several) == family
    assert family_of(one) == Sheets((one,), 1)


def test_a_transfer_too_long_for_64_bits_is_not_free() -> None:
    """2^70 bits at three a cycle: an error or the exact figure, but never nothing."""
    assert cycles_of(one_row("dram", "read", 2**40, 2**30), sheet(transfer(bits_per_s=rate(2.0**20)))) == [
        2**50
    ]


def test_pairs_are_priced_once() -> None:
    trace = two_layers()
    prices = price(trace, sheet())
    names = [(trace.units[u], trace.actions[a]) for u, a in zip(prices.unit, prices.action, strict=True)]
    assert sorted(names) == [("alu", "add"), ("dram", "read"), ("dram", "write")]
    energy = dict(zip(names, prices.energy.tolist(), strict=True))
    bit_energy = dict(zip(names, prices.energy_per_bit.tolist(), strict=True))
    assert energy == {("alu", "add"): 3.0, ("dram", "read"): 0.0, ("dram", "write"): 0.0}
    assert bit_energy == {("alu", "add"): 0.0, ("dram", "read"): 0.5, ("dram", "write"): 0.5}
    assert [names[pair] for pair in prices.pair] == [
        (trace.units[u], trace.actions[a]) for u, a in zip(trace.rows.unit, trace.rows.action, strict=True)
    ]


def test_units_are_told_apart_where_there_is_a_single_action() -> None:
    build = TraceBuilder()
    names = ("alu", "dram", "link")
    with build.loop(1, node="n"):
        for name in names:
            build.event(name, "add", 1)
    rows = [ActionRow(name, "add", energy=joules(place)) for place, name in enumerate(names)]
    prices = price(build.build(), sheet(*rows, units=(unit("alu"), unit("dram"), unit("link"))))
    assert (prices.unit.tolist(), prices.action.tolist()) == ([0, 1, 2], [0, 0, 0])
    assert prices.energy.tolist() == [0.0, 1.0, 2.0]


def test_every_missing_row_is_named_with_the_nearest() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        for name, action in (("alu", "adds"), ("drum", "read"), ("alu", "add")):
            build.event(name, action, 1)
    with pytest.raises(MissingDatasheetRow) as caught:
        price(build.build(), sheet())
    problems = {problem.where: problem for problem in caught.value.problems}
    assert set(problems) == {"datasheet.alu.adds", "datasheet.drum.read"}
    assert problems["datasheet.alu.adds"].hint == "did you mean 'alu.add'?"
    assert problems["datasheet.drum.read"].hint == "did you mean 'dram.read'?"
    assert {problem.reason for problem in problems.values()} == {
        "the trace uses it, the datasheet does not price it"
    }


def test_a_trace_of_nothing_has_no_prices() -> None:
    trace = TraceBuilder().build()
    prices = price(trace, sheet())
    assert prices.pair.size == prices.lanes.size == 0
    assert row_cycles(trace, prices).tolist() == []


COMPLETE = sheet()


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        (compute(energy=None), "alu.add", "no energy and no reason why it is zero"),
        (compute(interval_cycles=0), "alu.add", "no time and no reason why it is zero"),
        (compute(interval_cycles=np.array([1, 0])), "alu.add", "no time and no reason why it is zero"),
        (compute(lanes=0), "alu.add", "lanes 0 or interval 2 out of range"),
        (compute(lanes=np.array([4, 0])), "alu.add", "lanes [4 0] or interval 2 out of range"),
        (compute(interval_cycles=-1), "alu.add", "lanes 4 or interval -1 out of range"),
        (transfer(bits_per_s=rate(0.0)), "dram.read", "bandwidth 0.0 is not positive"),
        (transfer(bits_per_s=rate(-1.0)), "dram.read", "bandwidth -1.0 is not positive"),
    ],
)
def test_incomplete_actions_are_refused(row: ActionRow, place: str, reason: str) -> None:
    with pytest.raises(MissingDatasheetRow) as caught:
        verify_datasheet(sheet(row))
    assert [(p.where, p.reason) for p in caught.value.problems] == [(f"datasheet.{place}", reason)]


def test_everything_that_is_missing_is_said_at_once() -> None:
    rows = (ActionRow("aul", "add", energy=joules(1.0)), compute(energy=None, lanes=0))
    with pytest.raises(MissingDatasheetRow) as caught:
        verify_datasheet(sheet(*rows, units=(unit("alu"), unit("dram", clock="slow"))))
    assert [(p.where, p.reason, p.hint) for p in caught.value.problems] == [
        ("datasheet.aul.add", "unit 'aul' has no row of its own", "did you mean 'alu'?"),
        ("datasheet.alu.add", "no energy and no reason why it is zero", ""),
        ("datasheet.alu.add", "lanes 0 or interval 2 out of range", ""),
        ("datasheet.dram", "unknown clock 'slow'", ""),
    ]


@pytest.mark.parametrize(
    "row",
    [
        compute(energy=None, zero_energy="charged elsewhere"),
        compute(interval_cycles=0, zero_time="hidden"),
        transfer(energy_per_bit=None, zero_energy="free"),
        compute(energy=joules(0.0)),
        transfer(bits_per_s=rate(0.1)),
    ],
)
def test_an_explicit_zero_with_a_reason_is_complete(row: ActionRow) -> None:
    verify_datasheet(sheet(row))
    verify_datasheet(COMPLETE)


def test_incomplete_units_are_refused_all_at_once() -> None:
    bad = sheet(
        compute(),
        units=(unit("alu", zero_area="", zero_leakage="", clock="fats"),),
        clocks={"fast": hertz(2.0)},
    )
    with pytest.raises(MissingDatasheetRow) as caught:
        verify_datasheet(bad)
    assert {p.where for p in caught.value.problems} == {"datasheet.alu"}
    assert [(p.reason, p.hint) for p in caught.value.problems] == [
        ("no area and no reason why it is zero", ""),
        ("no leakage and no reason why it is zero", ""),
        ("unknown clock 'fats'", "did you mean 'fast'?"),
    ]


def test_a_sheet_names_its_units() -> None:
    assert sheet(units=(unit("alu", leakage=watts(2.0)), unit("dram"))).unit("alu").leakage == watts(2.0)
    with pytest.raises(MissingDatasheetRow) as caught:
        sheet().unit("gpu")
    assert [(p.where, p.reason) for p in caught.value.problems] == [("datasheet", "no unit 'gpu'")]
