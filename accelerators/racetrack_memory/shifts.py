"""How far tapes shift for a sequence of accesses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.racetrack_memory.design import Policy, PortSelection, RacetrackMemoryDesign
from hwsim.errors import InputError
from hwsim.trace import Trace, walk

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shifts:
    """Shifts of a sequence.

    Attributes
    ----------
    each : int64[n]
        Shifts of every access, the way back of eager tapes included.
    """

    each: Ints

    @property
    def total(self) -> int:
        """All shifts."""
        return int(self.each.sum())

    @property
    def moving(self) -> int:
        """Accesses that shift at all."""
        return int(np.count_nonzero(self.each))


class Tapes:
    """The tapes of a memory, at rest at first.

    Parameters
    ----------
    design : RacetrackMemoryDesign
        Geometry and policy.
    clusters : int, optional
        Clusters, where several memories stand side by side; by default those of one.
    """

    def __init__(self, design: RacetrackMemoryDesign, clusters: int | None = None) -> None:
        self._design = design
        self._clusters = design.clusters if clusters is None else clusters
        self._ports = np.array(design.port_places, np.int64)
        ranks = np.arange(design.domains) * design.ports // design.domains
        self._assigned = ranks.astype(np.int64)
        self._offset = np.zeros(self._clusters, np.int64)

    def access(self, cluster: Ints, domain: Ints) -> Shifts:
        """Shift for accesses, int64[n] each, one after another; the tapes stay where they end.

        Raises
        ------
        InputError
            A cluster or domain that the memory does not have.
        """
        design = self._design
        for name, places, most in (("cluster", cluster, self._clusters), ("domain", domain, design.domains)):
            if len(places) and not 0 <= places.min() <= places.max() < most:
                wrong = int(places.max() if places.max() >= most else places.min())
                raise InputError(
                    f"{name} {wrong} does not exist, there are {most} (from 0)",
                    where=f"racetrack_memory.{name}s",
                    hint=f"set {name}s={wrong + 1} or more",
                )
        from hwsim.kernels import tape_shifts

        shifts = np.empty(len(cluster), np.int64)
        tape_shifts.count_shifts(
            np.ascontiguousarray(cluster),
            np.ascontiguousarray(domain),
            self._ports,
            self._assigned,
            tape_shifts.ASSIGNED if design.port_selection is PortSelection.ASSIGNED else tape_shifts.NEAREST,
            tape_shifts.EAGER if design.policy is Policy.EAGER else tape_shifts.LAZY,
            self._offset,
            shifts,
        )
        return Shifts(shifts)


def shifts_of_trace(trace: Trace, design: RacetrackMemoryDesign, clusters: int | None = None) -> Shifts:
    """Return the shifts of every event of any chip's trace that has an address, in program order.

    Word addresses fill one cluster after the other. Memory is bounded by the walk's chunks but for the
    result. `clusters` is how many there are; by default those of one memory.

    Raises
    ------
    InputError
        An address beyond the memory.
    """
    tapes, found = Tapes(design, clusters), []
    for chunk in walk(trace):
        found.append(tapes.access(chunk.address // design.domains, chunk.address % design.domains).each)
    return Shifts(np.concatenate(found) if found else np.zeros(0, np.int64))
