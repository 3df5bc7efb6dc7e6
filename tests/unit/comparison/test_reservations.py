"""What comparisons say of themselves: rules seen in reports, statements of the file, ratios left out."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path

import pytest

import hwsim
from hwsim.comparison.driver import run_comparison
from hwsim.comparison.file import ComparisonFile
from hwsim.errors import InputError
from hwsim.report.compare import Comparison
from hwsim.report.comparison_table import sheet_of, to_csv, to_json, to_latex
from hwsim.report.files import read
from hwsim.report.glance import glance_tables, is_firm, reservation_lines
from hwsim.report.json_form import comparison_to_json
from hwsim.report.rate import Rate
from hwsim.report.reservations import Columns, derive
from hwsim.report.study import STATED, Measured, Reservation, mark_of
from hwsim.report.totals_rows import totals_rows

DIGITS = Path(__file__).parents[3] / "workloads/digits/digits_32.npz"


@cache
def compared(*columns: str, **given: object) -> Comparison:
    """Compare columns written as JSON texts, so that they can be remembered."""
    found = [json.loads(column) for column in columns]
    return run_comparison(ComparisonFile(title="t", network="digits_32", columns=found, **given))


def column(chip: str, **more: object) -> str:
    return json.dumps({"chip": chip} | more)


def rule(comparison: Comparison, name: str) -> Reservation | None:
    assert comparison.study is not None
    found = [each for each in comparison.study.reservations if each.rule == name]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_column_beside_its_equal_has_few_reservations() -> None:
    same = compared(column("systolic", name="one"), column("systolic", name="two"))
    assert same.study is not None
    assert [each.rule for each in same.study.reservations] == ["evidence"]
    assert same.study.reservations[0].columns == ()


def test_rules_that_the_reports_show() -> None:
    mixed = compared(column("systolic"), column("edge_gpu"), column("sparse_fc:mlp_dense"),
                     column("aqfp_bnn", network="digits_mlp_bnn"))
    for name, columns, words in (
            ("networks", (), "those per MAC do not. systolic, edge_gpu, sparse_fc:mlp_dense: digits_32,"),
            ("precision", (), "systolic: 64; edge_gpu: 1,024; sparse_fc:mlp_dense: 8; aqfp_bnn: 1"),
            ("technology", (), "systolic: 45 nm, 0.9 V; edge_gpu, sparse_fc:mlp_dense, aqfp_bnn: not stated"),
            ("clocks", (), "cycles of clocks from 400 MHz to 5.00 GHz"),
            ("host", (3,), "operators left to a host: aqfp_bnn: fc3, 2.2 % of the MACs, at no cost"),
            ("roofline", (1,), "edge_gpu; the published peak bounds the speed"),
            ("overhead", (3,), "aqfp_bnn: cooling, 99.8 % of it (without: 244 fJ)"),
            ("free memory", (3,), "moves 24 B through io (links to room temperature are not modeled)"),
            ("leakage", (2, 3), "no leakage: sparse_fc:mlp_dense, aqfp_bnn"),
            ("evidence", (0, 2, 3), "systolic, sparse_fc:mlp_dense, aqfp_bnn: 100.0 %"),
            ("area", (3,), "no area is known: aqfp_bnn: junctions are counted")):
        found = rule(mixed, name)
        assert found is not None, name
        assert (found.columns, words in found.reason) == (columns, True), (name, found)
    assert rule(mixed, "batch") is None
    assert rule(mixed, "samples") is None


def test_shares_and_energies_in_reasons_are_those_of_the_reports() -> None:
    mixed = compared(column("systolic"), column("aqfp_bnn", network="digits_mlp_bnn"))
    cooled = mixed.reports[1]
    bare = hwsim.evaluate("digits_mlp_bnn", hwsim.chip("aqfp_bnn", cooling_ratio=1.0))
    assert bare.totals.energy_j == pytest.approx(244e-15, rel=2e-3)
    assert cooled.totals.energy_j == pytest.approx(400 * bare.totals.energy_j)
    assert 1 - cooled.totals.macs / cooled.coverage["macs"] == pytest.approx(2560 / 117248)


def test_ratios_that_say_nothing_are_left_out() -> None:
    mixed = compared(column("systolic"), column("aqfp_bnn", network="digits_mlp_bnn"))
    rows = {row.key: row for row in sheet_of(mixed).rows}
    for key in ("cycles", "energy_j_per_mac", "macs", "area_m2"):
        assert rows[key].ratios[1] is None, key
    assert rows["energy_j_per_inference"].ratios == (1.0, pytest.approx(
        mixed.reports[1].totals.energy_j / mixed.reports[0].totals.energy_j))
    assert mixed.ratios["cycles"] == (1.0, None)


def test_batches_leave_figures_per_inference() -> None:
    batches = compared(column("systolic", name="one"), column("systolic", name="eight", batch=8))
    found = rule(batches, "batch")
    assert found is not None
    assert "eight: 8 at once" in found.reason
    assert rule(batches, "networks") is None
    rows = {row.key: row for row in sheet_of(batches).rows}
    assert (rows["energy_j"].ratios[1], rows["time_s"].ratios[1]) == (None, None)
    per = rows["energy_j_per_inference"]
    assert per.values[1] == pytest.approx(batches.reports[1].totals.energy_j / 8)
    assert per.ratios[1] is not None
    assert per.ratios[1] < 1


def test_prices_of_the_file_are_named_and_make_a_mark_hollow() -> None:
    priced = compared(column("reram_pim", network="lenet5_binary"),
                      column("sparse_lstm", network="lstm_smnist", knobs={"dram_j_per_bit": "30 pJ/b"}))
    found = rule(priced, "prices")
    assert found is not None
    assert "sparse_lstm: dram_j_per_bit=30 pJ/b" in found.reason
    assert found.columns == (1,)
    assert not is_firm(priced, 1)
    assert "energy_j_per_inference" in found.figures


def test_accuracy_is_measured_with_intervals_and_compared_with_care() -> None:
    found = compared(
        column("integral_sc:binary_radix_65nm", name="a", functional=str(DIGITS)),
        column("systolic", name="b", functional=str(DIGITS)),
        column("systolic", name="c", network="digits_mlp_bnn",
               functional=str(DIGITS.parents[1] / "binary/digits_mlp_bnn.npz")),
        column("edge_gpu", name="d", functional=str(DIGITS)), column("systolic", name="e"), samples=90)
    assert found.study is not None
    a, b, c, d, e = found.study.measured
    assert a.wrong is not None
    assert (a.wrong.samples, a.samples_digest == b.samples_digest) == (90, True)
    assert a.samples_digest != c.samples_digest
    assert (d.absent, e.absent) == ("this chip is a cost model and computes no values",
                                    "no samples were given")
    values = rule(found, "no values")
    assert values is not None
    assert values.columns == (3, 4)
    samples, overlap = rule(found, "samples"), rule(found, "intervals")
    assert samples is not None
    assert samples.reason == "measured on different samples: a, b; c"
    assert overlap is not None
    assert overlap.reason == "all 95 % intervals overlap, so that the samples tell no two columns apart"
    rows = {row.key: row for row in sheet_of(found).section("accuracy")}
    low, high = a.wrong.interval
    assert rows["misclassified_ratio"].values == (a.wrong.ratio, b.wrong and b.wrong.ratio,
                                                  c.wrong and c.wrong.ratio, None, None)
    ends = [rows[f"misclassified_{end}_ratio"].values[0] for end in ("low", "high")]
    assert ends == [low, high]


def test_intervals_are_told_by_the_shorter_list() -> None:
    rates = {"a": 0, "b": 2, "c": 50, "d": 52, "e": 99}
    measured = tuple(Measured(Rate(count, 100), Rate(0, 100), "x") for count in rates.values())
    report = compared(column("systolic", name="one"), column("systolic", name="two")).reports[0]
    columns = Columns(tuple(rates), (report,) * 5, {}, measured)
    found = next(each for each in derive(columns) if each.rule == "intervals")
    assert found.reason.endswith("tell them apart: a and b; c and d")
    alike = Columns(("a", "b", "c"), (report,) * 3, {}, (*measured[:2], measured[4]))
    found = next(each for each in derive(alike) if each.rule == "intervals")
    assert found.reason.endswith("tell them apart: a and b")
    mostly = Columns(("a", "b", "c", "e"), (report,) * 4, {}, (*measured[:2], measured[1], measured[4]))
    found = next(each for each in derive(mostly) if each.rule == "intervals")
    assert found.reason.endswith("tell them apart: a and b, c; b and c")
    far = Columns(("a", "b", "c", "d", "e"), (report,) * 5, {}, (*measured[:1] * 4, measured[4]))
    found = next(each for each in derive(far) if each.rule == "intervals")
    assert found.reason.startswith("only these pairs have 95 % intervals that do not overlap: a and e;")


def test_statements_of_the_file_stand_where_they_belong() -> None:
    stated = [{"figures": ["time", "area_m2"], "columns": ["two"], "reason": "unlike", "comparable": False}]
    found = compared.__wrapped__(column("systolic", name="one", reservations=["an array"]),
                                 column("systolic:tpu_v1", name="two"), reservations=stated)
    assert found.study is not None
    own = [each for each in found.study.reservations if each.rule == STATED]
    assert [(each.reason, each.columns, each.comparable) for each in own] == [
        ("one: an array", (0,), True), ("unlike", (1,), False)]
    rows = {row.key: row for row in sheet_of(found).rows}
    assert rows["time_s"].ratios[1] is None
    assert rows["energy_j"].ratios[1] is not None
    heads = glance_tables(found)[0].rows
    assert heads[0][0].mark == mark_of(len(found.study.reservations) - 2)
    assert reservation_lines(found.study)[-1].endswith("unlike (stated)")


def test_marks_run_through_the_alphabet_and_on() -> None:
    assert [mark_of(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "a", "z", "aa", "az", "ba", "zz", "aaa"]


def test_tables_in_files_carry_marks_and_reasons() -> None:
    mixed = compared(column("systolic"), column("aqfp_bnn", network="digits_mlp_bnn"))
    assert mixed.study is not None
    sheet = sheet_of(mixed)
    rows = list(csv.reader(io.StringIO(to_csv(sheet))))
    told = [row for row in rows if row[0] == "reservation"]
    assert len(told) == len(mixed.study.reservations)
    host = next(row for row in told if "operators left to a host" in row[1])
    assert host[3:5] == ["", "1"]
    assert "energy_j_per_inference" in host[2]
    document = json.loads(to_json(sheet))["study"]
    assert [each["mark"] for each in document["reservations"]] == [mark_of(at) for at in range(len(told))]
    text = to_latex(sheet)
    assert r"\textsuperscript{a}different networks" in text
    energy = next(line for line in text.splitlines() if line.startswith("Energy per inference"))
    assert r"\textsuperscript{" in energy


def test_what_is_derived_carries_the_reservations_of_what_it_is_made_of() -> None:
    mixed = compared(column("systolic"), column("sparse_fc:mlp_dense"))
    technology, evidence = rule(mixed, "technology"), rule(mixed, "evidence")
    assert technology is not None
    assert evidence is not None
    made_of = {"energy_j", "energy_j_per_mac", "macs_per_j", "power_w", "power_w_per_mm2"}
    assert made_of | {"macs_per_s", "macs_per_s_per_mm2", "area_m2"} <= set(technology.figures)
    assert made_of | {"technology_on_chip_energy_j"} <= set(evidence.figures)
    assert not any(name.startswith("technology_") for name in technology.figures)


def test_efficiency_is_reserved_as_macs_a_joule_are_and_an_unknown_area_is_no_number() -> None:
    mixed = compared(column("systolic"), column("aqfp_bnn", network="digits_mlp_bnn"))
    rows = {row.title.strip(): row for row in totals_rows(mixed)}
    assert rows["Efficiency"].mark == mixed.mark("macs_per_j") != ""
    assert rows["Efficiency"].ratios[1] is None
    assert rows["Area"].texts[1] == "-"
    (area,) = (row for row in sheet_of(mixed).rows if row.key == "area_m2")
    assert area.values[1] is None


def test_written_comparisons_are_not_shown_without_their_reservations(tmp_path: Path) -> None:
    mixed = compared(column("systolic", name="one"), column("systolic:tpu_v1", name="two"))
    path = tmp_path / "c.json"
    path.write_text(comparison_to_json(mixed))
    assert len(read(path)) == 2
    with pytest.raises(InputError, match="its reports alone do not hold its reservations"):
        read(path, bare=False)


def test_problems_of_a_column_are_told_together() -> None:
    wrong = column("systolic:nope", network="lenet55", knobs={"clock_hz": "3 kg"}, functional="missing.npz")
    columns = [json.loads(each) for each in (wrong, column("systolic"))]
    service = {"life": "5 parsecs", "activity": 0.5}
    file = ComparisonFile(title="t", network="digits_32", columns=columns, service=service)
    with pytest.raises(InputError) as caught:
        run_comparison(file)
    told = " ".join(f"{problem.where}: {problem.reason}" for problem in caught.value.problems)
    for part in ("knobs.clock_hz", "no preset 'nope'", "'lenet55'", "functional", "service.life"):
        assert part in told
