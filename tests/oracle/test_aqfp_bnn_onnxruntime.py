"""Binary layers of aqfp_bnn without noise against onnxruntime, which knows nothing of thresholds or tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from accelerators.aqfp_bnn.crossbars import program, run_layer
from accelerators.aqfp_bnn.host import compute, run_in_floating_point
from accelerators.aqfp_bnn.network import Network
from hwsim.graph.passes import set_precision
from hwsim.graph.types import BINARY, Graph
from hwsim.run import chip, load


def build(
    folder: Path, pool_first: bool, stride: int, seed: int
) -> tuple[Graph, Path, dict[str, np.ndarray]]:
    """Write sign, binary convolution, pooling and normalization in either order, sign, binary classes."""
    rng = np.random.default_rng(seed)
    values = {"conv.w": rng.choice([-1.0, 1.0], (7, 5, 3, 3)), "conv.b": rng.normal(size=7)}
    values |= {f"bn.{part}": rng.normal(size=7) for part in ("scale", "bias", "mean")}
    values |= {"bn.var": rng.random(7) + 0.3}
    chain = ["MaxPool", "BatchNormalization"] if pool_first else ["BatchNormalization", "MaxPool"]
    nodes = [
        helper.make_node("Sign", ["image"], ["bits"]),
        helper.make_node(
            "Conv", ["bits", "conv.w", "conv.b"], ["sums"], kernel_shape=[3, 3], pads=[1, 0, 1, 2],
            strides=[stride, stride],
        ),
    ]  # fmt: skip
    last = "sums"
    for kind in chain:
        extra = [f"bn.{part}" for part in ("scale", "bias", "mean", "var")] if kind != "MaxPool" else []
        options = {"kernel_shape": [2, 2], "strides": [2, 2]} if kind == "MaxPool" else {}
        nodes.append(helper.make_node(kind, [last, *extra], [kind], **options))
        last = kind
    nodes.append(helper.make_node("Sign", [last], ["out"]))
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 5, 9, 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in values.items()],
    )
    path = folder / "layer.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    read = set_precision(load(path, dimensions={"batch": 1}), tensors={"conv.w": BINARY})
    stored = {name: value.astype(np.float32).astype(np.float64) for name, value in values.items()}
    return read, path, stored


@pytest.mark.parametrize("pool_first", [False, True])
@pytest.mark.parametrize(("stride", "seed"), [(1, 0), (2, 1), (1, 2)])
def test_a_binary_layer_without_noise_is_what_onnxruntime_says(
    tmp_path: Path, pool_first: bool, stride: int, seed: int
) -> None:
    graph, path, stored = build(tmp_path, pool_first, stride, seed)
    image = np.random.default_rng(seed + 9).normal(size=(6, 5, 9, 8)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"image": image})
    inputs = image.astype(np.float64)
    assert (run_in_floating_point(graph, stored, inputs) == expected).all()
    (layer,) = Network(graph).layers
    # 45 rows fit into one crossbar; its comparator alone then decides, and pools are gates on bits.
    design = chip("aqfp_bnn", crossbar_size=45, stream_length=1, neuron="deterministic").design
    bits = compute(graph, graph.ops[0], [inputs])
    found = run_layer(graph, program(graph, layer, stored, 45), bits, design, 0.0, 0)
    assert found.shape == expected.shape
    assert (found == expected).all()
