from __future__ import annotations

import re
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from synthetic_report import make_report

from hwsim.report.pictures import plots
from hwsim.report.pictures.bars import MOST_COLUMNS, bars_of
from hwsim.report.types import Report

SVG = "{http://www.w3.org/2000/svg}"


def _titles(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def _texts(svg: str) -> str:
    return " ".join("".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text"))


@pytest.mark.parametrize("count", [1, 54, 300, 1000])
def test_columns_hold_all_the_energy_and_cycles(count: int) -> None:
    report = make_report(count)
    energy, cycles = bars_of(report, "energy"), bars_of(report, "cycles")
    assert len(energy.names) <= MOST_COLUMNS
    assert sum(map(sum, energy.parts.values())) == pytest.approx(report.totals.energy_j)
    assert sum(map(sum, cycles.parts.values())) == report.totals.cycles


def test_every_layer_has_a_tooltip_with_its_figures(report: Report) -> None:
    titles = _titles(plots.energy_bars(report))
    assert len(titles) == 54
    assert titles[0].startswith(f"1 {report.layers[0].name}: {report.layers[0].cycles:,} cycles")


def test_grouped_columns_say_so() -> None:
    svg = plots.cycle_bars(make_report(1000))
    assert "each column sums 5 layers" in _texts(svg)
    assert _titles(svg)[0].startswith("layers 1 to 5: ")


def test_pictures_are_the_same_every_time_and_carry_no_date(report: Report) -> None:
    first = plots.roofline([report])
    assert plots.roofline([report]) == first
    assert "<metadata>" not in first
    assert "dc:date" not in first


def test_the_users_matplotlib_settings_change_nothing(report: Report) -> None:
    import matplotlib

    plain = plots.energy_bars(report)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert plots.energy_bars(report) == plain
        assert matplotlib.rcParams["font.size"] == 20


def test_inks_follow_the_page_and_nothing_is_painted_behind(report: Report) -> None:
    svg = plots.energy_bars(report)
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert "#ffffff" not in svg.lower()
    colours = set(re.findall(r"fill: (#\w{6})", svg))
    assert colours <= {colour.lower() for colour in plots.PALETTE}


def test_many_units_share_the_last_colour(report: Report) -> None:
    units = {f"unit{index}": float(index + 1) for index in range(20)}
    layer = replace(report.layers[0], energy_j=sum(units.values()), energy_j_by_unit=units)
    many = replace(report, layers=(layer,), totals=replace(report.totals, energy_j_by_unit=units))
    texts = _texts(plots.energy_bars(many))
    assert "other" in texts
    assert "unit19" in texts
    assert "unit0" not in texts
    assert "other" in _texts(plots.energy_totals([many]))


def test_roofline_names_roof_and_slowest_memory(reports: tuple[Report, Report]) -> None:
    svg = plots.roofline(reports)
    assert "systolic:tpu_v1: 45.9 TMAC/s, dram 33.6 GB/s" in _texts(svg)
    assert len(_titles(svg)) == 108
    assert plots.slowest_memory(reports[0]) == ("dram", 33.6e9)


@pytest.mark.parametrize("roofline", [{}, {"peak_macs_per_s": 1e12}, {"dram_bits_per_s": float("inf")},
                                      {"peak_macs_per_s": 1e12, "dram_bits_per_s": float("inf")},
                                      {"dram_bits_per_s": 1e9}])
def test_roofline_without_a_bandwidth_or_peak_is_drawn(report: Report, roofline: dict[str, float]) -> None:
    ElementTree.fromstring(plots.roofline([replace(report, roofline=roofline)]))


def test_strange_names_are_drawn_without_a_warning(report: Report) -> None:
    layer = replace(report.layers[0], name="$\\frac{网络\x00\n<&>")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = plots.energy_bars(replace(report, layers=(layer,)))
    assert "网络??<&>" in _texts(svg)


def test_a_report_without_layers_is_drawn(report: Report) -> None:
    empty = replace(report, layers=(), events=())
    for svg in (plots.roofline([empty]), plots.energy_bars(empty), plots.cycle_bars(empty)):
        ElementTree.fromstring(svg)
