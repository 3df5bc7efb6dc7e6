"""Runs the named baselines that a plan is shown against, and keeps the best of their plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwsim.schedule.baselines import POLICIES, online_plan
from hwsim.schedule.packing import greedy, rectangles
from hwsim.schedule.plan import assemble_placed
from hwsim.schedule.residency import episodes, footprint
from hwsim.schedule.types import Plan, Problem
from hwsim.schedule.verify import replay

# Our reading of the four combinations of the COSMA paper: linear allocation on the default and on the
# smallest-peak order, with Belady and with the per-step optimal ("ILP-based greedy") eviction.
PAPER_COMBINATIONS = ("default/belady", "default/window", "smallest-peak/belady", "smallest-peak/window")


@dataclass(frozen=True, slots=True)
class Baselines:
    """Traffic in blocks by name ("order/policy", None where a baseline has no plan), and the best plan."""

    traffic: Mapping[str, int | None]
    best_name: str
    best_plan: Plan
    best_traffic: int


def run_baselines(problem: Problem, budget: int, orders: Mapping[str, Sequence[int]]) -> Baselines:
    """Run online allocation under every policy, and an offline arena, on every named order.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks (at least the largest working set).
    orders : mapping of str to order
        At least one; names become the first half of the names of the baselines.
    """
    traffic: dict[str, int | None] = {}
    best: tuple[int, str, Plan] | None = None
    for name, order in orders.items():
        for policy in POLICIES:
            plan = online_plan(problem, budget, order, policy)
            moved = replay(problem, plan).non_compulsory
            traffic[f"{name}/{policy}"] = moved
            if best is None or moved < best[0]:
                best = (moved, f"{name}/{policy}", plan)
        arena = arena_plan(problem, budget, order)
        traffic[f"{name}/arena"] = None if arena is None else 0
        if arena is not None and best is not None and best[0] > 0:
            best = (0, f"{name}/arena", arena)
    if best is None:
        raise ValueError("at least one order is needed")
    return Baselines(traffic, best[1], best[2], best[0])


def arena_plan(problem: Problem, budget: int, order: Sequence[int]) -> Plan | None:
    """Return the plan of a greedy offline arena, None where it does not fit: it knows no replacement."""
    if footprint(problem, order) > budget:
        return None
    runs = episodes(problem, order, ())
    addresses = greedy(rectangles(problem, order, runs), budget, 0)
    return None if addresses is None else assemble_placed(problem, budget, order, runs, addresses)
