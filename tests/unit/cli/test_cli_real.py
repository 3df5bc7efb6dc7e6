"""The whole way on the smallest built-in network: nothing is replaced by a stand-in here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_run_writes_every_kind_of_file(command: Command, tmp_path: Path) -> None:
    files = [tmp_path / f"r.{suffix}" for suffix in ("json", "csv", "parquet", "html")]
    outputs = [word for path in files for word in ("-o", str(path))]
    timeline = ("--timeline", str(tmp_path / "t.json"))
    outcome = command("run", "mlp_mnist", "--on", "systolic", *outputs, *timeline)
    assert outcome.code == 0, outcome.err
    assert "668,672" in outcome.out
    assert files[3].stat().st_size < 1_000_000
    report = json.loads(files[0].read_text())
    assert sum(layer["macs"] for layer in report["layers"]) == report["totals"]["macs"] == 668672
    explained = command("explain", str(files[0]))
    assert explained.code == 0
    assert "doi:" in explained.out


def test_compare_of_presets_shares_the_work(command: Command) -> None:
    outcome = command("compare", "mlp_mnist", "--on", "systolic:tpu_v1,systolic:edge_32", "--json")
    document = json.loads(outcome.out)
    assert document["ratios"]["macs"] == [1.0, 1.0]
    first, second = (report["totals"] for report in document["reports"])
    assert document["ratios"]["energy_j"][1] == pytest.approx(second["energy_j"] / first["energy_j"])


def test_open_dimensions_and_reports_given_as_networks(command: Command, tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "data" / "onnx" / "resnet18_dynamic.onnx"
    report = tmp_path / "r.json"
    outcome = command("run", str(path), "--on", "systolic", "-o", str(report))
    assert outcome.code == 0, outcome.err
    assert "dimension batch of resnet18_dynamic.onnx bound to 1; choose with --dim batch=N" in outcome.err
    assert "dimension" not in command("run", str(path), "--on", "systolic", "--batch", "2").err
    assert "is a report of hwsim" in command("run", str(report), "--on", "systolic").err


def test_two_runs_give_the_same_bytes(command: Command) -> None:
    words = ("run", "mlp_mnist", "--on", "systolic", "--json")
    assert command(*words).out == command(*words).out


def test_knobs_change_the_result(command: Command) -> None:
    slow = json.loads(command("run", "mlp_mnist", "--on", "systolic", "--set", "clock_hz=1MHz", "--json").out)
    assert slow["provenance"]["design"]["clock_hz"] == 1e6
    assert slow["totals"]["time_s"] == pytest.approx(slow["totals"]["cycles"] / 1e6)


@pytest.mark.parametrize(("words", "text"), [
    (["--on", "systolik"], "did you mean 'systolic'?"),
    (["--on", "systolic:tpu_v2"], "did you mean 'tpu_v1'?"),
    (["--on", "systolic", "--set", "array_row=4"], "did you mean 'array_rows'?"),
    (["--on", "systolic", "--set", "array_rows=-4"], "array_rows"),
    (["--on", "systolic", "--set", "array_rows=1e99"], "array_rows"),
    (["--on", "systolic", "--set", "spec=1"], "spec"),
    (["--on", "systolic", "--dim", "batch=2"], "no open dimensions"),
    (["--on", "systolic", "--batch", "9" * 30], "too many"),
    (["--on", "systolic", "--precision", "int7.5"], "int7.5")])
def test_wrong_words_end_in_one_message(command: Command, words: list[str], text: str) -> None:
    outcome = command("run", "mlp_mnist", *words)
    assert outcome.code == 2, outcome.err
    assert text in outcome.err
    assert "bug in hwsim" not in outcome.err


def test_a_mistyped_network_gets_the_nearest_name(command: Command) -> None:
    outcome = command("run", "mlp_mnits", "--on", "systolic")
    assert outcome.code == 2
    assert "did you mean 'mlp_mnist'?" in outcome.err


def test_show_of_the_real_chip_names_every_knob_and_constant(command: Command) -> None:
    document = json.loads(command("show", "systolic", "--json").out)
    text = command("show", "systolic").out
    assert all(re.search(rf"^{knob['name']} ", text, re.M) for knob in document["knobs"])
    assert all(row["where"] and row["source"] for row in document["constants"])
    assert "systolic" in command("list", "chips").out
