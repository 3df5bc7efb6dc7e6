"""`hwsim report`: pages and pictures of results files and reports, and everything it refuses."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hwsim.__main__ import main
from hwsim.commands import sweep_columns
from hwsim.sweep.results import open_results

KNOBS = ["--knob", "array_rows=8:32:x2", "--knob", "dataflow=os,ws"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert main(["sweep", "digits_32", "--on", "systolic", *KNOBS, "-o", str(folder / "r.db"), "-q"]) == 0
    assert main(["run", "digits_32", "--on", "systolic", "-o", str(folder / "one.json"), "-q"]) == 0
    words = ["digits_32", "--on", "systolic,systolic:tpu_v1", "-o", str(folder / "two.json"), "-q"]
    assert main(["run", *words]) == 0
    return folder


def test_page_holds_points_commands_and_front(made: Path, tmp_path: Path, capsys: Capture) -> None:
    page = tmp_path / "sweep.html"
    assert main(["report", str(made / "r.db"), "-o", str(page)]) == 0
    assert f"wrote {page}" in capsys.readouterr().err
    html = page.read_text()
    data = json.loads(re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)[0])
    rows = list(open_results(made / "r.db").rows("done"))
    assert data["positions"] == [row.position for row in rows]
    assert data["commands"] == [row.command for row in rows]
    assert data["objectives"] == ["energy_j", "time_s"]
    found = {column["name"]: column["values"] for column in data["columns"]}
    assert found["cycles"] == [row.metrics["cycles"] for row in rows]
    assert found["energy_j"] == pytest.approx([row.metrics["energy_j"] for row in rows], rel=1e-6)
    again = tmp_path / "again.html"
    assert main(["report", str(made / "r.db"), "-o", str(again), "-q"]) == 0
    assert again.read_bytes() == page.read_bytes()
    assert str(made) not in html


@pytest.mark.parametrize(("source", "picture"), [
    ("r.db", "front"), ("r.db", "tornado"), ("r.db", "heat"), ("one.json", "energy"), ("one.json", "cycles"),
    ("one.json", "roofline"), ("one.json", "timeline"), ("two.json", "energy"),
])
def test_pictures_are_svg_for_light_and_dark(made: Path, tmp_path: Path, source: str, picture: str) -> None:
    target = tmp_path / "picture.svg"
    assert main(["report", str(made / source), "-o", str(target), "--picture", picture, "-q"]) == 0
    text = target.read_text()
    assert ElementTree.fromstring(text).get("width")
    assert "prefers-color-scheme:dark" in text


def test_report_json_becomes_a_page(made: Path, tmp_path: Path) -> None:
    assert main(["report", str(made / "two.json"), "-o", str(tmp_path / "p.html"), "-q"]) == 0
    assert "systolic:tpu_v1 minus systolic:edge_32" in (tmp_path / "p.html").read_text()


def test_large_files_are_sampled_and_say_so(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_columns, "MOST_READ", 3)
    table, notes = sweep_columns.sweep_table(open_results(made / "r.db"), ("time_s",))
    assert 3 <= len(table) < 6
    assert table.finished == 6
    assert len(table.front) >= 1
    assert "among all 6" in notes[0]


@pytest.mark.parametrize(("words", "told"), [
    (["missing.db", "-o", "p.html"], "no such results file"),
    (["r.db"], "no file to write"),
    (["r.db", "-o", "p.pdf"], "no format for the suffix '.pdf'"),
    (["r.db", "-o", "p.html", "--objectives", "energi_j"], "did you mean 'energy_j'"),
    (["r.db", "-o", "p.html", "--knobs", "array_row,dataflow"], "did you mean 'array_rows'"),
    (["r.db", "-o", "p.html", "--picture", "heat"], "changes nothing without a file that ends in .svg"),
    (["r.db", "-o", "p.svg", "--picture", "roofline"], "it has front, tornado, heat"),
    (["r.db", "-o", "p.svg", "--objectives", "energy_j"], "shows two objectives, not 1"),
    (["one.json", "-o", "p.svg", "--picture", "heat"], "it has energy, cycles, roofline, timeline"),
    (["one.json", "-o", "p.svg", "--objectives", "energy_j"], "means something for a sweep only"),
    (["two.json", "-o", "p.svg", "--picture", "cycles"], "shows one report, not 2"),
    (["text.db", "-o", "p.html"], "text.db"),
    (["foreign.db", "-o", "p.html"], "foreign.db"),
])
def test_what_cannot_be_drawn_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture,
                                         words: list[str], told: str) -> None:
    monkeypatch.chdir(made)
    Path("text.db").write_text("no database at all")
    sqlite3.connect("foreign.db").execute("CREATE TABLE IF NOT EXISTS points (x)").connection.commit()
    assert main(["report", *words]) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert "Traceback" not in shown.err
    assert not list(made.glob("p.*"))


def test_a_store_without_points_is_refused(made: Path, tmp_path: Path, capsys: Capture) -> None:
    empty = tmp_path / "empty.db"
    empty.write_bytes((made / "r.db").read_bytes())
    with sqlite3.connect(empty) as db:
        db.execute("DELETE FROM points")
    assert main(["report", str(empty), "-o", str(tmp_path / "p.html")]) == 2
    assert "holds no points to show" in capsys.readouterr().err


def test_failed_points_are_listed_with_their_commands(tmp_path: Path) -> None:
    store, page = tmp_path / "r.db", tmp_path / "p.html"
    words = ["digits_32", "--on", "integral_sc", "--knob", "input_seed=1,1000", "-o", str(store), "-q"]
    assert main(["sweep", *words]) == 4
    assert main(["report", str(store), "-o", str(page), "-q"]) == 0
    html = page.read_text()
    assert 'id="failed"' in html
    assert "1 finished points, 1 failed" in html
