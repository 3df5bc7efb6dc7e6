"""What the decoder decides: against brute force, against trees where message passing is exact, and itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accelerators.min_sum_decoder.arithmetic import decoder_of, quantized
from accelerators.min_sum_decoder.channel import LANES, encoder_of, noise_deviation, transmit
from accelerators.min_sum_decoder.design import PRESETS, MinSumDesign
from accelerators.min_sum_decoder.functional import decode, decode_exactly, run
from accelerators.min_sum_decoder.prepare import prepare
from hwsim.graph.tanner import TannerGraph, decoder
from hwsim.graph.types import Graph
from hwsim.kernels.message_passing import belief_propagation, min_sum, sum_product
from hwsim.model.types import ErrorRates
from hwsim.run import load
from tests.unit.min_sum_decoder.test_codes import all_codewords

# Three checks in a row, no cycle: message passing ends after its diameter and is exact.
TREE = TannerGraph(7, ((0, 1, 2), (2, 3, 4), (4, 5, 6)))
SHARP = {"llr_bits": 12, "llr_steps_ratio": 64.0}


def design_of(**knobs: Any) -> MinSumDesign:
    return PRESETS["min_sum"].model_copy(update=MinSumDesign(**knobs).model_dump(include=set(knobs)))


def monte_carlo(network: str | Graph, data: dict[str, Any], threads: int = 0, **knobs: Any) -> ErrorRates:
    graph = load(network) if isinstance(network, str) else network
    design = design_of(**knobs)
    arrays = {name: np.array(value) for name, value in data.items()}
    return run(prepare(graph, design), design, arrays, threads=threads)


def counts(result: ErrorRates) -> list[dict[str, tuple[int, int]]]:
    return [{name: (one.count, one.trials) for name, one in point.rates.items()} for point in result.points]


def totals_of(
    llr: NDArray[np.int32], tanner: TannerGraph, weight: int = 0, **knobs: Any
) -> NDArray[np.int32]:
    """Decode int32[n, lanes] with one integer weight everywhere."""
    design = design_of(**knobs)
    found = decoder_of(prepare(decoder("code", tanner), design))
    weights = np.full((found.iterations, tanner.edges), weight, np.int32)
    return decode(np.ascontiguousarray(llr), found, weights, design)


@pytest.mark.parametrize("name", ["hamming_7_4", "bch_63_45", "ldpc_array_366_185"])
def test_offset_zero_and_factor_one_are_min_sum_bit_for_bit(name: str) -> None:
    data = {"ebn0_db": [0.0, 3.0], "frames": 200, "belief_propagation": 0}
    plain = counts(monte_carlo(name, data))
    assert plain[0]["bit_error"][0] > 0
    assert counts(monte_carlo(name, data | {"offsets": 0.0}, rule="offset_min_sum")) == plain
    for bits in (1, 6, 12):
        found = monte_carlo(name, data | {"factors": 1.0}, rule="normalized_min_sum", factor_bits=bits)
        assert counts(found) == plain
    # and not only the counts: every total of random, also saturated, LLRs
    tanner = decoder_of(load(name)).tanner
    llr = np.random.default_rng(1).integers(-31, 32, (tanner.length, 50)).astype(np.int32)
    totals = totals_of(llr, tanner)
    assert np.array_equal(totals_of(llr, tanner, rule="offset_min_sum"), totals)
    assert np.array_equal(totals_of(llr, tanner, 64, rule="normalized_min_sum"), totals)
    assert not np.array_equal(totals_of(llr, tanner, 1, rule="offset_min_sum"), totals)


def marginals(llr: NDArray[np.float64], words: NDArray[np.uint8], best: bool) -> NDArray[np.float64]:
    """Return, by all codewords, every bit's log ratio: of sums, or of the best codeword with either value."""
    scores = (1 - 2.0 * words) @ llr / 2
    found = np.empty_like(llr)
    for bit, frame in np.ndindex(*llr.shape):
        zero, one = (scores[words[:, bit] == value, frame] for value in (0, 1))
        found[bit, frame] = (zero.max() - one.max()) if best else \
            np.logaddexp.reduce(zero) - np.logaddexp.reduce(one)
    return found


def test_belief_propagation_on_a_tree_is_the_exact_posterior() -> None:
    llr = np.random.default_rng(2).normal(0, 2, (7, 40))
    found = decode_exactly(llr, decoder_of(prepare(decoder("tree", TREE), design_of(iterations=4))))
    assert found == pytest.approx(marginals(llr, all_codewords(TREE), best=False), abs=1e-9)


def test_min_sum_on_a_tree_is_maximum_likelihood() -> None:
    """Integers in, integers out: the difference to the best codeword with the other value, exactly."""
    llr = np.random.default_rng(3).integers(-200, 201, (7, 60)).astype(np.int32)
    found = totals_of(llr, TREE, iterations=4, llr_bits=12)
    assert np.array_equal(found, marginals(llr.astype(float), all_codewords(TREE), best=True))


def test_sum_product_on_integers_follows_belief_propagation() -> None:
    llr = np.random.default_rng(4).normal(0, 4, (7, 200))
    design = design_of(rule="sum_product", iterations=4, **SHARP | {"llr_steps_ratio": 128.0})
    found = decoder_of(prepare(decoder("tree", TREE), design))
    steps = quantized(llr, design)
    totals = decode(steps, found, np.zeros((4, TREE.edges), np.int32), design)
    exact = decode_exactly(steps / design.llr_steps_ratio, found)
    assert np.abs(totals / design.llr_steps_ratio - exact).max() < 8 / design.llr_steps_ratio


@pytest.mark.parametrize("rule", ["min_sum", "sum_product"])
def test_hamming_stays_near_and_above_maximum_likelihood(rule: str) -> None:
    """The same received words, decided by the likelihood of all 16 codewords."""
    tanner = decoder_of(load("hamming_7_4")).tanner
    words, encoder, wrong = all_codewords(tanner), encoder_of(tanner), 0
    blocks = 40
    for block in range(blocks):
        sent, llr = transmit(encoder, 3.0, 5, block)
        best = words[((1 - 2.0 * words) @ llr.T).argmax(axis=0)]
        wrong += int((best != sent).any(axis=1).sum())
    data = {"ebn0_db": 3.0, "frames": blocks * LANES, "seed": 5}
    sharp = {"llr_bits": 12, "llr_steps_ratio": 100.0}
    point = monte_carlo("hamming_7_4", data, rule=rule, iterations=20, **sharp).points[0]
    found = point.rates["frame_error"].count
    assert wrong <= found <= 2 * wrong
    assert wrong <= point.rates["frame_error_belief_propagation"].count <= 2 * wrong
    assert wrong > 50


def test_channel_makes_the_errors_of_theory() -> None:
    """Uncoded hard decisions at Eb / N0 fail with Q(sqrt(2 R Eb / N0)); LLRs are 2 y / sigma^2."""
    from math import erfc, sqrt

    encoder = encoder_of(decoder_of(load("bch_63_45")).tanner)
    received = [transmit(encoder, 2.0, 9, block) for block in range(60)]
    wrong = np.concatenate([((llr < 0) != words).ravel() for words, llr in received])
    expected = 0.5 * erfc(sqrt(45 / 63 * 10**0.2))
    deviation = sqrt(expected * (1 - expected) / wrong.size)
    assert abs(wrong.mean() - expected) < 4 * deviation
    signed = np.concatenate([(llr * (1 - 2.0 * words)).ravel() for words, llr in received])
    sigma = noise_deviation(2.0, 45 / 63)
    assert signed.mean() == pytest.approx(2 / sigma**2, rel=0.02)
    assert signed.std() == pytest.approx(2 / sigma, rel=0.02)
    assert np.mean([words.mean() for words, _ in received]) == pytest.approx(0.5, abs=0.01)


def test_counts_depend_on_the_seed_and_on_nothing_else() -> None:
    data = {"ebn0_db": [2.0, 4.0], "frames": 300, "seed": 3}
    one = monte_carlo("bch_63_45", data, threads=1)
    assert counts(one) == counts(monte_carlo("bch_63_45", data, threads=5))
    assert counts(one)[1:] == counts(monte_carlo("bch_63_45", data | {"ebn0_db": [4.0]}))
    assert counts(one) != counts(monte_carlo("bch_63_45", data | {"seed": 4}))
    assert one == monte_carlo("bch_63_45", data, threads=3)


@pytest.mark.slow
def test_more_signal_more_bits_and_more_iterations_help() -> None:
    data = {"ebn0_db": [0.0, 2.0, 4.0], "frames": 640, "belief_propagation": 0}
    rates = [point["frame_error"][0] for point in counts(monte_carlo("ldpc_array_366_185", data))]
    assert rates[0] > rates[1] > rates[2]
    at = {"ebn0_db": 2.5, "frames": 640, "belief_propagation": 0}

    def wrong(**knobs: Any) -> int:
        return counts(monte_carlo("ldpc_array_366_185", at, **knobs))[0]["bit_error"][0]

    assert wrong(llr_bits=3, llr_steps_ratio=0.5) > wrong(llr_bits=6)
    assert wrong(iterations=1) > wrong(iterations=5) > wrong(iterations=20)
    assert wrong(rule="offset_min_sum", offset_ratio=0.5) < wrong()
    assert wrong(rule="normalized_min_sum", factor_ratio=0.75) < wrong()


def test_integers_come_close_to_belief_propagation() -> None:
    data = {"ebn0_db": 2.5, "frames": 960}
    point = monte_carlo("ldpc_array_366_185", data, rule="sum_product", iterations=10).points[0]
    ours, exact = point.rates["bit_error"].count, point.rates["bit_error_belief_propagation"].count
    assert exact > 300
    assert 0.8 * exact < ours < 1.5 * exact


def test_nothing_is_wrong_without_noise() -> None:
    for name in ("hamming_7_4", "bch_63_36", "ldpc_array_366_185"):
        for rule in ("min_sum", "offset_min_sum", "normalized_min_sum", "sum_product"):
            (point,) = monte_carlo(name, {"ebn0_db": 40.0, "frames": 65}, rule=rule).points
            assert {rate.count for rate in point.rates.values()} == {0}


def test_weights_of_every_sharing_reach_their_edges() -> None:
    """One factor for all, the same an edge, the same an edge and iteration; then one edge differs."""
    data = {"ebn0_db": 3.0, "frames": 640, "belief_propagation": 0}
    knobs = {"rule": "normalized_min_sum"}
    for value in (0.75, 0.3):
        same = [
            counts(monte_carlo("bch_63_45", data | {"factors": weights}, weight_sharing=sharing, **knobs))
            for sharing, weights in (("all", value), ("iterations", np.full(432, value)),
                                     ("none", np.full((5, 432), value)))
        ]
        assert same[0] == same[1] == same[2]
    changed = np.full((5, 432), 0.75)
    changed[4, :24] = 0.0
    base = counts(monte_carlo("bch_63_45", data | {"factors": 0.75}, **knobs))
    other = counts(monte_carlo("bch_63_45", data | {"factors": changed}, weight_sharing="none", **knobs))
    assert other != base


@pytest.mark.parametrize("rule", [0, 1, 2])
def test_kernel_equals_its_plain_twin(rule: int) -> None:
    rng = np.random.default_rng(rule)
    tanner = decoder_of(load("bch_15_11")).tanner
    starts = np.concatenate([[0], np.cumsum(tanner.degrees)]).astype(np.int64)
    variables = np.array(tanner.variables, np.int64)
    llr = rng.integers(-31, 32, (15, 6)).astype(np.int32)
    weights = rng.integers(0, 70, (3, tanner.edges)).astype(np.int32)
    arguments = (llr, starts, variables, weights, rule, 6, 31)
    plain: Any = min_sum
    assert np.array_equal(min_sum(*arguments), plain.plain(*arguments))


def test_other_kernels_equal_their_plain_twins() -> None:
    rng = np.random.default_rng(6)
    tanner = decoder_of(load("hamming_7_4")).tanner
    starts = np.concatenate([[0], np.cumsum(tanner.degrees)]).astype(np.int64)
    variables = np.array(tanner.variables, np.int64)
    llr = rng.integers(-31, 32, (7, 6)).astype(np.int32)
    product: Any = sum_product
    tables = np.tanh(np.arange(32) / 4), np.tanh((np.arange(1, 32) - 0.5) / 4)
    assert np.array_equal(sum_product(llr, starts, variables, 3, *tables),
                          product.plain(llr, starts, variables, 3, *tables))
    exact: Any = belief_propagation
    found = belief_propagation(llr / 4, starts, variables, 3, 30.0)
    assert found == pytest.approx(exact.plain(llr / 4, starts, variables, 3, 30.0), rel=1e-9)
