"""Additions, products, maxima and logic against integers, exhaustively where small; commands counted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from accelerators.racetrack_pim.design import RacetrackDesign
from accelerators.racetrack_pim.faults import added, error_ratio
from accelerators.racetrack_pim.processor import LOGIC, Processor
from accelerators.racetrack_pim.programs import Program, Programs
from accelerators.racetrack_pim.tape import Words, pack, unpack
from hwsim.errors import InputError
from hwsim.kernels import racetrack_words

DISTANCES = (3, 5, 7)


def design(trd: int, **knobs: object) -> RacetrackDesign:
    return RacetrackDesign.model_validate(
        {"subarrays_active": 1, "trd": trd, "domains": 16, "multiply_model": "functional", **knobs}
    )


def counted(program: Program, rows: int) -> Counter[tuple[str, str]]:
    """Commands of a closed form in some rows."""
    found: Counter[tuple[str, str]] = Counter()
    for (unit, action, _), count in program.counts.items():
        if count:
            found[unit, action] += count * rows
    return found


@pytest.mark.parametrize("trd", DISTANCES)
def test_addition_of_four_bits_exhaustively(trd: int) -> None:
    d = design(trd)
    numbers = np.arange(16**d.operands)
    operands = [
        (numbers >> (4 * i) & 15).reshape(-1, 128 if d.operands > 1 else 16) for i in range(d.operands)
    ]
    p = Processor(d, len(operands[0]))
    result = p.addition([pack(row, 4, 8) for row in operands], 4)
    assert np.array_equal(unpack(result, 4, 128) & 15, sum(operands) & 15)
    assert p.clusters.events == counted(Programs(d).addition(4), p.clusters.rows)
    assert p.clusters.time.cycles == 2 * 4 + d.operands + (d.operands if trd > 3 else 1)


@pytest.mark.parametrize("trd", DISTANCES)
@pytest.mark.parametrize("lane_bits", [8, 16, 32, 64])
def test_published_addition_repeats_on_a_clean_window(trd: int, lane_bits: int) -> None:
    d, rng = design(trd), np.random.default_rng(lane_bits)
    lanes = d.lanes(lane_bits)
    operands = [rng.integers(0, 2 ** (lane_bits - 1), (3, lanes)) for _ in range(d.operands)]
    p = Processor(d, 3)
    result = p.addition([pack(row, lane_bits, 8) for row in operands], lane_bits)
    wanted = pack(sum(operands), lane_bits, 8)
    assert np.array_equal(result, wanted)
    # The kernel is the same addition, all columns of a word at once.
    padded = np.zeros((5, 3 * 8), np.uint64)
    padded[: d.operands] = [pack(row, lane_bits, 8).reshape(-1) for row in operands]
    first = sum(1 << i for i in range(0, 64, lane_bits))
    found = [np.zeros(24, np.uint64) for _ in range(3)]
    racetrack_words.add_rows(padded, *found, first, lane_bits)
    assert np.array_equal(found[0].reshape(3, 8), result)
    clusters = p.clusters
    assert np.array_equal(clusters.tape[clusters.right] & ~np.uint64(0), found[1].reshape(3, 8))


@pytest.mark.parametrize("trd", DISTANCES)
def test_product_of_eight_bits_exhaustively(trd: int) -> None:
    d = design(trd)
    x, y = (numbers.reshape(-1, 32) for numbers in np.divmod(np.arange(2**16), 256))
    p = Processor(d, len(x))
    result = p.product(pack(x, 16, 8), pack(y, 16, 8), 8, 16, signed=False)
    assert np.array_equal(unpack(result, 16, 32) & 0xFFFF, x * y)
    assert p.clusters.events == counted(Programs(d).product(8, signed=False), p.clusters.rows)
    if trd == 7:  # one carry-save step, then four operands
        assert Programs(d).reductions(8) == 1


@pytest.mark.parametrize("trd", DISTANCES)
@pytest.mark.parametrize(("bits", "signed"), [(8, True), (16, True), (16, False), (32, True)])
def test_products_of_random_numbers(trd: int, bits: int, signed: bool) -> None:
    d, rng = design(trd), np.random.default_rng(bits)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    x, y = (rng.integers(low, high, (2, d.lanes(2 * bits))) for _ in range(2))
    p = Processor(d, 2)
    result = p.product(pack(x, 2 * bits, 8), pack(y, 2 * bits, 8), bits, 2 * bits, signed=signed)
    assert np.array_equal(result, pack(x * y, 2 * bits, 8))
    assert p.clusters.events == counted(Programs(d).product(bits, signed), 2)


@pytest.mark.parametrize("trd", DISTANCES)
@pytest.mark.parametrize("lane_bits", [8, 32])
def test_maxima_of_up_to_a_window(trd: int, lane_bits: int) -> None:
    d, rng = design(trd), np.random.default_rng(trd)
    lanes, top = d.lanes(lane_bits), 2 ** (lane_bits - 1)
    for count in range(2, trd + 1):
        p = Processor(d, 2)
        sign = p.constant(top, lane_bits)
        values = rng.integers(-top, top, (count, 2, lanes))
        result = p.maximum([pack(value, lane_bits, 8) for value in values], lane_bits, [sign] * count) ^ sign
        assert np.array_equal(unpack(result, lane_bits, lanes), values.max(0))
        assert p.clusters.events == counted(Programs(d).maximum(count, lane_bits), 2)


def _expected(function: str, x: Words, y: Words) -> Words:
    plain = {"and": x & y, "or": x | y, "xor": x ^ y, "nand": ~(x & y), "nor": ~(x | y), "xnor": ~(x ^ y)}
    return plain[function]


@pytest.mark.parametrize("trd", DISTANCES)
@pytest.mark.parametrize("function", LOGIC)
def test_logic(trd: int, function: str) -> None:
    d, rng = design(trd), np.random.default_rng(0)
    x, y = (rng.integers(0, 2**63, (3, 8)).astype(np.uint64) for _ in range(2))
    p = Processor(d, 3)
    assert np.array_equal(p.logic(function, x, y), _expected(function, x, y))
    assert p.clusters.events == counted(Programs(d).logic, 3)


@pytest.mark.parametrize("trd", DISTANCES)
def test_votes_are_majorities(trd: int) -> None:
    rng = np.random.default_rng(1)
    for n in (n for n in (3, 5, 7) if n <= trd):
        d = design(trd, redundancy=n)
        results = rng.integers(0, 2**63, (n, 2, 8)).astype(np.uint64)
        p = Processor(d, 2)
        bits = np.unpackbits(results.view(np.uint8), axis=-1).sum(0) > n // 2
        assert np.array_equal(np.unpackbits(p.vote(list(results)).view(np.uint8), axis=-1), bits)
        assert p.clusters.events == counted(Programs(d).vote, 2)


@pytest.mark.parametrize("lane_bits", [8, 16])
def test_the_kernel_in_all_its_forms(lane_bits: int) -> None:
    rng = np.random.default_rng(5)
    operands = rng.integers(0, 2**63, (5, 3)).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    first = sum(1 << i for i in range(0, 64, lane_bits))
    bits = [[int(word) >> i & 1 for word in row for i in range(64)] for row in operands]
    expected = racetrack_words.add_bit_by_bit(bits, lane_bits)
    kernel = racetrack_words.add_rows
    for run in (kernel.fast, kernel.plain):  # type: ignore[attr-defined]
        found = [np.zeros(3, np.uint64) for _ in range(3)]
        with np.errstate(over="ignore"):
            run(operands, *found, first, lane_bits)
        for row, wires in zip(found, expected, strict=True):
            assert [int(word) >> i & 1 for word in row for i in range(64)] == wires


def test_faults_follow_their_probability_and_votes_remove_them() -> None:
    assert error_ratio(design(7, fault_probability=0), 8, 1000) == 0
    single, triple = (
        error_ratio(design(7, fault_probability=1e-3, redundancy=n), 8, 100_000) for n in (1, 3)
    )
    # Eight transverse reads of a sum; any that errs makes it wrong, save for carries beyond the lane.
    assert 5e-3 < single < 8.5e-3
    # A wrong bit takes two wrong results: 3 p^2 for a read, as published, times reads and their carries.
    assert triple < single / 20
    five = error_ratio(design(7, fault_probability=1e-3, redundancy=5), 8, 100_000)
    assert five <= triple


def test_a_count_at_its_end_errs_inwards_and_half_as_often() -> None:
    zeros = np.zeros((5, 40_000), np.int64)
    d = design(7, fault_probability=0.02)
    wrong = added(zeros, 1, d, seed=3)
    assert set(np.unique(wrong)) <= {0, 1}
    assert wrong.mean() == pytest.approx(0.01, rel=0.15)
    assert np.array_equal(added(zeros, 1, d, seed=3), wrong)
    assert not np.array_equal(added(zeros, 1, d, seed=4), wrong)


def test_faulty_additions_refuse_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="distance 3 takes 2"):
        added(np.zeros((3, 1), np.int64), 8, design(3))
    for wrong in (np.array([[256]]), np.array([[-1]])):
        with pytest.raises(InputError, match="do not fit 8 bits"):
            added(wrong, 8, design(7))
