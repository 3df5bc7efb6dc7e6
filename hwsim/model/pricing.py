"""A trace under a datasheet: prices, cycles and joules in one call; re-pricing is calling it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.model.energy import Energy, charge
from hwsim.model.prices import Prices, family_of, price
from hwsim.model.sheets import Sheets
from hwsim.model.timing import time_trace
from hwsim.model.types import Datasheet, Timing
from hwsim.trace.reduce import Activity
from hwsim.trace.types import Trace


@dataclass(frozen=True, slots=True)
class Priced:
    """What a trace costs.

    Attributes
    ----------
    prices : Prices
        Datasheet rows as columns.
    timing : Timing
        Cycles and stalls.
    energy : Energy
        Joules.
    """

    prices: Prices
    timing: Timing
    energy: Energy


def price_trace(
    trace: Trace, activity: Activity, datasheets: Datasheet | Sequence[Datasheet] | Sheets
) -> Priced:
    """Return cycles and energy of `trace`.

    Designs that differ in prices, clocks, lanes or bandwidth share trace and activity; only this call is
    repeated for them, or made once for the whole family.

    Parameters
    ----------
    trace : Trace
        A verified trace.
    activity : Activity
        ``reduce(trace)``.
    datasheets : Datasheet, sequence of Datasheet, or Sheets
        One datasheet, or those of a family of designs; of `Sheets`, nobody asks how long each unit works.
    """
    prices, first = price(trace, datasheets), family_of(datasheets).first
    timing = time_trace(trace, prices, first, busy=not isinstance(datasheets, Sheets))
    return Priced(prices, timing, charge(activity, prices, timing, datasheets))
