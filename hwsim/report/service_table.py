"""Chips in service as rows of text: what each takes, and when one pays back instead of another."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from hwsim.report.service import Sustainability
from hwsim.report.totals_rows import gathered
from hwsim.units import format_si

YEAR_S = 365.25 * 86_400
_MOSTLY_IDLE = 0.1
CHIP_HEADS = ("Chip", "Tasks/s", "Active", "Idle", "J/task", "Copies", "Silicon", "Embodied energy",
              "Embodied carbon")
PAIR_HEADS = ("Old", "New", "Break-even, energy", "Break-even, carbon", "Indifference, energy",
              "Indifference, carbon", "Equal at activity")


def chip_rows(service: Sustainability) -> list[tuple[str, ...]]:
    """Return one row per chip; embodied figures are ranges over the methods that know its nodes."""
    rows: list[tuple[str, ...]] = []
    for index, chip in enumerate(service.chips):
        engine, copies = chip.engine, service.service.replicas[index]
        made = {quantity: [float(service.embodied(method, quantity)[index])
                           for method in service.scenario.methods] for quantity in ("energy", "carbon")}
        rows.append((chip.name, f"{engine.throughput_per_s:,.4g}", format_si(engine.active_w, "W"),
                     format_si(engine.idle_w, "W"), format_si(chip.task_j, "J"), str(copies),
                     f"{chip.area_m2 * copies * 1e6:,.4g} mm²",
                     _range(made["energy"], lambda value: format_si(value, "J")),
                     _range(made["carbon"], _kilograms)))
    return rows


def pair_rows(service: Sustainability, about: int | None = None) -> list[tuple[str, ...]]:
    """Return one row per ordered pair: replacing the old by the new, or making the new instead of the old.

    Of many chips, only the pairs with the one at place `about`.
    """
    method = service.scenario.methods[0]
    rows = []
    for old, new in service.pairs():
        if about is not None and about not in (old, new):
            continue
        activity = service.crossover(old, new, method)
        rows.append((service.chips[old].name, service.chips[new].name,
                     *(duration_range(service.break_even(old, new, quantity).times_s)
                       for quantity in ("energy", "carbon")),
                     *(duration_range(service.indifference(old, new, quantity).times_s)
                       for quantity in ("energy", "carbon")),
                     "-" if activity is None else f"{activity or 0.0:.3g}"))
    return rows


def notes(service: Sustainability) -> list[str]:
    """Return what a reader has to know: the scenario, methods that refused, and what ranges mean."""
    scenario = service.scenario
    lines = [f"scenario {scenario.label!r}{': ' + scenario.note if scenario.note else ''}",
             f"service life {format_duration(service.service_life_s)}, activity {service.activity:g} of "
             f"{service.service.full_rate_per_s:,.4g} tasks/s; embodied figures are ranges over "
             f"{', '.join(_versions(service))}",
             "break-even: old hardware exists, only the new is made; indifference: one of the two is made; "
             f"equal activity: same energy after the service life, by {scenario.methods[0]}"]
    reasons: dict[str, list[str]] = {}
    for chip in service.chips:
        for reason in chip.refusals.values():
            reasons.setdefault(reason, []).append(chip.name)
    lines += [f"{reason}: not in the range of {', '.join(names)}" for reason, names in reasons.items()]
    exists = "exists already, so making it counts as nothing"
    own = [[*([chip.note] if chip.note else []), *([exists] if chip.engine.shared_existing else [])]
           for chip in service.chips]
    names = [chip.name for chip in service.chips]
    lines += gathered(names, own)
    idle = [chip.name for chip, share in zip(service.chips, service.busy_shares, strict=True)
            if share < _MOSTLY_IDLE]
    if idle:
        lines.append(f"busy for less than {_MOSTLY_IDLE:.0%} of the time at this rate, so that idle power "
                     f"decides: {', '.join(idle)}")
    return lines


def to_document(service: Sustainability) -> dict[str, Any]:
    """Return everything as plain values for JSON; never is null beside a flag."""
    methods = service.scenario.methods
    chips = [{
        "name": chip.name, "tasks_per_s": chip.engine.throughput_per_s, "active_w": chip.engine.active_w,
        "idle_w": chip.engine.idle_w, "task_j": chip.task_j, "copies": service.service.replicas[index],
        "silicon_m2": chip.area_m2 * service.service.replicas[index],
        "shared_existing": chip.engine.shared_existing,
        "embodied": {method: {"table_version": footprint.table_version,
                              "energy_j": footprint.energy.value if footprint.energy else None,
                              "carbon_kgco2e": footprint.carbon.value if footprint.carbon else None,
                              "kind": str(footprint.evidence), "notes": list(footprint.notes)}
                     for method, footprint in chip.footprints.items()},
        "refused": dict(chip.refusals),
    } for index, chip in enumerate(service.chips)]
    pairs = [{
        "old": service.chips[old].name, "new": service.chips[new].name,
        **{f"{kind}_{quantity}_s": _times(getattr(service, kind)(old, new, quantity).times_s)
           for kind in ("break_even", "indifference") for quantity in ("energy", "carbon")},
        "equal_at_activity": {method: service.crossover(old, new, method) for method in methods},
    } for old, new in service.pairs()]
    return {"scenario": service.scenario.label, "note": service.scenario.note,
            "service_life_s": service.service_life_s, "activity": service.activity,
            "full_rate_per_s": service.service.full_rate_per_s, "methods": list(methods), "chips": chips,
            "pairs": pairs}


def format_duration(seconds: float) -> str:
    """Return years, days or hours in words; never, or from the start."""
    if math.isinf(seconds):
        return "never"
    if seconds == 0:
        return "from the start"
    for unit, size in (("y", YEAR_S), ("days", 86_400.0), ("h", 3600.0)):
        if seconds >= size:
            return f"{seconds / size:,.3g} {unit}"
    return f"{seconds:.3g} s"


def duration_range(values: Iterable[float]) -> str:
    """Return the shortest and the longest of some durations, "unknown" if there is none."""
    return _range(list(values), format_duration)


def _range(values: list[float], text: Any) -> str:
    known = [value for value in values if value == value]
    if not known:
        return "unknown"
    low, high = text(min(known)), text(max(known))
    return str(low) if low == high else f"{low} to {high}"


def _kilograms(value: float) -> str:
    return f"{value * 1e3:.3g} gCO2e" if value < 1 else f"{value:.3g} kgCO2e"


def _versions(service: Sustainability) -> list[str]:
    found: dict[str, str] = {}
    for chip in service.chips:
        found |= {method: footprint.table_version for method, footprint in chip.footprints.items()}
    return list(found.values())


def _times(values: Iterable[float]) -> list[float | str]:
    return ["never" if math.isinf(value) else value for value in values]
