"""Binary networks have exactly the parameters and XNOR operations of their sources, layer by layer."""

from __future__ import annotations

import pytest

from hwsim.errors import DesignError
from hwsim.graph.ops import work_of
from hwsim.graph.types import BINARY, FormatKind, Graph, Op
from hwsim.registry import load_workload

# binary weights, all weights of products, binary MACs
COUNTS = {
    "vgg_small_bnn": (4_571_136, 4_656_512, 603_979_776),
    "resnet20_bnn": (267_264, 268_336, 40_108_032),
    "resnet18_cifar_bnn": (10_985_472, 11_164_352, 547_356_672),
    "resnet18_bnn": (10_985_472, 11_678_912, 1_676_279_808),
    "mlp_lfc_bnn": (2_910_208, 2_910_208, 2_910_208),
    "mlp_sfc_bnn": (334_336, 334_336, 334_336),
    "mlp_tfc_bnn": (59_008, 59_008, 59_008),
    "cnv_bnn": (1_542_848, 1_542_848, 59_461_376),
}
VGG_SMALL = [  # name, K, N, P
    ("conv0", 27, 128, 1024),
    ("conv1", 1152, 128, 1024),
    ("conv2", 1152, 256, 256),
    ("conv3", 2304, 256, 256),
    ("conv4", 2304, 512, 64),
    ("conv5", 4608, 512, 64),
    ("fc", 8192, 10, 1),
]


def products(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if work_of(graph, op).macs]


def is_binary(graph: Graph, op: Op) -> bool:
    return graph.tensors[op.inputs[1]].format.kind is FormatKind.BINARY


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_of_the_sources(name: str) -> None:
    graph = load_workload(name)
    layers = products(graph)
    weights = {op.name: graph.tensors[op.inputs[1]].elements for op in layers}
    binary = [op for op in layers if is_binary(graph, op)]
    found = (
        sum(weights[op.name] for op in binary),
        sum(weights.values()),
        sum(work_of(graph, op).macs for op in binary),
    )
    assert found == COUNTS[name]


def test_resnet18_matches_the_published_size_within_a_thousandth() -> None:
    parameters, _, macs = COUNTS["resnet18_bnn"]
    assert parameters == pytest.approx(10.99e6, rel=1e-3)
    assert macs == pytest.approx(1.677e9, rel=1e-3)


def test_vgg_small_layer_by_layer() -> None:
    graph = load_workload("vgg_small_bnn")
    found = []
    for op in products(graph):
        weight, out = graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
        n = weight.shape[0]
        found.append((op.name, weight.elements // n, n, out.elements // n))
        macs = weight.elements // n * out.elements
        assert work_of(graph, op).macs == macs
    assert found == VGG_SMALL


@pytest.mark.parametrize("name", COUNTS)
def test_binary_layers_read_signs_except_the_first_of_cnv(name: str) -> None:
    graph = load_workload(name)
    binary = [op for op in products(graph) if is_binary(graph, op)]
    inputs = [graph.tensors[op.inputs[0]].format for op in binary]
    first = 1 if name == "cnv_bnn" else 0
    assert all(form == BINARY for form in inputs[first:])
    assert all(graph.tensors[op.outputs[0]].format != BINARY for op in binary)


@pytest.mark.parametrize(("name", "weights", "activations"), [("cnv_w1a2", 1, 2), ("cnv_w2a2", 2, 2)])
def test_wider_cnv_differs_in_formats_only(name: str, weights: int, activations: int) -> None:
    graph, binary = load_workload(name), load_workload("cnv_bnn")
    layers = products(graph)
    assert {graph.tensors[op.inputs[1]].format.bits for op in layers} == {weights}
    assert {graph.tensors[op.inputs[0]].format.bits for op in layers[1:]} == {activations}
    assert [work_of(graph, op).macs for op in layers] == [work_of(binary, op).macs for op in products(binary)]


def test_bad_knobs_name_the_network_and_all_that_is_wrong() -> None:
    with pytest.raises(DesignError) as refused:
        load_workload("vgg_small_bnn", {"depth": "2", "image_size": 0})
    assert "depths" in str(refused.value)
    assert "vgg_small_bnn.image_size" in str(refused.value)
    with pytest.raises(DesignError, match="2 stages and widths has 3"):
        load_workload("vgg_small_bnn", {"depths": "2,2"})
    with pytest.raises(DesignError, match="do not shrink"):
        load_workload("resnet20_bnn", {"widths": "32,16,8"})
