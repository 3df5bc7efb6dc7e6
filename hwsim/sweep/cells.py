"""Checks what a results file holds, cell by cell: SQLite finds a damaged page, but not a damaged value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hwsim.sweep.errors import StoreError

_TEXTS = ("chip", "preset", "network", "status")
_STATES = ("done", "failed")


def corrupt(path: Path, reason: str) -> StoreError:
    """Return the error for a file whose content is damaged."""
    hint = "compute the points again, with another -o"
    return StoreError(f"is corrupt: {reason}", where=str(path), hint=hint)


def read_document(text: object, what: str, path: Path) -> dict[str, Any]:
    """Return a JSON object; StoreError if `text` is none."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise corrupt(path, f"{what} of the sweep cannot be read")
    return found


def check_cells(cells: Mapping[str, object], path: Path) -> None:
    """Raise StoreError unless the columns of a point have the types that the writer gave them."""
    place = f"point {cells['position']!r}"
    whole = [name for name in ("position", "run", "batch") if not isinstance(cells[name], int)]
    texts = [name for name in _TEXTS if not isinstance(cells[name], str)]
    texts += [name for name in ("precision", "error") if not isinstance(cells[name], str | None)]
    wrong = [name for name in whole if name != "batch" or cells[name] is not None] + texts
    if wrong:
        raise corrupt(path, f"{place} has no {wrong[0]}")
    if cells["status"] not in _STATES:
        raise corrupt(path, f"{place} has the status {str(cells['status'])[:40]!r}")


def check_metrics(metrics: Iterable[tuple[str, object]], position: int, path: Path) -> dict[str, Any]:
    """Return the metrics that a point has; StoreError if one is no finite number."""
    found = {name: value for name, value in metrics if value is not None}
    for name, value in found.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise corrupt(path, f"point {position} has {str(value)[:40]!r} as {name}")
    return found
