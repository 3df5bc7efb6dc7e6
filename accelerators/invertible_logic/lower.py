"""Graph -> trace: all gates anneal together as one network of spins."""

from __future__ import annotations

from accelerators.invertible_logic.circuit import is_gate
from accelerators.invertible_logic.design import InvertibleLogicDesign, Update
from accelerators.invertible_logic.widths import Built, built
from hwsim.errors import InputError
from hwsim.graph.offload import is_still
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Op
from hwsim.model.pins import write_pins
from hwsim.trace import Trace, TraceBuilder

DRAW_BITS = {Update.SYNCHRONOUS: 1, Update.SEQUENTIAL: 32}
"""Random bits of an update: a sign, or a number to compare with a probability."""

LARGEST = 2**62


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    if is_gate(op):
        shapes = {tensor.shape for tensor in graph.operands(op) if tensor is not None}
        return "" if all(len(shape) < 2 for shape in shapes) else "a wire is one bit, or one bit a sample"
    if op.kind == "offload" or is_still(op):
        return ""
    return f"{op.kind} is no logic gate and no adder cell"


def prepare(graph: Graph, design: InvertibleLogicDesign) -> Graph:
    """Return `graph` unchanged: wires are bits whatever their format."""
    del design
    return graph


def lower(graph: Graph, design: InvertibleLogicDesign) -> Trace:
    """Return the trace of `graph` on `design`.

    Raises
    ------
    InputError
        More bits of adders and counters than the chip is built with, or more than can be counted.
    """
    build = TraceBuilder()
    gates = [op for op in graph.ops if is_gate(op)]
    for op in graph.ops:
        if not is_gate(op):
            write_pins(build, graph, op, "clamp", "read")
    if gates:
        _lower_gates(build, graph, gates, built(graph, design), design)
    return build.build()


def clocks_of(spins: int, batch: int, design: InvertibleLogicDesign) -> int:
    """Return the clocks of a run of every operand: all spins in one, or one spin in each."""
    sweeps = batch * design.anneals * design.anneal_cycles
    return sweeps * (spins if design.update is Update.SEQUENTIAL else 1)


def _lower_gates(
    build: TraceBuilder, graph: Graph, gates: list[Op], made: Built, design: InvertibleLogicDesign
) -> None:
    needed, head, circuit = int(made.bits.sum()), gates[0], made.circuit
    if needed > design.built_bits:
        raise InputError(
            f"{needed} bits of adders and counters, the chip is built with {design.built_bits}",
            where=graph.name,
            hint=f"set built_bits={needed}",
        )
    sweeps = circuit.batch * design.anneals * design.anneal_cycles
    if max(needed, 32) * sweeps * made.network.spins > LARGEST:
        raise InputError(
            f"{needed * sweeps:.3e} bits of updates are too many to count in 64 bits", where=graph.name
        )
    placed_spins = {spin for placed in circuit.gates for spin in placed.spins}
    loose = [spin for spin in range(made.network.spins) if spin not in placed_spins]
    owned: set[int] = set()
    with build.loop(1, node=head.name):
        clocks = clocks_of(made.network.spins, circuit.batch, design)
        build.event("control", "clock", clocks)
        build.event("spins", "hold", clocks, bits=needed)
        for op, placed in zip(gates, circuit.gates, strict=True):
            mine = (*placed.spins, *loose) if op is head else placed.spins
            own = [spin for spin in dict.fromkeys(mine) if spin not in owned]
            owned.update(own)
            for spin in own:
                build.event("spins", "update", sweeps, bits=int(made.bits[spin]), node=op.name)
            if own:
                build.event("noise", "draw", sweeps * len(own), bits=DRAW_BITS[design.update], node=op.name)
            build.event("gates", "resolve", work_of(graph, op).primitives["logic"], node=op.name)
            build.note(op.name, "mapping", f"{placed.gate.name}, {len(own)} spins of its own")
            if op is not head:
                build.note(op.name, "fused_into", head.name)
        build.event("io", "clamp", 1, bits=len(circuit.inputs) * circuit.batch)
        build.event("io", "read", 1, bits=len(circuit.visible) * circuit.batch)
