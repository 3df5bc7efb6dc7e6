"""How long row commands take on some banks at once, in ticks of 0.25 ns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.design import (
    CONSTANTS,
    ActivationWindow,
    DeviceDensity,
    DramPimDesign,
    Grade,
    Technique,
)
from accelerators.dram_pim.expand import Commands
from hwsim.constants import Sourced
from hwsim.errors import InputError

Ints = NDArray[np.int64]
PRECHARGE = {
    Grade.DDR3_1600H: CONSTANTS.rp_1600h_cycles,
    Grade.DDR3_1600J: CONSTANTS.rp_1600j_cycles,
    Grade.DDR3_1600K: CONSTANTS.rp_1600k_cycles,
    Grade.DDR3_1333H: CONSTANTS.rp_1333h_cycles,
}
REFRESH = {
    DeviceDensity.GB1: CONSTANTS.refresh_1gb_s,
    DeviceDensity.GB2: CONSTANTS.refresh_2gb_s,
    DeviceDensity.GB4: CONSTANTS.refresh_4gb_s,
    DeviceDensity.GB8: CONSTANTS.refresh_8gb_s,
}
ACTIVATIONS = {"ap": 1, "aap": 2, "app": 1, "tapp": 1}
WINDOW = 4


@dataclass(frozen=True, slots=True)
class Timing:
    """Latencies of a design, in ticks.

    Attributes
    ----------
    ap, aap, app, tapp : int
        One command in one bank. AP: tRAS + tRP. AAP: 2 tRAS + tRP, overlapped tRAS + tRP + 4 ns.
    window : int
        tFAW, in which four activations may begin in a rank; 0: not observed.
    interval, refresh : int
        Computing between two refreshes (tREFI - tRFC), and tRFC; interval 0: never refreshed.
    """

    ap: int
    aap: int
    app: int
    tapp: int
    window: int
    interval: int
    refresh: int

    def of(self, kind: str, banks: int) -> int:
        """Return the ticks of a command that `banks` banks run at once.

        Each opens its rows when tFAW allows: every four activations of the rank take tFAW at least.
        """
        latency: int = getattr(self, kind)
        return max(latency, -(-banks * ACTIVATIONS[kind] * self.window // WINDOW))

    def by_banks(self, commands: Commands, banks: int) -> Ints:
        """Return int64[banks]: ticks of `commands`, one after the other, on 1, 2, ... banks at once."""
        b = np.arange(1, banks + 1, dtype=np.int64)
        total = np.zeros(banks, np.int64)
        for kind, activations in ACTIVATIONS.items():
            share = -(-b * activations * self.window // WINDOW)
            total += getattr(commands, kind) * np.maximum(getattr(self, kind), share)
        return total

    def refreshes(self, ticks: int) -> int:
        """Return how many refreshes fall into `ticks` of work."""
        return ticks // self.interval if self.interval else 0


@lru_cache(maxsize=256)
def timing_of(design: DramPimDesign) -> Timing:
    """Return the latencies of `design`."""
    ras, rp = row_seconds(design)
    c = CONSTANTS
    overlapped = design.overlapped
    rfc = REFRESH[design.device_density]
    observed = design.activation_window is not ActivationWindow.IGNORE
    return Timing(
        ap=_ticks(ras + rp),
        aap=_ticks(ras + rp + c.overlap_s) if overlapped else _ticks(ras + ras + rp),
        app=_ticks(c.overlapped_app_s if overlapped else c.app_s),
        tapp=_ticks(c.trimmed_app_s),
        window=_ticks(c.faw_1600_cycles * c.clock_1600_s) if observed else 0,
        interval=_ticks(c.refresh_interval_s - rfc) if design.refresh else 0,
        refresh=_ticks(rfc),
    )


def row_seconds(design: DramPimDesign) -> tuple[Sourced, Sourced]:
    """Return tRAS and tRP."""
    c = CONSTANTS
    clock = clock_of(design)
    ras = c.ras_1333_cycles if design.grade is Grade.DDR3_1333H else c.ras_1600_cycles
    return ras * clock, PRECHARGE[design.grade] * clock


def clock_of(design: DramPimDesign) -> Sourced:
    """Return tCK."""
    return CONSTANTS.clock_1333_s if design.grade is Grade.DDR3_1333H else CONSTANTS.clock_1600_s


def most_banks(design: DramPimDesign) -> int:
    """Return the banks that never open more than four rows in tFAW with back-to-back commands."""
    free = timing_of(design)
    kinds = ("ap", "aap", "app", "tapp") if design.technique is Technique.ELP2IM else ("ap", "aap")
    limits = [WINDOW * int(getattr(free, kind)) // (ACTIVATIONS[kind] * free.window) for kind in kinds]
    return min(limits)


def check_window(starts: Ints, window: int) -> None:
    """Raise InputError where more than four activations of a rank begin within tFAW.

    Parameters
    ----------
    starts : int64[activations]
        When each begins, in ticks and in order.
    window : int
        tFAW.
    """
    early = np.flatnonzero(starts[WINDOW:] - starts[:-WINDOW] < window)
    if early.size:
        at = int(early[0])
        raise InputError(f"activations {at} to {at + WINDOW} begin within {starts[at + WINDOW] - starts[at]} "
                         f"ticks; tFAW is {window}", where="dram_pim.tFAW",
                         hint="use fewer banks, or activation_window=wait")


def _ticks(time: Sourced) -> int:
    """Return a time in whole ticks; the constants are multiples of one."""
    exact = Fraction(repr(round(time.value, 15))) / Fraction(repr(CONSTANTS.tick_s.value))
    return math.ceil(exact)


__all__ = ["Timing", "check_window", "clock_of", "most_banks", "row_seconds", "timing_of"]
