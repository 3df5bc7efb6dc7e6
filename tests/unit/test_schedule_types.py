"""The problem type: what it accepts, what it derives, and how it names what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwsim.errors import GraphError, InputError
from hwsim.schedule import Operator, Problem, Tensor, budget_in_blocks, solve
from hwsim.schedule.types import Status, explain_infeasible

GRAPHS = Path(__file__).parents[1] / "data" / "schedule_graphs.json"


def test_every_graph_of_the_file_has_the_budget_it_states() -> None:
    for graph in json.loads(GRAPHS.read_text())["graphs"]:
        problem = Problem.from_blocks(graph)
        assert problem.name == graph["name"]
        assert problem.smallest_budget == graph["M_R"]
        assert [t.size for t in problem.tensors] == graph["size"]
        assert [list(op.inputs) for op in problem.operators] == [sorted(row) for row in graph["ins"]]


def test_edges_are_derived_from_tensors() -> None:
    problem = Problem.from_blocks({"size": [1, 2, 3], "ins": [[], [0], [0, 1, 1]]})
    assert problem.producer == (0, 1, 2)
    assert problem.consumers == ((1, 2), (2,), ())
    assert problem.predecessors == ((), (0,), (0, 1))
    assert problem.successors == ((1, 2), (2,), ())
    assert problem.working_set(2) == 6
    assert problem.tensors[2].is_output


def test_operators_in_any_order_are_sorted() -> None:
    problem = Problem.from_blocks({"size": [3, 1], "ins": [[1], []]})
    assert [op.name for op in problem.operators] == ["op1", "op0"]
    assert problem.predecessors == ((), (0,))


def test_all_defects_of_an_object_are_reported_at_once() -> None:
    with pytest.raises(GraphError) as caught:
        Problem.from_blocks({"size": [1, -2, "x"], "ins": [[], [0], [7]], "sise": [], "block_bytes": 0})
    text = str(caught.value)
    for part in ("graph.size.1", "-2 is below 0", "graph.size.2", "'x'", "reads from 7",
                 "did you mean 'size'", "block_bytes"):
        assert part in text
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize(("obj", "part"), [
    ([], "expected an object"),
    ({"size": [1]}, "'ins' is missing"),
    ({"size": [], "ins": []}, "no operator"),
    ({"size": [1, 1], "ins": [[1], [0]]}, "cycle"),
    ({"size": [1], "ins": [[0]]}, "cycle"),
    ({"size": [1, 2], "ins": [[]]}, "2 entries"),
    ({"size": [1], "ins": [[]], "workspace": [1, 2]}, "workspace"),
    ({"size": "abc", "ins": [[]]}, "list of integers"),
    ({"size": [True], "ins": [[]]}, "expected an integer"),
])
def test_bad_objects_are_input_errors(obj: object, part: str) -> None:
    with pytest.raises(GraphError, match=part):
        Problem.from_blocks(obj)


def test_problems_built_by_hand_are_checked() -> None:
    tensors = (Tensor("a", 1), Tensor("a", -1), Tensor("c", 1))
    operators = (Operator("x", (2,), (0,), -1), Operator("y", (9,), ()), Operator("z", (), (0,)))
    with pytest.raises(GraphError) as caught:
        Problem("bad", operators, tensors, block_bytes=100, alignment_bytes=64)
    text = str(caught.value)
    for part in ("multiple of the alignment", "'a' is used twice", "negative size", "negative workspace",
                 "no output", "unknown tensor 9", "written twice", "dangling consumer"):
        assert part in text


def test_a_tensor_without_producer_must_lie_in_dram() -> None:
    operators = (Operator("x", (0,), (1,)),)
    with pytest.raises(GraphError, match="not in DRAM"):
        Problem("g", operators, (Tensor("w", 1), Tensor("y", 1)))
    assert Problem("g", operators, (Tensor("w", 1, in_dram=True), Tensor("y", 1))).producer == (-1, 0)


def test_a_budget_below_the_largest_working_set_is_explained_as_data() -> None:
    problem = Problem.from_blocks({"size": [4, 6, 1], "ins": [[], [0], [1]], "block_bytes": 512,
                                   "workspace": [0, 5, 0]})
    found = solve(problem, 14)
    assert found.stats.status is Status.INFEASIBLE
    assert found.plan is None
    reason = found.infeasible
    assert reason is not None
    assert (reason.operator, reason.working_set) == ("op1", 15)
    assert (reason.missing_blocks, reason.missing_bytes) == (1, 512)
    assert reason.largest == (("t1", 6), ("workspace", 5), ("t0", 4))
    assert any("15 blocks" in hint for hint in reason.hints)
    assert any("workspace" in hint for hint in reason.hints)
    assert explain_infeasible(problem, 15) is None


def test_a_tensor_larger_than_the_scratchpad_is_named() -> None:
    reason = explain_infeasible(Problem.from_blocks({"size": [9, 1], "ins": [[], [0]]}), 5)
    assert reason is not None
    assert any("'t0' alone is larger" in hint for hint in reason.hints)


@pytest.mark.parametrize("budget", [0, -3])
def test_budgets_must_be_positive(budget: int) -> None:
    problem = Problem.from_blocks({"size": [1], "ins": [[]]})
    with pytest.raises(InputError, match="scratchpad"):
        solve(problem, budget)
    with pytest.raises(InputError, match="larger than 0"):
        budget_in_blocks(problem, budget)


def test_budgets_in_bytes_are_floored_and_the_rest_is_told() -> None:
    problem = Problem.from_blocks({"size": [1], "ins": [[]], "block_bytes": 1024})
    assert budget_in_blocks(problem, 5000) == (4, 904)


def test_unknown_solvers_and_time_limits_are_refused() -> None:
    problem = Problem.from_blocks({"size": [1], "ins": [[]]})
    with pytest.raises(InputError, match="did you mean 'cbc'"):
        solve(problem, 5, solver="cbb")
    with pytest.raises(InputError, match="time limit"):
        solve(problem, 5, time_limit_s=0)
