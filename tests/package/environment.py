"""An environment that sees what hwsim declares to need, and nothing else that is installed here."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def clean_environment(place: Path, project: str) -> Path:
    """Make an environment with links to the run-time dependencies of `project`, and return its Python.

    Links save the minutes and the 600 MB of installing them once more; what is not declared is not there.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin/python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    for found in needed(project):
        for entry in entries(found):
            link = packages / entry.name
            if not link.exists():
                link.symlink_to(entry)
    return python


def install(python: Path, wheel: Path) -> None:
    """Install a wheel without any index: pip refuses it if a dependency is not there already."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--python", python]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--no-index", wheel], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"make package: pip install {wheel.name}:\n{done.stderr[-3000:]}")


def needed(project: str) -> list[Distribution]:
    """Return the installed distributions that `project` needs, directly or not; without extras."""
    found: dict[str, Distribution] = {}
    asked = [(project, frozenset({""}))]
    while asked:
        name, extras = asked.pop()
        here = distribution(name)
        found[canonicalize_name(name)] = here
        for line in here.requires or ():
            want = Requirement(line)
            wanted = want.marker is None or any(want.marker.evaluate({"extra": extra}) for extra in extras)
            if wanted and canonicalize_name(want.name) not in found:
                asked.append((want.name, frozenset({"", *want.extras})))
    del found[canonicalize_name(project)]
    return list(found.values())


def entries(found: Distribution) -> set[Path]:
    """Return the files and folders of a distribution beside the others in its folder."""
    tops = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
    return {Path(str(found.locate_file(top))) for top in tops}
