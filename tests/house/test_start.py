"""`hwsim --help` answers at once: nothing heavy is imported before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "numba",
    "pandas",
    "onnx",
    "pulp",
    "matplotlib",
    "networkx",
    "numpy",
    "jinja2",
    "pyarrow",
    "onnxruntime",
)

PROBE = """
import contextlib, io, json, sys
{code}
print(json.dumps(sorted(set(sys.modules) & set({heavy!r}))))
"""
HELP = """
from hwsim.__main__ import main
shown = io.StringIO()
with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
    main({words!r})
assert "Usage" in shown.getvalue()
"""


def heavy_after(code: str, folder: Path) -> list[str]:
    """Return the heavy packages that a fresh interpreter has imported after `code`."""
    probe = PROBE.format(code=code, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=folder, capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import hwsim",
        "import hwsim.cli",
        "import hwsim.__main__",
        HELP.format(words=["--help"]),
        HELP.format(words=["run", "--help"]),
        HELP.format(words=["sweep", "--help"]),
    ],
)
def test_start_is_light(code: str, tmp_path: Path) -> None:
    assert heavy_after(code, tmp_path) == []


def test_the_probe_sees_heavy_imports(tmp_path: Path) -> None:
    assert "numpy" in heavy_after("import hwsim.trace", tmp_path)


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["list", "--json"], ["shwo"], ["run", "nothing.onnx"]]
)
def test_module_and_command_are_the_same(words: list[str], tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("hwsim")
    assert command.exists(), "the package is not installed: run make test"
    first = subprocess.run([command, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    second = subprocess.run(
        [sys.executable, "-m", "hwsim", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (first.returncode, first.stdout, first.stderr) == (second.returncode, second.stdout, second.stderr)
    assert first.stdout or first.stderr
