"""One small trace through every reader."""

from __future__ import annotations

import numpy as np
import pytest

from hwsim.errors import TooLong
from hwsim.trace import (
    LoopKind,
    Trace,
    TraceBuilder,
    fold,
    reduce,
    to_text,
    verify_trace,
)


def small() -> Trace:
    build = TraceBuilder()
    with build.loop(10, LoopKind.PIPE, node="conv1"):
        build.event("dram", "read", 1, bits=512)
        with build.loop(4):
            build.event("array", "mac", 64, access=(100, [0, 8, 2, 1]))
        build.event("dram", "write", 2, bits=8)
    return build.build()


def test_counts_latency_and_text() -> None:
    trace = small()
    verify_trace(trace)
    activity = reduce(trace)
    assert activity.events_of("array", "mac") == 10 * 4 * 64
    assert {key: bits for key, _, bits in activity.items()}["conv1", "dram", "write"] == 10 * 2 * 8
    folded = fold(trace, np.array([1, 5, 2]))
    assert int(folded.cycles) == (1 + 4 * 5 + 2) + 9 * 20
    assert to_text(trace) == (
        "seq 1\n  pipe 10 @conv1\n    conv1 dram.read 1 x 512 b\n    seq 4\n"
        "      conv1 array.mac 64 at 100 + [0, 8, 2, 1]\n    conv1 dram.write 2 x 8 b\n"
    )


def test_counts_beyond_64_bits_are_exact() -> None:
    build = TraceBuilder()
    with build.loop(2**40, node="n"), build.loop(3**20):
        build.event("array", "mac", 7, bits=11)
    trace = build.build()
    activity = reduce(trace)
    assert activity.events_of("array", "mac") == 7 * 2**40 * 3**20
    assert next(iter(activity.items()))[2] == 77 * 2**40 * 3**20
    with pytest.raises(TooLong, match="64 bits"):
        fold(trace, np.array([1]))
    with pytest.raises(TooLong, match="64 bits"):
        verify_trace(trace)


def test_size_does_not_depend_on_trip_counts() -> None:
    def size(trip: int) -> int:
        build = TraceBuilder()
        with build.loop(trip, node="n"):
            build.event("array", "mac", trip)
        return build.build().nbytes

    assert size(1) == size(10**6)
