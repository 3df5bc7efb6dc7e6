"""Columns of the per-layer bar charts: one per layer, or sums of neighbours where there are too many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hwsim.report.rows import Stage, stages
from hwsim.report.types import Report
from hwsim.units import format_si

MOST_NAMED = 72
MOST_COLUMNS = 240


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns of a stacked bar chart.

    Attributes
    ----------
    names : tuple of str
        Layer of each column (the first, where a column sums several).
    first_index : tuple of int
        Number of that layer, counted from 1, as in the tables.
    parts : mapping of str to tuple of float
        Heights by part, one per column.
    tips : tuple of str
        What a tooltip says about each column.
    per_column : int
        Neighbouring layers summed into one column.
    """

    names: tuple[str, ...]
    first_index: tuple[int, ...]
    parts: Mapping[str, tuple[float, ...]]
    tips: tuple[str, ...]
    per_column: int

    @property
    def named(self) -> bool:
        """Whether there is room to write every name."""
        return len(self.names) <= MOST_NAMED and self.per_column == 1

    def folded(self, part: str, shown: Mapping[str, object]) -> tuple[float, ...]:
        """Return the heights of a part; "other" is the sum of all that are not shown by name."""
        if part in self.parts:
            return self.parts[part]
        rest = [heights for name, heights in self.parts.items() if name not in shown]
        return tuple(sum(column) for column in zip(*rest, strict=True)) or (0.0,) * len(self.names)


def bars_of(report: Report, quantity: Literal["energy", "cycles"]) -> Bars:
    """Return the columns of a report's energy by unit, or of its compute and stall cycles.

    Operators that run inside another layer's loop are part of that layer's column.
    """
    shown = stages(report)
    stacks = [_energy(stage) if quantity == "energy" else _cycles(stage) for stage in shown]
    per_column = -(-len(shown) // MOST_COLUMNS) or 1
    starts = range(0, len(shown), per_column)
    names = dict.fromkeys(name for stack in stacks for name in stack)
    parts = {name: tuple(sum(stack.get(name, 0) for stack in stacks[start:start + per_column])
                         for start in starts) for name in names}
    tips = tuple(_tip(start + 1, shown[start:start + per_column]) for start in starts)
    return Bars(tuple(shown[start].layer.name for start in starts), tuple(start + 1 for start in starts),
                parts, tips, per_column)


def _energy(stage: Stage) -> dict[str, float]:
    return stage.summed("energy_j_by_unit")


def _cycles(stage: Stage) -> dict[str, float]:
    stalls = {f"stall: {cause}": float(cycles) for cause, cycles in stage.layer.stall_cycles_by_cause.items()}
    return {"compute": float(stage.layer.compute_cycles)} | stalls


def _tip(number: int, group: Sequence[Stage]) -> str:
    cycles = sum(stage.layer.cycles for stage in group)
    energy = format_si(sum(stage.energy_j for stage in group), "J")
    if len(group) > 1:
        return f"layers {number} to {number + len(group) - 1}: {cycles:,} cycles, {energy}"
    return f"{number} {group[0].layer.name}: {cycles:,} cycles, {energy}, bound by {group[0].layer.bound_by}"
