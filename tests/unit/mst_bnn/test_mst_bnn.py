"""Trees, exact reuse and costs of mst_bnn, and everything it refuses."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workloads.binary
from accelerators.mst_bnn.functional import classify, reused_product, trained_schedules
from accelerators.mst_bnn.trees import random_signs, reuse_of, schedule_of
from hwsim.errors import DesignError, InputError
from hwsim.graph.reuse import reuse_tree
from hwsim.graph.types import Graph
from hwsim.graph.values import read_samples
from hwsim.registry import load_workload
from hwsim.run import chip, evaluate
from tests.examples import examples

FOLDER = Path(workloads.binary.__file__).parent
# Of one draw each, by an independent program.
RANDOM = {(128, 1152): 0.4677, (256, 1152): 0.4626, (256, 2304): 0.4734, (512, 2304): 0.4702}


def prepared(name: str) -> Graph:
    target = chip("mst_bnn")
    return target.accelerator.prepare(load_workload(name), target.design)


def distances(weights: np.ndarray) -> np.ndarray:
    wide = weights.astype(np.int64)
    return (weights.shape[1] - wide @ wide.T) // 2


sizes = (st.integers(1, 14), st.integers(1, 40), st.integers(0, 2**32), st.integers(0, 6))
layers = st.tuples(*sizes, st.booleans())


@examples(120)
@given(layers)
def test_reused_sums_are_the_sums(layer: tuple[int, int, int, int, bool]) -> None:
    n, k, seed, depth, complement = layer
    rng = np.random.default_rng(seed)
    weights = rng.choice(np.array([-1, 1], np.int8), (n, k))
    weights[rng.integers(n)] = weights[0]  # equal channels are zero apart, and still linked
    found = schedule_of(weights, depth, complement=complement)
    rows = rng.integers(-1, 2, (5, k)).astype(np.float64)  # zeros are padding
    wide = weights.astype(np.float64)
    assert np.array_equal(reused_product(rows, wide, found), rows @ wide.T)
    assert found.depth.max() <= depth
    assert found.products <= n * k
    place = {int(channel): i for i, channel in enumerate(found.order)}
    assert sorted(place) == list(range(n))
    assert all(place[int(p)] < place[c] for c, p in enumerate(found.parent) if p >= 0)


@examples(40)
@given(st.integers(2, 16), st.integers(1, 30), st.integers(0, 2**32))
def test_unbounded_tree_is_as_short_as_that_of_networkx(n: int, k: int, seed: int) -> None:
    weights = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, k))
    length = distances(weights)
    tree = reuse_tree(length, n)
    child = np.flatnonzero(tree.parent >= 0)
    own = int(length[child, tree.parent[child]].sum())
    complete = nx.Graph()
    complete.add_weighted_edges_from((i, j, int(length[i, j]) + 1) for i in range(n) for j in range(i))
    best = nx.minimum_spanning_tree(complete).size(weight="weight") - (n - 1)
    assert own == best
    chain = int(length[np.arange(n - 1), np.arange(1, n)].sum())
    assert own <= min(chain, int(length.sum(axis=1).min()))
    linked = nx.Graph((int(c), int(tree.parent[c])) for c in child)
    assert tree.depth.max() == nx.radius(linked)
    assert tree.root == min(nx.center(linked))
    star = reuse_tree(length, 1)
    assert star.depth.max() == 1
    assert star.root in (int(length.sum(axis=1).argmin()), min(nx.center(linked)))
    assert int(length[star.root].sum()) == int(length.sum(axis=1).min())


@pytest.mark.parametrize(("shape", "ratio"), RANDOM.items())
def test_random_weights_leave_what_an_independent_program_found(shape: tuple[int, int], ratio: float) -> None:
    n, k = shape
    found = reuse_of(n, k, chip("mst_bnn").design)
    assert found.products / (n * k) == pytest.approx(ratio, abs=0.005)


def test_clustered_weights_leave_much_less() -> None:
    rng = np.random.default_rng(5)
    prototypes = random_signs(8, 1152, 1)[rng.integers(8, size=128)]
    for flips, published in ((0.05, 8.79), (0.1, 5.30), (0.2, 3.21), (0.3, 2.46)):
        weights = np.where(rng.random(prototypes.shape) < flips, -prototypes, prototypes)
        found = schedule_of(weights.astype(np.int8), 1024, complement=False)
        assert 1 / found.ratio == pytest.approx(published, rel=0.03)


def test_equal_channels_cost_an_addition_only() -> None:
    weights = np.tile(random_signs(1, 50, 0), (6, 1))
    assert schedule_of(weights, 10, complement=False).products == 50
    weights[3:] *= -1
    assert schedule_of(weights, 10, complement=False).products == 100
    assert schedule_of(weights, 10, complement=True).products == 50


def test_depth_bounds_latency_and_saves_less() -> None:
    graph = prepared("digits_cnn_bnn")
    found = {depth: chip("mst_bnn", tree_depth=depth) for depth in (0, 1, 3, 1024)}
    figures = {depth: target.accelerator.figures(graph, target.design) for depth, target in found.items()}
    assert figures[0]["reuse_ratio"] == 1
    ratios = [figures[depth]["reuse_ratio"] for depth in (0, 1, 3, 1024)]
    assert ratios == sorted(ratios, reverse=True)
    latencies = [figures[depth]["latency_s"] for depth in (0, 1, 3, 1024)]
    assert latencies == sorted(latencies)
    assert len({figures[depth]["interval_s"] for depth in found}) == 1


@pytest.mark.parametrize("name", ["digits_mlp_bnn", "digits_cnn_bnn"])
def test_trained_networks_run_through_their_trees(name: str) -> None:
    with np.load(FOLDER / f"{name}.npz") as stored:
        data = {key: stored[key] for key in stored.files}
    data |= {key: data[key][:60] for key in ("labels", "input", "image") if key in data}
    graph, target = prepared(name), chip("mst_bnn", complement=True)
    plain = classify(graph, chip("mst_bnn", tree_depth=0).design, data)
    reused = classify(graph, target.design, data)
    assert np.array_equal(plain.predicted, reused.predicted)
    arrays, _ = read_samples(graph, data)
    schedules = trained_schedules(graph, chip("mst_bnn").design, arrays)
    left = sum(found.products for found in schedules.values())
    assert left / sum(found.inputs * len(found.order) for found in schedules.values()) < 0.465


def test_stated_reuse_prices_the_network() -> None:
    stated = chip("mst_bnn", reuse_ratio=0.3, reuse_levels=4)
    figures = stated.accelerator.figures(prepared("vgg_small_bnn"), stated.design)
    assert figures["reuse_ratio"] == pytest.approx(0.3, abs=1e-4)
    assert figures["levels_count"] == 4
    assert figures["binary_macs_count"] == 603_979_776
    with pytest.raises(DesignError, match="belong together"):
        chip("mst_bnn", reuse_ratio=0.3)


def test_a_network_larger_than_the_chip_is_refused_with_its_size() -> None:
    with pytest.raises(InputError, match="bit lanes, the chip has 1000"):
        evaluate("vgg_small_bnn", chip("mst_bnn", bit_lanes=1000))
