"""One sweep per results file: a lock that the system drops when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from hwsim.sweep.errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """Holds ``NAME.lock`` beside a results file."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()  # a link to the file is the file
        self._path = real.with_name(f"{real.name}.lock")
        while True:
            try:
                self._descriptor = os.open(
                    self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666
                )
            except OSError as error:
                raise StoreError(f"cannot be locked: {error.strerror}", where=str(path)) from None
            try:
                _take(self._descriptor)
            except OSError:
                os.close(self._descriptor)
                raise StoreError(
                    "another sweep writes this file",
                    where=str(path),
                    hint="wait until it is done, or give another file with -o",
                ) from None
            # The holder before may have removed the file between our opening and locking it.
            with suppress(FileNotFoundError):
                if os.fstat(self._descriptor).st_ino == self._path.stat().st_ino:
                    return
            os.close(self._descriptor)

    def release(self) -> None:
        """Remove the file while it is still held, then let go."""
        with suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)
