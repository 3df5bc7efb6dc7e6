"""Folding, streaming and values of finn_bnn, and everything it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workloads.binary
from accelerators.finn_bnn import ACCELERATOR
from accelerators.finn_bnn.folding import folds_of
from accelerators.finn_bnn.functional import classify
from accelerators.finn_bnn.streaming import pipeline_of
from hwsim.errors import DesignError, InputError, UnsupportedOp
from hwsim.graph.binary import draw
from hwsim.graph.binary import random_network as random_graph
from hwsim.graph.build import GraphBuilder
from hwsim.graph.engines import needs_of, stages_of
from hwsim.graph.types import Graph, Role
from hwsim.graph.values import run
from hwsim.registry import load_workload
from hwsim.run import chip, evaluate
from tests.examples import examples

FOLDER = Path(workloads.binary.__file__).parent
W1A1 = "3x16,32x32,32x16,32x16,32x4,32x1,4x1,8x1,1x4"


def prepared(name: str) -> Graph:
    target = chip("finn_bnn")
    return target.accelerator.prepare(load_workload(name), target.design)


def test_published_folding_gives_the_published_interval_and_rows() -> None:
    target = chip("finn_bnn:ultra96", folding=W1A1)
    pipeline = pipeline_of(prepared("cnv_bnn"), target.design)
    assert pipeline.interval_cycles == 32768
    clocks = [fold.clocks * fold.pixels for fold in pipeline.layers.values()]
    assert clocks == [32400, 28224, 20736, 28800, 20736, 18432, 32768, 32768, 8192]
    lanes = sum(fold.bit_lanes for fold in pipeline.layers.values())
    assert lanes == 3 * 16 * 8 + 1024 + 1024 + 128 + 32 + 16


@examples(60)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_a_batch_ends_when_its_positions_one_by_one_end(seed: int, images: int) -> None:
    """Run every position of every image in plain Python, without looking for repetition."""
    graph = random_graph(np.random.default_rng(seed))
    graph = replace(graph, tensors={name: replace(tensor, shape=(images, *tensor.shape[1:]))
                                    if tensor.role in (Role.INPUT, Role.ACTIVATION) else tensor
                                    for name, tensor in graph.tensors.items()})
    pipeline = pipeline_of(graph, chip("finn_bnn", bit_lanes=200 + seed % 1500).design)
    free = [0] * len(pipeline.stages)
    for image in range(images):
        done: dict[str, list[int]] = {}
        for index, (stage, clocks) in enumerate(zip(pipeline.stages, pipeline.clocks, strict=True)):
            times = []
            for position in range(stage.pixels):
                ready = [done[name][needs_of(graph, stage, graph.tensors[name])[position]]
                         for name in stage.op.inputs if name in done]
                free[index] = max([free[index], *ready]) + clocks
                times.append(free[index])
            done[stage.op.outputs[0]] = times
        if image == 0:
            assert max(free) == pipeline.latency_cycles
    assert max(free) == pipeline.total_cycles
    assert pipeline.total_cycles >= pipeline.latency_cycles + (images - 1) * pipeline.interval_cycles


@examples(40)
@given(st.integers(0, 2**32))
def test_automatic_folding_fits_divides_and_is_the_fastest(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed))
    lanes = int(np.random.default_rng(seed + 1).integers(200, 3000))
    folds = folds_of(graph, chip("finn_bnn", bit_lanes=lanes).design)
    assert sum(fold.bit_lanes for fold in folds.values()) <= lanes
    for fold in folds.values():
        assert fold.k % fold.simd == fold.n % fold.pe == 0
    interval = max(fold.clocks * fold.pixels for fold in folds.values())
    # Any shorter interval needs more lanes than there are: sum up the least of each layer.
    least = 0
    for fold in folds.values():
        fitting = [s * p * fold.bits for s in range(1, fold.k + 1) if fold.k % s == 0
                   for p in range(1, fold.n + 1) if fold.n % p == 0
                   and fold.k // s * (fold.n // p) * fold.pixels < interval]
        least += min(fitting, default=lanes + 1)
    assert least > lanes


def test_vgg_small_overlaps_its_layers() -> None:
    pipeline = pipeline_of(prepared("vgg_small_bnn"), chip("finn_bnn").design)
    busy = [clocks * stage.pixels for clocks, stage in zip(pipeline.clocks, pipeline.stages, strict=True)]
    assert pipeline.interval_cycles <= pipeline.latency_cycles < sum(busy)


@pytest.mark.parametrize("name", ["digits_mlp_bnn", "digits_cnn_bnn"])
def test_trained_digits_run_on_the_chip(name: str) -> None:
    with np.load(FOLDER / f"{name}.npz") as stored:
        data = {key: stored[key] for key in stored.files}
    result = classify(prepared(name), chip("finn_bnn").design, data)
    wrong = {"digits_mlp_bnn": 18, "digits_cnn_bnn": 9}[name]
    assert (result.reference != result.labels).sum() == wrong
    assert (result.predicted != result.labels).sum() <= wrong + 4
    # The perceptron is binary but for its last layer, so only rounding of that layer can change a class.
    assert (result.predicted != result.reference).mean() < 0.02


def test_thresholds_in_place_of_normalizations_change_no_value() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        graph = random_graph(rng)
        target = np.random.default_rng(seed + 1000)
        found = ACCELERATOR.machine(graph, chip("finn_bnn").design, target)
        arrays = draw(graph, np.random.default_rng(seed + 1000))
        assert np.array_equal(found.values, np.rint(run(graph, arrays)[graph.outputs[0]]))


def test_only_binary_normalizations_before_an_activation_are_absorbed() -> None:
    absorbed = {stage.op.name for stage in stages_of(load_workload("resnet20_bnn")) if stage.absorbed}
    assert {"layer1.0.bn1", "layer1.0.sign2"} <= absorbed
    assert not {"layer1.0.bn2", "layer1.0.sign1", "bn1"} & absorbed


def test_bad_foldings_say_layer_number_and_remedy() -> None:
    with pytest.raises(InputError, match="3 pairs SIMDxPE for 9 layers"):
        evaluate("cnv_bnn", chip("finn_bnn", folding="1x1,1x1,1x1"))
    wrong = W1A1.replace("3x16,32x32", "5x16,32x48")
    with pytest.raises(InputError) as refused:
        evaluate("cnv_bnn", chip("finn_bnn", folding=wrong))
    assert "conv0: SIMD 5 does not divide the 27 inputs" in str(refused.value)
    assert "conv1: PE 48 does not divide the 64 outputs" in str(refused.value)
    with pytest.raises(InputError, match="bit lanes even as folded, the chip has 100"):
        evaluate("cnv_bnn", chip("finn_bnn", bit_lanes=100, folding=W1A1.replace("1x4", "1x2")))
    with pytest.raises(DesignError, match=r"finn_bnn\.folding"):
        chip("finn_bnn", folding="3x0")
    with pytest.raises(DesignError, match=r"board_power_w 5\.0 is that of an FPGA"):
        chip("finn_bnn", board_power_w=5.0)


def test_weights_that_do_not_fit_and_operators_without_engine_are_refused() -> None:
    with pytest.raises(InputError, match="bytes of weights, the chip holds 1000"):
        evaluate("cnv_bnn", chip("finn_bnn", weight_memory_bytes=1000))
    b = GraphBuilder("grouped")
    b.output(b.conv(b.input("x", (1, 4, 6, 6)), 4, 3, groups=4))
    with pytest.raises(UnsupportedOp, match="grouped convolutions have no engine"):
        evaluate(b.build(), "finn_bnn")


def test_bad_samples_are_reported_all_at_once() -> None:
    with np.load(FOLDER / "digits_mlp_bnn.npz") as stored:
        data = {key: stored[key] for key in stored.files}
    data["fc1.weight"] = data["fc1.weight"] * 2
    data["bn1.scale"] = data["bn1.scale"] * np.nan
    data["fc2.weights"] = data.pop("fc2.weight")
    data["labels"] = data["labels"] + 5
    with pytest.raises(InputError) as refused:
        classify(prepared("digits_mlp_bnn"), chip("finn_bnn").design, data)
    text = str(refused.value)
    for part in ("fc1.weight", "use -1 and 1 only", "bn1.scale", "no finite numbers", "fc2.weights",
                 "fc2.weight", "is missing", "classes from 0 to 9"):
        assert part in text


def test_power_of_the_board_is_charged_when_given() -> None:
    without = evaluate("cnv_bnn", chip("finn_bnn:ultra96", folding=W1A1))
    given = evaluate("cnv_bnn", chip("finn_bnn:ultra96", folding=W1A1, board_power_w=5.0))
    assert without.totals.energy_j == 0
    assert given.totals.energy_j == pytest.approx(5.0 * given.totals.time_s, rel=1e-9)
