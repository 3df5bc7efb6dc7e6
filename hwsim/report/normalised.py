"""What chips take per unit of work, and what they would take in one technology: rows of a comparison."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hwsim.constants import chosen
from hwsim.physics import scale_area, scale_delay, scale_energy_constant_field
from hwsim.report.totals_rows import TotalsRow, joules, seconds
from hwsim.report.types import OFF_CHIP, Report
from hwsim.units import format_si

LAW = ("energy ~ L V^2 (scale_energy_constant_field), area ~ L^2 (scale_area), "
       "compute time ~ L (scale_delay): constant-field scaling, Dennard et al. 1974; "
       "DRAM energy and stalls are not scaled")


@dataclass(frozen=True, slots=True)
class Technology:
    """Feature length in metres and supply in volts that a design states.

    Attributes
    ----------
    node_m, supply_v : float or None
        None where the design has no such knob.
    """

    node_m: float | None
    supply_v: float | None

    def __str__(self) -> str:
        if self.node_m is None:
            return "unknown"
        supply = f", {self.supply_v:g} V" if self.supply_v is not None else ", supply unknown"
        return f"{self.node_m * 1e9:g} nm{supply}"


def technology(report: Report) -> Technology:
    """Return the technology of a report's design; unknown where the chip has no knob for it."""
    design: Mapping[str, object] = report.provenance.get("design", {})

    def positive(name: str) -> float | None:
        value = design.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and 0 < value < math.inf else None  # type: ignore[operator,arg-type]

    return Technology(positive("node_m"), positive("operating_supply_v") or positive("supply_v"))


def inferences(report: Report) -> int | None:
    """Return how many samples one run computes, None if its network does not say."""
    source = report.provenance.get("network_source", {})
    if not isinstance(source, Mapping):
        return None
    try:
        batch = json.loads(str(source.get("configuration", "{}"))).get("batch")
    except (ValueError, AttributeError):
        batch = None
    if batch is None:
        dimensions = str(source.get("dimensions", "")).split(", ")
        pairs = dict(pair.split("=", 1) for pair in dimensions if "=" in pair)
        batch = int(pairs["batch"]) if pairs.get("batch", "").isdecimal() else None
    return batch if isinstance(batch, int) and not isinstance(batch, bool) and batch > 0 else None


Value = Callable[[Report], float | None]


def normalised_rows(reports: Sequence[Report]) -> list[tuple[str, str, list[float | None], TotalsRow]]:
    """Return key, unit, values and the formatted row of every figure per unit of work; None: undefined."""
    return [_row(*each, reports) for each in _PER_WORK]


def technology_rows(reports: Sequence[Report]) -> list[tuple[str, str, list[float | None], TotalsRow]]:
    """Return figures scaled to the technology of the first report that states one; none without any."""
    target = technology(reports[_target(reports)])
    if target.node_m is None:
        return []
    node = target.node_m
    place = f"at {node * 1e9:g} nm"
    rows = [_row("technology_time_s", f"Time {place}", "s", lambda r: _time(r, node), seconds, reports)]
    if target.supply_v is not None:
        volts = target.supply_v
        told = f"{place}, {volts:g} V"
        rows += [
            _row("technology_on_chip_energy_j", f"On-chip energy {told}", "J",
                 lambda r: _energy(r, node, volts), joules, reports),
            _row("technology_on_chip_energy_j_per_mac", f"On-chip energy per MAC {told}", "J",
                 lambda r: _over(_energy(r, node, volts), r.totals.macs), joules, reports)]
    rows.append(_row("technology_area_m2", f"Area {place}", "m^2", lambda r: _area(r, node), _mm2, reports))
    return rows


def technology_lines(names: Sequence[str], reports: Sequence[Report]) -> tuple[str, str]:
    """Return the technology of every report; and the law, or why nothing could be scaled."""
    known = ", ".join(f"{name} {technology(report)}" for name, report in zip(names, reports, strict=True))
    target = _target(reports)
    if technology(reports[target]).node_m is None:
        return f"technology: {known}", "no design states a node, so nothing is scaled"
    return f"technology: {known}", f"scaled to that of {names[target]} by {LAW}"


def _target(reports: Sequence[Report]) -> int:
    """Return the first report whose design states a node, with a supply if any has both; else the first."""
    found = [technology(report) for report in reports]
    whole = [at for at, each in enumerate(found) if each.node_m is not None and each.supply_v is not None]
    part = [at for at, each in enumerate(found) if each.node_m is not None]
    return (whole or part or [0])[0]


def on_chip_energy_j(report: Report) -> float:
    """Return the joules of all units but memories and hosts off the chip, told by their names."""
    return math.fsum(energy for unit, energy in report.totals.energy_j_by_unit.items()
                     if not unit.startswith((*OFF_CHIP, "host")))


def _energy(report: Report, node_m: float, supply_v: float) -> float | None:
    own = technology(report)
    if own.node_m is None or own.supply_v is None:
        return None
    energy = chosen(on_chip_energy_j(report), "j", "on_chip_energy_j")
    return scale_energy_constant_field(energy, own.node_m, node_m, own.supply_v, supply_v).value


def _area(report: Report, node_m: float) -> float | None:
    own = technology(report)
    if own.node_m is None or not report.totals.area_m2:
        return None
    return scale_area(chosen(report.totals.area_m2, "m2", "area_m2"), own.node_m, node_m).value


def _time(report: Report, node_m: float) -> float | None:
    own, totals = technology(report), report.totals
    if own.node_m is None or not totals.cycles:
        return None
    cycle_s = totals.time_s / totals.cycles
    compute = chosen(totals.compute_cycles * cycle_s, "s", "compute_s")
    return scale_delay(compute, own.node_m, node_m).value + totals.stall_cycles * cycle_s


def _row(key: str, title: str, unit: str, value: Value, text: Callable[[float], str],
         reports: Sequence[Report]) -> tuple[str, str, list[float | None], TotalsRow]:
    values = [value(report) for report in reports]
    first = values[0]
    ratios = tuple(None if own is None or not first else own / first for own in values)
    texts = tuple("-" if own is None else text(own) for own in values)
    return key, unit, values, TotalsRow(title, texts, ratios)


def _over(value: float | None, work: float) -> float | None:
    return value / work if value is not None and work else None


def _rate(value: float | None, unit: str) -> str:
    return "-" if value is None else format_si(value, "Hz").replace("Hz", unit)


def _mm2(area_m2: float) -> str:
    return f"{area_m2 * 1e6:.4g} mm²"


_PER_WORK: tuple[tuple[str, str, str, Value, Callable[[float], str]], ...] = (
    ("energy_j_per_mac", "Energy per MAC", "J", lambda r: _over(r.totals.energy_j, r.totals.macs), joules),
    ("macs_per_j", "MACs per joule", "1/J", lambda r: _over(r.totals.macs, r.totals.energy_j),
     lambda value: _rate(value, "MAC/J")),
    ("macs_per_s", "MACs per second", "1/s", lambda r: _over(r.totals.macs, r.totals.time_s),
     lambda value: _rate(value, "MAC/s")),
    ("energy_j_per_inference", "Energy per inference", "J",
     lambda r: r.totals.energy_j / (inferences(r) or 1), joules),
    ("time_s_per_inference", "Time per inference", "s",
     lambda r: r.totals.time_s / (inferences(r) or 1), seconds),
    ("macs_per_s_per_mm2", "MACs per second and mm²", "1/(s mm^2)",
     lambda r: _over(_over(r.totals.macs, r.totals.time_s), r.totals.area_m2 * 1e6),
     lambda value: _rate(value, "MAC/s/mm²")),
    ("power_w_per_mm2", "Power per mm²", "W/mm^2",
     lambda r: _over(r.totals.power_w, r.totals.area_m2 * 1e6), lambda value: format_si(value, "W") + "/mm²"),
)
