"""Writes reports to files: whole or not at all, in the format that the suffix names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.errors import InputError, nearest
from hwsim.reading import read_text
from hwsim.report.compare import Comparison, align
from hwsim.report.json_form import comparison_to_json, reports_from_json, to_json
from hwsim.report.types import Report
from hwsim.writing import check_writable, write_bytes

if TYPE_CHECKING:
    from hwsim.report.schedule_costs import ScheduledCost
    from hwsim.report.service import Sustainability

_MAX_REPORT_BYTES = 1 << 30


def write(reports: Report | Sequence[Report] | Comparison, path: str | Path, *,
          service: Sustainability | None = None) -> None:
    """Write one report, several of one workload, or a comparison, in the format that the suffix names.

    Parameters
    ----------
    reports : Report, sequence of Report, or Comparison
        JSON and HTML put several side by side; CSV and Parquet hold their per-layer rows one after another.
    path : str or Path
        Ends in .json, .csv, .parquet or .html. An existing file is replaced in one step.
    service : Sustainability, optional
        The same chips in service; only an HTML page shows it.

    Raises
    ------
    InputError
        Unknown suffix, a folder that is absent or cannot be written, different workloads, pyarrow absent.
    """
    target = check_path(path)
    several = align((reports,) if isinstance(reports, Report) else reports)
    if service is not None and target.suffix.lower() == ".html":
        from hwsim.report.html import to_html

        write_bytes(target, to_html(several, service).encode())
        return
    write_bytes(target, _WRITERS[target.suffix.lower()](several))


def write_timeline(reports: Report | Sequence[Report] | Comparison, path: str | Path,
                   plans: Sequence[ScheduledCost] = ()) -> None:
    """Write a Chrome trace (``timeline.json``) that Perfetto opens, one process per report and plan."""
    from hwsim.report.perfetto import to_trace_json

    several = ((reports,) if isinstance(reports, Report) else reports.reports
               if isinstance(reports, Comparison) else tuple(reports))
    write_bytes(check_path(path, (".json",)), to_trace_json(several, plans).encode())


def read(path: str | Path, *, bare: bool = True) -> tuple[Report, ...]:
    """Read the reports of a JSON file that `write` wrote; `bare` as in `reports_from_json`.

    Raises
    ------
    InputError
        Missing, unreadable or oversized file; not a report; another schema.
    """
    text = read_text(Path(path), most_bytes=_MAX_REPORT_BYTES,
                     hint="give a report written with `hwsim run ... -o report.json`")
    return reports_from_json(text, str(path), bare=bare)


def check_path(path: str | Path, suffixes: Sequence[str] = ()) -> Path:
    """Return `path` if a file of a known format can be written there; call it before long work.

    Raises
    ------
    InputError
        Unknown suffix, no such folder, a folder instead of a file, no permission, pyarrow absent.
    """
    target, known = Path(path), tuple(suffixes) or tuple(_WRITERS)
    if target.suffix.lower() not in known:
        reason = f"no format for the suffix {target.suffix!r}" if target.suffix else "the name has no suffix"
        close = nearest(target.suffix, known) if target.suffix else f"known: {', '.join(known)}"
        raise InputError(reason, where=str(path), hint=close)
    if target.suffix.lower() == ".parquet":
        from hwsim.report.table import require_pyarrow

        require_pyarrow()
    check_writable(target)
    return target


def _json(several: Comparison) -> bytes:
    reports = several.reports
    return (to_json(reports[0]) if len(reports) == 1 else comparison_to_json(several)).encode()


def _own_names(several: Comparison) -> tuple[str, ...]:
    """Return the names that a comparison file gives its columns; chip and preset are in the rows anyway."""
    return several.names if several.study is not None else ()


def _csv(several: Comparison) -> bytes:
    from hwsim.report.table import to_csv

    return to_csv(several.reports, names=_own_names(several)).encode()


def _parquet(several: Comparison) -> bytes:
    from hwsim.report.table import to_parquet

    return to_parquet(several.reports, names=_own_names(several))


def _html(several: Comparison) -> bytes:
    from hwsim.report.html import to_html

    return to_html(several).encode()


_WRITERS: Mapping[str, Callable[[Comparison], bytes]] = {
    ".json": _json, ".csv": _csv, ".parquet": _parquet, ".html": _html,
}
