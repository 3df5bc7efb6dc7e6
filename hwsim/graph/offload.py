"""Operators that run elsewhere, as data movement or as nothing, and others that cost nothing."""

from __future__ import annotations

from dataclasses import replace

from hwsim.graph.ops import op_kind
from hwsim.graph.types import Graph, Op, Shape
from hwsim.graph.verify import verify_graph


def shapes_text(shapes: tuple[Shape, ...]) -> str:
    """Return shapes as the attribute `shapes` of kind ``offload`` holds them: ``1x3x4;2``."""
    return ";".join("x".join(map(str, shape)) for shape in shapes)


def offload(graph: Graph, names: frozenset[str], *, moves: bool) -> Graph:
    """Return `graph` with some operators run elsewhere.

    Parameters
    ----------
    graph : Graph
        Network.
    names : frozenset of str
        Operators to replace; tensors and all other operators stay as they are.
    moves : bool
        True charges their operands and results as data movement, False charges nothing.
    """
    replaced = replace(
        graph, ops=tuple(_elsewhere(graph, op, moves) if op.name in names else op for op in graph.ops)
    )
    verify_graph(replaced)
    return replaced


def is_still(op: Op) -> bool:
    """Return whether `op` moves nothing while the network runs: another name for its input, or a constant."""
    return op_kind(op.kind).aliases or not op.inputs


def is_free(op: Op) -> bool:
    """Return whether `op` moves nothing: another name for its input, or run elsewhere without traffic."""
    return op_kind(op.kind).aliases or (op.kind == "offload" and not op.int("moves"))


def operand_traffic(graph: Graph, op: Op) -> tuple[int, int]:
    """Return the bits of the operands of `op`, each tensor once, and those of its results."""
    reads = sum(graph.tensors[name].bits for name in dict.fromkeys(op.inputs) if name)
    return reads, sum(graph.tensors[name].bits for name in op.outputs if name)


def _elsewhere(graph: Graph, op: Op, moves: bool) -> Op:
    outputs = tuple(name for name in op.outputs if name)
    shapes = tuple(graph.tensors[name].shape for name in outputs)
    return replace(
        op,
        kind="offload",
        inputs=tuple(name for name in op.inputs if name),
        outputs=outputs,
        attributes={"shapes": shapes_text(shapes), "moves": int(moves)},
        origin=op.origin or op.kind,
    )
