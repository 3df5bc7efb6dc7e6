"""Program order, and walks in chunks: every event once, with its row, whatever the size of a chunk."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hwsim.errors import VerifyError
from hwsim.kernels import odometer
from hwsim.trace import LoopKind, Trace, TraceBuilder, to_text, walk
from hwsim.trace.types import Rows
from hwsim.trace.walk import ENTER, LEAVE, ROW, program_order


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk in Python: compiling takes longer than these programs."""
    monkeypatch.setattr(odometer, "step", odometer.step.plain)


def small() -> Trace:
    build = TraceBuilder()
    with build.loop(2, LoopKind.PIPE, node="n"):
        build.event("dram", "read", 2, access=(100, [0, 10, 1]))
        build.event("host", "wait", 5)
        with build.loop(series=[1, 2]):
            build.event("dram", "write", 1, access=(500, [0, 20, 3, 1]))
        with build.loop(0):
            build.event("dram", "never", 1, access=(900, [0, 0, 0, 0]))
        build.event("dram", "done", 1, access=(7, [0, 0, 0]))
    build.event("dram", "end", 1, node="n", access=(8, [0, 0]))
    return build.build()


EVENTS = [
    (0, 100), (0, 101), (2, 500), (4, 7),
    (0, 110), (0, 111), (2, 520), (2, 523), (4, 7),
    (5, 8),
]  # fmt: skip


@pytest.mark.usefixtures("_plain")
@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 9, 10, 11, 100])
def test_every_event_comes_once_with_row_and_address(chunk: int) -> None:
    parts = list(walk(small(), chunk))
    found = [pair for part in parts for pair in zip(part.row.tolist(), part.address.tolist(), strict=True)]
    assert found == EVENTS
    lengths = [part.row.size for part in parts]
    assert lengths == [chunk] * (10 // chunk) + [10 % chunk] * (10 % chunk > 0)
    assert all(part.row.dtype == part.address.dtype == "int64" for part in parts)


@pytest.mark.usefixtures("_plain")
def test_chunks_hold_64_ki_events_unless_asked_otherwise() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        build.event("dram", "read", 70_000, access=(0, [0, 0, 2]))
    assert [part.address.size for part in walk(build.build())] == [65_536, 70_000 - 65_536]


@pytest.mark.usefixtures("_plain")
def test_a_program_without_addresses_has_nothing_to_walk() -> None:
    build = TraceBuilder()
    with build.loop(3, node="n"):
        build.event("host", "wait", 5)
    assert list(walk(build.build())) == list(walk(TraceBuilder().build())) == []


def test_program_order_is_the_order_written() -> None:
    assert program_order(small()) == [
        (ENTER, 0), (ENTER, 1), (ROW, 0), (ROW, 1),
        (ENTER, 2), (ROW, 2), (LEAVE, 2), (ENTER, 3), (ROW, 3), (LEAVE, 3),
        (ROW, 4), (LEAVE, 1), (ROW, 5), (LEAVE, 0),
    ]  # fmt: skip
    assert program_order(TraceBuilder().build()) == [(ENTER, 0), (LEAVE, 0)]


def test_rows_stand_where_their_position_says() -> None:
    """Rows of one position keep their order; otherwise rows may be stored in any."""
    trace, order = small(), np.array([3, 4, 5, 2, 0, 1])
    rows = {field.name: getattr(trace.rows, field.name)[order] for field in dataclasses.fields(Rows)}
    shuffled = dataclasses.replace(trace, rows=Rows(**rows))
    assert to_text(shuffled) == to_text(trace)


def test_the_compiled_walk_equals_its_plain_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [part.address.tolist() for part in walk(small(), 4)]
    monkeypatch.setattr(odometer, "step", odometer.step.plain)
    assert [part.address.tolist() for part in walk(small(), 4)] == fast
    assert sum(len(part) for part in fast) == 10


def test_a_family_cannot_be_walked() -> None:
    build = TraceBuilder(2)
    with build.loop([1, 2], node="n"):
        build.event("array", "mac", 1)
    with pytest.raises(VerifyError) as caught:
        next(walk(build.build()))
    assert str(caught.value) == "trace.walk: only the trace of a single design can be walked"
