"""Plans of the named baselines, for those who need more of them than their traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwsim.errors import InputError, nearest
from hwsim.schedule.baselines import POLICIES, online_plan
from hwsim.schedule.comparisons import PAPER_COMBINATIONS, arena_plan
from hwsim.schedule.orders import Order
from hwsim.schedule.peak import smallest_peak
from hwsim.schedule.portfolio import named_orders
from hwsim.schedule.search import Limits
from hwsim.schedule.types import Plan, Problem
from hwsim.schedule.verify import replay, require_valid

_PEAK_STATES = 200_000


def baseline_plans(problem: Problem, budget: int,
                   names: Sequence[str] = PAPER_COMBINATIONS) -> dict[str, Plan]:
    """Return the verified plan of each baseline that has one.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks (at least the largest working set).
    names : sequence of str
        ``"order/eviction"`` as in `Result.baselines`; by default the four combinations of the paper.

    Raises
    ------
    InputError
        Unknown names, with the nearest.
    """
    orders = _orders(problem, names)
    plans: dict[str, Plan] = {}
    for name in names:
        order, _, policy = name.partition("/")
        known = [f"{o}/{p}" for o in (*orders, "smallest-peak") for p in (*POLICIES, "arena")]
        if name not in known:
            raise InputError(f"no baseline is called {name!r}", where="baseline", hint=nearest(name, known))
        if policy == "arena":
            plan = arena_plan(problem, budget, orders[order])
        else:
            plan = online_plan(problem, budget, orders[order], policy)
        if plan is not None:
            require_valid(problem, plan, replay(problem, plan).non_compulsory)
            plans[name] = plan
    return plans


def _orders(problem: Problem, names: Sequence[str]) -> Mapping[str, Order]:
    orders = named_orders(problem)
    if any(name.startswith("smallest-peak/") for name in names):
        found = smallest_peak(problem, list(orders.values()), limits=Limits(states=_PEAK_STATES))
        orders["smallest-peak"] = found.order
    return orders
