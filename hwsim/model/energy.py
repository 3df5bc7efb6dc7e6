"""Joules: events times price, leakage times time, system overheads as rows of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.model.prices import Prices
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
    activity: Activity, prices: Prices, timing: Timing, datasheets: Datasheet | list[Datasheet]
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
    datasheets : Datasheet or list of Datasheet
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
    sheets = datasheets if isinstance(datasheets, list) else [datasheets]
    leaking = tuple(row.unit for row in sheets[0].units if row.leakage is not None)
    watts = np.array(
        [
            [
                row.leakage.in_unit_of("_w") if row.leakage else 0.0
                for row in sheet.units
                if row.unit in leaking
            ]
            for sheet in sheets
        ]
    )
    node_s = timing.node_cycles.astype(np.float64) / prices.clock_hz[..., None]
    return Energy(entry, watts if isinstance(datasheets, list) else watts[0], leaking, node_s)
