"""Import contracts hold, and each of them notices a planted violation."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, copy_tree

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]

PLANTS = [
    ("roots", "hwsim/graph/planted.py", "import accelerators.systolic"),
    ("roots", "workloads/mlp/planted.py", "import accelerators.systolic"),
    ("layers", "hwsim/trace/planted.py", "from hwsim.report.types import Report"),
    ("layers", "hwsim/errors.py", "from hwsim.units import parse"),
    ("layers", "hwsim/schedule/planted.py", "def late():\n    from hwsim import run"),
    ("layers", "hwsim/attic/__init__.py", ""),
    ("importers", "hwsim/model/planted.py", "import hwsim.importers"),
    ("kernels", "hwsim/kernels/planted.py", "import hwsim.errors"),
    ("chips-apart", "accelerators/planted/__init__.py", "import accelerators.systolic"),
    ("chips", "accelerators/systolic/planted.py", "from hwsim.report.types import Report"),
    ("chips", "accelerators/systolic/planted.py", "def late():\n    import hwsim.run"),
    ("networks", "workloads/mlp/planted.py", "from hwsim.trace import Trace"),
    ("networks-apart", "workloads/mlp/planted.py", "import workloads.resnet"),
    ("networks-apart", "workloads/planted/__init__.py", ""),
    ("numba", "hwsim/trace/planted.py", "from numba import njit"),
    ("pulp", "hwsim/schedule/planted.py", "import pulp"),
    ("ortools", "hwsim/schedule/planted.py", "import ortools"),
    ("networkx", "hwsim/graph/planted.py", "def late():\n    import networkx"),
    ("pandas", "hwsim/report/planted.py", "import pandas as pd"),
    ("sweep-extras", "hwsim/sweep/planted.py", "import optuna"),
    ("onnx", "hwsim/importers/planted.py", "from onnx import helper"),
    ("screens", "hwsim/model/planted.py", "import rich"),
]


def lint(folder: Path, *options: str) -> tuple[int, str]:
    """Return exit code and text of import-linter, run on the packages in `folder`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_contracts_hold() -> None:
    code, text = lint(ROOT)
    assert code == 0, text
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in text


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, which keeps all contracts."""
    folder = copy_tree(tmp_path_factory.mktemp("clean"), "pyproject.toml", *PACKAGES)
    code, text = lint(folder)
    assert code == 0, text
    return folder


@contextmanager
def planted(path: Path, line: str) -> Iterator[None]:
    """Add a line to a file, which need not be there, and take it away again."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    yield
    if before is not None:
        path.write_text(before, encoding="utf-8")
        return
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


@pytest.mark.slow
@pytest.mark.parametrize(("contract", "path", "line"), PLANTS)
def test_planted_violation_is_seen(contract: str, path: str, line: str, clean: Path) -> None:
    with planted(clean / path, line):
        code, text = lint(clean, "--contract", contract)
    assert code == 1, text
    assert "0 kept, 1 broken" in text


def test_every_contract_has_a_plant() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {contract for contract, _, _ in PLANTS}


def test_lists_of_forbidden_rooms_are_complete() -> None:
    """A new room is either allowed to chips and networks, on purpose, or forbidden."""
    layers = next(contract["layers"] for contract in CONTRACTS if contract["id"] == "layers")
    rooms = {f"hwsim.{room}" for layer in layers for room in re.findall(r"\w+", layer)}
    forbidden = {
        contract["id"]: set(contract["forbidden_modules"])
        for contract in CONTRACTS
        if contract["type"] == "forbidden" and contract["id"] in ("chips", "networks", "kernels")
    }
    assert rooms - forbidden["networks"] == {"hwsim.graph", "hwsim.units", "hwsim.errors", "hwsim.dimensions"}
    assert rooms - forbidden["chips"] == {
        "hwsim.archives",
        "hwsim.columns",
        "hwsim.graph",
        "hwsim.trace",
        "hwsim.model",
        "hwsim.physics",
        "hwsim.reading",
        "hwsim.constants",
        "hwsim.sourced",
        "hwsim.units",
        "hwsim.dimensions",
        "hwsim.errors",
        "hwsim.kernels",
        "hwsim.schedule",
        "hwsim.writing",
    }
    below = layers[layers.index("kernels") + 1 :]
    assert forbidden["kernels"] == {f"hwsim.{room}" for layer in below for room in re.findall(r"\w+", layer)}
