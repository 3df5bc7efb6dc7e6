"""The table of a comparison: normalised, scaled to one technology, and differences that add up."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from hwsim.errors import InputError
from hwsim.report.comparison_table import baseline_first, sheet_of, to_csv, to_json, to_latex
from hwsim.report.difference import accounting_warnings, energy_parts, time_parts
from hwsim.report.difference_table import energy_rows, time_rows
from hwsim.report.normalised import inferences, on_chip_energy_j, technology
from hwsim.report.types import Report

Pair = tuple[Report, Report]


def placed(report: Report, **knobs: Any) -> Report:
    return replace(report, provenance={**report.provenance, "design": knobs})


def row(reports: Pair, key: str) -> tuple[float | None, ...]:
    return next(each.values for each in sheet_of(reports).rows if each.key == key)


def test_normalised_rows_are_quotients_of_the_totals(reports: Pair) -> None:
    for values, top, bottom in (
            (row(reports, "energy_j_per_mac"), "energy_j", "macs"),
            (row(reports, "macs_per_j"), "macs", "energy_j"),
            (row(reports, "macs_per_s"), "macs", "time_s")):
        wanted = [getattr(each.totals, top) / getattr(each.totals, bottom) for each in reports]
        assert values == pytest.approx(wanted)
    totals = reports[0].totals
    dense = totals.macs / totals.time_s / (totals.area_m2 * 1e6)
    assert row(reports, "macs_per_s_per_mm2")[0] == pytest.approx(dense)


@pytest.mark.parametrize(("source", "batch"), [
    ({"configuration": '{"batch": 4}'}, 4), ({"dimensions": "batch=8, sequence=16"}, 8), ({}, None),
    ({"configuration": "no json"}, None), ({"configuration": '{"batch": true}'}, None),
    ({"configuration": "[]"}, None), ({"dimensions": "batch"}, None),
])
def test_a_run_is_as_many_inferences_as_its_network_says(report: Report, source: dict[str, str],
                                                         batch: int | None) -> None:
    asked = replace(report, provenance={**report.provenance, "network_source": source})
    assert inferences(asked) == batch
    per = next(each for each in sheet_of([asked]).rows if each.key == "energy_j_per_inference")
    assert per.values[0] == pytest.approx(report.totals.energy_j / (batch or 1))


def test_technology_view_follows_the_named_laws(reports: Pair) -> None:
    first = placed(reports[0], node_m=45e-9, supply_v=0.9)
    second = placed(reports[1], node_m=90e-9, supply_v=1.8)
    energy = row((first, second), "technology_on_chip_energy_j")
    assert energy[0] == pytest.approx(on_chip_energy_j(first))
    assert energy[1] == pytest.approx(on_chip_energy_j(second) / 8)
    assert on_chip_energy_j(first) == pytest.approx(
        first.totals.energy_j - first.totals.energy_j_by_unit["dram"])
    assert row((first, second), "technology_area_m2")[1] == pytest.approx(second.totals.area_m2 / 4)
    totals = second.totals
    cycle_s = totals.time_s / totals.cycles
    assert row((first, second), "technology_time_s")[1] == pytest.approx(
        cycle_s * (totals.compute_cycles / 2 + totals.stall_cycles))
    notes = sheet_of((first, second)).notes
    assert notes[1].endswith("45 nm, 0.9 V, " + sheet_of((first, second)).names[1] + " 90 nm, 1.8 V")
    assert "Dennard et al. 1974" in notes[2]


def test_unknown_technologies_stay_unknown(reports: Pair) -> None:
    known, unknown = placed(reports[0], node_m=45e-9, supply_v=0.9), placed(reports[1], clock_hz=1e9)
    sheet = sheet_of((unknown, known))
    area = next(each for each in sheet.rows if each.key == "technology_area_m2")
    assert (area.texts[0], area.ratios) == ("-", (None, None))
    assert area.values[1] == known.totals.area_m2
    assert f"{sheet.names[0]} unknown" in sheet.notes[1]
    neither = sheet_of((unknown, unknown))
    assert not neither.section("one technology")
    assert "nothing is scaled" in neither.notes[2]
    assert str(technology(placed(reports[0], node_m=28e-9))) == "28 nm, supply unknown"
    assert technology(placed(reports[0], node_m=65e-9, supply_v=1.0, operating_supply_v=0.8)).supply_v == 0.8
    assert technology(placed(reports[0], node_m=65e-9, supply_v=1.0, operating_supply_v=0.0)).supply_v == 1.0


def test_parts_of_a_difference_add_up(reports: Pair) -> None:
    first, second = reports
    parts = energy_parts(first, second)
    whole = second.totals.energy_j - first.totals.energy_j
    assert sum(part.difference_j for part in parts) == pytest.approx(whole, rel=1e-12)
    for part in parts:
        if part.by_count_j is not None and part.by_price_j is not None:
            assert part.by_count_j + part.by_price_j == pytest.approx(part.difference_j, rel=1e-9, abs=1e-18)
    sizes = [abs(part.difference_j) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    times = time_parts(first, second)
    later = second.totals.time_s - first.totals.time_s
    assert sum(part.difference_s for part in times) == pytest.approx(later)


def test_dearer_events_are_price_and_more_events_are_count(report: Report) -> None:
    def with_events(count: int, price: float) -> Report:
        rows = tuple(replace(each, events=count, energy_j=count * price) for each in report.events[:1])
        return replace(report, events=rows)

    dearer = energy_parts(with_events(10, 1.0), with_events(10, 3.0))[0]
    assert (dearer.by_count_j, dearer.by_price_j) == (0.0, 20.0)
    more = energy_parts(with_events(10, 1.0), with_events(30, 1.0))[0]
    assert (more.by_count_j, more.by_price_j) == (20.0, 0.0)
    lone = energy_parts(with_events(10, 1.0), replace(report, events=()))[0]
    assert (lone.by_count_j, lone.by_price_j, lone.difference_j) == (None, None, -10.0)


def test_tables_of_differences_end_with_their_sum(reports: Pair) -> None:
    parts = energy_parts(*reports)
    table = energy_rows(parts, 2)
    assert [line[0] for line in table] == [parts[0].unit, parts[1].unit,
                                           f"{len(parts) - 2} smaller parts", "all"]
    assert energy_rows((), 2) == [("all", "", "0 J", "-", "", "", "", "")]
    assert time_rows(time_parts(*reports), 9)[-1][0] == "all"


def test_warnings_name_what_only_one_column_accounts_for(reports: Pair) -> None:
    first, second = reports
    assert accounting_warnings(("a", "a#2"), (first, first)) == []
    bare = replace(second, events=tuple(each for each in second.events if each.action != "leakage"),
                   totals=replace(second.totals, area_m2=0.0), energy_by_evidence={"measured": 1.0},
                   provenance={**second.provenance, "hwsim_version": "9"})
    told = accounting_warnings(("a", "b"), (first, bare))
    for words in ("b rests to 0%", "mostly on measured numbers", "b accounts for no leakage, a does",
                  "b accounts for no area, a does", "computed by hwsim 9"):
        assert any(words in line for line in told), words


def test_baseline_comes_first_by_column_or_chip(reports: Pair) -> None:
    first, second = reports
    assert baseline_first(reports, None) == reports
    assert baseline_first(reports, second.name) == (second, first)
    with pytest.raises(InputError, match="did you mean") as caught:
        baseline_first(reports, second.name[:-1])
    assert "--baseline" in str(caught.value)
    with pytest.raises(InputError, match="fits 2 columns"):
        baseline_first(reports, str(first.provenance["chip"]))
    assert [each.values for each in sheet_of((second, first)).rows if each.key == "energy_j"] == [
        (second.totals.energy_j, first.totals.energy_j)]


def test_files_hold_the_same_figures(reports: Pair) -> None:
    mixed = (replace(reports[0], figures={"luts_count": 7.0}), reports[1])
    sheet = sheet_of(mixed)
    table = list(csv.DictReader(io.StringIO(to_csv(sheet))))
    document = json.loads(to_json(sheet))
    assert [each["figure"] for each in table] == [each["key"] for each in document["rows"]]
    assert len(table) == len(sheet.rows)
    energy = next(each for each in table if each["figure"] == "energy_j")
    assert float(energy[sheet.names[1]]) == mixed[1].totals.energy_j
    luts = table[-1]
    assert (luts["figure"], luts[sheet.names[0]], luts[sheet.names[1]]) == ("luts_count", "7.0", "")
    assert document["rows"][-1]["values"] == [7.0, None]
    assert document["baseline"] == sheet.names[0]
    assert to_json(sheet) == to_json(sheet_of(mixed))


def test_latex_has_equal_columns_and_no_bare_marks(reports: Pair) -> None:
    text = to_latex(sheet_of((replace(reports[0], figures={"luts_count": 7.0}), reports[1])))
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count(" & ") for line in body} == {3}
    assert r"\begin{tabular}{lrrr}" in text
    assert r"luts\_count & 7 & -- & --" in text
    for line in body:
        bare = line.replace(r"\%", "").replace(r"\_", "").replace(r"\&", "").replace(" & ", "")
        assert not set("%_&#$µ²") & set(bare), line
