"""The page of published figures beside modeled ones: what `hwsim validate` prints."""

from __future__ import annotations

from collections.abc import Sequence

from docs.generator.text import plain, table
from hwsim.anchors import AnchorResult, validate
from hwsim.commands.validation import HEADS, NUMBERS, by_chip, row_of, totals

_HEAD = """# Published figures

Every published figure that a chip or a carbon method of hwsim is held against, as `hwsim validate` computes
it. This page is written by `make pages`, and a test fails when it is not current.

*Predicted* figures are met without a constant fitted to them. A constant was fitted to *calibrated* ones,
so that they prove nothing. *Unconfirmed* says that the published figure was not read in the original. A
figure marked `<=` or `>=` is a bound, and keeping to one is weaker evidence than meeting a figure. *Known
deviations* are misses that are pinned: the error has to stay within the tolerance of the known one, and the
reason stands below the table. What all this is worth: [trust](trust.md).
"""


def page() -> str:
    """Return the page; evaluates every anchor of every chip."""
    results = validate()
    groups = list(by_chip(results))
    summary = table(
        ("Chip", "Anchors", "Standing"),
        [(f"[{chip}](#{chip})", str(len(rows)), totals(rows)) for chip, rows in groups]
        + [("all", str(len(results)), totals(results))],
        right=("Anchors",),
    )
    return "\n".join([_HEAD, summary, *(_section(chip, rows) for chip, rows in groups)])


def _section(chip: str, rows: Sequence[AnchorResult]) -> str:
    return f"## {chip}\n\n" + anchors_table(rows)


def anchors_table(rows: Sequence[AnchorResult]) -> str:
    """Return the anchors of one chip as a table, and below it why some are off."""
    cells = [[plain(cell) for cell in row_of(result)] for result in rows]
    text = table(HEADS, cells, right=NUMBERS)
    reasons = [f"- {plain(result.name)}: {plain(result.reason)}\n" for result in rows if result.reason]
    return text + (f"\n{''.join(reasons)}" if reasons else "")
