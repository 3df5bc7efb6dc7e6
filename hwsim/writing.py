"""Writes files whole or not at all: beside their place, to the disk, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwsim.errors import InputError


def check_writable(target: Path) -> None:
    """Raise InputError if no file can be written at `target`, with the reason."""
    try:
        folder = target.resolve().parent
        if target.is_dir():
            raise InputError("is a folder, not a file", where=str(target))
        if not folder.is_dir():
            raise InputError(f"the folder {str(folder)!r} does not exist", where=str(target),
                             hint="create it first")
    except (OSError, ValueError, RuntimeError) as error:
        raise _refusal(error, target) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError("cannot be written: no permission to write in its folder", where=str(target))


def write_bytes(target: Path, content: bytes) -> None:
    """Replace the file at `target` by `content` in one step; on any failure or Ctrl-C the old file stays.

    Raises
    ------
    InputError
        The operating system refuses, with its reason.
    """
    try:
        special = target.exists() and not target.is_file()
        if special:
            target.write_bytes(content)
    except (OSError, ValueError) as error:
        raise _refusal(error, target) from None
    if not special:
        with beside(target) as unfinished, unfinished.open("xb") as file:
            file.write(content)


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of `target` at the end, or is gone if anything fails.

    Raises
    ------
    InputError
        The operating system refuses, with its reason.
    """
    try:
        place = target.resolve()
        unfinished = place.with_name(f".{place.name[:100]}.{secrets.token_hex(4)}.tmp")
        try:
            yield unfinished
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            unfinished.replace(place)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _refusal(error, target) from None


def _refusal(error: Exception, target: Path) -> InputError:
    reason = error.strerror if isinstance(error, OSError) else None
    return InputError(f"cannot be written: {reason or error}", where=str(target))
