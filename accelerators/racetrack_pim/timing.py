"""Two named levels of time that never mix: cycles of the device, and of a controller's command sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hwsim.constants import Constants
from hwsim.errors import InputError


class Level(StrEnum):
    """Where a command's time is counted."""

    DEVICE = "device"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class LevelCycles:
    """Cycles of one level; sums and comparisons with the other level are refused.

    Attributes
    ----------
    cycles : int
        How many.
    level : Level
        Of which level.
    """

    cycles: int
    level: Level

    def __add__(self, other: LevelCycles) -> LevelCycles:
        """Return the sum; InputError for two levels."""
        return LevelCycles(self.cycles + self._same(other), self.level)

    def __mul__(self, times: int) -> LevelCycles:
        """Return `times` as many cycles."""
        return LevelCycles(self.cycles * times, self.level)

    def __lt__(self, other: LevelCycles) -> bool:
        """Compare; InputError for two levels."""
        return self.cycles < self._same(other)

    def _same(self, other: LevelCycles) -> int:
        if other.level is not self.level:
            raise InputError(
                f"{self.cycles} cycles of the {self.level} and {other.cycles} of the {other.level} level",
                where="racetrack_pim.timing",
                hint="the levels differ by an order of magnitude and never mix; choose one",
            )
        return other.cycles


# The second carry leaves with the first one; at device level both leave with the sum.
_WITH_THE_SUM = ("write_carry", "write_second_carry")


def command_cycles(level: Level, constants: Constants) -> Mapping[tuple[str, str], LevelCycles]:
    """Return the cycles of every (unit, action) at `level`; 0 where another command hides it.

    Device: every command takes one cycle, S, C and C' of a column are written at once, and operands are read
    in another cluster while the last one is written. Controller: commands go over the bus one by one; only
    C' is free, as in the published 451 cycles.
    """
    if level is Level.DEVICE:
        one = int(constants.device_command_cycles)
        times = dict.fromkeys(TAPE_ACTIONS, one) | dict.fromkeys(_WITH_THE_SUM, 0)
        found = {("tape", action): count for action, count in times.items()}
        found |= {("storage", "read"): 0, ("storage", "shift"): 0, ("storage", "write"): 0}
        found["storage", "copy"] = 2 * one
    else:
        write, read = int(constants.controller_write_cycles), int(constants.controller_read_cycles)
        shift = int(constants.controller_shift_cycles)
        times = dict.fromkeys(TAPE_ACTIONS, write) | {
            "shift": shift,
            "read": read,
            "transverse_read": read,
            "transverse_write": int(constants.controller_transverse_write_cycles),
            "write_second_carry": 0,
        }
        found = {("tape", action): count for action, count in times.items()}
        found |= {("storage", "read"): read, ("storage", "shift"): shift, ("storage", "write"): write}
        found["storage", "copy"] = read + write
    return {key: LevelCycles(count, level) for key, count in found.items()}


TAPE_ACTIONS = (
    "shift",
    "read",
    "write",
    "transverse_read",
    "transverse_write",
    "write_sum",
    "write_carry",
    "write_second_carry",
)
