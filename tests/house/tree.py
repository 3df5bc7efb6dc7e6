"""The files of this project: what git tracks or would track, or everything where there is no git."""

from __future__ import annotations

import ast
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("hwsim", "accelerators", "workloads", "comparisons")
_UNTRACKED = {"build", "dist", "mutants", "site", "__pycache__"}


@cache
def files(*, tracked_only: bool = False) -> tuple[Path, ...]:
    """Return the files relative to the root; without git, all that are not hidden or built."""
    if not (ROOT / ".git").exists():
        return tuple(
            sorted(path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file() and _ours(path))
        )
    others = () if tracked_only else ("--others", "--exclude-standard")
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", *others], cwd=ROOT, capture_output=True, check=True
    )
    named = (Path(name) for name in told.stdout.decode().split("\0") if name)
    return tuple(sorted({path for path in named if (ROOT / path).is_file()}))


def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the Python files below `folders`, or all of them."""
    return tuple(
        path for path in files() if path.suffix == ".py" and (not folders or path.parts[0] in folders)
    )


@cache
def syntax(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def copy_tree(target: Path, *wanted: str) -> Path:
    """Copy the files below the entries `wanted` of the root, so that a test may spoil them."""
    for path in files():
        if path.parts[0] in wanted:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target / path)
    return target


def _ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    hidden = any(part.startswith(".") and part != ".ci" for part in parts[:-1])
    return (
        not hidden and not _UNTRACKED & set(parts) and not any(part.endswith(".egg-info") for part in parts)
    )
