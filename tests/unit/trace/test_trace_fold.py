"""Latency, busy cycles and counts of small programs, digit by digit, up to the last that fits."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from hwsim.errors import TooLong
from hwsim.kernels import fold_columns as kernels
from hwsim.trace import LoopKind, Trace, TraceBuilder, busy_cycles, fold, iterations, reduce
from hwsim.trace.fold_series import fold_series

FOLD = sys.modules["hwsim.trace.fold"]  # the package has a function of this name
TOO_LONG = (
    "trace.fold: the latency does not fit into 64 bits "
    "(take a smaller network, a faster clock or more bandwidth)"
)


def tree() -> Trace:
    """Loops of every kind inside each other; nodes a and b on units x and y."""
    build = TraceBuilder()
    with build.loop(2, node="a"):
        build.event("x", "work", 3)
        with build.loop(5, LoopKind.PIPE):
            build.event("x", "work", 4)
            build.event("y", "work", 6)
            with build.loop(3, LoopKind.PAR):
                build.event("y", "work", 1)
                build.event("x", "rest", 2)
    with build.loop(7, node="b"):
        build.event("y", "rest", 1)
    return build.build()


def test_the_latency_of_every_loop_is_added_up_over_its_executions() -> None:
    trace = tree()
    folded = fold(trace, trace.rows.count)
    parallel = max(2, 3 * 2)
    piped = 4 + 6 + parallel + (5 - 1) * (4 + 3 * 2)
    serial = 2 * (3 + piped)
    assert folded.loop_cycles.tolist() == [serial + 7, serial, 2 * piped, 2 * 5 * parallel, 7]
    assert int(folded.cycles) == serial + 7
    assert np.array_equal(fold_series(trace, trace.rows.count), folded.loop_cycles)


def test_units_are_busy_for_the_node_of_each_row() -> None:
    trace = tree()
    assert (trace.nodes, trace.units) == (("a", "b"), ("x", "y"))
    expected = [[2 * 3 + 10 * 4 + 30 * 2, 10 * 6 + 30 * 1], [0, 7]]
    assert busy_cycles(trace, trace.rows.count).tolist() == expected
    two = np.stack([trace.rows.count, 3 * trace.rows.count])
    assert busy_cycles(trace, two).tolist() == [expected, (3 * np.array(expected)).tolist()]
    assert busy_cycles(TraceBuilder().build(), np.zeros(0, np.int64)).shape == (0, 0)


def test_a_program_without_events_takes_no_time() -> None:
    build = TraceBuilder()
    with build.loop(5, LoopKind.PIPE, node="n"), build.loop(3):
        pass
    for trace in (TraceBuilder().build(), build.build()):
        assert fold(trace, np.zeros(0, np.int64)).loop_cycles.tolist() == [0] * trace.loops.parent.size
        assert fold(trace, np.zeros((2, 0), np.int64)).cycles.tolist() == [0, 0]


def rows_in_a_row(rows: int, trip: int = 1) -> Trace:
    build = TraceBuilder()
    with build.loop(trip, node="n"):
        for _ in range(rows):
            build.event("x", "work", 1)
    return build.build()


def test_the_last_latency_that_fits_is_exact_and_the_next_is_refused() -> None:
    cycles = np.array([2])
    assert int(fold(rows_in_a_row(1, 2**61), cycles).cycles) == 2**62
    assert int(fold(rows_in_a_row(1, 2**62), np.array([0])).cycles) == 0
    with pytest.raises(TooLong) as caught:
        fold(rows_in_a_row(1, 2**61 + 2**9), cycles)
    assert str(caught.value) == TOO_LONG


def test_designs_are_held_to_64_bits_one_by_one() -> None:
    trace, half = rows_in_a_row(3), 2**61
    each = np.array([[half, 1, 2], [3, half, 4], [5, 6, half]])
    assert fold(trace, each).cycles.tolist() == [half + 3, half + 7, half + 11]
    assert fold(trace, np.array([[half, half, 0], [0, 0, half]])).cycles.tolist() == [2 * half, half]
    for broken in ([[half, half, 2**11], [1, 1, 1]], [[1, 1, 1], [half, half, half]]):
        with pytest.raises(TooLong):
            fold(trace, np.array(broken))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[int, ...], list[bool]]]:
    """Write down the shapes and the shared loops that the compiled fold is given, and run its plain twin."""
    calls: list[tuple[tuple[int, ...], list[bool]]] = []
    kernel = kernels.fold_columns.plain  # type: ignore[attr-defined]

    def plain(*arguments: Any) -> Any:
        calls.append((arguments[6].shape, arguments[2].tolist()))
        return kernel(*arguments)

    monkeypatch.setattr(kernels, "fold_columns", plain)
    return calls


def test_compiled_code_folds_large_families_only(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    monkeypatch.setattr(FOLD, "MANY_ENTRIES", 12)
    monkeypatch.setattr(FOLD, "COMPILED", "a module that nobody has loaded")
    trace = tree()
    rows = trace.rows.count.size
    assert rows == 6
    fold(trace, np.broadcast_to(trace.rows.count, (2, rows)))
    assert calls == []
    fold(trace, np.broadcast_to(trace.rows.count, (3, rows)))
    assert calls == [((3, rows), [False, False, True, True, False])]
    monkeypatch.setattr(FOLD, "COMPILED", kernels.__name__)
    fold(trace, np.broadcast_to(trace.rows.count, (2, rows)))
    assert calls[1:] == [((2, rows), [False, False, True, True, False])]
    monkeypatch.setattr(FOLD, "MANY_ENTRIES", 1)
    fold(trace, trace.rows.count)
    assert len(calls) == 2


def nested(trips: int | list[int]) -> Trace:
    build = TraceBuilder(3)
    with build.loop(2, node="n"):
        build.event("x", "work", 3)
        with build.loop(trips, LoopKind.PIPE):
            build.event("y", "work", 6)
            with build.loop(3):
                build.event("x", "work", 1)
                build.event("y", "work", 2)
        with build.loop(4, LoopKind.PAR):
            build.event("x", "work", 1)
    return build.build()


@pytest.mark.parametrize(
    ("trips", "factors"),
    [(5, [[1], [10], [3]]), ([5, 0, 2], [[1], [10], [3]]), ([5, 0, 2], [[7]]), (5, [[[1], [2]], [[3], [4]]])],
)
def test_compiled_code_and_columns_agree(
    monkeypatch: pytest.MonkeyPatch, trips: int | list[int], factors: list[Any]
) -> None:
    trace = nested(trips)
    cycles = trace.rows.count * np.array(factors)
    monkeypatch.setattr(FOLD, "COMPILED", "a module that nobody has loaded")
    slow = fold(trace, cycles).loop_cycles
    calls = counted(monkeypatch)
    monkeypatch.setattr(FOLD, "MANY_ENTRIES", 0)
    assert fold(trace, cycles).loop_cycles.tolist() == slow.tolist()
    assert calls == [((slow.size // 5, 5), [False, False, True, True, True])]


def test_one_unit_and_one_action_are_counted_for_each_node() -> None:
    build = TraceBuilder()
    for node, count in (("a", 2), ("b", 3), ("c", 5)):
        with build.loop(count, node=node):
            build.event("x", "work", 10, bits=4)
    assert list(reduce(build.build()).items()) == [
        (("a", "x", "work"), 20, 80),
        (("b", "x", "work"), 30, 120),
        (("c", "x", "work"), 50, 200),
    ]


def test_counts_are_added_up_by_node_unit_and_action() -> None:
    activity = reduce(tree())
    assert list(activity.items()) == [
        (("a", "x", "work"), 2 * 3 + 10 * 4, 0),
        (("a", "x", "rest"), 60, 0),
        (("a", "y", "work"), 60 + 30, 0),
        (("b", "y", "rest"), 7, 0),
    ]
    assert activity.events_of("y", "work") == 90
    assert activity.events_of("y", "rest", node="b") == 7
    assert activity.events_of("y", "rest", node="a") == 0
    assert activity.events_of("x", "rest", node="a") == 60
    assert list(reduce(TraceBuilder().build()).items()) == []


def one_row(trip: int, count: int, bits: int = 0) -> Trace:
    build = TraceBuilder()
    with build.loop(trip, node="n"):
        build.event("x", "work", count, bits=bits)
    return build.build()


@pytest.mark.parametrize(
    ("trip", "count", "bits", "kinds"),
    [
        (2**40, 2**22, 1, "ii"),
        (2**40 + 1, 2**22 + 1, 1, "OO"),
        (2**40, 2**21, 2, "ii"),
        (2**40 + 1, 2**21 + 1, 3, "iO"),
        (1, 2**61 + 1, 3, "iO"),
        (0, 2**61 + 1, 3, "iO"),
        (2**62, 1, 1, "ii"),
        (2**62 + 2**10, 1, 1, "OO"),
    ],
)
def test_counts_are_python_numbers_only_where_64_bits_do_not_hold_them(
    trip: int, count: int, bits: int, kinds: str
) -> None:
    activity = reduce(one_row(trip, count, bits))
    assert activity.events.dtype.kind + activity.bits.dtype.kind == kinds
    assert list(activity.items()) == [(("n", "x", "work"), trip * count, trip * count * bits)]


def test_designs_are_counted_in_64_bits_if_each_of_them_fits() -> None:
    build = TraceBuilder(3)
    with build.loop([2**40, 2**40, 2**40 - 1], node="n"):
        build.event("x", "work", 2**22)
    activity = reduce(build.build())
    assert activity.events.dtype == np.int64
    assert activity.events.tolist() == [[2**62], [2**62], [2**62 - 2**22]]


def test_sums_of_rows_that_fit_alone_are_exact_together() -> None:
    build = TraceBuilder()
    with build.loop(2**40, node="n"):
        for _ in range(4):
            build.event("x", "work", 2**21)
    assert list(reduce(build.build()).items()) == [(("n", "x", "work"), 2**63, 0)]


def test_bodies_run_as_often_as_their_loops_multiply_or_their_series_add_up() -> None:
    build = TraceBuilder()
    with build.loop(3, node="n"):
        with build.loop(series=[1, 0, 4]), build.loop(2):
            build.event("x", "work", 1)
        with build.loop(series=[2, 2, 2]):
            pass
    runs = iterations(build.build())
    assert runs.tolist() == [1, 3, 5, 10, 6]
    assert (runs.dtype.kind, runs.flags.writeable) == ("i", False)
    many = iterations(one_row(2**63 - 1, 1))
    assert many.tolist() == [1, 2**63 - 1]
    assert many.dtype == object


def test_long_series_are_added_up_exactly() -> None:
    build = TraceBuilder()
    with build.loop(2, node="n"), build.loop(series=[2**62, 2**62]):
        build.event("x", "work", 1)
    assert iterations(build.build()).tolist() == [1, 2, 2**63]


def test_trips_of_several_designs_share_cycles_and_series() -> None:
    """Trips 1 and 2 of a family beside the same series."""
    build = TraceBuilder(2)
    with build.loop([1, 2], node="n"):
        build.event("x", "work", 4)
    with build.loop(series=[3]):
        build.event("x", "work", 5, node="n")
    trace = build.build()
    expected = [[4 + 15, 4, 15], [8 + 15, 8, 15]]
    for cycles in (trace.rows.count, np.stack([trace.rows.count] * 2), np.array([trace.rows.count])):
        assert fold(trace, cycles).loop_cycles.tolist() == expected


LARGE = 2**53 + 1  # no double holds it


def test_cycles_are_exact_where_doubles_are_not() -> None:
    trace = tree()
    cycles = trace.rows.count * LARGE
    exact = [value * LARGE for value in fold(trace, trace.rows.count).loop_cycles.tolist()]
    assert fold(trace, cycles).loop_cycles.tolist() == exact
    assert fold_series(trace, cycles).tolist() == exact
    busy = busy_cycles(trace, cycles)
    assert busy.dtype == np.int64
    assert busy.tolist() == [[106 * LARGE, 90 * LARGE], [0, 7 * LARGE]]


@pytest.mark.parametrize(
    ("kind", "latency"),
    [
        (LoopKind.SEQ, (1 + 3 + 2) * 9),
        (LoopKind.PAR, (1 + 3 + 2) * 5),
        (LoopKind.PIPE, 9 + (3 + 2) * 5),
    ],
)
def test_cycles_under_a_series_are_exact_where_doubles_are_not(kind: LoopKind, latency: int) -> None:
    """The inner loop runs its body 1, 3 and 2 times, in three iterations of the outer."""
    build = TraceBuilder()
    with build.loop(3, kind, node="n"), build.loop(series=[1, 3, 2]):
        build.event("x", "work", 4)
        build.event("y", "work", 5)
    trace = build.build()
    inner = (1 + 3 + 2) * 9
    cycles = trace.rows.count * LARGE
    assert fold(trace, trace.rows.count).loop_cycles.tolist() == [latency, latency, inner]
    found = fold(trace, cycles).loop_cycles
    assert found.dtype == np.int64
    assert found.tolist() == [latency * LARGE, latency * LARGE, inner * LARGE]


@pytest.mark.parametrize(
    ("kind", "latency"),
    [
        (LoopKind.SEQ, [(1 + 2 + 1 + 1) * 9, (0 + 1 + 0 + 1) * 9]),
        (LoopKind.PAR, [max(2 * 9, 5 * 5), max(1 * 9, 2 * 5)]),
        (LoopKind.PIPE, [1 * 9 + 4 * 5, 0 * 9 + 2 * 5]),
    ],
)
def test_a_loop_around_a_series_runs_several_times_or_never(kind: LoopKind, latency: list[int]) -> None:
    """Twice four iterations over a series of eight, and beside it none at all over an empty one."""
    build = TraceBuilder()
    with build.loop(2, node="n"):
        with build.loop(4, kind), build.loop(series=[1, 2, 1, 1, 0, 1, 0, 1]):
            build.event("x", "work", 4)
            build.event("y", "work", 5)
        with build.loop(0, kind), build.loop(series=[]):
            build.event("x", "work", 1)
        build.event("z", "work", 6)
    trace = build.build()
    expected = [sum(latency) + 12, sum(latency) + 12, sum(latency), 7 * 9, 0, 0]
    assert fold(trace, trace.rows.count).loop_cycles.tolist() == expected
    cycles = trace.rows.count * LARGE
    assert fold(trace, cycles).loop_cycles.tolist() == [value * LARGE for value in expected]


def test_nothing_under_a_series_that_never_runs_takes_time() -> None:
    build = TraceBuilder()
    with build.loop(3, LoopKind.PIPE, node="n"):
        with build.loop(0), build.loop(2, LoopKind.PAR), build.loop(series=[]):
            build.event("x", "work", 1)
        build.event("x", "work", 1)
    trace = build.build()
    assert fold(trace, trace.rows.count * LARGE).loop_cycles.tolist() == [3 * LARGE, 3 * LARGE, 0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "latency"),
    [
        (LoopKind.SEQ, [1 * 9, 3 * 9, 0]),
        (LoopKind.PAR, [1 * 5, 3 * 5, 0]),
        (LoopKind.PIPE, [9, 9 + 2 * 5, 0]),
    ],
)
def test_each_execution_under_a_series_has_its_own_latency(kind: LoopKind, latency: list[int]) -> None:
    build = TraceBuilder()
    with build.loop(3, LoopKind.PIPE, node="n"), build.loop(series=[1, 3, 0], kind=kind):
        build.event("x", "work", 4)
        build.event("y", "work", 5)
    trace = build.build()
    whole = latency[0] + (3 + 0) * 5
    assert fold(trace, trace.rows.count).loop_cycles.tolist() == [whole, whole, sum(latency)]


@pytest.mark.parametrize("kind", LoopKind)
def test_bodies_under_a_series_may_be_empty_or_take_no_time(kind: LoopKind) -> None:
    build = TraceBuilder()
    with build.loop(2, kind, node="n"), build.loop(series=[1, 2], kind=kind), build.loop(3, kind):
        pass
    assert fold(build.build(), np.zeros(0, np.int64)).loop_cycles.tolist() == [0, 0, 0, 0]
    with build.loop(2, kind, node="n"), build.loop(series=[1, 2], kind=kind), build.loop(3, kind):
        build.event("x", "work", 1)
    assert fold(build.build(), np.zeros(1, np.int64)).loop_cycles.tolist() == [0] * 7
