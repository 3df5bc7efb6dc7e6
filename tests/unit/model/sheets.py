"""Small datasheets and traces with round numbers, for expectations worked out by hand."""

from __future__ import annotations

from typing import Any

from hwsim.model.types import ActionRow, Datasheet, Overhead, UnitRow
from hwsim.sourced import Sourced, chosen
from hwsim.trace import LoopKind, Trace, TraceBuilder


def joules(value: float) -> Sourced:
    return chosen(value, "_j", "chosen")


def per_bit(value: float) -> Sourced:
    return chosen(value, "_j_per_bit", "chosen")


def rate(value: float) -> Sourced:
    return chosen(value, "_bits_per_s", "chosen")


def watts(value: float) -> Sourced:
    return chosen(value, "_w", "chosen")


def hertz(value: float) -> Sourced:
    return chosen(value, "_hz", "chosen")


def compute(**changes: Any) -> ActionRow:
    """Four events at once, two cycles a group, 3 J an event."""
    return ActionRow("alu", "add", **({"energy": joules(3.0), "lanes": 4, "interval_cycles": 2} | changes))


def transfer(action: str = "read", **changes: Any) -> ActionRow:
    """Three bits a second at a clock of one hertz, half a joule a bit."""
    given = {"energy_per_bit": per_bit(0.5), "bits_per_s": rate(3.0), "interval_cycles": 0}
    return ActionRow("dram", action, **(given | changes))


def unit(name: str, **changes: Any) -> UnitRow:
    return UnitRow(name, **({"zero_area": "drawn nowhere", "zero_leakage": "cold"} | changes))


def sheet(
    *actions: ActionRow,
    clock: float = 1.0,
    units: tuple[UnitRow, ...] = (),
    clocks: dict[str, Sourced] | None = None,
    overheads: tuple[Overhead, ...] = (),
) -> Datasheet:
    """A chip of an adder and a memory, unless told otherwise."""
    return Datasheet(
        hertz(clock),
        actions or (compute(), transfer(), transfer("write")),
        units or (unit("alu"), unit("dram", role="memory")),
        clocks or {},
        overheads,
    )


def two_layers() -> Trace:
    """Layer a: 2 x (10 adds, 7 bits read at once); layer b: 9 bits read, then 5 adds, then 4 bits written."""
    build = TraceBuilder()
    with build.loop(2, node="a"), build.loop(1, LoopKind.PAR):
        build.event("alu", "add", 10)
        build.event("dram", "read", 1, bits=7)
    with build.loop(1, node="b"):
        build.event("dram", "read", 3, bits=3)
        build.event("alu", "add", 5)
        build.event("dram", "write", 1, bits=4)
    return build.build()
