"""Sensitivity, tornado, heat map and page of a sweep whose effects are known by formula."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from synthetic_sweep import ENERGY_OF_FLOW, ROWS, grid

from hwsim.errors import InputError
from hwsim.report.pictures.heat import heat_map, heat_svg
from hwsim.report.pictures.tornado import tornado_svg
from hwsim.report.sensitivity import effects, levels
from hwsim.report.sweep_page import MAX_PAGE_BYTES, SweepPage, thinned, to_sweep_html
from hwsim.report.sweep_table import Column, SweepTable


def test_effects_are_those_of_the_formula() -> None:
    found = {effect.knob: effect for effect in effects(grid(), "energy_j")}
    assert list(found) == ["array_rows", "dataflow", "clock_hz"]
    rows = found["array_rows"]
    mean = math.prod(math.sqrt(rows / 4) for rows in ROWS) ** (1 / len(ROWS))
    assert (rows.low_label, rows.high_label, rows.matched) == ("4", "64", True)
    assert rows.low_ratio == pytest.approx(1 / mean)
    assert rows.high_ratio == pytest.approx(4 / mean)
    flow = found["dataflow"]
    assert flow.high_ratio / flow.low_ratio == pytest.approx(ENERGY_OF_FLOW["is"] / ENERGY_OF_FLOW["os"])
    assert found["clock_hz"].high_ratio == pytest.approx(1.0)
    assert "no effect" in tornado_svg(tuple(found.values()), "energy_j", False)


def test_knobs_that_move_together_are_not_called_matched() -> None:
    table = grid()
    rows = table.knob("array_rows")
    tied = Column("array_cols", tuple(2 * value for value in rows.values))  # type: ignore[operator]
    both = replace(table, knobs=(*table.knobs, tied))
    found = {effect.knob: effect for effect in effects(both, "energy_j")}
    assert not found["array_rows"].matched
    assert not found["array_cols"].matched
    assert found["dataflow"].matched
    svg = tornado_svg(tuple(found.values()), "energy_j", False)
    assert "pale: other knobs move along" in svg


def test_metrics_with_zeros_are_averaged_as_they_are() -> None:
    table = grid()
    flows = table.knob("dataflow").values
    errors = Column("misclassification_ratio", tuple(0.0 if flow == "is" else 0.2 for flow in flows))
    found = effects(replace(table, metrics=(errors,)), errors.name)
    assert found[0].knob == "dataflow"
    assert found[0].high_ratio == pytest.approx(0.2 / (0.4 / 3))
    assert found[0].low_ratio < 1e-2


def test_many_values_become_ranges_of_equal_counts() -> None:
    found = levels(Column("clock_hz", tuple(1e6 * (at + 1) for at in range(600))), 12)
    assert found.labels[0] == "1 to 50 MHz"
    assert [int((found.codes == code).sum()) for code in range(12)] == [50] * 12
    texts = levels(Column("name", tuple(f"n{at}" for at in range(20))), 12)
    assert len(texts.labels) == 20


def test_heat_map_holds_the_best_of_each_cell() -> None:
    table = grid()
    heat = heat_map(table, "energy_j", ("array_rows", "dataflow"))
    assert heat.across_levels.labels == ("4", "8", "16", "32", "64")
    assert heat.along_levels.labels == ("is", "os", "ws")
    for (column, row), point in heat.best.items():
        assert table.knob("array_rows").values[point] == ROWS[column]
        assert table.knob("dataflow").values[point] == heat.along_levels.labels[row]
    assert {table.knob(name).name for name in (heat.across.name, heat.along.name)} == {
        each.knob for each in effects(table, "energy_j")[:2]}
    wanted = replace(table, objectives=(("utilization", True),))
    most = heat_map(wanted, "utilization", ("array_rows", "dataflow"))
    assert {table.knob("clock_hz").values[point] for point in most.best.values()} == {1e9}


@pytest.mark.parametrize(("knobs", "told"), [
    (("array_rows", "dataflw"), "did you mean 'dataflow'"),
    (("array_rows", "chip"), "'chip' does not vary"),
    (("array_rows",), "needs two knobs"),
    (("array_rows", "array_rows"), "needs two knobs"),
])
def test_heat_map_refuses_knobs(knobs: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        heat_map(grid(), "energy_j", knobs)


def test_pictures_are_svg_with_a_dark_side_and_the_same_bytes() -> None:
    table = grid()
    for svg in (tornado_svg(effects(table, "time_s"), "time_s", False),
                heat_svg(heat_map(table, "time_s"), table.positions)):
        ElementTree.fromstring(svg)
        assert "prefers-color-scheme:dark" in svg
    assert heat_svg(heat_map(table, "time_s"), table.positions) == svg


def test_tornado_without_effect_or_with_a_huge_one_stays_inside() -> None:
    flat = tornado_svg((), "energy_j", False)
    assert "no knob varies" in flat
    table = grid()
    huge = replace(table, metrics=(Column("energy_j", tuple(
        1e-15 if row == 4 else 1e3 for row in table.knob("array_rows").values)),))
    drawn = tornado_svg(effects(huge, "energy_j"), "energy_j", True)
    places = [float(x) for x in re.findall(r'<rect class="[^"]*" x="([-\d.]+)"', drawn)]
    assert min(places) > 0
    assert max(places) < 860


def test_page_is_deterministic_offline_and_small() -> None:
    page = SweepPage(grid(), same={"hwsim_version": "1"})
    html = to_sweep_html(page)
    assert html == to_sweep_html(page)
    assert "://" not in re.sub(r'"http://www.w3.org/[^"]*"', "", html)
    assert len(html) < 120_000


def test_page_leaves_points_out_evenly_and_says_so() -> None:
    table = grid(300)
    best = tuple(range(0, 22_500, 1000))
    html = to_sweep_html(SweepPage(replace(table, front=best)))
    assert len(html.encode()) <= MAX_PAGE_BYTES
    data = json.loads(re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)[0])
    kept = data["positions"]
    assert set(best) <= set(kept)
    assert kept == sorted(kept)
    assert max(b - a for a, b in pairwise(kept)) <= 3 * 22_500 / len(kept)
    assert f"shows {len(kept):,} of 22,500 finished points, all of the front among them" in html
    shown = {int(point) for point in re.findall(r'data-point="(\d+)"', html)}
    assert shown <= set(kept)


def test_thinning_keeps_at_least_half_for_the_front() -> None:
    table = replace(grid(), front=tuple(range(60)))
    few = thinned(table, 20)
    assert len(few) == 20
    assert 10 <= len(few.front) < 20
    assert thinned(table, 75) is table


def test_empty_tables_are_refused() -> None:
    empty = grid().take([])
    with pytest.raises(InputError, match="no finished point"):
        to_sweep_html(SweepPage(empty))


def test_columns_write_units() -> None:
    told = [("clock_hz", 8e8, "800 MHz"), ("area_m2", 2.5e-6, "2.5 mm²"), ("macs_per_s", 8.6e11, "860 G/s"),
            ("cycles", 12345, "12,345"), ("dataflow", None, "-"), ("fused", True, "true"),
            ("energy_j", 0.0, "0 J"), ("share_ratio", 0.12345, "0.1235")]
    assert [Column(name, ()).shown(value) for name, value, _ in told] == [text for _, _, text in told]


def table_of_one_point() -> SweepTable:
    return grid().take([0])


def test_a_single_point_has_a_page_without_heat_map() -> None:
    html = to_sweep_html(SweepPage(table_of_one_point()))
    assert "no knob varies" in html
    assert 'id="heat"' not in html
