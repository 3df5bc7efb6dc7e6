"""The chip that the tutorial builds is a chip: it passes the contract as if it were installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_of, is_file, write_file

PAGE = ROOT / "docs/add_a_chip.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for block in blocks_of(PAGE.read_text(encoding="utf-8")):
        if is_file(block):
            write_file(block, tmp_path)
    return tmp_path


def contract(package: Path, tests: str = "tests/contract") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", tests, "-k", "dot_engine", "-q", "-n0", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tutorial_has_every_file_of_a_chip(package: Path) -> None:
    found = {path.name for path in (package / "dot_engine").iterdir()}
    assert found == {
        "__init__.py", "design.py", "constants.toml", "lower.py", "datasheet.py", "machine.py",
        "anchors.toml", "README.md",
    }


@pytest.mark.slow
def test_the_chip_of_the_tutorial_keeps_the_contract(package: Path) -> None:
    done = contract(package)
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-3000:]
    assert passed is not None
    assert int(passed[1]) > 60


@pytest.mark.slow
def test_the_contract_notices_a_wrong_machine(package: Path) -> None:
    machine = package / "dot_engine/machine.py"
    text = machine.read_text(encoding="utf-8")
    machine.write_text(text.replace("clock += 1", "clock += 2", 1), encoding="utf-8")
    done = contract(package, "tests/contract/test_machines.py")
    assert done.returncode == 1
    assert "failed" in done.stdout
