"""Gradients of the training steps against finite differences, and a network that learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workloads.binary
from accelerators.mst_bnn.functional import trained_schedules
from hwsim.graph.values import read_samples, run
from hwsim.registry import load_workload
from hwsim.run import chip
from workloads.binary import train
from workloads.binary.reference import EPSILON, classify, columns
from workloads.binary.steps import Normalization, Product, cross_entropy, pool, unpool

FOLDER = Path(workloads.binary.__file__).parent
POOLS = frozenset({"conv1", "conv2"})
NAMES = {"digits_mlp_bnn": ("fc1", "fc2", "fc3"), "digits_cnn_bnn": ("conv0", "conv1", "conv2", "fc")}


def slope(function: object, x: np.ndarray, place: tuple[int, ...], step: float = 1e-6) -> float:
    moved = [x.copy(), x.copy()]
    moved[0][place] += step
    moved[1][place] -= step
    return float((function(moved[0]) - function(moved[1])) / (2 * step))


def test_normalization_gradients() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(4, 3, 2, 2)), rng.normal(size=(4, 3, 2, 2))
    norm = Normalization(3, EPSILON)
    norm.scale[:], norm.bias[:] = rng.normal(size=3), rng.normal(size=3)
    norm.forward(x)
    back = norm.backward(weight)
    for place in ((0, 0, 0, 0), (3, 2, 1, 1), (1, 1, 0, 1)):
        numeric = slope(lambda v: (norm.forward(v) * weight).sum(), x, place)
        assert back[place] == pytest.approx(numeric, abs=1e-6)
    assert np.allclose(norm.bias_gradient, weight.sum(axis=(0, 2, 3)))


def test_windows_and_their_way_back_are_transposes() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 3, 4, 5))
    rows = columns(x)
    other = rng.normal(size=rows.shape)
    assert (rows * other).sum() == pytest.approx((x * train._fold(other, x.shape)).sum())


def test_pool_gives_the_gradient_to_the_largest() -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 4))
    largest, chosen = pool(x)
    assert (largest == x.reshape(2, 3, 2, 2, 2, 2).max(axis=(3, 5))).all()
    back = unpool(np.ones_like(largest), chosen)
    assert back.sum() == largest.size
    assert np.allclose((back * x).sum(), largest.sum())


def test_cross_entropy_and_straight_through() -> None:
    rng = np.random.default_rng(3)
    sums, labels = rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2])

    def loss(z: np.ndarray) -> float:
        return float(-(z[np.arange(5), labels] - np.log(np.exp(z).sum(axis=1))).mean())

    delta = cross_entropy(sums, labels)
    assert delta[2, 1] == pytest.approx(slope(loss, sums, (2, 1)), abs=1e-8)
    layer = Product(rng, 6, 4, binary=True, biased=False)
    layer.weights[0, 0] = 1.5  # beyond 1 the sign lets nothing through
    layer.forward(rng.normal(size=(5, 6)))
    layer.backward(delta)
    assert layer.weight_gradient[0, 0] == 0
    assert (layer.weight_gradient[1:] != 0).all()
    assert not layer.bias_gradient.any()


def test_a_small_network_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "EPOCHS", 60)
    rng = np.random.default_rng(4)
    prototypes = rng.choice([-1.0, 1.0], (10, 40))
    labels = rng.integers(10, size=300)
    x = prototypes[labels] * rng.choice([-1.0, 1.0], (300, 40), p=[0.1, 0.9])
    network = train.Network(("fc1", "fc2"), (40, 48, 10), frozenset())
    train.train(network, x[:200], labels[:200])
    wrong = (classify(network.names, (), network.arrays(), x[200:]) != labels[200:]).mean()
    assert wrong < 0.1
    assert set(np.unique(network.arrays()["fc1.weight"])) == {-1, 1}


def test_channels_are_drawn_along_their_tree() -> None:
    layer = Product(np.random.default_rng(5), 30, 8, binary=True, biased=False)
    parent = train.parents(layer)
    root = int(np.flatnonzero(parent == np.arange(8)).item())
    layer.weight_gradient = np.zeros_like(layer.weights)
    train.draw_together(layer, parent, 0.5)

    def loss(weights: np.ndarray) -> float:
        return float(0.25 * ((weights - weights[:, parent]) ** 2).sum())

    for place in ((0, root), (3, (root + 1) % 8), (29, 0)):
        assert layer.weight_gradient[place] == pytest.approx(slope(loss, layer.weights, place), abs=1e-8)


def test_the_drawn_perceptron_reuses_more_at_the_same_error() -> None:
    graph, left = load_workload("digits_mlp_bnn"), {}
    target = chip("mst_bnn")
    for name in ("digits_mlp_bnn", "digits_mlp_mst"):
        with np.load(FOLDER / f"{name}.npz") as stored:
            arrays, labels = read_samples(graph, {key: stored[key] for key in stored.files})
        assert (run(graph, arrays)[graph.outputs[0]].argmax(axis=1) != labels).mean() <= 0.06
        schedules = trained_schedules(graph, target.design, arrays).values()
        left[name] = sum(found.products for found in schedules) / (256 * (192 + 256))
    assert left["digits_mlp_bnn"] == pytest.approx(0.411, abs=0.001)
    assert left["digits_mlp_mst"] < 0.31


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_fit_the_graph_and_the_stated_error(name: str) -> None:
    path = FOLDER / f"{name}.npz"
    with np.load(path) as stored:
        data = {key: stored[key] for key in stored.files}
    graph = load_workload(name)
    arrays, labels = read_samples(graph, data)
    x = arrays[graph.inputs[0]]
    own = classify(NAMES[name], POOLS, arrays, x)
    assert np.array_equal(own, run(graph, arrays)[graph.outputs[0]].argmax(axis=1))
    assert (own != labels).sum() == {"digits_mlp_bnn": 18, "digits_cnn_bnn": 9}[name]
    assert sum(file.stat().st_size for file in FOLDER.glob("*.npz")) < 300_000
