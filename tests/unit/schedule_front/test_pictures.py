from __future__ import annotations

import re
import xml.etree.ElementTree as Tree
from pathlib import Path

import pytest

from hwsim.report.pictures.memory_map import lives_of, memory_map_html, memory_map_svg
from hwsim.report.pictures.size_sweep import sweep_html, sweep_svg
from hwsim.report.schedule_table import baseline_rows, fact_rows, sweep_rows
from hwsim.schedule.network import from_problem
from hwsim.schedule.network_run import ScheduleReport, schedule_network
from hwsim.schedule.size_sweep import (
    Sweep,
    SweepPoint,
    budgets_of,
    parse_range,
    sweep_budgets,
    sweep_document,
)
from hwsim.schedule.types import Problem, Status

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def darts(known: dict[str, Problem]) -> ScheduleReport:
    return schedule_network(known["DARTS-1c"], "180blocks", time_limit_s=10)


def test_every_stay_of_every_tensor_is_drawn(darts: ScheduleReport) -> None:
    assert darts.plan is not None
    root = Tree.fromstring(memory_map_svg(darts))
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == "t"]
    lives = lives_of(darts.network.problem, darts.plan)
    assert len(groups) == len(lives) == 16
    drawn = {int(g.attrib["data-t"]): len(list(g.iter(f"{SVG}rect"))) for g in groups}
    assert [drawn[i] for i in range(16)] == [len(life.stays) for life in lives]
    assert sum(len(life.stays) for life in lives) == 17
    twice = next(life for life in lives if len(life.stays) == 2)
    assert [stay.kind for stay in twice.stays] == ["created", "fetched again"]
    assert twice.stays[0].spilled
    lines = [g for g in groups if list(g.iter(f"{SVG}polyline"))]
    assert len(lines) == 1
    tip = lines[0].find(f"{SVG}title")
    assert tip is not None
    assert tip.text is not None
    assert tip.text.startswith(f"{twice.name} (intermediate, 72 KiB)\n")


def test_rectangles_do_not_overlap_and_stay_inside(darts: ScheduleReport) -> None:
    assert darts.plan is not None
    stays = [stay for life in lives_of(darts.network.problem, darts.plan) for stay in life.stays]
    for index, one in enumerate(stays):
        assert 0 <= one.address <= one.address + one.size <= 180 * 1024
        for other in stays[index + 1:]:
            meet_in_time = one.start <= other.end and other.start <= one.end
            apart = one.address + one.size <= other.address or other.address + other.size <= one.address
            assert apart or not meet_in_time


def test_pictures_are_the_same_every_time_and_load_nothing(darts: ScheduleReport) -> None:
    assert memory_map_svg(darts) == memory_map_svg(darts)
    page = memory_map_html(darts)
    assert page == memory_map_html(darts)
    outside = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|<link|src=|@import", outside)
    assert page.count("data-history=") == 16


def test_strange_names_are_escaped(tmp_path: Path) -> None:
    problem = Problem.from_blocks({"size": [1, 1], "ins": [[], [0]], "name": "<a href='x'>&\x07"})
    report = schedule_network(problem, "4blocks")
    root = Tree.fromstring(memory_map_svg(report))
    assert root.get("aria-label") == "Memory map of <a href='x'>&?"
    assert "<a href='x'>" not in memory_map_html(report)


def test_workspaces_have_their_own_colour() -> None:
    problem = Problem.from_blocks({"size": [2, 2], "ins": [[], [0]], "workspace": [3, 1]})
    report = schedule_network(problem, "8blocks")
    assert report.plan is not None
    last = lives_of(problem, report.plan)[-1]
    assert [stay.size for stay in last.stays] == [3072, 1024]
    assert 'class="workspace"' in memory_map_svg(report)


def test_a_report_without_plan_has_no_picture(known: dict[str, Problem]) -> None:
    report = schedule_network(known["DARTS-1c"], "10blocks")
    assert report.status is Status.INFEASIBLE
    with pytest.raises(ValueError, match="no memory map"):
        memory_map_svg(report)


def test_rows_of_tables(darts: ScheduleReport) -> None:
    rows = dict(fact_rows(darts))
    assert rows["Status"] == "OPTIMAL"
    assert rows["Smallest feasible budget"] == "180 KiB (180 blocks), set by op2"
    baselines = {row[:2]: row[2:] for row in baseline_rows(darts)}
    assert baselines["default", "belady"] == ("468 KiB", "69.2%", "as in the paper")
    assert baselines["default", "arena"] == ("does not fit", "-", "")


@pytest.fixture(scope="module")
def curve(known: dict[str, Problem]) -> Sweep:
    network = from_problem(known["DARTS-1c"])
    low, high, points = parse_range("160blocks:230blocks:4", network.problem)
    return sweep_budgets(network, budgets_of(low, high, points, (180, 216)), time_limit_s=5)


def test_a_curve_never_rises_and_is_zero_from_the_smallest_peak_on(curve: Sweep) -> None:
    solved = [point for point in curve.points if point.traffic is not None]
    traffic = [point.traffic or 0 for point in solved]
    assert traffic == sorted(traffic, reverse=True)
    assert [p.lower_bound for p in solved] == traffic
    for point in curve.points:
        assert (point.traffic is None) == (point.budget < 180)
        if point.traffic is not None:
            assert (point.traffic == 0) == (point.budget >= 216)
    assert {160, 180, 198, 216, 230} - {p.budget for p in curve.points} <= {198}
    assert sweep_document(curve)["points"][-1]["non_compulsory_bytes"] == 0
    assert sweep_rows(curve)[0][2] == "INFEASIBLE"


def test_sweep_pictures(curve: Sweep) -> None:
    root = Tree.fromstring(sweep_svg(curve))
    curves = [e for e in root.iter(f"{SVG}polyline") if e.get("class") == "curve"]
    assert len(curves) == 3
    assert sweep_svg(curve) == sweep_svg(curve)
    assert not re.search(r"https?://|<link|src=|<script", sweep_html(curve).replace("http://www.w3.org/", ""))


def test_a_bound_is_carried_to_smaller_and_a_plan_to_larger_scratchpads(
        known: dict[str, Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    found = {180: (300, 10), 190: (200, 150), 200: (250, 100)}

    def fake(problem: Problem, budgets: object, *rest: object) -> object:
        best = None
        for budget, (traffic, bound) in found.items():
            best = traffic if best is None else min(best, traffic)
            yield SweepPoint(budget, Status.FEASIBLE, best, bound, {}, ""), 216

    monkeypatch.setattr("hwsim.schedule.size_sweep._ascending", fake)
    sweep = sweep_budgets(from_problem(known["DARTS-1c"]), list(found))
    assert [(p.traffic, p.lower_bound) for p in sweep.points] == [(300, 150), (200, 150), (200, 100)]


def test_budgets_lie_close_where_traffic_changes() -> None:
    budgets = budgets_of(64, 2048, 6, (300, 400))
    assert budgets[0] == 64
    assert budgets[-1] == 2048
    assert {300, 320, 340, 360, 380, 400} <= set(budgets)
