"""Plans from outside: every defect of a file is named with its place, all at once, whatever the text is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hwsim.errors import GraphError, InputError
from hwsim.schedule import Event, Operator, Plan, Problem, Step, Tensor, dump_plan, load_plan

PROBLEM = Problem(
    "pair", (Operator("a", (0,), (1,), workspace=1),), (Tensor("w", 2, in_dram=True), Tensor("x", 3))
)
PLAN = Plan(
    6,
    (
        Step(
            0,
            (Event("fetch", 0, 0, 2), Event("allocate", 1, 2, 3)),
            (Event("spill", 1, 2, 3), Event("free", 1, 2, 3)),
            5,
        ),
        Step(0, (), ()),
    ),
)


def refusal(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_plan(PROBLEM, text, "p.json")
    return [str(problem) for problem in caught.value.problems]


def broken(*path: Any, value: Any) -> list[str]:
    document = json.loads(dump_plan(PROBLEM, PLAN))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return refusal(json.dumps(document))


def test_a_plan_comes_back_from_its_text() -> None:
    assert load_plan(PROBLEM, dump_plan(PROBLEM, PLAN)) == PLAN
    assert PLAN.order == (0, 0)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"format": ' + "1" * 5000 + "}"])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    (reason,) = refusal(text)
    assert reason.startswith("p.json: is not JSON: ")


@pytest.mark.parametrize("text", ["[]", "1", '{"format": "other"}'])
def test_another_format_is_refused(text: str) -> None:
    assert refusal(text) == ["p.json: expected an object with format 'hwsim plan 1'"]


def test_each_defect_is_named_with_its_place() -> None:
    first = ("steps", 0, "before", 0)
    assert broken("steps", value={}) == ["p.json.steps: 'steps' must be a list"]
    assert broken("scratchpad_blocks", value=True) == [
        "p.json.scratchpad_blocks: expected an integer, got True"
    ]
    assert broken("steps", 1, value=4) == ["p.json.steps.1: expected an object, got int"]
    assert broken("steps", 0, "operator", value="b") == [
        "p.json.steps.0.operator: unknown operator 'b' (known: a)"
    ]
    assert broken("steps", 0, "workspace_address", value="5") == [
        "p.json.steps.0.workspace_address: expected an integer, got '5'"
    ]
    assert broken("steps", 0, "after", value=[3]) == ["p.json.steps.0.after: expected a list of events"]
    assert broken(*first, value={"event": "fetsch", "tensor": "z"}) == [
        "p.json.steps.0.before.0.event: unknown event 'fetsch' (did you mean 'fetch'?)",
        "p.json.steps.0.before.0.tensor: unknown tensor 'z' (known: w, x)",
        "p.json.steps.0.before.0.address: expected an integer, got None",
        "p.json.steps.0.before.0.blocks: expected an integer, got None",
    ]


def graph_faults(*operators: Operator, tensors: tuple[Tensor, ...], **changes: int) -> list[str]:
    with pytest.raises(GraphError) as caught:
        Problem("broken", operators, tensors, **changes)
    return [str(problem) for problem in caught.value.problems]


def test_each_defect_of_a_problem_is_named() -> None:
    tensors = (Tensor("x", 1), Tensor("y", 1))
    fine = Operator("a", (), (0,))
    assert graph_faults(fine, tensors=tensors, block_bytes=0) == [
        "block_bytes: block and alignment must be positive"
    ]
    assert graph_faults(fine, tensors=tensors, block_bytes=100) == [
        "block_bytes: 100 is no multiple of the alignment 64"
    ]
    assert graph_faults(Operator("a", (), (2,), -1), tensors=tensors) == [
        "operators.0: 'a' has the negative workspace -1",
        "operators.0.outputs: 'a' uses the unknown tensor 2",
    ]
    early = "tensor 0 is read before 'b' writes it"
    missing = "'a' reads tensor 0, which no earlier operator writes and is not in DRAM"
    assert graph_faults(Operator("a", (0,), (1,)), Operator("b", (), (0,)), tensors=tensors) == [
        f"operators.0.inputs: {missing} (cyclic graph, wrong order or dangling consumer)",
        f"operators.1.outputs: {early}",
    ]


@pytest.mark.parametrize(
    ("graph", "faults"),
    [
        (
            {"size": 3, "ins": [[]]},
            ["g.size: expected a list of integers, got int", "g: 'size' has 0 entries, 'ins' has 1"],
        ),
        ({"size": [2**40 + 1], "ins": [[]]}, ["g.size.0: 1099511627777 is above 2**40 (check the sizes)"]),
        (
            {"size": [10**31], "ins": [[]]},
            ["g.size.0: a number of more than 30 digits is above 2**40 (check the sizes)"],
        ),
        (
            {"size": [1], "ins": "x"},
            ["g.ins: expected a list of lists, got str", "g: 'size' has 1 entries, 'ins' has 0"],
        ),
        (
            {"size": [True, 1], "ins": [[], [-1]]},
            ["g.size.0: expected an integer, got True", "g.ins.1.0: -1 is below 0"],
        ),
    ],
)
def test_each_defect_of_a_plain_graph_is_named(graph: object, faults: list[str]) -> None:
    with pytest.raises(GraphError) as caught:
        Problem.from_blocks(graph, where="g")
    assert [str(problem) for problem in caught.value.problems] == faults
