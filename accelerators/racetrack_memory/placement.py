"""Where words lie: as given, by first use, by frequency, arranged by neighbours, or exactly for few words."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.racetrack_memory.design import Placement, RacetrackMemoryDesign
from accelerators.racetrack_memory.shifts import Shifts, Tapes
from hwsim.errors import InputError
from hwsim.graph.types import Op

Ints = NDArray[np.int64]
EXACT_WORDS = 8
EXACT_TIME_LIMIT_S = 60.0
_LOCAL_WORDS = 400


@dataclass(frozen=True, slots=True)
class Places:
    """Cluster and domain of every word, int64[words] each."""

    cluster: Ints
    domain: Ints

    def shifts(self, words: Ints, design: RacetrackMemoryDesign) -> Shifts:
        """Return the shifts of accesses to `words`, from tapes at rest."""
        return Tapes(design).access(self.cluster[words], self.domain[words])


def place(op: Op, count: int, design: RacetrackMemoryDesign, placement: Placement | None = None) -> Places:
    """Place the `count` words of an operator ``memory_accesses``.

    Parameters
    ----------
    op : Op
        The accesses.
    count : int
        Words.
    design : RacetrackMemoryDesign
        The memory; its own placement is used where none is given.
    placement : Placement, optional
        Another placement.

    Raises
    ------
    InputError
        More words than the memory has, places that do not exist, too many words for `exact`.
    """
    chosen = design.placement if placement is None else placement
    if count > design.words:
        raise InputError(
            f"{count} words, the memory has {design.words}",
            where="racetrack_memory.clusters",
            hint=f"set clusters={-(-count // design.domains)}",
        )
    words = np.array(op.ints("words"), np.int64)
    if chosen is Placement.AS_GIVEN and op.ints("clusters"):
        return Places(np.array(op.ints("clusters"), np.int64), np.array(op.ints("domains"), np.int64))
    if chosen is Placement.FREQUENCY:
        return _by_frequency(words, count, design)
    if chosen is Placement.EXACT:
        return _exactly(words, count, design)
    if chosen is Placement.ARRANGEMENT:
        row = _arranged(words, count)
        ways = [_in_row(row, design), _folded(row, design)][: len(design.port_places)]
        return min(ways, key=lambda places: places.shifts(words, design).total)
    return _in_row(_first_use(words, count), design)


def _in_row(order: Ints, design: RacetrackMemoryDesign) -> Places:
    """Fill one cluster after the other in an order of words."""
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return Places(rank // design.domains, rank % design.domains)


def _folded(order: Ints, design: RacetrackMemoryDesign) -> Places:
    """Fill the domains next to all ports first: neighbours lie under different ports at one offset."""
    ports, domains = np.array(design.port_places), np.arange(design.domains)
    own = np.searchsorted(ports, domains, side="right") - 1
    nearest = np.lexsort((own, domains - ports[own]))
    row = _in_row(order, design)
    return Places(row.cluster, nearest[row.domain])


def _first_use(words: Ints, count: int) -> Ints:
    seen, first = np.unique(words, return_index=True)
    used = seen[np.argsort(first, kind="stable")]
    return np.concatenate([used, np.setdiff1d(np.arange(count), used)])


def _by_frequency(words: Ints, count: int, design: RacetrackMemoryDesign) -> Places:
    """Put the words in use most often nearest to ports, cluster after cluster."""
    order = np.argsort(-np.bincount(words, minlength=count), kind="stable")
    ports = np.array(design.port_places)
    near = np.abs(np.arange(design.domains)[:, None] - ports).min(1)
    best = np.argsort(near, kind="stable")
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    return Places(rank // design.domains, best[rank % design.domains])


def neighbours(words: Ints) -> dict[tuple[int, int], int]:
    """Return how often two different words are accessed one after the other, smaller word first."""
    pairs = np.sort(np.stack([words[:-1], words[1:]]), axis=0)
    pairs = pairs[:, pairs[0] != pairs[1]]
    found, counts = np.unique(pairs, axis=1, return_counts=True)
    return {(int(u), int(v)): int(n) for u, v, n in zip(found[0], found[1], counts, strict=True)}


def _arranged(words: Ints, count: int) -> Ints:
    """Grow a row from the word in use most often, each next word at the end to which it is tied more.

    The next word is the one with the strongest ties to all words placed; then exchanges of neighbours are
    made as long as the sum of weighted distances falls.
    """
    weights = neighbours(words)
    ties: dict[int, dict[int, int]] = {}
    for (u, v), weight in weights.items():
        ties.setdefault(u, {})[v] = weight
        ties.setdefault(v, {})[u] = weight
    use = Counter(words.tolist())
    places: dict[int, int] = {}
    for seed in sorted(use, key=lambda word: (-use[word], word)):
        if seed not in places:
            _grow(places, seed, ties, use)
    row = sorted(places, key=places.__getitem__)
    if len(row) <= _LOCAL_WORDS:
        row = _improved(row, weights)
    rest = [word for word in range(count) if word not in places]
    return np.array(row + rest, np.int64)


def _grow(
    places: dict[int, int], seed: int, ties: Mapping[int, Mapping[int, int]], use: Mapping[int, int]
) -> None:
    """Place everything that is tied to `seed`, the strongest ties to placed words first."""
    strength = {seed: 0}
    queue = [(0, -use[seed], seed)]
    first, last = (min(places.values()), max(places.values())) if places else (0, -1)
    while queue:
        tied, _, word = heapq.heappop(queue)
        if word in places or -tied != strength[word]:
            continue
        places[word] = _nearer_end(places, (first, last), ties.get(word, {}))
        first, last = min(first, places[word]), max(last, places[word])
        for other, weight in ties.get(word, {}).items():
            if other not in places:
                strength[other] = strength.get(other, 0) + weight
                heapq.heappush(queue, (-strength[other], -use[other], other))


def _nearer_end(places: Mapping[int, int], ends: tuple[int, int], ties: Mapping[int, int]) -> int:
    """Return the free place left or right of the row that is nearer to the words tied to."""
    first, last = ends
    placed = [(places[other], weight) for other, weight in ties.items() if other in places]
    left = sum(weight * (place_ - first) for place_, weight in placed)
    right = sum(weight * (last - place_) for place_, weight in placed)
    return first - 1 if left < right else last + 1


def _improved(row: list[int], weights: Mapping[tuple[int, int], int]) -> list[int]:
    """Exchange neighbours while that shortens the sum of weighted distances."""
    index = {word: i for i, word in enumerate(sorted(row))}
    matrix = np.zeros((len(row), len(row)), np.int64)
    for (u, v), weight in weights.items():
        matrix[index[u], index[v]] = matrix[index[v], index[u]] = weight
    order = np.array([index[word] for word in row])
    names = sorted(row)
    for _ in range(2 * len(row)):
        tied = matrix[np.ix_(order, order)]
        before, after = np.tril(tied, -1).sum(1), np.triu(tied, 1).sum(1)
        between = np.diagonal(tied, 1)
        # Exchanging i and i + 1: word i moves away from all before it, word i + 1 comes nearer to them.
        gain = (after[:-1] - between) - before[:-1] + (before[1:] - between) - after[1:]
        best = int(np.argmax(gain)) if len(gain) else 0
        if not len(gain) or gain[best] <= 0:
            break
        order[[best, best + 1]] = order[[best + 1, best]]
    return [names[i] for i in order]


def _exactly(words: Ints, count: int, design: RacetrackMemoryDesign) -> Places:
    """Solve the arrangement of few words in one cluster with an integer program."""
    if count > EXACT_WORDS or count > design.domains:
        most = min(EXACT_WORDS, design.domains)
        raise InputError(
            f"{count} words are too many for an exact placement, at most {most} in one cluster",
            where="racetrack_memory.placement",
            hint="placement=arrangement takes any number",
        )
    if len(design.port_places) > 1 or design.policy == "eager":
        raise InputError(
            "an exact placement is known for lazy tapes with one port",
            where="racetrack_memory.placement",
            hint="set ports=1 and policy=lazy, or arrangement",
        )
    from hwsim.schedule.ilp_arrangement import solve_arrangement
    from hwsim.schedule.ilp_solver import find_solver

    solver = find_solver()
    if solver is None:
        raise InputError(
            "no integer programming solver is installed",
            where="racetrack_memory.placement",
            hint="pip install 'pulp>=3.3,<4'",
        )
    starts = {int(words[0]): 1} if len(words) else {}
    found = solve_arrangement(count, count, neighbours(words), starts, 0, solver, EXACT_TIME_LIMIT_S)
    if found.places is None:
        raise InputError(
            f"the solver found no placement: {found.answer} {found.message}",
            where="racetrack_memory.placement",
            hint="placement=arrangement needs no solver",
        )
    return Places(np.zeros(count, np.int64), np.array(found.places, np.int64))


HEURISTICS = (Placement.FIRST_USE, Placement.FREQUENCY, Placement.ARRANGEMENT)


def best_heuristic(op: Op, count: int, design: RacetrackMemoryDesign) -> tuple[Placement, int]:
    """Return the placement with the fewest shifts out of `HEURISTICS`, and how many."""
    words = np.array(op.ints("words"), np.int64)
    found = {chosen: place(op, count, design, chosen).shifts(words, design).total for chosen in HEURISTICS}
    best = min(HEURISTICS, key=lambda chosen: found[chosen])
    return best, found[best]
