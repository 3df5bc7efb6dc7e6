"""Invariants of a family, for all of its designs at once; a violation is a bug of hwsim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import Problem, VerifyError
from hwsim.graph.ops import Work
from hwsim.report.verify import RELATIVE
from hwsim.sweep.family_columns import Family
from hwsim.trace import Activity
from hwsim.trace.merge import Merged


def verify_family_work(
    merged: Merged,
    activity: Activity,
    work: Mapping[str, Work],
    quantity_of: Mapping[tuple[str, str], str],
) -> None:
    """Raise VerifyError unless every layer of every design does the useful work its operator asks for.

    Parameters
    ----------
    merged, activity : Merged, Activity
        A family's trace and its counts.
    work : mapping of str to Work
        Op-count formula of every operator; those that others stand for must ask for as much in total.
    quantity_of : mapping of (unit, action) to str
        Which quantity an event of the chip performs.
    """
    times = dict(zip(merged.trace.nodes, merged.times.tolist(), strict=True))
    done: dict[tuple[str, str], NDArray[Any]] = {}
    for entry in range(activity.node.size):
        pair = activity.units[activity.unit[entry]], activity.actions[activity.action[entry]]
        if pair in quantity_of:
            key = activity.nodes[activity.node[entry]], quantity_of[pair]
            done[key] = done.get(key, 0) + activity.events[..., entry]
    problems = []
    standing: dict[str, int] = {}
    whole: dict[str, int] = {}
    for name, amount in work.items():
        for quantity, asked in {"macs": amount.macs, **amount.primitives}.items():
            whole[quantity] = whole.get(quantity, 0) + asked
            if name in times:
                standing[quantity] = standing.get(quantity, 0) + asked * times[name]
                found = done.pop((name, quantity), np.zeros(1, np.int64))
                if (found != asked * times[name]).any():
                    problems.append(Problem(f"family.{name}", f"not {asked} {quantity}, {times[name]} times"))
    problems += [Problem(f"family.{node}", f"{what} nobody asks for") for node, what in done]
    problems += [
        Problem("family", f"layers stand for {standing.get(quantity, 0)} of {asked} {quantity}")
        for quantity, asked in whole.items()
        if standing.get(quantity, 0) != asked
    ]
    if problems:
        raise VerifyError(problems=problems)


def verify_family(family: Family, least_offchip_bits: int, offchip: str) -> None:
    """Raise VerifyError with the first design whose totals contradict themselves or physics.

    Checked as in `hwsim.report.verify`: 0 <= utilization <= 1, stalls not negative and complete, energy
    finite, off-chip traffic at least compulsory.
    """
    stalls = sum(family.stall_cycles_by_cause.values(), np.zeros_like(family.cycles))
    units = sum(family.energy_j_by_unit.values(), np.zeros(family.cycles.size))
    moved = family.bytes_by_memory.get(offchip, np.zeros_like(family.cycles))
    split = ~np.isclose(units, family.energy_j, rtol=RELATIVE, atol=1e-30)
    faults = {
        "utilization is outside 0..1": ~((family.utilization >= 0) & (family.utilization <= 1 + RELATIVE)),
        "a negative number of cycles": (family.stall_cycles < 0) | (family.compute_cycles < 0),
        "the causes of stalls do not add up": stalls != family.stall_cycles,
        "energy is no finite number": ~(np.isfinite(family.energy_j) & (family.energy_j >= 0)),
        "the units do not add up to the energy": split,
        "less than the compulsory traffic": (moved * 8 < least_offchip_bits) & bool(offchip),
    }
    problems = [
        Problem(f"family.{family.index[int(np.argmax(wrong))]}", reason)
        for reason, wrong in faults.items()
        if wrong.any()
    ]
    if problems:
        raise VerifyError(problems=problems)
