"""Where the difference of two reports comes from: components and events, in parts that add up exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hwsim.report.types import OFF_CHIP, Report


@dataclass(frozen=True, slots=True)
class EnergyPart:
    """What one action of one unit adds to the difference of two energies.

    Attributes
    ----------
    unit, action : str
        Component and event.
    events : tuple of int
        Events of the first and the second report.
    energy_j : tuple of float
        Joules of both.
    by_count_j, by_price_j : float or None
        Parts of the difference that come from more events, and from dearer ones; each at the mean of
        the other, so that both add up to the difference. None where only one report has the action.
    """

    unit: str
    action: str
    events: tuple[int, int]
    energy_j: tuple[float, float]
    by_count_j: float | None
    by_price_j: float | None

    @property
    def difference_j(self) -> float:
        """Joules of the second minus those of the first."""
        return self.energy_j[1] - self.energy_j[0]


@dataclass(frozen=True, slots=True)
class TimePart:
    """What computing, or one cause of stalls, adds to the difference of two times.

    Attributes
    ----------
    cause : str
        "compute", or what the chip waits for.
    time_s : tuple of float
        Seconds of the first and the second report.
    """

    cause: str
    time_s: tuple[float, float]

    @property
    def difference_s(self) -> float:
        """Seconds of the second minus those of the first."""
        return self.time_s[1] - self.time_s[0]


def energy_parts(first: Report, second: Report) -> tuple[EnergyPart, ...]:
    """Return the parts of second - first, largest first; they add up to the difference of the totals."""
    sums = _summed(first), _summed(second)
    parts = []
    for unit, action in dict.fromkeys((*sums[0], *sums[1])):
        own, other = (each.get((unit, action), (0, 0, 0.0)) for each in sums)
        by_count, by_price = _split(own, other)
        if own[2] or other[2]:
            parts.append(EnergyPart(unit, action, (own[0], other[0]), (own[2], other[2]), by_count, by_price))
    return tuple(sorted(parts, key=lambda part: (-abs(part.difference_j), part.unit, part.action)))


def time_parts(first: Report, second: Report) -> tuple[TimePart, ...]:
    """Return the parts of second - first, largest first; they add up to the difference of the totals."""
    causes = dict.fromkeys(("compute", *first.totals.stall_cycles_by_cause,
                            *second.totals.stall_cycles_by_cause))
    parts = [TimePart(cause, (_seconds(first, cause), _seconds(second, cause))) for cause in causes]
    kept = [part for part in parts if any(part.time_s)]
    return tuple(sorted(kept, key=lambda part: (-abs(part.difference_s), part.cause)))


def _summed(report: Report) -> dict[tuple[str, str], tuple[int, int, float]]:
    """Return events, bits and joules of every unit and action over all layers."""
    sums: dict[tuple[str, str], tuple[int, int, float]] = {}
    for row in report.events:
        events, bits, joules = sums.get((row.unit, row.action), (0, 0, 0.0))
        sums[row.unit, row.action] = (events + row.events, bits + row.bits, joules + row.energy_j)
    return sums


def _split(own: tuple[int, int, float], other: tuple[int, int, float]) -> tuple[float | None, float | None]:
    """Split a difference into count and price, counting bits where there are no events."""
    for counted in (0, 1):
        if own[counted] and other[counted]:
            counts = own[counted], other[counted]
            prices = own[2] / counts[0], other[2] / counts[1]
            return ((counts[1] - counts[0]) * (prices[0] + prices[1]) / 2,
                    (prices[1] - prices[0]) * (counts[0] + counts[1]) / 2)
    return None, None


def _seconds(report: Report, cause: str) -> float:
    totals = report.totals
    if not totals.cycles:
        return 0.0
    cycles = totals.compute_cycles if cause == "compute" else totals.stall_cycles_by_cause.get(cause, 0)
    return cycles * totals.time_s / totals.cycles


def accounting_warnings(names: Sequence[str], reports: Sequence[Report]) -> list[str]:
    """Return what makes columns differ that is no property of the chips: evidence and accounting."""
    found = []
    first, base = reports[0], names[0]
    for name, report in zip(names[1:], reports[1:], strict=True):
        weak = weak_share(report), weak_share(first)
        if abs(weak[0] - weak[1]) > 0.1:
            found.append(f"{name} rests to {weak[0]:.0%} on unconfirmed or assumed numbers, {base} to "
                         f"{weak[1]:.0%}: their joules are not equally certain")
        main = _main_kind(report), _main_kind(first)
        if main[0] != main[1] and all(main):
            found.append(f"the energy of {name} rests mostly on {main[0]} numbers, "
                         f"that of {base} on {main[1]}")
        for what, test in ACCOUNTED.items():
            if test(report) != test(first):
                lacking, having = (name, base) if test(first) else (base, name)
                found.append(f"{lacking} accounts for no {what}, {having} does")
        if report.totals.bit_operations != first.totals.bit_operations:
            widths = report.totals.bit_operations, first.totals.bit_operations
            found.append(f"{name} computes with other operand widths: {widths[0]:,} bit operations, "
                         f"{base} {widths[1]:,}")
        versions = report.provenance.get("hwsim_version"), first.provenance.get("hwsim_version")
        if versions[0] != versions[1]:
            found.append(f"{name} was computed by hwsim {versions[0]}, {base} by {versions[1]}")
    return found


def accounts_for(what: str, report: Report) -> bool:
    """Return whether a report charges something that not every model does, by its name in `ACCOUNTED`."""
    return ACCOUNTED[what](report)


def weak_share(report: Report) -> float:
    """Return the share of the energy that rests on unconfirmed or assumed numbers."""
    whole = sum(report.energy_by_evidence.values())
    weak = sum(report.energy_by_evidence.get(kind, 0.0) for kind in ("unconfirmed", "assumed"))
    return weak / whole if whole else 0.0


def _main_kind(report: Report) -> str:
    return max(report.energy_by_evidence.items(), key=lambda item: item[1], default=("", 0.0))[0]


ACCOUNTED: Mapping[str, Callable[[Report], bool]] = {
    "energy of memory off the chip": lambda r: any(u.startswith(OFF_CHIP) and j
                                                   for u, j in r.totals.energy_j_by_unit.items()),
    "leakage": lambda r: any(row.action == "leakage" and row.energy_j for row in r.events),
    "overhead such as cooling": lambda r: any(row.unit == "overhead" and row.energy_j for row in r.events),
    "area": lambda r: r.totals.area_m2 > 0,
    "stalls": lambda r: bool(r.totals.stall_cycles_by_cause),
    "operators on a host": lambda r: any(layer.kind == "offload" for layer in r.layers),
}
