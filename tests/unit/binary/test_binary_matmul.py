"""Packed XNOR-popcount products are the integer products of the signs, in both forms of the kernel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.kernels import binary_matmul
from hwsim.kernels.binary_matmul import (
    binary_product,
    count_differences,
    masked_product,
    pack_signs,
    unpack_signs,
)
from tests.examples import examples

SIGNS = np.array([-1, 1], np.int8)
shapes = st.tuples(st.integers(1, 9), st.integers(1, 700), st.integers(1, 9), st.integers(0, 2**32))


@examples(60)
@given(shapes)
def test_packed_product_equals_integer_product(shape: tuple[int, int, int, int]) -> None:
    m, k, n, seed = shape
    rng = np.random.default_rng(seed)
    x, w = rng.choice(SIGNS, (m, k)), rng.choice(SIGNS, (n, k))
    assert np.array_equal(unpack_signs(pack_signs(x), k), x)
    found = binary_product(pack_signs(x), pack_signs(w), k)
    assert np.array_equal(found, x.astype(np.int64) @ w.T.astype(np.int64))


@examples(60)
@given(shapes)
def test_masked_positions_add_nothing(shape: tuple[int, int, int, int]) -> None:
    m, k, n, seed = shape
    rng = np.random.default_rng(seed)
    x, w = rng.integers(-1, 2, (m, k)).astype(np.int8), rng.choice(SIGNS, (n, k))
    found = masked_product(pack_signs(x), pack_signs(np.abs(x)), pack_signs(w))
    assert np.array_equal(found, x.astype(np.int64) @ w.T.astype(np.int64))


def test_many_columns_cross_the_block() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.choice(SIGNS, (2, 321)), rng.choice(SIGNS, (600, 321))
    found = binary_product(pack_signs(x), pack_signs(w), 321)
    assert np.array_equal(found, x.astype(np.int64) @ w.T.astype(np.int64))


@pytest.mark.parametrize("k", [1, 63, 64, 65, 256, 300])
def test_plain_twins_agree_with_compiled_kernels(k: int) -> None:
    rng = np.random.default_rng(k)
    left, right = (pack_signs(rng.choice(SIGNS, (3, k))) for _ in range(2))
    mask, turned = pack_signs(rng.choice(SIGNS, (3, k))), np.ascontiguousarray(right.T)
    with np.errstate(over="ignore"):
        slow = binary_matmul._product.plain(left, turned, k)
        slow_masked = binary_matmul._masked.plain(left, mask, turned)
        slow_count = count_differences.plain(left[0], right[0], 2)
    assert np.array_equal(binary_product(left, right, k), slow)
    assert np.array_equal(masked_product(left, mask, right), slow_masked)
    assert count_differences(left[0], right[0], 2) == slow_count
    unpacked = unpack_signs(left, k)[0] != unpack_signs(right, k)[0]
    assert count_differences(left[0], right[0], 1) == unpacked.sum()
