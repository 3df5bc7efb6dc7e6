"""Which model computes: a version that changes with the source of everything that can move a number."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import hwsim
from hwsim.model.types import Accelerator

# Words of the command line; everything else can move a number.
_SILENT = ("commands", "cli.py", "__main__.py")
_MODEL_FILES = (".py", ".toml")


def model_version(accelerator: Accelerator) -> str:
    """Return the version of a chip's model: its own, hwsim's, and a digest of the source of both.

    Two processes with equal texts compute equal numbers; results of another text are never served.
    """
    root = Path(hwsim.__file__).parent
    return (
        f"{accelerator.model_version}/{version('hwsim')}/"
        f"{_digest(root, _SILENT)[:12]}.{_digest(accelerator.folder, ())[:12]}"
    )


@cache
def _digest(folder: Path, silent: tuple[str, ...]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if (
            path.suffix in _MODEL_FILES
            and inside.parts[0] not in silent
            and "__pycache__" not in inside.parts
        ):
            digest.update(f"{inside.as_posix()}\n".encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
