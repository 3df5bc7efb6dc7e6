"""Minimum linear arrangement as an integer program: which word lies in which place of one tape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulp

from hwsim.schedule.ilp_solver import Answer, IlpSolver, solve_model


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Place of each word and the sum of weighted distances; both None without a solution."""

    answer: Answer
    places: tuple[int, ...] | None
    distance: int | None
    message: str = ""


def solve_arrangement(
    words: int,
    places: int,
    weights: Mapping[tuple[int, int], int],
    starts: Mapping[int, int],
    port: int,
    solver: IlpSolver,
    time_limit_s: float,
) -> Arrangement:
    """Minimise the sum of weight x |place - place| over pairs, and of |place - port| over first accesses.

    Parameters
    ----------
    words, places : int
        How many words, and places to put them; at least as many.
    weights : mapping of (int, int) to int
        How often two words are accessed one after the other.
    starts : mapping of int to int
        How often a word is accessed while the tape rests with place `port` under its port.
    port : int
        That place.
    solver, time_limit_s
        As for the other programs; see `hwsim.schedule.ilp_solver`.
    """
    model = pulp.LpProblem("arrangement", pulp.LpMinimize)
    at = {(w, p): pulp.LpVariable(f"at_{w}_{p}", cat="Binary") for w in range(words) for p in range(places)}
    apart = {pair: pulp.LpVariable(f"apart_{pair[0]}_{pair[1]}", 0, places - 1) for pair in weights}
    far = {word: pulp.LpVariable(f"far_{word}", 0, places - 1) for word in starts}
    model += pulp.lpSum(count * apart[pair] for pair, count in weights.items()) + pulp.lpSum(
        count * far[word] for word, count in starts.items()
    )
    place = {w: pulp.lpSum(p * at[w, p] for p in range(places)) for w in range(words)}
    _one_place_each(model, at, words, places)
    for (u, v), distance in apart.items():
        model += distance >= place[u] - place[v]
        model += distance >= place[v] - place[u]
        model += distance >= 1
    for word, distance in far.items():
        model += distance >= place[word] - port
        model += distance >= port - place[word]
    found = solve_model(model, solver, time_limit_s)
    if found.answer not in (Answer.OPTIMAL, Answer.FEASIBLE):
        return Arrangement(found.answer, None, None, found.message)
    chosen = tuple(
        max(range(places), key=lambda p, w=w: found.values.get(f"at_{w}_{p}", 0.0))  # type: ignore[misc]
        for w in range(words)
    )
    return Arrangement(found.answer, chosen, found.objective)


def _one_place_each(
    model: pulp.LpProblem, at: Mapping[tuple[int, int], pulp.LpVariable], words: int, places: int
) -> None:
    """Rows: every word has one place, every place at most one word."""
    for w in range(words):
        model += pulp.lpSum(at[w, p] for p in range(places)) == 1, f"word_{w}"
    for p in range(places):
        model += pulp.lpSum(at[w, p] for w in range(words)) <= 1, f"place_{p}"
