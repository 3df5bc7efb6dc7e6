"""Totals of a family of designs as columns, the same numbers that a report states for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import HwsimError
from hwsim.model.prices import SAFE
from hwsim.model.pricing import Priced
from hwsim.model.sheets import Sheets
from hwsim.model.types import Accelerator, Datasheet, Floats, Ints
from hwsim.report.build import OVERHEAD
from hwsim.trace import Activity
from hwsim.trace.merge import Merged


@dataclass(frozen=True, slots=True)
class Family:
    """Results of many designs on one network; definitions as in `hwsim.report.types.Totals`.

    Attributes
    ----------
    index : int64[E]
        Which of the designs asked for each entry is, ascending.
    failures : mapping of int to HwsimError
        Why each of the others has no result.
    macs : int64[E]
        Useful multiply-accumulates.
    cycles, compute_cycles, stall_cycles : int64[E]
        cycles = compute_cycles + stall_cycles.
    time_s, energy_j, power_w, area_m2, utilization : float64[E]
        As in a report.
    energy_j_by_unit : mapping of str to float64[E]
        Joules of each unit, leakage included; 0 in designs without the unit.
    bytes_by_memory, stall_cycles_by_cause : mapping of str to int64[E]
        Bytes moved, and cycles lost.
    """

    index: Ints
    failures: Mapping[int, HwsimError]
    macs: Ints
    cycles: Ints
    compute_cycles: Ints
    stall_cycles: Ints
    time_s: Floats
    energy_j: Floats
    power_w: Floats
    area_m2: Floats
    utilization: Floats
    energy_j_by_unit: Mapping[str, Floats]
    bytes_by_memory: Mapping[str, Ints]
    stall_cycles_by_cause: Mapping[str, Ints]


def totals_of(
    accelerator: Accelerator,
    members: Ints,
    merged: Merged,
    activity: Activity,
    priced: Priced,
    sheets: Sheets,
    macs: int,
) -> Family:
    """Return the totals of the designs whose trace and prices these are.

    Parameters
    ----------
    accelerator : Accelerator
        Says which events are useful MACs.
    members : int64[D]
        Which designs they are.
    merged, activity, priced, sheets
        What the stages made of them; activity and prices with a leading axis, or for all alike.
    macs : int
        Useful multiply-accumulates of the network.
    """
    designs, timing = members.size, priced.timing
    cycles, compute = (_spread(column, designs) for column in (timing.cycles, timing.compute_cycles))
    time_s = cycles / _spread(priced.prices.clock_hz, designs)
    by_unit = _energy_by_unit(activity, priced, designs)
    chip_j = sum((by_unit[unit] for unit in sorted(by_unit)), np.zeros(designs))
    overheads = sum(
        (sheets.spread([sheet.overheads[i].ratio.value for sheet in sheets.members])
         for i in range(len(sheets.first.overheads))), np.zeros(designs))  # fmt: skip
    energy = chip_j + chip_j * overheads
    executed = macs - sum(merged.trace.skips.values())
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(time_s > 0, energy / time_s, 0.0)
        utilization = np.where(cycles > 0, executed / (_peak(accelerator, sheets) * cycles), 0.0)
    stalls = np.broadcast_to(timing.node_stalls.sum(axis=-2), (designs, len(timing.causes)))
    return Family(
        index=members,
        failures={},
        macs=np.full(designs, macs, dtype=np.int64),
        cycles=cycles,
        compute_cycles=compute,
        stall_cycles=cycles - compute,
        time_s=time_s,
        energy_j=energy,
        power_w=power,
        area_m2=_area(sheets),
        utilization=utilization,
        energy_j_by_unit=by_unit | ({OVERHEAD: chip_j * overheads} if overheads.any() else {}),
        bytes_by_memory=_bytes_by_memory(merged, activity, sheets.first, designs),
        stall_cycles_by_cause={cause: stalls[:, place] for place, cause in enumerate(timing.causes)},
    )


def joined(parts: Sequence[Family], failures: Mapping[int, HwsimError]) -> Family:
    """Return the results of several families as one, in the order of the designs."""
    index = np.concatenate([np.zeros(0, np.int64), *(part.index for part in parts)])
    order = np.argsort(index, kind="stable")
    columns: dict[str, Any] = {}
    for item in fields(Family):
        if item.name in ("index", "failures"):
            continue
        values = [getattr(part, item.name) for part in parts]
        if values and isinstance(values[0], Mapping):
            names = dict.fromkeys(name for value in values for name in value)
            sizes = [part.index.size for part in parts]
            columns[item.name] = {
                name: np.concatenate(
                    [value.get(name, np.zeros(size)) for value, size in zip(values, sizes, strict=True)],
                    dtype=np.float64 if item.name == "energy_j_by_unit" else np.int64,
                    casting="unsafe",
                )[order]
                for name in names
            }
        elif "by" in item.name.split("_"):
            columns[item.name] = {}
        else:
            columns[item.name] = np.concatenate([index[:0], *values])[order]
    return Family(index=index[order], failures=dict(failures), **columns)


def _spread(column: NDArray[Any], designs: int) -> NDArray[Any]:
    return np.broadcast_to(column, (designs,))


def _energy_by_unit(activity: Activity, priced: Priced, designs: int) -> dict[str, Floats]:
    """Return joules of each unit: whole events and bits of all layers, each pair priced once, by name.

    Neither how layers were merged nor which designs share a call can then move the last bit of a sum.
    """
    prices, energy = priced.prices, priced.energy
    width = len(activity.actions)
    pair_of = {key: place for place, key in enumerate((prices.unit * width + prices.action).tolist())}
    keys = activity.unit * width + activity.action
    total: dict[str, Floats] = {}
    named = [(activity.units[key // width], activity.actions[key % width], key) for key in pair_of]
    for unit, _, key in sorted(named):
        own = keys == key
        if not own.any():
            continue
        place = pair_of[key]
        joules = (_whole(activity.events[..., own]) * prices.energy[..., place]
                  + _whole(activity.bits[..., own]) * prices.energy_per_bit[..., place])  # fmt: skip
        total[unit] = total.get(unit, np.zeros(designs)) + np.broadcast_to(joules, (designs,))
    seconds = _whole(priced.timing.node_cycles) / prices.clock_hz
    for place, unit in enumerate(energy.leaking):
        leaked = np.broadcast_to(seconds * energy.leakage_w[..., place], (designs,))
        total[unit] = total.get(unit, 0.0) + leaked
    return total


def _whole(counts: NDArray[Any]) -> Floats:
    """Return the sums of whole numbers along the last axis, exact before they become floats."""
    wide = float(np.abs(counts.astype(np.float64)).sum(axis=-1).max(initial=0.0)) > SAFE
    exact = counts.astype(object).sum(axis=-1) if wide else counts.sum(axis=-1)
    return np.asarray(exact, dtype=np.float64)


def _bytes_by_memory(merged: Merged, activity: Activity, sheet: Datasheet, designs: int) -> dict[str, Ints]:
    """Add the bytes of each layer, each rounded up to whole bytes as reports do."""
    memories = {row.unit for row in sheet.units if row.role != "compute"}
    moved: dict[str, Ints] = {}
    bits = np.broadcast_to(activity.bits, (designs, activity.unit.size))
    for unit, name in enumerate(activity.units):
        if name not in memories or not (activity.unit == unit).any():
            continue
        entries = np.flatnonzero(activity.unit == unit)
        nodes, starts = np.unique(activity.node[entries], return_index=True)
        of_node = np.add.reduceat(bits[:, entries], starts, axis=-1)
        times = merged.times[nodes]
        moved[name] = (-(-(of_node // times) // 8) * times).sum(axis=-1).astype(np.int64)
    return moved


def _peak(accelerator: Accelerator, sheets: Sheets) -> Floats:
    """Return the MACs that each design can do in one reference cycle."""
    useful = [pair for pair, quantity in accelerator.work.items() if quantity == "macs"]
    total: Floats = np.zeros(sheets.designs)
    for place, row in enumerate(sheets.first.actions):
        if (row.unit, row.action) in useful:
            rows = [sheet.actions[place] for sheet in sheets.members]
            lanes = sheets.spread([one.lanes for one in rows])
            total += lanes / np.maximum(sheets.spread([one.interval_cycles for one in rows]), 1)
    return np.where(total > 0, total, 1.0)


def _area(sheets: Sheets) -> Floats:
    total: Floats = np.zeros(sheets.designs)
    for row in sheets.first.units:
        if row.area is not None:
            areas = [sheet.unit(row.unit).area for sheet in sheets.members]
            total += sheets.spread([area.in_unit_of("_m2") if area is not None else 0.0 for area in areas])
    return total
