"""Finished points on their way into the store, as columns: what a chunk shares is said once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

DONE, FAILED = "done", "failed"
FIXED = (
    "key",
    "position",
    "run",
    "chip",
    "preset",
    "network",
    "batch",
    "precision",
    "knobs",
    "status",
    "error",
    "attempts",
    "wall_s",
)
_LARGEST_WHOLE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Records:
    """Finished points of one chip, network and number format.

    Attributes
    ----------
    chip, preset, network, batch, precision
        What was asked.
    keys : sequence of bytes
        Of `hwsim.sweep.points.Keys`; one entry per point, as in all sequences here.
    positions : sequence of int
        In the sweep.
    knobs : sequence of str
        As JSON text.
    attempts : sequence of int
        How often each has been tried.
    errors : mapping of int to str
        Why the point at a place failed.
    wall_s : float
        Seconds that a point took, its share of their chunk.
    metrics : mapping of str to sequence of number
        By column; what a failed point has in them is not stored.
    """

    chip: str
    preset: str
    network: str
    batch: int | None
    precision: str | None
    keys: Sequence[bytes]
    positions: Sequence[int]
    knobs: Sequence[str]
    attempts: Sequence[int]
    errors: Mapping[int, str]
    wall_s: float
    metrics: Mapping[str, Sequence[Any]]

    def rows(self, run: int) -> Iterator[tuple[Any, ...]]:
        """Return the cells of each point: `FIXED`, then the metrics in their order."""
        states: list[str] = [DONE] * len(self.keys)
        told: list[str | None] = [None] * len(self.keys)
        for place, reason in self.errors.items():
            states[place], told[place] = FAILED, reason
        shared = (self.chip, self.preset, self.network, self.batch, self.precision)
        return zip(
            self.keys,
            self.positions,
            repeat(run),
            *map(repeat, shared),
            self.knobs,
            states,
            told,
            self.attempts,
            repeat(self.wall_s),
            *(self._stored(column) for column in self.metrics.values()),
            strict=False,
        )

    def _stored(self, column: Sequence[Any]) -> Sequence[Any]:
        """Return a column without the cells of failed points; whole numbers beyond 64 bits become floats."""
        if self.errors:
            column = [None if place in self.errors else value for place, value in enumerate(column)]
        if not any(type(value) is int and abs(value) > _LARGEST_WHOLE for value in column):
            return column
        return [
            float(value) if type(value) is int and abs(value) > _LARGEST_WHOLE else value for value in column
        ]
