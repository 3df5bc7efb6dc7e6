"""Comparison files: what is refused, with every problem at once, and what the schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hwsim import registry
from hwsim.__main__ import main
from hwsim.comparison.driver import plan, run_comparison
from hwsim.comparison.file import ComparisonFile, comparison_schema, read_comparison
from hwsim.errors import InputError

Capture = pytest.CaptureFixture[str]
TWO = """
title = "Two arrays"
network = "digits_32"
[[columns]]
chip = "systolic"
[[columns]]
chip = "systolic:tpu_v1"
"""


def problems(text: str, folder: Path) -> list[str]:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        plan(read_comparison(path))
    return [str(problem).replace(f"{path}: ", "") for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "told"), [
    ("title = 'x'", ["columns: field required"]),
    ("titel = 'x'", ["title: field required", "columns: field required",
                     "titel: unknown word (did you mean 'title'?)"]),
    (TWO + "preset = 'edge_32'", ["columns.2 (systolic:tpu_v1).preset: unknown word (write it behind"]),
    (TWO + "knob = { a = 1 }", ["columns.2 (systolic:tpu_v1).knob: unknown word (did you mean 'knobs'?)"]),
    (TWO.replace("systolic:tpu_v1", "systolic"), ["2 columns are called 'systolic' (give each a name"]),
    (TWO.replace('network = "digits_32"', ""), ["columns.1 (systolic).network: is missing",
                                                 "columns.2 (systolic:tpu_v1).network: is missing"]),
    (TWO + "batch = 0", ["columns.2 (systolic:tpu_v1).batch: input should be greater than or equal to 1"]),
    ('baseline = "systolic:tpu"\n' + TWO, ["baseline: no column is called 'systolic:tpu' (did you mean"]),
    (TWO + "[[reservations]]\nfigures = ['energi']\nreason = 'so'\ncolumns = ['sistolic']",
     ["reservations.0.figures: no figure is called 'energi' (did you mean 'energy'?)",
      "reservations.0.columns: no column is called 'sistolic' (did you mean 'systolic'?)"]),
    ("samples = 3\n" + TWO, ["samples: changes nothing"]),
    ("title = ", ["is not valid TOML"]),
    (TWO[: TWO.rindex("[[columns]]")], ["columns: 1 given (a comparison has at least two)"]),
    ('baseline = "c"\n' + TWO + "knob = { a = 1 }", ["columns.2 (systolic:tpu_v1).knob: unknown word",
                                                     "baseline: no column is called 'c'"]),
    (TWO + "[service]\nlife = '5'", ["service.life: '5' has no unit"]),
    (TWO + "[service]\nlife = '5y'\nactivity = 2", ["service.activity: input should be less than"]),
])
def test_bad_files_are_refused(text: str, told: list[str], tmp_path: Path) -> None:
    found = problems(text, tmp_path)
    assert len(found) == len(told), found
    for line, words in zip(found, told, strict=True):
        assert words in line


def test_problems_of_all_columns_come_at_once(tmp_path: Path) -> None:
    text = TWO.replace('chip = "systolic"', 'chip = "sistolic"\nfunctional = "no.npz"')
    text += 'network = "digit_32"\nknobs = { array_rwos = 8, clock_hz = "3 parsec" }\n'
    found = problems(text, tmp_path)
    for words in ("columns.1 (sistolic).chip: no chip is called 'sistolic' (did you mean 'systolic'?)",
                  "no.npz: cannot be read", "clock_hz", "did you mean 'digits_32'?"):
        assert any(words in line for line in found), (words, found)


def test_the_network_of_all_columns_is_refused_once(tmp_path: Path) -> None:
    assert problems(TWO.replace("digits_32", "digit_32"), tmp_path) == [
        "network: no network is called 'digit_32' (did you mean 'digits_32'?)"]


def test_unreadable_and_huge_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_comparison(tmp_path / "absent.toml")
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * ((1 << 24) + 1))
    with pytest.raises(InputError, match="larger than 16 MiB"):
        read_comparison(huge)
    with pytest.raises(InputError, match="did you mean 'binary_vgg'"):
        read_comparison("binary_vg")


def test_what_a_chip_refuses_ends_with_3_and_names_the_column(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "refused.toml"
    path.write_text(TWO.replace("systolic:tpu_v1", "dram_pim"), encoding="utf-8")
    assert main(["compare", str(path)]) == 3
    told = capsys.readouterr().err
    assert f"{path}: columns.dram_pim.digits_32.sigmoid1: dram_pim cannot run it" in told
    path.write_text(TWO.replace("systolic:tpu_v1", "dram_pim").replace('digits_32"', 'digits_32"\n'
                    'on_unsupported = "host"'), encoding="utf-8")
    assert main(["compare", str(path), "-q"]) == 0


@pytest.mark.parametrize(("words", "told"), [
    (["--on", "systolic"], "--on: beside the comparison"), (["--batch", "2"], "--batch: beside"),
    (["--service-life", "5y"], "--service-life: beside"), (["other.toml"], "2 names beside"),
    (["--baseline", "systolic:tpu"], "no column is called 'systolic:tpu'"),
    (["-o", "page.xls"], "no format for the suffix '.xls'"),
])
def test_options_that_the_file_decides(words: list[str], told: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "two.toml"
    path.write_text(TWO, encoding="utf-8")
    assert main(["compare", str(path), *words]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_names_without_chips_lead_to_comparisons(capsys: Capture) -> None:
    assert main(["compare", "binary_vgc"]) == 2
    assert "did you mean 'binary_vgg'?" in capsys.readouterr().err
    assert main(["compare", "binary_vgg", "--on", "systolic,edge_gpu"]) == 2
    assert "--on: beside the comparison binary_vgg" in capsys.readouterr().err


@pytest.mark.parametrize("name", registry.comparison_names())
def test_built_in_files_obey_the_schema_and_are_listed(name: str, capsys: Capture) -> None:
    file = read_comparison(name)
    assert file.title
    assert file.question.endswith("?")
    assert file.task
    assert file.baseline in file.names()
    for column in file.columns:
        assert column.functional is None or column.functional.is_file()
    assert main(["list", "comparisons"]) == 0
    assert f"{name} " in capsys.readouterr().out
    assert main(["show", name]) == 0
    assert capsys.readouterr().out == registry.comparison_path(name).read_text(encoding="utf-8")


def test_schema_names_every_word(capsys: Capture) -> None:
    schema = comparison_schema()
    assert set(schema["properties"]) == set(ComparisonFile.model_fields)
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Column"]["required"] == ["chip"]
    assert main(["schema", "comparison"]) == 0
    assert json.loads(capsys.readouterr().out) == schema


def test_columns_inherit_and_override(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('batch = 2\nprecision = "int8"\n' + TWO + 'batch = 4\nprecision = "int4"\n'
                    'knobs = { clock_hz = "1 GHz" }\n', encoding="utf-8")
    first, second = plan(read_comparison(path))
    assert (first.graph.tensors["input"].shape[0], second.graph.tensors["input"].shape[0]) == (2, 4)
    formats = [each.graph.tensors["fc1.weight"].format.bits for each in (first, second)]
    assert formats == [8, 4]
    assert second.chip.design.clock_hz == 1e9
    assert second.chip.changed == ("clock_hz",)


def test_files_are_found_beside_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    folder = tmp_path / "there"
    folder.mkdir()
    root = Path(registry.comparison_path("binary_vgg")).parents[1]
    shutil.copy(root / "workloads/digits/digits_32.npz", folder / "few.npz")
    (folder / "layers.csv").write_text((root / "tests/data/csv/alexnet.csv").read_text(), encoding="utf-8")
    text = TWO.replace('chip = "systolic"', 'chip = "systolic"\nfunctional = "few.npz"', 1)
    (folder / "mine.toml").write_text("samples = 5\n" + text + 'network = "layers.csv"', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found: Any = run_comparison("there/mine.toml")
    assert found.study.measured[0].wrong.samples == 5
    assert found.study.measured[1].absent == "no samples were given"
    assert found.reports[1].provenance["network"] != found.reports[0].provenance["network"]
