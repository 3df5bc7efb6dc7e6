"""A scheduled scratchpad on a chip: what it saves, on the command line and from Python."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import hwsim
from hwsim import scheduled
from hwsim.__main__ import main
from hwsim.errors import InputError, ScheduleInfeasible, TimeLimit
from hwsim.schedule.network_run import schedule_network


def test_a_plan_saves_traffic_cycles_and_joules() -> None:
    run = hwsim.evaluate_scheduled("resnet18", "systolic:tpu_v1")
    costs = {cost.name: cost for cost in run.costs}
    none, planned, baseline = costs["none"], run.planned, costs["default/belady"]
    assert run.schedule.status == "OPTIMAL"
    assert run.schedule.non_compulsory_bytes == planned.non_compulsory_bytes == 0
    assert planned.non_compulsory_bytes <= baseline.non_compulsory_bytes <= none.non_compulsory_bytes
    assert planned.compute_cycles == none.compute_cycles == run.report.totals.compute_cycles
    assert planned.cycles <= baseline.cycles <= none.cycles
    assert planned.energy_j <= baseline.energy_j <= none.energy_j
    assert none.energy_j == run.report.totals.energy_j
    for cost in run.costs:
        assert cost.cycles == cost.compute_cycles + cost.stall_cycles
        assert cost.stall_cycles >= 0


def test_too_small_a_scratchpad_names_the_operator() -> None:
    with pytest.raises(ScheduleInfeasible, match="needs 980 KiB at once"):
        hwsim.evaluate_scheduled("resnet18", "systolic", scratchpad="64KiB")


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "mobilenet_v1_025_96", "--on", "systolic:tpu_v1", "--schedule", "cosma"]
    assert main(words) == 0
    assert "schedule OPTIMAL" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schedule"]["status"] == "OPTIMAL"
    assert document["schedule"]["costs"][0]["name"] == "none"
    assert document["schedule"]["costs"][-1]["name"] == "cosma"
    assert document["totals"]["macs"] == 7489664


@pytest.mark.slow
def test_the_timeline_shows_transfers_beside_compute(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    words = ["run", "darts_8", "--on", "systolic", "--schedule", "cosma", "--scratchpad", "300KiB", "-q"]
    assert main([*words, "-o", str(tmp_path / "r.csv"), "--timeline", str(path)]) == 0
    events = json.loads(path.read_text())["traceEvents"]
    processes = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert processes == {1: "darts_8 on systolic:edge_32", 2: "darts_8 on systolic:edge_32, schedule cosma"}
    planned = [event for event in events if event["pid"] == 2]
    tracks = {event["tid"]: event["args"]["name"] for event in planned if event["name"] == "thread_name"}
    assert set(tracks.values()) == {"compute", "dram"}
    run = hwsim.evaluate_scheduled("darts_8", "systolic", scratchpad="300KiB").planned
    for tid, track in tracks.items():
        slices = sorted((event for event in planned if event["ph"] == "X" and event["tid"] == tid),
                        key=lambda event: event["ts"])
        assert all(a["ts"] + a["dur"] <= b["ts"] for a, b in pairwise(slices))
        busy = sum(event["args"]["cycles"] for event in slices)
        assert run.timing is not None
        assert busy == (run.timing.compute_cycles if track == "compute" else run.timing.channel_cycles)
    words_of = {event["name"].split()[0] for event in planned if event["ph"] == "X"}
    assert {"load", "fetch", "spill", "store"} <= words_of


def test_a_size_needs_a_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "mlp_mnist", "--on", "systolic", "--scratchpad", "64KiB"]) == 2
    assert "add --schedule cosma" in capsys.readouterr().err


def test_chips_without_a_scratchpad_have_nothing_to_schedule() -> None:
    with pytest.raises(InputError, match="schedule: edge_gpu has no scratchpad to schedule"):
        hwsim.evaluate_scheduled("lenet5", "edge_gpu")


def test_no_plan_in_time_is_said_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*given: object, **options: object) -> object:
        found = schedule_network(*given, **options)
        result = replace(found.result, plan=None, traffic=None)
        return replace(found, result=result)

    monkeypatch.setattr(scheduled, "schedule_network", late)
    with pytest.raises(TimeLimit, match=r"schedule: no plan was found in time \(raise the time limit\)"):
        hwsim.evaluate_scheduled("lenet5", "systolic")
