"""Published figures: reading anchors.toml with all its errors, and judging a row."""

from __future__ import annotations

from pathlib import Path

import pytest

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
