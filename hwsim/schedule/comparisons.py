"""Runs the named baselines that a plan is shown against, and keeps the best of their plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwsim.schedule.baselines import POLICIES, online_plan
from hwsim.schedule.packing import greedy, rectangles
from hwsim.schedule.residency import episodes
from hwsim.schedule.types import Plan, Problem
from hwsim.schedule.verify import replay


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
        traffic[f"{name}/arena"] = 0 if arena_fits(problem, budget, order) else None
    if best is None:
        raise ValueError("at least one order is needed")
    return Baselines(traffic, best[1], best[2], best[0])


def arena_fits(problem: Problem, budget: int, order: Sequence[int]) -> bool:
    """Tell whether a greedy offline arena holds all tensors of an order at once; it has no replacement."""
    runs = episodes(problem, order, ())
    return greedy(rectangles(problem, order, runs), budget, 0) is not None
