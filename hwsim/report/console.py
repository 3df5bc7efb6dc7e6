"""Prints reports as aligned tables: everything into pipes, the weightiest columns on narrow terminals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, TextIO, cast

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hwsim.report.compare import Comparison, align
from hwsim.report.evidence import evidence_shares
from hwsim.report.rows import Stage, stages
from hwsim.report.totals_rows import Metric, coverage_line, layer_metrics, percent, statements, totals_rows
from hwsim.report.types import Report
from hwsim.report.visible import visible

PIPE_WIDTH = 100_000
_NARROWEST_NAME = 12
_USUAL_NAME = 40
_PADDING = 3

Column = tuple[str, list[str], str, int]


def show(reports: Sequence[Report], file: TextIO, *, layers: bool = True) -> None:
    """Print the per-layer table, totals, energy split, evidence, coverage and warnings.

    Parameters
    ----------
    reports : sequence of Report
        One, or several of one workload, which stand side by side.
    file : text file
        A terminal gets colours (unless NO_COLOR is set) and no line longer than it is wide; a pipe or file
        gets every column in full.
    layers : bool
        Whether to print the per-layer table.

    Raises
    ------
    InputError
        No report, or reports of different workloads.
    """
    comparison = align(reports)
    console = open_console(file)
    with console.capture() as captured:
        _print(console, comparison, layers=layers)
    file.write(captured.get())


def _print(console: Console, comparison: Comparison, *, layers: bool) -> None:
    reports = comparison.reports
    heading = f"{comparison.network} on {', '.join(comparison.names)}"
    console.print(Text(visible(heading, lines=False), style="bold"))
    if layers:
        console.print(layer_table(comparison, console.width))
        _print_fused_note(console, reports)
        _print_placements(console, comparison)
    for table in totals_tables(comparison, console.width):
        console.print(table)
    console.print(_evidence_line(comparison))
    for line in statements(comparison.names, [(coverage_line(report),) for report in reports]):
        console.print(Text(visible(f"coverage: {line}")))
    for line in statements(comparison.names, [report.warnings for report in reports]):
        console.print(Text(visible(f"warning: {line}"), style="yellow"))


def _print_placements(console: Console, comparison: Comparison) -> None:
    """Print where the words of a memory trace lie: it has no other result."""
    for name, report in zip(comparison.names, comparison.reports, strict=True):
        for layer in report.layers:
            if layer.kind == "memory_accesses" and layer.mapping:
                console.print(Text(visible(f"{layer.name} on {name}: {layer.mapping}")))


def show_text(reports: Sequence[Report], *, layers: bool = True) -> str:
    """Return what `show` prints into a file."""
    text = io.StringIO()
    show(reports, text, layers=layers)
    return text.getvalue()


def open_console(file: TextIO) -> Console:
    """Return a console for texts that go to `file`: as wide as the terminal, or wide enough for anything.

    What is printed is captured and written by the caller: rich itself would end the process when the reader
    of a pipe has left.
    """
    if not file.isatty():
        return Console(file=io.StringIO(), width=PIPE_WIDTH, highlight=False, emoji=False, markup=False,
                       no_color=True, color_system=None)
    seen = Console(file=file)
    return Console(file=io.StringIO(), width=seen.width, force_terminal=True, no_color=seen.no_color,
                   color_system=cast(Any, seen.color_system), highlight=False, emoji=False, markup=False,
                   legacy_windows=False)


def layer_table(comparison: Comparison, width: int = PIPE_WIDTH) -> Table:
    """Return the per-layer table, without the lightest columns where `width` characters do not hold all."""
    tables = [{stage.layer.name: stage for stage in stages(report)} for report in comparison.reports]
    order = list(dict.fromkeys(name for table in tables for name in table))
    rows = [[table.get(name) for table in tables] for name in order]
    names = [visible(_owner(row).layer.name, lines=False) + _fused_mark(_owner(row)) for row in rows]
    fixed = [("Layer", names, "left", 99),
             ("Operator", [visible(_owner(row).layer.kind, lines=False) for row in rows], "left", 2),
             ("Output", ["x".join(map(str, _owner(row).layer.shape)) for row in rows], "left", 0),
             ("MACs", [f"{_owner(row).macs:,}" for row in rows], "right", 3)]
    columns: list[Column] = list(fixed)
    for metric in layer_metrics():
        columns += _metric_columns(metric, comparison, rows)
    shown = _fitting(columns, width)
    table = _table()
    for title, _, justify, _ in shown:
        table.add_column(Text(title), justify="right" if justify == "right" else "left", no_wrap=True)
    for cells in zip(*(texts for _, texts, _, _ in shown), strict=True):
        table.add_row(*(Text(cell) for cell in cells))
    return table


def totals_tables(comparison: Comparison, width: int = PIPE_WIDTH) -> list[Table]:
    """Return one table of totals with ratios to the first report, or one a report where that is too wide."""
    rows, names = totals_rows(comparison), comparison.names
    ratio_heads = ["ratio"] if len(names) == 2 else [f"{name} / first" for name in names[1:]]
    table = _table("Total", *names, *ratio_heads)
    for row in rows:
        ratios = ["-" if ratio is None else f"{ratio:.3g}x" for ratio in row.ratios[1:]]
        table.add_row(*(Text(text) for text in (row.title, *row.texts, *ratios)))
    roomy = Console(file=io.StringIO(), width=PIPE_WIDTH)
    if len(names) == 1 or roomy.measure(table).maximum <= width:
        return [table]
    narrow = []
    for index, name in enumerate(names):
        table = _table("Total", name)
        for row in rows:
            table.add_row(Text(row.title), Text(row.texts[index]))
        narrow.append(table)
    return narrow


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if index else "left", no_wrap=True)
    return table


def _metric_columns(metric: Metric, comparison: Comparison,
                    rows: Sequence[Sequence[Stage | None]]) -> list[Column]:
    """Return one column per report, side by side so that chips are compared figure by figure."""
    justify = "left" if metric.title == "Bound by" else "right"
    several = len(comparison.names) > 1
    return [(f"{metric.title}\n{_tail(name)}" if several else metric.title,
             ["-" if (stage := row[index]) is None else visible(metric.text(stage)) for row in rows],
             justify, metric.weight)
            for index, name in enumerate(comparison.names)]


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Drop the lightest columns until the rest fits, then cut names in the middle."""
    kept = list(columns)
    while len(kept) > 2 and _needed(kept) > width:
        lightest = min(weight for _, _, _, weight in kept)
        if lightest >= 5:
            break
        kept = [column for column in kept if column[3] != lightest]
    title, names, justify, weight = kept[0]
    room = max(_NARROWEST_NAME, width - _needed(kept[1:]))
    return [(title, [_cut(name, room) for name in names], justify, weight), *kept[1:]]


def _needed(columns: Sequence[Column]) -> int:
    """Return the characters that columns take, names counted no wider than a usual one."""
    return sum(min(_widest(title, texts), _USUAL_NAME if title == "Layer" else PIPE_WIDTH) + _PADDING
               for title, texts, _, _ in columns)


def _cut(name: str, length: int) -> str:
    head = length // 3
    return name if len(name) <= length else f"{name[:head]}…{name[head + 1 - length:]}"


def _widest(title: str, texts: Sequence[str]) -> int:
    return max((len(text) for text in (*title.split("\n"), *texts)), default=0)


def _owner(row: Sequence[Stage | None]) -> Stage:
    return next(stage for stage in row if stage is not None)


def _fused_mark(stage: Stage) -> str:
    return f" +{len(stage.fused)}" if stage.fused else ""


def _tail(name: str) -> str:
    """Return the preset, which tells columns apart in less room; the totals have the whole name."""
    return name.rpartition(":")[2]


def _print_fused_note(console: Console, reports: Sequence[Report]) -> None:
    fused = sum(1 for layer in reports[0].layers if layer.fused_into)
    if fused:
        text = (f"+n: operators that run inside the layer's loop and are counted with it ({fused} in all; "
                "each stands alone in JSON and CSV)")
        console.print(Text(text, style="dim"))


def _evidence_line(comparison: Comparison) -> Text:
    lines = []
    shares = evidence_shares(comparison.reports)
    for index, name in enumerate(comparison.names):
        parts = ", ".join(f"{kind} {percent(values[index])}" for kind, values in shares)
        lines.append(f"evidence{f' ({name})' if len(comparison.names) > 1 else ''}: energy rests on {parts}")
    return Text("\n".join(lines))
