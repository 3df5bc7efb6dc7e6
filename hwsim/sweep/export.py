"""Results as CSV and Parquet: sorted by point, free of times, the same bytes for the same results."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.report.table import require_pyarrow
from hwsim.sweep.results import Results
from hwsim.writing import beside, check_writable

SUFFIXES = (".csv", ".parquet")
_ROWS_AT_ONCE = 8192


def check_export(path: Path) -> None:
    """Raise InputError if `export` cannot write `path`; call it before long work."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"no format for the suffix {path.suffix!r}", where=str(path), hint=nearest(path.suffix, SUFFIXES)
        )
    if path.suffix.lower() == ".parquet":
        require_pyarrow()
    check_writable(path)


def export(results: Results, path: str | Path) -> None:
    """Write all points to a .csv or .parquet file, row by row, whole or not at all.

    Raises
    ------
    InputError
        Another suffix, a place that cannot be written, pyarrow absent.
    """
    target = Path(path)
    check_export(target)
    with beside(target) as unfinished:
        (_write_csv if target.suffix.lower() == ".csv" else _write_parquet)(results, unfinished)


def _flat(results: Results) -> Iterator[dict[str, Any]]:
    return (row.flat(results.knobs, results.metrics) for row in results.rows())


def _write_csv(results: Results, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = _flat(results)
        first = next(rows, None)
        if first is None:
            return
        writer = csv.DictWriter(file, list(first), lineterminator="\n")
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)


def _write_parquet(results: Results, path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    names = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    kinds: dict[str, set[type]] = {}
    for row in _flat(results):
        for name, value in row.items():
            kinds.setdefault(name, set()).add(type(value))
    schema = pyarrow.schema([(name, names[_widest(found)]) for name, found in kinds.items()])
    mixed = {name for name, found in kinds.items() if _widest(found) is str}
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        left = _flat(results)
        while rows := list(islice(left, _ROWS_AT_ONCE)):
            told = [
                {
                    name: str(value) if name in mixed and value is not None else value
                    for name, value in row.items()
                }
                for row in rows
            ]
            writer.write_table(pyarrow.Table.from_pylist(told, schema=schema))


def _widest(found: set[type]) -> type:
    """Return the type that holds all values of a column: whole numbers and floats are floats."""
    present = found - {type(None)}
    if len(present) == 1:
        return next(iter(present))
    return float if present == {int, float} else str
