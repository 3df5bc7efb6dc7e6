from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwsim.commands.job import chip_specs, dimensions, knobs
from hwsim.errors import InputError, VerifyError

Command = Callable[..., Any]


def test_run_prints_the_tables_on_stdout_only(command: Command, calls: Any) -> None:
    outcome = command("run", "net.onnx", "--on", "systolic")
    assert outcome.code == 0
    assert "synthetic6 on systolic:tpu_v1" in outcome.out
    assert "coverage: costed 100 %" in outcome.out
    assert outcome.err == ""


def test_every_option_reaches_the_model(command: Command, calls: Any) -> None:
    outcome = command("run", "net.onnx", "--on", "systolic:a,systolic:b", "--on", "systolic",
                      "--set", "rows=8", "--set", "dataflow=os", "--set", "scale=1.5e3",
                      "--set", "buffered=true", "--dim", "seq=128", "--batch", "4",
                      "--precision", "int8", "--on-unsupported", "host", "--quiet")
    assert outcome.code == 0
    expected = {"rows": 8, "dataflow": "os", "scale": 1500.0, "buffered": True}
    assert calls.chip == [("systolic:a", expected), ("systolic:b", expected), ("systolic", expected)]
    options = {"dimensions": {"seq": 128}, "batch": 4, "precision": "int8", "on_unsupported": "host"}
    assert calls.load == [{"network": "net.onnx", **options}]
    assert calls.evaluate == ["host"] * 3
    assert outcome.out == outcome.err == ""


@pytest.mark.parametrize(("words", "notes"), [
    ([], ["batch=N", "seq=N"]), (["--dim", "seq=128"], ["batch=N"]), (["--batch", "1"], ["seq=N"]),
    (["--dim", "seq=128", "--dim", "batch=1"], []), (["--quiet"], [])])
def test_dimensions_bound_without_a_word_are_noted(command: Command, calls: Any, words: list[str],
                                                   notes: list[str]) -> None:
    outcome = command("run", "open.onnx", "--on", "systolic", *words)
    assert outcome.code == 0
    lines = outcome.err.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == notes
    if "batch=N" in notes:
        assert lines[0] == "hwsim: dimension batch of open.onnx bound to 1; choose with --dim batch=N"


def test_reports_are_compared_without_chips(command: Command, calls: Any, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{name}.json") for name in "abc"]
    for preset, file in zip(("x", "y"), files, strict=False):
        command("run", "net.onnx", "--on", f"systolic:{preset}", "-o", file)
    both = command("compare", "net.onnx", "--on", "systolic:x,systolic:y", "-o", files[2])
    done = command("compare", *files[:2], "-o", str(tmp_path / "d.json"), "-o", str(tmp_path / "d.html"))
    assert (done.code, done.out) == (0, both.out)
    assert Path(files[2]).read_bytes() == (tmp_path / "d.json").read_bytes()
    assert command("compare", files[2]).out == both.out
    assert len(calls.load) == 3


@pytest.mark.parametrize(("words", "text"), [
    (["r.json", "--on", "systolic"], "--on: changes nothing in a report"),
    (["r.json", "--set", "a=1", "--batch", "2"], "--batch: changes nothing in a report"),
    (["r.json"], "r.json: cannot be read: No such file"),
    (["r.json", "net.onnx"], "2 networks given: r.json, net.onnx"), (["net.onnx"], "--on: no chip given"),
    ([], "Missing argument 'NETWORK|COMPARISON|REPORT.json...'")])
def test_compare_says_what_it_needs(command: Command, calls: Any, words: list[str], text: str) -> None:
    outcome = command("compare", *words)
    assert outcome.code == 2
    assert text in outcome.err
    assert outcome.err.startswith("hwsim: error: ")


@pytest.mark.parametrize(("words", "told"), [
    (["--scratchpad", "1MiB", "--time-limit", "3"], ["--scratchpad: changes nothing without --schedule (add "
     "--schedule cosma)", "--time-limit: changes nothing without --schedule (add --schedule cosma)"]),
    (["--functional", "f.npz", "--scratchpad", "1MiB", "--schedule", "cosma"],
     ["--functional: does not go with --schedule in one run (run them apart)"]),
    (["--clamp", "P=1", "--functional", "f.npz", "--schedule", "cosma"],
     ["--functional: does not go with --schedule", "--clamp: does not go with --schedule"]),
])
def test_no_option_is_dropped_in_silence(command: Command, calls: Any, words: list[str],
                                         told: list[str]) -> None:
    outcome = command("run", "net.onnx", "--on", "systolic", *words)
    assert outcome.code == 2
    assert all(text in line for text, line in zip(told, outcome.err.splitlines(), strict=True))
    assert calls.load == []


def test_compare_drops_no_option_in_silence(command: Command, calls: Any) -> None:
    for words in (["--schedule", "cosma", "--service-life", "5y"], ["--activity", "0.2"],
                  ["--scenario", "s.toml"]):
        outcome = command("compare", "net.onnx", "--on", "systolic:x,systolic:y", *words)
        assert (outcome.code, "--service-life" in outcome.err) == (2, True)
    outcome = command("compare", "r.json", "--service-life", "5y")
    assert (outcome.code, "--service-life: changes nothing in a report" in outcome.err) == (2, True)
    assert calls.load == []


def test_json_is_the_document_and_nothing_else(command: Command, calls: Any) -> None:
    one = json.loads(command("run", "net.onnx", "--on", "systolic", "--json").out)
    assert one["totals"]["macs"] > 0
    two = json.loads(command("compare", "net.onnx", "--on", "systolic:a,systolic:b", "--json").out)
    assert two["names"] == ["systolic:a", "systolic:b"]


def test_files_are_written_and_noted_on_stderr(command: Command, calls: Any, tmp_path: Path) -> None:
    paths = [tmp_path / "r.json", tmp_path / "r.csv"]
    outcome = command("run", "net.onnx", "--on", "systolic", "-o", str(paths[0]), "-o", str(paths[1]),
                      "--timeline", str(tmp_path / "t.json"))
    assert outcome.code == 0
    assert all(path.stat().st_size > 100 for path in (*paths, tmp_path / "t.json"))
    assert outcome.err.count("hwsim: wrote ") == 3
    assert "wrote" not in outcome.out


def test_paths_are_refused_before_any_work(command: Command, calls: Any, tmp_path: Path) -> None:
    outcome = command("run", "net.onnx", "--on", "systolic", "-o", str(tmp_path / "no" / "r.json"),
                      "-o", "r.xyz", "-o", "a.json", "--timeline", "a.json")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 3
    assert "does not exist" in outcome.err
    assert "'.xyz'" in outcome.err
    assert "a.json: named twice" in outcome.err
    assert calls.load == []


@pytest.mark.parametrize(("words", "code", "text"), [
    (["run", "missing.onnx", "--on", "systolic"], 2, "hwsim: error: missing.onnx: no such file"),
    (["run", "n", "--on", "systolik"], 2, "did you mean 'systolic'?"),
    (["run", "odd.onnx", "--on", "systolic"], 3, "node_3: cannot run 'sort' (--on-unsupported host)"),
    (["run", "n", "--on", "systolic,,"], 2, "an empty chip name"),
    (["compare", "n", "--on", "systolic"], 2, "only one chip"),
    (["run", "n", "--on", "systolic", "--set", "rows"], 2, "'rows' is not of the form KNOB=VALUE"),
    (["run", "n", "--on", "systolic", "--dim", "batch=-1"], 2, "'-1' is not a whole number above zero"),
    (["run", "n", "--on", "systolic", "--dim", "batch=" + "9" * 40], 2, "is not a whole number"),
    (["run", "n", "--on", "systolic", "--batch", "0"], 2, "--batch"),
    (["run", "n", "--on", "systolic", "--batch", "many"], 2, "--batch"),
    (["run", "n", "--on", "systolic", "--on-unsupported", "skip"], 2, "'skip' is not one of"),
    (["run", "n"], 2, "Missing option '--on'"),
    (["run"], 2, "Missing argument 'NETWORK'"),
    (["rum"], 2, "Did you mean 'run'?"),
    (["run", "n", "--onn", "systolic"], 2, "No such option: --onn"),
])
def test_bad_words_give_one_clear_message(command: Command, calls: Any, words: list[str], code: int,
                                          text: str) -> None:
    outcome = command(*words)
    assert outcome.code == code
    assert text in outcome.err
    assert outcome.err.startswith("hwsim: error: ")
    assert "Traceback" not in outcome.err
    assert outcome.out == ""


def test_all_bad_settings_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        knobs(["a", "b=1", "b=2", "=3", "c="])
    assert len(caught.value.problems) == 4
    with pytest.raises(InputError) as caught:
        dimensions(["a=x", "b=0", "c=1.5", "d=\u00b2"])
    assert len(caught.value.problems) == 4


def test_values_with_units_are_read_by_the_suffix_of_the_knob() -> None:
    found = knobs(["clock_hz=700MHz", "buffer_bytes=64 KiB", "node_m=28nm", "supply_v=0.9", "name=7nm"])
    assert found == {"clock_hz": 700e6, "buffer_bytes": 65536, "node_m": 28e-9, "supply_v": 0.9,
                     "name": "7nm"}
    with pytest.raises(InputError) as caught:
        knobs(["clock_hz=7 J", "buffer_bytes=64 kB", "x"])
    text = str(caught.value)
    assert "--set clock_hz: '7 J' is in J, which does not fit the suffix _hz" in text
    assert "ambiguous" in text
    assert "'x' is not of the form" in text


def test_values_of_settings_are_read_as_json_where_they_are() -> None:
    words = ["a=1", "b=1.5", "c=[1, 2]", "d=text", "e=NaN", "f=0x10", "g=" + "[" * 10_000, "h=x=y"]
    found = knobs(words)
    assert found["a"] == 1
    assert found["c"] == [1, 2]
    assert found["e"] == "NaN"
    assert found["f"] == "0x10"
    assert found["h"] == "x=y"
    assert chip_specs([" a , b:c", "d"]) == ("a", "b:c", "d")


def test_an_interrupt_is_exit_code_130(command: Command, calls: Any) -> None:
    calls.failure = KeyboardInterrupt()
    outcome = command("run", "net.onnx", "--on", "systolic")
    assert outcome.code == 130
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("failure", [ZeroDivisionError("division\nby zero"), VerifyError("parts do not sum"),
                                     BaseExceptionGroup("several", [ValueError("a")])])
def test_our_own_bugs_are_confessed_in_one_line(command: Command, calls: Any, failure: BaseException,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HWSIM_DEBUG", raising=False)
    calls.failure = failure
    outcome = command("run", "net.onnx", "--on", "systolic")
    assert outcome.code == 1
    assert "this is a bug in hwsim" in outcome.err
    assert len(outcome.err.splitlines()) == 2
    assert "Traceback" not in outcome.err


def test_debugging_shows_the_traceback(command: Command, calls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWSIM_DEBUG", "1")
    calls.failure = ZeroDivisionError("division by zero")
    outcome = command("run", "net.onnx", "--on", "systolic")
    assert outcome.code == 1
    assert "Traceback" in outcome.err


def test_a_reader_that_leaves_is_no_error() -> None:
    script = f"set -o pipefail; {sys.executable} -m hwsim schema report | head -c 10"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 141)
    assert done.stderr == ""
    assert len(done.stdout) == 10


def test_odd_characters_reach_a_narrow_terminal() -> None:
    done = subprocess.run([sys.executable, "-m", "hwsim", "explain", "r\u00e9seau.json"], capture_output=True,
                          text=True, check=False, env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert done.returncode == 2
    assert "r\\xe9seau.json" in done.stderr
