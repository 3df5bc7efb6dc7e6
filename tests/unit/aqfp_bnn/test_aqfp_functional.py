"""Networks on noisy tiles: exact without noise, equal in distribution by all ways of drawing."""

from __future__ import annotations

import importlib
import math
from pathlib import Path

import numpy as np
import pytest

from accelerators.aqfp_bnn.crossbars import log_binomials
from accelerators.aqfp_bnn.design import AqfpBnnDesign, ParallelCounter, TieRule
from accelerators.aqfp_bnn.functional import run
from accelerators.aqfp_bnn.host import compute
from accelerators.aqfp_bnn.neuron import probability
from accelerators.aqfp_bnn.statistics import count_distribution, decision
from accelerators.aqfp_bnn.tiles import key_of, pack, rows_of, uniform_words
from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from hwsim.kernels.stochastic_tiles import binomial_counts, bitwise_counts
from hwsim.run import chip
from tests.unit.aqfp_bnn.networks import Arrays, mixed, perceptron, random_arrays


def design(**knobs: object) -> AqfpBnnDesign:
    found = chip("aqfp_bnn", **knobs).design
    assert isinstance(found, AqfpBnnDesign)
    return found


def counts_of(
    signs: np.ndarray, weights: np.ndarray, crossbar: int, gray_zone: float, length: int, seed: int,
    bitwise: bool, approximate: bool = False, thresholds: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    rows, own = rows_of(signs, None, crossbar), pack(weights, crossbar)
    limits = np.zeros(len(weights)) if thresholds is None else thresholds
    operands = (rows.words, rows.mask, rows.active, own, limits, gray_zone)
    if bitwise:
        return bitwise_counts(*operands, length, approximate, key_of(seed, 0), 0)
    return binomial_counts(*operands, log_binomials(length), key_of(seed, 0), 0)


def operands(rows: int, samples: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    one = rng.choice(np.array([-1, 1], np.int8), (1, rows))
    return np.repeat(one, samples, axis=0), rng.choice(np.array([-1, 1], np.int8), (columns, rows))


def tile_sums(signs: np.ndarray, weights: np.ndarray, crossbar: int) -> np.ndarray:
    starts = np.arange(0, len(signs), crossbar)
    return np.add.reduceat(signs.astype(int) * weights, starts)


@pytest.mark.parametrize("bitwise", [False, True])
@pytest.mark.parametrize(
    ("rows", "crossbar", "length"), [(40, 10, 8), (75, 72, 4), (130, 66, 5), (30, 30, 16)]
)
def test_counts_have_mean_variance_and_distribution_as_derived(
    rows: int, crossbar: int, length: int, bitwise: bool
) -> None:
    samples, gray_zone = 20000, 7.0
    signs, weights = operands(rows, samples, 2)
    found = counts_of(signs, weights, crossbar, gray_zone, length, 3, bitwise)
    for column in range(2):
        sums = tile_sums(signs[0], weights[column], crossbar)
        p = probability(sums.astype(float), 0.0, gray_zone).tolist()
        exact, counts = decision(p, length, TieRule.ONE), count_distribution(p, length)
        seen = found[:, column]
        assert abs(seen.mean() - exact.mean) <= 4 * math.sqrt(exact.variance / samples)
        spread = math.sqrt(
            ((np.arange(len(counts)) - exact.mean) ** 4 @ counts - exact.variance**2) / samples
        )
        assert abs(seen.var() - exact.variance) <= 4 * spread
        half = len(sums) * length / 2
        one = float((seen >= half).mean())
        assert (
            abs(one - exact.one_probability) <= 4 * math.sqrt(exact.one_probability * 0.25 / samples) + 1e-3
        )
        likely = counts * samples > 10
        histogram = np.bincount(seen, minlength=len(counts))
        chi = float(((histogram - samples * counts)[likely] ** 2 / (samples * counts)[likely]).sum())
        freedom = int(likely.sum()) - 1
        assert chi < freedom + 4 * math.sqrt(2 * freedom) + 4


def test_approximate_counters_have_the_distribution_of_pairs() -> None:
    signs, weights = operands(50, 20000, 1)
    found = counts_of(signs, weights, 10, 6.0, 4, 1, True, approximate=True)[:, 0]
    p = probability(tile_sums(signs[0], weights[0], 10).astype(float), 0.0, 6.0).tolist()
    exact = decision(p, 4, TieRule.ONE, ParallelCounter.APPROXIMATE)
    assert abs(found.mean() - exact.mean) <= 4 * math.sqrt(exact.variance / len(found))
    counts = count_distribution(p, 4, ParallelCounter.APPROXIMATE)
    assert np.abs(np.bincount(found, minlength=len(counts)) / len(found) - counts).max() < 0.015


def test_bits_are_those_of_the_numpy_twin() -> None:
    signs, weights = operands(23, 6, 3)
    length, gray_zone, crossbar = 5, 4.0, 6
    found = counts_of(signs, weights, crossbar, gray_zone, length, 9, True)
    tiles = 4
    numbers = np.arange(6 * 3 * length * tiles, dtype=np.uint64)
    random = uniform_words(key_of(9, 0), numbers).reshape(6, 3, length, tiles)
    for window in range(6):
        for column in range(3):
            sums = tile_sums(signs[window], weights[column], crossbar).astype(float)
            level = np.floor(probability(sums, 0.0, gray_zone) * 2**32 + 0.5)
            assert found[window, column] == (random[window, column] < level).sum()


def test_plain_and_compiled_kernels_agree() -> None:
    signs, weights = operands(20, 3, 2)
    rows, own = rows_of(signs, None, 7), pack(weights, 7)
    given = (rows.words, rows.mask, rows.active, own, np.zeros(2), 3.0)
    with np.errstate(over="ignore"):
        plain = binomial_counts.plain(*given, log_binomials(6), key_of(1, 0), 0)  # type: ignore[attr-defined]
        bits = bitwise_counts.plain(*given, 6, True, key_of(1, 0), 0)  # type: ignore[attr-defined]
    assert (plain == binomial_counts(*given, log_binomials(6), key_of(1, 0), 0)).all()
    assert (bits == bitwise_counts(*given, 6, True, key_of(1, 0), 0)).all()


@pytest.mark.parametrize("bitwise", [False, True])
def test_without_noise_tiles_compare_exactly(bitwise: bool) -> None:
    rng = np.random.default_rng(2)
    signs = rng.choice(np.array([-1, 1], np.int8), (50, 33))
    weights = rng.choice(np.array([-1, 1], np.int8), (7, 33))
    limits = rng.normal(size=7)
    found = counts_of(signs, weights, 33, 0.0, 1, 1, bitwise, thresholds=limits)
    assert (found == (signs.astype(int) @ weights.T >= limits)).all()
    many = counts_of(signs, weights, 8, 0.0, 4, 1, bitwise, thresholds=limits / 5)
    tiles = np.add.reduceat(signs.astype(int)[:, None] * weights, np.arange(0, 33, 8), axis=2)
    assert (many == 4 * (tiles >= limits[:, None] / 5).sum(axis=2)).all()


def test_the_order_of_work_changes_no_bit() -> None:
    rng = np.random.default_rng(0)
    signs = rng.choice(np.array([-1, 1], np.int8), (10, 30))
    weights = rng.choice(np.array([-1, 1], np.int8), (4, 30))
    rows, own = rows_of(signs, None, 8), pack(weights, 8)
    whole = binomial_counts(
        rows.words, rows.mask, rows.active, own, np.zeros(4), 5.0, log_binomials(8), key_of(1, 0), 0
    )
    for first in (0, 3, 7):
        part = rows_of(signs[first:], None, 8)
        found = binomial_counts(
            part.words, part.mask, part.active, own, np.zeros(4), 5.0, log_binomials(8), key_of(1, 0), first
        )
        assert (found == whole[first:]).all()


# Sign agreement with the exact dot product of 1152 random products: L = 1, 4, 16, 32, 128.
AGREEMENT = {
    (16, 0.1): (0.797, 0.838, 0.841, 0.841, 0.837), (16, 8): (0.723, 0.823, 0.895, 0.912, 0.922),
    (16, 32): (0.588, 0.640, 0.741, 0.806, 0.887), (72, 0.1): (0.794, 0.818, 0.815, 0.833, 0.828),
    (72, 8): (0.770, 0.840, 0.855, 0.867, 0.870), (72, 32): (0.637, 0.752, 0.857, 0.897, 0.940),
    (144, 32): (0.673, 0.799, 0.888, 0.903, 0.946),
}  # fmt: skip


@pytest.mark.parametrize(("crossbar", "gray_zone"), AGREEMENT)
def test_randomness_helps_as_simulated(crossbar: int, gray_zone: float) -> None:
    rng = np.random.default_rng(8)
    signs, weights = rng.choice(np.array([-1, 1], np.int8), (8000, 1152)), np.ones((1, 1152), np.int8)
    exact, found = signs.sum(axis=1, dtype=int) >= 0, []
    for length in (1, 4, 16, 32, 128):
        counts = counts_of(signs, weights, crossbar, gray_zone, length, 6, False)[:, 0]
        found.append(float(((2 * counts >= 1152 // crossbar * length) == exact).mean()))
    assert found == pytest.approx(AGREEMENT[crossbar, gray_zone], abs=0.03)
    assert gray_zone < 32 or found == sorted(found)


def same_as_floating_point(graph: Graph, arrays: Arrays, **knobs: object) -> float:
    result = run(graph, design(**knobs), arrays)
    return float((result.predicted == result.reference).mean())


def test_long_streams_with_a_wide_gray_zone_find_the_network_again() -> None:
    graph = perceptron(64, 48, 10)
    arrays = random_arrays(graph, 300, seed=4)
    short, long = (
        same_as_floating_point(
            graph, arrays, crossbar_size=16, gray_zone_products_ratio=24.0, stream_length=length
        )
        for length in (4, 1024)
    )
    assert long > 0.65
    assert long > short + 0.1


def test_binomial_and_bitwise_runs_agree_in_distribution() -> None:
    graph = perceptron(64, 48, 10)
    arrays = random_arrays(graph, 1500, seed=1)
    rates = [
        same_as_floating_point(
            graph, arrays, crossbar_size=16, gray_zone_products_ratio=10.0, sampling=sampling, seed=seed
        )
        for sampling, seed in (("binomial", 1), ("bitwise", 2))
    ]
    spread = math.sqrt(2 * rates[0] * (1 - rates[0]) / 1500)
    assert abs(rates[0] - rates[1]) <= 4 * spread


def test_runs_repeat_and_seeds_differ() -> None:
    graph = perceptron(64, 48, 10)
    arrays = random_arrays(graph, 100)
    first, again, other = (
        run(graph, design(crossbar_size=16, gray_zone_products_ratio=20.0, seed=seed), arrays).predicted
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("graph", [mixed(), perceptron(30, 20, 10)], ids=["convolutions", "perceptron"])
def test_samples_in_parts_yield_the_same(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = random_arrays(graph, 23)
    target = design(crossbar_size=16, gray_zone_products_ratio=9.0)
    whole = run(graph, target, arrays).predicted
    module = importlib.import_module("accelerators.aqfp_bnn.functional")
    monkeypatch.setattr(module, "LARGEST_ELEMENTS", 5 * 64 * 72 if graph.name == "mixed" else 5 * 30)
    assert module.samples_at_once(graph) == 5
    assert (run(graph, target, arrays).predicted == whole).all()


def test_layers_of_full_precision_run_on_the_host() -> None:
    graph = mixed()
    arrays = random_arrays(graph, 40)
    result = run(graph, design(neuron="deterministic", crossbar_size=144, stream_length=1), arrays)
    # One tile a column and no noise: the binary layers are exact, pools of both signs of scale included.
    assert (result.predicted == result.reference).all()
    assert "conv0, bn0, sign0, fc" in result.notes[-1]


def test_columns_that_never_change_are_reported() -> None:
    graph = mixed()
    arrays = random_arrays(graph, 5)
    arrays["conv1.bn.scale"][3] = 0.0
    result = run(graph, design(neuron="deterministic", crossbar_size=144, stream_length=1), arrays)
    assert (result.predicted == result.reference).all()
    assert any("conv1: 1 columns have scale 0" in line for line in result.warnings)


FAULTS = {
    "missing": (lambda a: a.pop("fc1.weight"), "data.fc1.weight: is missing"),
    "zero": (lambda a: a["fc1.weight"].__setitem__((0, 0), 0), "is binary and holds 0"),
    "inputs": (lambda a: a["input"].__setitem__((0, 0), 0.5), "data.input: is binary and holds 0.5"),
    "shape": (lambda a: a.update({"fc1.weight": np.ones((3, 3))}), "has shape"),
    "nan": (lambda a: a["bn1.mean"].__setitem__(0, math.nan), "1 values that are no finite numbers"),
    "extra": (lambda a: a.update({"fc1.weights": np.ones(1)}), "belongs to no tensor"),
    "labels": (lambda a: a.update(labels=np.full(20, 99)), "classes from 0 to 9"),
    "count": (lambda a: a.update(labels=np.zeros(3, int)), "expected 20 whole numbers"),
    "variance": (lambda a: a["bn1.variance"].__setitem__(0, -1.0), "is not above 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_that_do_not_fit_are_refused(fault: str) -> None:
    graph = perceptron(30, 20, 10)
    arrays = random_arrays(graph, 20)
    change, reason = FAULTS[fault]
    change(arrays)
    with pytest.raises(InputError) as caught:
        run(graph, design(gray_zone_products_ratio=5.0), arrays)
    assert reason in str(caught.value)


def test_networks_without_values_are_refused() -> None:
    b = GraphBuilder("float")
    b.output(b.linear(b.input("x", (1, 4)), 3, name="fc"))
    with pytest.raises(InputError, match="has no binary layer"):
        run(b.build(), design(neuron="deterministic"), {})
    b = GraphBuilder("cell")
    b.output(b.lstm(b.input("x", (3, 1, 4)), 4, name="cell"))
    graph = b.build()
    with pytest.raises(InputError, match="lstm  computes no values"):
        run(graph, design(neuron="deterministic"), {})
    with pytest.raises(InputError, match="lstm computes no values here"):
        compute(graph, graph.ops[0], [])


def test_the_digits_of_the_repository() -> None:
    from hwsim.run import load

    folder = Path(__file__).parents[3] / "workloads" / "binary"
    with np.load(folder / "digits_mlp_bnn.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    graph = load("digits_mlp_bnn")
    wrong = {}
    for length in (1, 16):
        knobs = {"crossbar_size": 72, "stream_length": length, "gray_zone_products_ratio": 12.0}
        result = run(graph, design(**knobs), arrays)
        wrong[length] = float((result.predicted != result.labels).mean())
    reference = float((result.reference != result.labels).mean())
    assert reference < 0.1
    assert wrong[16] < reference + 0.06
    assert wrong[16] < wrong[1]
