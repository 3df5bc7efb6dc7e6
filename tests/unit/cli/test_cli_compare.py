"""`hwsim compare` with a baseline, differences and the table in files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hwsim.__main__ import main

Capture = pytest.CaptureFixture[str]
WORDS = ["compare", "digits_32", "--on", "systolic,systolic:tpu_v1,edge_gpu"]


def test_baseline_difference_and_summaries(tmp_path: Path, capsys: Capture) -> None:
    files = {suffix: tmp_path / f"table.{suffix}" for suffix in ("csv", "json", "tex")}
    words = [word for path in files.values() for word in ("--summary", str(path))]
    report = tmp_path / "all.json"
    assert main([*WORDS, "--baseline", "systolic:tpu_v1", "--difference", *words, "-o", str(report)]) == 0
    shown = capsys.readouterr()
    assert "digits_32 on systolic:tpu_v1, systolic:edge_32, edge_gpu:xavier_fp32" in shown.out
    for line in ("Normalised", "baseline: systolic:tpu_v1", "systolic:edge_32 minus systolic:tpu_v1",
                 "technology: systolic:tpu_v1 28 nm, 0.9 V, systolic:edge_32 45 nm, 0.9 V, "
                 "edge_gpu:xavier_fp32 unknown",
                 "warning: edge_gpu:xavier_fp32 accounts for no energy of memory off the chip"):
        assert line in shown.out
    document = json.loads(files["json"].read_text())
    assert document["baseline"] == "systolic:tpu_v1"
    rows = {row["key"]: row for row in document["rows"]}
    energy = rows["energy_j"]["values"]
    difference = sum(part["difference_j"] for part in document["differences"][0]["energy"])
    assert difference == pytest.approx(energy[1] - energy[0])
    assert rows["technology_area_m2"]["values"][2] is None
    assert next(iter(csv.reader(files["csv"].open())))[3:6] == document["names"]
    assert files["tex"].read_text().count(r"\toprule") == 1
    again = ["compare", str(report), "--baseline", "edge_gpu", "-q", "--summary", str(tmp_path / "b.json")]
    assert main(again) == 0
    assert json.loads((tmp_path / "b.json").read_text())["names"][0] == "edge_gpu:xavier_fp32"


@pytest.mark.parametrize(("words", "told"), [
    (["--baseline", "systolic:tpu_v2"], "did you mean 'systolic:tpu_v1'"),
    (["--summary", "table.txt"], "no format for the suffix '.txt'"),
    (["--summary", "t.csv", "--summary", "t.csv"], "named twice"),
    (["--difference", "--service-life", "5y"], "together with --service-life"),
    (["--baseline", "edge_gpu", "--schedule", "cosma"], "together with --schedule"),
])
def test_bad_words_are_refused(words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                               capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, *words]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
