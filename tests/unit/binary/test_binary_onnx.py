"""A binary network from an ONNX file: formats found by the values of its weights, classes as trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import workloads.binary
from hwsim.graph.passes import mark_binary
from hwsim.graph.types import BINARY, FLOAT32
from hwsim.registry import load_workload
from hwsim.run import chip, evaluate, load

FOLDER = Path(workloads.binary.__file__).parent
PARTS = ("scale", "bias", "mean", "variance")


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """Write digits_cnn_bnn as a training framework would: 32-bit numbers everywhere."""
    with np.load(FOLDER / "digits_cnn_bnn.npz") as stored:
        data = {key: stored[key] for key in stored.files}
    weights = {key: data[key].astype(np.float32) for key in data if key not in ("image", "labels")}
    nodes, x = [], "image"
    for index in range(3):
        nodes.append(helper.make_node("Conv", [x, f"conv{index}.weight"], [f"c{index}"], pads=[1] * 4,
                                      name=f"conv{index}"))
        x = f"c{index}"
        if index:
            nodes.append(helper.make_node("MaxPool", [x], [f"p{index}"], kernel_shape=[2, 2], strides=[2, 2]))
            x = f"p{index}"
        statistics = [f"bn{index}.{part}" for part in PARTS]
        normalize = helper.make_node("BatchNormalization", [x, *statistics], [f"b{index}"], name=f"bn{index}")
        nodes.append(normalize)
        nodes.append(helper.make_node("Sign", [f"b{index}"], [f"s{index}"], name=f"sign{index}"))
        x = f"s{index}"
    nodes.append(helper.make_node("Flatten", [x], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["y"], transB=1, name="fc"))
    graph = helper.make_graph(
        nodes, "digits", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()])
    path = tmp_path / "digits.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path, data


def test_weights_and_signs_are_binary_and_nothing_else(exported: tuple[Path, dict[str, np.ndarray]]) -> None:
    graph = load(exported[0])
    formats = {name: tensor.format for name, tensor in graph.tensors.items()}
    binary = {name for name, form in formats.items() if form == BINARY}
    assert binary == {"conv1.weight", "conv2.weight", "s0", "s1"}
    assert set(formats.values()) == {BINARY, FLOAT32}
    built = evaluate("digits_cnn_bnn", "finn_bnn").totals
    assert evaluate(graph, "finn_bnn").totals.cycles == built.cycles


@pytest.mark.parametrize("name", ["finn_bnn", "mst_bnn"])
def test_classes_equal_the_built_in_ones(exported: tuple[Path, dict[str, np.ndarray]], name: str) -> None:
    path, stored = exported
    data = stored | {key: stored[key][:80] for key in ("image", "labels")}
    target, found = chip(name), []
    for graph in (load(path), load_workload("digits_cnn_bnn")):
        classify = target.accelerator.functional
        assert classify is not None
        found.append(classify(target.accelerator.prepare(graph, target.design), target.design, data))
    assert np.array_equal(found[0].predicted, found[1].predicted)
    assert (found[0].reference == found[1].reference).all()
    assert (found[0].reference == found[0].labels).mean() > 0.9


def test_a_product_of_numbers_keeps_them() -> None:
    graph = load_workload("vgg_small")
    assert mark_binary(graph, {"no such tensor"}) is graph
    changed = mark_binary(graph, {"classifier.weight", "bn1_1.scale"})
    assert {name for name, t in changed.tensors.items() if t.format == BINARY} == {"classifier.weight"}
