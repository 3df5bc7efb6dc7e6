"""A binary network from an ONNX file on aqfp_bnn: costs, and accuracy with its interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from accelerators.aqfp_bnn.network import supports
from hwsim.__main__ import main
from hwsim.errors import DesignError
from hwsim.functional import run_functional
from hwsim.graph.passes import set_precision
from hwsim.graph.types import BINARY, Graph
from hwsim.run import Chip, chip, evaluate, load
from tests.unit.aqfp_bnn.networks import Arrays


def weights() -> Arrays:
    rng = np.random.default_rng(3)
    found = {"conv.w": rng.choice([-1.0, 1.0], (16, 4, 3, 3)), "fc.w": rng.choice([-1.0, 1.0], (10, 256))}
    found |= {"bn.scale": rng.normal(size=16), "bn.bias": rng.normal(size=16), "bn.mean": rng.normal(size=16)}
    return found | {"bn.var": rng.random(16) + 1}


def write(path: Path, values: Arrays) -> None:
    """Sign of the input, a binary convolution with normalization and sign, a pool, binary classes."""
    nodes = [
        helper.make_node("Sign", ["image"], ["bits"]),
        helper.make_node("Conv", ["bits", "conv.w"], ["sums"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["sums", "bn.scale", "bn.bias", "bn.mean", "bn.var"], ["normal"]
        ),
        helper.make_node("Sign", ["normal"], ["signs"]),
        helper.make_node("MaxPool", ["signs"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc.w"], ["classes"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "bnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 4, 8, 8])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, str(path))


@pytest.fixture
def network(tmp_path: Path) -> Graph:
    write(tmp_path / "bnn.onnx", weights())
    return set_precision(load(tmp_path / "bnn.onnx"), tensors={"conv.w": BINARY, "fc.w": BINARY})


def knobs(**more: object) -> Chip:
    return chip("aqfp_bnn", crossbar_size=72, stream_length=16, **more)


def test_a_sign_makes_inputs_binary_whatever_their_format(network: Graph) -> None:
    assert [op.kind for op in network.ops if supports(network, op)] == ["elementwise"]
    report = evaluate(network, knobs())
    assert report.totals.macs == 16 * 36 * 64 + 256 * 10
    assert report.totals.cycles > 64 * 16


def test_accuracy_of_an_onnx_file_with_its_interval(network: Graph, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = {"image": rng.normal(size=(200, 4, 8, 8)), "labels": rng.integers(0, 10, 200)}
    np.savez(tmp_path / "data.npz", **data, **weights())
    with pytest.raises(DesignError, match=r"aqfp_bnn\.attenuation_scale_a"):
        run_functional(network, [knobs()], tmp_path / "data.npz")
    (noisy,) = run_functional(network, [knobs(gray_zone_products_ratio=10)], tmp_path / "data.npz")
    low, high = noisy.different.interval
    assert 0 < low < noisy.different.ratio < high < 0.8
    assert noisy.figures["junctions_count"] > 83000
    assert any("gray zone of 10 products" in line for line in noisy.notes)


def test_the_command_line_runs_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[3] / "workloads" / "binary" / "digits_mlp_bnn.npz"
    words = [
        "run",
        "digits_mlp_bnn",
        "--on",
        "aqfp_bnn",
        "--set",
        "crossbar_size=72",
        "--functional",
        str(file),
    ]
    assert main(words) == 2
    assert "gray_zone_a: is not known and has no default" in capsys.readouterr().err
    words += ["--set", "gray_zone_products_ratio=8", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    low, high = found["functional"]["misclassification"]["interval_95"]
    assert low < found["functional"]["misclassification"]["ratio"] < high < 0.2
    assert any("times the largest AQFP chip shown" in line for line in found["warnings"])
