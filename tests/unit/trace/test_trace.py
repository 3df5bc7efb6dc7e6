"""Builder, verifier, exact counts, text form and files of traces."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from hwsim.errors import InputError, TooLong, VerifyError
from hwsim.kernels import odometer
from hwsim.trace import (
    LoopKind,
    Trace,
    TraceBuilder,
    fold,
    reduce,
    to_text,
    verify_conservation,
    verify_trace,
    walk,
)
from hwsim.trace.store import load, save


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


def test_columns_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        small().rows.count[0] = 5


def test_events_need_a_node() -> None:
    with pytest.raises(VerifyError, match="outside every node"):
        TraceBuilder().event("array", "mac", 1)


def test_a_count_per_design_needs_a_family() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        build.event("array", "mac", [1, 2])
    with pytest.raises(VerifyError, match="one design"):
        build.build()


def test_strides_must_match_the_depth() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"), pytest.raises(VerifyError, match="2 strides for 2 loops"):
        build.event("array", "mac", 1, access=(0, [1, 1]))


def altered(trace: Trace, part: str, column: str, place: int, value: int) -> Trace:
    old = getattr(trace, part)
    values = getattr(old, column).copy()
    values[place] = value
    return dataclasses.replace(trace, **{part: dataclasses.replace(old, **{column: values})})


@pytest.mark.parametrize(
    ("part", "column", "place", "value", "message"),
    [
        ("loops", "parent", 1, 2, "does not precede"),
        ("loops", "trip", 1, -1, "negative trip"),
        ("loops", "trip", 0, 2, "exactly once"),
        ("loops", "kind", 1, 7, "unknown kind 7"),
        ("loops", "series", 1, 0, "series 0 does not exist"),
        ("loops", "node", 1, 9, "node 9 does not exist"),
        ("loops", "node", 2, 0, "nested"),
        ("rows", "unit", 0, 5, "unit 5 does not exist"),
        ("rows", "loop", 0, 77, "loop 77 does not exist"),
        ("rows", "count", 0, -4, "negative count -4"),
        ("rows", "access", 0, 3, "access 3 does not exist"),
        ("rows", "access", 0, 0, "has 4 strides, needs 3"),
    ],
)
def test_verifier_finds(part: str, column: str, place: int, value: int, message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        verify_trace(altered(small(), part, column, place, value))


def test_verifier_counts_the_executions_of_a_series() -> None:
    build = TraceBuilder()
    with build.loop(3, node="n"), build.loop(series=[1, 2]):
        build.event("array", "mac", 1)
    with pytest.raises(VerifyError, match="series of 2 trips for 3 executions"):
        verify_trace(build.build())


def test_conservation() -> None:
    trace = small()
    quantity_of = {("array", "mac"): "macs"}
    verify_conservation(trace, reduce(trace), {"conv1": {"macs": 2560}}, quantity_of)
    with pytest.raises(VerifyError, match="2560 macs done and 0 skipped by name, the operator asks for 2561"):
        verify_conservation(trace, reduce(trace), {"conv1": {"macs": 2561}}, quantity_of)
    with pytest.raises(VerifyError, match="no operator asks for"):
        verify_conservation(trace, reduce(trace), {}, quantity_of)


def test_named_skips_count_as_asked() -> None:
    build = TraceBuilder()
    with build.loop(1, node="n"):
        build.event("array", "mac", 60)
    build.skip("n", "zero state", 40)
    trace = build.build()
    verify_conservation(trace, reduce(trace), {"n": {"macs": 100}}, {("array", "mac"): "macs"})


def test_files_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    save(small(), path)
    assert to_text(load(path)) == to_text(small())
    first = path.read_bytes()
    save(small(), path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 truncated"])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"t\.npz"):
        load(path)


def changed(path: Path, name: str, column: np.ndarray) -> Path:
    with np.load(path) as archive:
        columns = dict(archive)
    np.savez(path, **columns | {name: column})
    return path


def test_files_of_another_version_or_type_say_so_once(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    save(small(), path)
    names = json.loads(np.load(path)["names"].tobytes()) | {"format": "hwsim-trace-9"}
    changed(path, "names", np.frombuffer(json.dumps(names).encode(), np.uint8))
    with pytest.raises(InputError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == (
        str(path),
        "format 'hwsim-trace-9', this version reads 'hwsim-trace-1'",
    )
    save(small(), path)
    changed(path, "rows.count", small().rows.count.astype(float))
    with pytest.raises(InputError, match="not a trace file: column of float64, not int64"):
        load(path)


def test_a_damaged_trace_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    save(small(), path)
    changed(path, "rows.unit", small().rows.unit + 99)
    with pytest.raises(InputError, match=r"t\.npz\.trace\.rows"):
        load(path)


def test_missing_file_and_unwritable_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.npz")
    with pytest.raises(InputError, match="cannot be written"):
        save(small(), tmp_path / "no" / "t.npz")


def test_walk_kernel_equals_its_plain_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [part.address.tolist() for part in walk(small(), 100)]
    monkeypatch.setattr(odometer, "step", odometer.step.plain)
    assert [part.address.tolist() for part in walk(small(), 100)] == fast
    assert sum(len(part) for part in fast) == 10 * 4 * 64


def test_a_family_cannot_be_walked() -> None:
    build = TraceBuilder(2)
    with build.loop([1, 2], node="n"):
        build.event("array", "mac", 1)
    with pytest.raises(VerifyError, match="single design"):
        next(walk(build.build()))
