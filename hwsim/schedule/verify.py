"""Replays a plan without any solver, so that no result rests on the program that produced it."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import InputError, VerifyError
from hwsim.errors import Problem as Complaint
from hwsim.schedule.types import Event, Plan, Problem

_BEFORE, _AFTER = "before the operator runs", "after the operator ran"
_ALLOWED = {_BEFORE: ("allocate", "fetch"), _AFTER: ("spill", "free")}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the step (index in the order, -1 for the whole plan), the tensor, and the reason."""

    step: int
    tensor: str
    reason: str

    def __str__(self) -> str:
        place = f"step {self.step}" if self.step >= 0 else "plan"
        return f"{place}, {self.tensor}: {self.reason}" if self.tensor else f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Replay:
    """What a plan does when it is executed; all traffic in blocks.

    `spilled` + `refetched` is the non-compulsory traffic. `loaded` (first load of tensors that start in
    DRAM) and `stored` (graph outputs) are compulsory. `peak` is the largest number of blocks in use.
    """

    violations: tuple[Violation, ...]
    spilled: int
    refetched: int
    loaded: int
    stored: int
    peak: int

    @property
    def non_compulsory(self) -> int:
        """Blocks of off-chip traffic that a large enough scratchpad would avoid."""
        return self.spilled + self.refetched


class _Machine:
    """The scratchpad during a replay: addresses of resident tensors and the state of their DRAM copies."""

    def __init__(self, problem: Problem, budget: int) -> None:
        self.problem = problem
        self.budget = budget
        self.address: dict[int, int] = {}
        self.copied = {i for i, t in enumerate(problem.tensors) if t.in_dram and problem.producer[i] < 0}
        self.loaded_once: set[int] = set()
        self.born: set[int] = set()
        self.executed: set[int] = set()
        self.violations: list[Violation] = []
        self.traffic = {"spilled": 0, "refetched": 0, "loaded": 0, "stored": 0}
        self.peak = 0
        self.step = -1

    def blame(self, tensor: int | None, reason: str) -> None:
        name = "" if tensor is None else self.problem.tensors[tensor].name
        self.violations.append(Violation(self.step, name, reason))

    def apply(self, event: Event, running: int, phase: str) -> None:
        if not 0 <= event.tensor < len(self.problem.tensors):
            self.blame(None, f"unknown tensor {event.tensor}")
            return
        if event.kind not in _ALLOWED[phase]:
            self.blame(event.tensor, f"{event.kind} is not allowed {phase}")
        if event.blocks != self.problem.tensors[event.tensor].size:
            self.blame(event.tensor, f"moves {event.blocks} blocks, the tensor has "
                                     f"{self.problem.tensors[event.tensor].size}")
        actions = {"allocate": self._allocate, "fetch": self._fetch, "spill": self._spill, "free": self._free}
        if event.kind not in actions:
            self.blame(event.tensor, f"unknown event {event.kind!r}")
            return
        actions[event.kind](event, running)

    def _place(self, event: Event) -> None:
        size = self.problem.tensors[event.tensor].size
        if event.address < 0 or event.address + size > self.budget:
            self.blame(event.tensor, f"blocks {event.address} to {event.address + size} leave the scratchpad "
                                     f"of {self.budget}")
        if event.tensor in self.address:
            self.blame(event.tensor, f"{event.kind} although it is resident")
        self.address[event.tensor] = event.address

    def _allocate(self, event: Event, running: int) -> None:
        if self.problem.producer[event.tensor] != running:
            self.blame(event.tensor, "allocated at a step that does not produce it")
        if event.tensor in self.born:
            self.blame(event.tensor, "allocated twice")
        self._place(event)

    def _fetch(self, event: Event, running: int) -> None:
        size = self.problem.tensors[event.tensor].size
        if event.tensor not in self.copied:
            self.blame(event.tensor, "fetched without a copy in DRAM")
        first = self.problem.producer[event.tensor] < 0 and event.tensor not in self.loaded_once
        self.traffic["loaded" if first else "refetched"] += size
        self.loaded_once.add(event.tensor)
        self._place(event)

    def _spill(self, event: Event, running: int) -> None:
        if event.tensor not in self.address:
            self.blame(event.tensor, "spilled although it is not resident")
        if event.tensor in self.copied:
            self.blame(event.tensor, "spilled although DRAM holds a copy")
        self.copied.add(event.tensor)
        self.traffic["spilled"] += self.problem.tensors[event.tensor].size

    def _free(self, event: Event, running: int) -> None:
        if event.tensor not in self.address:
            self.blame(event.tensor, "freed although it is not resident")
            return
        if self.address.pop(event.tensor) != event.address:
            self.blame(event.tensor, f"freed at address {event.address}, which is not where it lies")
        needed = [c for c in self.problem.consumers[event.tensor] if c not in self.executed]
        if needed and event.tensor not in self.copied:
            self.blame(event.tensor, f"lost: dropped without a copy, still needed by "
                                     f"{self.problem.operators[needed[0]].name!r}")

    def check_layout(self, workspace: int, workspace_address: int) -> None:
        """Capacity and overlap of everything resident while an operator runs."""
        spans = [(a, a + self.problem.tensors[t].size, t) for t, a in self.address.items()
                 if self.problem.tensors[t].size]
        if workspace:
            spans.append((workspace_address, workspace_address + workspace, -1))
            if workspace_address < 0 or workspace_address + workspace > self.budget:
                self.blame(None, f"the workspace of {workspace} blocks at {workspace_address} does not fit")
        used = sum(end - start for start, end, _ in spans)
        self.peak = max(self.peak, used)
        if used > self.budget:
            self.blame(None, f"{used} blocks in use, the scratchpad has {self.budget}")
        spans.sort()
        for index, (_, end, tensor) in enumerate(spans):
            for other_start, _, other in spans[index + 1:]:
                if other_start >= end:
                    break
                name = "the workspace" if other < 0 else self.problem.tensors[other].name
                self.blame(tensor if tensor >= 0 else None, f"overlaps {name} at block {other_start}")

    def run(self, running: int) -> None:
        op = self.problem.operators[running]
        if running in self.executed:
            self.blame(None, f"operator {op.name!r} runs twice")
        missing = [p for p in self.problem.predecessors[running] if p not in self.executed]
        if missing:
            self.blame(None, f"operator {op.name!r} runs before {self.problem.operators[missing[0]].name!r}")
        for tensor in op.inputs:
            if tensor not in self.address:
                self.blame(tensor, f"operand of {op.name!r} is not resident")
        for tensor in op.outputs:
            if tensor not in self.address:
                self.blame(tensor, f"no space allocated for the output of {op.name!r}")
            if self.problem.tensors[tensor].in_dram:
                self.copied.add(tensor)
            if self.problem.tensors[tensor].is_output:
                self.traffic["stored"] += self.problem.tensors[tensor].size
            self.born.add(tensor)
        self.executed.add(running)


def replay(problem: Problem, plan: Plan) -> Replay:
    """Execute a plan step by step and report every broken rule with step and tensor.

    Parameters
    ----------
    problem : Problem
        What is scheduled.
    plan : Plan
        Any plan, correct or not.

    Returns
    -------
    Replay
        Violations (empty for a correct plan) and the traffic counted anew, in blocks.
    """
    machine = _Machine(problem, plan.budget)
    for index, step in enumerate(plan.steps):
        machine.step = index
        if not 0 <= step.operator < len(problem.operators):
            machine.blame(None, f"unknown operator {step.operator}")
            continue
        for event in step.before:
            machine.apply(event, step.operator, _BEFORE)
        machine.check_layout(problem.operators[step.operator].workspace, step.workspace_address)
        machine.run(step.operator)
        for event in step.after:
            machine.apply(event, step.operator, _AFTER)
    machine.step = -1
    for v in range(len(problem.operators)):
        if v not in machine.executed:
            machine.blame(None, f"operator {problem.operators[v].name!r} never runs")
    counts = machine.traffic
    return Replay(tuple(machine.violations), counts["spilled"], counts["refetched"], counts["loaded"],
                  counts["stored"], machine.peak)


def require_valid(problem: Problem, plan: Plan, traffic: int) -> None:
    """Raise VerifyError when a plan of ours breaks a rule or moves other traffic than it claims (blocks)."""
    seen = replay(problem, plan)
    complaints = [Complaint("plan", str(v)) for v in seen.violations]
    if seen.non_compulsory != traffic:
        reason = f"claims {traffic} blocks of traffic, moves {seen.non_compulsory}"
        complaints.append(Complaint("plan", reason))
    if complaints:
        raise VerifyError(problems=complaints)


def check_user_plan(problem: Problem, plan: Plan) -> Replay:
    """Replay a plan that came from outside; raise InputError naming every violation."""
    seen = replay(problem, plan)
    if seen.violations:
        raise InputError(problems=[Complaint("plan", str(v)) for v in seen.violations])
    return seen
