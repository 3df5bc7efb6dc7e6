"""The floor plan: what lies where, what is registered, and nothing of the machine it was written on."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from hwsim.model.types import Accelerator
from tests.house.tree import PACKAGES, ROOT, files

TOP = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "Makefile",
    "README.md",
    "accelerators",
    "benchmarks",
    "comparisons",
    "docs",
    "hwsim",
    "mkdocs.yml",
    "pyproject.toml",
    "tests",
    "workloads",
}
HOME = re.compile(rb"(?<![\w.:/-])/(?:home|Users|root|work|mnt|media|private)/\w|\b[A-Z]:\\Users\\")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRIES = PROJECT["project"]["entry-points"]


def test_top_level_is_the_floor_plan() -> None:
    assert {path.parts[0] for path in files(tracked_only=True)} <= TOP
    assert {entry for entry in TOP if not (ROOT / entry).exists()} == set()


def test_no_path_of_a_machine() -> None:
    here = Path(__file__).relative_to(ROOT)
    assert [str(path) for path in files() if path != here and HOME.search((ROOT / path).read_bytes())] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'open("/home/ada/x")', True),
        (b"'/root/x'", True),
        (b" C:\\Users\\ada", True),
        (b"https://x.org/home/ada", False),
        (b"a/work/b", False),
    ],
)
def test_paths_of_machines_are_seen(text: bytes, found: bool) -> None:
    assert bool(HOME.search(text)) is found


def test_no_large_or_leftover_file() -> None:
    sizes = {str(path): (ROOT / path).stat().st_size for path in files()}
    assert {path: size for path, size in sizes.items() if size > 1_000_000} == {}
    assert [path for path in sizes if re.search(r"\.(orig|rej|bak|swp|pyc|log|tmp)$|~$", path)] == []


@pytest.mark.parametrize(
    ("group", "attribute"), [("hwsim.accelerators", "ACCELERATOR"), ("hwsim.workloads", "WORKLOADS")]
)
def test_entry_points_resolve(group: str, attribute: str) -> None:
    for name, module in ENTRIES[group].items():
        assert getattr(import_module(module), attribute), (name, module)


@pytest.mark.parametrize(
    ("group", "package"), [("hwsim.accelerators", "accelerators"), ("hwsim.workloads", "workloads")]
)
def test_every_folder_has_an_entry_point(group: str, package: str) -> None:
    folders = {path.parts[1] for path in files() if path.parts[0] == package and len(path.parts) > 2}
    assert ENTRIES[group] == {folder: f"{package}.{folder}" for folder in sorted(folders)}


@pytest.mark.parametrize("chip", sorted(ENTRIES["hwsim.accelerators"]))
def test_chip_folder_is_complete(chip: str) -> None:
    accelerator = import_module(f"accelerators.{chip}").ACCELERATOR
    assert isinstance(accelerator, Accelerator)
    assert accelerator.name == chip
    wanted = (
        "design.py",
        "constants.toml",
        "lower.py",
        "datasheet.py",
        "machine.py",
        "anchors.toml",
        "README.md",
    )
    assert [name for name in wanted if not (ROOT / "accelerators" / chip / name).is_file()] == []


def test_typed() -> None:
    assert (ROOT / "hwsim/py.typed").is_file()
    assert PROJECT["tool"]["mypy"]["strict"] is True
    assert set(PROJECT["tool"]["mypy"]["packages"]) == {*PACKAGES, "docs.generator"}


def test_every_package_is_a_package() -> None:
    folders = {path.parent for path in files() if path.suffix == ".py" and path.parts[0] in PACKAGES}
    assert [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []
