"""Where commands write: data to stdout, notes to stderr, reports to the files that were named."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from hwsim.errors import InputError, Problem
from hwsim.report.console import open_console
from hwsim.report.visible import visible

if TYPE_CHECKING:
    from hwsim.report.compare import Comparison
    from hwsim.report.schedule_costs import ScheduledCost
    from hwsim.report.service import Sustainability
    from hwsim.report.types import Report


def emit(text: str) -> None:
    """Write data to stdout, ending with one newline; control characters are written out."""
    text = visible(text)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def emit_json(document: object) -> None:
    """Write a document as indented JSON to stdout."""
    emit(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def emit_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Write an aligned table to stdout: wrapped to a terminal's width, in full into a pipe."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(Text(head), justify="right" if head in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    console = open_console(sys.stdout)
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write(captured.get())


def cell(value: object) -> str:
    """Return a value as a table shows it: floats with five digits, a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def note(text: str, *, quiet: bool = False) -> None:
    """Write a note to stderr."""
    if not quiet:
        with suppress(OSError):
            sys.stderr.write(f"hwsim: {visible(text, lines=False)}\n")


def emit_beside(reports: Sequence[Report], name: str, answers: Sequence[object]) -> None:
    """Write the reports as JSON, one document a chip, in each of them its answer under `name`."""
    from hwsim.report.json_form import to_json

    documents = [json.loads(to_json(report)) | {name: answer}
                 for report, answer in zip(reports, answers, strict=True)]
    emit_json(documents[0] if len(documents) == 1 else documents)


def check_outputs(outputs: Sequence[Path], timeline: Path | None) -> None:
    """Refuse paths that cannot be written before any work is done."""
    from hwsim.report.files import check_path

    problems: list[Problem] = []
    paths = [*outputs, *([timeline] if timeline else [])]
    for path in paths:
        try:
            check_path(path, (".json",) if path is timeline else ())
        except InputError as error:
            problems += error.problems
    problems += [Problem(str(path), "named twice as an output") for path in sorted(set(paths))
                 if paths.count(path) > 1]
    if problems:
        raise InputError(problems=problems)


def write_reports(reports: Sequence[Report] | Comparison, outputs: Sequence[Path], timeline: Path | None, *,
                  quiet: bool, plans: Sequence[ScheduledCost] = (),
                  service: Sustainability | None = None) -> None:
    """Write the files that were named, and say so."""
    from hwsim.report.files import write, write_timeline

    for path in outputs:
        write(reports, path, service=service)
        note(f"wrote {path}", quiet=quiet)
    if timeline is not None:
        write_timeline(reports, timeline, plans)
        note(f"wrote {timeline}; open it at https://ui.perfetto.dev", quiet=quiet)
