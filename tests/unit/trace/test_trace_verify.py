"""The verifier names every structural fault of a trace with its place, and all of them at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hwsim.errors import TooLong, VerifyError
from hwsim.trace import LoopKind, Trace, TraceBuilder, reduce, verify_conservation, verify_trace

Change = tuple[str, str, int, int]


def small() -> Trace:
    """Loops 0 to 3 inside one another, loop 3 under a series; rows in loops 1, 2 and 1."""
    build = TraceBuilder()
    with build.loop(10, LoopKind.PIPE, node="conv1"):
        build.event("dram", "read", 1, bits=512)
        with build.loop(4):
            build.event("array", "mac", 64, access=(100, [0, 8, 2, 1]))
            with build.loop(series=[0] * 40):
                pass
        build.event("dram", "write", 2, bits=8)
    return build.build()


def altered(trace: Trace, *changes: Change) -> Trace:
    for part, column, place, value in changes:
        old = getattr(trace, part)
        values = getattr(old, column).copy()
        values[place] = value
        trace = dataclasses.replace(trace, **{part: dataclasses.replace(old, **{column: values})})
    return trace


def faults(trace: Trace) -> list[str]:
    with pytest.raises(VerifyError) as caught:
        verify_trace(trace)
    return [str(problem) for problem in caught.value.problems]


def test_a_sound_trace_passes() -> None:
    verify_trace(small())
    verify_trace(TraceBuilder().build())
    verify_trace(altered(small(), ("loops", "trip", 3, 0), ("rows", "count", 0, 0), ("rows", "bits", 0, 0)))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("loops", "parent", 0, 0), "trace.loops: loop 0 must be a SEQ loop without a parent"),
        (("loops", "kind", 0, 1), "trace.loops: loop 0 must be a SEQ loop without a parent"),
        (("loops", "trip", 0, 2), "trace.loops: loop 0 must run exactly once"),
        (("loops", "trip", 0, 0), "trace.loops: loop 0 must run exactly once"),
        (("loops", "series", 0, 0), "trace.loops: loop 0 must run exactly once"),
        (("loops", "parent", 1, 2), "trace.loops.1: parent 2 does not precede it"),
        (("loops", "parent", 1, 1), "trace.loops.1: parent 1 does not precede it"),
        (("loops", "parent", 3, -1), "trace.loops.3: parent -1 does not precede it"),
        (("loops", "trip", 1, -1), "trace.loops: negative trip count -1"),
        (("loops", "kind", 1, 7), "trace.loops.1: unknown kind 7"),
        (("loops", "kind", 2, 3), "trace.loops.2: unknown kind 3"),
        (("loops", "series", 1, 1), "trace.loops.1: series 1 does not exist"),
        (("loops", "node", 1, 1), "trace.loops.1: node 1 does not exist"),
        (("loops", "node", 1, -2), "trace.loops.1: node -2 does not exist"),
        (("series", "value", 5, -1), "trace.series: negative trip count -1"),
        (("loops", "node", 0, 0), "trace.loops.1: owners of latency are nested"),
        (("loops", "node", 2, 0), "trace.loops.2: owners of latency are nested"),
        (("loops", "node", 3, 0), "trace.loops.3: owners of latency are nested"),
        (("rows", "node", 0, 1), "trace.rows.0: node 1 does not exist"),
        (("rows", "node", 1, -1), "trace.rows.1: node -1 does not exist"),
        (("rows", "unit", 0, 2), "trace.rows.0: unit 2 does not exist"),
        (("rows", "action", 0, 3), "trace.rows.0: action 3 does not exist"),
        (("rows", "loop", 0, 4), "trace.rows.0: loop 4 does not exist"),
        (("rows", "count", 0, -4), "trace.rows: negative count -4"),
        (("rows", "bits", 2, -1), "trace.rows: negative bits -1"),
        (("rows", "access", 0, 1), "trace.rows.0: access 1 does not exist"),
        (("rows", "access", 0, 0), "trace.rows.0: access 0 has 4 strides, needs 3"),
        (("loops", "trip", 2, 5), "trace.loops.3: series of 40 trips for 50 executions"),
        (("loops", "trip", 2, 3), "trace.loops.3: series of 40 trips for 30 executions"),
    ],
)
def test_each_fault_is_named(change: Change, fault: str) -> None:
    assert fault in faults(altered(small(), change))


def test_all_faults_are_named_at_once() -> None:
    assert faults(altered(small(), ("loops", "trip", 1, -1), ("loops", "kind", 2, 9))) == [
        "trace.loops: negative trip count -1",
        "trace.loops.2: unknown kind 9",
    ]
    broken = altered(small(), ("rows", "count", 1, -2), ("rows", "access", 0, 1), ("rows", "access", 2, 0))
    assert faults(broken) == [
        "trace.rows: negative count -2",
        "trace.rows.0: access 1 does not exist",
        "trace.rows.2: access 0 has 4 strides, needs 3",
    ]


def test_each_access_pattern_is_held_to_the_depth_of_its_row() -> None:
    build = TraceBuilder()
    with build.loop(2, node="n"):
        build.event("dram", "read", 1, access=(0, [0, 1, 1]))
        with build.loop(3):
            build.event("dram", "read", 1, access=(0, [0, 4, 2, 1]))
            build.event("dram", "write", 1, access=(0, [0, 4, 2, 1]))
    verify_trace(build.build())
    assert faults(altered(build.build(), ("rows", "access", 0, 2), ("rows", "access", 2, 0))) == [
        "trace.rows.0: access 2 has 4 strides, needs 3",
        "trace.rows.2: access 0 has 3 strides, needs 4",
    ]


def test_a_trace_without_loops_is_refused() -> None:
    trace = small()
    loops = dataclasses.replace(
        trace.loops, **{name: np.zeros(0, np.int64) for name in ("parent", "trip", "series", "kind", "node")}
    )
    assert faults(dataclasses.replace(trace, loops=loops)) == [
        "trace.loops: loop 0 must be a SEQ loop without a parent"
    ]


def family(designs: int = 2) -> Trace:
    build = TraceBuilder(designs)
    with build.loop([3] * designs, node="n"):
        build.event("array", "mac", [1] * designs)
    return build.build()


def test_every_design_of_a_family_runs_loop_0_once() -> None:
    verify_trace(family())
    trips = family().loops.trip.copy()
    trips[1, 0] = 2
    trace = dataclasses.replace(family(), loops=dataclasses.replace(family().loops, trip=trips))
    assert faults(trace) == ["trace.loops: loop 0 must run exactly once"]


def test_columns_agree_on_the_number_of_designs() -> None:
    trace = dataclasses.replace(family(), rows=family(3).rows)
    assert faults(trace) == ["trace: columns disagree on the number of designs: [2, 3]"]


def test_executions_fit_into_64_bits() -> None:
    def long(trip: int) -> Trace:
        build = TraceBuilder()
        with build.loop(2**40, node="n"), build.loop(trip):
            build.event("array", "mac", 1)
        return build.build()

    verify_trace(long(2**22))
    with pytest.raises(TooLong) as caught:
        verify_trace(long(2**23))
    assert str(caught.value) == "trace.loops: 9.223e+18 executions do not fit into 64 bits"


MACS = {("array", "mac"): "macs", ("array", "add"): "adds"}


def worked() -> Trace:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        build.event("array", "mac", 60)
        build.event("array", "add", 5)
        build.event("dram", "read", 9)
    with build.loop(1, node="m"):
        build.event("array", "add", 0)
    build.skip("n", "zero state", 30)
    build.skip("n", "N:M", 10)
    return build.build()


def unbalanced(trace: Trace, work: dict[str, dict[str, int]]) -> list[str]:
    with pytest.raises(VerifyError) as caught:
        verify_conservation(trace, reduce(trace), work, MACS)
    return [str(problem) for problem in caught.value.problems]


def test_work_done_and_skipped_by_name_is_what_the_operator_asks_for() -> None:
    trace = worked()
    verify_conservation(trace, reduce(trace), {"n": {"macs": 100, "adds": 5}, "m": {"macs": 0}}, MACS)
    two = {("array", "mac"): "macs", ("array", "add"): "macs"}
    verify_conservation(trace, reduce(trace), {"n": {"macs": 105}}, two)


def test_work_lost_or_invented_is_named_with_its_node() -> None:
    assert unbalanced(worked(), {"n": {"macs": 101, "adds": 45}, "o": {"adds": 7}}) == [
        "trace.n: 60 macs done and 40 skipped by name, the operator asks for 101",
        "trace.n: 5 adds done and 0 skipped by name, the operator asks for 45",
        "trace.o: 0 adds done and 0 skipped by name, the operator asks for 7",
    ]
    assert unbalanced(worked(), {}) == [
        "trace.n: 60 macs that no operator asks for",
        "trace.n: 5 adds that no operator asks for",
    ]
