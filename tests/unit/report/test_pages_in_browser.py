"""The pages do in Chromium what they promise: sort, filter, and show a design and its command on a click."""

from __future__ import annotations

from pathlib import Path

import browser
import pytest
from synthetic_sweep import grid

from hwsim.report.html import to_html
from hwsim.report.sweep_page import SweepPage, to_sweep_html
from hwsim.report.types import Report

pytestmark = [pytest.mark.skipif(browser.PATH is None, reason=browser.ABSENT), pytest.mark.slow]

CLICKS = """
const click = node => node.dispatchEvent(new MouseEvent("click", { bubbles: true }));
const panel = document.getElementById("chosen"), told = [];
const count = selector => document.querySelectorAll(selector).length;
const tell = () => told.push([panel.hidden, panel.querySelector("h2").textContent,
  panel.querySelector("pre").textContent, count("#lines .picked"), count("#front .picked")]);
tell();
click(document.querySelector('#points tbody tr[data-row="7"] td')); tell();
click(document.querySelector('#front circle[data-row="3"]')); tell();
click(document.querySelector('#lines path[data-row="11"]')); tell();
const cell = document.querySelector(".cell"); click(cell); tell();
click(document.getElementById("close")); tell();
return { told, cell: Number(cell.dataset.point), commands: data.commands };
"""
STATE = """
const texts = selector => [...document.querySelectorAll(selector)].map(node => node.textContent);
const column = name => texts("#points thead th").indexOf(name) + 1;
const cells = name => texts(`#points tbody td:nth-child(${column(name)})`);
const head = name => [...document.querySelectorAll("#points thead th")][column(name) - 1];
"""


def test_a_click_on_row_mark_line_or_cell_shows_design_and_command(tmp_path: Path) -> None:
    table = grid()
    found = in_page(CLICKS, tmp_path)
    cell = found["cell"]
    assert [entry[0] for entry in found["told"]] == [True, False, False, False, False, True]
    for entry, point in zip(found["told"][1:5], (7, 3, 11, cell), strict=True):
        assert entry[1:] == [f"Point {point}", table.commands[point], 1, 1]
    assert found["told"][5][3:] == [0, 0]


def test_fronts_in_the_page_are_those_of_the_table(tmp_path: Path) -> None:
    script = STATE + """
    const front = () => [...document.querySelectorAll("#front circle.best")]
      .map(node => Number(node.dataset.row)).sort((a, b) => a - b);
    const before = front(), list = document.getElementById("up");
    list.value = "utilization";
    list.dispatchEvent(new Event("change"));
    return [before, front(), document.querySelectorAll("#lines path.best").length, texts("#count")];"""
    before, after, drawn, told = in_page(script, tmp_path)
    assert before == sorted(grid().front)
    assert after == before, "utilization is the inverse of time, and more of it is better"
    assert (drawn, told) == (len(after), [f"{len(after)} of 75 points are on this front"])


def test_table_sorts_by_value_and_shows_units(tmp_path: Path) -> None:
    script = STATE + """
    const seen = [cells("clock_hz").slice(0, 3)];
    for (const name of ["time_s", "time_s", "dataflow", "dataflow"]) {
      head(name).click();
      seen.push(cells(name).slice(0, 2));
    }
    return [seen, head("dataflow").getAttribute("aria-sort"), cells("point").length, column("chip")];"""
    seen, direction, rows, chip = in_page(script, tmp_path)
    assert seen == [["200 MHz"] * 3, ["15.63 µs"] * 2, ["1.25 ms"] * 2, ["is", "is"], ["ws", "ws"]]
    assert (direction, rows, chip) == ("descending", 75, 0)


def test_a_range_on_an_axis_keeps_points_in_all_pictures(tmp_path: Path) -> None:
    script = STATE + """
    const axis = axes.find(each => each.column.name === "array_rows"), y = axis.y(32);
    state.ranges.set("array_rows", [y - 5, y + 5]);
    filter();
    renderTable();
    const marks = document.querySelectorAll("#front circle:not(.off)").length;
    const kept = [cells("array_rows"), texts("#kept"), marks];
    document.getElementById("clear").click();
    return [...kept, cells("array_rows").length, document.querySelectorAll(".off").length];"""
    rows, told, marks, after, off = in_page(script, tmp_path)
    assert rows == ["32"] * 15
    assert (told, marks, after, off) == (["15 of 75 points kept"], 15, 75, 0)


def test_a_thousand_points_are_drawn_and_rows_come_on_demand(tmp_path: Path) -> None:
    script = """
    const count = selector => document.querySelectorAll(selector).length, first = count("#points tbody tr");
    document.getElementById("more").click();
    return [count("#lines path.point"), count("#front circle"), first, count("#points tbody tr")];"""
    assert in_page(script, tmp_path, repeats=14) == [1050, 1050, 200, 1050]


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    from dataclasses import replace

    evil = '</script><img src=x onerror="window.problems.push(1)">'
    table = grid()
    knobs = (replace(table.knobs[0], values=(evil, *table.knobs[0].values[1:])), *table.knobs[1:])
    page = to_sweep_html(SweepPage(replace(table, knobs=knobs, title=evil), failures=((1, evil, evil),)))
    script = "return [document.querySelectorAll('img').length, document.title, data.columns[0].values[0]];"
    assert browser.in_browser(page, script, tmp_path) == [0, evil, evil]


def test_report_page_sorts_and_holds_its_data(reports: tuple[Report, Report], tmp_path: Path) -> None:
    script = """
    const table = document.querySelector("#layers table"), heads = [...table.querySelectorAll("tr.heads th")];
    const at = heads.findIndex(head => head.textContent === "MACs");
    const number = row => Number(row.cells[at].textContent.replace(/,/g, ""));
    const seen = () => [...table.tBodies[0].rows].map(number);
    heads[at].click();
    const data = document.getElementById("report");
    return [seen(), data.dataset.encoding, document.querySelectorAll("#normalised tbody tr").length];"""
    macs, encoding, rows = browser.in_browser(to_html(reports), script, tmp_path)
    assert macs == sorted(macs, reverse=True)
    assert encoding in ("plain", "gzip")
    assert rows > 5


def in_page(script: str, folder: Path, repeats: int = 1) -> list:  # type: ignore[type-arg]
    """Run a script in the page of the made-up sweep."""
    found = browser.in_browser(to_sweep_html(SweepPage(grid(repeats))), script, folder)
    return found  # type: ignore[no-any-return]
