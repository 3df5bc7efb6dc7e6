"""Gates and adder cells: operands, shapes, formats and their count of logic operations."""

from __future__ import annotations

import pytest

from hwsim.errors import GraphError
from hwsim.graph import BOOLEAN, GraphBuilder, work_of
from hwsim.graph.ops.logic import GATE_OPERANDS


@pytest.mark.parametrize("function", GATE_OPERANDS)
def test_a_gate_is_one_logic_operation_a_position(function: str) -> None:
    b = GraphBuilder("gates", format=BOOLEAN)
    wires = [b.input(f"x{i}", (3, 4)) for i in range(GATE_OPERANDS[function])]
    b.output(b.add("logic_gate", wires, name="gate", function=function))
    graph = b.build()
    assert work_of(graph, graph.ops[0]).primitives == {"logic": 12}
    assert graph.tensors["gate"].shape == (3, 4)
    assert graph.tensors["gate"].format == BOOLEAN


@pytest.mark.parametrize(("operands", "gates"), [(2, 2), (3, 5)])
def test_adder_cells_are_two_or_five_gates(operands: int, gates: int) -> None:
    b = GraphBuilder("cells", format=BOOLEAN)
    wires = [b.input(f"x{i}", (7,)) for i in range(operands)]
    b.output(*b.add_many("adder_cell", wires, name="cell", outputs=["s", "c"]))
    graph = b.build()
    assert work_of(graph, graph.ops[0]).primitives == {"logic": 7 * gates}
    assert [graph.tensors[name].shape for name in ("s", "c")] == [(7,), (7,)]


def test_what_does_not_fit_is_refused() -> None:
    b = GraphBuilder("bad", format=BOOLEAN)
    one, two = b.input("one", (1,)), b.input("two", (2,))
    with pytest.raises(GraphError, match="and takes 2 operands, not 1"):
        b.add("logic_gate", [one], function="and")
    with pytest.raises(GraphError, match="not takes 1 operands, not 2"):
        b.add("logic_gate", [one, one], function="not")
    with pytest.raises(GraphError, match="function is 'andd'"):
        b.add("logic_gate", [one, one], function="andd")
    with pytest.raises(GraphError, match=r"operands \[1\], \[2\] must be of one shape"):
        b.add("logic_gate", [one, two], function="or")
    with pytest.raises(GraphError, match=r"operands \[1\], \[2\] must be of one shape"):
        b.add("adder_cell", [one, two])
