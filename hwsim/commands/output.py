"""Where commands write: data to stdout, notes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress

from rich import box
from rich.table import Table
from rich.text import Text

from hwsim.report.console import open_console
from hwsim.report.visible import visible


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
