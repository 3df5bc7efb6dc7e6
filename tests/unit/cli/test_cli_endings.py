"""How a command ends when it is interrupted, its reader leaves or its output cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

import hwsim
from hwsim.__main__ import main
from hwsim.errors import InputError, Problem
from hwsim.report.visible import visible

Command = Callable[..., Any]
NOTE = "hwsim: interrupted; nothing was left half-written\n"
REPORT = ["run", "mlp_mnist", "--on", "systolic"]


@pytest.fixture(autouse=True)
def keyboard() -> Iterator[None]:
    """Listen to Ctrl-C even where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
    raise AssertionError("no interrupt came")


def wrap_ctrl_c(*_: object, **__: object) -> NoReturn:
    try:
        press_ctrl_c()
    except KeyboardInterrupt as interrupt:
        raise ValueError("Error building model") from interrupt


def swallow_ctrl_c(*_: object, **__: object) -> NoReturn:
    try:
        press_ctrl_c()
    except KeyboardInterrupt:
        raise InputError("the chip cannot be loaded") from None


@pytest.mark.parametrize("work", [press_ctrl_c, wrap_ctrl_c, swallow_ctrl_c])
def test_ctrl_c_is_one_note_whatever_a_library_makes_of_it(
        command: Command, calls: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        work: Callable[..., NoReturn]) -> None:
    monkeypatch.setattr(hwsim.run, "evaluate", work)
    outcome = command("run", "net.onnx", "--on", "systolic", "-o", str(tmp_path / "r.json"))
    assert (outcome.code, outcome.out, outcome.err) == (130, "", NOTE)
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_a_file_is_written_leaves_the_old_one(
        command: Command, calls: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", press_ctrl_c)
    outcome = command("run", "net.onnx", "--on", "systolic", "-o", str(path))
    assert (outcome.code, outcome.err) == (130, NOTE)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("r.json", "old")]


@pytest.mark.parametrize("delay_s", [0.3, 0.5])
def test_ctrl_c_of_a_real_process(tmp_path: Path, delay_s: float) -> None:
    words = [sys.executable, "-m", "hwsim", "run", "resnet50", "--on", "systolic", "--batch", "64",
             "-o", str(tmp_path / "r.json"), "-o", str(tmp_path / "r.html"), "--quiet"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    # On a machine of another speed the signal meets the interpreter's own start or end.
    assert process.returncode in (130, 1, 0, -signal.SIGINT)
    assert "bug in hwsim" not in err
    if process.returncode == 130:
        assert err == NOTE
    assert not [path for path in tmp_path.iterdir() if path.suffix not in (".json", ".html")]


def shell(words: Sequence[str], rest: str) -> subprocess.CompletedProcess[str]:
    """Run hwsim with unbuffered output, so that what it meets does not depend on who is faster."""
    script = f"{sys.executable} -u -m hwsim {' '.join(words)} {rest}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [REPORT, ["list"], ["--help"], ["run", "--help"]])
def test_a_reader_that_has_left_is_exit_code_141(words: list[str]) -> None:
    # The reader leaves at once; the command starts only then.
    script = f"(sleep 0.3; exec {sys.executable} -m hwsim {' '.join(words)}) | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", [REPORT, ["list", "--json"], ["--version"]])
def test_output_that_cannot_be_written_is_one_line(words: list[str]) -> None:
    done = shell(words, "> /dev/full")
    assert done.returncode == 2
    assert done.stderr == "hwsim: error: standard output: cannot be written: No space left on device\n"


def test_output_that_is_closed_is_one_line() -> None:
    done = shell(["list"], ">&-")
    assert done.returncode == 2
    assert done.stderr.startswith("hwsim: error: standard output: is closed")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_closed_or_full_stderr_changes_no_exit_code() -> None:
    assert shell(["lits"], "2>&-").returncode == 2
    assert shell(["run", "nothing", "--on", "systolic"], "2> /dev/full").returncode == 2
    assert shell([*REPORT, "-o", "/dev/null/x.json"], "2> /dev/full").returncode == 2


def test_many_problems_alike_are_counted_and_every_reason_kept(command: Command, calls: Any) -> None:
    alike = [Problem(f"net.conv{index}", "int16 does not fit", "set bits") for index in range(53)]
    calls.failure = InputError(problems=[*alike[:30], Problem("net.odd", "other"), *alike[30:]])
    lines = command("run", "net.onnx", "--on", "systolic").err.splitlines()
    assert lines == ["hwsim: error: net.conv0: int16 does not fit (set bits)",
                     "hwsim: error: net.conv1: int16 does not fit (set bits)",
                     "hwsim: error: net.conv2: int16 does not fit (set bits)",
                     "hwsim: error: ... and 50 more like this", "hwsim: error: net.odd: other"]
    calls.failure = InputError(problems=alike[:12])
    assert len(command("run", "net.onnx", "--on", "systolic").err.splitlines()) == 12


def test_names_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    name = "a\x1b]0;owned\x07\x9b2J\u202e"
    path = tmp_path / "net.csv"
    path.write_text(f"Layer, M, N, K,\n{name}, 7, 33, 20,\n", encoding="utf-8")
    shown = visible(name)
    assert shown == "a\\u001b]0;owned\\u0007\\u009b2J\\u202e"
    report = tmp_path / "r.json"
    for words in (["run", str(path), "--on", "systolic", "-o", str(report)],
                  ["run", str(path), "--on", "systolic", "--json"], ["explain", str(report), "--layer", name],
                  ["run", str(path), "--on", "systolic", "--precision", "int16"],
                  ["run", "\x1b[31mred", "--on", "systolic"]):
        main(words)
        captured = capsys.readouterr()
        text = captured.out + captured.err
        assert "\\u001b" in text or "\\x1b" in text
        assert all(sign == "\n" or sign.isprintable() for sign in text), words
