"""Build the distributions, install the wheel into an environment of its own, and see that it works there.

``python -m tests.package`` leaves the source distribution and the wheel in dist/.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from tests.house.tree import PACKAGES, ROOT, copy_tree, files
from tests.package.environment import clean_environment, install

SOURCES = ("pyproject.toml", "README.md", "LICENSE", *PACKAGES)
INSIDE = Path(__file__).with_name("inside.py")


def main() -> int:
    """Do everything in order; the first thing that is wrong ends it with its name."""
    with tempfile.TemporaryDirectory(prefix="hwsim-package-") as folder:
        place = Path(folder).resolve()
        source, wheel = build(place)
        check_source(source)
        check_wheel(wheel)
        python = clean_environment(place / "environment", "hwsim")
        install(python, wheel)
        check_inside(python, place)
    say(f"wrote dist/{source.name} and dist/{wheel.name}")
    return 0


def build(place: Path) -> tuple[Path, Path]:
    """Build the source distribution from a copy of what git tracks, and from it the wheel."""
    dist = ROOT / "dist"
    for old in dist.glob("hwsim-*"):
        old.unlink()
    copy = copy_tree(place / "source", *SOURCES)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(dist), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    expect(done.returncode == 0, f"python -m build failed:\n{(done.stdout + done.stderr)[-3000:]}")
    (source,), (wheel,) = dist.glob("hwsim-*.tar.gz"), dist.glob("hwsim-*.whl")
    return source, wheel


def check_source(source: Path) -> None:
    """See that the source distribution holds everything that the wheel is built from."""
    with tarfile.open(source) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    missing = {path.as_posix() for path in files() if path.parts[0] in SOURCES} - held
    expect(not missing, f"{source.name} lacks {sorted(missing)}")
    say(f"{source.name}: every file that the wheel is built from")


def check_wheel(wheel: Path) -> None:
    """See that the wheel holds every file of the packages and nothing beside them."""
    held = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    wanted = {path.as_posix() for path in files() if path.parts[0] in PACKAGES}
    expect("hwsim/py.typed" in wanted, "hwsim/py.typed is not tracked")
    expect(wanted <= held, f"{wheel.name} lacks {sorted(wanted - held)}")
    strangers = {name for name in held - wanted if not name.split("/")[0].endswith(".dist-info")}
    expect(not strangers, f"{wheel.name} holds {sorted(strangers)} as well")
    say(f"{wheel.name}: {len(wanted)} files, all that are tracked and no other")


def check_inside(python: Path, place: Path) -> None:
    """Ask the installed package and this folder the same questions, and compare what they answer."""
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    found = answers(python, elsewhere, "all")
    homes = {name: Path(home) for name, home in found["homes"].items()}
    expect(set(homes) == set(PACKAGES), f"imported {sorted(homes)}")
    expect(all(home.is_relative_to(python.parents[1]) for home in homes.values()), f"imported from {homes}")
    check_names(found)
    expected = answers(Path(sys.executable), ROOT, "costs")
    for what in ("workloads", "comparisons", "presets", "costs", "help"):
        expect(found[what] == expected[what], f"{what} differ:\n{found[what]}\n{expected[what]}")
    say(f"hwsim list: {len(found['presets'])} chips and {len(found['workloads'])} workloads, as here")
    say("every chip costs its smallest network, as here")
    page = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    (totals,) = (line.split("|")[3].strip() for line in page.splitlines() if line.startswith("| all |"))
    said = found["validation"]
    expect(totals in said, f"hwsim validate: {said}, but docs/validation.md: {totals}")
    say(f"hwsim validate: {said}")
    for page_name in ("report.html", "comparison.html"):
        expect((elsewhere / page_name).stat().st_size > 10_000, f"the page {page_name} is empty")
    say(f"import hwsim; help(hwsim): {', '.join(found['help'])}")


def check_names(found: dict[str, Any]) -> None:
    """Compare what is listed with the folders and entry points of this tree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chips, families = (project["entry-points"][f"hwsim.{group}"] for group in ("accelerators", "workloads"))
    folders = {path.parent.name for path in files() if path.match("accelerators/*/anchors.toml")}
    expect(set(found["presets"]) == set(chips) == folders,
           f"chips: {sorted(found['presets'])}, but folders {sorted(folders)}")
    expect(set(found["families"]) == set(families.values()), f"families: {found['families']}")


def answers(python: Path, folder: Path, what: str) -> dict[str, Any]:
    """Run the questions with an interpreter in a folder; -I so that neither folder nor variables count."""
    isolated = ["-I"] if folder != ROOT else []
    program = folder / "inside.py" if isolated else INSIDE
    if isolated:
        shutil.copyfile(INSIDE, program)
    done = subprocess.run(
        [python, *isolated, program, what], cwd=folder, capture_output=True, text=True, check=False
    )
    expect(done.returncode == 0, f"{what} failed in {folder}:\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def expect(kept: bool, otherwise: str) -> None:
    """End with `otherwise` unless `kept`."""
    if not kept:
        raise SystemExit(f"make package: {otherwise}")


def say(line: str) -> None:
    """Print what has been seen."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
