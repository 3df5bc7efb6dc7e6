"""`hwsim compare NAME` and `hwsim compare FILE.toml`: the columns of a comparison file, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.commands.output import emit, emit_table, note, write_reports
from hwsim.errors import EXIT_OK, InputError, Problem

if TYPE_CHECKING:
    from hwsim.commands.comparing import View
    from hwsim.commands.job import Job
    from hwsim.report.compare import Comparison
    from hwsim.report.service import Sustainability
    from hwsim.report.study import Study


def is_comparison(words: Sequence[str], job: Job) -> bool:
    """Return whether the words name a comparison; beside chips, a network of that name comes first."""
    if any(Path(word).suffix.lower() == ".toml" for word in words):
        return True
    from hwsim import registry

    return words[0] in registry.comparison_names() and not (job.on and words[0] in registry.workload_names())


def compare_file(words: Sequence[str], job: Job, view: View, outputs: Sequence[Path], timeline: Path | None,
                 *, json: bool, quiet: bool) -> int:
    """Run a comparison file, write the files, print tables and reservations, or all of it as JSON.

    Raises
    ------
    InputError
        Several files, options that the file decides, and everything that is wrong with the file.
    """
    _refuse(words, job)
    from hwsim.comparison.driver import run_comparison
    from hwsim.report.comparison_table import WRITERS, sheet_of
    from hwsim.report.json_form import comparison_to_json
    from hwsim.writing import write_bytes

    comparison = run_comparison(words[0], baseline=view.baseline)
    sheet = sheet_of(comparison)
    write_reports(comparison, outputs, timeline, quiet=quiet)
    for path in view.summaries:
        write_bytes(path, WRITERS[path.suffix.lower()](sheet).encode())
        note(f"wrote {path}", quiet=quiet)
    if json:
        emit(comparison_to_json(comparison))
    elif not quiet and comparison.study is not None:
        _show(comparison, comparison.study)
        if view.difference:
            from hwsim.commands.comparing import emit_difference

            emit_difference(sheet)
    return EXIT_OK


def _refuse(words: Sequence[str], job: Job) -> None:
    """Refuse options that a comparison file decides itself, all of them at once."""
    given = {"--on": job.on, "--set": job.settings, "--dim": job.dim, "--batch": job.batch,
             "--precision": job.precision, "--on-unsupported": job.on_unsupported != "error",
             "--schedule": job.schedule, "--scratchpad": job.scratchpad, "--service-life": job.service_life}
    problems = [Problem(option, f"beside the comparison {words[0]}, whose file decides it",
                        "change a copy of the file") for option, value in given.items() if value]
    if len(words) > 1:
        problems.append(Problem("compare", f"{len(words)} names beside a comparison file: {', '.join(words)}",
                                "name one comparison at a time"))
    if problems:
        raise InputError(problems=problems)


def _show(comparison: Comparison, study: Study) -> None:
    from hwsim.report.glance import glance_tables, reservation_lines
    from hwsim.report.totals_rows import gathered

    emit(study.title)
    if study.question:
        emit(study.question)
    if study.task:
        emit(f"All columns: {study.task}.")
    for table in glance_tables(comparison):
        heads = [str(head) for head in table.heads]
        emit("")
        emit_table(heads, [[str(cell) for cell in row] for row in table.rows], right=heads[table.words:])
    if study.service is not None:
        _show_service(study.service)
    emit("\nReservations: why figures are not to be compared as they stand")
    for line in reservation_lines(study):
        emit(line)
    measured = [each.warnings for each in study.measured] or [()] * len(comparison.names)
    told = [(*report.warnings, *own) for report, own in zip(comparison.reports, measured, strict=True)]
    for line in gathered(comparison.names, told):
        emit(f"warning: {line}")


def _show_service(service: Sustainability) -> None:
    from hwsim.report.service_table import CHIP_HEADS, PAIR_HEADS, chip_rows, notes, pair_rows

    emit(f"\nIn service ({service.scenario.label})")
    emit_table(CHIP_HEADS, chip_rows(service), right=CHIP_HEADS[1:])
    emit("")
    emit_table(PAIR_HEADS, pair_rows(service, about=0), right=PAIR_HEADS[2:])
    for line in notes(service):
        emit(line)
