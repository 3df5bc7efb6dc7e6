"""The coverage line: nodes, MACs and bytes, counted from the graph and from what the importer noted."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.coverage import coverage_of
from hwsim.graph.types import INT8


def test_networks_built_in_python_cost_every_operator() -> None:
    builder = GraphBuilder("net", format=INT8)
    x = builder.input("x", (2, 8))
    builder.output(builder.reshape(builder.relu(builder.linear(x, 4, bias=False)), (8,)))
    coverage = coverage_of(builder.build())
    assert coverage.line() == ("coverage: 3 nodes, 0 folded, 3 costed, 0 modeled as data movement, "
                               "0 unknown; 64 MACs and 72 bytes costed")
    # gemm: 16 + 32 + 8; relu: 8 + 8; reshape: nothing moves.
    assert coverage.bytes == 56 + 16
    assert (coverage.operators, coverage.movement_operators) == (3, 1)


def test_look_ups_read_what_they_return() -> None:
    builder = GraphBuilder("net", format=INT8)
    ids = builder.input("ids", (3,), format=INT8)
    builder.output(builder.embedding(ids, 1000, 10))
    assert coverage_of(builder.build()).bytes == 3 + 30 + 30


def test_a_node_without_a_fate_shows_as_unknown() -> None:
    builder = GraphBuilder("net", provenance={"nodes_in_file": "5", "nodes_folded": "2", "nodes_costed": "1",
                                              "nodes_as_data_movement": "1", "data_movement_types": "Foo x1"})
    builder.output(builder.relu(builder.input("x", (2,))))
    coverage = coverage_of(builder.build())
    assert coverage.nodes_unknown == 1
    assert "1 modeled as data movement (Foo x1), 1 unknown" in coverage.line()
