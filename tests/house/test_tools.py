"""ruff and mypy have nothing to say, so that `make test` alone is enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, copy_tree

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent


def say(folder: Path, *command: str) -> tuple[int, str]:
    """Return exit code and text of a tool that is installed beside this interpreter."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_ruff() -> None:
    code, text = say(ROOT, "ruff", "check", "--no-cache", ".")
    assert code == 0, text


@pytest.mark.parametrize(
    "line",
    [
        "print('x')",
        "assert True",
        "import os.path; os.path.join('a', 'b')",
        "import numpy as np; np.random.seed(1)",
        "import os",
    ],
)
def test_ruff_sees_what_it_should(line: str, tmp_path: Path) -> None:
    copy_tree(tmp_path, "pyproject.toml")
    (tmp_path / "hwsim").mkdir()
    (tmp_path / "hwsim/planted.py").write_text(f'"""Planted."""\n\n{line}\n', encoding="utf-8")
    assert say(tmp_path, "ruff", "check", "--no-cache", ".")[0] == 1


def test_mypy(tmp_path: Path) -> None:
    code, text = say(ROOT, "mypy", "--cache-dir", str(tmp_path))
    assert code == 0, text
