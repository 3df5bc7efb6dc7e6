"""Every file that a chip, a workload or the toolkit reads is one that the wheel takes along.

`make package` builds and tries the wheel itself.
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.house.tree import PACKAGES, ROOT, files


def left_behind(paths: tuple[Path, ...]) -> list[str]:
    """Return the files of the packages that no pattern of pyproject.toml names; Python goes by itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = ["*.py", *project["tool"]["setuptools"]["package-data"]["*"]]
    return [str(path) for path in paths if path.parts[0] in PACKAGES
            and not any(fnmatch(path.name, pattern) for pattern in patterns)]


def test_every_file_is_named() -> None:
    assert left_behind(files()) == []


def test_an_unknown_kind_of_file_is_seen() -> None:
    assert left_behind((Path("workloads/new/weights.npy"),)) == ["workloads/new/weights.npy"]
