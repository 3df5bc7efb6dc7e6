"""A worker process of a sweep: ``python -m hwsim.sweep.worker``, chunks on stdin, answers on stdout."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from hwsim.sweep.engines import serve


def main() -> None:
    """Serve until stdin ends; whatever the model prints goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(BrokenPipeError, EOFError):
        serve(sys.stdin.buffer, outgoing)


if __name__ == "__main__":
    main()
