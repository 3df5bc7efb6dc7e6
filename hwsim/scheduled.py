"""A network on a chip whose scratchpad is scheduled: what order, placement and replacement are worth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import InputError, TimeLimit
from hwsim.graph.types import Graph
from hwsim.report.schedule_costs import SCHEDULED, ScheduledCost, schedule_costs
from hwsim.report.types import Report
from hwsim.run import Chip, chip, evaluate, load
from hwsim.schedule.network import Options, from_graph
from hwsim.schedule.network_budget import refuse
from hwsim.schedule.network_fusion import Fusion
from hwsim.schedule.network_rivals import baseline_plans
from hwsim.schedule.network_run import ScheduleReport, schedule_network


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """One network on one chip with a scheduled scratchpad.

    Attributes
    ----------
    report : Report
        The chip without a schedule: every operator reads and writes DRAM.
    schedule : ScheduleReport
        The plan, its bound and status.
    costs : tuple of ScheduledCost
        Cycles, stalls and joules without a schedule, under each baseline, and under the plan ("cosma").
    """

    report: Report
    schedule: ScheduleReport
    costs: tuple[ScheduledCost, ...]

    @property
    def planned(self) -> ScheduledCost:
        """Cost under the plan."""
        return next(cost for cost in self.costs if cost.name == SCHEDULED)


def evaluate_scheduled(
    network: Graph | str | Path,
    on: Chip | str,
    *,
    scratchpad: str | int | None = None,
    time_limit_s: float = 60.0,
    solver: str | None = None,
    seed: int = 0,
    on_unsupported: str = "error",
) -> ScheduledRun:
    """Evaluate a network on a chip, with activations kept in a scratchpad as an optimal plan says.

    Parameters
    ----------
    network, on, on_unsupported
        As for `hwsim.evaluate`.
    scratchpad : str or int, optional
        ``"512KiB"`` or bytes; by default what the design has for activations.
    time_limit_s, solver, seed
        As for `hwsim.schedule.solve`.

    Raises
    ------
    InputError
        A chip without a scratchpad.
    ScheduleInfeasible
        A scratchpad smaller than the largest working set of one operator.
    """
    target = chip(on) if isinstance(on, str) else on
    graph = network if isinstance(network, Graph) else load(network, on_unsupported=on_unsupported)
    accelerator, design = target.accelerator, target.design
    if accelerator.scratchpad_bytes is None or not accelerator.offchip:
        raise InputError(f"{accelerator.name} has no scratchpad to schedule", where="schedule")
    report = evaluate(graph, target, on_unsupported=on_unsupported)
    # A chip runs one convolution after the other: what lies between them needs room.
    problem = from_graph(accelerator.prepare(graph, design), Options(fusion=Fusion.TAILS))
    size = accelerator.scratchpad_bytes(design) if scratchpad is None else scratchpad
    plan = schedule_network(problem, size, time_limit_s=time_limit_s, solver=solver, seed=seed)
    if plan.plan is None:
        if plan.result.infeasible is not None:
            raise refuse(problem.problem, plan.result.infeasible)
        raise TimeLimit("no plan was found in time", where="schedule", hint="raise the time limit")
    budget = plan.result.budget
    plans = baseline_plans(problem.problem, budget) | {SCHEDULED: plan.plan}
    price = None
    if accelerator.scratchpad_j_per_bit is not None:
        capacity = budget * problem.problem.block_bytes
        price = accelerator.scratchpad_j_per_bit(design, capacity).in_unit_of("_j_per_bit")
    costs = schedule_costs(report, problem, plans, offchip=accelerator.offchip, scratchpad_j_per_bit=price)
    return ScheduledRun(report, plan, costs)
