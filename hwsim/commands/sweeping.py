"""`hwsim sweep` and `hwsim pareto`: words of the command line in, a results file and a table out."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.commands.output import cell, emit, emit_json, emit_table, note
from hwsim.commands.sweep_words import SweepJob, parts_of, space_of
from hwsim.errors import EXIT_OK, EXIT_PARTIAL, InputError, nearest

if TYPE_CHECKING:
    from hwsim.sweep.driver import Options, Sweep
    from hwsim.sweep.metrics import Objective
    from hwsim.sweep.results import Results, Row

_MOST_ROWS = 40
_STORES = (".db", ".sqlite", ".sqlite3")
_SHOWN_METRICS = ("cycles", "time_s", "energy_j", "area_m2", "power_w", "misclassification_ratio")


def sweep(
    job: SweepJob, outputs: Sequence[Path], options: Options, *, dry_run: bool, json: bool, quiet: bool
) -> int:
    """Evaluate a space into a results file, write exports, print the points or their front."""
    from hwsim.commands.sweep_plan import show_plan
    from hwsim.sweep.driver import check_options, run_plan, summary_of
    from hwsim.sweep.export import check_export, export
    from hwsim.sweep.metrics import read_objectives
    from hwsim.sweep.plan import resolve
    from hwsim.sweep.progress import ProgressLine
    from hwsim.sweep.search import known_metrics

    check_options(options)
    store, exports = _outputs(job, outputs)
    for path in exports:
        check_export(path)
    plan = resolve(space_of(job))
    if job.objectives:
        read_objectives(job.objectives, known_metrics(plan))
    if dry_run:
        return show_plan(plan, json=json)
    line = ProgressLine(sys.stderr)
    latest: list[Any] = []

    def watch(counts: Any) -> None:
        latest[:] = [counts]
        if not quiet:
            line(counts)

    try:
        done = run_plan(plan, store, options, watch)
    except KeyboardInterrupt:
        line.close()
        if latest:
            note(f"{summary_of(latest[0])}; the same command goes on from here", quiet=quiet)
        raise
    line.close()
    for path in exports:
        export(done.results, path)
        note(f"wrote {path}", quiet=quiet)
    _deliver(done, job, json=json, quiet=quiet)
    note(f"{done.summary}; results in {store}", quiet=quiet)
    return EXIT_PARTIAL if done.counts.failed else EXIT_OK


def pareto(path: Path, objectives: Sequence[str], outputs: Sequence[Path], *, json: bool, quiet: bool) -> int:
    """Print the front of a results file, and draw it."""
    from hwsim.report.files import check_path
    from hwsim.sweep.results import open_results
    from hwsim.writing import write_bytes

    for output in outputs:
        check_path(output, (".svg",))
    results = open_results(path)
    results.check_finished()
    wanted = results.objectives(tuple(objectives) or ("energy_j", "time_s"))
    for sentence in results.outdated():
        note(f"warning: {sentence}", quiet=quiet)
    if outputs and len(wanted) != 2:
        raise InputError(
            f"a picture shows two objectives, not {len(wanted)}",
            where="-o",
            hint="name two with --objectives",
        )
    rows = results.pareto([str(objective) for objective in wanted])
    for output in outputs:
        write_bytes(output, _drawn(results, rows, wanted).encode())
        note(f"wrote {output}", quiet=quiet)
    told = ", ".join(str(objective) for objective in wanted)
    if json:
        front = [_document(row) for row in rows]
        emit_json({"objectives": [str(o) for o in wanted], "points": len(results), "front": front})
    elif not quiet:
        emit(f"{len(rows)} of {len(results)} points are on the front of {told}")
        _emit_rows(results, rows, [objective.metric for objective in wanted])
    return EXIT_OK


def _drawn(results: Results, rows: Sequence[Row], wanted: Sequence[Objective]) -> str:
    from hwsim.report.pictures.front import FrontAxis, front_svg

    names = [objective.metric for objective in wanted]
    positions, values = results.values(names)
    axes = [FrontAxis(o.metric, o.maximise, tuple(values[:, at].tolist())) for at, o in enumerate(wanted)]
    places = {position: place for place, position in enumerate(positions.tolist())}
    tips = [
        f"point {row.position}: {', '.join(f'{knob} {cell(value)}' for knob, value in row.knobs.items())}"
        for row in rows
    ]
    networks = dict.fromkeys(row.network for row in rows)
    title = f"{' and '.join(Path(name).name for name in networks)}: {names[1]} against {names[0]}"
    return front_svg(axes[0], axes[1], [places[row.position] for row in rows], tips, title)


def _outputs(job: SweepJob, outputs: Sequence[Path]) -> tuple[Path, list[Path]]:
    """Return the results file and the exports."""
    from hwsim.sweep.export import SUFFIXES

    exports = [path for path in outputs if path.suffix.lower() in SUFFIXES]
    stores = [path for path in outputs if path not in exports]
    for path in stores:
        if path.suffix.lower() not in _STORES:
            page = path.suffix.lower() in (".html", ".svg")
            raise InputError(
                f"no format for the suffix {path.suffix!r}",
                where=str(path),
                hint="pages and pictures come from `hwsim report RESULTS.db`" if page
                else nearest(path.suffix, (*_STORES, *SUFFIXES)),
            )  # fmt: skip
    if len(stores) > 1:
        raise InputError(
            f"several results files: {', '.join(map(str, stores))}",
            where="-o",
            hint=f"one results file; exports end in {' or '.join(SUFFIXES)}",
        )
    return stores[0] if stores else Path(f"{Path(job.sources[0]).stem}.db"), exports


def _deliver(done: Sweep, job: SweepJob, *, json: bool, quiet: bool) -> None:
    results, total = done.results, len(done.results)
    if json:
        emit_json(
            {
                "path": str(results.path),
                "points": total,
                "computed": done.counts.computed,
                "reused": done.counts.reused,
                "failed": done.counts.failed,
                "repeated": done.counts.repeated,
                "rows": [_document(row) for row in results.rows()],
            }
        )
        return
    for row in _first_failed(results):
        note(f"failed: {row.command}: {row.error}", quiet=quiet)
    if quiet:
        return
    rows = _first(results, _MOST_ROWS + 1)
    shown = [name for name in _SHOWN_METRICS if name in results.metrics]
    if len(rows) <= _MOST_ROWS:
        _emit_rows(results, rows, shown)
    elif shown:
        wanted = parts_of(job.objectives) or tuple(n for n in ("energy_j", "time_s") if n in shown)
        best = results.pareto(wanted)
        emit(f"{total:,} points; the {len(best)} on the front of {', '.join(wanted)}:")
        _emit_rows(results, best[:_MOST_ROWS], shown)


def _first(results: Results, count: int) -> list[Row]:
    from itertools import islice

    return list(islice(results.rows(), count))


def _first_failed(results: Results) -> list[Row]:
    from itertools import islice

    return list(islice(results.rows("failed"), 3))


def _emit_rows(results: Results, rows: Sequence[Row], metrics: Sequence[str]) -> None:
    """Print a table of what differs between the rows, and their metrics."""
    columns = ["point"]
    flat = [row.flat(results.knobs, results.metrics) for row in rows]
    for name in ("chip", "preset", "network", "batch", "precision", "status"):
        if len({line[name] for line in flat}) > 1 or (name == "status" and any(row.error for row in rows)):
            columns.append(name)
    knobs = [
        name
        for name in (flat[0] if flat else ())
        if name.removeprefix("knob.") in results.knobs and name not in results.metrics
    ]
    columns += [name for name in knobs if any(line[name] is not None for line in flat)]
    columns += [name for name in metrics if name not in columns]
    numeric = [name for name in columns if any(isinstance(line[name], int | float) for line in flat)]
    emit_table(columns, [[cell(line[name]) for name in columns] for line in flat], right=numeric)


def _document(row: Row) -> dict[str, Any]:
    return {
        "point": row.position,
        "status": row.status,
        "chip": row.chip,
        "preset": row.preset,
        "network": row.network,
        "batch": row.batch,
        "precision": row.precision,
        "knobs": {name: _told(value) for name, value in row.knobs.items()},
        "metrics": row.metrics,
        "error": row.error,
        "command": row.command,
    }


def _told(value: Any) -> Any:
    """Return a knob as JSON can hold it: a value that is not finite, which no design accepts, as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
