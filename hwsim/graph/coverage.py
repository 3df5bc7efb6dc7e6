"""How much of a network the model has really costed: the line that every report carries."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.graph.ops import Category, op_kind, work_of
from hwsim.graph.types import Graph, Op

_SELECTING = ("gather", "gather_elements", "gather_nd", "slice")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of the nodes of a network.

    Attributes
    ----------
    nodes_in_file : int
        Nodes of the file; operators, for networks built in Python.
    nodes_folded : int
        Nodes evaluated at import, dropped (identity, dropout) or needed by no output.
    nodes_costed : int
        Nodes that stand in the graph as operators of their own kind.
    nodes_as_data_movement : int
        Nodes outside the op table that are modeled as reading their inputs and writing their outputs.
    nodes_unknown : int
        Nodes of which none of this is true; importers refuse them, so a report shows 0.
    operators : int
        Operators of the graph.
    movement_operators : int
        Those of them that rearrange data without arithmetic, by nature.
    macs : int
        Multiply-accumulates of all operators.
    bytes : int
        Bytes of every operand read and every result written, each once per operator; gathers and slices
        read what they return, aliases move nothing.
    data_movement_types : str
        Operator types behind `nodes_as_data_movement`.
    """

    nodes_in_file: int
    nodes_folded: int
    nodes_costed: int
    nodes_as_data_movement: int
    nodes_unknown: int
    operators: int
    movement_operators: int
    macs: int
    bytes: int
    data_movement_types: str = ""

    def line(self) -> str:
        """Return the coverage as one line of text."""
        moved = f"{self.nodes_as_data_movement} modeled as data movement"
        if self.data_movement_types:
            moved += f" ({self.data_movement_types})"
        return (f"coverage: {self.nodes_in_file} nodes, {self.nodes_folded} folded, "
                f"{self.nodes_costed} costed, {moved}, {self.nodes_unknown} unknown; "
                f"{self.macs:,} MACs and {self.bytes:,} bytes costed")


def coverage_of(graph: Graph) -> Coverage:
    """Return the coverage of `graph`, with the node counts that its importer noted."""
    notes = graph.provenance
    in_file = int(notes.get("nodes_in_file", len(graph.ops)))
    folded = int(notes.get("nodes_folded", 0))
    costed = int(notes.get("nodes_costed", len(graph.ops)))
    moved = int(notes.get("nodes_as_data_movement", 0))
    kinds = [op_kind(op.kind) for op in graph.ops]
    return Coverage(
        nodes_in_file=in_file, nodes_folded=folded, nodes_costed=costed, nodes_as_data_movement=moved,
        nodes_unknown=in_file - folded - costed - moved, operators=len(graph.ops),
        movement_operators=sum(kind.category is Category.MOVEMENT for kind in kinds),
        macs=sum(work_of(graph, op).macs for op in graph.ops),
        bytes=(sum(_bits(graph, op) for op in graph.ops) + 7) // 8,
        data_movement_types=notes.get("data_movement_types", ""))


def _bits(graph: Graph, op: Op) -> int:
    """Return the bits that `op` reads and writes."""
    if op_kind(op.kind).aliases:
        return 0
    written = sum(tensor.bits for tensor in graph.results(op) if tensor is not None)
    read = [0 if tensor is None else tensor.bits for tensor in graph.operands(op)]
    if op.kind in _SELECTING:
        read[0] = min(read[0], written)
    return sum(read) + written
