"""The `hwsim` command: every failure becomes a message and an exit code, never a traceback for bad input."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from hwsim.errors import EXIT_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED, HwsimError, Problem, VerifyError
from hwsim.report.visible import visible

_EXIT_BROKEN_PIPE = 141
_OUR_BUG = "this is a bug in hwsim; report it with the command and its input (HWSIM_DEBUG=1 shows where)"
_MANY, _FEW = 12, 3
_LONGEST_LINE, _HEAD, _TAIL = 1000, 600, 200
# Files are written elsewhere and named; without a name it is stdout that takes no more.
_DEVICE_REFUSES = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT)


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
    _prepare_streams()
    if sys.stdout is None:
        _complain("error: standard output: is closed (send it to /dev/null to see nothing)")
        return EXIT_INPUT
    interrupts: list[int] = []
    try:
        with _noting_interrupts(interrupts):
            return _answer(arguments, interrupts)
    except KeyboardInterrupt:
        return _interrupted()


def _answer(arguments: Sequence[str] | None, interrupts: Sequence[int]) -> int:
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return _EXIT_BROKEN_PIPE
    except Exception as error:
        # Libraries wrap an interrupt in exceptions of their own: pydantic makes it a SchemaError.
        return _interrupted() if interrupts else _refuse(error)
    return _interrupted() if interrupts and code != EXIT_INTERRUPTED else code


def _run(arguments: Sequence[str] | None) -> int:
    from hwsim.cli import UsageProblem, invoke

    try:
        return invoke(arguments)
    except UsageProblem as problem:
        _write_error("\n".join(map(_shortened, visible(str(problem)).split("\n"))))
        return EXIT_INPUT


@contextmanager
def _noting_interrupts(interrupts: list[int]) -> Iterator[None]:
    """Append every Ctrl-C to `interrupts` before it is raised, wherever it may then be caught."""
    def note(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    try:
        signal.signal(signal.SIGINT, note)
    except ValueError:  # Only the main thread of a process may say what a signal does.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupted() -> int:
    _complain("interrupted; nothing was left half-written")
    return EXIT_INTERRUPTED


def _refuse(error: Exception) -> int:
    if isinstance(error, OSError) and error.filename is None and error.errno in _DEVICE_REFUSES:
        _drop_output()
        _complain(f"error: standard output: cannot be written: {error.strerror or error}")
        return EXIT_INPUT
    if isinstance(error, MemoryError):
        _complain(f"error: out of memory: {error or 'no detail'} (take a smaller network or design)")
        return EXIT_INPUT
    if not isinstance(error, HwsimError) or isinstance(error, VerifyError):
        return _confess(error)
    for line in _lines(error.problems):
        _complain(f"error: {line}")
    return error.exit_code


def _lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield one line a problem; of many alike only the first few, and the number of the others."""
    alike = Counter((problem.reason, problem.hint) for problem in problems)
    seen: Counter[tuple[str, str]] = Counter()
    for problem in problems:
        kind = (problem.reason, problem.hint)
        seen[kind] += 1
        if alike[kind] <= _MANY or seen[kind] <= _FEW:
            yield str(problem)
        if alike[kind] > _MANY and seen[kind] == _FEW:
            yield f"... and {alike[kind] - _FEW} more like this"


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
    _write_error(_shortened(f"hwsim: {visible(text, lines=False)}"))


def _shortened(line: str) -> str:
    """Return the line without its middle if a name or value out of a file makes it a page long."""
    if len(line) <= _LONGEST_LINE:
        return line
    return f"{line[:_HEAD]} [... {len(line) - _HEAD - _TAIL} letters ...] {line[-_TAIL:]}"


def _write_error(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")


def _drop_output() -> None:
    """Send the rest of stdout to nowhere, so that leaving does not fail on it again."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    """Never fail on characters that a terminal lacks, nor on a stderr that is closed."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - a stream of the whole process
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
