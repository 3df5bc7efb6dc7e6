"""Laws of loop programs: the closed forms equal a literal expansion, and time behaves like time."""

from __future__ import annotations

import copy
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.trace import LoopKind, busy_cycles, fold, reduce, verify_trace, walk
from hwsim.trace.fold import fold_regular
from hwsim.trace.fold_series import fold_series
from tests.laws.programs import (
    Expansion,
    Loop,
    Row,
    durations,
    loops,
    programs,
    programs_with_series,
    write,
)

anything = st.one_of(programs(), programs_with_series())


def latency(program: list[Loop]) -> int:
    trace = write(program)
    return int(fold(trace, durations(trace)).cycles)


@given(anything)
def test_fold_equals_expansion(program: list[Loop]) -> None:
    trace = write(program)
    verify_trace(trace)
    folded, expanded = fold(trace, durations(trace)), Expansion(program)
    assert int(folded.cycles) == expanded.latency
    assert folded.loop_cycles.tolist() == [expanded.latency, *expanded.loop_latency.values()]
    for unit, cycles in expanded.busy.items():
        assert int(busy_cycles(trace, durations(trace))[:, trace.units.index(unit)].sum()) == cycles


@given(anything)
def test_reduce_equals_expansion(program: list[Loop]) -> None:
    expanded, events, bits = Expansion(program), Counter(), Counter()
    for (node, unit, _), count, size in reduce(write(program)).items():
        events[node, unit] += count
        bits[node, unit] += size
    assert events == expanded.events
    assert bits == expanded.bits


@given(programs())
def test_series_fold_equals_regular_fold(program: list[Loop]) -> None:
    trace = write(program)
    regular = fold(trace, durations(trace)).loop_cycles
    assert np.array_equal(fold_series(trace, durations(trace)), regular)


@given(programs(with_access=True), st.integers(1, 7))
def test_walk_equals_expansion(program: list[Loop], chunk: int) -> None:
    found = [int(a) for part in walk(write(program), chunk) for a in part.address]
    assert found == Expansion(program).addresses


@given(anything)
def test_latency_is_at_least_the_busiest_unit(program: list[Loop]) -> None:
    trace = write(program)
    folded = fold(trace, durations(trace))
    assert int(folded.cycles) >= int(busy_cycles(trace, durations(trace)).sum(axis=0).max(initial=0))


def every_kind(part: Loop | Row, kind: LoopKind) -> None:
    if isinstance(part, Loop):
        part.kind = kind
        for inner in part.body:
            every_kind(inner, kind)


@given(anything)
def test_overlap_never_slows(program: list[Loop]) -> None:
    sequential = copy.deepcopy(program)
    for loop in sequential:
        every_kind(loop, LoopKind.SEQ)
    assert latency(program) <= latency(sequential)


@given(loops())
def test_one_trip_pipe_is_sequential(loop: Loop) -> None:
    pipe, sequential = copy.deepcopy(loop), copy.deepcopy(loop)
    pipe.trip = sequential.trip = 1
    pipe.kind, sequential.kind = LoopKind.PIPE, LoopKind.SEQ
    assert latency([pipe]) == latency([sequential])


@given(loops(), st.integers(0, 4), st.integers(0, 4))
def test_a_loop_of_a_times_b_is_two_loops(loop: Loop, outer: int, inner: int) -> None:
    whole, nested = copy.deepcopy(loop), copy.deepcopy(loop)
    whole.trip, nested.trip = outer * inner, inner
    assert latency([whole]) == latency([Loop(outer, loop.kind, [nested])])


@given(loops())
def test_zero_trips_cost_nothing(loop: Loop) -> None:
    loop.trip = 0
    trace = write([loop])
    assert latency([loop]) == 0
    assert sum(events for _, events, _ in reduce(trace).items()) == 0


def halve(part: Loop | Row) -> None:
    if isinstance(part, Row):
        part.count //= 2
        return
    for inner in part.body:
        halve(inner)


@given(programs())
def test_half_the_work_takes_no_longer(program: list[Loop]) -> None:
    half = copy.deepcopy(program)
    for loop in half:
        halve(loop)
    assert latency(half) <= latency(program)


@given(programs(), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_a_family_equals_its_members(program: list[Loop], factors: list[int]) -> None:
    family = write(program, len(factors), lambda value: [value * factor for factor in factors])
    together = fold(family, np.broadcast_to(family.rows.count, (len(factors), family.rows.loop.size)))
    activity = reduce(family)
    for design, factor in enumerate(factors):
        alone = write(program, None, lambda value, factor=factor: value * factor)
        single = fold(alone, durations(alone))
        cycles = np.broadcast_to(together.cycles, (len(factors),))
        assert int(cycles[design]) == int(single.cycles)
        events = np.broadcast_to(activity.events, (len(factors), activity.node.size))
        assert events[design].tolist() == reduce(alone).events.tolist()


@given(programs(), st.lists(st.integers(1, 4), min_size=2, max_size=3))
def test_a_family_with_series_equals_its_members(program: list[Loop], speeds: list[int]) -> None:
    trace = write(program)
    stacked = np.stack([trace.rows.count * speed for speed in speeds])
    together = fold_series(trace, stacked)
    for design, speed in enumerate(speeds):
        assert np.array_equal(together[design], fold(trace, trace.rows.count * speed).loop_cycles)


@given(loops())
def test_latency_of_a_single_execution(loop: Loop) -> None:
    trace = write([loop])
    assert int(fold_regular(trace, durations(trace))[1]) == Expansion([loop]).latency
