"""Searches that evaluate only promising points; seeded, and resumable because they repeat themselves."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hwsim.errors import InputError
from hwsim.sweep.metrics import DERIVED, FUNCTIONAL, TOTALS, Objective, read_objectives
from hwsim.sweep.plan import Plan, Scenario
from hwsim.sweep.points import Block, Keys, explain_empty
from hwsim.sweep.session import Session
from hwsim.sweep.store import Store

Costs = tuple[float, ...] | None
Row = tuple[Any, ...]


class Strategy(Protocol):
    """Proposes points of one scenario, and learns from their costs."""

    def ask(self, count: int) -> list[Row]:
        """Return at most `count` points to evaluate; none: nothing is left that promises anything."""

    def tell(self, rows: Sequence[Row], costs: Sequence[Costs]) -> None:
        """Learn what points cost, all to be made small; None: the point failed."""


def run_search(plan: Plan, session: Session, store: Store, keys: Sequence[Keys]) -> None:
    """Search every scenario with a budget of its own.

    A search that is begun again proposes the same points, finds their results in the store, and goes on
    where it stopped.
    """
    wanted, position = objectives_of(plan), 0
    metrics = [objective.metric for objective in wanted]
    for number, scenario in enumerate(plan.scenarios):
        strategy = open_strategy(plan, number, scenario, len(wanted))
        left = min(plan.search.budget, _limit(plan) - position)
        while strategy is not None and left > 0:
            rows = strategy.ask(min(plan.search.batch, left))
            if not rows:
                break
            session.run([Block(number, position, rows)])
            names = keys[number].of(rows)
            found = store.metrics_of(names, metrics)
            strategy.tell(rows, [_costs(found.get(name), wanted) for name in names])
            position, left = position + len(rows), left - len(rows)
    if not position:
        raise explain_empty(plan)


def first_proposals(plan: Plan) -> list[list[Row]]:
    """Return for each scenario what its search evaluates before it knows anything."""
    wanted, left = len(objectives_of(plan)), _limit(plan)
    found: list[list[Row]] = []
    for number, scenario in enumerate(plan.scenarios):
        strategy = open_strategy(plan, number, scenario, wanted)
        most = min(plan.search.batch, plan.search.budget, left)
        found.append(strategy.ask(most) if strategy is not None and most > 0 else [])
        left -= min(plan.search.budget, left)
    return found


def _limit(plan: Plan) -> int:
    return plan.space.limit if plan.space.limit is not None else sys.maxsize


def open_strategy(plan: Plan, number: int, scenario: Scenario, objectives: int) -> Strategy | None:
    """Return the search method that the space names; None if constraints leave no point."""
    left = scenario.narrowed
    if left is None:
        return None
    if plan.search.method == "optuna":
        from hwsim.sweep.optuna_search import OptunaStrategy

        return OptunaStrategy(left, objectives, plan.space.seed + number, plan.search.budget)
    from hwsim.sweep.surface_search import SurfaceStrategy

    return SurfaceStrategy(left, objectives, [plan.space.seed, number])


def objectives_of(plan: Plan) -> tuple[Objective, ...]:
    """Return the objectives of a plan's search; InputError with the nearest name for unknown ones."""
    return read_objectives(plan.search.objectives, known_metrics(plan))


def known_metrics(plan: Plan) -> tuple[str, ...]:
    """Return the metrics that every point of a plan will have."""
    found = [*TOTALS, *DERIVED]
    if plan.data:
        found += FUNCTIONAL
        shared = [set(_figures(scenario)) for scenario in plan.scenarios]
        found += sorted(set.intersection(*shared)) if shared else []
    return tuple(found)


def _figures(scenario: Scenario) -> Mapping[str, float]:
    chip = scenario.chip
    if chip.accelerator.figures is None:
        return {}
    try:
        return chip.accelerator.figures(chip.accelerator.prepare(scenario.graph, chip.design), chip.design)
    except InputError:
        return {}


def _costs(values: tuple[Any, ...] | None, wanted: Sequence[Objective]) -> Costs:
    if values is None or any(value is None for value in values):
        return None
    return tuple(objective.sign * float(value) for objective, value in zip(wanted, values, strict=True))
