"""GreenChip: joules of manufacture by node and area, and its equations of system power."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hwsim.errors import InputError, Problem, nearest
from hwsim.model.carbon.tables import tables_of
from hwsim.model.carbon.types import Die, Footprint
from hwsim.sourced import Sourced, chosen

METHOD = "greenchip"
SLEEP_W = 0.2


def embodied(die: Die, fab_intensity: Sourced | None = None, allow: Collection[str] = ()) -> Footprint:
    """Return the footprint of a die: M = E_node x area x layers.

    Parameters
    ----------
    die : Die
        Kinds "sram" and "analog" are logic here.
    fab_intensity : Sourced, optional
        kgCO2e per joule of the fab's grid; without it there is energy only.
    allow : collection of str
        Suspicious entries to use all the same.

    Raises
    ------
    InputError
        Node not in the table, or a suspicious entry that is not allowed.
    """
    name = "dram_energy_j_per_m2" if die.kind == "dram" else "logic_energy_j_per_m2"
    table = tables_of(METHOD)[name]
    area = chosen(die.area_m2, "_m2", "die.area_m2")
    energy = table.entry(die.node, allow) * area * (die.layers * die.count)
    carbon = energy * fab_intensity if fab_intensity is not None else None
    notes = ("no yield, process gases or materials: GreenChip counts energy",) if carbon is not None else ()
    return Footprint(
        METHOD, table.version, energy, carbon, {"energy": carbon if carbon is not None else energy}, notes
    )


def system_power_w(
    *,
    activity: float,
    sleep: float,
    dynamic_w: float,
    static_w: float,
    memory_dynamic_w: float | None = None,
    memory_static_w: float = 0.0,
    slowdown: float = 1.0,
) -> float:
    """Return the mean power of a system.

    With memory: (1 - s) (a f (dynamic + static + memory dynamic) + (1 - a f) static) + memory static, where
    the static power of the memory never sleeps. Without (`memory_dynamic_w` None): (1 - s) (a (dynamic +
    static) + (1 - a) static) + s 0.2 W. GreenChip.py, lines 37-42.

    Parameters
    ----------
    activity, sleep : float
        Shares of time in [0, 1].
    slowdown : float
        f: 1 for the slower of two systems, its throughput over that of the faster one for the other.
    """
    problems = [
        Problem(name, f"{value!r} is not a share of time", "from 0 to 1")
        for name, value in (("activity", activity), ("sleep", sleep), ("slowdown", slowdown))
        if not 0.0 <= value <= 1.0
    ]
    if problems:
        raise InputError(problems=problems)
    if memory_dynamic_w is None:
        return (1 - sleep) * (activity * (dynamic_w + static_w) + (1 - activity) * static_w) + sleep * SLEEP_W
    busy = activity * slowdown
    running = busy * (dynamic_w + static_w + memory_dynamic_w) + (1 - busy) * static_w
    return (1 - sleep) * running + memory_static_w


def grid_intensity(shares: Mapping[str, float]) -> Sourced:
    """Return kgCO2e per joule of a mix of sources by their shares, which have to add up to 1."""
    table = tables_of(METHOD)["source_intensity_kgco2e_per_j"]
    problems = [
        Problem(f"grid.{name}", "no such source", nearest(name, table.entries))
        for name in shares
        if name not in table.entries
    ]
    problems += [
        Problem(f"grid.{name}", f"{share!r} is not a share", "from 0 to 1")
        for name, share in shares.items()
        if not 0.0 <= share <= 1.0
    ]
    if not problems and abs(sum(shares.values()) - 1.0) > 1e-9:
        problems = [Problem("grid", f"the shares add up to {sum(shares.values()):g}, not to 1")]
    if problems:
        raise InputError(problems=problems)
    parts = [table.entry(name) * share for name, share in shares.items()]
    return sum(parts[1:], parts[0])
