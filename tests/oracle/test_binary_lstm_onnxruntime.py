"""States of the fixed-point engine against ONNX Runtime's floating-point layers on the same parameters."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from accelerators.binary_lstm import PRESETS, BinaryLstmDesign
from accelerators.binary_lstm.machine import Engine, run_recurrent
from accelerators.binary_lstm.normalization import BatchNorm
from accelerators.binary_lstm.operands import RecurrentOperands
from accelerators.binary_lstm.trained import Direction, direction_of
from accelerators.binary_lstm.weights import Weights, quantize, scale_of
from hwsim.graph.ops.recurrent import GATES, RecurrentSizes

STEPS, BATCH, FEATURES, HIDDEN = 12, 2, 6, 9


def runtime_states(
    kind: str, x: np.ndarray, w: np.ndarray, r: np.ndarray, b: np.ndarray, **attributes: object
) -> np.ndarray:
    """Return Y [steps, directions, batch, H] of one node; b [directions, 2, rows] holds both biases."""
    ways = len(w)
    tensors = {"w": w, "r": r, "b": b.reshape(ways, -1)}
    node = helper.make_node(kind.upper(), ["x", "w", "r", "b"], ["y"], hidden_size=HIDDEN, **attributes)
    graph = helper.make_graph(
        [node],
        "cell",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (x.shape[0], ways, x.shape[1], HIDDEN))],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (states,) = session.run(None, {"x": x.astype(np.float32)})
    return np.asarray(states)


def engine_states(
    x: np.ndarray, directions: tuple[Direction, ...], design: BinaryLstmDesign, gates: int, **flags: bool
) -> np.ndarray:
    one = 2.0**design.fraction_bits
    ways = len(directions)
    zeros = np.zeros((ways, BATCH, HIDDEN), dtype=np.int64)
    sizes = RecurrentSizes(STEPS, BATCH, FEATURES, HIDDEN, ways, gates)
    inputs = np.rint(x * one).astype(np.int64)
    operands = RecurrentOperands(sizes, inputs, None, zeros, zeros, directions, **flags)
    return run_recurrent(Engine(design), operands) / one


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru_reset_last", "rnn"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("bits", "tolerance"), [(12, 0.03), (20, 0.0005)])
def test_full_precision_states(kind: str, direction: str, bits: int, tolerance: float) -> None:
    rng = np.random.default_rng(11)
    ways = 2 if direction == "bidirectional" else 1
    reset_last, kind = kind == "gru_reset_last", kind.partition("_")[0]
    rows = GATES[kind] * HIDDEN
    # Parameters on the 12-bit grid, so that only states and gates differ from floating point.
    w, r = (np.rint(rng.normal(0, 0.4, (ways, rows, width)) * 256) / 256 for width in (FEATURES, HIDDEN))
    b, x = (
        np.rint(rng.normal(0, 0.3, (ways, 2, rows)) * 256) / 256,
        rng.normal(0, 1, (STEPS, BATCH, FEATURES)),
    )
    design = PRESETS["full_precision"].model_copy(update={"activation_bits": bits})
    directions = tuple(
        direction_of(w[way], r[way], design, steps=STEPS, bias=b[way, 0], recurrent_bias=b[way, 1])
        for way in range(ways)
    )
    more = {"linear_before_reset": int(reset_last)} if kind == "gru" else {}
    expected = runtime_states(kind, x, w, r, b, direction=direction, **more)
    flags = {"reverse": direction == "reverse", "reset_last": reset_last}
    found = engine_states(x, directions, design, GATES[kind], **flags)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < tolerance
    assert np.abs(expected).max() > 0.5


@pytest.mark.parametrize("kind", [Weights.BINARY, Weights.TERNARY])
def test_quantized_states_with_normalizations_folded_by_hand(kind: Weights) -> None:
    rng = np.random.default_rng(12)
    scales = scale_of(FEATURES, HIDDEN), scale_of(HIDDEN, HIDDEN)
    w, r = (
        rng.normal(0, scale, (4 * HIDDEN, width))
        for scale, width in zip(scales, (FEATURES, HIDDEN), strict=True)
    )
    b, x = rng.normal(0, 0.3, 4 * HIDDEN), rng.normal(0, 1, (STEPS, BATCH, FEATURES))
    norms = [
        BatchNorm(
            rng.uniform(0.5, 1.5, 4 * HIDDEN),
            rng.normal(0, 0.2, 4 * HIDDEN),
            rng.normal(0, 0.2, (1, 4 * HIDDEN)),
            rng.uniform(0.5, 2.0, (1, 4 * HIDDEN)),
        )
        for _ in range(2)
    ]
    nothing = BatchNorm(np.ones(HIDDEN), np.zeros(HIDDEN), np.zeros((1, HIDDEN)), np.ones((1, HIDDEN)), 0.0)
    design = PRESETS["binary_low_power"].model_copy(update={"weights": kind, "activation_bits": 20})
    direction = direction_of(w, r, design, steps=STEPS, norms=(norms[0], norms[1], nothing), bias=b)
    slopes = [n.gamma / np.sqrt(n.variance[0] + n.epsilon) for n in norms]
    shift = b + sum(n.beta - slope * n.mean[0] for n, slope in zip(norms, slopes, strict=True))
    real_r = slopes[0][:, None] * scales[1] * quantize(r, scales[1], kind)
    real_w = slopes[1][:, None] * scales[0] * quantize(w, scales[0], kind)
    both = np.stack([shift, np.zeros_like(shift)])[None]
    expected = runtime_states("lstm", x, real_w[None], real_r[None], both)
    found = engine_states(x, (direction,), design, 4)
    assert np.abs(found - expected).max() < 0.01
    assert np.abs(expected).max() > 0.3
