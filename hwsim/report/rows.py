"""Tidy rows of a report: one plain dict per layer, event or price, the same for every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.report.types import EventRow, Layer, Price, Report

Row = dict[str, Any]

_SPREAD = {"bytes_by_memory": "bytes", "stall_cycles_by_cause": "stall_cycles",
           "energy_j_by_unit": "energy_j", "busy_cycles_by_unit": "busy_cycles"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer together with the operators that run inside its loop.

    Attributes
    ----------
    layer : Layer
        The operator that owns the loop.
    fused : tuple of Layer
        Operators fused into it, directly or through one another.
    """

    layer: Layer
    fused: tuple[Layer, ...]

    @property
    def members(self) -> tuple[Layer, ...]:
        """The owner and everything fused into it."""
        return (self.layer, *self.fused)

    @property
    def macs(self) -> int:
        """Useful multiply-accumulates of all members."""
        return sum(member.macs for member in self.members)

    @property
    def energy_j(self) -> float:
        """Joules of all members."""
        return sum(member.energy_j for member in self.members)

    def moved_bytes(self, memory: str) -> int:
        """Return the bytes that all members move at one memory level."""
        return sum(member.bytes_by_memory.get(memory, 0) for member in self.members)

    def summed(self, column: str) -> dict[str, Any]:
        """Return one of the mapping columns, summed over the members."""
        sums: dict[str, Any] = {}
        for member in self.members:
            for key, value in getattr(member, column).items():
                sums[key] = sums.get(key, 0) + value
        return sums


def stages(report: Report) -> tuple[Stage, ...]:
    """Group every fused operator with the layer in whose loop it runs, in program order."""
    by_name = {layer.name: layer for layer in report.layers}
    owners: dict[str, list[Layer]] = {}
    for layer in report.layers:
        owners.setdefault(_owner(layer, by_name).name, []).append(layer)
    return tuple(Stage(by_name[name], tuple(member for member in members if member.name != name))
                 for name, members in owners.items())


def _owner(layer: Layer, by_name: Mapping[str, Layer]) -> Layer:
    seen = {layer.name}
    while layer.fused_into in by_name and layer.fused_into not in seen:
        layer = by_name[layer.fused_into]
        seen.add(layer.name)
    return layer


def layer_rows(report: Report) -> list[Row]:
    """Return one row per layer; each mapping becomes one column per key, ``energy_j_dram`` and so on."""
    keys = {column: _keys(report, column) for column in _SPREAD}
    return [_layer_row(index, layer, keys) for index, layer in enumerate(report.layers)]


def event_rows(report: Report) -> list[Row]:
    """Return one row per layer, unit and action."""
    return [_flat(row) for row in report.events]


def price_rows(report: Report) -> list[Row]:
    """Return one row per unit and action with its price and where that comes from."""
    return [_flat(price) | {"constants": " ".join(price.constants)} for price in report.prices]


TABLES: Mapping[str, Callable[[Report], list[Row]]] = {
    "layers": layer_rows, "events": event_rows, "prices": price_rows,
}


def table_rows(report: Report, table: str) -> list[Row]:
    """Return the rows of "layers", "events" or "prices"; InputError for another name."""
    if table not in TABLES:
        raise InputError(f"no table {table!r}", where="report", hint=nearest(table, TABLES))
    return TABLES[table](report)


def labelled_rows(reports: Sequence[Report], table: str, names: Sequence[str] = ()) -> list[Row]:
    """Return the rows of all reports, each led by network, chip, preset and hwsim version.

    The columns of a comparison file have `names` of their own, which then stand before all. What a report
    lacks is filled with None, so that every row has every column.
    """
    rows: list[Row] = []
    for place, report in enumerate(reports):
        label = {"column": names[place]} if names else {}
        label |= {"network": report.provenance["network"], "chip": report.provenance["chip"],
                  "preset": report.provenance.get("preset") or "",
                  "hwsim_version": report.provenance.get("hwsim_version", "")}
        rows += [label | row for row in table_rows(report, table)]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _keys(report: Report, column: str) -> list[str]:
    return list(dict.fromkeys(key for layer in report.layers for key in getattr(layer, column)))


def _layer_row(index: int, layer: Layer, keys: Mapping[str, list[str]]) -> Row:
    row: Row = {"index": index}
    for field in fields(Layer):
        value = getattr(layer, field.name)
        if field.name in _SPREAD:
            zero = 0.0 if field.name == "energy_j_by_unit" else 0
            row |= {f"{_SPREAD[field.name]}_{key}": value.get(key, zero) for key in keys[field.name]}
        else:
            row[field.name] = "x".join(map(str, value)) if field.name == "shape" else value
    return row


def _flat(record: EventRow | Price) -> Row:
    return {field.name: getattr(record, field.name) for field in fields(record)}
