"""How much of a network the model has really costed: the line that every report carries."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.graph.ops import Category, op_kind, work_of
from hwsim.graph.types import Graph


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
        Nodes that cost nothing because nobody knows them: always 0, they are an error.
    operators : int
        Operators of the graph.
    movement_operators : int
        Those of them that rearrange data without arithmetic, by nature.
    macs : int
        Multiply-accumulates of all operators.
    bytes : int
        Bytes of every operand read and every result written, each once per operator; aliases move none.
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
    moved = int(notes.get("nodes_as_data_movement", 0))
    kinds = [op_kind(op.kind) for op in graph.ops]
    bits = 0
    for op, kind in zip(graph.ops, kinds, strict=True):
        if not kind.aliases:
            tensors = (*graph.operands(op), *graph.results(op))
            bits += sum(tensor.bits for tensor in tensors if tensor is not None)
    return Coverage(
        nodes_in_file=in_file, nodes_folded=folded, nodes_costed=in_file - folded - moved,
        nodes_as_data_movement=moved, nodes_unknown=0, operators=len(graph.ops),
        movement_operators=sum(kind.category is Category.MOVEMENT for kind in kinds),
        macs=sum(work_of(graph, op).macs for op in graph.ops), bytes=(bits + 7) // 8,
        data_movement_types=notes.get("data_movement_types", ""))
