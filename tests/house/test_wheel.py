"""What users install: the wheel holds every data file, no test, and runs outside this folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, copy_tree, files

pytestmark = pytest.mark.slow


def pip(*words: str) -> None:
    """Run pip; its last words if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, because building leaves files behind."""
    source = copy_tree(tmp_path_factory.mktemp("source"), "pyproject.toml", "README.md", "LICENSE", *PACKAGES)
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(source))
    (built,) = target.glob("hwsim-*.whl")
    return built


def test_wheel_holds_every_file(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {path.as_posix() for path in files() if path.parts[0] in PACKAGES}
    assert wanted - held == set()
    assert "hwsim/py.typed" in wanted
    strangers = {name.split("/")[0] for name in held} - set(PACKAGES)
    assert len(strangers) == 1, strangers
    assert strangers.pop().endswith(".dist-info")


def test_installed_wheel_runs(wheel: Path, tmp_path: Path) -> None:
    pip("install", "--quiet", "--no-deps", "--target", str(tmp_path / "site"), str(wheel))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    where = subprocess.run(
        [sys.executable, "-c", "import hwsim; print(hwsim.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(where).is_relative_to(tmp_path)
    words = ["run", "mlp_mnist", "--on", "systolic", "--json", "-o", "report.html"]
    done = subprocess.run(
        [sys.executable, "-m", "hwsim", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["macs"] > 0
    assert (tmp_path / "report.html").stat().st_size > 10_000
