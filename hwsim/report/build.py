"""Numbers of a finished evaluation as the plain columns of a report."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from hwsim.graph.ops import Work
from hwsim.graph.statistics import ace_of, bit_operations_of
from hwsim.graph.text import fingerprint
from hwsim.graph.types import Graph, Op, Role
from hwsim.model.pricing import Priced
from hwsim.model.types import Accelerator, ActionRow, Datasheet
from hwsim.report.metrics import METRICS
from hwsim.report.types import EventRow, Layer, Price, Report, Totals
from hwsim.sourced import Sourced, weakest
from hwsim.trace import Activity, Trace

LEAKAGE, OVERHEAD = "leakage", "overhead"


@dataclass(frozen=True)
class Parts:
    """Everything that an evaluation produced.

    Attributes
    ----------
    graph, prepared : Graph
        As loaded, and as the chip prepared it.
    accelerator, preset, design, changed
        The chip, where its knobs started from, all of them, and which ones the user set.
    sheet, trace, activity, priced
        Results of the stages.
    work : mapping of str to Work
        Op-count formula of every operator.
    coverage : mapping
        From the importer.
    """

    graph: Graph
    prepared: Graph
    accelerator: Accelerator
    preset: str
    design: Any
    changed: tuple[str, ...]
    sheet: Datasheet
    trace: Trace
    activity: Activity
    priced: Priced
    work: Mapping[str, Work]
    coverage: Mapping[str, Any]


def build_report(parts: Parts) -> Report:
    """Return the report of an evaluation."""
    prices, events = _prices(parts), _events(parts)
    layers = _layers(parts, events)
    totals = _totals(parts, layers)
    events += _overheads(parts, totals)
    kinds = {(price.unit, price.action): price.kind for price in prices}
    by_kind: dict[str, float] = {}
    for row in events:
        if not row.energy_j:
            continue
        kind = kinds[row.unit, row.action]
        by_kind[kind] = by_kind.get(kind, 0.0) + row.energy_j
    return Report(
        provenance=_provenance(parts),
        coverage=parts.coverage,
        totals=totals,
        layers=layers,
        events=tuple(events),
        prices=prices,
        constants=_constants(parts.sheet),
        energy_by_evidence=dict(sorted(by_kind.items(), key=lambda item: -item[1])),
        metrics=METRICS,
        roofline=_roofline(parts),
        warnings=_warnings(parts, by_kind),
        figures=_figures(parts),
    )


def _figures(parts: Parts) -> dict[str, float]:
    """Return what the chip itself says of the network, or of the part that it runs."""
    figures = parts.accelerator.figures
    return dict(figures(parts.prepared, parts.design)) if figures is not None else {}


def _provenance(parts: Parts) -> dict[str, Any]:
    graph = parts.graph
    return {
        "hwsim_version": version("hwsim"),
        "chip": parts.accelerator.name,
        "preset": parts.preset,
        "model_version": parts.accelerator.model_version,
        "design": parts.design.model_dump(mode="json"),
        "changed_knobs": list(parts.changed),
        "network": graph.name,
        "graph_fingerprint": fingerprint(graph),
        "network_source": dict(graph.provenance),
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
    }


def _prices(parts: Parts) -> tuple[Price, ...]:
    used = {
        (parts.trace.units[u], parts.trace.actions[a])
        for u, a in zip(parts.priced.prices.unit.tolist(), parts.priced.prices.action.tolist(), strict=True)
    }
    rows = [_action_price(row) for row in parts.sheet.actions if (row.unit, row.action) in used]
    clock = parts.sheet.clock_hz
    for unit in parts.sheet.units:
        if unit.leakage is not None:
            per_cycle = unit.leakage / clock
            rows.append(
                Price(
                    unit.unit,
                    LEAKAGE,
                    per_cycle.value,
                    0.0,
                    f"per cycle: {per_cycle.formula}",
                    per_cycle.uses,
                    str(per_cycle.kind),
                )
            )
    rows += [
        Price(
            OVERHEAD,
            item.name,
            item.ratio.value,
            0.0,
            f"joules per joule: {item.ratio.formula}",
            item.ratio.uses,
            str(item.ratio.kind),
        )
        for item in parts.sheet.overheads
    ]
    return tuple(rows)


def _action_price(row: ActionRow) -> Price:
    present = [number for number in (row.energy, row.energy_per_bit) if number is not None]
    formula = "; ".join(
        text
        for text in (
            f"per event: {row.energy.formula}" if row.energy else "",
            f"per bit: {row.energy_per_bit.formula}" if row.energy_per_bit else "",
            f"zero: {row.zero_energy}" if row.zero_energy else "",
        )
        if text
    )
    return Price(
        row.unit,
        row.action,
        _joules(row.energy, "_j"),
        _joules(row.energy_per_bit, "_j_per_bit"),
        formula,
        tuple(sorted({key for number in present for key in number.uses})),
        str(weakest(number.kind for number in present)),
    )


def _joules(number: Sourced | None, suffix: str) -> float:
    return number.in_unit_of(suffix) if number is not None else 0.0


def _constants(sheet: Datasheet) -> dict[str, dict[str, Any]]:
    numbers = [number for row in sheet.actions for number in (row.energy, row.energy_per_bit, row.bits_per_s)]
    numbers += [number for row in sheet.units for number in (row.area, row.leakage)]
    numbers += [item.ratio for item in sheet.overheads] + [sheet.clock_hz, *sheet.clocks.values()]
    records = {record.key: record for number in numbers if number is not None for record in number.records}
    return {key: records[key].as_row() for key in sorted(records)}


def _events(parts: Parts) -> list[EventRow]:
    kinds = {(row.unit, row.action): _action_kind(row) for row in parts.sheet.actions}
    activity = parts.activity
    rows = [
        EventRow(node, unit, action, events, bits, joules, kinds[unit, action])
        for ((node, unit, action), events, bits), joules in zip(
            activity.items(), parts.priced.energy.entry_j.tolist(), strict=True
        )
        if events
    ]
    leaked = parts.priced.energy.leakage_j
    leaking = {row.unit: str(row.leakage.kind) for row in parts.sheet.units if row.leakage is not None}
    cycles = parts.priced.timing.node_cycles.tolist()
    for index, node in enumerate(parts.trace.nodes):
        if cycles[index]:
            rows += [
                EventRow(node, unit, LEAKAGE, cycles[index], 0, joules, leaking[unit])
                for unit, joules in zip(parts.priced.energy.leaking, leaked[index].tolist(), strict=True)
            ]
    return rows


def _action_kind(row: ActionRow) -> str:
    return str(weakest(number.kind for number in (row.energy, row.energy_per_bit) if number is not None))


def _overheads(parts: Parts, totals: Totals) -> list[EventRow]:
    chip_j = totals.energy_j / (1 + sum(item.ratio.value for item in parts.sheet.overheads))
    return [
        EventRow("", OVERHEAD, item.name, 0, 0, item.ratio.value * chip_j, str(item.ratio.kind))
        for item in parts.sheet.overheads
    ]


def _layers(parts: Parts, events: list[EventRow]) -> tuple[Layer, ...]:
    place = {name: index for index, name in enumerate(parts.trace.nodes)}
    energy: dict[str, dict[str, float]] = {}
    moved: dict[str, dict[str, int]] = {}
    memories = {row.unit for row in parts.sheet.units if row.role != "compute"}
    for row in events:
        of_layer = energy.setdefault(row.layer, {})
        of_layer[row.unit] = of_layer.get(row.unit, 0.0) + row.energy_j
        if row.unit in memories and row.action != LEAKAGE:
            bits = moved.setdefault(row.layer, {})
            bits[row.unit] = bits.get(row.unit, 0) + row.bits
    peak, area = peak_macs_per_cycle(parts.accelerator, parts.sheet), _area(parts.sheet)
    return tuple(
        _layer(parts, op, place[op.name], energy.get(op.name, {}), moved.get(op.name, {}), peak, area)
        for op in parts.prepared.ops
    )


def _layer(
    parts: Parts,
    op: Op,
    index: int,
    energy: dict[str, float],
    moved: dict[str, int],
    peak: float,
    area: float,
) -> Layer:
    timing, notes = parts.priced.timing, parts.trace.notes
    cycles = int(timing.node_cycles[index])
    stalls = timing.node_stalls[index].tolist()
    busy = {
        unit: count
        for unit, count in zip(parts.trace.units, timing.busy_cycles[index].tolist(), strict=True)
        if count
    }
    macs = parts.work[op.name].macs
    fused_into = notes.get((op.name, "fused_into"), "")
    return Layer(
        name=op.name,
        kind=op.kind,
        origin=op.origin,
        shape=_shape(parts.prepared, op),
        macs=macs,
        cycles=cycles,
        compute_cycles=cycles - sum(stalls),
        stall_cycles=sum(stalls),
        time_s=cycles / float(parts.priced.prices.clock_hz),
        energy_j=math.fsum(energy.values()),
        area_m2=area,
        utilization=(macs - _skipped(parts, op.name)) / (peak * cycles) if cycles else 0.0,
        bound_by="fused" if fused_into else _bound_by(busy, cycles, parts.sheet),
        fused_into=fused_into,
        mapping=notes.get((op.name, "mapping"), ""),
        bit_operations=bit_operations_of(parts.prepared, op),
        ace=ace_of(parts.prepared, op),
        parameters=_parameters(parts.prepared, op),
        bytes_by_memory={unit: -(-bits // 8) for unit, bits in moved.items()},
        stall_cycles_by_cause=dict(zip(timing.causes, stalls, strict=True)),
        energy_j_by_unit=energy,
        busy_cycles_by_unit=busy,
    )


def _shape(graph: Graph, op: Op) -> tuple[int, ...]:
    return next(tensor.shape for tensor in graph.results(op) if tensor is not None)


def _parameters(graph: Graph, op: Op) -> int:
    return sum(
        graph.tensors[name].elements
        for name in dict.fromkeys(op.inputs)
        if name and graph.tensors[name].role is Role.WEIGHT
    )


def _skipped(parts: Parts, node: str) -> int:
    """Return the MACs of `node` that the chip does not execute: they cannot keep its units busy."""
    return sum(count for (where, _), count in parts.trace.skips.items() if where == node)


def _bound_by(busy: dict[str, int], cycles: int, sheet: Datasheet) -> str:
    """Return the unit that works longest; of equals, one that computes."""
    if not cycles or not busy:
        return "none"
    computes = {row.unit for row in sheet.units if row.role == "compute"}
    return max(busy, key=lambda unit: (busy[unit], unit in computes))


def peak_macs_per_cycle(accelerator: Accelerator, sheet: Datasheet) -> float:
    """Return the MACs that a chip can do in one reference cycle."""
    rows = [row for row in sheet.actions if accelerator.work.get((row.unit, row.action)) == "macs"]
    return float(sum(row.lanes / max(row.interval_cycles, 1) for row in rows)) or 1.0


def _area(sheet: Datasheet) -> float:
    return sum(row.area.in_unit_of("_m2") for row in sheet.units if row.area is not None)


def _totals(parts: Parts, layers: tuple[Layer, ...]) -> Totals:
    timing = parts.priced.timing
    cycles = int(timing.cycles)
    time_s = cycles / float(parts.priced.prices.clock_hz)
    chip_j = sum(layer.energy_j for layer in layers)
    overhead_j = chip_j * sum(item.ratio.value for item in parts.sheet.overheads)
    energy = chip_j + overhead_j
    macs = sum(layer.macs for layer in layers)
    executed = macs - sum(parts.trace.skips.values())
    by_unit = _added(layer.energy_j_by_unit for layer in layers) | (
        {OVERHEAD: overhead_j} if overhead_j else {}
    )
    peak = peak_macs_per_cycle(parts.accelerator, parts.sheet)
    return Totals(
        macs=macs,
        cycles=cycles,
        compute_cycles=int(timing.compute_cycles),
        stall_cycles=cycles - int(timing.compute_cycles),
        time_s=time_s,
        energy_j=energy,
        area_m2=_area(parts.sheet),
        power_w=energy / time_s if time_s else 0.0,
        utilization=executed / (peak * cycles) if cycles else 0.0,
        bit_operations=sum(layer.bit_operations for layer in layers),
        ace=sum(layer.ace for layer in layers),
        parameters=parts.graph.parameters,
        bytes_by_memory=_added(layer.bytes_by_memory for layer in layers),
        stall_cycles_by_cause=_added(layer.stall_cycles_by_cause for layer in layers),
        energy_j_by_unit=by_unit,
    )


def _added(tables: Any) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            total[key] = total.get(key, 0) + value
    return total


def _roofline(parts: Parts) -> dict[str, float]:
    clock = float(parts.priced.prices.clock_hz)
    multiplies = "macs" in parts.accelerator.work.values()
    peak = peak_macs_per_cycle(parts.accelerator, parts.sheet) * clock if multiplies else 0.0
    rates = {f"{row.unit}_bits_per_s": row.bits_per_s.value for row in parts.sheet.actions if row.bits_per_s}
    return {"peak_macs_per_s": peak, **rates}


def _warnings(parts: Parts, by_kind: Mapping[str, float]) -> tuple[str, ...]:
    found = []
    total = sum(by_kind.values())
    weak = sum(by_kind.get(kind, 0.0) for kind in ("unconfirmed", "assumed"))
    if total and weak / total > 0.5:
        found.append(f"{weak / total:.0%} of the energy rests on unconfirmed or assumed constants")
    found += _uncharged(parts, total)
    away = [op for op in parts.prepared.ops if op.kind == "offload"]
    if away:
        how = "as data movement" if away[0].int("moves") else "at no cost on this chip"
        found.append(
            f"{len(away)} operators run elsewhere, charged {how}: {', '.join(op.name for op in away[:5])}"
        )
    if parts.accelerator.warnings is not None:
        found += parts.accelerator.warnings(parts.prepared, parts.design)
    return tuple(found)


def _uncharged(parts: Parts, energy_j: float) -> list[str]:
    """Say why the useful work costs no joule, or takes no area: nothing known is not nothing."""
    work, sheet = parts.accelerator.work, parts.sheet
    useful = {pair for pair, quantity in work.items() if quantity == "macs"} or set(work)
    useful = useful or {(row.unit, row.action) for row in sheet.actions}
    units = {unit for unit, _ in useful}
    reasons: dict[str, list[str]] = {"energy": [], "area": []}
    if not energy_j:
        reasons["energy"] = [row.zero_energy for row in sheet.actions if (row.unit, row.action) in useful]
    if not _area(sheet):
        reasons["area"] = [row.zero_area for row in sheet.units if row.unit in units]
    return [f"no {name} is charged: {'; '.join(dict.fromkeys(filter(None, why)))}"
            for name, why in reasons.items() if any(why)]
