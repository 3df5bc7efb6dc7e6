"""Prices of the racetrack memory: times and energies of shifts, reads and writes, and leakage."""

from __future__ import annotations

from accelerators.racetrack_memory.design import CONSTANTS, RESOLUTION_HZ, RacetrackMemoryDesign, ShiftLatency
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import chosen


def datasheet(design: RacetrackMemoryDesign) -> Datasheet:
    """Return the datasheet of `design`; energies are those of one access or shift of a whole cluster.

    Times are whole picoseconds. In the level that is compatible with RTSim an access pays for one shift
    whatever the distance, while energy follows the distance in both.
    """
    c = CONSTANTS
    shift, read, write = (design.picoseconds(t) for t in (design.shift_s, design.read_s, design.write_s))
    rows = [
        ActionRow("port", "read", energy=c.read_j, interval_cycles=read),
        ActionRow("port", "write", energy=c.write_j, interval_cycles=write),
    ]
    if design.shift_latency is ShiftLatency.PHYSICAL:
        rows.append(ActionRow("tape", "shift", energy=c.shift_j, interval_cycles=shift))
    else:
        rows += [
            ActionRow(
                "tape",
                "shift",
                energy=c.shift_j,
                interval_cycles=0,
                zero_time="one command moves any distance",
            ),
            ActionRow("tape", "command", interval_cycles=shift, zero_energy="charged as shifts"),
        ]
    missing = "the area of the configuration is not published"
    return Datasheet(
        clock_hz=chosen(RESOLUTION_HZ, "_hz", "1 / picosecond"),
        actions=tuple(rows),
        units=(
            UnitRow("port", zero_area=missing, zero_leakage="inside that of the tapes"),
            UnitRow("tape", leakage=c.leakage_w, zero_area=missing),
        ),
    )
