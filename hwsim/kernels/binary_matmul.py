"""Products of {-1, 1} matrices as XNOR and popcount on packed words of 64 signs.

Bit i of word j is set where element 64 j + i is 1. Bits past the last element are zero in both operands, so
they never differ: a sum of k products is k minus twice the number of bits that differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.bitstream import ones_of
from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

_COLUMNS = 256
"""Columns of a block: their words of weights stay in the first-level cache while all rows pass."""


def pack_signs(matrix: NDArray[Any]) -> Words:
    """Return rows of numbers, 1 where positive, as uint64[rows, ceil(k / 64)].

    Zeros become -1, whose bit is not set: `masked_product` takes them out again.
    """
    rows, k = matrix.shape
    bits = np.zeros((rows, -(-max(k, 1) // 64) * 64), np.uint8)
    bits[:, :k] = matrix > 0
    packed: Words = np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64, copy=False)
    return packed


def unpack_signs(words: Words, k: int) -> NDArray[np.int8]:
    """Return the first `k` signs of every row as int8[rows, k]."""
    bits = np.unpackbits(np.ascontiguousarray(words.astype("<u8")).view(np.uint8), axis=1, bitorder="little")
    return (2 * bits[:, :k].astype(np.int8) - 1).astype(np.int8)


def binary_product(left: Words, right: Words, k: int) -> Ints:
    """Return the sums int64[m, n] of the rows of `left` [m, w] and of `right` [n, w], `k` products each."""
    return _product(left, np.ascontiguousarray(right.T), k)


def masked_product(left: Words, mask: Words, right: Words) -> Ints:
    """Return the sums of products where the bit of `mask` [m, w] is set, and zero elsewhere: padding."""
    return _masked(left, mask, np.ascontiguousarray(right.T))


@compiled_at_once
def _product(left: Words, right: Words, k: int) -> Ints:
    """Count differing bits column by column: the words of a row meet 256 columns at a time."""
    rows, words, columns = left.shape[0], left.shape[1], right.shape[1]
    out = np.full((rows, columns), k, np.int64)
    for begin in range(0, columns, _COLUMNS):
        end = min(columns, begin + _COLUMNS)
        for row in range(rows):
            line = out[row, begin:end]
            whole = words // 4 * 4
            for word in range(0, whole, 4):
                a, b, c, d = left[row, word], left[row, word + 1], left[row, word + 2], left[row, word + 3]
                p, q = right[word, begin:end], right[word + 1, begin:end]
                r, s = right[word + 2, begin:end], right[word + 3, begin:end]
                for n in range(end - begin):
                    differ = (ones_of(a ^ p[n]) + ones_of(b ^ q[n])) + (ones_of(c ^ r[n]) + ones_of(d ^ s[n]))
                    line[n] -= 2 * np.int64(differ)
            for word in range(whole, words):
                a, p = left[row, word], right[word, begin:end]
                for n in range(end - begin):
                    line[n] -= 2 * np.int64(ones_of(a ^ p[n]))
    return out


@compiled_at_once
def _masked(left: Words, mask: Words, right: Words) -> Ints:
    """Do as `_product` where the mask has a bit."""
    rows, words, columns = left.shape[0], left.shape[1], right.shape[1]
    out = np.zeros((rows, columns), np.int64)
    for row in range(rows):
        kept = np.int64(0)
        for word in range(words):
            kept += np.int64(ones_of(mask[row, word]))
        out[row] = kept
        for word in range(words):
            a, keep = left[row, word], mask[row, word]
            for n in range(columns):
                out[row, n] -= 2 * np.int64(ones_of((a ^ right[word, n]) & keep))
    return out


@compiled_at_once
def count_differences(a: Words, b: Words, passes: int) -> int:
    """Return how many bits of `a` and ``b ^ pass`` differ, all passes added up.

    The limit that products are measured against: nothing but XOR, popcount and addition.
    """
    total = np.uint64(0)
    for turn in range(passes):
        for i in range(a.shape[0]):
            total += ones_of(a[i] ^ b[i] ^ np.uint64(turn))
    return int(total)
