"""Order, cycles, ancestors, chains and the longest path."""

from dataclasses import replace

import pytest

from hwsim.errors import GraphError
from hwsim.graph import GraphBuilder, verify_graph
from hwsim.graph.algorithms import (
    ancestors,
    chains,
    descendants,
    find_cycle,
    longest_path,
    operator_graph,
    sort_operators,
    topological_order,
)


@pytest.fixture
def diamond():
    builder = GraphBuilder("diamond")
    x = builder.relu(builder.input("x", (2, 2)), "a")
    left = builder.relu(builder.relu(x, "b"), "c")
    right = builder.elementwise("tanh", x, name="d")
    builder.output(builder.relu(builder.sum(left, right, "e"), "f"),
                   builder.elementwise("multiply", x, x, name="g"))
    return builder.build()


def test_edges_carry_the_tensors(diamond):
    digraph = operator_graph(diamond)
    assert set(digraph.edges) == {("a", "b"), ("b", "c"), ("a", "d"), ("c", "e"), ("d", "e"), ("e", "f"),
                                  ("a", "g")}
    assert digraph.edges["a", "g"]["tensors"] == ("a",)


def test_order_keeps_the_given_one_where_it_can(diamond):
    assert topological_order(diamond) == ("a", "b", "c", "d", "e", "f", "g")
    shuffled = replace(diamond, ops=diamond.ops[::-1])
    assert sort_operators(shuffled).ops[0].name == "a"
    verify_graph(sort_operators(shuffled))


def test_ancestors_and_descendants(diamond):
    assert ancestors(diamond, "e") == {"a", "b", "c", "d"}
    assert descendants(diamond, "d") == {"e", "f"}
    with pytest.raises(GraphError, match="diamond: unknown operator 'z'"):
        ancestors(diamond, "z")


def test_chains_break_at_branches_and_joins(diamond):
    assert chains(diamond) == (("a",), ("b", "c"), ("d",), ("e", "f"), ("g",))


def test_longest_path_sums_costs(diamond):
    cost = dict.fromkeys("abcefg", 1.0)
    assert longest_path(diamond, cost | {"d": 1.5}) == ("a", "b", "c", "e", "f")
    assert longest_path(diamond, cost | {"d": 2.5}) == ("a", "d", "e", "f")


def test_a_cycle_is_named(diamond):
    looped = replace(diamond, ops=(replace(diamond.ops[0], inputs=("e",)), *diamond.ops[1:]))
    assert find_cycle(diamond) == ()
    assert set(find_cycle(looped)) in ({"a", "b", "c", "e"}, {"a", "d", "e"})
    with pytest.raises(GraphError, match=r"diamond: operators form a cycle: .*a.* -> "):
        topological_order(looped)
