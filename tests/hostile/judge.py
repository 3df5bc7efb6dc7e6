"""Runs one command in this process and says what is wrong with its answer."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from hwsim.__main__ import main

CODES = (0, 2, 3, 4, 5)
LIMIT_S = 10.0
MOST_LINES, MOST_LETTERS = 60, 1500


class Hang(BaseException):
    """The command has worked longer than any input is worth; not an Exception, so that nothing catches it."""


@dataclass
class Answer:
    """Exit code, streams, files written, and what is wrong with any of them."""

    code: int = -1
    out: str = ""
    err: str = ""
    files: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def _stop(number: int, frame: object) -> NoReturn:
    raise Hang


@contextlib.contextmanager
def watched(limit_s: float) -> Iterator[None]:
    """Raise Hang after so much processor time; a kernel that never returns ends the whole process."""
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, limit_s, 1.0)
    faulthandler.dump_traceback_later(12 * limit_s, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGPROF, before)


def judge(words: Sequence[str], *, limit_s: float = LIMIT_S) -> Answer:
    """Run `words`, with a place in an empty folder for ``{out}``, and look at all that it leaves."""
    answer = Answer()
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        filled = [word.replace("{out}", f"{folder}/out") for word in words]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), watched(limit_s):
                answer.code = main(filled)
        except Hang:
            answer.complaints.append(f"works for more than {limit_s:g} s")
        except BaseException as error:
            answer.complaints.append(f"lets {type(error).__name__} through: {error}")
        answer.out, answer.err = out.getvalue(), err.getvalue()
        _judge_files(answer, Path(folder), filled)
    _judge_streams(answer)
    return answer


def _judge_streams(answer: Answer) -> None:
    say = answer.complaints.append
    if answer.code not in (*CODES, -1):
        say(f"exit code {answer.code}")
    if "out of memory" in answer.err:
        say("works until memory is short instead of counting first")
    if "bug in hwsim" in answer.err or "Traceback" in answer.err:
        say("calls it a bug")
    lines = answer.err.splitlines()
    if strange := [line for line in lines if not line.startswith("hwsim: ")]:
        say(f"stderr has a line of somebody else: {strange[0][:200]}")
    if len(lines) > MOST_LINES or any(len(line) > MOST_LETTERS for line in lines):
        say(f"stderr has {len(lines)} lines of up to {max(map(len, lines))} letters")
    if answer.code == 2 and (answer.out or "hwsim: error: " not in answer.err):
        say("refuses without an error, or prints beside it")
    if not answer.out.isprintable() and any(
        ord(letter) < 32 and letter not in "\n\t" for letter in answer.out
    ):
        say("prints control characters")


def _judge_files(answer: Answer, folder: Path, words: Sequence[str]) -> None:
    say = answer.complaints.append
    wanted = {Path(word).name for word in words if Path(word).parent == folder}
    found = {path.name for path in folder.iterdir()}
    answer.files = sorted(found)
    kept = {
        f"{name}{tail}" for name in wanted if name.endswith(".db") for tail in ("", "-wal", "-shm", ".lock")
    }
    if strange := found - wanted - kept:
        say(f"leaves {', '.join(sorted(strange))}")
    if answer.code == 0 and "--dry-run" not in words and wanted - found:
        say(f"did not write {', '.join(sorted(wanted - found))}")
    for name in sorted(found & wanted):
        if reason := incomplete(folder / name):
            say(f"{name} {reason}")


def incomplete(path: Path) -> str:
    """Return what is missing from a written file; empty when it is whole."""
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            json.loads(content, parse_constant=_no_number)
        except ValueError as error:
            return f"is no JSON: {error}"
    elif path.suffix in (".html", ".svg"):
        end = b"</html>" if path.suffix == ".html" else b"</svg>"
        return "" if content.rstrip().endswith(end) else "ends early"
    elif path.suffix == ".csv":
        return "" if content.endswith(b"\n") else "ends early"
    elif path.suffix == ".parquet":
        return "" if content[:4] == content[-4:] == b"PAR1" else "ends early"
    elif path.suffix == ".db":
        with contextlib.closing(sqlite3.connect(path)) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
        return "" if verdict == "ok" else f"is damaged: {verdict}"
    return ""


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"holds {text}")
