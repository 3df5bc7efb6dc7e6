"""What a scenario says of several chips at equal work: made, running, paid back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hwsim.model.carbon import (
    Engine,
    Footprint,
    Scenario,
    Service,
    break_even_s,
    crossover_activity,
    in_service,
    indifference_s,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ServedChip:
    """One chip in service.

    Attributes
    ----------
    name : str
        ``chip:preset``.
    engine : Engine
        Throughput, powers and dies.
    task_j : float
        Joules per task when busy.
    footprints : mapping of str to Footprint
        By method; methods whose tables lack a node are absent.
    refusals : mapping of str to str
        Why a method says nothing.
    note : str
        Of the scenario.
    """

    name: str
    engine: Engine
    task_j: float
    footprints: Mapping[str, Footprint]
    refusals: Mapping[str, str]
    note: str

    @property
    def area_m2(self) -> float:
        """Silicon of one copy, all dies and layers."""
        return sum(die.area_m2 * die.count * die.layers for die in self.engine.dies)


@dataclass(frozen=True, slots=True)
class Range:
    """Times over methods in seconds; infinity is never."""

    times_s: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, float] | None:
        """Shortest and longest, None if no method knows both engines."""
        return (min(self.times_s), max(self.times_s)) if self.times_s else None


@dataclass(frozen=True)
class Sustainability:
    """What a scenario says of several chips at equal work.

    Attributes
    ----------
    scenario : Scenario
        Its label stands in every output.
    service_life_s, activity : float
        For how long, and for which share of the full rate, they work.
    chips : tuple of ServedChip
        In the order of the reports.
    """

    scenario: Scenario
    service_life_s: float
    activity: float
    chips: tuple[ServedChip, ...]

    @cached_property
    def service(self) -> Service:
        """The chips at equal work."""
        return in_service([chip.engine for chip in self.chips], self.scenario.full_rate_per_s)

    @property
    def busy_shares(self) -> tuple[float, ...]:
        """Share of the time for which each chip, all its copies together, works at the activity."""
        rate = self.activity * self.service.full_rate_per_s
        return tuple(rate / (copies * chip.engine.throughput_per_s)
                     for chip, copies in zip(self.chips, self.service.replicas, strict=True))

    def embodied(self, method: str, quantity: str) -> Floats:
        """Return what making all copies of each chip took, float64[chips]; not a number where unknown.

        Parameters
        ----------
        method : str
            One of the scenario's methods.
        quantity : str
            ``"energy"`` in joules, or ``"carbon"`` in kgCO2e.
        """
        found = []
        for chip, copies in zip(self.chips, self.service.replicas, strict=True):
            footprint = chip.footprints.get(method)
            value = getattr(footprint, quantity) if footprint is not None else None
            none = 0.0 if chip.engine.shared_existing else np.nan
            found.append(none if value is None or chip.engine.shared_existing else copies * value.value)
        return np.array(found)

    def running(self, quantity: str) -> Floats:
        """Return watts, or kgCO2e per second, of each chip at the activity, float64[chips]."""
        return self.service.power_w(self.activity) * self._per_joule(quantity)

    def break_even(self, old: int, new: int, quantity: str) -> Range:
        """Return when replacing chip `old`, which exists, by chip `new` has paid back."""
        power = self.running(quantity)
        made = [self.embodied(method, quantity)[new] for method in self.scenario.methods]
        return Range(
            tuple(float(break_even_s(cost, power[old], power[new])) for cost in made if cost == cost)
        )

    def indifference(self, one: int, other: int, quantity: str) -> Range:
        """Return when making `other` instead of `one` has cost less in all."""
        power = self.running(quantity)
        pairs = [self.embodied(method, quantity)[[one, other]] for method in self.scenario.methods]
        return Range(
            tuple(
                float(indifference_s(pair[0], power[one], pair[1], power[other]))
                for pair in pairs
                if not np.isnan(pair).any()
            )
        )

    def crossover(self, one: int, other: int, method: str, quantity: str = "energy") -> float | None:
        """Return the activity at which two chips have cost the same at the end of the service life."""
        made, scale = self.embodied(method, quantity), self._per_joule(quantity)
        if np.isnan(made[[one, other]]).any():
            return None
        idle, slope = self.service.idle_w * scale, self.service.slope_w * scale
        return crossover_activity(
            float(made[one]),
            float(idle[one]),
            float(slope[one]),
            float(made[other]),
            float(idle[other]),
            float(slope[other]),
            self.service_life_s,
        )

    def totals(self, method: str, quantity: str, years_s: Floats, activity: Floats) -> Floats:
        """Return what making and running has taken, float64[chips, activities, times]."""
        made = self.embodied(method, quantity) / np.array(self.service.replicas)
        return self.service.totals(list(made), years_s, activity, self._per_joule(quantity))

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Return every ordered pair of different chips."""
        return tuple(itertools.permutations(range(len(self.chips)), 2))

    def _per_joule(self, quantity: str) -> float:
        return 1.0 if quantity == "energy" else self.scenario.use_kgco2e_per_j
