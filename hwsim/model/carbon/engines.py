"""Engines that do the same work: mean power over the activity ratio, replicas, totals over the years."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.errors import InputError, Problem
from hwsim.model.carbon.types import Die

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Engine:
    """A chip in service.

    Attributes
    ----------
    name : str
        ``chip:preset``.
    throughput_per_s : float
        Inferences (or other equal tasks) per second when busy.
    active_w, idle_w : float
        Power when busy and when waiting.
    dies : tuple of Die
        What has to be made for one copy.
    shared_existing : bool
        True for hardware that is there already, such as the DDR3 of a server: making it counts as nothing.
    """

    name: str
    throughput_per_s: float
    active_w: float
    idle_w: float
    dies: tuple[Die, ...]
    shared_existing: bool = False

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{self.name}.{field}", f"{value!r} {reason}")
            for field, value, reason in (
                ("throughput_per_s", self.throughput_per_s, "does no work"),
                ("active_w", self.active_w, "is not a power"),
            )
            if not 0 < value < math.inf
        ]
        if not 0 <= self.idle_w < math.inf:
            problems.append(Problem(f"{self.name}.idle_w", f"{self.idle_w!r} is not a power"))
        if not self.dies and not self.shared_existing:
            problems.append(
                Problem(
                    f"{self.name}.dies", "no die, so nothing was made", "give dies, or shared_existing = true"
                )
            )
        if problems:
            raise InputError(problems=problems)


@dataclass(frozen=True, slots=True)
class Service:
    """Engines at equal work.

    Attributes
    ----------
    engines : tuple of Engine
        At least one.
    full_rate_per_s : float
        Tasks per second at an activity of 1; the slowest engine's throughput unless the user asks for more.
    """

    engines: tuple[Engine, ...]
    full_rate_per_s: float

    @property
    def replicas(self) -> tuple[int, ...]:
        """How many copies of each engine the full rate takes (`norm_large` of GreenChip)."""
        return tuple(
            max(1, math.ceil(self.full_rate_per_s / engine.throughput_per_s * (1 - 1e-12)))
            for engine in self.engines
        )

    @property
    def idle_w(self) -> Floats:
        """Idle power of each engine with all its copies, float64[engines]."""
        return np.array(
            [copies * engine.idle_w for copies, engine in zip(self.replicas, self.engines, strict=True)]
        )

    @property
    def slope_w(self) -> Floats:
        """Watts from idle to full rate, float64[engines]: rate / throughput x (active - idle)."""
        return np.array(
            [
                self.full_rate_per_s / engine.throughput_per_s * (engine.active_w - engine.idle_w)
                for engine in self.engines
            ]
        )

    def power_w(self, activity: ArrayLike) -> Floats:
        """Return mean power, float64[engines, ...] over an array of activity ratios in [0, 1]."""
        ratios = np.asarray(activity)
        if np.any((ratios < 0) | (ratios > 1) | ~np.isfinite(ratios)):
            raise InputError(f"{activity!r} is not an activity ratio", where="activity", hint="from 0 to 1")
        shape = (-1,) + (1,) * ratios.ndim
        return np.asarray(self.idle_w.reshape(shape) + self.slope_w.reshape(shape) * ratios)

    def totals(
        self, embodied: Sequence[float], years_s: ArrayLike, activity: ArrayLike, per_joule: float = 1.0
    ) -> Floats:
        """Return what making and running each engine has taken.

        Parameters
        ----------
        embodied : sequence of float
            Of one copy of each engine; joules, or kgCO2e with `per_joule` as carbon intensity.
        years_s : array [T]
            Seconds in service.
        activity : array [A]
            Activity ratios.

        Returns
        -------
        float64[engines, A, T]
        """
        made = np.array(
            [
                0.0 if engine.shared_existing else copies * each
                for engine, copies, each in zip(self.engines, self.replicas, embodied, strict=True)
            ]
        )
        running = self.power_w(np.atleast_1d(activity))[:, :, None] * np.atleast_1d(years_s)
        return np.asarray(made[:, None, None] + per_joule * running)


def in_service(engines: Sequence[Engine], full_rate_per_s: float | None = None) -> Service:
    """Return engines at equal work; InputError for none, or for a rate that is not above zero."""
    if not engines:
        raise InputError("no engine to compare", where="engines")
    rate = min(engine.throughput_per_s for engine in engines) if full_rate_per_s is None else full_rate_per_s
    if not 0 < rate < math.inf:
        raise InputError(f"{rate!r} is not a rate of tasks", where="full_rate_per_s", hint="above zero")
    return Service(tuple(engines), rate)
