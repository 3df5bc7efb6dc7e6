"""The verifier names every problem of a graph that was put together by hand."""

from dataclasses import replace

import pytest

from hwsim.errors import GraphError
from hwsim.graph import (
    BINARY,
    FLOAT32,
    FormatKind,
    GraphBuilder,
    NumberFormat,
    Op,
    Role,
    Sparsity,
    SparsityPattern,
    Tensor,
    verify_graph,
)


@pytest.fixture
def graph():
    builder = GraphBuilder("net")
    x = builder.input("x", (1, 4, 8, 8))
    x = builder.relu(builder.conv(x, 4, 3, name="conv"), "relu")
    builder.output(builder.add("softmax", x, name="soft"))
    return builder.build()


def with_op(graph, which, /, **changes):
    return replace(graph, ops=tuple(replace(op, **changes) if op.name == which else op for op in graph.ops))


def with_tensor(graph, which, /, **changes):
    return replace(graph, tensors={**graph.tensors, which: replace(graph.tensors[which], **changes)})


def without(graph, name):
    return replace(graph, tensors={key: t for key, t in graph.tensors.items() if key != name})


def extra(graph, tensor):
    return replace(graph, tensors={**graph.tensors, tensor.name: tensor})


BROKEN = [
    (lambda g: with_op(g, "relu", kind="elementwize"), "net.relu: unknown kind of operator 'elementwize'"),
    (lambda g: without(g, "conv"), "net.conv: unknown tensor 'conv'"),
    (lambda g: with_tensor(g, "conv", shape=(1, 4, 6, 7)),
     r"result 'conv' is \[1, 4, 6, 7\], but convolution of"),
    (lambda g: replace(g, ops=g.ops[::-1]), "reads 'relu' before 'relu' has produced it.*cycle or is not in"),
    (lambda g: with_op(g, "conv", inputs=("soft", *g.ops[0].inputs[1:])),
     "net.conv: reads 'soft' before 'soft'"),
    (lambda g: with_op(g, "relu", name="conv"), "operator name is empty or used twice"),
    (lambda g: with_op(g, "soft", outputs=("relu",)), "tensor 'relu' is also produced by 'relu'"),
    (lambda g: with_tensor(g, "relu", role=Role.WEIGHT), "role weight must not be produced"),
    (lambda g: with_tensor(g, "conv.weight", role=Role.ACTIVATION),
     "role activation is produced by no operator"),
    (lambda g: with_op(g, "soft", attributes={"axis": -1, "logarithm": False}),
     "net.soft.axis: is -1, in full 3"),
    (lambda g: with_op(g, "soft", attributes={"axis": 3}), "net.soft.logarithm: is None, in full False"),
    (lambda g: with_op(g, "soft", attributes={"axis": 3, "logarithm": False, "axes": 1}),
     "unknown attribute"),
    (lambda g: with_op(g, "relu", attributes={}), "net.relu.function: missing attribute"),
    (lambda g: with_op(g, "relu", probability=0.0), r"probability 0.0 is outside \(0, 1\]"),
    (lambda g: with_op(g, "relu", probability=1.5), "probability 1.5 is outside"),
    (lambda g: with_op(g, "relu", outputs=("",)), "result 'output' is left out"),
    (lambda g: with_op(g, "relu", outputs=("relu", "soft")), "has 2 results, elementwise gives 1 here"),
    (lambda g: with_op(g, "relu", inputs=()), "needs operand 'operand'"),
    (lambda g: with_tensor(g, "conv.weight", sparsity=Sparsity(1.2)), r"density 1.2 is outside \[0, 1\]"),
    (lambda g: with_tensor(g, "conv.weight", sparsity=Sparsity(0.5, index_bits=-1)), "index_bits -1"),
    (lambda g: with_tensor(g, "conv.weight", sparsity=Sparsity(0.5, SparsityPattern.N_OF_M, (4, 2))),
     r"group \[4, 2\] must be \(n, m\)"),
    (lambda g: with_tensor(g, "conv.weight", sparsity=Sparsity(0.6, SparsityPattern.N_OF_M, (2, 4))),
     "density 0.6 is above 2 of 4"),
    (lambda g: with_tensor(g, "conv.weight", sparsity=Sparsity(0.5, SparsityPattern.BLOCK)),
     "must be the shape of a block"),
    (lambda g: with_tensor(g, "conv", format=NumberFormat(FormatKind.INTEGER, 0)), "format has 0 bits"),
    (lambda g: with_tensor(g, "conv", format=NumberFormat(FormatKind.FLOAT, 8, 9)), "9 exponent bits of 8"),
    (lambda g: with_tensor(g, "conv", format=replace(BINARY, bits=2)), "a binary format has 1 bit, not 2"),
    (lambda g: with_tensor(g, "conv", name="other"), "named 'other' but stored as 'conv'"),
    (lambda g: with_tensor(g, "conv.bias", shape=(-4,)), r"shape \[-4\] holds a negative size"),
    (lambda g: replace(g, outputs=("sof",)), "output 'sof' is no tensor .did you mean 'soft'"),
    (lambda g: replace(g, outputs=()), "the graph has no output"),
    (lambda g: replace(g, inputs=()), "has role input but is not among the inputs"),
    (lambda g: replace(g, inputs=("x", "conv.bias")), "is an input of the graph but has role weight"),
    (lambda g: extra(g, Tensor("stray", (3,), FLOAT32, Role.WEIGHT)), "net.stray: dangles"),
    (lambda g: extra(g, Tensor("stray", (3,), FLOAT32, Role.ACTIVATION)), "is produced by no operator"),
]


def test_a_good_graph_passes(graph):
    assert verify_graph(graph) is None


@pytest.mark.parametrize(("damage", "message"), BROKEN)
def test_damage_is_named(graph, damage, message):
    with pytest.raises(GraphError, match=message):
        verify_graph(damage(graph))


def test_all_problems_are_reported_at_once(graph):
    broken = with_op(with_tensor(graph, "conv.weight", sparsity=Sparsity(2.0)), "relu", kind="nothing")
    broken = replace(broken, outputs=("soft", "missing"))
    with pytest.raises(GraphError) as caught:
        verify_graph(broken)
    assert {problem.where for problem in caught.value.problems} == {"net.conv.weight", "net.relu", "net"}


def test_a_state_may_be_an_input_and_be_produced(graph):
    builder = GraphBuilder("loop")
    x, h = builder.input("x", (2, 3)), builder.state("h", (2, 3))
    builder.output(builder.sum(x, h))
    assert builder.build().tensors["h"].role is Role.STATE


def test_an_unknown_kind_of_operator_without_tensors_is_no_crash(graph):
    broken = replace(graph, ops=(*graph.ops, Op("odd", "odd", (), ())))
    with pytest.raises(GraphError, match=r"net\.odd: unknown kind of operator 'odd'"):
        verify_graph(broken)
