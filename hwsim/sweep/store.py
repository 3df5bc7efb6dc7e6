"""Results on disk: one SQLite file, one writer, any number of readers, whole after a crash at any moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hwsim.sweep.errors import StoreError
from hwsim.sweep.lock import Lock
from hwsim.sweep.records import DONE, FIXED, Records
from hwsim.writing import check_writable

APPLICATION_ID = 0x68775357  # "hwSW"
SCHEMA_VERSION = 1
_KEYS_AT_ONCE = 900
_SCHEMA = (
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, plan TEXT NOT NULL, space TEXT NOT NULL,"
    " provenance TEXT NOT NULL, started TEXT NOT NULL)",
    "CREATE TABLE points (key BLOB NOT NULL UNIQUE, position INTEGER, run INTEGER NOT NULL REFERENCES runs,"
    " chip TEXT NOT NULL, preset TEXT NOT NULL, network TEXT NOT NULL, batch INTEGER, precision TEXT,"
    " knobs TEXT NOT NULL, status TEXT NOT NULL, error TEXT, attempts INTEGER NOT NULL, wall_s REAL)",
    "CREATE INDEX points_by_position ON points (position)",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a key: its status, position, run, and number of attempts."""

    status: str
    position: int | None
    run: int
    attempts: int


Placed = tuple[int, str, str, int | None, str | None, str, bytes]
"""Position, preset, network, batch, precision, knobs as JSON text, and key of a point."""


class Store:
    """The writer's side of a results file; at most one at a time."""

    def __init__(self, path: Path) -> None:
        check_writable(path)
        self.path = path
        self._lock = Lock(path)
        self._opening: tuple[str, str, str, str] | None = None
        self._forgets = False
        try:
            check_file(path)
            self._new = not path.exists() or not path.stat().st_size
            with _told(path):
                self._db = sqlite3.connect(path, isolation_level=None, timeout=30.0)
                self._prepare()
                self._metrics = set(metric_columns(self._db))
        except BaseException:
            self._lock.release()
            raise
        self.run = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave one plain file if nobody reads it now, or none if no run came to anything; unlock it."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()
        if self._new and self._opening is not None:
            self.path.unlink(missing_ok=True)
        self._lock.release()

    def begin(self, plan: str, space: str, provenance: Mapping[str, Any], started: str) -> None:
        """Open a run; with its first point, positions of an earlier plan are forgotten, results kept.

        A run that ends before its first point, for whatever reason, leaves the file as it was.

        Parameters
        ----------
        plan : str
            Digest of the plan: equal ones number their points equally.
        space, provenance, started
            Stored beside it; `started` is the only time in it.
        """
        with _told(self.path):
            last = self._db.execute("SELECT id, plan FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        self.run = last[0] + 1 if last else 1
        self._forgets = last is not None and last[1] != plan
        self._opening = (plan, space, json.dumps(provenance, sort_keys=True), started)

    def finish(self) -> None:
        """Say that the run is complete, also if it had nothing new to tell."""
        with self._transaction():
            self._open_run()
        self._opened()

    def _open_run(self) -> None:
        """Write what `begin` was told, once, in the transaction of the first point."""
        if self._opening is None:
            return
        if self._forgets:
            self._db.execute("UPDATE points SET position = NULL WHERE position IS NOT NULL")
        self._db.execute(
            "INSERT INTO runs (id, plan, space, provenance, started) VALUES (?, ?, ?, ?, ?)",
            (self.run, *self._opening),
        )

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Known]:
        """Return what is known of `keys`, those without a result left out."""
        found: dict[bytes, Known] = {}
        with _told(self.path):
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                part = keys[start : start + _KEYS_AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = self._db.execute(
                    f"SELECT key, status, position, run, attempts FROM points WHERE key IN ({marks})", part
                )
                found |= {key: Known(*rest) for key, *rest in rows}
        if self._forgets:
            return {key: replace(one, position=None) for key, one in found.items()}
        return found

    def metrics_of(self, keys: Sequence[bytes], metrics: Sequence[str]) -> dict[bytes, tuple[Any, ...]]:
        """Return metrics of finished points by key; None for a metric that a point lacks."""
        have = [metric if metric in self._metrics else None for metric in metrics]
        columns = ", ".join(quoted(name) if name else "NULL" for name in have)
        found: dict[bytes, tuple[Any, ...]] = {}
        with _told(self.path):
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                part = keys[start : start + _KEYS_AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = self._db.execute(
                    f"SELECT key, {columns} FROM points WHERE status = '{DONE}' AND key IN ({marks})", part
                )
                found |= {row[0]: row[1:] for row in rows}
        return found

    def place(self, points: Iterable[Placed]) -> None:
        """Give points that were computed before their positions, and the names that this sweep has."""
        with self._transaction():
            self._open_run()
            self._db.executemany(
                "UPDATE points SET position = ?, preset = ?, network = ?, batch = ?, precision = ?, knobs = ?"
                " WHERE key = ?",
                points,
            )
        self._opened()

    def _opened(self) -> None:
        self._opening, self._forgets = None, False

    def add(self, records: Records) -> None:
        """Write finished points and commit: once this returns, no crash of the process loses them."""
        names = list(records.metrics)
        with self._transaction():
            self._open_run()
            for name in names:
                if name not in self._metrics:
                    self._db.execute(f"ALTER TABLE points ADD COLUMN {quoted(name)}")
            columns = ", ".join((*FIXED, *map(quoted, names)))
            marks = ",".join("?" * (len(FIXED) + len(names)))
            self._db.executemany(
                f"INSERT OR REPLACE INTO points ({columns}) VALUES ({marks})", records.rows(self.run)
            )
        self._metrics |= set(names)
        self._opened()

    def limit_pages(self, pages: int) -> None:
        """Let the file grow to `pages` pages of 4 KiB and no further, as on a disk with little room left."""
        self._db.execute(f"PRAGMA max_page_count = {pages}")

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -65536")
        if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            with self._transaction():
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                for statement in _SCHEMA:
                    self._db.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def check_file(path: Path) -> None:
    """Raise StoreError if a file is no sound results file of this schema; nothing is written to it.

    An absent or empty file passes, as does a database without tables that carries no name of another kind.
    """
    if not check_header(path):
        return
    with _told(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        blank = db.execute("PRAGMA application_id").fetchone()[0] == 0
        if blank and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
        check_schema(db, path)
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreError(f"is corrupt: {verdict}", where=str(path), hint="give another file with -o")


def check_header(path: Path, hint: str = "give another name with -o") -> bool:
    """Raise StoreError if `path` is a file of another kind; False if it is absent or empty."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    ours = int.from_bytes(head[68:72], "big") in (APPLICATION_ID, 0)
    if head and (len(head) < 100 or not head.startswith(b"SQLite format 3\0") or not ours):
        raise StoreError(
            "is not a results file of `hwsim sweep`, and stays as it is",
            where=str(path),
            hint=hint,
        )
    return bool(head)


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError if an open database is not a results file that this hwsim reads."""
    found = db.execute("PRAGMA application_id").fetchone()[0]
    if found == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError("holds no results yet", where=str(path), hint="a sweep may just have begun")
    if found != APPLICATION_ID:
        raise StoreError(
            "is a database, but not a results file of `hwsim sweep`",
            where=str(path),
            hint="give another name with -o",
        )
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"has schema {version}, this hwsim reads {SCHEMA_VERSION}",
            where=str(path),
            hint="give another file with -o; results are computed again",
        )


def metric_columns(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the metrics in a results file."""
    return tuple(row[1] for row in db.execute("PRAGMA table_info(points)") if row[1] not in FIXED)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite into messages with a way out."""
    try:
        yield
    except UnicodeDecodeError:
        hint = "give another file with -o"
        raise StoreError("is corrupt: a text is not UTF-8", where=str(path), hint=hint) from None
    except sqlite3.Error as error:
        text, hint = str(error), ""
        if "full" in text:
            text, hint = (
                "the disk is full; the points written so far are safe",
                "make room, then repeat the command",
            )
        elif "locked" in text:
            text, hint = "another program writes this file", "wait until it is done"
        elif "malformed" in text or "not a database" in text:
            text, hint = f"is corrupt: {text}", "give another file with -o"
        raise StoreError(text, where=str(path), hint=hint) from None


def quoted(name: str) -> str:
    """Return a column name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'
