"""The scheduling problem, its plans and its verdicts as plain values that every method shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hwsim.errors import GraphError, InputError
from hwsim.errors import Problem as Complaint


class Status(StrEnum):
    """What is known about a result."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    UNPACKED = "UNPACKED"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value that lives in the scratchpad.

    Attributes
    ----------
    name : str
        Unique name.
    size : int
        Blocks it occupies; 0 is allowed and costs nothing.
    in_dram : bool
        A DRAM copy exists as soon as the tensor exists (graph inputs, weights, outputs that are
        stored anyway): it can be dropped without a spill.
    is_output : bool
        The graph keeps it: its final store is compulsory traffic.
    """

    name: str
    size: int
    in_dram: bool = False
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the computation.

    Attributes
    ----------
    name : str
        Unique name.
    inputs, outputs : tuple of int
        Indices of the tensors it reads and writes, each once, ascending.
    workspace : int
        Private blocks needed while it runs.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    workspace: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Operators and tensors to be scheduled; the budget is an argument of the methods, not a field.

    Attributes
    ----------
    name : str
        Shown in reports.
    operators : tuple of Operator
        In the default order, which respects the edges.
    tensors : tuple of Tensor
        A tensor without producer must be `in_dram`; its first load is compulsory.
    block_bytes : int
        Bytes of one block; every size and address is a whole number of blocks.
    alignment_bytes : int
        Required alignment of addresses; must divide `block_bytes`.
    """

    name: str
    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
    block_bytes: int = 1024
    alignment_bytes: int = 64
    producer: tuple[int, ...] = field(init=False, repr=False, compare=False)
    consumers: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)
    predecessors: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)
    successors: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        complaints = _complaints(self)
        if complaints:
            raise GraphError(problems=complaints)
        producer = [-1] * len(self.tensors)
        consumers: list[list[int]] = [[] for _ in self.tensors]
        for index, operator in enumerate(self.operators):
            for tensor in operator.outputs:
                producer[tensor] = index
            for tensor in operator.inputs:
                consumers[tensor].append(index)
        before = [sorted({producer[t] for t in op.inputs} - {-1}) for op in self.operators]
        after: list[list[int]] = [[] for _ in self.operators]
        for index, sources in enumerate(before):
            for source in sources:
                after[source].append(index)
        object.__setattr__(self, "producer", tuple(producer))
        object.__setattr__(self, "consumers", tuple(tuple(c) for c in consumers))
        object.__setattr__(self, "predecessors", tuple(tuple(b) for b in before))
        object.__setattr__(self, "successors", tuple(tuple(a) for a in after))

    def working_set(self, operator: int) -> int:
        """Return the blocks resident at least while `operator` runs: inputs, outputs and workspace."""
        op = self.operators[operator]
        return op.workspace + sum(self.tensors[t].size for t in op.inputs + op.outputs)

    @property
    def smallest_budget(self) -> int:
        """The largest working set (M_R): no smaller scratchpad is feasible without tiling."""
        return max(self.working_set(v) for v in range(len(self.operators)))

    @property
    def granularity(self) -> int:
        """Greatest common divisor of the tensor sizes; traffic is a multiple of it."""
        return math.gcd(*(t.size for t in self.tensors)) or 1

    @classmethod
    def from_blocks(cls, obj: object, *, where: str = "graph") -> Problem:
        """Build a problem from one graph object of the plain block format.

        Parameters
        ----------
        obj : object
            Mapping with `size` (blocks of the output of each operator) and `ins` (producers read by
            each operator); optional `name`, `workspace` (blocks per operator), `block_bytes`.
        where : str
            Prefix of the place in error messages.

        Raises
        ------
        GraphError
            With every defect of the object at once.
        """
        from hwsim.schedule.blocks import read_blocks

        return read_blocks(obj, where)


@dataclass(frozen=True, slots=True)
class Event:
    """One change of the scratchpad: `kind` is allocate, fetch, spill or free; address and size in blocks."""

    kind: str
    tensor: int
    address: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Step:
    """One operator with the events before it runs (allocate, fetch) and after it ran (spill, free).

    `workspace_address` is where its private workspace lies, -1 when it has none.
    """

    operator: int
    before: tuple[Event, ...]
    after: tuple[Event, ...]
    workspace_address: int = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """A complete schedule: order, placement and replacement, for a scratchpad of `budget` blocks."""

    budget: int
    steps: tuple[Step, ...]

    @property
    def order(self) -> tuple[int, ...]:
        """Operators in the order of execution."""
        return tuple(step.operator for step in self.steps)


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Why a budget is too small, as data.

    Attributes
    ----------
    operator : str
        Operator with the largest working set.
    working_set, budget, missing_blocks, missing_bytes : int
        What it needs, what there is, and the difference.
    largest : tuple of (str, int)
        Its operands and workspace with their blocks, largest first.
    hints : tuple of str
        What would help.
    """

    operator: str
    working_set: int
    budget: int
    missing_blocks: int
    missing_bytes: int
    largest: tuple[tuple[str, int], ...]
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SolveStats:
    """How a result was reached; everything but `time_s` is a function of the input alone if proven.

    Attributes
    ----------
    status : Status
        OPTIMAL only with a proof: lower bound equal to the plan's traffic.
    lower_bound : int
        Blocks of non-compulsory traffic that no plan can undercut.
    gap : float
        (traffic - lower bound) / traffic; 0 when the traffic is 0.
    solver, formulation : str
        What produced the plan, with version, and in which form.
    proof : str
        What produced the lower bound.
    states : int
        Search states kept, 0 without a search.
    interrupted : bool
        The user stopped the search; the plan is the best one until then.
    notes : tuple of str
        Anything a reader must know: floored budgets, limits reached.
    time_s : float
        Wall time; never part of the plan's bytes.
    """

    status: Status
    lower_bound: int
    gap: float
    solver: str
    formulation: str
    proof: str
    states: int = 0
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    time_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What `solve` returns: a plan (None when infeasible or unpacked), its traffic and the evidence.

    `baselines` maps the name of each baseline to its blocks of traffic, None where it fails.
    """

    problem: Problem
    budget: int
    smallest_budget: int
    smallest_peak: int | None
    plan: Plan | None
    traffic: int | None
    stats: SolveStats
    baselines: Mapping[str, int | None]
    infeasible: Infeasible | None = None


def explain_infeasible(problem: Problem, budget: int) -> Infeasible | None:
    """Return why no plan exists within `budget` blocks, or None when one does."""
    needs = [problem.working_set(v) for v in range(len(problem.operators))]
    worst = max(range(len(needs)), key=lambda v: needs[v])
    if needs[worst] <= budget:
        return None
    op = problem.operators[worst]
    parts = [(problem.tensors[t].name, problem.tensors[t].size) for t in op.inputs + op.outputs]
    parts.append(("workspace", op.workspace))
    parts.sort(key=lambda part: (-part[1], part[0]))
    missing = needs[worst] - budget
    hints = [f"a scratchpad of at least {needs[worst]} blocks ({needs[worst] * problem.block_bytes} bytes)",
             f"tiling operator {op.name!r} into parts"]
    if op.workspace >= missing:
        hints.append("streaming its workspace (weights) instead of holding it")
    if parts[0][1] > budget:
        hints.append(f"{parts[0][0]!r} alone is larger than the scratchpad: fewer bits per element")
    return Infeasible(op.name, needs[worst], budget, missing, missing * problem.block_bytes,
                      tuple(p for p in parts if p[1]), tuple(hints))


def budget_in_blocks(problem: Problem, budget_bytes: int) -> tuple[int, int]:
    """Floor a budget in bytes to blocks; return the blocks and the bytes that were cut off.

    Raises
    ------
    InputError
        When the budget is not positive.
    """
    if budget_bytes <= 0:
        raise InputError(f"the scratchpad must be larger than 0 bytes, not {budget_bytes}",
                         where="scratchpad")
    return divmod(budget_bytes, problem.block_bytes)


def _complaints(problem: Problem) -> list[Complaint]:
    found: list[Complaint] = []
    if not problem.operators:
        found.append(Complaint("operators", "the graph has no operator"))
    if problem.block_bytes <= 0 or problem.alignment_bytes <= 0:
        found.append(Complaint("block_bytes", "block and alignment must be positive"))
    elif problem.block_bytes % problem.alignment_bytes:
        found.append(Complaint("block_bytes", f"{problem.block_bytes} is no multiple of the alignment "
                                              f"{problem.alignment_bytes}"))
    found += _name_complaints("operators", [op.name for op in problem.operators])
    found += _name_complaints("tensors", [t.name for t in problem.tensors])
    for index, tensor in enumerate(problem.tensors):
        if tensor.size < 0:
            reason = f"{tensor.name!r} has the negative size {tensor.size}"
            found.append(Complaint(f"tensors.{index}", reason))
    found += _operator_complaints(problem)
    return found


def _name_complaints(where: str, names: Sequence[str]) -> list[Complaint]:
    seen: set[str] = set()
    repeated = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    return [Complaint(where, f"the name {name!r} is used twice") for name in repeated]


def _operator_complaints(problem: Problem) -> list[Complaint]:
    found: list[Complaint] = []
    written: set[int] = set()
    known = range(len(problem.tensors))
    for index, op in enumerate(problem.operators):
        where = f"operators.{index}"
        if op.workspace < 0:
            found.append(Complaint(where, f"{op.name!r} has the negative workspace {op.workspace}"))
        if not op.outputs:
            found.append(Complaint(where, f"{op.name!r} has no output"))
        for kind, operands in (("inputs", op.inputs), ("outputs", op.outputs)):
            if list(operands) != sorted(set(operands)):
                found.append(Complaint(f"{where}.{kind}", "tensor indices must be ascending, each once"))
            found += [Complaint(f"{where}.{kind}", f"{op.name!r} uses the unknown tensor {t}")
                      for t in operands if t not in known]
        found += [Complaint(f"{where}.outputs", f"tensor {t} is written twice")
                  for t in op.outputs if t in written]
        for t in op.inputs:
            if t in known and t not in written and not problem.tensors[t].in_dram:
                reason = f"{op.name!r} reads tensor {t}, which no earlier operator writes and is not in DRAM"
                hint = "cyclic graph, wrong order or dangling consumer"
                found.append(Complaint(f"{where}.inputs", reason, hint))
        for t in op.outputs:
            if any(t in earlier.inputs for earlier in problem.operators[:index + 1]):
                reason = f"tensor {t} is read before {op.name!r} writes it"
                found.append(Complaint(f"{where}.outputs", reason))
        written.update(op.outputs)
    return found
