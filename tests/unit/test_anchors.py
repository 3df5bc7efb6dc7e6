"""Published figures: reading anchors.toml with all its errors, and judging a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import hwsim
from hwsim import anchors
from hwsim.errors import DesignError, InputError
from hwsim.model.carbon.published import FOLDER, published_figures

ROW = """
[[anchors]]
name = "macs of a perceptron"
network = "mlp_mnist"
metric = "macs"
published = "668672"
tolerance_ratio = 0
status = "predicted"
source = "arithmetic"
where = "784 x 512 + 512 x 512 + 512 x 10"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "anchors.toml"
    path.write_text(text)
    return path


def test_a_row_is_read_and_met(tmp_path: Path) -> None:
    (row,) = anchors.read_anchors(write(tmp_path, ROW))
    result = anchors.judge("systolic", row)
    modeled, error = result.modeled, result.error_ratio
    assert (result.published, modeled, error, result.passed) == (668672, 668672, 0.0, True)


def test_a_row_that_is_off_fails_and_a_known_error_passes(tmp_path: Path) -> None:
    off = ROW.replace("668672", "600000")
    (row,) = anchors.read_anchors(write(tmp_path, off))
    result = anchors.judge("systolic", row)
    assert not result.passed
    assert result.error_ratio == pytest.approx(668672 / 600000 - 1)
    known = off + f'known_error_ratio = {668672 / 600000 - 1}\nreason = "counted otherwise"\n'
    (row,) = anchors.read_anchors(write(tmp_path, known))
    assert anchors.judge("systolic", row).passed


def test_a_known_error_that_is_gone_fails_too(tmp_path: Path) -> None:
    (row,) = anchors.read_anchors(write(tmp_path, ROW + 'known_error_ratio = 0.5\nreason = "once"\n'))
    assert not anchors.judge("systolic", row).passed


def test_all_errors_of_a_file_at_once(tmp_path: Path) -> None:
    text = """
[[anchors]]
name = "a"
metric = "mac"
published = "3"
tolerance_ratio = -1
status = "guessed"
source = "s"
wher = "w"
known_error_ratio = 0.1
"""
    with pytest.raises(InputError) as caught:
        anchors.read_anchors(write(tmp_path, text))
    message = str(caught.value)
    for part in ("a: where is missing", "wher: unknown field (did you mean 'where'?)", "did you mean 'macs'?",
                 "'guessed'", "a known error needs its reason", "-1 is no finite ratio"):
        assert part in message, message


@pytest.mark.parametrize(
    ("old", "new", "place", "reason", "hint"),
    [
        ('"macs"', "3", ".metric", "3 is no str", ""),
        ('"macs"', "3", ".metric", "3", "known: "),
        ('"macs"', '"figures.speed"', ".metric", "'figures.speed'", ""),
        ('"macs"', '"speedup_ratio"', ".baseline", "wrong or missing with metric speedup_ratio", ""),
        ('"macs"', '"macs"\nbaseline = {}', ".baseline", "wrong or missing with metric macs", ""),
        ('"macs"', '"unit_bits"', ".unit", "goes with unit_bits only, and always", ""),
        ('"macs"', '"macs"\nunit = "dram"', ".unit", "goes with unit_bits only, and always", ""),
        ('"macs"', '"macs"\ncomparison = "at_mots"', ".comparison", "'at_mots'", "did you mean 'at_most'?"),
        ("ratio = 0", "ratio = inf", ".tolerance_ratio", "inf is no finite ratio >= 0", ""),
        ("ratio = 0", 'ratio = "0"', ".tolerance_ratio", "'0' is no float", ""),
        ("[[anchors]]", "[[anchors]]\nlayers = 3", ".layers", "3 is no list", ""),
    ],
)
def test_each_mistake_of_a_row(
    tmp_path: Path, old: str, new: str, place: str, reason: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        anchors.read_anchors(write(tmp_path, ROW.replace(old, new)))
    where = f"{tmp_path.name}/anchors.toml.macs of a perceptron{place}"
    told = {(p.where, p.reason): p.hint for p in caught.value.problems}
    assert told[where, reason].startswith(hint)


@pytest.mark.parametrize("text", ["anchors = 3", "[anchors]\nname = 1", "anchors = [1]"])
def test_anchors_are_tables(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"anchors are no tables \(write \[\[anchors\]\] above each\)"):
        anchors.read_anchors(write(tmp_path, text))


def judged(tmp_path: Path, text: str, chip: str = "systolic") -> anchors.AnchorResult:
    (row,) = anchors.read_anchors(write(tmp_path, text))
    return anchors.judge(chip, row)


def test_figures_of_the_chip_and_zeros_that_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="published: nothing can be compared to zero"):
        judged(tmp_path, ROW.replace("668672", "0"))
    with pytest.raises(InputError, match="no figure 'fast_ratio'"):
        judged(tmp_path, ROW.replace('"macs"', '"figures.fast_ratio"').replace("668672", "1"))


@pytest.mark.parametrize(
    ("comparison", "published", "passed"),
    [
        ("at_most", 700000, True),
        ("at_most", 600000, False),
        ("at_least", 600000, True),
        ("at_least", 700000, False),
    ],
)
def test_bounds_are_kept_on_one_side(tmp_path: Path, comparison: str, published: int, passed: bool) -> None:
    text = ROW.replace("668672", str(published)) + f'comparison = "{comparison}"\n'
    assert judged(tmp_path, text).passed is passed


@pytest.mark.parametrize(
    ("metric", "unit", "value"),
    [
        ("parameters", "count", lambda report: 669706),
        ("kept_parameters", "count", lambda report: 669706),
        ("weight_bytes", "bytes", lambda report: 4 * 668672),
        ("time_s", "s", lambda report: report.totals.time_s),
        ("frames_per_s", "per_s", lambda report: 1 / report.totals.time_s),
        ("power_w", "w", lambda report: report.totals.energy_j / report.totals.time_s),
        ("energy_j", "j", lambda report: report.totals.energy_j),
        ("area_m2", "m2", lambda report: report.totals.area_m2),
        ("cycles", "count", lambda report: report.totals.cycles),
        ("utilization_ratio", "ratio", lambda report: report.totals.utilization),
        ("peak_macs_per_s", "per_s", lambda report: report.roofline["peak_macs_per_s"]),
        ("peak_operations_per_s", "per_s", lambda report: 2 * report.roofline["peak_macs_per_s"]),
        ("executed_operations_per_s", "per_s", lambda report: 2 * 668672 / report.totals.time_s),
    ],
)
def test_every_metric_is_what_the_report_says(
    tmp_path: Path, metric: str, unit: str, value: Callable[[hwsim.Report], float]
) -> None:
    units = {"count": "", "bytes": " B", "s": " s", "per_s": " 1/s", "w": " W", "j": " J", "m2": " m^2"}
    text = ROW.replace('"macs"', f'"{metric}"').replace("668672", f"1{units.get(unit, '')}")
    report = hwsim.evaluate("mlp_mnist", "systolic")
    assert judged(tmp_path, text).modeled == pytest.approx(value(report), rel=1e-12)


@pytest.mark.parametrize(("text", "reason"), [
    ("[[anchors", "not valid TOML"), ("\xff", "is not text"), ("x = " + "[" * 5000, "nested too deeply")])
def test_files_that_are_no_toml(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "anchors.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=reason):
        anchors.read_anchors(path)


def test_missing_file_unknown_chip_and_wrong_unit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        anchors.read_anchors(tmp_path / "anchors.toml")
    with pytest.raises(DesignError, match="did you mean 'systolic'"):
        anchors.validate("systolik")
    (row,) = anchors.read_anchors(write(tmp_path, ROW.replace('"668672"', '"3 J"')))
    with pytest.raises(InputError, match="published"):
        anchors.judge("systolic", row)


def test_the_carbon_methods_have_anchors_of_their_own() -> None:
    rows = {row.name: row for row in anchors.validate("carbon")}
    assert all(row.passed and row.chip == "carbon" for row in rows.values())
    assert {name.partition(":")[0] for name in rows} == {"GreenChip", "ACT", "ECO-CHIP", "3D-Carbon"}
    assert [name for name in rows if rows[name].known_error_ratio] == ["3D-Carbon: EPYC 7351P, four dies"]
    asked = {row["metric"] for row in anchors.read_anchors(FOLDER / "anchors.toml")}
    assert asked == {f"figures.{name}" for name in published_figures()}


def test_the_eyeriss_rows_are_marked_unconfirmed() -> None:
    rows = {row.name: row for row in anchors.validate("systolic")}
    assert all(rows[name].status == "unconfirmed" for name in rows if name.startswith("Eyeriss"))
    assert all(row.passed for row in rows.values())


def test_activations_may_have_a_precision_of_their_own(tmp_path: Path) -> None:
    text = ROW.replace('"macs"', '"ace"') + 'precision = "int4"\nactivations = "int2"\n'
    (row,) = anchors.read_anchors(write(tmp_path, text))
    graphs: anchors.Networks = {}
    first = anchors.judge("systolic", row, graphs)
    assert first.modeled == 668672 * 4 * 2
    assert len(graphs) == 1
    assert anchors.judge("systolic", row, graphs) == first
    assert len(graphs) == 1
    anchors.judge("systolic", {**row, "activations": "int4"}, graphs)
    assert len(graphs) == 2


def test_ace_of_mixed_precisions_is_the_published_one() -> None:
    rows = {row.name: row for row in anchors.validate("systolic")}
    assert rows["ACE of ResNet-50, w4a2"].modeled == 32713474048
