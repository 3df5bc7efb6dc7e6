"""From a network and a scratchpad size to a report: the plan, its bounds, and what the baselines move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwsim.graph.types import Graph
from hwsim.schedule.comparisons import PAPER_COMBINATIONS
from hwsim.schedule.network import NetworkProblem, Options, from_graph, from_problem
from hwsim.schedule.network_budget import parse_budget
from hwsim.schedule.network_forms import Form, solve_as
from hwsim.schedule.network_plan import options_document
from hwsim.schedule.plan_json import result_to_dict
from hwsim.schedule.types import Plan, Problem, Result, Status
from hwsim.schedule.verify import Replay, replay


@dataclass(frozen=True, slots=True)
class ScheduleReport:
    """A schedule with everything that is said about it.

    Attributes
    ----------
    network : NetworkProblem
        What was scheduled.
    result : Result
        Plan, traffic, bound and evidence, in blocks.
    replay : Replay or None
        The plan executed by the independent verifier: compulsory and non-compulsory blocks, peak.
    form_found : bool
        False if the chosen formulation found no plan in time and a baseline stands in.
    notes : tuple of str
        What a reader must know: rounded budgets, operators without a step, the solver's words.
    """

    network: NetworkProblem
    result: Result
    replay: Replay | None
    form_found: bool
    notes: tuple[str, ...]

    @property
    def status(self) -> Status:
        """OPTIMAL (proven), FEASIBLE, INFEASIBLE or UNPACKED."""
        return self.result.stats.status

    @property
    def plan(self) -> Plan | None:
        """The verified plan; None if there is none."""
        return self.result.plan

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.problem.name

    def bytes_of(self, blocks: int | None) -> int | None:
        """Return blocks as bytes."""
        return None if blocks is None else blocks * self.network.problem.block_bytes

    @property
    def non_compulsory_bytes(self) -> int | None:
        """Off-chip traffic of the plan that a large enough scratchpad would avoid."""
        return self.bytes_of(self.result.traffic)

    @property
    def lower_bound_bytes(self) -> int:
        """Non-compulsory traffic that no plan undercuts."""
        return self.result.stats.lower_bound * self.network.problem.block_bytes

    @property
    def order(self) -> tuple[str, ...]:
        """Operators in the order of execution; empty without a plan."""
        operators = self.network.problem.operators
        return tuple(operators[v].name for v in self.plan.order) if self.plan else ()

    @property
    def limiting_operator(self) -> str:
        """The operator with the largest working set, which sets the smallest feasible budget."""
        problem = self.network.problem
        return problem.operators[max(range(len(problem.operators)), key=problem.working_set)].name

    def reduction(self, baseline: str) -> float | None:
        """Return the share of a baseline's traffic that the plan avoids; None where either has none."""
        theirs = self.result.baselines.get(baseline)
        if theirs is None or self.result.traffic is None:
            return None
        return 1 - self.result.traffic / theirs if theirs else 0.0

    def to_document(self, *, seconds: bool = True) -> dict[str, Any]:
        """Return the report as plain data; without `seconds`, equal inputs give equal data."""
        problem, result = self.network.problem, self.result
        found = result_to_dict(result)
        plan = found.pop("plan")
        found = {"network": self.name, "operators": len(problem.operators), "tensors": len(problem.tensors),
                 "block_bytes": problem.block_bytes, "scratchpad_bytes": self.bytes_of(result.budget)} | found
        found |= {"smallest_scratchpad_bytes": self.bytes_of(result.smallest_budget),
                  "smallest_scratchpad_operator": self.limiting_operator,
                  "smallest_peak_bytes": self.bytes_of(result.smallest_peak), "notes": list(self.notes),
                  "formulation_found_plan": self.form_found, "options": options_document(self.network),
                  "paper_baselines": list(PAPER_COMBINATIONS)}
        if self.replay is not None:
            found |= {name: self.bytes_of(getattr(self.replay, key)) for name, key in _REPLAYED.items()}
        if seconds:
            found["seconds"] = round(result.stats.time_s, 3)
        return found | {"order": list(self.order), "plan": plan}


_REPLAYED: Mapping[str, str] = {"spilled_bytes": "spilled", "refetched_bytes": "refetched",
                                "compulsory_load_bytes": "loaded", "compulsory_store_bytes": "stored",
                                "peak_bytes": "peak"}


def as_network(source: Graph | Problem | NetworkProblem, options: Options | None = None) -> NetworkProblem:
    """Return the scheduling problem of a network, or wrap one that is a problem already."""
    if isinstance(source, NetworkProblem):
        return source
    return from_problem(source) if isinstance(source, Problem) else from_graph(source, options)


def schedule_network(source: Graph | Problem | NetworkProblem, scratchpad: str | int, *,
                     options: Options | None = None, formulation: Form | str = Form.AUTO,
                     time_limit_s: float = 60.0, solver: str | None = None, seed: int = 0) -> ScheduleReport:
    """Find order, placement and replacement with the least off-chip traffic for a scratchpad.

    Parameters
    ----------
    source : Graph, Problem or NetworkProblem
        What is scheduled.
    scratchpad : str or int
        ``"512KiB"``, ``"180blocks"``, or plain bytes.
    options : Options, optional
        How a graph becomes a problem.
    formulation : Form or str
        "auto" for the portfolio; see `hwsim.schedule.network_forms.solve_as` for the others.
    time_limit_s, solver, seed
        As in `hwsim.schedule.solve`.

    Returns
    -------
    ScheduleReport
        With status INFEASIBLE and the reason in ``result.infeasible`` where no plan exists.

    Raises
    ------
    InputError
        Sizes or options that make no sense, a solver that is not there.
    """
    network = as_network(source, options)
    budget, notes = parse_budget(scratchpad, network.problem)
    result, found = solve_as(network.problem, budget, Form(formulation), time_limit_s=time_limit_s,
                             solver=solver, seed=seed)
    seen = replay(network.problem, result.plan) if result.plan is not None else None
    same = _degenerate(result)
    return ScheduleReport(network, result, seen, found, (*notes, *same, *network.notes, *result.stats.notes))


def _degenerate(result: Result) -> tuple[str, ...]:
    if result.smallest_peak is None or result.smallest_peak != result.smallest_budget:
        return ()
    return ("the smallest feasible budget is also the smallest peak: every feasible budget avoids all "
            "non-compulsory traffic, if the plan packs",)
