"""`hwsim report`: a page or a picture of a results file or of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.commands.output import note
from hwsim.errors import EXIT_OK, InputError, Problem

if TYPE_CHECKING:
    from hwsim.report.sweep_table import SweepTable
    from hwsim.report.types import Report

_SWEEP_PICTURES = ("front", "tornado", "heat")
_REPORT_PICTURES = ("energy", "cycles", "roofline", "timeline")


def report(source: Path, outputs: Sequence[Path], objectives: Sequence[str], knobs: str | None,
           picture: str | None, *, quiet: bool) -> int:
    """Write pages (.html) and pictures (.svg).

    Raises
    ------
    InputError
        No output, a suffix or picture that does not fit the source, an unreadable or empty source.
    """
    is_report = source.suffix.lower() == ".json"
    pictures = _REPORT_PICTURES if is_report else _SWEEP_PICTURES
    _check(source, outputs, objectives, knobs, picture, pictures)
    drawn = picture or pictures[0]
    if is_report:
        texts = _of_reports(source, outputs, drawn)
    else:
        texts = _of_sweep(source, outputs, objectives, _pair(knobs), drawn)
    from hwsim.writing import write_bytes

    for path, text in zip(outputs, texts, strict=True):
        write_bytes(path, text.encode())
        note(f"wrote {path}", quiet=quiet)
    return EXIT_OK


def _check(source: Path, outputs: Sequence[Path], objectives: Sequence[str], knobs: str | None,
           picture: str | None, pictures: Sequence[str]) -> None:
    """Refuse what cannot be written, all of it at once and before any work."""
    from hwsim.report.files import check_path

    problems: list[Problem] = []
    if not outputs:
        problems.append(Problem("-o", "no file to write", "name a page (.html) or a picture (.svg)"))
    for path in outputs:
        try:
            check_path(path, (".html", ".svg"))
        except InputError as error:
            problems += error.problems
        if path.exists() and source.exists() and path.samefile(source):
            problems.append(Problem(str(path), "is the file to read"))
    if picture is not None and picture not in pictures:
        problems.append(Problem("--picture", f"{source.name} has no picture {picture!r}",
                                f"it has {', '.join(pictures)}"))
    shows_knobs = picture == "heat" or any(path.suffix.lower() == ".html" for path in outputs)
    if knobs and source.suffix.lower() != ".json" and outputs and not shows_knobs:
        problems.append(Problem("--knobs", "changes only a page (.html) and the picture heat"))
    if picture is not None and not any(path.suffix.lower() == ".svg" for path in outputs):
        problems.append(Problem("--picture", "changes nothing without a file that ends in .svg"))
    if source.suffix.lower() == ".json":
        problems += [Problem(option, "means something for a sweep only", f"{source.name} is a report")
                     for option, given in (("--objectives", objectives), ("--knobs", knobs)) if given]
    if problems:
        raise InputError(problems=problems)


def _pair(knobs: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in knobs.split(",") if name.strip()) if knobs else ()


def _of_reports(source: Path, outputs: Sequence[Path], picture: str) -> list[str]:
    from hwsim.report.files import read
    from hwsim.report.html import to_html

    reports = read(source, bare=False)
    return [to_html(reports) if path.suffix.lower() == ".html" else _report_svg(reports, picture)
            for path in outputs]


def _report_svg(reports: Sequence[Report], picture: str) -> str:
    from hwsim.report.pictures import plots
    from hwsim.report.pictures.drawing import standalone

    if picture == "roofline":
        return standalone(plots.roofline(reports))
    if len(reports) > 1 and picture == "energy":
        return standalone(plots.energy_totals(reports))
    if len(reports) > 1:
        raise InputError(f"the picture {picture!r} shows one report, not {len(reports)}", where="--picture",
                         hint="write the page (.html), which has one for each")
    if picture == "timeline":
        from hwsim.report.pictures.timeline import timeline_svg

        return timeline_svg(reports[0], f"{reports[0].provenance['network']} on {reports[0].name}")
    return standalone(plots.energy_bars(reports[0]) if picture == "energy" else plots.cycle_bars(reports[0]))


def _of_sweep(source: Path, outputs: Sequence[Path], objectives: Sequence[str], knobs: tuple[str, ...],
              picture: str) -> list[str]:
    from hwsim.commands.sweep_columns import failures_of, same_of, sweep_table
    from hwsim.report.sweep_page import SweepPage, to_sweep_html
    from hwsim.sweep.results import open_results

    results = open_results(source)
    table, notes = sweep_table(results, objectives)
    notes += results.outdated()
    texts = []
    for path in outputs:
        if path.suffix.lower() == ".html":
            page = SweepPage(table, failures_of(results), same_of(results), notes, knobs)
            texts.append(to_sweep_html(page))
        else:
            texts.append(_sweep_svg(table, picture, knobs))
    return texts


def _sweep_svg(table: SweepTable, picture: str, knobs: tuple[str, ...]) -> str:
    from hwsim.report.pictures.heat import heat_map, heat_svg
    from hwsim.report.pictures.tornado import tornado_svg
    from hwsim.report.sensitivity import effects

    first, maximise = table.objectives[0]
    if picture == "tornado":
        return tornado_svg(effects(table, first), first, maximise)
    if picture == "heat":
        return heat_svg(heat_map(table, first, knobs), table.positions)
    return _front_svg(table)


def _front_svg(table: SweepTable) -> str:
    from hwsim.report.pictures.front import FrontAxis, front_svg

    if len(table.objectives) != 2:
        raise InputError(f"a picture of a front shows two objectives, not {len(table.objectives)}",
                         where="--objectives", hint="name two, or write the page (.html)")
    axes = []
    for name, maximise in table.objectives:
        values = table.metric(name).values
        axes.append(FrontAxis(name, maximise, tuple(float(value or 0.0) for value in values)))
    tips = [f"point {table.positions[row]}: " + ", ".join(
        f"{column.name} {column.shown(column.values[row])}" for column in table.varied)
        for row in table.front]
    title = f"{table.title}: {axes[1].metric} against {axes[0].metric}"
    return front_svg(axes[0], axes[1], table.front, tips, title)
