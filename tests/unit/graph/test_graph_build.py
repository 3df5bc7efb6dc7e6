"""The builder: names, inferred shapes, layers, and what it refuses."""

import subprocess
import sys

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph import (
    BFLOAT16,
    FLOAT32,
    INT8,
    INT64,
    OP_KINDS,
    GraphBuilder,
    NumberFormat,
    Phase,
    Role,
    Sparsity,
    format_text,
    macs,
    op_kind,
    parse_format,
)


@pytest.fixture
def builder():
    made = GraphBuilder("net", provenance={"file": "none"})
    made.input("image", (2, 3, 8, 8))
    return made


def test_names_are_unique_and_deterministic(builder):
    names = [builder.relu("image"), builder.conv("image", 4, 3), builder.relu("image"),
             builder.conv("image", 4, 1)]
    assert names == ["relu_1", "conv_1", "relu_2", "conv_2"]
    assert builder.has_tensor("conv_2.bias")


def test_results_are_named_after_the_operator(builder):
    assert builder.add("identity", "image", name="same") == "same"
    parts = builder.add_many("split", "image", name="cut", axis=1, sizes=(1, 2), outputs=2)
    assert parts == ("cut", "cut_1")
    assert builder.add("identity", "image", name="cut_1") == "cut_1_1"
    assert builder.add("identity", "image", outputs=["chosen"]) == "chosen"


def test_everything_given_arrives_in_the_graph(builder):
    result = builder.add("softmax", "image", name="s", axis=-3, format=BFLOAT16, origin="Softmax",
                         probability=0.25, phase=Phase.UPDATE)
    builder.output(result)
    graph = builder.build()
    op = graph.ops[0]
    assert (op.origin, op.probability, op.phase) == ("Softmax", 0.25, Phase.UPDATE)
    assert dict(op.attributes) == {"axis": 1, "logarithm": False}
    assert graph.tensors["s"].format == BFLOAT16
    assert graph.provenance == {"file": "none"}
    assert graph.inputs == ("image",)


def test_numpy_integers_and_lists_become_plain_values(builder):
    builder.add("convolution", ["image", builder.weight("w", np.array([4, 3, 1, 1]))], name="c",
                strides=[np.int64(2), 2], groups=np.int32(1))
    builder.output("c")
    op = builder.build().ops[0]
    assert op.attributes["strides"] == (2, 2)
    assert type(op.attributes["strides"][0]) is int
    assert type(op.attributes["groups"]) is int
    assert builder.shape("c") == (2, 4, 4, 4)


def test_roles_and_sparsity(builder):
    builder.weight("w", (4, 4), format=INT8, sparsity=Sparsity(0.5))
    builder.constant("k", (4,))
    builder.state("s", (4,))
    assert builder.tensor("w").sparsity == Sparsity(0.5)
    assert [builder.tensor(name).role for name in "wks"] == [Role.WEIGHT, Role.CONSTANT, Role.STATE]
    assert builder.tensor("k").format == INT64


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda b: b.relu("imag"), "net.relu_1: unknown tensor 'imag' .did you mean 'image'"),
    (lambda b: b.add("convolutions", ["image"]), "unknown kind of operator 'convolutions'.*'convolution'"),
    (lambda b: b.input("image", (1,)), "net.image: the tensor name 'image' is used twice"),
    (lambda b: b.input("", (1,)), "net: a tensor needs a name"),
    (lambda b: b.input("x", (1, -2)), r"shape \[1, -2\] holds a negative size"),
    (lambda b: b.input("x", (1, 2.5)), "net.x: a size must be an integer, not 2.5"),
    (lambda b: b.input("x", ("n", 3)), "a size must be an integer, not 'n'"),
    (lambda b: [b.relu("image", "r"), b.relu("image", "r")], "the operator name 'r' is used twice"),
    (lambda b: b.add("identity", "image", outputs=["image"]), "the tensor name 'image' is used twice"),
    (lambda b: b.add("identity", "image", outputs=["a", "b"]), "has 1 results here, but 2 names were given"),
    (lambda b: b.add_many("split", "image", sizes=(1, 2), axis=1, outputs=["a"]),
     "has 2 results here, but 1"),
    (lambda b: b.add("identity", "image", outputs=[""]), "must keep at least one result"),
    (lambda b: b.output("imag"), "net: unknown tensor 'imag'"),
    (lambda b: b.build(), "the graph has no output"),
    (lambda b: b.add("softmax", "image", axis="last"), "axis must be an integer, not 'last'"),
    (lambda b: b.add("gemm", ["image", "image"], trans_a=2), "trans_a must be true or false, not 2"),
    (lambda b: b.add("gemm", ["image", "image"], alpha="x"), "alpha must be a number, not 'x'"),
    (lambda b: b.add("cast", "image", to=8), "to must be a text, not 8"),
    (lambda b: b.add("softmax", "image", axis=[1]), r"axis must be a single value, not \[1\]"),
    (lambda b: b.add("elementwise", "image", function="clip", parameters=[0.0, "six"]),
     "mixes texts and numbers"),
    (lambda b: b.attention("image", 3), "net: |must be .batch, tokens, width."),
    (lambda b: b.lstm("image", 3), "must be .steps, batch, features."),
    (lambda b: b.batch_norm(b.input("v", (3,))), "has no channel axis"),
    (lambda b: b.add("elementwise", ["image", ""], function="add"), "takes no absent operands"),
])
def test_mistakes_are_named(builder, wrong, message):
    with pytest.raises(GraphError, match=message):
        wrong(builder)


def test_every_unknown_attribute_is_reported_at_once(builder):
    with pytest.raises(GraphError) as caught:
        builder.add("softmax", "image", axs=1, log=True)
    assert [problem.where for problem in caught.value.problems] == ["net.softmax_1.axs", "net.softmax_1.log"]


def test_layers_add_up_to_a_network(builder):
    x = builder.conv("image", 8, 3, stride=2, padding=1, bias=False)
    x = builder.relu(builder.batch_norm(x))
    x = builder.sum(x, builder.conv(x, 8, (3, 1), padding=(1, 0), groups=8))
    x = builder.concatenate([builder.max_pool(x, 2), builder.average_pool(x, 2, stride=2)])
    x = builder.conv_transpose(x, 4, 2, stride=2)
    x = builder.linear(builder.flatten(builder.global_average_pool(x)), 10)
    builder.output(builder.softmax(x))
    graph = builder.build()
    assert graph.tensors[graph.outputs[0]].shape == (2, 10)
    assert graph.parameters == 8 * 27 + 16 + (8 * 3 + 8) + (16 * 4 * 4 + 4) + (40 + 10)
    assert macs(graph) == 2 * (16 * 8 * 27 + 16 * 8 * 3 + 4 * 16 * 16 + 40)


def test_sequence_layers():
    builder = GraphBuilder("sequence")
    tokens = builder.input("tokens", (5, 2), format=INT64)
    x = builder.lstm(builder.embedding(tokens, 100, 6), 4, bidirectional=True)
    x = builder.gru(x, 8, bias=False)
    x = builder.attention(builder.transpose(x, (1, 0, 2)), 2)
    builder.output(builder.linear(builder.layer_norm(x), 100, bias=False))
    graph = builder.build()
    assert graph.tensors["embedding_1"].format == FLOAT32
    assert graph.tensors[graph.outputs[0]].shape == (2, 5, 100)
    lstm, gru = 2 * 16 * (6 + 4) + 2 * 32, 24 * (8 + 8)
    assert graph.parameters == 600 + lstm + gru + 4 * (64 + 8) + 16 + 800


def test_every_kind_documents_itself():
    for name, kind in OP_KINDS.items():
        assert kind.name == name
        assert len(kind.doc) > 10
        assert kind.outputs


def test_op_kind_suggests_the_nearest():
    with pytest.raises(GraphError, match="did you mean 'max_pool'"):
        op_kind("maxpool")


@pytest.mark.parametrize("text",
                         ["float32", "bfloat16", "int8", "int3", "uint7", "ternary", "binary", "pow2:4:3",
                                  "float:8:4"])
def test_formats_have_names(text):
    assert format_text(parse_format(text)) == text
    assert isinstance(parse_format(text), NumberFormat)


@pytest.mark.parametrize("text", ["int0", "float33", "int", "pow2", "", "int08"])
def test_unknown_formats_are_refused(text):
    with pytest.raises(GraphError, match="is no number format"):
        parse_format(text)


def test_importing_the_graph_room_is_light():
    code = "import sys, hwsim.graph; print(*{'networkx', 'numpy', 'pandas', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
