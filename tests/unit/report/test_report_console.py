from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from synthetic_report import renamed

from hwsim.errors import InputError
from hwsim.report.compare import align
from hwsim.report.console import layer_table, show, show_text, totals_tables
from hwsim.report.types import Report


class Terminal(io.StringIO):
    """A text file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def _render(renderable: object, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width).print(renderable)
    return text.getvalue().splitlines()


def test_a_pipe_gets_every_column_and_name_in_full(reports: tuple[Report, Report]) -> None:
    text = show_text(reports)
    for layer in reports[0].layers:
        if not layer.fused_into:
            assert layer.name in text
            assert f"{layer.cycles:,}" in text
    assert "…" not in text
    assert "\x1b" not in text
    for head in ("Cycles", "Stalls", "Time", "Util.", "Energy", "Bound by", "MACs", "Output"):
        assert head in text


def test_rows_are_aligned(report: Report) -> None:
    lines = _render(layer_table(align([report])), 400)
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_narrow_terminals_lose_columns_not_figures(reports: tuple[Report, Report], width: int) -> None:
    text = "\n".join(_render(layer_table(align(reports[:1]), width), width))
    assert all(len(line) <= width for line in text.splitlines())
    for layer in reports[0].layers:
        assert layer.fused_into or f"{layer.cycles:,}" in text
    assert "Energy" in text


@pytest.mark.parametrize("width", [50, 70, 120])
def test_totals_are_never_broken_over_lines(reports: tuple[Report, Report], width: int) -> None:
    comparison = align(reports)
    lines = [line for table in totals_tables(comparison, width) for line in _render(table, width)]
    for report in reports:
        assert any(re.search(rf"Cycles .*\b{report.totals.cycles:,}\b", line) for line in lines)
        whole = rf"Bit operations .*\b{report.totals.bit_operations:,}\b"
        assert any(re.search(whole, line) for line in lines)


def test_terminals_get_colour_unless_no_color_is_set(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    colourful, plain = Terminal(), Terminal()
    show([report], colourful)
    monkeypatch.setenv("NO_COLOR", "1")
    show([report], plain)
    assert re.search(r"\x1b\[[\d;]*3\d", colourful.getvalue())
    assert not re.search(r"\x1b\[[\d;]*3\d", plain.getvalue())
    assert max(map(len, re.sub(r"\x1b\[[\d;]*m", "", plain.getvalue()).splitlines())) <= 120


def test_ratios_are_to_the_first_report(reports: tuple[Report, Report]) -> None:
    ratio = reports[1].totals.cycles / reports[0].totals.cycles
    assert re.search(rf"^Cycles .* {ratio:.3g}x\s*$", show_text(reports), re.M)


def test_coverage_evidence_and_warnings_are_printed(report: Report) -> None:
    text = show_text([report])
    assert "coverage: costed 100 % of MACs" in text
    assert "warning: The DRAM energy is unconfirmed." in text
    assert re.search(r"energy rests on .*unconfirmed \d+\.\d %", text)


def test_unconfirmed_is_printed_even_if_nothing_rests_on_it(report: Report) -> None:
    sure = replace(report, energy_by_evidence={"reported": 1.0})
    assert "reported 100.0 %, unconfirmed 0.0 %" in show_text([sure])


def test_brackets_in_names_are_printed_as_they_are(report: Report) -> None:
    layer = replace(report.layers[0], name="[bold]conv[/bold] :smile:")
    assert "[bold]conv[/bold] :smile:" in show_text([replace(report, layers=(layer,))])


def test_equal_chips_are_told_apart(report: Report) -> None:
    assert "systolic:tpu_v1#2" in show_text([report, report])


def test_a_layer_that_one_chip_lacks_is_a_dash(reports: tuple[Report, Report]) -> None:
    shorter = replace(reports[1], layers=reports[1].layers[2:])
    lines = show_text([reports[0], shorter]).splitlines()
    line = next(line for line in lines if line.startswith("/layer1/block0"))
    assert len(re.findall(r"\s-(?=\s|$)", line)) == 6


def test_what_all_reports_say_is_said_once(reports: tuple[Report, Report]) -> None:
    assert show_text(reports).count("coverage: ") == 1
    other = replace(reports[1], coverage={"line": "coverage: half of it"})
    lines = [line for line in show_text([reports[0], other]).splitlines() if line.startswith("coverage: ")]
    assert lines == ["coverage: systolic:tpu_v1: costed 100 % of MACs, 100 % of bytes; 54 nodes; 0 unknown",
                     "coverage: systolic:edge_32: half of it"]


def test_different_networks_are_not_compared(report: Report) -> None:
    with pytest.raises(InputError, match="is not the workload of"):
        show_text([report, renamed(report, graph_fingerprint="0")])
    with pytest.raises(InputError, match="nothing to compare"):
        show_text([])
