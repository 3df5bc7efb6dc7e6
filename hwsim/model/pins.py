"""What runs elsewhere, as data through the pins of a chip that has no memory of its own outside."""

from __future__ import annotations

from hwsim.graph.offload import is_still, operand_traffic
from hwsim.graph.types import Graph, Op
from hwsim.trace import TraceBuilder


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
