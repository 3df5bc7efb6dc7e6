"""Why columns cannot be compared as they stand, as far as their reports show it by themselves.

Every rule looks at the columns and returns reservations: which figures, of which columns, for what reason,
and whether a ratio still says anything. What no report can show, a person states in the comparison file.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hwsim.report.accuracy import WRONG
from hwsim.report.difference import accounts_for, weak_share
from hwsim.report.normalised import inferences, technology
from hwsim.report.study import Measured, Reservation
from hwsim.report.totals_rows import percent
from hwsim.report.types import Layer, Report
from hwsim.units import format_bytes, format_si

CYCLES = ("cycles", "compute_cycles", "stall_cycles")
TIME = ("time_s", "time_s_per_inference", "macs_per_s", "macs_per_s_per_mm2", "technology_time_s")
ON_CHIP = ("technology_on_chip_energy_j", "technology_on_chip_energy_j_per_mac")
ENERGY = ("energy_j", "energy_j_per_inference", "energy_j_per_mac", "macs_per_j", "power_w",
          "power_w_per_mm2")
AREA = ("area_m2", "macs_per_s_per_mm2", "power_w_per_mm2", "technology_area_m2")
PER_MAC = ("macs", "energy_j_per_mac", "macs_per_j", "macs_per_s", "technology_on_chip_energy_j_per_mac",
           "macs_per_s_per_mm2", "utilization")
PER_RUN = ("macs", "cycles", "compute_cycles", "stall_cycles", "time_s", "energy_j", *ON_CHIP[:1],
           "technology_time_s", "bit_operations", "ace")
PER_INFERENCE = ("energy_j_per_inference", "time_s_per_inference")
FIGURES = tuple(dict.fromkeys((*CYCLES, *TIME, *ON_CHIP, *ENERGY, *AREA, *PER_MAC, *PER_INFERENCE,
                               "power_w_per_mm2", WRONG)))
GROUPS: Mapping[str, tuple[str, ...]] = {
    "cycles": CYCLES, "time": TIME, "energy": (*ENERGY, *ON_CHIP), "area": AREA, "accuracy": (WRONG,),
    "per_mac": PER_MAC,
}
"""What a comparison file may name, beside single figures."""

PRICES = "prices"
_CLOSE = 1e-6
_TECHNOLOGY = tuple(name for name in (*TIME, *ENERGY, *AREA) if not name.startswith("technology_"))


@dataclass(frozen=True, slots=True)
class Columns:
    """What the rules look at.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    reports : tuple of Report
        One per column.
    rooflines : mapping of int to str
        What the time of a column is a bound of, for those whose chip is a roofline.
    measured : tuple of Measured
        One per column, or none at all.
    prices : mapping of int to str
        Energies and powers that a column's settings state instead of a source.
    """

    names: tuple[str, ...]
    reports: tuple[Report, ...]
    rooflines: Mapping[int, str]
    measured: tuple[Measured, ...] = ()
    prices: Mapping[int, str] = field(default_factory=dict)

    def told(self, texts: Mapping[int, str]) -> str:
        """Return ``name, name: text; name: text`` in the order of the columns, equal texts once."""
        places: dict[str, list[int]] = {}
        for at in sorted(texts):
            places.setdefault(texts[at], []).append(at)
        return "; ".join(f"{self.listed(group)}: {text}" for text, group in places.items())

    def listed(self, places: Sequence[int]) -> str:
        """Return the names of some columns."""
        return ", ".join(self.names[at] for at in places)


def derive(columns: Columns) -> tuple[Reservation, ...]:
    """Return every reservation that the reports of the columns give reason for."""
    return tuple(each for rule in _RULES for each in rule(columns))


def _networks(columns: Columns) -> Iterator[Reservation]:
    """Tell networks apart by name, work and parameters; batch and number format are rules of their own."""
    texts = {at: f"{report.provenance['network']}, {_macs_per_inference(report):,.0f} MACs, "
             f"{report.totals.parameters:,} parameters" for at, report in enumerate(columns.reports)}
    if len(set(texts.values())) > 1:
        yield Reservation("networks", "different networks do the same task: figures per inference compare, "
                          "those per MAC do not. " + columns.told(texts), PER_MAC, comparable=False)


def _macs_per_inference(report: Report) -> float:
    return float(report.coverage.get("macs", report.totals.macs)) / (inferences(report) or 1)


def _batches(columns: Columns) -> Iterator[Reservation]:
    batches = [inferences(report) or 1 for report in columns.reports]
    if len(set(batches)) > 1:
        several = {at: f"{batch} at once" for at, batch in enumerate(batches) if batch > 1}
        yield Reservation("batch", "samples computed together: " + columns.told(several) + "; whole runs do "
                          "not compare, and time per inference is a rate and no latency", PER_RUN,
                          comparable=False)


def _widths(columns: Columns) -> Iterator[Reservation]:
    widths = {at: report.totals.bit_operations / report.totals.macs
              for at, report in enumerate(columns.reports) if report.totals.macs}
    if widths and max(widths.values()) > min(widths.values()) * 1.01:
        texts = {at: f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for at, value in widths.items()}
        yield Reservation("precision", "operands differ in width; bit products a MAC by number formats: "
                          + columns.told(texts), (*PER_INFERENCE, *PER_MAC))


def _clocks(columns: Columns) -> Iterator[Reservation]:
    clocks = [report.totals.cycles / report.totals.time_s if report.totals.time_s else 0.0
              for report in columns.reports]
    if max(clocks) > min(clocks) * (1 + _CLOSE):
        yield Reservation("clocks", f"cycles of clocks from {format_si(min(clocks), 'Hz')} to "
                          f"{format_si(max(clocks), 'Hz')}: compare times", CYCLES, comparable=False)


def _technologies(columns: Columns) -> Iterator[Reservation]:
    known = [technology(report) for report in columns.reports]
    if len({str(each) for each in known}) == 1 and known[0].node_m is not None:
        return
    if all(each.node_m is None for each in known):
        yield Reservation("technology", "no design states its technology: nothing can be scaled to one",
                          _TECHNOLOGY)
        return
    texts = {at: "not stated" if each.node_m is None else str(each) for at, each in enumerate(known)}
    scaled = [at for at, each in enumerate(known) if each.node_m is not None and each.supply_v is not None]
    to = f"; figures in one technology exist for {columns.listed(scaled)}" if len(scaled) > 1 else ""
    yield Reservation("technology", f"technologies differ: {columns.told(texts)}{to}", _TECHNOLOGY)


def _hosts(columns: Columns) -> Iterator[Reservation]:
    texts = {}
    for at, report in enumerate(columns.reports):
        away = [layer for layer in report.layers if layer.kind == "offload"]
        if away:
            whole = report.coverage.get("macs", 0)
            share = f", {percent((whole - report.totals.macs) / whole)} of the MACs" if whole else ""
            how = "for their traffic only" if any(map(_costs, away)) else "at no cost"
            texts[at] = f"{', '.join(layer.name for layer in away[:6])}{share}, {how}"
    if texts:
        yield Reservation("host", "operators left to a host: " + columns.told(texts),
                          (*TIME, *ENERGY), tuple(texts))


def _costs(layer: Layer) -> bool:
    return bool(layer.energy_j or layer.cycles)


def _rooflines(columns: Columns) -> Iterator[Reservation]:
    for text in dict.fromkeys(columns.rooflines.values()):
        places = tuple(at for at, own in columns.rooflines.items() if own == text)
        yield Reservation("roofline", f"rooflines, no model of a machine: {columns.listed(places)}; {text}",
                          (*TIME, *ENERGY), places)


def _evidence(columns: Columns) -> Iterator[Reservation]:
    weak = {at: share for at, report in enumerate(columns.reports) if (share := weak_share(report)) > 0.5}
    if weak:
        texts = {at: percent(share) for at, share in weak.items()}
        yield Reservation("evidence", "more than half of the energy rests on unconfirmed or assumed numbers: "
                          + columns.told(texts), (*ENERGY, *ON_CHIP), _unless_all(weak, columns))


def _prices(columns: Columns) -> Iterator[Reservation]:
    if columns.prices:
        yield Reservation(PRICES, "energies stated by the settings, not by a source, which count as derived: "
                          + columns.told(columns.prices), (*ENERGY, *ON_CHIP), tuple(columns.prices))


def _overheads(columns: Columns) -> Iterator[Reservation]:
    texts = {}
    for at, report in enumerate(columns.reports):
        rows = [row for row in report.events if row.unit == "overhead" and row.energy_j]
        if rows:
            added = math.fsum(row.energy_j for row in rows)
            own = format_si((report.totals.energy_j - added) / (inferences(report) or 1), "J")
            names = " and ".join(row.action for row in rows)
            texts[at] = f"{names}, {percent(added / report.totals.energy_j)} of it (without: {own})"
    if texts and len(texts) < len(columns.names):
        yield Reservation("overhead", f"energy includes what the others lack: {columns.told(texts)}",
                          ENERGY, tuple(texts))


def _free_memory(columns: Columns) -> Iterator[Reservation]:
    """Name memories that move bytes at no joule; a roofline charges them with its power."""
    texts = {}
    for at, report in enumerate(columns.reports):
        free = {unit: moved for unit, moved in report.totals.bytes_by_memory.items()
                if moved and not report.totals.energy_j_by_unit.get(unit)}
        if free and at not in columns.rooflines:
            texts[at] = ", ".join(f"moves {format_bytes(moved)} through {unit} ({_why(report, unit)})"
                                  for unit, moved in free.items())
    if texts:
        yield Reservation("free memory", "memory at no energy: " + columns.told(texts), ENERGY, tuple(texts))


def _why(report: Report, unit: str) -> str:
    reasons = dict.fromkeys(price.formula.partition("zero: ")[2] for price in report.prices
                            if price.unit == unit)
    return "; ".join(filter(None, reasons)) or "charged nowhere"


def _accounts(columns: Columns) -> Iterator[Reservation]:
    """Tell what some columns charge and others do not: memory off the chip, leakage, waiting for memory."""
    figures = {"energy of memory off the chip": ENERGY, "leakage": ENERGY, "stalls": TIME}
    for what, concerned in figures.items():
        having = [at for at, report in enumerate(columns.reports) if accounts_for(what, report)]
        having += [at for at in columns.rooflines if at not in having and what != "stalls"]
        lacking = [at for at in range(len(columns.names)) if at not in having]
        if having and lacking:
            word = "waiting for memory" if what == "stalls" else what
            yield Reservation(what, f"no {word}: {columns.listed(lacking)}; "
                              f"the others count it: {columns.listed(sorted(having))}",
                              concerned, tuple(lacking))


def _areas(columns: Columns) -> Iterator[Reservation]:
    lacking = tuple(at for at, report in enumerate(columns.reports) if not report.totals.area_m2)
    if lacking:
        reasons = {at: next((line.partition(": ")[2] for line in columns.reports[at].warnings
                             if line.startswith("no area is charged")), "not modeled") for at in lacking}
        yield Reservation("area", "no area is known: " + columns.told(reasons), AREA, lacking,
                          comparable=False)


def _values(columns: Columns) -> Iterator[Reservation]:
    absent = {at: each.absent for at, each in enumerate(columns.measured) if each.wrong is None}
    if absent and len(absent) < len(columns.names):
        yield Reservation("no values", "not measured: " + columns.told(absent), (WRONG,), tuple(absent),
                          comparable=False)


def _samples(columns: Columns) -> Iterator[Reservation]:
    digests = [each.samples_digest for each in columns.measured if each.wrong is not None]
    if len(set(digests)) > 1:
        places: dict[str, list[int]] = {}
        for at, each in enumerate(columns.measured):
            if each.wrong is not None:
                places.setdefault(each.samples_digest, []).append(at)
        sets = "; ".join(columns.listed(group) for group in places.values())
        yield Reservation("samples", f"measured on different samples: {sets}", (WRONG,))


def _overlaps(columns: Columns) -> Iterator[Reservation]:
    """Name columns whose intervals overlap: the samples do not show which of them is better."""
    rates = {at: each.wrong for at, each in enumerate(columns.measured) if each.wrong is not None}
    pairs = {True: list[tuple[int, int]](), False: list[tuple[int, int]]()}
    for one, other in itertools.combinations(rates, 2):
        ends = [rates[at].interval for at in (one, other)]
        pairs[max(low for low, _ in ends) <= min(high for _, high in ends)].append((one, other))
    if pairs[True]:
        rarer = len(pairs[False]) < len(pairs[True])
        shown = {one: columns.listed([other for first, other in pairs[not rarer] if first == one])
                 for one, _ in pairs[not rarer]}
        text = "; ".join(f"{columns.names[one]} and {others}" for one, others in shown.items())
        told_apart = f"only these pairs have 95 % intervals that do not overlap: {text}"
        overlapping = f"95 % intervals overlap, so that the samples do not tell them apart: {text}"
        none = "all 95 % intervals overlap, so that the samples tell no two columns apart"
        yield Reservation("intervals", none if not text else told_apart if rarer else overlapping, (WRONG,))


def _unless_all(places: Mapping[int, object], columns: Columns) -> tuple[int, ...]:
    """Return the columns, or nothing where it is all of them: the row is marked then."""
    return () if len(places) == len(columns.names) else tuple(places)


_RULES: tuple[Callable[[Columns], Iterator[Reservation]], ...] = (
    _networks, _batches, _widths, _technologies, _clocks, _hosts, _rooflines, _overheads, _free_memory,
    _accounts, _evidence, _prices, _areas, _values, _samples, _overlaps,
)
