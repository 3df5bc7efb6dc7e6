from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hwsim.sweep.errors import StoreError
from hwsim.sweep.records import Records
from hwsim.sweep.results import open_results
from hwsim.sweep.store import Store


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def records(*numbers: int, **given: Any) -> Records:
    values: dict[str, Any] = {
        "keys": [key(number) for number in numbers],
        "positions": numbers,
        "chip": "systolic",
        "preset": "edge_32",
        "network": "digits_32",
        "batch": None,
        "precision": None,
        "knobs": ['{"array_rows": 8}'] * len(numbers),
        "errors": {},
        "attempts": [1] * len(numbers),
        "wall_s": 0.1,
        "metrics": {"cycles": numbers, "energy_j": [number / 7 for number in numbers]},
    }
    return Records(**values | given)


def begin(store: Store, plan: str = "plan") -> None:
    store.begin(plan, "{}", {"knobs": ["array_rows"]}, "2026-01-01T00:00:00+00:00")


def test_what_is_written_is_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(2, 1, 3, errors={2: "no"}))
        store.add(records(4, metrics={"cycles": [2**70], "my_own_j": [1e-300]}))
    results = open_results(path)
    assert [row.position for row in results.rows()] == [1, 2, 3, 4]
    assert [row.status for row in results.rows()] == ["done", "done", "failed", "done"]
    assert results.metrics == ("cycles", "energy_j", "my_own_j")
    found = {row.position: row.metrics for row in results.rows()}
    assert found == {
        1: {"cycles": 1, "energy_j": 1 / 7},
        2: {"cycles": 2, "energy_j": 2 / 7},
        3: {},
        4: {"cycles": float(2**70), "my_own_j": 1e-300},
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == ["r.db"]


def test_readers_see_commits_while_the_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1))
        assert len(open_results(path)) == 1
        store.add(records(2))
        assert [row.position for row in open_results(path).rows()] == [1, 2]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path / "r.db"), pytest.raises(StoreError, match="another sweep writes this file"):
        Store(tmp_path / "r.db")
    Store(tmp_path / "r.db").close()


def test_another_plan_forgets_positions_but_no_results(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1, 2))
    with Store(path) as store:
        begin(store)
        assert {known.position for known in store.known([key(1), key(2)]).values()} == {1, 2}
    with Store(path) as store:
        begin(store, "another")
        assert len(open_results(path)) == 2
        known = store.known([key(1), key(9)])
        assert list(known) == [key(1)]
        assert known[key(1)].position is None
        store.place([(7, "tpu_v1", "mine", 4, "int4", '{"array_cols": 2}', key(1))])
    (row,) = open_results(path).rows()
    assert (row.position, row.run, row.metrics["cycles"]) == (7, 1, 1)
    assert (row.preset, row.network, row.batch, row.precision) == ("tpu_v1", "mine", 4, "int4")
    assert row.knobs == {"array_cols": 2}


def test_metrics_by_key(tmp_path: Path) -> None:
    with Store(tmp_path / "r.db") as store:
        begin(store)
        store.add(records(1, 2, errors={1: "no"}))
        found = store.metrics_of([key(1), key(2)], ["energy_j", "absent"])
    assert found == {key(1): (1 / 7, None)}


@pytest.mark.parametrize(
    "content", [b"hello", b"SQLite format 3\0", b"\0" * 5000, b'{"schema_version": "1.0"}']
)
def test_foreign_files_stay_as_they_are(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a results file"):
        Store(path)
    with pytest.raises(StoreError, match=r"not a results file .* are written with `hwsim sweep"):
        open_results(path)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["r.db"]


def test_foreign_database_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a results file"):
        Store(path)
    assert path.read_bytes() == before


def test_other_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="has schema 99"):
        Store(path)
    with pytest.raises(StoreError, match="has schema 99"):
        open_results(path)


def test_corrupt_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(*range(500)))
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content) - 4096, 4096):
        content[place : place + 4096] = b"\xa5" * 4096
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="corrupt"):
        Store(path)
    assert path.read_bytes() == bytes(content)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(*range(500)))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(StoreError, match="corrupt"):
        Store(path)


def test_empty_file_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "r.db").touch()
    with Store(tmp_path / "r.db") as store:
        begin(store)
        store.add(records(1))
    assert len(open_results(tmp_path / "r.db")) == 1


def test_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1))
        store.limit_pages(16)
        with pytest.raises(StoreError, match="disk is full"):
            store.add(records(*range(2, 500), knobs=["x" * 1000] * 498))
    assert [row.position for row in open_results(path).rows()] == [1]


@pytest.mark.parametrize("name", ["absent.db", "folder"])
def test_no_results_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError):
        open_results(tmp_path / name)


def test_reading_needs_no_permission_to_write(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1))
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert len(open_results(path)) == 1
    finally:
        tmp_path.chmod(0o700)


def test_a_link_to_the_file_is_the_file(tmp_path: Path) -> None:
    path, link = tmp_path / "r.db", tmp_path / "link.db"
    link.symlink_to(path)
    with Store(path), pytest.raises(StoreError, match="another sweep writes this file"):
        Store(link)


def test_a_file_that_just_begins_is_no_foreign_one(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(StoreError, match="holds no results yet"):
        open_results(path)


def test_commits_beside_a_file_that_cannot_be_written_are_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1))
        assert path.with_name("r.db-wal").stat().st_size
        real = sqlite3.connect

        class Closed(sqlite3.Connection):
            def execute(self, *words: Any) -> Any:
                raise sqlite3.OperationalError("attempt to write a readonly database")

        monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Closed))
        with pytest.raises(StoreError, match=r"copy it and r\.db-wal"):
            open_results(path)
