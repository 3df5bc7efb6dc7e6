"""From files: an ONNX network and measured masks through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hwsim.__main__ import main


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Write an ONNX file of one LSTM: 6 steps, open batch, 5 inputs, 48 states."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    weights = {
        "w": rng.normal(size=(1, 192, 5)).astype(np.float32),
        "r": rng.normal(size=(1, 192, 48)).astype(np.float32),
    }
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["x", "w", "r"], ["y"], name="encoder", hidden_size=48)],
        "one_lstm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6, "batch", 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [6, 1, "batch", 48])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    path = tmp_path / "my_lstm.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    said = capsys.readouterr()
    return int(code or 0), said.out, said.err


def test_an_onnx_lstm_with_measured_masks(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = tmp_path / "masks.npz"
    zero = np.ones((6, 8, 48), dtype=bool)
    zero[:, 3, ::4] = False  # 12 of 48 states of one sequence
    np.savez(masks, encoder=zero)
    words = ("run", str(network), "--on", "sparse_lstm", "--batch", "8", "--json", "--set")
    code, out, _ = _run(capsys, *words, f"state_masks={masks}")
    assert code == 0
    layers = json.loads(out)["layers"]
    cycles = next(layer["cycles"] for layer in layers if layer["kind"] == "lstm")
    assert cycles == 6 * (5 * 8 + 3 * 2) + 5 * 12 * 8
    code, out, _ = _run(capsys, *words, "mode=dense")
    cycles = next(layer["cycles"] for layer in json.loads(out)["layers"] if layer["kind"] == "lstm")
    assert cycles == 6 * ((5 + 48) * 8 + 3 * 2)


def test_bad_masks_are_an_input_error_without_a_traceback(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "masks.npz", encoder=np.ones((6, 8, 47), dtype=bool))
    words = ("run", str(network), "--on", "sparse_lstm", "--batch", "8")
    code, _, err = _run(capsys, *words, "--set", f"state_masks={tmp_path / 'masks.npz'}")
    assert code == 2
    assert "[6, 8, 47] must be [6, 8, 48]" in err
    assert "Traceback" not in err


def test_a_comparison_with_the_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "compare", "lstm_smnist", "--on", "systolic,sparse_lstm,sparse_lstm:dense")
    assert code == 0
    assert "sparse_lstm:dense" in out
