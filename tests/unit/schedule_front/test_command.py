from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwsim.schedule import ilp_solver
from tests.unit.schedule_front.conftest import GRAPHS, Outcome

Command = Callable[..., Outcome]
PLAN = Path(__file__).parents[2] / "data" / "plans" / "darts_1c_180.json"
DARTS = (GRAPHS, "--graph", "DARTS-1c")


def test_the_table_says_what_the_issue_asks_for(command: Command) -> None:
    outcome = command(*DARTS, "--scratchpad", "180blocks")
    assert outcome.code == 0
    for words in ("16 operators", "180 KiB (180 blocks), set by op2", "216 KiB (216 blocks)",
                  "144 KiB (144 blocks): 72 KiB spilled, 72 KiB fetched again", "OPTIMAL", "Lower bound",
                  "hwsim search", "69.2%", "as in the paper"):
        assert words in outcome.out


def test_json_has_the_fields_of_the_contract(command: Command) -> None:
    document = json.loads(command(*DARTS, "--scratchpad", "180blocks", "--json").out)
    assert document["status"] == "OPTIMAL"
    assert document["non_compulsory_bytes"] == 1024 * document["non_compulsory_blocks"] == 147456
    assert document["lower_bound_bytes"] == 1024 * document["lower_bound_blocks"] == 147456
    assert sorted(document["order"]) == sorted(f"op{v}" for v in range(16))
    assert document["seconds"] >= 0
    assert document["solver"]
    assert document["baselines"]["default/belady"] == 468
    assert document["smallest_scratchpad_blocks"] == 180
    assert document["smallest_peak_blocks"] == 216


def test_the_plan_file_is_the_same_every_time_and_verifies(command: Command, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        assert command(*DARTS, "--scratchpad", "180blocks", "-q", "-o", tmp_path / name).code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    outcome = command(*DARTS, "--verify", tmp_path / "a.json")
    assert outcome.code == 0
    assert outcome.out.startswith("valid: 16 steps in 180 KiB, 144 KiB of non-compulsory traffic")


def test_a_plan_in_the_repository_still_verifies(command: Command) -> None:
    numbers = json.loads(command(*DARTS, "--verify", PLAN, "--json").out)
    assert numbers["valid"] is True
    assert numbers["non_compulsory_bytes"] == 147456
    assert numbers["peak_bytes"] == 184320


def _move(document: Any) -> None:
    event = document["plan"]["steps"][2]["before"][0]
    event["address"] = 0


def _forget(document: Any) -> None:
    step = next(s for s in document["plan"]["steps"] if any(e["event"] == "spill" for e in s["after"]))
    step["after"] = [event for event in step["after"] if event["event"] != "spill"]


def _swap(document: Any) -> None:
    steps = document["plan"]["steps"]
    steps[0], steps[1] = steps[1], steps[0]


def _shrink(document: Any) -> None:
    document["plan"]["scratchpad_blocks"] = 170


def _misname(document: Any) -> None:
    document["plan"]["steps"][3]["before"][0]["tensor"] = "t33"


@pytest.mark.parametrize(("damage", "words"), [
    (_move, ("steps.2: tensor", "overlaps")), (_forget, ("steps.2: tensor 't2' lost", "without a copy")),
    (_swap, ("steps.0: operator 'op1' runs before 'op0'",)), (_shrink, ("leave the scratchpad of 170",)),
    (_misname, ("unknown tensor 't33'", "did you mean"))])
def test_every_violation_of_a_users_plan_is_named(command: Command, tmp_path: Path,
                                                  damage: Callable[[Any], None],
                                                  words: tuple[str, ...]) -> None:
    document = json.loads(PLAN.read_text())
    damage(document)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document))
    outcome = command(*DARTS, "--verify", path)
    assert outcome.code == 2
    assert outcome.out == ""
    for word in words:
        assert word in outcome.err
    assert all(line.startswith("hwsim: error: mine.json") for line in outcome.err.splitlines())


def test_a_plan_of_other_options_says_so(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert command("resnet18", "--bits", "8", "--scratchpad", "1MiB", "-q", "-o", path).code == 0
    outcome = command("resnet18", "--bits", "16", "--verify", path)
    assert outcome.code == 2
    assert "other options: bits was 8 and is 16" in outcome.err


@pytest.mark.parametrize("text", ["", "{", "[]", "[[[", '{"plan": null}', '{"steps": 3}', "\x00"])
def test_a_file_that_is_no_plan_is_refused(command: Command, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text)
    outcome = command(*DARTS, "--verify", path)
    assert outcome.code == 2
    assert "odd.json" in outcome.err


def test_a_small_budget_names_operator_bytes_and_ways_out(command: Command) -> None:
    outcome = command("resnet50", "--bits", "8", "--scratchpad", "700KiB", "--json")
    assert outcome.code == 3
    for words in ("'layer1.0.add' needs 2.297 MiB", "1691648 bytes are missing", "at least 2352 blocks",
                  "tiling", "alone is larger than the scratchpad"):
        assert words in outcome.err
    document = json.loads(outcome.out)
    assert document["status"] == "INFEASIBLE"
    assert document["infeasible"]["missing_bytes"] == 1691648


def test_rounding_down_is_told(command: Command) -> None:
    outcome = command(*DARTS, "--scratchpad", str(180 * 1024 + 7))
    assert outcome.code == 0
    assert "rounded down to 180 blocks of 1024 bytes: 7 bytes are not used" in outcome.err


@pytest.mark.parametrize(("words", "code", "said"), [
    ((), 2, "how large is the scratchpad?"),
    (("--scratchpad", "512kB"), 2, "ambiguous (1000 or 1024)"),
    (("--scratchpad", "0"), 2, "larger than zero"),
    (("--scratchpad", "-1blocks"), 2, "larger than zero"),
    (("--scratchpad", "100blocks"), 3, "operator 'op2' needs 180 KiB"),
    (("--scratchpad", "200blocks", "--time-limit", "0"), 2, "time limit must be positive"),
    (("--scratchpad", "200blocks", "--solver", "gurobi"), 2, "unknown solver 'gurobi'"),
    (("--scratchpad", "200blocks", "--formulation", "windos"), 2, "did you mean 'windows'?"),
    (("--scratchpad", "200blocks", "-o", "x.png"), 2, "no format for the suffix '.png'"),
    (("--scratchpad", "200blocks", "-o", "no/such/folder/x.svg"), 2, "does not exist"),
    (("--scratchpad", "200blocks", "--bits", "8"), 2, "means nothing for a plain graph"),
    (("--scratchpad", "200blocks", "--sweep", "1KiB:2KiB"), 2, "cannot be combined with --scratchpad"),
    (("--sweep", "1KiB:2KiB", "--verify", "p.json"), 2, "cannot be combined with --verify"),
    (("--sweep", "300blocks:200blocks"), 2, "the smaller size comes first"),
    (("--sweep", "300blocks"), 2, "FROM:TO"), (("--sweep", "1blocks:9blocks:1"), 2, "from 2 to 500"),
    (("--sweep", "1blocks:9blocks"), 3, "operator 'op2' needs 180 KiB"),
    (("--verify", "absent.json"), 2, "absent.json: cannot be read")])
def test_words_that_make_no_sense(command: Command, words: tuple[str, ...], code: int, said: str) -> None:
    outcome = command(*DARTS, *words)
    assert outcome.code == code
    assert said in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(("text", "said"), [
    ('{"size": [1, 2], "ins": [[1], [0]]}', "cycle"), ('{"size": [], "ins": []}', "no operator"),
    ('{"size": [1], "ins": [[4]]}', "does not exist"), ('{"size": [1]', "is not JSON"),
    ('{"graphs": []}', "holds 0 graphs"), ("[1]", "expected an object"), ("[" * 100000, "is not JSON")])
def test_graph_files_that_cannot_be_scheduled(command: Command, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "graph.json"
    path.write_text(text)
    outcome = command(path, "--scratchpad", "9blocks")
    assert outcome.code == 2
    assert said in outcome.err


def test_a_collection_asks_which_graph(command: Command) -> None:
    assert "choose one with --graph NAME: DARTS-1c" in command(GRAPHS, "--scratchpad", "9blocks").err
    assert "did you mean 'DARTS-1c'?" in command(GRAPHS, "--graph", "DARTS1c", "--scratchpad", "9blocks").err
    assert "only a .json file" in command("resnet18", "--graph", "x", "--scratchpad", "9blocks").err


def test_a_single_graph_object_is_accepted(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"size": [1, 2, 2], "ins": [[], [0], [1]]}')
    assert command(path, "--scratchpad", "4blocks", "-q").code == 0


def test_cp_sat_is_reached_by_name(command: Command) -> None:
    outcome = command(*DARTS, "--scratchpad", "180blocks", "--formulation", "windows", "--solver", "cpsat",
                      "--json")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert (found["status"], found["non_compulsory_blocks"]) == ("OPTIMAL", 144)
    assert found["solver"].startswith("CP-SAT")
    assert "F2 with lazy packing cuts with CP-SAT" in found["proof"]


def test_no_plan_of_a_formulation_in_time(command: Command, monkeypatch: pytest.MonkeyPatch,
                                          tmp_path: Path) -> None:
    monkeypatch.setattr(ilp_solver, "_run", lambda command, guard_s: "no answer within 1.0 s, process ended")
    path = tmp_path / "plan.json"
    outcome = command(*DARTS, "--scratchpad", "180blocks", "--formulation", "paper", "-o", path)
    assert outcome.code == 5
    assert "the plan shown is the best baseline" in outcome.err
    monkeypatch.undo()
    assert command(*DARTS, "--verify", path).code == 0


def test_ctrl_c_keeps_the_best_plan_and_says_so(command: Command, monkeypatch: pytest.MonkeyPatch,
                                                tmp_path: Path) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("hwsim.schedule.solve"), "improve", stop)
    path = tmp_path / "plan.json"
    outcome = command(*DARTS, "--scratchpad", "180blocks", "-o", path)
    assert outcome.code == 130
    assert "interrupted: the best plan until then" in outcome.out
    assert json.loads(path.read_text())["interrupted"] is True
    monkeypatch.undo()
    assert command(*DARTS, "--verify", path).code == 0


def test_a_sweep_writes_table_json_and_pictures(command: Command, tmp_path: Path) -> None:
    names = [tmp_path / f"s.{kind}" for kind in ("json", "svg", "html")]
    outcome = command(*DARTS, "--sweep", "150blocks:260blocks:5", *(w for n in names for w in ("-o", n)))
    assert outcome.code == 0
    assert "INFEASIBLE" in outcome.out
    document = json.loads(names[0].read_text())
    by_budget = {p["scratchpad_blocks"]: p["non_compulsory_blocks"] for p in document["points"]}
    assert by_budget[150] is None
    assert (by_budget[180], by_budget[216]) == (144, 0)
    assert names[1].read_text().startswith("<svg")
    assert "</html>" in names[2].read_text()


