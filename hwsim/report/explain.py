"""Explains a figure: from total joules down to units, actions, events, prices, constants and sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hwsim.errors import InputError, Problem, nearest
from hwsim.report.types import EventRow, Price, Report
from hwsim.units import format_si

SHOWN_BY_DEFAULT = 8


@dataclass(frozen=True, slots=True)
class Citation:
    """A constant or law that went into a price, and where it stands.

    Attributes
    ----------
    key, value, kind : str
        Name, value with unit (or the law in words), and evidence.
    source, note : str
        Title, place and link; remarks.
    """

    key: str
    value: str
    kind: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure and what it is made of.

    Attributes
    ----------
    name : str
        Network, unit, action or layer.
    energy_j : float
        Joules of this figure; the children sum to it, as far as they are joules.
    share : float
        Fraction of the parent's joules, 1 at the root.
    reasons : tuple of str
        Events, price and formula, one per line.
    citations : tuple of Citation
        What the price rests on.
    children : tuple of Explanation
        Parts, the largest first.
    """

    name: str
    energy_j: float
    share: float
    reasons: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    children: tuple[Explanation, ...] = ()


def explain(report: Report, layer: str | None = None, unit: str | None = None,
            top: int = SHOWN_BY_DEFAULT) -> str:
    """Return the explanation as an indented text; see `explanation`."""
    return "\n".join(_lines(explanation(report, layer, unit, top), set())) + "\n"


def explanation(report: Report, layer: str | None = None, unit: str | None = None,
                top: int = SHOWN_BY_DEFAULT) -> Explanation:
    """Walk from the joules of a report to the sources of its constants.

    Parameters
    ----------
    report : Report
        Any report.
    layer, unit : str or None
        Explain only this layer or this unit.
    top : int
        How many layers to name under each action.

    Raises
    ------
    InputError
        No such layer or unit, or `top` below zero.
    """
    rows = _selected(report, layer, unit, top)
    total = math.fsum(row.energy_j for row in rows)
    place = f"{report.provenance['network']} on {report.name}"
    name = place + (f", layer {layer}" if layer else "") + (f", unit {unit}" if unit else "")
    units = _grouped(rows, lambda row: row.unit)
    parts = tuple(_unit(report, unit_name, unit_rows, total, 0 if layer else top)
                  for unit_name, unit_rows in units)
    return Explanation(name, total, 1.0, _headline(report, total, layer, unit), (), parts)


def to_document(node: Explanation) -> dict[str, Any]:
    """Return an explanation as plain nested dicts, for JSON."""
    return {"name": node.name, "energy_j": node.energy_j, "share": node.share, "reasons": list(node.reasons),
            "citations": [asdict(citation) for citation in node.citations],
            "children": [to_document(child) for child in node.children]}


def _selected(report: Report, layer: str | None, unit: str | None, top: int) -> list[EventRow]:
    problems = []
    layers = [known.name for known in report.layers]
    units = {row.unit for row in report.events}
    if layer is not None and layer not in layers:
        problems.append(Problem("explain.layer", f"no layer {layer!r} in this report",
                                nearest(layer, layers)))
    if unit is not None and unit not in units:
        problems.append(Problem("explain.unit", f"no unit {unit!r} in this report", nearest(unit, units)))
    if top < 0:
        problems.append(Problem("explain.top", f"{top} is negative", "give 0 or more"))
    if problems:
        raise InputError(problems=problems)
    return [row for row in report.events
            if (layer is None or row.layer == layer) and (unit is None or row.unit == unit)]


def _headline(report: Report, total: float, layer: str | None, unit: str | None) -> tuple[str, ...]:
    if layer is None and unit is None:
        evidence = _shares(report.energy_by_evidence, math.fsum(report.energy_by_evidence.values()))
        return (f"rests on: {evidence}",) if evidence else ()
    whole = report.totals.energy_j
    return (f"{_percent(total / whole)} of the {format_si(whole, 'J')} of the whole run",) if whole else ()


def _unit(report: Report, name: str, rows: Sequence[EventRow], parent_j: float, top: int) -> Explanation:
    total = math.fsum(row.energy_j for row in rows)
    actions = tuple(_action(report, name, action, action_rows, total, top)
                    for action, action_rows in _grouped(rows, lambda row: row.action))
    return Explanation(name, total, _share(total, parent_j), (), (), actions)


def _action(report: Report, unit: str, action: str, rows: Sequence[EventRow], parent_j: float,
            top: int) -> Explanation:
    total = math.fsum(row.energy_j for row in rows)
    events, bits = sum(row.events for row in rows), sum(row.bits for row in rows)
    price = next((price for price in report.prices if (price.unit, price.action) == (unit, action)), None)
    noun = "cycles" if action == "leakage" else "events"
    reasons = _counted(price, events, bits, total, noun)
    if price is not None and price.formula:
        reasons += (f"price: {price.formula} [{price.kind}]",)
    layers = [(name, math.fsum(row.energy_j for row in layer_rows))
              for name, layer_rows in _grouped(rows, lambda row: row.layer)]
    if top and len(layers) > 1:
        named = ", ".join(f"{name or '(whole chip)'} {_percent(_share(joules, total))}"
                          for name, joules in layers[:top])
        rest = f", and {len(layers) - top} more" if len(layers) > top else ""
        reasons += (f"largest layers: {named}{rest}",)
    return Explanation(action, total, _share(total, parent_j), reasons, _citations(report, price))


def _counted(price: Price | None, events: int, bits: int, total: float, noun: str) -> tuple[str, ...]:
    if price is None:
        return (f"{events:,} {noun}, {bits:,} bits; the report holds no price for this action",)
    terms = []
    if price.energy_j:
        terms.append(f"{events:,} {noun} x {format_si(price.energy_j, 'J')}")
    if price.energy_j_per_bit:
        terms.append(f"{bits:,} bits x {format_si(price.energy_j_per_bit, 'J/b')}")
    product = events * price.energy_j + bits * price.energy_j_per_bit
    if terms and math.isclose(product, total, rel_tol=1e-6):
        return (" + ".join(terms) + f" = {format_si(total, 'J')}",)
    return (f"{events:,} {noun}, {bits:,} bits",) if events or bits else ()


def _citations(report: Report, price: Price | None) -> tuple[Citation, ...]:
    keys = price.constants if price is not None else ()
    return tuple(_citation(key, report.constants.get(key, {})) for key in keys)


def _citation(key: str, record: Mapping[str, Any]) -> Citation:
    value, unit = record.get("value", "?"), str(record.get("unit", ""))
    return Citation(key, value if isinstance(value, str) else f"{value} {unit}".strip(),
                    str(record.get("kind", "unconfirmed")), _source(record), str(record.get("note") or ""))


def _source(record: Mapping[str, Any]) -> str:
    doi = str(record.get("doi") or "")
    link = doi if "://" in doi else f"doi:{doi}" if doi else ""
    parts = (record.get("title") or record.get("source"), record.get("where"), link)
    return ", ".join(str(part) for part in parts if part) or "no source"


def _grouped(rows: Iterable[EventRow], key: Callable[[EventRow], str]) -> list[tuple[str, list[EventRow]]]:
    groups: dict[str, list[EventRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return sorted(groups.items(), key=lambda item: -math.fsum(row.energy_j for row in item[1]))


def _shares(parts: Mapping[str, float], whole: float) -> str:
    if not whole:
        return ""
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} {_percent(joules / whole)}" for kind, joules in ordered if joules)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 or not share else "<0.1%"


def _lines(node: Explanation, cited: set[str], depth: int = 0) -> list[str]:
    """Return the node and its parts, one per line; a constant is cited in full where it first occurs."""
    indent = "  " * depth
    share = f"  {_percent(node.share)}" if depth else ""
    lines = [f"{indent}{node.name}: {format_si(node.energy_j, 'J')}{share}"]
    lines += [f"{indent}    {reason}" for reason in node.reasons]
    for citation in node.citations:
        again = " (see above)" if citation.key in cited else ""
        lines.append(f"{indent}      {citation.key} = {citation.value} [{citation.kind}]{again}")
        if not again:
            lines.append(f"{indent}        {citation.source}")
            lines += [f"{indent}        note: {citation.note}"] if citation.note else []
        cited.add(citation.key)
    for child in node.children:
        lines += _lines(child, cited, depth + 1)
    return lines
