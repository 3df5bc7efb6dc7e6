"""Pins of a chip that models no memory outside: what passes them, and that it costs nothing."""

from __future__ import annotations

from hwsim.graph.offload import is_still, operand_traffic
from hwsim.graph.types import Graph, Op
from hwsim.model.types import ActionRow, UnitRow
from hwsim.trace import TraceBuilder

UNMODELED = "pins and their supply are not modeled"


def write_pins(
    build: TraceBuilder, graph: Graph, op: Op, entering: str = "read", leaving: str = "write"
) -> None:
    """Write an operator that moves data at most: aliases and constants nothing, an offload its tensors.

    Parameters
    ----------
    build : TraceBuilder
        Trace to write to.
    graph, op : Graph, Op
        Operator that is another name, a constant, or run elsewhere.
    entering, leaving : str
        Actions of the unit "io" for operands and for results.
    """
    build.node(op.name)
    if is_still(op) or not op.int("moves"):
        build.note(op.name, "mapping", "no data moves")
        return
    reads, writes = operand_traffic(graph, op)
    with build.loop(1, node=op.name):
        build.event("io", entering, 1, bits=reads)
        build.event("io", leaving, 1, bits=writes)


def pin_actions(zero_time: str, *actions: str) -> tuple[ActionRow, ...]:
    """Return the rows of the unit "io", read and write unless others are named; `zero_time` is the reason."""
    return tuple(
        ActionRow("io", action, interval_cycles=0, zero_energy=UNMODELED, zero_time=zero_time)
        for action in actions or ("read", "write")
    )


def pin_unit() -> UnitRow:
    """Return the unit "io"."""
    return UnitRow("io", role="link", zero_area=UNMODELED, zero_leakage=UNMODELED)
