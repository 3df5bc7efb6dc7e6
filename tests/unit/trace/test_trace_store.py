"""Files of traces: everything comes back, read-only; foreign and damaged files are refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.errors import InputError
from hwsim.trace import LoopKind, Trace, TraceBuilder
from hwsim.trace.store import COLUMNS, load, save


def full() -> Trace:
    """A trace with something in every column, pool and remark."""
    build = TraceBuilder()
    with build.loop(2, LoopKind.PIPE, node="n"):
        with build.loop(series=[3, 4]):
            build.event("array", "mac", 2, bits=8, access=(9, [0, 1, 2, 3]))
        build.event("dram", "read", 1, node="other")
    build.skip("n", "zero state", 5)
    build.note("n", "mapping", "2 x 8")
    return build.build()


def rewrite(path: Path, **changes: Any) -> None:
    """Replace arrays of the file, or entries of its names."""
    with np.load(path) as archive:
        arrays = dict(archive)
    names = json.loads(arrays["names"].tobytes())
    names |= {name: value for name, value in changes.items() if name in names}
    arrays["names"] = np.frombuffer(json.dumps(names).encode(), dtype=np.uint8)
    arrays |= {name.replace("__", "."): value for name, value in changes.items() if name not in names}
    np.savez(path, **arrays)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(path)
    return str(caught.value)


def test_everything_comes_back_and_the_same_trace_is_the_same_file(tmp_path: Path) -> None:
    path, trace = tmp_path / "t.npz", full()
    save(trace, path)
    found = load(path)
    for part, columns in COLUMNS.items():
        for name in columns:
            column = getattr(getattr(found, part), name)
            assert column.tolist() == getattr(getattr(trace, part), name).tolist()
            assert not column.flags.writeable
    for field in ("nodes", "units", "actions", "skips", "notes"):
        assert getattr(found, field) == getattr(trace, field)
    first = path.read_bytes()
    save(full(), path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 truncated"])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: not a trace file: ")
    assert "None" not in refusal(path)


def test_missing_file_and_unwritable_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.npz") == f"{tmp_path / 'none.npz'}: no such file"
    with pytest.raises(InputError, match="cannot be written"):
        save(full(), tmp_path / "no" / "t.npz")


def test_each_damage_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"

    def damaged(**changes: Any) -> str:
        save(full(), path)
        rewrite(path, **changes)
        return refusal(path)

    assert damaged(format="hwsim-trace-0") == (
        f"{path}: format 'hwsim-trace-0', this version reads 'hwsim-trace-1'"
    )
    assert damaged(rows__count=np.ones(2)) == f"{path}: not a trace file: column of float64, not int64"
    assert damaged(skips=[["n", "zero state", None]]).startswith(f"{path}: not a trace file: int()")
    assert damaged(rows__count=np.array([2, -1])) == f"{path}.trace.rows: negative count -1"


def test_a_family_comes_back(tmp_path: Path) -> None:
    build = TraceBuilder(2)
    with build.loop([1, 2], node="n"):
        build.event("array", "mac", [3, 4])
    save(build.build(), tmp_path / "f.npz")
    assert load(tmp_path / "f.npz").loops.trip.tolist() == [[1, 1], [1, 2]]


def test_objects_in_a_file_are_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    save(full(), path)
    rewrite(path, rows__count=np.array([dataclasses.field, None], dtype=object))
    assert "not a trace file: Object arrays cannot be loaded" in refusal(path)
