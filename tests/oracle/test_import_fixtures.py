"""Exports of torch networks against the MACs and parameters that torch counted on its own modules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from hwsim.graph.coverage import coverage_of
from hwsim.graph.ops import OP_KINDS, work_of
from hwsim.importers import load_network

FOLDER = Path(__file__).parents[1] / "data" / "onnx"
COUNTS: dict[str, dict[str, Any]] = json.loads((FOLDER / "counts.json").read_text())["fixtures"]


def test_every_fixture_has_counts() -> None:
    assert {path.name for path in FOLDER.glob("*.onnx")} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_macs_and_parameters_equal_torch(name: str) -> None:
    row = COUNTS[name]
    graph = load_network(FOLDER / name)
    assert sum(work_of(graph, op).macs for op in graph.ops) == row["macs"]
    coverage = coverage_of(graph)
    assert coverage.nodes_in_file == row["onnx_nodes"]
    assert coverage.nodes_unknown == coverage.nodes_as_data_movement == 0
    assert graph.tensors[graph.inputs[0]].shape == tuple(next(iter(row["inputs"].values())))
    # Where the exporter folded batch norms or gathered the position biases, the file has other weights
    # than the network: there the weight elements of the file count.
    same = row["batch_norm"] != "folded" and name != "swin_t.onnx"
    assert graph.parameters == (row["parameters"] if same else row["onnx_weight_elements"])


def test_dynamic_batch_scales_macs_and_is_noted() -> None:
    one = load_network(FOLDER / "resnet18_dynamic.onnx")
    assert one.provenance["dimensions"] == "batch=1"
    eight = load_network(FOLDER / "resnet18_dynamic.onnx", dimensions={"batch": 8})
    assert eight.provenance["dimensions"] == "batch=8"
    assert coverage_of(eight).macs == 8 * coverage_of(one).macs
    assert eight.parameters == one.parameters


def test_tied_head_reads_the_embedding_itself() -> None:
    graph = load_network(FOLDER / "gpt2_lm.onnx")
    gathers = {op.inputs[0] for op in graph.ops if op.kind == "gather"}
    heads = [op for op in graph.ops if op.kind == "matmul" and op.inputs[1] in gathers]
    assert [op.attributes["transpose_b"] for op in heads] == [True]


@pytest.mark.parametrize("name", ["lstm_2layer.onnx", "gru_bidirectional.onnx", "rnn.onnx"])
def test_initial_states_are_no_parameters(name: str) -> None:
    graph = load_network(FOLDER / name)
    states = [op.inputs[5] for op in graph.ops if OP_KINDS[op.kind].category == "recurrent" and op.inputs[5]]
    assert states
    assert {graph.tensors[state].role for state in states} == {"constant"}


PACKAGE = Path(onnx.__file__).parent / "backend" / "test" / "data"
REFUSED = {
    "test_expand_shape_model1": "shape cannot be known", "test_expand_shape_model2": "shape cannot be known",
    "test_expand_shape_model3": "shape cannot be known", "test_expand_shape_model4": "shape cannot be known",
    "test_gradient_of_add": "Gradient is not supported", "test_gradient_of_add_and_mul": "Gradient is not",
    **{f"test_sequence_model{i}": "Sequence" for i in range(1, 9)},
    **{f"test_strnorm_model_{tail}": "STRING" for tail in (
        "monday_casesensintive_lower", "monday_casesensintive_nochangecase", "monday_casesensintive_upper",
        "monday_empty_output", "monday_insensintive_upper_twodim", "nostopwords_nochangecase")},
}
MODELS = sorted(path for folder in ("simple", "pytorch-converted", "pytorch-operator")
                for path in (PACKAGE / folder).glob("*/model.onnx"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_small_models_of_the_onnx_package(path: Path) -> None:
    expected = REFUSED.get(path.parent.name)
    if expected is None:
        assert coverage_of(load_network(path)).nodes_unknown == 0
        return
    with pytest.raises(Exception, match=expected) as caught:
        load_network(path)
    assert type(caught.value).__module__ == "hwsim.errors"
