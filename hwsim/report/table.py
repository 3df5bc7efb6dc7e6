"""Data frames, CSV and Parquet of a report; the only file that imports pandas."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hwsim.errors import InputError
from hwsim.report.json_form import plain
from hwsim.report.rows import labelled_rows, table_rows
from hwsim.report.types import SCHEMA_VERSION, Report

if TYPE_CHECKING:
    import pandas as pd


def to_pandas(report: Report, table: str = "layers") -> pd.DataFrame:
    """Return a table of a report as a data frame.

    Parameters
    ----------
    report : Report
        Any report.
    table : str
        "layers" (one row per operator), "events" (one per layer, unit and action) or "prices".

    Returns
    -------
    pandas.DataFrame
        Units stand in the column names; ``attrs`` holds provenance and coverage.

    Raises
    ------
    InputError
        Another table name.
    """
    import pandas as pd

    frame = pd.DataFrame(table_rows(report, table))
    frame.attrs = {"provenance": plain(report.provenance), "coverage": plain(report.coverage)}
    return frame


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of equal columns as a data frame."""
    import pandas as pd

    return pd.DataFrame(list(rows))


def to_csv(reports: Sequence[Report], table: str = "layers", names: Sequence[str] = ()) -> str:
    """Return a table of one or more reports as CSV: a header line, units in the column names, ints exact."""
    rows = labelled_rows(reports, table, names)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_parquet(reports: Sequence[Report], table: str = "layers", names: Sequence[str] = ()) -> bytes:
    """Return a table of one or more reports as Parquet, provenance in the file's metadata under "hwsim".

    Raises
    ------
    InputError
        pyarrow is not installed, or a count does not fit 64 bits.
    """
    require_pyarrow()
    import pyarrow
    import pyarrow.parquet

    rows = labelled_rows(reports, table, names)
    heads = [{"schema_version": SCHEMA_VERSION, "provenance": plain(report.provenance),
              "coverage": plain(report.coverage)} for report in reports]
    try:
        content = pyarrow.Table.from_pylist(rows, metadata=None)
    except (OverflowError, pyarrow.ArrowInvalid) as error:
        raise InputError(f"a count does not fit the 64 bits of Parquet: {error}", where=f"report.{table}",
                         hint="write CSV or JSON, whose whole numbers are exact") from None
    content = content.replace_schema_metadata({"hwsim": json.dumps(heads, ensure_ascii=False)})
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(content, sink)
    return bytes(sink.getvalue().to_pybytes())


def require_pyarrow() -> None:
    """Raise InputError with the line that installs pyarrow, if it is absent."""
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError("Parquet files need pyarrow, which is not installed",
                         hint='install it with: pip install "hwsim[parquet]"')
