"""Thousands of damaged files and words: a result or a worded refusal, quickly and in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hwsim.errors import InputError
from tests.hostile.judge import judge
from tests.hostile.specimens import ROOT

# Chosen so that all of them together are more than 5,000 inputs.
COUNTS = {
    "onnx": 600,
    "csv": 600,
    "netlist": 400,
    "alist": 400,
    "trace": 400,
    "schedule graph": 300,
    "plan": 400,
    "report": 400,
    "sweep": 400,
    "comparison": 150,
    "scenario": 200,
    "functional settings": 300,
    "functional samples": 300,
    "masks": 200,
    "results": 400,
    "words": 500,
}
GIB = 1 << 30


def tried(formats: list[str], count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Try inputs in a process of its own; its temporary files go to `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    environment.pop("HWSIM_DEBUG", None)
    words = [
        sys.executable,
        "-m",
        "tests.hostile.batch",
        *formats,
        "--count",
        str(count),
        "--seed",
        str(seed),
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def check(result: dict[str, Any]) -> None:
    wrong = [
        f"{item['name']}: {' '.join(item['words'])}: {item['complaints']}\n{item['err']}"
        for item in result["found"]
    ]
    assert not wrong, "\n".join(wrong[:10])
    assert result["peak_bytes"] < GIB


def test_there_are_enough() -> None:
    assert sum(COUNTS.values()) >= 5000


def test_a_few_of_the_light_formats(tmp_path: Path) -> None:
    result = tried(["alist", "plan", "schedule graph"], 8, 7, tmp_path)
    check(result)
    assert {name: sum(counts[:1]) for name, counts in result["counts"].items()} == {
        "alist": 8,
        "plan": 8,
        "schedule graph": 8,
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTS)
def test_damaged(kind: str, tmp_path: Path) -> None:
    result = tried([kind], COUNTS[kind], 20, tmp_path)
    check(result)
    count, accepted = result["counts"][kind]
    assert count >= COUNTS[kind]
    # Damage that nothing survives, or that changes nothing, would test little.
    assert 0 < accepted < 0.8 * count


@pytest.mark.parametrize(
    ("failure", "complaint"),
    [
        (ValueError("x"), "exit code 1"),
        (SystemExit(3), "lets SystemExit through"),
        (MemoryError("x"), "works until memory is short"),
        (InputError("\n".join(["why"] * 3)), None),
    ],
)
def test_the_judge_sees(
    failure: BaseException, complaint: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        Path(next(tmp_path.glob("tmp*")), "left.tmp").write_text("half")
        raise failure

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hwsim.commands.evaluate.evaluate", fail)
    complaints = judge(["run", "lenet5", "--on", "systolic", "-o", "{out}.json"]).complaints
    assert "leaves left.tmp" in complaints
    assert complaint is None or any(text.startswith(complaint) for text in complaints)


def test_the_judge_sees_a_hang(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def turn(*_: object, **__: object) -> None:
        while True:
            sum(range(1000))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hwsim.commands.evaluate.evaluate", turn)
    assert judge(["run", "lenet5", "--on", "systolic"], limit_s=0.05).complaints == [
        "works for more than 0.05 s"
    ]
