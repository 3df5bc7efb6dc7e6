"""Cycles, stalls and joules of a small program worked out by hand, for single designs and families."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.model.prices import price
from hwsim.model.pricing import price_trace
from hwsim.model.sheets import Sheets
from hwsim.model.timing import time_trace
from hwsim.model.types import Datasheet
from hwsim.trace import LoopKind, TraceBuilder, reduce
from tests.unit.model.sheets import (
    compute,
    hertz,
    joules,
    per_bit,
    rate,
    sheet,
    transfer,
    two_layers,
    unit,
    watts,
)


def test_cycles_and_stalls_by_hand() -> None:
    """Layer a: max(6 adding, 3 reading) twice; layer b: 3 reading, 4 adding, 2 writing."""
    timing = time_trace(two_layers(), price(two_layers(), sheet()), sheet())
    assert timing.causes == ("dram.read", "dram.write")
    assert timing.node_cycles.tolist() == [12, 9]
    assert timing.node_stalls.tolist() == [[0, 0], [3, 2]]
    assert (int(timing.cycles), int(timing.compute_cycles)) == (21, 16)
    assert timing.busy_cycles.tolist() == [[12, 6], [4, 5]]


def test_a_slow_memory_stalls_what_it_cannot_hide() -> None:
    """At one bit a second layer a waits 7 - 6 cycles a pass."""
    slow = sheet(compute(), transfer(bits_per_s=rate(1.0)), transfer("write", bits_per_s=rate(1.0)))
    timing = time_trace(two_layers(), price(two_layers(), slow), slow)
    assert timing.node_cycles.tolist() == [14, 17]
    assert timing.node_stalls.tolist() == [[2, 0], [9, 4]]


def test_the_order_of_the_sheet_decides_who_is_blamed_first() -> None:
    """Reads and writes of 6 cycles each beside 8 of adding: 4 too many, blamed on what is removed first."""
    build = TraceBuilder()
    with build.loop(1, node="n"), build.loop(1, LoopKind.PAR):
        build.event("alu", "add", 16)
        build.event("dram", "read", 1, bits=18)
        build.event("dram", "write", 1, bits=18)
    trace = build.build()
    for first, second in (("read", "write"), ("write", "read")):
        rows = sheet(compute(), transfer(first), transfer(second))
        timing = time_trace(trace, price(trace, rows), rows)
        assert timing.causes == (f"dram.{first}", f"dram.{second}")
        assert timing.node_stalls.tolist() == [[4, 0]]
        assert (int(timing.cycles), int(timing.compute_cycles)) == (12, 8)


def test_a_unit_that_computes_is_never_a_cause() -> None:
    rows = sheet(units=(unit("alu"), unit("dram")))
    timing = time_trace(two_layers(), price(two_layers(), rows), rows)
    assert timing.causes == ()
    assert int(timing.cycles) == int(timing.compute_cycles) == 21


def test_energy_by_hand() -> None:
    """25 adds of 3 J, 23 bits read and 4 written at half a joule, 21 cycles of leakage at 2 Hz."""
    trace = two_layers()
    rows = sheet(clock=2.0, units=(unit("alu", leakage=watts(10.0)), unit("dram", role="memory")))
    rows = Datasheet(
        hertz(2.0),
        sheet(compute(), transfer(bits_per_s=rate(6.0)), transfer("write", bits_per_s=rate(6.0))).actions,
        rows.units,
    )
    priced = price_trace(trace, reduce(trace), rows)
    assert int(priced.timing.cycles) == 21
    assert priced.energy.leaking == ("alu",)
    assert priced.energy.node_s.tolist() == [6.0, 4.5]
    assert priced.energy.leakage_j.tolist() == [[60.0], [45.0]]
    by_name = {
        key: joule
        for (key, _, _), joule in zip(reduce(trace).items(), priced.energy.entry_j.tolist(), strict=True)
    }
    assert by_name == {
        ("a", "alu", "add"): 60.0,
        ("a", "dram", "read"): 7.0,
        ("b", "alu", "add"): 15.0,
        ("b", "dram", "read"): 4.5,
        ("b", "dram", "write"): 2.0,
    }
    assert float(priced.energy.total_j) == 88.5 + 105.0


def test_energy_of_events_and_of_bits_add_up() -> None:
    rows = sheet(compute(), transfer(energy=joules(1.0)), transfer("write"))
    trace = two_layers()
    priced = price_trace(trace, reduce(trace), rows)
    assert float(priced.energy.total_j) == 75.0 + 23 * 0.5 + 5 * 1.0 + 2.0


def test_counts_beyond_64_bits_are_charged() -> None:
    build = TraceBuilder()
    with build.loop(2**40, node="n"):
        build.event("dram", "read", 1, bits=2**30)
    trace = build.build()
    rows = sheet(transfer(bits_per_s=rate(1e30)))
    priced = price_trace(trace, reduce(trace), rows)
    assert float(priced.energy.total_j) == pytest.approx(2.0**69)


MEMBERS = (
    sheet(),
    sheet(compute(lanes=1, interval_cycles=1, energy=joules(0.25)), transfer(), transfer("write"), clock=7.0),
    sheet(
        compute(lanes=100),
        transfer(bits_per_s=rate(0.3)),
        transfer("write", energy_per_bit=per_bit(9.0), bits_per_s=rate(1e12)),
        units=(unit("alu", leakage=watts(1.5)), unit("dram", role="memory", leakage=watts(0.5))),
        clock=0.7,
    ),
)


def leaking(members: tuple[Datasheet, ...]) -> list[Datasheet]:
    """Give every member the same leaking units, as the sheets of one chip have."""
    result = []
    for place, member in enumerate(members):
        units = tuple(
            unit(row.unit, role=row.role, leakage=watts(place + 0.5), zero_leakage="") for row in member.units
        )
        result.append(Datasheet(member.clock_hz, member.actions, units))
    return result


def fields_of(priced: Any) -> dict[str, Any]:
    timing, energy = priced.timing, priced.energy
    return {
        "cycles": timing.cycles,
        "compute": timing.compute_cycles,
        "node": timing.node_cycles,
        "stalls": timing.node_stalls,
        "busy": timing.busy_cycles,
        "entry": energy.entry_j,
        "leakage": energy.leakage_j,
        "total": energy.total_j,
        "seconds": energy.node_s,
    }


def test_a_family_of_sheets_equals_its_members() -> None:
    """One pass prices all designs; every figure equals that of the design alone."""
    trace, sheets = two_layers(), leaking(MEMBERS)
    activity = reduce(trace)
    together = fields_of(price_trace(trace, activity, sheets))
    for place, member in enumerate(sheets):
        alone = fields_of(price_trace(trace, activity, member))
        for name, value in alone.items():
            assert np.array_equal(together[name][place], value), name


def family_trace(designs: int | None, counts: list[int] | int, trips: list[int] | int) -> Any:
    build = TraceBuilder(designs)
    with build.loop(trips, node="n"):
        build.event("alu", "add", counts)
        build.event("dram", "read", 1, bits=counts)
    return build.build()


def test_a_family_of_traces_and_sheets_equals_its_members() -> None:
    """Trips, counts and prices differ at once."""
    counts, trips, sheets = [5, 9, 13], [2, 3, 1], leaking(MEMBERS)
    trace = family_trace(3, counts, trips)
    together = fields_of(price_trace(trace, reduce(trace), sheets))
    for place, member in enumerate(sheets):
        single = family_trace(None, counts[place], trips[place])
        alone = fields_of(price_trace(single, reduce(single), member))
        for name, value in alone.items():
            assert np.array_equal(together[name][place], value), name


def test_a_family_of_traces_on_one_sheet_equals_its_members() -> None:
    counts, trips = [5, 9, 13], [2, 3, 1]
    trace = family_trace(3, counts, trips)
    together = fields_of(price_trace(trace, reduce(trace), sheet()))
    for place in range(3):
        single = family_trace(None, counts[place], trips[place])
        alone = fields_of(price_trace(single, reduce(single), sheet()))
        for name in ("cycles", "compute", "node", "stalls", "busy", "entry", "total"):
            assert np.array_equal(together[name][place], alone[name]), name


def test_a_trace_of_nothing_costs_nothing() -> None:
    build = TraceBuilder()
    build.node("alias")
    trace = build.build()
    priced = price_trace(trace, reduce(trace), sheet())
    assert int(priced.timing.cycles) == 0
    assert float(priced.energy.total_j) == 0.0
    assert priced.timing.node_cycles.tolist() == [0]


def interleaved() -> Any:
    """Node b, then a, then b again, beside a node that owns no loop and one that comes last."""
    build = TraceBuilder()
    build.node("alias")
    for node, adds in (("b", 4), ("a", 12), ("b", 8), ("last", 4)):
        with build.loop(1, node=node):
            build.event("alu", "add", adds)
    return build.build()


def test_loops_of_one_node_are_added_up_wherever_they_stand() -> None:
    trace = interleaved()
    timing = time_trace(trace, price(trace, sheet()), sheet())
    assert dict(zip(trace.nodes, timing.node_cycles.tolist(), strict=True)) == {
        "alias": 0,
        "b": 2 + 4,
        "a": 6,
        "last": 2,
    }
    assert int(timing.cycles) == 14
    assert timing.causes == ()
    assert timing.node_stalls.shape == (4, 0)


def test_nobody_asks_how_long_units_work() -> None:
    timing = time_trace(two_layers(), price(two_layers(), sheet()), sheet(), busy=False)
    assert timing.busy_cycles.shape == (2, 0)
    assert timing.busy_cycles.dtype == np.int64
    asked = time_trace(two_layers(), price(two_layers(), sheet()), sheet(), busy=True)
    assert asked.busy_cycles.shape == (2, 2)
    assert asked.node_stalls.tolist() == timing.node_stalls.tolist()


def test_links_stall_like_memories_and_idle_rows_never() -> None:
    rows = sheet(
        compute(),
        transfer(),
        transfer("write"),
        transfer("refresh"),
        units=(unit("alu"), unit("dram", role="link")),
    )
    timing = time_trace(two_layers(), price(two_layers(), rows), rows)
    assert timing.causes == ("dram.read", "dram.write")
    assert timing.node_stalls.tolist() == [[0, 0], [3, 2]]


def test_sheets_are_priced_without_asking_for_busy_units() -> None:
    """A family from one datasheet of columns: each member as the datasheet of its own numbers."""
    units = (unit("alu", leakage=watts(1.0)), unit("dram", role="memory"))
    members = [sheet(compute(lanes=lanes), transfer(), transfer("write"), units=units) for lanes in (1, 4)]
    both = sheet(compute(lanes=np.array([1, 4])), transfer(), transfer("write"), units=units)
    trace = two_layers()
    together = price_trace(trace, reduce(trace), Sheets((both,), 2))
    assert together.timing.busy_cycles.shape == (2, 2, 0)
    assert together.energy.leakage_w.tolist() == [[1.0], [1.0]]
    assert together.prices.energy.shape == (2, 3)
    for place, member in enumerate(members):
        alone = price_trace(trace, reduce(trace), member)
        assert alone.timing.busy_cycles.shape == (2, 2)
        assert alone.energy.leakage_w.tolist() == [1.0]
        assert int(together.timing.cycles[place]) == int(alone.timing.cycles)
        assert together.energy.node_s[place].tolist() == alone.energy.node_s.tolist()
        assert float(together.energy.total_j[place]) == float(alone.energy.total_j)


def test_the_unit_that_leaks_is_the_one_the_sheet_says() -> None:
    units = (unit("alu"), unit("dram", role="memory", leakage=watts(2.0)), unit("clock", leakage=watts(0.5)))
    trace = two_layers()
    energy = price_trace(trace, reduce(trace), sheet(units=units)).energy
    assert energy.leaking == ("dram", "clock")
    assert energy.leakage_w.tolist() == [2.0, 0.5]
    assert energy.leakage_j.tolist() == [[24.0, 6.0], [18.0, 4.5]]
    assert float(energy.total_j) == 75.0 + 13.5 + 52.5


def test_leakage_that_only_some_designs_have() -> None:
    trace = two_layers()
    leaks = sheet(units=(unit("alu", leakage=watts(2.0)), unit("dram", role="memory")))
    for members, expected in (([leaks, sheet()], [[2.0], [0.0]]), ([sheet(), leaks], [[0.0], [2.0]])):
        energy = price_trace(trace, reduce(trace), members).energy
        assert (energy.leaking, energy.leakage_w.tolist()) == (("alu",), expected)


def test_cycles_are_whole_numbers_beyond_what_a_float_holds() -> None:
    build = TraceBuilder()
    for _ in range(2):
        with build.loop(2**53 + 1, node="n"):
            build.event("alu", "add", 1)
    trace = build.build()
    rows = sheet(compute(interval_cycles=1))
    timing = time_trace(trace, price(trace, rows), rows)
    assert timing.node_cycles.tolist() == [2**54 + 2]
    assert timing.node_cycles.dtype == timing.node_stalls.dtype == np.int64
