"""Passes: what they change, what they leave alone, and that the result is valid."""

import pytest

from hwsim.errors import GraphError
from hwsim.graph import (
    BINARY,
    FLOAT32,
    INT4,
    INT8,
    INT16,
    INT64,
    GraphBuilder,
    drop_identity,
    fold_batch_normalization,
    macs,
    remove_dead,
    set_precision,
    verify_graph,
)


def kinds(graph):
    return [op.kind for op in graph.ops]


def test_folding_adds_a_bias_and_drops_scale_and_shift():
    builder = GraphBuilder("g")
    x = builder.conv(builder.input("x", (1, 3, 8, 8)), 4, 3, bias=False, name="c")
    builder.output(builder.relu(builder.batch_norm(x, "n"), "r"))
    graph = builder.build()
    folded = fold_batch_normalization(graph)
    assert kinds(folded) == ["convolution", "elementwise"]
    assert folded.ops[0].outputs == ("n",)
    assert folded.tensors["c.bias"].shape == (4,)
    assert graph.parameters == 108 + 8
    assert folded.parameters == 108 + 4
    assert macs(folded) == macs(graph)
    assert not {"n.scale", "n.mean", "c"} & set(folded.tensors)


def test_folding_keeps_a_bias_that_is_there():
    builder = GraphBuilder("g")
    x = builder.conv_transpose(builder.input("x", (1, 3, 8, 8)), 4, 3, name="c")
    x = builder.batch_norm(builder.flatten(builder.batch_norm(x)))
    builder.output(builder.batch_norm(builder.linear(x, 5)))
    folded = fold_batch_normalization(builder.build())
    assert kinds(folded) == ["transposed_convolution", "reshape", "batch_normalization", "gemm"]
    assert folded.ops[0].inputs == ("x", "c.weight", "c.bias")


def never_folds(make):
    builder = GraphBuilder("g")
    make(builder)
    graph = builder.build()
    return fold_batch_normalization(graph) == graph


def test_a_result_that_is_read_elsewhere_is_not_folded():
    def make(b):
        x = b.conv(b.input("x", (1, 3, 4, 4)), 3, 1)
        b.output(b.sum(b.batch_norm(x), x))
    assert never_folds(make)


def test_a_network_output_is_not_folded():
    def make(b):
        x = b.conv(b.input("x", (1, 3, 4, 4)), 3, 1)
        b.output(b.batch_norm(x), x)
    assert never_folds(make)


def test_tied_weights_are_not_folded():
    def make(b):
        x, w = b.input("x", (1, 3, 4, 4)), b.weight("w", (3, 3, 1, 1))
        b.output(b.batch_norm(b.add("convolution", [b.add("convolution", [x, w]), w])))
    assert never_folds(make)


def test_binary_weights_are_not_folded():
    def make(b):
        b.output(b.batch_norm(b.add("convolution", [b.input("x", (1, 3, 4, 4)),
                                                    b.weight("w", (3, 3, 1, 1), format=BINARY)])))
    assert never_folds(make)


def test_a_broadcast_gemm_bias_is_not_folded():
    def make(b):
        b.output(b.batch_norm(b.add("gemm",
                                    [b.input("x", (4, 3)), b.weight("w", (3, 3)), b.weight("c", (4, 1))])))
    assert never_folds(make)


@pytest.fixture
def language_model():
    builder = GraphBuilder("lm")
    tokens = builder.input("tokens", (5, 2), format=INT64)
    x = builder.embedding(tokens, 50, 8, name="table")
    x = builder.linear(builder.layer_norm(x, "norm"), 50, name="head")
    builder.output(builder.add("arg_reduce", x, name="best", function="max", axis=-1))
    return builder.build()


def test_precision_by_role(language_model):
    graph = set_precision(language_model, weights=INT4, activations=INT8, biases=INT16)
    formats = {name: tensor.format for name, tensor in graph.tensors.items()}
    assert formats["head.weight"] == formats["table.weight"] == INT4
    assert formats["head.bias"] == formats["norm.scale"] == INT16
    assert formats["head"] == formats["table"] == INT8
    assert formats["tokens"] == formats["best"] == INT64


def test_precision_twice_and_of_single_tensors(language_model):
    once = set_precision(language_model, weights=INT8, activations=INT8)
    graph = set_precision(once, weights=INT4, tensors={"head": INT16})
    assert graph.tensors["head.bias"].format == INT4
    assert graph.tensors["head"].format == INT16
    assert graph.tensors["norm"].format == INT8
    assert set_precision(graph) == graph


def test_precision_of_an_unknown_tensor(language_model):
    with pytest.raises(GraphError, match=r"lm\.haed: unknown tensor .did you mean 'head'"):
        set_precision(language_model, tensors={"haed": INT8})


def test_precision_does_not_touch_other_formats(language_model):
    graph = set_precision(language_model, activations=INT8)
    assert graph.tensors["head.weight"].format == FLOAT32


def test_identities_disappear_and_readers_take_the_operand():
    builder = GraphBuilder("g")
    x = builder.relu(builder.input("x", (2, 2)), "r")
    x = builder.add("identity", builder.add("identity", x))
    builder.output(builder.softmax(x, name="s"))
    graph = drop_identity(builder.build())
    assert [(op.name, op.inputs, op.outputs) for op in graph.ops] == [("r", ("x",), ("r",)),
                                                                      ("s", ("r",), ("s",))]


def test_an_identity_that_names_the_output_hands_its_name_over():
    builder = GraphBuilder("g")
    x = builder.relu(builder.input("x", (2, 2)), "r")
    first = builder.add("identity", x, name="i")
    builder.output(builder.add("identity", first, name="y"), builder.softmax(x, name="s"))
    graph = drop_identity(builder.build())
    assert [(op.name, op.inputs, op.outputs) for op in graph.ops] == [("r", ("x",), ("y",)),
                                                                      ("s", ("y",), ("s",))]
    assert graph.outputs == ("y", "s")


def test_an_identity_between_two_borders_stays():
    builder = GraphBuilder("g")
    builder.output(builder.add("identity", builder.input("x", (2, 2))))
    graph = builder.build()
    assert drop_identity(graph) == graph


def test_two_output_names_of_one_tensor_keep_one_identity():
    builder = GraphBuilder("g")
    x = builder.relu(builder.input("x", (2, 2)))
    builder.output(builder.add("identity", x, name="a"), builder.add("identity", x, name="b"))
    graph = drop_identity(builder.build())
    assert kinds(graph) == ["elementwise", "identity"]
    verify_graph(graph)


def test_dead_operators_and_their_weights_go_and_inputs_stay():
    builder = GraphBuilder("g")
    x = builder.input("x", (1, 3, 4, 4))
    builder.relu(builder.conv(x, 4, 3), "unused")
    builder.input("spare", (1,))
    builder.output(builder.softmax(x))
    graph = remove_dead(builder.build())
    assert kinds(graph) == ["softmax"]
    assert graph.parameters == 0
    assert graph.inputs == ("x", "spare")
