"""Built-in codes: parameters as published, and properties that only the right matrix has."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from accelerators.min_sum_decoder.channel import encoder_of
from accelerators.min_sum_decoder.design import PRESETS
from accelerators.min_sum_decoder.functional import run
from hwsim.errors import GraphError, InputError
from hwsim.graph.ops import work_of
from hwsim.graph.tanner import TannerGraph, decoder, tanner_of
from hwsim.kernels.binary_matrix import eliminate
from hwsim.run import load
from workloads.codes import CODES
from workloads.codes.constructions import array_code, bch_code, hamming_code, tanner_code

# name: n, k, checks, edges, check degree, sum of d (d - 1) over the variables
PARAMETERS = {
    "hamming_7_4": (7, 4, 3, 12, 4, 12),
    "bch_15_11": (15, 11, 4, 32, 8, 48),
    "bch_63_36": (63, 36, 27, 486, 18, 4238),
    "bch_63_39": (63, 39, 24, 672, 28, 8662),
    "bch_63_45": (63, 45, 18, 432, 24, 3068),
    "ldpc_array_366_185": (366, 185, 183, 1098, 6, 2196),
    "ldpc_tanner_155_64": (155, 64, 93, 465, 5, 930),
}


def matrix_of(tanner: TannerGraph) -> np.ndarray:
    matrix = np.zeros((len(tanner.checks), tanner.length), np.int64)
    for row, check in enumerate(tanner.checks):
        matrix[row, list(check)] = 1
    return matrix


def dimension_of(tanner: TannerGraph) -> int:
    return encoder_of(tanner).information.size


def all_codewords(tanner: TannerGraph) -> np.ndarray:
    bits = np.array(list(itertools.product((0, 1), repeat=dimension_of(tanner))), np.uint8)
    return encoder_of(tanner).codewords(bits)


def test_every_code_has_asserted_parameters() -> None:
    assert set(PARAMETERS) == set(CODES)


@pytest.mark.parametrize("name", CODES)
def test_parameters(name: str) -> None:
    tanner = CODES[name]()
    pairs = sum(degree * (degree - 1) for degree in tanner.variable_degrees)
    found = (tanner.length, dimension_of(tanner), len(tanner.checks), tanner.edges, tanner.degrees[0], pairs)
    assert found == PARAMETERS[name]
    assert len(set(tanner.degrees)) == 1


@pytest.mark.parametrize("name", CODES)
def test_encoded_words_satisfy_every_check_and_carry_their_bits(name: str) -> None:
    tanner = CODES[name]()
    encoder = encoder_of(tanner)
    bits = np.random.default_rng(3).integers(0, 2, (20, dimension_of(tanner)), np.uint8)
    words = encoder.codewords(bits)
    assert not (words @ matrix_of(tanner).T % 2).any()
    assert (words[:, encoder.information] == bits).all()


@pytest.mark.parametrize(("name", "distance"), [("hamming_7_4", 3), ("bch_15_11", 3)])
def test_minimum_distance_by_enumeration(name: str, distance: int) -> None:
    weights = all_codewords(CODES[name]()).sum(axis=1)
    assert len(weights) == 2 ** PARAMETERS[name][1]
    assert sorted(weights)[:2] == [0, distance]


@pytest.mark.parametrize("errors", [3, 4, 5])
def test_roots_of_a_bch_code_are_powers_of_a_primitive_element(errors: int) -> None:
    """c(a^i) = 0 for i = 1 to 2 t, in GF(64) built here from x^6 = x + 1."""
    power = [1]
    for _ in range(62):
        power.append(power[-1] << 1 ^ (0b1000011 if power[-1] & 32 else 0))
    tanner = bch_code(6, errors)
    word = all_ones_free(tanner)
    for i in range(1, 2 * errors + 1):
        value = 0
        for place in np.flatnonzero(word):
            value ^= power[i * place % 63]
        assert value == 0, i


def all_ones_free(tanner: TannerGraph) -> np.ndarray:
    rng = np.random.default_rng(8)
    return encoder_of(tanner).codewords(rng.integers(0, 2, (1, dimension_of(tanner)), np.uint8))[0]


def test_array_code_has_no_cycle_of_four_edges_and_is_regular() -> None:
    tanner = array_code(61, 3, 6)
    overlaps = matrix_of(tanner) @ matrix_of(tanner).T
    np.fill_diagonal(overlaps, 0)
    assert overlaps.max() == 1
    assert set(tanner.variable_degrees) == {3}
    assert set(tanner.degrees) == {6}


def test_shortest_cycles_of_the_tanner_code_have_eight_edges() -> None:
    """A closed walk without turning back needs eight steps: check to check over different bits, and back."""
    matrix = matrix_of(tanner_code())
    checks = matrix @ matrix.T
    np.fill_diagonal(checks, 0)
    assert checks.max() == 1
    triangles = np.trace(checks @ checks @ checks)
    # Three checks that share one bit are a triangle without a cycle: 6 closed walks a bit of degree 3.
    assert triangles == 6 * 155
    assert set(matrix.sum(axis=0)) == {3}


@pytest.mark.parametrize("size", [1, 4, 9])
def test_array_code_needs_a_prime(size: int) -> None:
    with pytest.raises(ValueError, match=f"prime size of at least 3, not {size}"):
        array_code(size, 2, 3)


def test_rank_is_that_of_gaussian_elimination_on_rationals_mod_two() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        length = int(rng.integers(2, 9))
        checks = tuple(tuple(np.flatnonzero(row).tolist()) for row in rng.integers(0, 2, (5, length)))
        tanner = TannerGraph(length, checks)
        words = np.array(list(itertools.product((0, 1), repeat=length)))
        kept = (words @ matrix_of(tanner).T % 2 == 0).all(axis=1).sum()
        assert kept == 2 ** dimension_of(tanner)


def test_network_is_one_iteration_whose_work_is_that_of_one() -> None:
    graph = load("bch_63_36", batch=3)
    checks, variables = graph.ops
    assert tanner_of(checks, 63) == CODES["bch_63_36"]()
    assert dict(work_of(graph, checks).primitives) == {"add": 3 * 486, "compare": 3 * 567, "logic": 3 * 945}
    assert dict(work_of(graph, variables).primitives) == {"add": 3 * 486}
    assert graph.tensors["llr"].shape == (3, 63)
    assert graph.tensors["messages"].shape == (3, 486)


def test_every_flaw_of_a_matrix_is_reported_at_once() -> None:
    with pytest.raises(GraphError) as caught:
        decoder("flawed", TannerGraph(5, ((0, 1), (), (2,), (1, 7), (0, 0, 1))))
    text = str(caught.value)
    for part in ("check 2: holds no bit", "check 3: holds one bit alone", "check 4: holds bit 8 of 5",
                 "check 5: holds a bit twice", "bit 4: is in no check", "bit 5: is in no check"):
        assert f"flawed.{part}" in text
    assert len(caught.value.problems) == 6


def test_a_code_of_parity_alone_has_no_encoder() -> None:
    graph = decoder("rigid", TannerGraph(3, ((0, 1), (1, 2), (0, 1, 2))))
    with pytest.raises(InputError, match="rigid: all 3 bits are parity: the only codeword is zero"):
        run(graph, PRESETS["min_sum"], {"ebn0_db": np.array(1.0)})


@pytest.mark.parametrize("fast", [True, False])
def test_elimination_leaves_unit_columns_and_the_same_row_space(fast: bool) -> None:
    rng = np.random.default_rng(int(fast))
    form: Any = eliminate.fast if fast else eliminate.plain  # type: ignore[attr-defined]
    for _ in range(20):
        count, columns = (int(size) for size in rng.integers(1, 150, 2))
        ones = np.zeros((count, (columns + 63) // 64 * 64), np.uint8)
        ones[:, :columns] = rng.random((count, columns)) < rng.choice([0.05, 0.5])
        rows = np.packbits(ones, axis=1, bitorder="little").view(np.uint64).copy()
        pivots = form(rows, columns)
        reduced = np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little").astype(np.int64)
        assert np.array_equal(reduced[: len(pivots), pivots], np.eye(len(pivots)))
        assert not reduced[len(pivots):].any()
        assert not ((ones[:, pivots].astype(np.int64) @ reduced[: len(pivots)] + ones) % 2).any()


def test_hamming_codes_grow() -> None:
    codes = [hamming_code(checks) for checks in (2, 3, 4)]
    assert [(code.length, dimension_of(code)) for code in codes] == [(3, 1), (7, 4), (15, 11)]
