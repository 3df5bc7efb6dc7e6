"""What the builder writes: columns of the right kind in program order, and refusals with place and number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hwsim.errors import HwsimError, TooLong, VerifyError
from hwsim.trace import LoopKind, Trace, TraceBuilder


def written() -> Trace:
    build = TraceBuilder()
    build.node("alias")
    with build.loop(2, LoopKind.PIPE, node="a"):
        build.event("dram", "read", 3, bits=8, access=(7, [0, 1, 2]))
        with build.loop():
            build.event("array", "mac", 4, node="b")
            build.event("dram", "mac", 5)
        with build.loop(9, series=[6, 7]):
            build.event("array", "mac", 6, access=(8, [0, 3, 4, 5]))
    with build.loop(3, node="c"):
        build.event("array", "read", 7)
    build.skip("d", "zero", 2)
    build.skip("d", "zero", 3)
    build.note("e", "mapping", "2 x 2")
    return build.build()


def columns(part: object) -> dict[str, object]:
    return {field.name: getattr(part, field.name).tolist() for field in dataclasses.fields(part)}  # type: ignore[arg-type]


def test_columns_hold_what_was_written_in_program_order() -> None:
    trace = written()
    assert columns(trace.loops) == {
        "parent": [-1, 0, 1, 1, 0],
        "trip": [1, 2, 1, 0, 3],
        "series": [-1, -1, -1, 0, -1],
        "kind": [LoopKind.SEQ, LoopKind.PIPE, LoopKind.SEQ, LoopKind.SEQ, LoopKind.SEQ],
        "node": [-1, 1, -1, -1, 3],
    }
    assert columns(trace.rows) == {
        "node": [1, 2, 1, 1, 3],
        "unit": [0, 1, 0, 1, 1],
        "action": [0, 1, 1, 1, 0],
        "loop": [1, 2, 2, 3, 4],
        "position": [2, 3, 3, 4, 5],
        "count": [3, 4, 5, 6, 7],
        "bits": [8, 0, 0, 0, 0],
        "access": [0, -1, -1, 1, -1],
    }
    assert columns(trace.accesses) == {"base": [7, 8], "offset": [0, 3, 7], "stride": [0, 1, 2, 0, 3, 4, 5]}
    assert columns(trace.series) == {"offset": [0, 2], "value": [6, 7]}
    assert trace.nodes == ("alias", "a", "b", "c", "d", "e")
    assert (trace.units, trace.actions) == (("dram", "array"), ("read", "mac"))
    assert (trace.skips, trace.notes) == ({("d", "zero"): 5}, {("e", "mapping"): "2 x 2"})


@pytest.mark.parametrize("trace", [written(), TraceBuilder().build(), TraceBuilder(2).build()])
def test_columns_are_of_64_bits_and_read_only(trace: Trace) -> None:
    for part in (trace.loops, trace.rows, trace.accesses, trace.series):
        for field in dataclasses.fields(part):
            column = getattr(part, field.name)
            assert (column.dtype, column.ndim, column.flags.writeable) == (np.int64, 1, False), field.name


def test_an_empty_program_is_one_loop() -> None:
    trace = TraceBuilder().build()
    assert trace.loops.parent.tolist() == [-1]
    assert trace.rows.loop.size == 0
    assert trace.accesses.offset.tolist() == trace.series.offset.tolist() == [0]


def test_a_family_has_one_row_of_columns_per_design() -> None:
    build = TraceBuilder(3)
    with build.loop(np.array([1, 2, 3]), node="n"):
        build.event("array", "mac", 4, bits=[5, 6, 7])
        build.event("array", "mac", 8)
    trace = build.build()
    assert trace.loops.trip.tolist() == [[1, 1], [1, 2], [1, 3]]
    assert trace.rows.bits.tolist() == [[5, 0], [6, 0], [7, 0]]
    assert trace.rows.count.tolist() == [4, 8]
    for column in (trace.loops.trip, trace.rows.bits):
        assert (column.dtype, column.flags.writeable) == (np.int64, False)
    assert trace.designs == 3


def message(error: type[HwsimError], build: TraceBuilder) -> str:
    with pytest.raises(error) as caught:
        build.build()
    return str(caught.value)


def test_a_count_per_design_needs_a_family() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        build.event("array", "mac", [1, 2])
    assert message(VerifyError, build) == "trace.build: a trip or count per design in a trace of one design"


def test_the_number_that_does_not_fit_is_named() -> None:
    build = TraceBuilder()
    with build.loop(2**70, node="n"), build.loop(-(2**71)):
        build.event("array", "mac", 2**63)
    assert message(TooLong, build) == f"trace.build: a trip or count does not fit into 64 bits: {-(2**71)}"


def test_events_need_a_node() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        pass
    with pytest.raises(VerifyError) as caught:
        build.event("array", "mac", 1)
    assert str(caught.value) == "trace.event: array.mac is written outside every node"


def test_strides_must_match_the_depth() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"), pytest.raises(VerifyError) as caught:
        build.event("array", "mac", 1, access=(0, [1, 1]))
    assert str(caught.value) == "trace.event.array.mac: 2 strides for 2 loops and the events"
