"""Many cheap orders with their best replacement, and beams over free orders: quick upper bounds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwsim.schedule.gaps import best_replacement
from hwsim.schedule.orders import (
    Order,
    breadth_first_order,
    default_order,
    depth_first_order,
    memory_greedy_order,
    random_greedy_order,
)
from hwsim.schedule.search import Limits, Path, SearchTables, search
from hwsim.schedule.types import Problem

_RANDOM_ORDERS = 20
_WIDTHS = (50, 500, 3000)
_CHILDREN = 400_000


def named_orders(problem: Problem) -> dict[str, Order]:
    """Return the deterministic orders by the names that reports use."""
    return {"default": default_order(problem), "breadth-first": breadth_first_order(problem),
            "depth-first": depth_first_order(problem), "memory-greedy": memory_greedy_order(problem)}


def candidate_paths(problem: Problem, budget: int, orders: Mapping[str, Order], *, enough: int, seed: int,
                    limits: Limits, tables: SearchTables, solver: str | None = None) -> dict[str, Path]:
    """Return the best path of each named and random order and of each beam, by name; stops at the deadline.

    Parameters
    ----------
    problem, budget
        What is scheduled, and the scratchpad in blocks.
    orders : mapping of str to order
        Named orders, tried first.
    enough : int
        Traffic in blocks that nothing undercuts: a path that reaches it ends the search.
    seed : int
        Of the random orders.
    limits : Limits
        Of each search.
    solver : str, optional
        As in `solve`.
    """
    generator = np.random.default_rng(seed)
    found: dict[str, Path] = {}
    tried: set[Order] = set()
    pool = list(orders.items())
    pool += [(f"random {i}", random_greedy_order(problem, generator)) for i in range(_RANDOM_ORDERS)]
    cheapest = 1 << 40
    for name, order in pool:
        if cheapest > enough and order not in tried and time.monotonic() < limits.deadline_s:
            found[name] = best_replacement(problem, budget, order, limits=limits, tables=tables,
                                           solver=solver).path
            cheapest = min(cheapest, found[name].traffic)
        tried.add(order)
    for width in _WIDTHS:
        if cheapest <= enough or time.monotonic() > limits.deadline_s:
            break
        bounded = replace(limits, level_states=_CHILDREN)
        beam = search(problem, budget, cheapest, width=width, limits=bounded, tables=tables)
        if beam.path is not None:
            found[f"beam {width}"] = beam.path
            cheapest = min(cheapest, beam.path.traffic)
        if beam.complete:
            break
    return found
