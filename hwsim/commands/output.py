"""Where commands write: data to stdout, notes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from hwsim.report.console import open_console


def emit(text: str) -> None:
    """Write data to stdout, ending with one newline."""
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
        table.add_row(*(Text(cell) for cell in row))
    open_console(sys.stdout).print(table)


def note(text: str, *, quiet: bool = False) -> None:
    """Write a note to stderr."""
    if not quiet:
        sys.stderr.write(f"hwsim: {text}\n")
