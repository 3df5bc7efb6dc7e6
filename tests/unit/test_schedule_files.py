"""Files of the scheduler: plans and graphs with defects; solvers that are absent, silent or wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulp
import pytest

from hwsim.errors import InputError
from hwsim.schedule import Problem, ilp_solver, solve
from hwsim.schedule.ilp_highs import solve_file
from hwsim.schedule.ilp_solver import Answer, IlpSolver, find_solver, place_boxes, solve_model
from hwsim.schedule.network_file import read_graph_file
from hwsim.schedule.plan_json import dump_plan, load_plan

GRAPH = {"name": "pair", "size": [1, 2], "ins": [[], [0]]}
PAIR = Problem.from_blocks(GRAPH)


def refusals(problem: Problem, document: object) -> list[tuple[str, str, str]]:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(InputError) as caught:
        load_plan(problem, text)
    return [(p.where, p.reason, p.hint) for p in caught.value.problems]


def test_plans_come_back_as_they_were_written() -> None:
    plan = solve(PAIR, 3).plan
    assert plan is not None
    assert load_plan(PAIR, dump_plan(PAIR, plan)) == plan


def test_every_defect_of_a_plan_is_named_at_once() -> None:
    plan = solve(PAIR, 3).plan
    assert plan is not None
    good = json.loads(dump_plan(PAIR, plan))
    wrong = good | {
        "scratchpad_blocks": True,
        "steps": [
            3,
            {"operator": "opp0", "workspace_address": "x", "before": 3, "after": [4]},
            {
                "operator": "op0",
                "before": [{"event": "alocate", "tensor": "op9", "address": 0, "blocks": None}],
            },
        ],
    }
    known = "did you mean 'op0'?"
    assert refusals(PAIR, wrong) == [
        ("plan.scratchpad_blocks", "expected an integer, got True", ""),
        ("plan.steps.0", "expected an object, got int", ""),
        ("plan.steps.1.operator", "unknown operator 'opp0'", known),
        ("plan.steps.1.workspace_address", "expected an integer, got 'x'", ""),
        ("plan.steps.1.before", "expected a list of events", ""),
        ("plan.steps.1.after", "expected a list of events", ""),
        ("plan.steps.2.before.0.event", "unknown event 'alocate'", "did you mean 'allocate'?"),
        ("plan.steps.2.before.0.tensor", "unknown tensor 'op9'", "known: t0, t1"),
        ("plan.steps.2.before.0.blocks", "expected an integer, got None", ""),
    ]
    assert refusals(PAIR, good | {"steps": {}}) == [("plan.steps", "'steps' must be a list", "")]
    assert refusals(PAIR, [])[0][1].startswith("expected an object with format")
    assert refusals(PAIR, "{")[0][1].startswith("is not JSON")
    assert refusals(PAIR, "[" * 100_000)[0][1].startswith("is not JSON")


@pytest.mark.parametrize(
    ("content", "name", "reason", "hint"),
    [
        ("{", None, "is not JSON: ", ""),
        (json.dumps(GRAPH), "other", "holds one graph, called 'pair'", "leave out --graph other"),
        (json.dumps({"graphs": [GRAPH, GRAPH | {"name": "two"}]}), None, "holds 2 graphs", "choose one with"),
        (json.dumps({"graphs": [GRAPH]}), "piar", "holds no graph called 'piar'", "did you mean 'pair'?"),
        (json.dumps({"graphs": 3}), None, "holds 0 graphs", "choose one with --graph NAME: "),
    ],
)
def test_files_of_graphs(tmp_path: Path, content: str, name: str | None, reason: str, hint: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_graph_file(path, name)
    (problem,) = caught.value.problems
    assert problem.where == "g.json"
    assert problem.reason.startswith(reason)
    assert problem.hint.startswith(hint)


def test_a_file_of_one_graph_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    for content in (GRAPH, {"graphs": [GRAPH]}):
        path.write_text(json.dumps(content))
        assert read_graph_file(path) == read_graph_file(path, "pair") == PAIR
    with path.open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    with pytest.raises(InputError, match="larger than 256 MiB"):
        read_graph_file(path)


def test_solvers_that_are_unknown_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"unknown solver 'cbd' \(did you mean 'cbc'\?\)"):
        find_solver("cbd")
    monkeypatch.setattr(ilp_solver, "_locate", lambda name: None)
    with pytest.raises(InputError, match="solver 'highs' is not installed"):
        find_solver("highs")
    assert find_solver() is None
    assert place_boxes([(0, 1, 1)], 2, time_limit_s=1.0) == (None, False)


def test_a_package_or_a_program_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    locate = ilp_solver._locate.__wrapped__
    monkeypatch.setattr(ilp_solver, "find_spec", lambda name: None)
    assert locate("highs") is None
    monkeypatch.setattr(pulp, "PULP_CBC_CMD", None)
    monkeypatch.setattr(ilp_solver.shutil, "which", lambda name: None)
    assert locate("cbc") is None
    monkeypatch.setattr(ilp_solver.shutil, "which", lambda name: "/no/such/cbc")
    assert locate("cbc") is None


def model() -> pulp.LpProblem:
    """The largest of two whole numbers of at most 3 and 4 together at most 5, as a smallest one."""
    made = pulp.LpProblem("small", pulp.LpMinimize)
    x, y = pulp.LpVariable("x", 0, 3, cat="Integer"), pulp.LpVariable("y", 0, 4, cat="Integer")
    made += -2 * x - y
    made += x + y <= 5
    return made


def script(folder: Path, body: str) -> IlpSolver:
    program = folder / "cbc"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return IlpSolver("CBC", "0", str(program))


def test_answers_that_are_missing_or_nonsense(tmp_path: Path) -> None:
    absent = solve_model(model(), IlpSolver("CBC", "0", str(tmp_path / "none")), 1.0)
    assert absent.answer is Answer.FAILED
    assert absent.message.startswith(f"cannot start {tmp_path / 'none'}")
    silent = solve_model(model(), script(tmp_path, "exit 0"), 1.0)
    assert (silent.answer, silent.message) == (Answer.FAILED, "CBC 0 left no answer")
    odd = solve_model(model(), script(tmp_path, 'for last; do :; done; echo "Optimal\n1 2" > "$last"'), 1.0)
    assert odd.answer is Answer.FAILED
    assert odd.message.startswith("unreadable answer of CBC 0")


class Highs:
    """Stands in for the solver package: answers with the status that a test asks for."""

    status = ""
    feasible = True

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}

    def setOptionValue(self, name: str, value: object) -> None:  # noqa: N802
        self.options[name] = value

    def readModel(self, path: str) -> None:  # noqa: N802
        assert Path(path).is_file()

    def run(self) -> None:
        assert self.options["threads"] == 1

    def getModelStatus(self) -> str:  # noqa: N802
        return Highs.status

    def getSolution(self) -> Any:  # noqa: N802
        return SimpleNamespace(col_value=[3.0, 2.0])

    def getInfo(self) -> Any:  # noqa: N802
        return SimpleNamespace(primal_solution_status=Highs.feasible, objective_function_value=-8.0)

    def getNumCol(self) -> int:  # noqa: N802
        return 2

    def getColName(self, place: int) -> tuple[int, str]:  # noqa: N802
        return 0, ("X0000000", "X0000001")[place]


@pytest.mark.parametrize(
    ("status", "feasible", "answer", "objective"),
    [
        ("optimal", True, Answer.OPTIMAL, -8),
        ("infeasible", False, Answer.INFEASIBLE, None),
        ("either", False, Answer.INFEASIBLE, None),
        ("late", True, Answer.FEASIBLE, -8),
        ("late", False, Answer.NOTHING, None),
    ],
)
def test_what_highs_answers_is_read_like_cbc(
    monkeypatch: pytest.MonkeyPatch, status: str, feasible: bool, answer: Answer, objective: int | None
) -> None:
    states = SimpleNamespace(kOptimal="optimal", kInfeasible="infeasible", kUnboundedOrInfeasible="either")
    package = SimpleNamespace(
        Highs=Highs,
        HighsModelStatus=states,
        SolutionStatus=SimpleNamespace(kSolutionStatusFeasible=True),
    )
    monkeypatch.setitem(sys.modules, "highspy", package)
    monkeypatch.setattr(Highs, "status", status)
    monkeypatch.setattr(Highs, "feasible", feasible)

    def run(command: list[str], guard_s: float) -> str:
        assert command[:3] == [sys.executable, "-m", "hwsim.schedule.ilp_highs"]
        solve_file(Path(command[3]), Path(command[4]), float(command[5]))
        return ""

    monkeypatch.setattr(ilp_solver, "_run", run)
    found = solve_model(model(), IlpSolver("HiGHS", "1", sys.executable), 2.0, start={"x": 1.0})
    assert (found.answer, found.objective) == (answer, objective)
    if objective is not None:
        assert found.values == {"x": 3.0, "y": 2.0}
