from __future__ import annotations

import pytest

import hwsim
from hwsim.errors import GraphError, InputError
from hwsim.graph import GraphBuilder
from hwsim.schedule.network import Options, Weights, from_graph
from hwsim.schedule.network_fusion import Fusion

# Operators without the input, operand edges, smallest feasible budget in KiB: facts/cosma.md, 4.1.
PUBLISHED = {"resnet18": (31, 39, 980), "resnet50": (72, 88, 2352), "googlenet": (81, 108, 980),
             "mobilenet_v2": (64, 74, 1470)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_equal_the_published_ones_at_8_bits(name: str) -> None:
    problem = from_graph(hwsim.load(name), Options(bits=8)).problem
    edges = sum(len(op.inputs) for op in problem.operators)
    assert (len(problem.operators), edges, problem.smallest_budget) == PUBLISHED[name]


def test_32_bits_need_four_times_the_bytes() -> None:
    assert from_graph(hwsim.load("resnet50"), Options(bits=32)).problem.smallest_budget == 9408


def residual() -> GraphBuilder:
    builder = GraphBuilder("residual")
    x = builder.input("x", (1, 8, 32, 32))
    first = builder.add("convolution", [x, builder.weight("w1", (8, 8, 3, 3))], name="conv1",
                        pads=(1, 1, 1, 1))
    active = builder.add("elementwise", first, name="relu1", function="relu")
    joined = builder.add("elementwise", [active, x], name="add", function="add")
    last = builder.add("elementwise", joined, name="relu2", function="relu")
    flat = builder.add("reshape", last, name="flat", shape=(1, 8192))
    builder.output(builder.add("gemm", [flat, builder.weight("w2", (8192, 10))], name="fc"))
    return builder


def test_fusion_keeps_additions_and_names() -> None:
    found = from_graph(residual().build(), Options(bits=8))
    assert dict(found.members) == {"conv1": ("conv1", "relu1"), "add": ("add", "relu2"), "fc": ("fc",)}
    names = [tensor.name for tensor in found.problem.tensors]
    assert names == ["x", "relu1", "relu2", "fc"]
    assert [tensor.size for tensor in found.problem.tensors] == [8, 8, 8, 1]
    assert found.storage["flat"] == "relu2"
    assert found.problem.working_set(1) == 24


def test_without_fusion_every_operator_but_aliases_is_a_step() -> None:
    found = from_graph(residual().build(), Options(bits=8, fusion=Fusion.NONE))
    assert [op.name for op in found.problem.operators] == ["conv1", "relu1", "add", "relu2", "fc"]


def test_a_result_that_is_read_twice_is_not_fused_away() -> None:
    builder = GraphBuilder("twice")
    x = builder.input("x", (1, 8, 32, 32))
    y = builder.add("convolution", [x, builder.weight("w", (8, 8, 1, 1))], name="conv")
    z = builder.add("elementwise", y, name="sigmoid", function="sigmoid")
    builder.output(builder.add("elementwise", [y, z], name="swish", function="multiply"))
    assert [op.name for op in from_graph(builder.build()).problem.operators] == ["conv", "sigmoid", "swish"]


def test_a_network_output_that_is_read_again_stays() -> None:
    builder = GraphBuilder("inner")
    y = builder.add("convolution", [builder.input("x", (1, 8, 32, 32)), builder.weight("w", (8, 8, 1, 1))],
                    name="conv")
    builder.output(y, builder.add("elementwise", y, name="relu", function="relu"))
    found = from_graph(builder.build())
    tensors = {tensor.name: tensor for tensor in found.problem.tensors}
    assert set(tensors) == {"x", "conv", "relu"}
    assert tensors["conv"].is_output
    assert tensors["conv"].in_dram
    dirty = from_graph(builder.build(), Options(clean_outputs=False))
    assert not next(t for t in dirty.problem.tensors if t.name == "conv").in_dram


def test_weights_outside_as_workspace_and_as_tensors() -> None:
    graph = residual().build()
    outside = from_graph(graph, Options(bits=8)).problem
    assert all(op.workspace == 0 for op in outside.operators)
    space = from_graph(graph, Options(bits=8, weights=Weights.WORKSPACE)).problem
    assert [op.workspace for op in space.operators] == [1, 0, 80]
    tensors = from_graph(graph, Options(bits=8, weights=Weights.TENSORS)).problem
    held = {t.name: (t.size, t.in_dram) for t in tensors.tensors if t.name.startswith("w")}
    assert held == {"w1": (1, True), "w2": (80, True)}


def test_rows_are_gathered_without_holding_the_table() -> None:
    builder = GraphBuilder("embedding")
    ids = builder.input("ids", (1, 4), format=hwsim.graph.INT64)
    builder.output(builder.add("gather", [builder.weight("table", (100000, 64)), ids], name="rows", axis=0))
    for weights in Weights:
        problem = from_graph(builder.build(), Options(bits=8, weights=weights)).problem
        assert problem.smallest_budget == 2
    assert next(t for t in problem.tensors if t.name == "ids").size == 1


def test_every_result_and_state_of_a_recurrent_layer_is_a_tensor() -> None:
    builder = GraphBuilder("lstm")
    x = builder.input("x", (5, 1, 256))
    weights = [builder.weight("w", (1, 1024, 256)), builder.weight("r", (1, 1024, 256)),
               builder.weight("b", (1, 2048))]
    states = [builder.state("h0", (1, 1, 256)), builder.state("c0", (1, 1, 256))]
    results = builder.add_many("lstm", [x, *weights, "", *states], outputs=["y", "h", "c"], name="lstm",
                               hidden_size=256)
    builder.output(*results)
    problem = from_graph(builder.build(), Options(bits=8)).problem
    inputs = [problem.tensors[t].name for t in problem.operators[0].inputs]
    outputs = [problem.tensors[t].name for t in problem.operators[0].outputs]
    assert sorted(inputs) == ["c0", "h0", "x"]
    assert sorted(outputs) == ["c", "h", "y"]


def test_weights_that_are_unpacked_offline_are_no_step() -> None:
    builder = GraphBuilder("stored")
    x = builder.input("x", (4, 64))
    turned = builder.add("transpose", builder.weight("w", (10, 64)), name="turn", permutation=(1, 0))
    builder.output(builder.add("matmul", [x, turned], name="product"))
    found = from_graph(builder.build(), Options(weights=Weights.TENSORS))
    assert [op.name for op in found.problem.operators] == ["product"]
    assert {t.name for t in found.problem.tensors} == {"x", "turn", "product"}


def test_a_network_without_any_step_is_refused() -> None:
    builder = GraphBuilder("nothing")
    builder.output(builder.add("reshape", builder.input("x", (4, 4)), name="flat", shape=(16,)))
    with pytest.raises(GraphError, match="no operator that computes"):
        from_graph(builder.build())


@pytest.mark.parametrize(("knobs", "words"), [
    ({"bits": 0}, "0 bits per element is outside 1 to 64"), ({"bits": 65}, "outside 1 to 64"),
    ({"block_bytes": 0}, "holds nothing"), ({"block_bytes": 100}, "no multiple of the alignment of 64")])
def test_options_without_sense_are_refused(knobs: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Options(**knobs)  # type: ignore[arg-type]


def test_smaller_blocks_waste_less() -> None:
    graph = residual().build()
    coarse = from_graph(graph, Options(bits=8, block_bytes=4096)).problem
    fine = from_graph(graph, Options(bits=8, block_bytes=64)).problem
    assert coarse.tensors[-1].size * 4096 == 4096
    assert fine.tensors[-1].size * 64 == 64
