"""The live line of a sweep: done, reused, failed, points per second, time left."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TextIO

from hwsim.sweep.session import Counts

_EVERY_S, _EVERY_QUIETLY_S = 0.2, 10.0


class ProgressLine:
    """Writes one line that is overwritten on a terminal, or a new line now and then into a file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._last = -_EVERY_S if self._live else time.monotonic()  # people see at once that it began
        self._shown = False

    def __call__(self, counts: Counts) -> None:
        """Show the counts, unless a moment ago."""
        now = time.monotonic()
        if now - self._last < (_EVERY_S if self._live else _EVERY_QUIETLY_S):
            return
        self._last = now
        self._write(f"\r\x1b[2K{line_of(counts)}" if self._live else f"{line_of(counts)}\n")
        self._shown = True

    def close(self) -> None:
        """Clear the line."""
        if self._live and self._shown:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)
            self._stream.flush()


def line_of(counts: Counts) -> str:
    """Return how far a sweep is, in one line."""
    worked = counts.computed + counts.failed
    rate = worked / counts.elapsed_s if counts.elapsed_s > 0 else 0.0
    left = max(counts.total - counts.done, 0)
    words = [
        f"{counts.done:,} of {counts.total:,} done",
        f"{counts.reused:,} reused",
        f"{counts.failed:,} failed",
        f"{rate:,.1f} points/s",
    ]
    if rate > 0 and left:
        words.append(f"{_clock(left / rate)} left")
    return "hwsim: " + ", ".join(words)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(min(seconds, 8.64e7)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
