"""Graph -> trace: every edge passes through a processor once for its check and once for its variable."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from types import MappingProxyType

from accelerators.min_sum_decoder.design import MinSumDesign, Rule
from hwsim.errors import InputError
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph, Op
from hwsim.model.pins import write_pins
from hwsim.trace import Trace, TraceBuilder

TANH_REACH = 24.0
"""LLRs beyond this are too close to certainty for products of tanh in double precision."""
NODES = ("check_nodes", "variable_nodes")
UNIT_OF: Mapping[str, str] = MappingProxyType(
    {
        "add": "adders",
        "compare": "comparators",
        "logic": "signs",
        "multiply": "multipliers",
        "special": "tables",
    }
)
"""Which part of an edge processor does an elementary operation."""


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    del graph
    if op.kind in NODES or op.kind == "offload" or op_kind(op.kind).aliases or not op.inputs:
        return ""
    return f"{op.kind} is no step of a message-passing decoder; its networks are Tanner graphs (alist files)"


def lower(graph: Graph, design: MinSumDesign) -> Trace:
    """Return the trace of `graph` on `design`.

    Raises
    ------
    InputError
        More edges than the message memory has room for, or combined phases without a processor an edge.
    """
    for op in graph.ops:
        if op.kind in NODES:
            _check_room(graph, op, design)
    build = TraceBuilder()
    for op in graph.ops:
        if op.kind in NODES:
            _lower_nodes(build, graph, op, design)
        else:
            write_pins(build, graph, op)
    return build.build()


def _check_room(graph: Graph, op: Op, design: MinSumDesign) -> None:
    edges, bits = len(op.ints("variables")), graph.tensors[op.inputs[0]].shape[-1]
    where = f"{graph.name}.{op.name}"
    if bits > design.stored_codeword_bits:
        raise InputError(
            f"codewords of {bits} bits, the memory of totals has room for {design.stored_codeword_bits}",
            where=where,
            hint=f"set stored_codeword_bits={bits}",
        )
    reach = design.largest / design.llr_steps_ratio
    if op.kind == "check_nodes" and op.text("rule") == Rule.SUM_PRODUCT and reach > TANH_REACH:
        raise InputError(
            f"{design.llr_bits} bits at {design.llr_steps_ratio:g} steps reach LLRs of {reach:.4g}; "
            f"tables of tanh tell them apart up to {TANH_REACH:g}",
            where=where,
            hint=f"set llr_steps_ratio={design.largest / TANH_REACH:.3g} or more, or fewer llr_bits",
        )
    if edges > design.stored_edges:
        raise InputError(
            f"{edges} edges, the message memory has room for {design.stored_edges}",
            where=where,
            hint=f"set stored_edges={edges}",
        )
    if design.combined_phases and edges > design.edge_processors:
        raise InputError(
            f"combined_phases needs a processor for each of {edges} edges, there are "
            f"{design.edge_processors}",
            where=where,
            hint=f"set edge_processors={edges}",
        )


def _lower_nodes(build: TraceBuilder, graph: Graph, op: Op, design: MinSumDesign) -> None:
    """Write one phase: one codeword after the other, all its edges in groups of `edge_processors`.

    For its check an edge reads the total of its variable, takes out what the check said before, and enters
    the search; the answer is written when the check is complete. For its variable it is added to the total.
    """
    edges = len(op.ints("variables"))
    codewords = prod(graph.tensors[op.inputs[1]].shape[:-1])
    checks = op.kind == "check_nodes"
    total = graph.tensors[op.inputs[0] if checks else op.outputs[0]].format.bits
    message = graph.tensors[op.inputs[1]].format.bits
    with build.loop(codewords, node=op.name):
        if checks or not design.combined_phases:
            build.event("processors", "edge", edges)
        build.event("messages", "read", edges, bits=message)
        build.event("totals", "read", edges, bits=total)
        if checks:
            build.event("messages", "write", edges, bits=message)
            if len(op.inputs) > 2:
                weights = graph.tensors[op.inputs[2]]
                build.event("weight_memory", "read", weights.elements, bits=weights.format.bits)
        else:
            build.event("totals", "write", edges, bits=total)
        widths = {"add": total, "compare": message - 1, "logic": 1, "special": message}
        for name, count in work_of(graph, op).primitives.items():
            bits = widths.get(name, message)
            build.event(UNIT_OF[name], name, count // max(1, codewords), bits=bits)
    phase = (
        "in the clock of the checks" if design.combined_phases and not checks else "a sweep over all edges"
    )
    build.note(op.name, "mapping", f"{phase}, {edges} edges")
