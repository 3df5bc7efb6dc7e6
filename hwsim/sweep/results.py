"""Reads results files: rows with knobs, metrics and the command that reproduces them, while a sweep runs."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.sweep.cells import check_cells, check_metrics, corrupt, read_document
from hwsim.sweep.errors import StoreError
from hwsim.sweep.metrics import DEFINITIONS, Objective, read_objectives
from hwsim.sweep.pareto import front
from hwsim.sweep.records import DONE, FAILED
from hwsim.sweep.store import check_header, check_schema, metric_columns, quoted

if TYPE_CHECKING:
    import pandas as pd

_ASKED = (
    "position", "run", "chip", "preset", "network", "batch", "precision", "knobs", "status", "error",
    "wall_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A point and what became of it.

    Attributes
    ----------
    position : int
        Place in the sweep.
    run : int
        Which run of `Results.runs` computed it: versions, presets and the space asked for then.
    chip, preset, network : str
        What was evaluated.
    batch, precision
        Transforms of the network; None: as it is.
    knobs : mapping
        Knobs that varied, in JSON form.
    status : str
        "done" or "failed".
    error : str
        Why it failed.
    wall_s : float
        Seconds it took; no part of the result.
    metrics : mapping of str to number
        By name, those of `hwsim.sweep.metrics.DEFINITIONS` first.
    command : str
        What evaluates this point alone.
    """

    position: int
    run: int
    chip: str
    preset: str
    network: str
    batch: int | None
    precision: str | None
    knobs: Mapping[str, Any]
    status: str
    error: str
    wall_s: float
    metrics: Mapping[str, Any]
    command: str

    def flat(self, knobs: Sequence[str], metrics: Sequence[str]) -> dict[str, Any]:
        """Return the row as columns; a knob that is called like another column gets a prefix."""
        fixed = {
            "point": self.position,
            "status": self.status,
            "chip": self.chip,
            "preset": self.preset,
            "network": self.network,
            "batch": self.batch,
            "precision": self.precision,
        }
        taken = fixed.keys() | set(metrics) | {"error"}
        varied = {f"knob.{name}" if name in taken else name: self.knobs.get(name) for name in knobs}
        return fixed | varied | {name: self.metrics.get(name) for name in metrics} | {"error": self.error}


@dataclass(frozen=True, slots=True)
class Results:
    """A results file.

    Attributes
    ----------
    path : Path
        Where it lies.
    knobs, metrics : tuple of str
        Names that occur in its rows.
    space : mapping
        The space of the last sweep, as its user wrote it.
    provenance : mapping
        Versions of hwsim, the models and the libraries; presets with all knobs.
    """

    path: Path
    knobs: tuple[str, ...]
    metrics: tuple[str, ...]
    space: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def models(self) -> dict[str, str]:
        """Version of the model behind the points of each chip and preset."""
        chips = self.provenance.get("chips", {})
        return {str(chip): str(told.get("model", "")) for chip, told in chips.items()}

    @property
    def runs(self) -> dict[int, dict[str, Any]]:
        """Provenance of every run that wrote to the file, with its space and the time it started."""
        asked = "SELECT id, provenance, space, started FROM runs ORDER BY id"
        with _opened(self.path) as db:
            return {
                number: read_document(provenance, "provenance", self.path)
                | {"space": read_document(space, "space", self.path), "started": started}
                for number, provenance, space, started in db.execute(asked)
            }

    def outdated(self) -> tuple[str, ...]:
        """Return one sentence for each chip whose model is another one in this hwsim.

        A sweep never serves such points; a reader shows them, and has to say so.
        """
        from hwsim import registry
        from hwsim.sweep.identity import model_version

        found = []
        for chip, version in self.models.items():
            name = chip.partition(":")[0]
            known = name in registry.accelerator_names()
            here = model_version(registry.load_accelerator(name)) if known else "none of that name"
            if here != version:
                found.append(f"{chip} was computed with model {version}, this hwsim has {here}: "
                             "the same sweep computes its points again")  # fmt: skip
        return tuple(found)

    def check_finished(self) -> None:
        """Raise InputError if no point has a result, with the error of the first that failed."""
        counted = "SELECT status, count(*) FROM points WHERE position IS NOT NULL GROUP BY status"
        with _opened(self.path) as db:
            points: dict[Any, int] = dict(db.execute(counted).fetchall())
        if not points:
            raise InputError("holds no points to show", where=str(self.path),
                             hint="write some with `hwsim sweep ... -o FILE`")  # fmt: skip
        if points.keys() == {FAILED}:
            failed = next(self.rows(FAILED))
            raise InputError(f"all {points[FAILED]} points failed; the first: {failed.error}",
                             where=str(self.path), hint=f"see {failed.command}")  # fmt: skip

    def __len__(self) -> int:
        with _opened(self.path) as db:
            return int(db.execute("SELECT count(*) FROM points WHERE position IS NOT NULL").fetchone()[0])

    def rows(self, status: str | None = None, positions: Sequence[int] | None = None) -> Iterator[Row]:
        """Yield the points of the last sweep in order.

        Parameters
        ----------
        status : str, optional
            Only those that are "done" or "failed".
        positions : sequence of int, optional
            Only these, in the order given.
        """
        metrics = "".join(f", {quoted(name)}" for name in self.metrics)
        found = f"SELECT {', '.join(_ASKED)}{metrics} FROM points WHERE "
        wanted = "" if status is None else " AND status = ?"
        values = () if status is None else (status,)
        with _opened(self.path) as db:
            if positions is None:
                rows = db.execute(f"{found}position IS NOT NULL{wanted} ORDER BY position", values)
                yield from map(self._row, rows)
                return
            for position in positions:
                for row in db.execute(f"{found}position = ?{wanted}", (position, *values)):
                    yield self._row(row)

    def values(self, metrics: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return positions[n], and metrics[n, m] of the finished points that have them all."""
        names = [quoted(name) for name in metrics]
        present = "".join(f" AND {name} IS NOT NULL" for name in names)
        with _opened(self.path) as db:
            rows = db.execute(
                f"SELECT position, {', '.join(names)} FROM points WHERE position IS NOT NULL "
                f"AND status = ?{present} ORDER BY position",
                (DONE,),
            )
            try:
                flat = np.fromiter((value for row in rows for value in row), dtype=np.float64)
            except (TypeError, ValueError):
                raise corrupt(self.path, f"a value of {', '.join(metrics)} is no number") from None
        if not np.isfinite(flat).all():
            raise corrupt(self.path, f"a value of {', '.join(metrics)} is not finite")
        table = flat.reshape(-1, len(names) + 1)
        return table[:, 0].astype(np.int64), table[:, 1:]

    def _row(self, found: tuple[Any, ...]) -> Row:
        cells = dict(zip(_ASKED, found, strict=False))
        check_cells(cells, self.path)
        position, run, chip, preset, network, batch, precision, knobs, status, error, wall_s = cells.values()
        values = zip(self.metrics, found[len(_ASKED) :], strict=True)
        settings = read_document(knobs, f"knobs of point {position}", self.path)
        command = self._command(network, f"{chip}:{preset}", settings, batch, precision)
        return Row(
            position,
            run,
            chip,
            preset,
            network,
            batch,
            precision,
            settings,
            status,
            error or "",
            wall_s,
            check_metrics(values, position, self.path),
            command,
        )

    def _command(
        self, network: str, chip: str, knobs: Mapping[str, Any], batch: int | None, precision: str | None
    ) -> str:
        if network in self.provenance.get("graphs_in_memory", ()):
            told = "".join(f", {name}={value!r}" for name, value in knobs.items())
            also = f", batch {batch}" if batch is not None else ""
            also += f", precision {precision}" if precision is not None else ""
            return f"hwsim.evaluate(graph, hwsim.chip({chip!r}{told}))  # a graph in memory: {network}{also}"
        words = ["hwsim", "run", network, "--on", chip]
        for name, value in knobs.items():
            words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        for name, size in self.space.get("dimensions", {}).items():
            words += ["--dim", f"{name}={size}"]
        words += ["--batch", str(batch)] if batch is not None else []
        words += ["--precision", precision] if precision is not None else []
        words += ["--functional", str(self.space["functional"])] if self.space.get("functional") else []
        policy = self.space.get("on_unsupported", "error")
        words += ["--on-unsupported", policy] if policy != "error" else []
        return shlex.join(words)

    def pareto(self, objectives: str | Sequence[str] = ("energy_j", "time_s")) -> tuple[Row, ...]:
        """Return the rows that no other row beats in all objectives, best in the first one first.

        Raises
        ------
        InputError
            Unknown objectives; no finished point that has them all.
        """
        self.check_finished()
        wanted = self.objectives(objectives)
        positions, values = self.values([objective.metric for objective in wanted])
        if not positions.size:
            raise InputError("no finished point has all objectives", where=str(self.path))
        costs = values * np.array([objective.sign for objective in wanted])
        best = front(costs)
        order = np.lexsort((positions[best], *costs[best].T[::-1]))
        return tuple(self.rows(DONE, positions[best[order]].tolist()))

    def objectives(self, words: str | Sequence[str]) -> tuple[Objective, ...]:
        """Read objectives against the metrics of this file."""
        return read_objectives((words,) if isinstance(words, str) else words, self.metrics)

    def to_pandas(self) -> pd.DataFrame:
        """Return all points as a data frame: knobs and metrics as columns, units in their names."""
        from hwsim.report.table import frame_of

        return frame_of([row.flat(self.knobs, self.metrics) for row in self.rows()])


def open_results(path: str | Path) -> Results:
    """Open a results file for reading; a sweep may go on writing it.

    Raises
    ------
    StoreError
        Missing, foreign or corrupt file, or another schema.
    """
    source = Path(path)
    if not source.is_file() or not source.stat().st_size:
        raise StoreError(
            "no such results file", where=str(path), hint="write one with `hwsim sweep ... -o FILE`"
        )
    check_header(source, "results are written with `hwsim sweep ... -o FILE`")
    with _opened(source) as db:
        check_schema(db, source)
        names = metric_columns(db)
        known = tuple(name for name in DEFINITIONS if name in names)
        run = db.execute("SELECT space, provenance FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    space = read_document(run[0], "space", source) if run else {}
    provenance = read_document(run[1], "provenance", source) if run else {}
    knobs = dict.fromkeys(str(name) for name in provenance.get("knobs", ()))
    return Results(source, tuple(knobs), (*known, *sorted(set(names) - set(known))), space, provenance)


def _check_whole(path: Path) -> None:
    """Raise StoreError if a stopped sweep left its last commits beside a file that must not be written."""
    real = path.resolve()
    journal = real.with_name(f"{real.name}-wal")
    if journal.is_file() and journal.stat().st_size:
        raise StoreError(
            "was left by a sweep that was stopped, and nothing can be written beside it",
            where=str(path),
            hint=f"copy it and {journal.name} to a place where both can be written",
        )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open for reading, also where nothing can be written beside the file."""
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=30.0)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            db.close()
            _check_whole(path)
            db = sqlite3.connect(f"{uri}&immutable=1", uri=True)
        with closing(db):
            yield db
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise StoreError(
            f"cannot be read: {error}", where=str(path), hint="the file may be corrupt"
        ) from None
