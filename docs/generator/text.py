"""Markdown from cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Return a Markdown table; cells are plain text, in which bars are escaped.

    Parameters
    ----------
    heads, rows
        Cells.
    right : sequence of str
        Heads of columns that hold numbers.
    """
    rule = ["--:" if head in right else "---" for head in heads]
    lines = [heads, rule, *([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: str) -> str:
    """Return text as code, or nothing for nothing."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Return text in which nothing is taken for markup."""
    for mark in ("\\", "*", "_", "[", "`"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;")
