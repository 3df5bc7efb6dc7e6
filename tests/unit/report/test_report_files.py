from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
from pathlib import Path

import pyarrow.parquet
import pytest
from synthetic_report import renamed

from hwsim.errors import InputError
from hwsim.report import files
from hwsim.report.files import check_path, read, write, write_timeline
from hwsim.report.rows import TABLES, stages
from hwsim.report.table import to_csv, to_pandas, to_parquet
from hwsim.report.types import Report


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet", "html"])
def test_every_format_is_written_and_nothing_else_is_left(reports: tuple[Report, Report], tmp_path: Path,
                                                          suffix: str) -> None:
    target = tmp_path / f"report.{suffix}"
    write(reports, target)
    first = target.read_bytes()
    write(reports, target)
    assert len(first) > 1000
    assert target.read_bytes() == first
    assert list(tmp_path.iterdir()) == [target]


def test_json_file_reads_back(report: Report, reports: tuple[Report, Report], tmp_path: Path) -> None:
    write(report, tmp_path / "one.json")
    write(reports, tmp_path / "two.json")
    assert read(tmp_path / "one.json") == (report,)
    assert read(tmp_path / "two.json") == reports


def test_upper_case_suffix_and_replaced_file_keep_working(report: Report, tmp_path: Path) -> None:
    target = tmp_path / "R.JSON"
    target.write_text("old")
    write(report, target)
    assert json.loads(target.read_text())["totals"]["macs"] == report.totals.macs


def test_new_files_have_ordinary_permissions(report: Report, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    (tmp_path / "other").write_text("")
    write(report, target)
    assert target.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_keeps_pointing_to_the_rewritten_file(report: Report, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    write(report, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert read(tmp_path / "real.json") == (report,)


@pytest.mark.parametrize(("name", "reason"), [
    ("report.txt", "no format for the suffix '.txt'"), ("report.jsn", "did you mean '.json'"),
    ("report", "no suffix"), ("missing/report.json", "does not exist"), ("folder.json", "is a folder"),
    ("a\0b.json", "cannot be written"), ("x" * 300 + ".json", "cannot be written: File name too long"),
])
def test_hopeless_paths_are_refused_with_their_reason(report: Report, tmp_path: Path, name: str,
                                                      reason: str) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError) as caught:
        write(report, tmp_path / name)
    assert reason in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.json"]


def test_a_folder_that_refuses_files_is_named(report: Report) -> None:
    with pytest.raises(InputError, match=r"^/proc/hwsim_report\.json: cannot be written"):
        write(report, "/proc/hwsim_report.json")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_write_leaves_the_old_file(report: Report, tmp_path: Path, failure: BaseException,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise failure

    target = tmp_path / "r.json"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((KeyboardInterrupt, InputError)):
        write(report, target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_reports_of_two_networks_are_not_mixed(report: Report, tmp_path: Path) -> None:
    other = renamed(report, graph_fingerprint="other", network="lenet")
    with pytest.raises(InputError, match="is not the workload of"):
        write((report, other), tmp_path / "r.csv")
    assert list(tmp_path.iterdir()) == []


def test_timeline_goes_into_json_only(report: Report, tmp_path: Path) -> None:
    write_timeline(report, tmp_path / "timeline.json")
    assert json.loads((tmp_path / "timeline.json").read_text())["traceEvents"]
    with pytest.raises(InputError, match=r"known: \.json"):
        write_timeline(report, tmp_path / "timeline.html")


@pytest.mark.parametrize(("content", "reason"), [
    (b"\xff\xfe\x00", "is not text"), (b"", "not valid JSON"), (None, "No such file")])
def test_unreadable_reports_are_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "r.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read(path)


def test_oversized_reports_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.json").write_text("{}" * 100)
    monkeypatch.setattr(files, "_MAX_REPORT_BYTES", 100)
    with pytest.raises(InputError, match="larger than"):
        read(tmp_path / "r.json")


def test_without_pyarrow_the_message_says_what_to_install(tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "hwsim\[parquet\]"'):
        check_path(tmp_path / "r.parquet")


def test_csv_rows_sum_to_the_totals(reports: tuple[Report, Report]) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(reports))))
    for report in reports:
        own = [row for row in rows if row["preset"] == report.provenance["preset"]]
        assert len(own) == len(report.layers)
        assert sum(int(row["cycles"]) for row in own) == report.totals.cycles
        assert sum(float(row["energy_j"]) for row in own) == pytest.approx(report.totals.energy_j)
        assert sum(int(row["bytes_dram"]) for row in own) == report.totals.bytes_by_memory["dram"]
        assert sum(int(row["stall_cycles_dram"]) for row in own) == report.totals.stall_cycles


@pytest.mark.parametrize("table", TABLES)
def test_csv_parquet_and_pandas_hold_the_same_rows(report: Report, table: str) -> None:
    from_csv = list(csv.DictReader(io.StringIO(to_csv([report], table))))
    arrow = pyarrow.parquet.read_table(io.BytesIO(to_parquet([report], table)))
    frame = to_pandas(report, table)
    assert [{key: str(value) for key, value in row.items()} for row in arrow.to_pylist()] == from_csv
    labels = ["network", "chip", "preset", "hwsim_version"]
    assert list(arrow.column_names) == labels + list(frame.columns)
    assert len(frame) == len(from_csv)


def test_data_frames_keep_integers_and_provenance(report: Report) -> None:
    frame = report.to_pandas("events")
    assert int(frame["bits"].sum()) == sum(row.bits for row in report.events)
    assert frame.attrs["provenance"]["chip"] == "systolic"
    with pytest.raises(InputError, match="did you mean 'events'"):
        report.to_pandas("event")


def test_parquet_carries_provenance(report: Report) -> None:
    metadata = pyarrow.parquet.read_metadata(io.BytesIO(to_parquet([report]))).metadata
    assert json.loads(metadata[b"hwsim"])[0]["provenance"]["network"] == "synthetic54"


def test_counts_beyond_64_bits_are_refused_by_parquet_only(report: Report) -> None:
    from dataclasses import replace

    huge = replace(report, layers=(replace(report.layers[0], bit_operations=2**70), *report.layers[1:]))
    assert str(2**70) in to_csv([huge])
    with pytest.raises(InputError, match="64 bits"):
        to_parquet([huge])


def test_stages_partition_the_layers(report: Report) -> None:
    members = [member.name for stage in stages(report) for member in stage.members]
    assert sorted(members) == sorted(layer.name for layer in report.layers)
    assert all(not stage.layer.fused_into for stage in stages(report))
    assert sum(stage.energy_j for stage in stages(report)) == pytest.approx(report.totals.energy_j)


def test_fused_chains_end_at_the_layer_that_owns_the_loop(report: Report) -> None:
    from dataclasses import replace

    first, second, third = report.layers[:3]
    chain = replace(report, layers=(first, second, replace(third, fused_into=second.name)))
    assert [(stage.layer.name, len(stage.fused)) for stage in stages(chain)] == [(first.name, 2)]
