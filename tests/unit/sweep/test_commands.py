from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import hwsim
from hwsim.__main__ import main
from hwsim.sweep.progress import ProgressLine, line_of
from hwsim.sweep.session import Counts
from tests.unit.sweep.spaces import space
from workloads import digits

QUICK = ["digits_32", "--on", "systolic", "--knob", "array_rows=8:32:x2", "--knob", "dataflow=os,ws"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sweep_prints_points_and_resumes(inside: Path, capsys: Capture) -> None:
    assert main(["sweep", *QUICK, "-o", "r.db", "-o", "r.csv"]) == 0
    shown = capsys.readouterr()
    assert [line.split()[:3] for line in shown.out.splitlines()[2:]] == [
        [str(2 * place + offset), str(rows), flow]
        for place, rows in enumerate((8, 16, 32))
        for offset, flow in enumerate(("os", "ws"))
    ]
    assert "computed 6, reused 0, failed 0; results in r.db" in shown.err
    assert len((inside / "r.csv").read_text().splitlines()) == 7
    assert main(["sweep", *QUICK, "-o", "r.db"]) == 0
    again = capsys.readouterr()
    assert again.out == shown.out
    assert "computed 0, reused 6, failed 0" in again.err


def test_sweep_file_and_words_give_the_same_points(inside: Path, capsys: Capture) -> None:
    (inside / "sweep.toml").write_text(
        'chips = ["systolic"]\nnetworks = ["digits_32"]\n[knobs]\n'
        'array_rows = { powers_of_two = [8, 32] }\ndataflow = ["os", "ws"]\n'
    )
    assert main(["sweep", "sweep.toml", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (inside / "sweep.db").is_file()
    assert main(["sweep", *QUICK, "-o", "sweep.db", "-q"]) == 0
    assert main(["sweep", *QUICK, "-o", "sweep.db", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["rows"] == document["rows"]
    assert (again["computed"], again["reused"]) == (0, 6)


def test_failed_points_exit_with_4(capsys: Capture) -> None:
    words = ["digits_32", "--on", "integral_sc", "--knob", "input_seed=1,1000", "-o", "r.db"]
    assert main(["sweep", *words]) == 4
    assert "failed: hwsim run digits_32" in capsys.readouterr().err
    assert main(["sweep", *words, "-q"]) == 4
    assert capsys.readouterr() == ("", "")


def test_dry_run_counts_and_writes_nothing(inside: Path, capsys: Capture) -> None:
    assert main(["sweep", *QUICK, "--where", "array_rows > 8", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("4 points: 1 of chip and network, grid\n")
    assert main(["sweep", *QUICK, "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["points"] == 6
    assert document["first"][0]["knobs"] == {"array_rows": 8, "dataflow": "os"}
    assert list(inside.iterdir()) == []


@pytest.mark.slow
def test_functional_results_are_columns(inside: Path, capsys: Capture) -> None:
    with np.load(Path(digits.__file__).parent / "digits_32.npz") as found:
        arrays = {name: found[name] for name in found.files}
    np.savez(inside / "d.npz", **arrays | {name: arrays[name][:20] for name in ("input", "labels")})
    words = ["digits_32", "--on", "integral_sc", "--knob", "stream_length=16,64", "--functional", "d.npz"]
    assert main(["sweep", *words, "-o", "r.db", "-q"]) == 0
    assert main(["pareto", "r.db", "--objectives", "error,energy_j", "--json"]) == 0
    front = json.loads(capsys.readouterr().out)["front"]
    metrics = front[0]["metrics"]
    assert metrics["samples_count"] == 20
    low, high = metrics["misclassification_low_ratio"], metrics["misclassification_high_ratio"]
    assert low <= metrics["misclassification_ratio"] <= high
    assert "--functional d.npz" in front[0]["command"]
    assert main(["pareto", "r.db", "--objectives", "latency_s,energy_j", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["objectives"] == ["min:latency_s", "min:energy_j"]
    assert main(["report", "r.db", "-o", "p.html", "--objectives", "error,energy_j"]) == 0


def test_pareto_prints_and_draws(inside: Path, capsys: Capture) -> None:
    assert main(["sweep", *QUICK, "-o", "r.db", "-q"]) == 0
    assert main(["pareto", "r.db", "--objectives", "energy_j,latency_s", "-o", "front.svg"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].endswith("of 6 points are on the front of min:energy_j, min:time_s")
    picture = ElementTree.fromstring((inside / "front.svg").read_text())
    circles = [part.get("class") for part in picture.iter("{http://www.w3.org/2000/svg}circle")]
    assert circles.count("front") == int(shown.split()[0])
    assert circles.count("all") >= circles.count("front")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["sweep", *QUICK, "--knob", "array_cols"], "is not of the form KNOB=VALUES"),
        (["sweep", *QUICK, "--knob", "array_rows=3"], "given twice"),
        (["sweep", "digits_32", "--on", "systolic", "--knob", "array_row=3"], "did you mean 'array_rows'?"),
        (["sweep", "digits_32", "--knob", "array_rows=3"], "no chip given"),
        (["sweep", *QUICK, "-o", "a.db", "-o", "b.db"], "several results files"),
        (["sweep", *QUICK, "-o", "absent/r.db"], "does not exist"),
        (["sweep", *QUICK, "-o", "absent/r.csv"], "does not exist"),
        (["sweep", *QUICK, "--batch", "1,x"], "'x' is not a whole number from 1 to"),
        (["sweep", *QUICK, "--objectives", "energy"], "did you mean 'energy_j'?"),
        (["sweep", *QUICK, "--engine", "dask"], "a scheduler belongs"),
        (["sweep", "absent.toml"], "No such file"),
        (["sweep", "absent.toml", "digits_32"], "stands alone"),
        (["sweep", *QUICK, "--knob", "array_cols=8:4:x2"], "the range from 8 to 4 is empty"),
        (["pareto", "absent.db"], "no such results file"),
    ],
)
def test_bad_words(words: list[str], text: str, inside: Path, capsys: Capture) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert text in shown.err
    assert shown.out == ""
    assert list(inside.iterdir()) == []


def test_bad_objectives_and_pictures(capsys: Capture) -> None:
    assert main(["sweep", *QUICK, "-o", "r.db", "-q"]) == 0
    assert main(["pareto", "r.db", "--objectives", "energy_k"]) == 2
    assert "did you mean 'energy_j'?" in capsys.readouterr().err
    assert main(["pareto", "r.db", "--objectives", "energy_j,time_s,cycles", "-o", "x.svg"]) == 2
    assert "two objectives, not 3" in capsys.readouterr().err
    assert main(["pareto", "r.db", "-o", "x.png"]) == 2


def test_schema_of_sweep_files(capsys: Capture) -> None:
    assert main(["schema", "sweep"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "hwsim sweep file"


class Terminal:
    """A stream that may be a terminal."""

    def __init__(self, live: bool) -> None:
        self.live, self.text = live, ""

    def isatty(self) -> bool:
        return self.live

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing waits."""


def test_progress_line(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts(total=1000, computed=90, reused=50, failed=10, repeated=0, elapsed_s=10.0)
    told = "hwsim: 150 of 1,000 done, 50 reused, 10 failed, 10.0 points/s, 1:25 left"
    assert line_of(counts) == told
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    at_once = f"\r\x1b[2K{told}"
    for live, first, expected in ((True, at_once, f"{at_once}{at_once}\r\x1b[2K"), (False, "", f"{told}\n")):
        stream, now[0] = Terminal(live), 0.0
        line = ProgressLine(stream)  # type: ignore[arg-type]
        line(counts)
        assert stream.text == first
        now[0] = 10.5
        line(counts)
        line(counts)
        line.close()
        assert stream.text == expected


@pytest.mark.parametrize(("name", "told"), [("r.dbb", "mean '.db'"), ("r.html", "from `hwsim report")])
def test_results_have_a_suffix_of_their_own(name: str, told: str, inside: Path, capsys: Capture) -> None:
    assert main(["sweep", *QUICK, "-o", name]) == 2
    assert told in capsys.readouterr().err
    assert not (inside / name).exists()


def test_knobs_that_are_no_numbers_leave_json_whole(capsys: Capture) -> None:
    Path("s.toml").write_text(
        'chips = ["systolic"]\nnetworks = ["digits_32"]\n[knobs]\narray_rows = 8\n'
        'array_cols = { equal = "array_rows / 0" }\n'
    )
    assert main(["sweep", "s.toml", "--json"]) == 4

    def refuse(word: str) -> float:
        raise AssertionError(word)

    (row,) = json.loads(capsys.readouterr().out, parse_constant=refuse)["rows"]
    assert (row["knobs"]["array_cols"], row["status"]) == ("inf", "failed")
    assert row["error"].startswith("array_cols = ")


def test_a_file_of_failures_says_why(inside: Path, capsys: Capture) -> None:
    words = ["digits_32", "--on", "integral_sc", "--knob", "input_seed=1000", "--knob", "m=2,4", "-o", "r.db"]
    assert main(["sweep", *words]) == 4
    assert "status" in capsys.readouterr().out
    for command in (["pareto", "r.db"], ["report", "r.db", "-o", "p.html"]):
        assert main(command) == 2
        assert "all 2 points failed; the first: " in capsys.readouterr().err


def test_results_of_another_model_are_shown_with_a_warning(
    inside: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["sweep", *QUICK, "-o", "r.db", "-q"]) == 0
    assert main(["pareto", "r.db"]) == 0
    assert "warning" not in capsys.readouterr().err
    monkeypatch.setattr("hwsim.sweep.identity.model_version", lambda accelerator: "another")
    assert main(["pareto", "r.db"]) == 0
    assert "this hwsim has another" in capsys.readouterr().err
    assert main(["report", "r.db", "-o", "p.html", "-q"]) == 0
    assert "this hwsim has another" in (inside / "p.html").read_text()
    assert "model of systolic:edge_32" in (inside / "p.html").read_text()


def test_total_of_the_progress_line_knows_constraints(inside: Path) -> None:
    totals: list[int] = []
    knobs = {"array_rows": [8, 16], "array_cols": [8, 16]}
    made = space(knobs=knobs, constraints=["array_rows == array_cols"])
    hwsim.sweep(made, inside / "r.db", watch=lambda counts: totals.append(counts.total))
    assert set(totals) == {2}
