"""Additions that miss the clock: the kernel against plain numbers, and what digits make of failures."""

from __future__ import annotations

import numpy as np
import pytest

from accelerators.integral_sc.faults import stage_rates
from hwsim.kernels import bitstream as bs
from hwsim.kernels.faulty_adders import faulty_layer, flipped
from tests.unit.bitstream.plain import GOLDEN, MASK, MIX1, layer, mix
from tests.unit.integral_sc.digits import classify, design, error_of


def plain_tree(leaves: list[int], kept: list[int], rates: list[int], words: bool, key: int, t: int,
               planes: int) -> int:
    """One clock of one tree, adder by adder."""
    rows, width, adder = len(leaves), planes.bit_length() + 1, 0
    for rate in rates:
        if len(leaves) == 1:
            break
        width += 1
        sums = []
        for i in range(len(leaves) // 2):
            total = leaves[2 * i] + leaves[2 * i + 1]
            random = mix((key + (t * 2 * rows + adder) * GOLDEN) & MASK)
            if random & 0xFFFFFFFF < rate:
                if words:
                    total = kept[adder]
                else:
                    pattern = (total ^ (1 << ((random >> 32) % width))) % (1 << width)
                    total = pattern - (1 << width) if pattern >= 1 << (width - 1) else pattern
            kept[adder] = total
            sums.append(total)
            adder += 1
        leaves = sums + leaves[len(leaves) // 2 * 2 :]
    return leaves[0]


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize(("rows", "planes"), [(8, 1), (13, 3), (16, 4), (2, 2)])
def test_faulty_layer_equals_plain_trees(words: bool, rows: int, planes: int) -> None:
    rng = np.random.default_rng(rows)
    v = rng.integers(0, 2, (rows, 80)).astype(np.uint8)
    w = rng.integers(0, 2, (3, planes, rows, 80)).astype(np.uint8)
    stages = (rows - 1).bit_length()
    rates = [int(2**32 * rate) for rate in (0.3, 0.0, 0.2, 0.5)][:stages]
    packed = np.ascontiguousarray(bs.pack(w).transpose(3, 0, 1, 2).reshape(2, 3, -1))
    inputs = np.ascontiguousarray(bs.pack(v).T)
    streams, sums = faulty_layer(inputs, packed, rows, planes, 20, 99, np.array(rates), words, 7, 80)
    for o in range(3):
        key = mix((7 * MIX1 + o * GOLDEN + GOLDEN) & MASK)
        kept, state, bits, total = [0] * (2 * rows), 10, [], 0
        for t in range(80):
            leaves = [int(v[j, t]) * (2 * int(w[o, :, j, t].sum()) - planes) for j in range(rows)]
            step = max(-99, min(99, plain_tree(leaves, kept, rates, words, key, t, planes)))
            total += step
            state = max(0, min(19, state + step))
            bits.append(int(state >= 10))
        assert sums[o] == total
        assert bs.unpack(np.ascontiguousarray(streams[:, o]), 80).tolist() == bits


def test_without_failures_it_is_the_plain_layer() -> None:
    rng = np.random.default_rng(1)
    v = rng.integers(0, 2, (1, 11, 100)).astype(np.uint8)
    w = rng.integers(0, 2, (4, 2, 11, 100)).astype(np.uint8)
    packed = np.ascontiguousarray(bs.pack(w).transpose(3, 0, 1, 2).reshape(2, 4, -1))
    streams, _ = faulty_layer(np.ascontiguousarray(bs.pack(v[0]).T), packed, 11, 2, 16, 5,
                              np.zeros(4, np.int64), True, 0, 100)
    assert np.array_equal(bs.unpack(np.ascontiguousarray(streams.T), 100), layer(v, w, np.full(4, 16), 5)[0])


@pytest.mark.parametrize(("value", "bit", "width", "expected"),
                         [(0, 0, 4, 1), (0, 3, 4, -8), (-1, 0, 4, -2), (7, 3, 4, -1), (-8, 3, 4, 0)])
def test_flipped_bits_stay_in_the_word(value: int, bit: int, width: int, expected: int) -> None:
    assert flipped(value, bit, width) == expected


def test_rates_apply_to_the_chosen_stages() -> None:
    low = {"quasi_synchronous": True, "operating_supply_v": 0.8, "fault_probability": 0.125}
    full = 2**29
    assert stage_rates(64, design(**low)).tolist() == [full] * 6
    assert stage_rates(64, design(**low, fault_stages="first")).tolist() == [full, 0, 0, 0, 0, 0]
    assert stage_rates(65, design(**low, fault_stages="last")).tolist() == [0] * 6 + [full]


def faulty_error(rate: float, kind: str, stages: str = "all") -> float:
    knobs = {"quasi_synchronous": True, "operating_supply_v": 0.8, "fault_probability": rate,
             "fault_model": kind, "fault_stages": stages}
    return error_of(classify("digits_32", 120, stream_length=256, m=2, **knobs))


def test_zero_rate_is_the_fault_free_network() -> None:
    low = classify("digits_32", 60, stream_length=128, quasi_synchronous=True, operating_supply_v=0.8)
    assert np.array_equal(low.predicted, classify("digits_32", 60, stream_length=128).predicted)


@pytest.mark.slow
def test_stale_sums_are_tolerated_up_to_the_published_rate_and_flipped_bits_are_not() -> None:
    """Fault rates up to 20 % on some computations (abstract of version 1); which ones matters."""
    assert faulty_error(0.2, "word") < 0.15
    assert faulty_error(0.2, "bit", "first") < faulty_error(0.2, "bit")
    assert faulty_error(0.2, "bit") > 0.3
