"""The `hwsim` command: every failure becomes a message and an exit code, never a traceback for bad input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from hwsim.errors import EXIT_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED, HwsimError, VerifyError

_EXIT_BROKEN_PIPE = 141
_OUR_BUG = "this is a bug in hwsim; report it with the command and its input (HWSIM_DEBUG=1 shows where)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str or None
        Words after ``hwsim``; None takes those of the process.

    Returns
    -------
    int
        Exit code: 0 ok, 1 internal error or a failed validation, 2 usage or input, 3 infeasible or
        unsupported, 4 partial sweep, 5 time limit, 130 interrupted, 141 when the reader of a pipe left.
    """
    _never_fail_on_characters()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        _complain("interrupted; nothing was left half-written")
        return EXIT_INTERRUPTED
    except HwsimError as error:
        return _explain(error)
    except Exception as error:
        return _confess(error)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    from hwsim.cli import UsageProblem, invoke

    try:
        return invoke(arguments)
    except UsageProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return EXIT_INPUT


def _explain(error: HwsimError) -> int:
    if isinstance(error, VerifyError):
        return _confess(error)
    for problem in error.problems:
        _complain(f"error: {problem}")
    return error.exit_code


def _confess(error: Exception) -> int:
    if os.environ.get("HWSIM_DEBUG", "") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    reason = " ".join(str(error).split()) or "no message"
    name = "" if isinstance(error, VerifyError) else f"{type(error).__name__}: "
    _complain(f"error: {name}{reason[:500]}")
    _complain(_OUR_BUG)
    return EXIT_INTERNAL


def _complain(text: str) -> None:
    sys.stderr.write(f"hwsim: {text}\n")


def _never_fail_on_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
