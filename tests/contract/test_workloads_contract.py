"""Every built-in network, however it was found, keeps the promises of a workload."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import workloads
from hwsim.errors import DesignError, GraphError
from hwsim.graph.text import fingerprint, from_text, to_text
from hwsim.graph.types import BINARY, INT8, Role
from hwsim.graph.verify import verify_graph
from workloads.types import Workload

MODULES = [module.name for module in pkgutil.iter_modules(workloads.__path__) if module.ispkg]
FAMILIES: list[Workload[Any]] = [
    family for name in MODULES for family in importlib.import_module(f"workloads.{name}").WORKLOADS
]
NETWORKS = [(family, name) for family in FAMILIES for name in family.presets]
EXPECTED = {
    "alexnet",
    "vgg16",
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v1",
    "mobilenet_v2",
    "googlenet",
    "bert_base",
    "gpt2_small",
    "lstm_ptb_char",
    "lstm_ptb_word",
    "mlp_mnist",
    "vit_b16",
}
# Families that are no neural networks, and what they are.
WITHOUT_WEIGHTS = {
    "vector_operation": "one function of long vectors, signed or unsigned integers of the format's width",
    "bitmap_index": "a query on single bits",
}

# Families whose networks hold neither weights nor products, and why.
NUMBERLESS = {
    "logic_circuits": "gates compute bits, whatever the format",
    "memory_traces": "words of a memory are bits, whatever the format",
}

FAMILY_OF = {name: family for family, name in NETWORKS}
built = cache(lambda name: FAMILY_OF[name].graph(name))

each_network = pytest.mark.parametrize(("family", "name"), NETWORKS, ids=[name for _, name in NETWORKS])
each_family = pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])


def test_expected_networks_exist_and_every_name_once() -> None:
    names = [name for _, name in NETWORKS]
    assert set(names) >= EXPECTED
    assert len(names) == len(set(names))
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@each_network
def test_network_verifies_and_carries_its_name(family: Workload[Any], name: str) -> None:
    graph = built(name)
    verify_graph(graph)
    assert graph.name == name
    assert graph.provenance["workload"] == family.name
    assert graph.provenance["preset"] == name
    names = [op.name for op in graph.ops]
    assert len(names) == len(set(names))
    assert graph.inputs
    assert graph.outputs


@each_network
def test_every_tensor_is_read_or_returned(family: Workload[Any], name: str) -> None:
    graph = built(name)
    read = {tensor for op in graph.ops for tensor in op.inputs} | set(graph.outputs)
    assert set(graph.tensors) <= read


@each_network
def test_configuration_in_the_provenance_rebuilds_the_network_as_it_was(
    family: Workload[Any], name: str
) -> None:
    config = family.config.model_validate_json(built(name).provenance["configuration"])
    again = replace(family.build(config), name=name, provenance=built(name).provenance)
    assert to_text(again) == to_text(built(name))
    assert fingerprint(again) == fingerprint(built(name))


@each_family
def test_text_form_round_trips(family: Workload[Any]) -> None:
    graph = family.graph(next(iter(family.presets)))
    assert from_text(to_text(graph)) == graph


@each_family
def test_family_is_documented(family: Workload[Any]) -> None:
    assert family.description
    assert family.source
    assert inspect.getdoc(family.build)
    assert set(family.notes) <= set(family.presets)
    for knob, known in family.config.model_fields.items():
        assert known.description, knob


@each_family
def test_unknown_network_names_the_nearest(family: Workload[Any]) -> None:
    name = next(iter(family.presets))
    with pytest.raises(DesignError) as caught:
        family.configure(f"{name}x")
    assert repr(name) in str(caught.value)


@each_family
def test_all_bad_knobs_are_reported_at_once(family: Workload[Any]) -> None:
    name = next(iter(family.presets))
    with pytest.raises(DesignError) as caught:
        family.configure(name, {"batchs": 1, "batch": 0, "format": "flaot32"})
    problems = {problem.where: problem for problem in caught.value.problems}
    assert set(problems) == {f"{name}.batchs", f"{name}.batch", f"{name}.format"}
    assert problems[f"{name}.batchs"].hint == "did you mean 'batch'?"
    assert problems[f"{name}.batch"].reason.endswith(": 0")
    assert problems[f"{name}.format"].hint == "did you mean 'float32'?"


@each_family
@pytest.mark.parametrize("value", ["two", "1.5", -1, 2.5, None, [], float("nan")])
def test_a_batch_that_is_no_positive_integer_is_refused(family: Workload[Any], value: object) -> None:
    name = next(iter(family.presets))
    with pytest.raises(DesignError, match=f"{name}.batch"):
        family.configure(name, {"batch": value})


@each_family
def test_number_format_reaches_weights_and_activations(family: Workload[Any]) -> None:
    graph = family.graph(next(iter(family.presets)), {"format": "int8"})
    # A code has no weights of its own; the LLRs that enter are in the format then.
    carriers = graph.weights or tuple(graph.tensors[name] for name in graph.inputs)
    if family.name in WITHOUT_WEIGHTS:
        assert not graph.weights, WITHOUT_WEIGHTS[family.name]
        return
    if family.name in NUMBERLESS:
        assert INT8 not in {tensor.format for tensor in graph.tensors.values()}
        return
    assert {tensor.format for tensor in carriers} - {BINARY} == {INT8}  # binary weights stay binary
    computing = ("convolution", "gemm", "matmul", "lstm", "check_nodes", "variable_nodes")
    results = [op.outputs[0] for op in graph.ops if op.kind in computing]
    assert {graph.tensors[name].format for name in results} == {INT8}


@pytest.mark.parametrize(
    ("name", "knobs", "reason"),
    [
        ("resnet18", {"image_size": 1, "stem": "cifar", "block": "bottle"}, "did you mean 'bottleneck'"),
        ("resnet18", {"depths": "2,2"}, "depths has 2 stages and widths has 4"),
        ("resnet18", {"groups": 2}, "the block is basic"),
        ("resnet50", {"shortcut": "pad"}, "shortcut 'pad' needs basic blocks"),
        ("vgg16", {"widths": [64, 0, 1, 1, 1]}, r"vgg16\.widths\.1: .*greater than 0"),
        ("bert_base", {"sequence_length": 513}, "sequence_length 513 exceeds positions 512"),
        ("bert_base", {"heads": 7}, "heads 7 does not divide width 768"),
        ("gpt2_small", {"past_length": 1}, "past_length 1 .* sequence_length 1024 exceeds positions 1024"),
        ("vit_b16", {"image_size": 225}, "patch_size 16 does not divide image_size 225"),
        ("lstm_ptb_char", {"input_size": 50}, "as wide as the vocabulary"),
        ("lstm_ptb_word", {"input_size": None}, "needs input_size"),
        ("mlp_mnist", {"layers": "784"}, "at least inputs and outputs"),
        ("resnet18", {"depths": [2, 2, 2, 5000]}, r"resnet18\.depths\.3: "),
        ("mobilenet_v1", {"width": 0.01}, r"mobilenet_v1\.width: "),
    ],
)
def test_knobs_that_contradict_each_other_are_refused(
    name: str, knobs: dict[str, object], reason: str
) -> None:
    family = next(family for family, preset in NETWORKS if preset == name)
    with pytest.raises(DesignError, match=reason):
        family.configure(name, knobs)


@pytest.mark.parametrize("name", ["alexnet", "alexnet_caffe", "vgg16", "googlenet_onnx"])
def test_too_small_images_name_network_layer_and_sizes(name: str) -> None:
    family = next(family for family, preset in NETWORKS if preset == name)
    with pytest.raises(GraphError, match=rf"^{name}\..*(kernel|size)"):
        family.graph(name, {"image_size": 8})


def test_knobs_are_read_from_text() -> None:
    family = next(family for family, preset in NETWORKS if preset == "mlp_mnist")
    config = family.configure("mlp_mnist", {"layers": "16, 8,4", "batch": "3", "bias": "false"})
    assert (config.layers, config.batch, config.bias) == ((16, 8, 4), 3, False)


def test_running_statistics_are_constants_and_not_parameters() -> None:
    graph = next(family for family, preset in NETWORKS if preset == "resnet18").graph("resnet18")
    norms = [op for op in graph.ops if op.kind == "batch_normalization"]
    assert len(norms) == 20
    for op in norms:
        roles = [graph.tensors[operand].role for operand in op.inputs[1:]]
        assert roles == [Role.WEIGHT, Role.WEIGHT, Role.CONSTANT, Role.CONSTANT]


def test_output_layer_of_gpt2_is_the_embedding_table() -> None:
    graph = next(family for family, preset in NETWORKS if preset == "gpt2_small").graph("gpt2_small")
    readers = [op.kind for op in graph.ops if "embeddings.tokens.weight" in op.inputs]
    assert readers == ["gather", "matmul"]


def test_decoding_reads_and_extends_the_cache_of_every_layer() -> None:
    family = next(family for family, preset in NETWORKS if preset == "gpt2_small_decode")
    graph = family.graph("gpt2_small_decode", {"past_length": 7, "batch": 2})
    assert graph.inputs == ("input_ids",)
    assert sum(tensor.role is Role.STATE for tensor in graph.tensors.values()) == 2 * 12
    assert graph.tensors["layer0.past_keys"].shape == (2, 12, 7, 64)
    assert [graph.tensors[name].shape for name in graph.outputs] == [(2, 1, 50_257)] + [(2, 12, 8, 64)] * 24


def test_importing_all_families_loads_no_heavy_package() -> None:
    code = (
        f"import sys, importlib\nfor name in {MODULES!r}: importlib.import_module('workloads.' + name)\n"
        "heavy = {'numba', 'pandas', 'onnx', 'pulp', 'matplotlib', 'networkx'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
