"""Layers merge if they do the same up to the names of nodes, and only then; nothing else of a trace moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hwsim.trace import LoopKind, Trace, TraceBuilder, fold, reduce, to_text, verify_trace
from hwsim.trace.merge import merge_equal, take

Layer = Callable[[TraceBuilder, str], None]


def plain(build: TraceBuilder, name: str) -> None:
    with build.loop(3, node=name):
        build.event("dram", "read", 2, bits=8)
        with build.loop(4, LoopKind.PIPE):
            build.event("array", "mac", 5)
            with build.loop(2):
                build.event("array", "mac", 6)


def changed(**changes: Any) -> Layer:
    """`plain` with one property changed."""
    value = {"trip": 4, "kind": LoopKind.PIPE, "unit": "array", "action": "mac", "count": 6, "bits": 0}
    value |= changes

    def layer(build: TraceBuilder, name: str) -> None:
        with build.loop(3, node=name):
            build.event("dram", "read", 2, bits=8)
            with build.loop(value["trip"], value["kind"]):
                build.event("array", "mac", 5)
                with build.loop(2):
                    build.event(value["unit"], value["action"], value["count"], bits=value["bits"])

    return layer


def flatter(build: TraceBuilder, name: str) -> None:
    with build.loop(3, node=name):
        build.event("dram", "read", 2, bits=8)
        with build.loop(4, LoopKind.PIPE):
            build.event("array", "mac", 5)
        with build.loop(2):
            build.event("array", "mac", 6)


def event_moved_up(build: TraceBuilder, name: str) -> None:
    with build.loop(3, node=name):
        build.event("dram", "read", 2, bits=8)
        with build.loop(4, LoopKind.PIPE):
            build.event("array", "mac", 5)
            build.event("array", "mac", 6)
            with build.loop(2):
                pass


def longer(build: TraceBuilder, name: str) -> None:
    with build.loop(3, node=name):
        build.event("dram", "read", 2, bits=8)
        with build.loop(4, LoopKind.PIPE):
            build.event("array", "mac", 5)
            with build.loop(2):
                build.event("array", "mac", 6)
        with build.loop(1):
            pass


def skipping(build: TraceBuilder, name: str) -> None:
    plain(build, name)
    build.skip(name, "zero", 7)


def skipping_more(build: TraceBuilder, name: str) -> None:
    plain(build, name)
    build.skip(name, "zero", 8)


def two_owners(build: TraceBuilder, name: str) -> None:
    with build.loop(2):
        with build.loop(3, node=name):
            build.event("array", "mac", 1)
        with build.loop(3, node=name + "'"):
            build.event("array", "mac", 1)


def one_owner(build: TraceBuilder, name: str) -> None:
    with build.loop(2):
        with build.loop(3, node=name):
            build.event("array", "mac", 1)
        with build.loop(3):
            build.event("array", "mac", 1, node=name + "'")


def first_owner_only(build: TraceBuilder, name: str) -> None:
    with build.loop(2):
        with build.loop(3, node=name):
            build.event("array", "mac", 1)
        with build.loop(3):
            build.event("array", "mac", 1, node=name)


DIFFERENT: list[Layer] = [
    plain,
    changed(trip=5),
    changed(kind=LoopKind.PAR),
    changed(unit="dram"),
    changed(action="read"),
    changed(count=7),
    changed(bits=1),
    flatter,
    event_moved_up,
    longer,
    skipping,
    skipping_more,
    two_owners,
    one_owner,
    first_owner_only,
]


def network(*layers: Layer) -> Trace:
    build = TraceBuilder()
    for place, layer in enumerate(layers):
        layer(build, f"n{place}")
    return build.build()


def conserved(trace: Trace) -> None:
    """Latency and activity of the merged trace are those of `trace`."""
    merged = merge_equal(trace).trace
    verify_trace(merged)
    assert int(fold(merged, merged.rows.count).cycles) == int(fold(trace, trace.rows.count).cycles)
    for unit in trace.units:
        for action in trace.actions:
            assert reduce(merged).events_of(unit, action) == reduce(trace).events_of(unit, action)
    assert sum(merged.skips.values()) == sum(trace.skips.values())


def test_layers_that_differ_in_anything_stay_apart() -> None:
    trace = network(*DIFFERENT)
    merged = merge_equal(trace)
    assert to_text(merged.trace) == to_text(trace)
    assert set(merged.times.tolist()) == {1}
    twice = network(*DIFFERENT, *reversed(DIFFERENT))
    assert set(merge_equal(twice).times.tolist()) == {2}
    assert merge_equal(twice).trace.loops.parent.tolist() == trace.loops.parent.tolist()
    conserved(trace)
    conserved(twice)


def test_equal_layers_are_written_once_and_run_as_often_as_there_are() -> None:
    build = TraceBuilder()
    build.node("alias")
    build.event("host", "start", 1, node="host")
    for name in ("a", "b", "c"):
        skipping(build, name)
        build.note(name, "mapping", f"of {name}")
    flatter(build, "d")
    build.event("host", "end", 1, node="host")
    build.skip("unseen", "N:M", 4)
    build.note("unseen", "fused_into", "a")
    merged = merge_equal(build.build())
    assert to_text(merged.trace) == (
        "seq 1\n"
        "  host host.start 1\n"
        "  seq 9 @a\n"
        "    a dram.read 2 x 8 b\n"
        "    pipe 4\n"
        "      a array.mac 5\n"
        "      seq 2\n"
        "        a array.mac 6\n"
        "  seq 3 @d\n"
        "    d dram.read 2 x 8 b\n"
        "    pipe 4\n"
        "      d array.mac 5\n"
        "    seq 2\n"
        "      d array.mac 6\n"
        "  host host.end 1\n"
        "skip a 21: zero\n"
        "skip unseen 4: N:M\n"
    )
    assert merged.trace.nodes == ("host", "a", "d", "unseen")
    assert merged.times.tolist() == [1, 3, 1, 1]
    assert merged.trace.notes == {("a", "mapping"): "of a", ("unseen", "fused_into"): "a"}
    assert merged.times.dtype == np.int64
    assert set(map(type, merged.trace.skips.values())) == {int}
    for part in (merged.trace.loops, merged.trace.rows, merged.trace.accesses):
        assert {getattr(part, name).dtype.name for name in type(part).__slots__} == {"int64"}
    verify_trace(merged.trace)
    conserved(build.build())


def ragged(build: TraceBuilder, name: str) -> None:
    with build.loop(2, node=name), build.loop(series=[1, 2]):
        build.event("array", "mac", 1)


def piped(build: TraceBuilder, name: str) -> None:
    with build.loop(2, LoopKind.PIPE, node=name):
        build.event("array", "mac", 1)


def sharing(build: TraceBuilder, name: str) -> None:
    """Two layers that work for one node."""
    with build.loop(2, node="n0"):
        build.event("array", "mac", 1)


def sharing_rows(build: TraceBuilder, name: str) -> None:
    """Two layers whose events, not their loops, are of one node."""
    with build.loop(2):
        build.event("array", "mac", 1, node="n0")


@pytest.mark.parametrize("layer", [ragged, piped, sharing, sharing_rows])
def test_a_layer_that_cannot_stand_for_another_stays(layer: Layer) -> None:
    trace = network(layer, layer)
    assert to_text(merge_equal(trace).trace) == to_text(trace)
    assert set(merge_equal(trace).times.tolist()) == {1}
    mixed = network(layer, plain, layer, plain)
    assert merge_equal(mixed).trace.loops.parent.size == mixed.loops.parent.size - 3
    conserved(mixed)


def stopped(build: TraceBuilder, name: str) -> None:
    """`ragged` with a loop that never runs in place of the series."""
    with build.loop(2, node=name), build.loop(0):
        build.event("array", "mac", 1)


def test_a_series_is_not_taken_for_a_loop_without_trips() -> None:
    trace = network(ragged, stopped)
    assert to_text(merge_equal(trace).trace) == to_text(trace)


def test_addresses_are_left_out() -> None:
    build = TraceBuilder()
    for name, base in (("a", 0), ("b", 64)):
        with build.loop(2, node=name):
            build.event("dram", "read", 1, access=(base, [0, 1, 1]))
    merged = merge_equal(build.build()).trace
    assert merged.rows.access.tolist() == [-1]
    assert (merged.accesses.base.size, merged.accesses.stride.size) == (0, 0)
    assert merged.accesses.offset.tolist() == [0]


def test_members_of_a_family_are_taken_with_all_their_columns() -> None:
    build = TraceBuilder(3)
    for name in ("a", "b"):
        with build.loop([1, 2, 3], node=name):
            build.event("array", "mac", [4, 5, 6], bits=[7, 8, 9])
            build.event("dram", "read", [1, 1, 2], bits=8)
    merged = merge_equal(build.build())
    chosen = take(merged, np.array([2, 0, 2]))
    assert chosen.trace.loops.trip.tolist() == [[1, 6], [1, 2], [1, 6]]
    assert chosen.trace.rows.count.tolist() == [[6, 2], [4, 1], [6, 2]]
    assert chosen.trace.rows.bits.tolist() == [[9, 8], [7, 8], [9, 8]]
    assert chosen.times.tolist() == merged.times.tolist() == [2]
    single = merge_equal(network(plain, plain))
    assert to_text(take(single, np.array([0])).trace) == to_text(single.trace)
