"""Plans as JSON: the same plan gives the same bytes, a plan from outside is checked on the way in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.errors import Problem as Complaint
from hwsim.schedule.types import Event, Plan, Problem, Result, Step
from hwsim.writing import write_bytes

_FORMAT = "hwsim plan 1"
_KINDS = ("allocate", "fetch", "spill", "free")


def plan_to_dict(problem: Problem, plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data: names instead of indices, addresses and sizes in blocks and bytes."""
    return {
        "format": _FORMAT,
        "network": problem.name,
        "block_bytes": problem.block_bytes,
        "scratchpad_blocks": plan.budget,
        "order": [problem.operators[v].name for v in plan.order],
        "steps": [_step_to_dict(problem, step) for step in plan.steps],
    }


def result_to_dict(result: Result) -> dict[str, Any]:
    """Return status, bounds and plan as plain data, without wall times: equal inputs give equal data."""
    unit = result.problem.block_bytes
    stats = result.stats
    found: dict[str, Any] = {
        "status": str(stats.status),
        "scratchpad_blocks": result.budget,
        "smallest_scratchpad_blocks": result.smallest_budget,
        "smallest_peak_blocks": result.smallest_peak,
        "non_compulsory_blocks": result.traffic,
        "non_compulsory_bytes": None if result.traffic is None else result.traffic * unit,
        "lower_bound_blocks": stats.lower_bound,
        "lower_bound_bytes": stats.lower_bound * unit,
        "gap": stats.gap,
        "solver": stats.solver,
        "formulation": stats.formulation,
        "proof": stats.proof,
        "states": stats.states,
        "interrupted": stats.interrupted,
        "notes": list(stats.notes),
        "baselines": dict(sorted(result.baselines.items())),
        "plan": None if result.plan is None else plan_to_dict(result.problem, result.plan),
    }
    if result.infeasible is not None:
        reason = result.infeasible
        found["infeasible"] = {
            "operator": reason.operator, "working_set_blocks": reason.working_set,
            "missing_blocks": reason.missing_blocks, "missing_bytes": reason.missing_bytes,
            "largest": [list(part) for part in reason.largest], "hints": list(reason.hints)}
    return found


def dump_plan(problem: Problem, plan: Plan) -> str:
    """Return the JSON text of a plan; its bytes depend on nothing but the plan."""
    return json.dumps(plan_to_dict(problem, plan), indent=1, ensure_ascii=True) + "\n"


def write_plan(problem: Problem, plan: Plan, path: Path) -> None:
    """Write a plan whole or not at all; InputError if the operating system refuses."""
    write_bytes(path, dump_plan(problem, plan).encode("ascii"))


def load_plan(problem: Problem, text: str, where: str = "plan") -> Plan:
    """Read a plan for a problem; legality is a question for `verify`.

    Raises
    ------
    InputError
        When the text is no plan of this problem: all unknown names and wrong types at once.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where=where) from None
    if not isinstance(data, Mapping) or data.get("format") != _FORMAT:
        raise InputError(f"expected an object with format {_FORMAT!r}", where=where)
    reader = _Reader(problem, where)
    budget = reader.integer(data, "scratchpad_blocks", where)
    steps = data.get("steps")
    if not isinstance(steps, list):
        raise InputError("'steps' must be a list", where=f"{where}.steps")
    found = tuple(reader.step(item, f"{where}.steps.{i}") for i, item in enumerate(steps))
    if reader.complaints:
        raise InputError(problems=reader.complaints)
    return Plan(budget, found)


class _Reader:
    """Collects every defect while it turns names back into indices."""

    def __init__(self, problem: Problem, where: str) -> None:
        self.operators = {op.name: i for i, op in enumerate(problem.operators)}
        self.tensors = {tensor.name: i for i, tensor in enumerate(problem.tensors)}
        self.complaints: list[Complaint] = []

    def integer(self, data: Mapping[str, Any], key: str, where: str) -> int:
        value = data.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.complaints.append(Complaint(f"{where}.{key}", f"expected an integer, got {value!r}"))
        return -1

    def name(self, data: Mapping[str, Any], key: str, known: Mapping[str, int], where: str) -> int:
        value = data.get(key)
        if isinstance(value, str) and value in known:
            return known[value]
        hint = nearest(str(value), known)
        self.complaints.append(Complaint(f"{where}.{key}", f"unknown {key} {value!r}", hint))
        return -1

    def step(self, item: object, where: str) -> Step:
        if not isinstance(item, Mapping):
            self.complaints.append(Complaint(where, f"expected an object, got {type(item).__name__}"))
            return Step(-1, (), ())
        operator = self.name(item, "operator", self.operators, where)
        space = self.integer(item, "workspace_address", where) if "workspace_address" in item else -1
        return Step(operator, self.events(item, "before", where), self.events(item, "after", where), space)

    def events(self, item: Mapping[str, Any], key: str, where: str) -> tuple[Event, ...]:
        listed = item.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(event, Mapping) for event in listed):
            self.complaints.append(Complaint(f"{where}.{key}", "expected a list of events"))
            return ()
        found = []
        for number, event in enumerate(listed):
            place = f"{where}.{key}.{number}"
            kind = event.get("event")
            if kind not in _KINDS:
                hint = nearest(str(kind), _KINDS)
                self.complaints.append(Complaint(f"{place}.event", f"unknown event {kind!r}", hint))
            found.append(Event(str(kind), self.name(event, "tensor", self.tensors, place),
                               self.integer(event, "address", place), self.integer(event, "blocks", place)))
        return tuple(found)


def _step_to_dict(problem: Problem, step: Step) -> dict[str, Any]:
    listed: dict[str, Any] = {"operator": problem.operators[step.operator].name}
    if step.workspace_address >= 0:
        listed["workspace_address"] = step.workspace_address
    for key, events in (("before", step.before), ("after", step.after)):
        listed[key] = [{"event": e.kind, "tensor": problem.tensors[e.tensor].name, "address": e.address,
                        "blocks": e.blocks, "bytes": e.blocks * problem.block_bytes} for e in events]
    return listed
