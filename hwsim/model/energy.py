"""Joules: events times price, leakage times time, system overheads as rows of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.model.prices import Prices, family_of
from hwsim.model.sheets import Sheets
from hwsim.model.types import Datasheet, Floats, Timing
from hwsim.trace.reduce import Activity


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of a trace; a leading design axis for a family.

    Attributes
    ----------
    entry_j : float64[..., E]
        Joules of each entry of the activity.
    leakage_w : float64[..., V]
        Watts of each unit that leaks, in the order of `leaking`.
    leaking : tuple of str
        Units with leakage.
    node_s : float64[..., N]
        Seconds that each node takes, in which everything leaks.
    """

    entry_j: Floats
    leakage_w: Floats
    leaking: tuple[str, ...]
    node_s: Floats

    @property
    def leakage_j(self) -> Floats:
        """float64[..., N, V]: joules that each unit leaks while each node runs."""
        leaked: Floats = self.node_s[..., :, None] * self.leakage_w[..., None, :]
        return leaked

    @property
    def total_j(self) -> Floats:
        """float64[...]: dynamic energy plus leakage, without system overheads."""
        total: Floats = self.entry_j.sum(axis=-1) + self.leakage_j.sum(axis=(-2, -1))
        return total


def charge(
    activity: Activity,
    prices: Prices,
    timing: Timing,
    datasheets: Datasheet | Sequence[Datasheet] | Sheets,
) -> Energy:
    """Return the energy of `activity`.

    Parameters
    ----------
    activity : Activity
        Exact events and bits.
    prices : Prices
        Joules per event and bit of every pair that occurs.
    timing : Timing
        Gives the time in which units leak.
    datasheets : Datasheet, sequence of Datasheet, or Sheets
        The sheets that `prices` was made from; they hold the leakage.
    """
    width = len(activity.actions)
    order = {key: pair for pair, key in enumerate((prices.unit * width + prices.action).tolist())}
    pair = np.array(
        [order[key] for key in (activity.unit * width + activity.action).tolist()], dtype=np.int64
    )
    entry = (
        activity.events.astype(np.float64) * prices.energy[..., pair]
        + activity.bits.astype(np.float64) * prices.energy_per_bit[..., pair]
    )
    sheets = family_of(datasheets)
    leaking = tuple(
        row.unit
        for row in sheets.first.units
        if any(sheet.unit(row.unit).leakage is not None for sheet in sheets.members)
    )
    watts = np.empty((sheets.designs, len(leaking)))
    for place, unit in enumerate(leaking):
        watts[:, place] = sheets.spread([_leakage_w(sheet, unit) for sheet in sheets.members])
    node_s = timing.node_cycles.astype(np.float64) / prices.clock_hz[..., None]
    return Energy(entry, watts[0] if isinstance(datasheets, Datasheet) else watts, leaking, node_s)


def _leakage_w(sheet: Datasheet, unit: str) -> float:
    leakage = sheet.unit(unit).leakage
    return leakage.in_unit_of("_w") if leakage is not None else 0.0
