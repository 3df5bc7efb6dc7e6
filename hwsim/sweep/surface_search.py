"""Response-surface search in the manner of Smithson et al. 2016 (doi 10.1145/2966986.2967058).

A surface learns from every point that was evaluated. Candidates, most of them neighbours of the front so
far, are evaluated only where it promises a point that the front does not beat. Where Smithson et al. train a
neural network and accept a few candidates by chance, this search asks a Gaussian process, and how sure it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.sweep.axes import Axis
from hwsim.sweep.expressions import Kind
from hwsim.sweep.pareto import front
from hwsim.sweep.plan import Scenario
from hwsim.sweep.points import MOST_FRUITLESS, admitted, rows_of
from hwsim.sweep.search import Costs, Row
from hwsim.sweep.surface import MOST_TRAINED, Surface, train

Floats = NDArray[np.float64]
_POOL, _ENUMERATED = 2048, 8192
_OPTIMISM = 0.4  # standard deviations by which a promise may be better than the mean
_STRIDE = 0.15  # of a neighbour from a point of the front, in shares of an axis


class SurfaceStrategy:
    """See the module."""

    def __init__(self, scenario: Scenario, objectives: int, seed: Sequence[int]) -> None:
        self._scenario, self._objectives = scenario, objectives
        self._random = np.random.default_rng([*seed, 2016])
        self._proposed: set[Row] = set()
        self._shares: dict[Row, Floats] = {}
        self._known: list[Row] = []
        self._costs: list[tuple[float, ...]] = []
        self._lengths: list[Floats | None] = []
        self._chosen_at = 0
        lengths = [len(axis.values) for axis in scenario.axes]
        self._whole = all(lengths) and math.prod(lengths) <= _ENUMERATED

    def ask(self, count: int) -> list[Row]:
        """Return promising points; at first, points spread evenly."""
        if len(self._known) <= len(self._scenario.axes):
            chosen = self._spread(max(count, 2 * len(self._scenario.axes) + 2))[:count]
        else:
            chosen = self._promising(count)
        self._proposed.update(chosen)
        return chosen

    def tell(self, rows: Sequence[Row], costs: Sequence[Costs]) -> None:
        """Add results to what the surface is trained on."""
        for row, cost in zip(rows, costs, strict=True):
            if cost is not None:
                self._known.append(row)
                self._costs.append(cost)

    def _spread(self, count: int) -> list[Row]:
        """Return new points of a Latin hypercube, more if constraints leave too few."""
        found: dict[Row, None] = {}
        axes = self._scenario.axes
        for size in (count, 4 * count, 64 * count):
            strata = np.empty((size, len(axes)))
            for place in range(len(axes)):
                strata[:, place] = self._random.permutation(size)
            shares = (strata + self._random.random(strata.shape)) / size
            found |= dict.fromkeys(self._new(shares))
            if len(found) >= count:
                break
        return list(found) or (self._all_left() if self._whole else self._first_left())

    def _first_left(self) -> list[Row]:
        """Return the first points that were not proposed yet, where constraints leave next to none."""
        tried = 0
        for rows, length in rows_of(self._scenario, self._random):
            if found := self._remembered(rows):
                return found
            tried += length
            if tried >= MOST_FRUITLESS:
                break
        return []

    def _all_left(self) -> list[Row]:
        """Return all points of a small space that were not proposed yet."""
        axes = self._scenario.axes
        grids = np.meshgrid(
            *[(np.arange(len(axis.values)) + 0.5) / len(axis.values) for axis in axes], indexing="ij"
        )
        shares = np.array([grid.ravel() for grid in grids]).T if axes else np.empty((1, 0))
        return self._new(shares)

    def _new(self, shares: Floats) -> list[Row]:
        """Return the admitted points at `shares` that were not proposed yet, and remember where they lie."""
        axes = self._scenario.axes
        picks = [axis.drawn(shares[:, place]) for place, axis in enumerate(axes)]
        return self._remembered(admitted(self._scenario, picks, len(shares)))

    def _remembered(self, rows: Sequence[Row]) -> list[Row]:
        axes, found = self._scenario.axes, []
        for row in dict.fromkeys(rows):
            if row not in self._proposed:
                self._shares.setdefault(
                    row,
                    np.array(
                        [_share(axis, value) for axis, value in zip(axes, row[: len(axes)], strict=True)]
                    ),
                )
                found.append(row)
        return found

    def _pool(self, best: Sequence[Row]) -> list[Row]:
        """Return candidates: all that are left of a small space, else neighbours of the front and others."""
        axes = self._scenario.axes
        if self._whole:
            return self._all_left()
        homes = np.array([self._shares[row] for row in best])
        near = homes[self._random.integers(len(homes), size=_POOL)]
        moved = self._random.random(near.shape) < max(2.0 / len(axes), 0.3)
        near = np.clip(
            near + moved * self._random.normal(0.0, _STRIDE, near.shape), 0.0, np.nextafter(1.0, 0.0)
        )
        return self._new(np.vstack((near, self._random.random((_POOL // 4, len(axes))))))

    def _promising(self, count: int) -> list[Row]:
        costs = _straightened(np.array(self._costs))
        best = front(costs)
        pool = self._pool([self._known[place] for place in best.tolist()])
        if not pool:
            return []
        kept = self._trained_on(best)
        points = self._features([self._known[place] for place in kept])
        candidates = self._features(pool)
        means, deviations = zip(
            *(surface.predict(candidates) for surface in self._surfaces(points, costs[kept])), strict=True
        )
        hopes = np.array(means).T - _OPTIMISM * np.array(deviations).T
        scale = np.maximum(np.ptp(costs, axis=0), 1e-12)
        return [pool[place] for place in _chosen(hopes / scale, costs[best] / scale, count)]

    def _surfaces(self, points: Floats, costs: Floats) -> list[Surface]:
        """Train a surface per objective, with new lengths when the points have grown by a third."""
        if 3 * len(self._known) >= 4 * self._chosen_at:
            self._lengths, self._chosen_at = [None] * self._objectives, len(self._known)
        found = [train(points, costs[:, place], self._lengths[place]) for place in range(self._objectives)]
        self._lengths = [surface.lengths for surface in found]
        return found

    def _trained_on(self, best: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return all places, or if they are many, the front and a sample of the others."""
        if len(self._known) <= MOST_TRAINED:
            return np.arange(len(self._known))
        others = np.setdiff1d(np.arange(len(self._known)), best)
        room = max(MOST_TRAINED - len(best), 0)
        drawn = self._random.permutation(others)[:room]
        return np.sort(np.concatenate((best[:MOST_TRAINED], drawn)))

    def _features(self, rows: Sequence[Row]) -> Floats:
        """Return numbers as shares of their axis, and one column per choice of a text."""
        axes, columns = self._scenario.axes, []
        shares = np.array([self._shares[row] for row in rows]).reshape(len(rows), len(axes))
        for place, axis in enumerate(axes):
            if axis.knob.kind is Kind.NUMBER:
                columns.append(shares[:, place])
            else:
                columns += [np.array([float(row[place] == value) for row in rows]) for value in axis.values]
        return np.array(columns).reshape(-1, len(rows)).T


def _share(axis: Axis, value: Any) -> float:
    """Return the middle of the part of an axis that stands for `value`."""
    if axis.values:
        return (axis.places[value] + 0.5) / len(axis.values)
    low, high = axis.low, axis.high
    if axis.logarithmic:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return float(min(max((value - low) / (high - low), 0.0), 1.0 - 1e-12))


def _straightened(costs: Floats) -> Floats:
    """Return costs of one sign as logarithms: a design twice as fast counts the same everywhere."""
    found = costs.copy()
    for column in range(costs.shape[1]):
        values = costs[:, column]
        if (values > 0).all():
            found[:, column] = np.log(values)
        elif (values < 0).all():
            found[:, column] = -np.log(-values)
    return found


def _chosen(hopes: Floats, best: Floats, count: int) -> list[int]:
    """Return the candidates that promise most, each counted as found when the next is chosen.

    A promise is how far a candidate may be worsened in all objectives before a point of the front beats it.
    """
    promise = _margins(hopes, best)
    found: list[int] = []
    while len(found) < min(count, len(hopes)):
        place = int(np.argmax(promise))
        if promise[place] <= 1e-9 and found:
            break
        found.append(place)
        promise = np.minimum(promise, _margins(hopes, hopes[place : place + 1]))
        promise[place] = -np.inf
    return found


def _margins(hopes: Floats, rivals: Floats) -> Floats:
    """Return for each candidate by how much its best objective beats each rival's, the least over rivals."""
    margins = np.full(len(hopes), np.inf)
    for rival in rivals:
        margins = np.minimum(margins, (rival - hopes).max(axis=1))
    return margins
