from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hwsim
from hwsim.report.files import write
from hwsim.report.types import Report

Command = Callable[..., Any]
HEAVY = {"numba", "numpy", "pandas", "onnx", "pulp", "matplotlib", "networkx", "pydantic", "jinja2", "rich"}


def test_help_imports_nothing_heavy() -> None:
    script = ("import sys; from hwsim.__main__ import main; code = main(['--help']); "
              "print(code, *sys.modules, file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    code, *modules = done.stderr.split()
    assert code == "0"
    assert HEAVY & set(modules) == set()
    for name in ("run", "compare", "list", "show", "explain", "validate", "schema"):
        assert f"\n  {name} " in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]


def test_no_words_at_all_print_the_help_and_fail(command: Command) -> None:
    outcome = command()
    assert outcome.code == 2
    assert "Usage: hwsim" in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize("name", ["run", "compare", "list", "show", "explain", "validate", "schema"])
def test_every_command_has_help(command: Command, name: str) -> None:
    outcome = command(name, "--help")
    assert outcome.code == 0
    assert f"Usage: hwsim {name}" in outcome.out


def test_version_is_one_line(command: Command) -> None:
    outcome = command("--version")
    assert outcome.code == 0
    assert outcome.out == f"hwsim {metadata.version('hwsim')}\n"


@pytest.fixture
def report_path(tmp_path: Path, make_report: Callable[..., Report]) -> Path:
    write(make_report(4), tmp_path / "r.json")
    return tmp_path / "r.json"


def test_explain_walks_to_the_source(command: Command, report_path: Path) -> None:
    outcome = command("explain", str(report_path), "--unit", "dram", "--top", "1")
    assert outcome.code == 0
    assert "doi:10.1109/ISSCC.2014.6757323" in outcome.out
    assert "and 3 more" in outcome.out


def test_explain_as_json(command: Command, report_path: Path) -> None:
    document = json.loads(command("explain", str(report_path), "--json").out)
    assert sum(child["share"] for child in document["children"]) == pytest.approx(1.0)


@pytest.mark.parametrize(("words", "text"), [
    (["--layer", "conv"], "no layer 'conv'"), (["--unit", "drum"], "did you mean 'dram'?"),
    (["--top", "-1"], "--top"), (["--top", "x"], "--top")])
def test_explain_refuses_unknown_names(command: Command, report_path: Path, words: list[str],
                                       text: str) -> None:
    outcome = command("explain", str(report_path), *words)
    assert outcome.code == 2
    assert text in outcome.err


def test_explain_refuses_other_files(command: Command, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"schema_version": "1.0", "totals": 3}')
    outcome = command("explain", str(tmp_path / "r.json"))
    assert outcome.code == 2
    assert "totals: expected an object, got 3" in outcome.err
    assert command("explain", str(tmp_path)).code == 2
    assert command("explain", str(tmp_path / "none.json")).code == 2


@dataclass(frozen=True)
class _Anchor:
    chip: str
    name: str
    unit: str
    published: float
    modeled: float
    error_ratio: float
    tolerance_ratio: float
    status: str
    source: str
    reason: str
    passed: bool
    known_error_ratio: float = 0.0
    comparison: str = "equal"


def _anchors(monkeypatch: pytest.MonkeyPatch, *modeled: float, known_error_ratio: float = 0.0,
             comparison: str = "equal") -> None:
    results = tuple(_Anchor("systolic", f"peak{index}", "OP/s", 92e12, value, value / 92e12 - 1, 0.05,
                            "predicted", "jouppi2017", "peak of the array", abs(value / 92e12 - 1) <= 0.05,
                            known_error_ratio, comparison)
                    for index, value in enumerate(modeled))
    stand_in = SimpleNamespace(validate=lambda chip: results)
    monkeypatch.setitem(sys.modules, "hwsim.anchors", stand_in)
    monkeypatch.setattr(hwsim, "anchors", stand_in, raising=False)


def test_validate_passes_and_fails_by_tolerance(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _anchors(monkeypatch, 91.75e12)
    outcome = command("validate")
    assert outcome.code == 0
    assert "-0.3%" in outcome.out
    counts = "1 anchor: 1 predicted, 0 calibrated, 0 unconfirmed; 0 known deviations, 0 out of tolerance"
    assert counts in outcome.out
    _anchors(monkeypatch, 91.75e12, 91e12, known_error_ratio=-0.01)
    assert "2 known deviations, 0 out of tolerance" in command("validate").out
    _anchors(monkeypatch, 91.75e12, 60e12)
    outcome = command("validate", "systolic")
    assert outcome.code == 1
    assert "OUT OF TOLERANCE" in outcome.out
    assert outcome.err == ""


def test_validate_names_bounds(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _anchors(monkeypatch, 91.75e12)
    assert "bound" not in command("validate").out
    _anchors(monkeypatch, 91.75e12, comparison="at_most")
    out = command("validate").out
    assert "<= 9.2e+13 OP/s" in out
    assert "within bound" in out
    assert "0 unconfirmed; 1 of them only bounds; 0 known deviations" in out


def test_validate_groups_by_chip_and_names_sources(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    _anchors(monkeypatch, 91.75e12, 92e12)
    stand_in = sys.modules["hwsim.anchors"]
    first, second = stand_in.validate(None)
    monkeypatch.setattr(stand_in, "validate", lambda chip: (second, replace(first, chip="another"), first))
    out = command("validate").out
    heads = re.findall(r"^(\w+), (\d+) anchors?: ", out, re.MULTILINE)
    assert heads == [("another", "1"), ("systolic", "2")]
    assert "3 anchors of 2 chips: 3 predicted" in out.splitlines()[-1]
    assert out.count(first.source) == 3


def test_validate_as_json(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _anchors(monkeypatch, 60e12)
    outcome = command("validate", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 1
    assert document["passed"] is False
    assert document["anchors"][0]["published"] == 92e12


def test_schema_of_reports_describes_what_run_writes(command: Command, report_path: Path) -> None:
    schema = json.loads(command("schema", "report").out)["$defs"]["report"]
    document = json.loads(report_path.read_text())
    assert set(schema["required"]) <= set(document) <= set(schema["properties"])
    assert set(document["totals"]) == set(schema["properties"]["totals"]["required"])


@pytest.mark.parametrize(("words", "text"), [
    (["schema", "design"], "which chip?"), (["schema", "report", "systolic"], "takes no chip"),
    (["schema", "nothing"], "'nothing' is not one of"), (["list", "nothing"], "'nothing' is not one of")])
def test_schema_and_list_say_what_they_need(command: Command, words: list[str], text: str) -> None:
    outcome = command(*words)
    assert outcome.code == 2
    assert text in outcome.err
