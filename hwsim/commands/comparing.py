"""`hwsim compare`: chips, comparison files, or reports that are written already, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.commands.evaluate import deliver, evaluate
from hwsim.commands.job import Job, chip_specs, reports_of
from hwsim.commands.output import check_outputs, emit, emit_table, note
from hwsim.commands.studying import compare_file, is_comparison
from hwsim.errors import EXIT_OK, InputError, Problem, nearest

if TYPE_CHECKING:
    from hwsim.report.comparison_table import Sheet
    from hwsim.report.types import Report

_MOST_PARTS = 15


@dataclass(frozen=True, slots=True)
class View:
    """How a comparison is shown.

    Attributes
    ----------
    baseline : str or None
        Column that the others are divided by; None: the first.
    difference : bool
        Whether to show which components and events make the difference.
    summaries : tuple of Path
        Files for the table: .csv, .json or .tex.
    """

    baseline: str | None = None
    difference: bool = False
    summaries: tuple[Path, ...] = ()


def compare(networks: Sequence[str], job: Job, view: View, outputs: Sequence[Path], timeline: Path | None, *,
            json: bool, quiet: bool) -> int:
    """Do as `evaluate` for one network on two or more chips, for a comparison file, or for written reports.

    Raises
    ------
    InputError
        Several networks, a single chip, options that reports no longer obey, no such baseline.
    """
    _check(view, outputs, timeline)
    if is_comparison(networks, job):
        return compare_file(networks, job, view, outputs, timeline, json=json, quiet=quiet)
    files = [word for word in networks if Path(word).suffix.lower() == ".json"]
    if len(files) == len(networks):
        reports = _read(files, job)
    else:
        job = _one_network(networks, job)
        if job.schedule or job.service_life is not None:
            return _evaluate_specially(job, view, outputs, timeline, json=json, quiet=quiet)
        reports = reports_of(job, quiet=quiet)
    _show(reports, view, outputs, timeline, json=json, quiet=quiet)
    return EXIT_OK


def _show(reports: Sequence[Report], view: View, outputs: Sequence[Path], timeline: Path | None, *,
          json: bool, quiet: bool) -> None:
    from hwsim.report.comparison_table import WRITERS, baseline_first, sheet_of
    from hwsim.writing import write_bytes

    ordered = baseline_first(reports, view.baseline)
    sheet = sheet_of(ordered)
    deliver(ordered, outputs, timeline, json=json, quiet=quiet)
    for path in view.summaries:
        write_bytes(path, WRITERS[path.suffix.lower()](sheet).encode())
        note(f"wrote {path}", quiet=quiet)
    if not json and not quiet:
        _emit_sheet(sheet)
        if view.difference:
            emit_difference(sheet)


def _check(view: View, outputs: Sequence[Path], timeline: Path | None) -> None:
    from hwsim.report.comparison_table import SUFFIXES
    from hwsim.report.files import check_path

    check_outputs(outputs, timeline)
    problems = [Problem(str(path), "named twice as an output") for path in view.summaries
                if [*outputs, *view.summaries].count(path) > 1]
    for path in view.summaries:
        try:
            check_path(path, SUFFIXES)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems=problems)


def _one_network(networks: Sequence[str], job: Job) -> Job:
    if len(networks) > 1:
        raise InputError(f"{len(networks)} networks given: {', '.join(networks)}", where="compare",
                         hint="name one network and several chips, or only reports (.json)")
    if not job.on:
        from hwsim import registry

        raise InputError(f"no chip given, and no comparison is called {networks[0]!r}", where="--on",
                         hint="name two or more, as in --on systolic:tpu_v1,systolic:edge_32, or a "
                         f"comparison: {nearest(networks[0], registry.comparison_names())}")
    if len(chip_specs(job.on)) < 2:
        raise InputError(f"only one chip given: {', '.join(job.on)}", where="--on",
                         hint="name two or more, as in --on systolic:tpu_v1,systolic:edge_32")
    return replace(job, network=networks[0])


def _evaluate_specially(job: Job, view: View, outputs: Sequence[Path], timeline: Path | None, *, json: bool,
                        quiet: bool) -> int:
    """Compare with schedules or in service, where columns stand as the chips were named."""
    given = {"--baseline": view.baseline, "--difference": view.difference, "--summary": view.summaries}
    other = "--schedule" if job.schedule else "--service-life"
    problems = [Problem(option, f"together with {other}", "run them apart")
                for option, value in given.items() if value]
    if problems:
        raise InputError(problems=problems)
    return evaluate(job, outputs, timeline, json=json, quiet=quiet)


def _read(files: Sequence[str], job: Job) -> tuple[Report, ...]:
    """Return reports that `write` has written, whatever hwsim computed them."""
    from hwsim.report.files import read

    given = {"--on": job.on, "--set": job.settings, "--dim": job.dim, "--batch": job.batch,
             "--precision": job.precision, "--schedule": job.schedule, "--service-life": job.service_life,
             "--on-unsupported": job.on_unsupported != "error"}
    problems = [Problem(option, "changes nothing in a report that is written already",
                        "leave it out, or name a network") for option, value in given.items() if value]
    if problems:
        raise InputError(problems=problems)
    reports: list[Report] = []
    for file in files:
        try:
            reports += read(file, bare=False)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems=problems)
    return tuple(reports)


def _emit_sheet(sheet: Sheet) -> None:
    """Print what the totals do not have: figures per unit of work and in one technology."""
    if len(sheet.names) < 2:
        return
    heads = ["Normalised"]
    for name in sheet.names:
        heads += [name] if name == sheet.names[0] else [name, f"{name} ÷ first"]
    rows = []
    for row in sheet.section("per work", "one technology"):
        cells = [row.title, row.texts[0]]
        for text, ratio in zip(row.texts[1:], row.ratios[1:], strict=True):
            cells += [text, "-" if ratio is None else f"{ratio:.3g}"]
        rows.append(cells)
    emit("")
    emit_table(heads, rows, right=heads[1:])
    for line in sheet.notes:
        emit(line)
    for line in sheet.warnings:
        emit(f"warning: {line}")


def emit_difference(sheet: Sheet) -> None:
    """Print the parts of every difference from the baseline, largest first."""
    from hwsim.report.difference_table import ENERGY_HEADS, TIME_HEADS, energy_rows, time_rows

    for name, energy, time in zip(sheet.names[1:], sheet.energy, sheet.time, strict=True):
        emit(f"\n{name} minus {sheet.names[0]}")
        emit_table(ENERGY_HEADS, energy_rows(energy, _MOST_PARTS), right=ENERGY_HEADS[2:])
        emit_table(TIME_HEADS, time_rows(time, _MOST_PARTS), right=TIME_HEADS[1:])
