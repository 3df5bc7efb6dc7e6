"""Figures of the chip's own: counts per iteration as the papers compare decoders, throughput and latency."""

from __future__ import annotations

from accelerators.min_sum_decoder.design import MinSumDesign
from hwsim.graph.ops import work_of
from hwsim.graph.tanner import TannerGraph, tanner_of
from hwsim.graph.types import Graph, Op

LARGEST_MATRIX = 2**22
"""Elements of the largest parity-check matrix that is reduced for a figure: well below a second."""


def figures(graph: Graph, design: MinSumDesign) -> dict[str, float]:
    """Return counts of one codeword and iteration, and what the clock makes of the cycles.

    Information bits need an elimination and are left out for very large codes.

    `neural_bp_multiplications_count` is what belief propagation with a weight for every pair of edges at a
    variable, and one for every channel value, would multiply in an iteration (Nachmani et al. 2018).
    """
    from accelerators.min_sum_decoder.channel import encoder_of

    checks = next((op for op in graph.ops if op.kind == "check_nodes"), None)
    if checks is None:
        return {}
    frames, length = graph.tensors[checks.inputs[0]].shape[0], graph.tensors[checks.inputs[0]].shape[-1]
    tanner = tanner_of(checks, length)
    iterations = sum(op.kind == "check_nodes" for op in graph.ops)
    small = tanner.length * len(tanner.checks) <= LARGEST_MATRIX
    information = encoder_of(tanner).information.size if small else None
    phases = 1 if design.combined_phases else 2
    cycles = iterations * phases * -(-tanner.edges // design.edge_processors)
    first = [op for op in graph.ops if op.kind in ("check_nodes", "variable_nodes")][:2]
    found = {
        "edges_count": float(tanner.edges),
        **{
            f"{name}_per_iteration_count": count / max(1, frames)
            for name, count in _per_iteration(graph, first)
        },
        "weights_count": float(graph.parameters),
        "neural_bp_multiplications_count": float(neural_bp_multiplications(tanner)),
        "weights_over_neural_bp_ratio": graph.parameters / (iterations * neural_bp_multiplications(tanner)),
        "cycles_per_codeword_count": float(cycles),
        "latency_s": cycles / design.clock_hz,
        "codewords_per_s": design.clock_hz / cycles,
    }
    if information is not None:
        found["information_bits"] = float(information)
        found["throughput_bits_per_s"] = information * design.clock_hz / cycles
    return found


def _per_iteration(graph: Graph, ops: list[Op]) -> list[tuple[str, int]]:
    """Return the elementary operations of one iteration, of all codewords."""
    names = {
        "add": "additions",
        "compare": "comparisons",
        "logic": "sign_xors",
        "multiply": "multiplications",
        "special": "table_readings",
    }
    return [
        (shown, sum(work_of(graph, op).primitives.get(name, 0) for op in ops))
        for name, shown in names.items()
    ]


def neural_bp_multiplications(tanner: TannerGraph) -> int:
    """Return sum d (d - 1) + E over variables of degree d: pairs of edges, and one product an edge."""
    return sum(degree * (degree - 1) for degree in tanner.variable_degrees) + tanner.edges
