"""Embodied energy and carbon by four published methods, never mixed, and when they pay back."""

from __future__ import annotations

from collections.abc import Collection

from hwsim.errors import InputError, nearest
from hwsim.model.carbon import act, ecochip, greenchip, three_d_carbon
from hwsim.model.carbon.engines import Engine, Service, in_service
from hwsim.model.carbon.payback import NEVER, break_even_s, crossover_activity, indifference_s, read_duration
from hwsim.model.carbon.scenario import METHODS, EngineEntry, Scenario, read_engine, read_scenario
from hwsim.model.carbon.types import Die, Footprint, total
from hwsim.sourced import Sourced, chosen

__all__ = [
    "METHODS",
    "NEVER",
    "Die",
    "Engine",
    "EngineEntry",
    "Footprint",
    "Scenario",
    "Service",
    "break_even_s",
    "crossover_activity",
    "embodied",
    "in_service",
    "indifference_s",
    "intensity",
    "read_duration",
    "read_engine",
    "read_scenario",
    "total",
]


def intensity(kgco2e_per_j: float, name: str = "carbon_intensity") -> Sourced:
    """Return a carbon intensity that the user chose, in kgCO2e per joule; 1 gCO2e/kWh is 1 / 3.6e9 of that.

    Raises
    ------
    InputError
        Below zero.
    """
    if not kgco2e_per_j >= 0:
        raise InputError(f"{kgco2e_per_j!r} is below zero", where=name)
    return chosen(kgco2e_per_j, "kgco2e_per_j", name)


def embodied(die: Die, method: str, fab_intensity: Sourced, *, allow: Collection[str] = ()) -> Footprint:
    """Return the footprint of a die by one method, with the method's own defaults.

    Parameters
    ----------
    die : Die
        What was made.
    method : str
        One of `METHODS`.
    fab_intensity : Sourced
        Carbon intensity of the fab's grid; `ecochip` has its own inside its table and ignores it.
    allow : collection of str
        Suspicious entries of GreenChip to use all the same.

    Raises
    ------
    InputError
        Unknown method, a node that the method's table does not have, or a suspicious entry.
    """
    if method == "greenchip":
        return greenchip.embodied(die, fab_intensity, allow)
    if method == "act":
        return act.embodied(die, fab_intensity, circuits=die.count)
    if method == "ecochip":
        return ecochip.embodied(die)
    if method == "three_d_carbon":
        return three_d_carbon.embodied(
            die, fab_intensity, bonding="hybrid_die_to_wafer" if die.layers > 1 else ""
        )
    raise InputError(f"unknown method {method!r}", where="method", hint=nearest(method, METHODS))
