"""A seeded order of the whole numbers below n that needs no list of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
LISTED = 4096  # up to so many are drawn at once, every order equally likely
_ROUNDS = 8
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # of SplitMix64, public domain


class Shuffle:
    """An order of the numbers below `total`, at most 2**53.

    A balanced Feistel network permutes the numbers of an even count of bits; what falls outside is permuted
    again until it is inside (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, doi
    10.1007/3-540-45760-7_9). Memory does not grow with `total`.
    """

    def __init__(self, total: int, random: np.random.Generator) -> None:
        self._total = total
        self._list = random.permutation(total) if total <= LISTED else None
        self._half = max(((total - 1).bit_length() + 1) // 2, 1)
        if self._list is None:
            self._keys = random.integers(0, 2**64, size=_ROUNDS, dtype=np.uint64)

    def between(self, start: int, stop: int) -> Places:
        """Return the numbers at places `start` to `stop` of the order."""
        if self._list is not None:
            return self._list[start:stop]
        found = self._once(np.arange(start, stop, dtype=np.uint64))
        outside = np.flatnonzero(found >= self._total)
        while len(outside):
            found[outside] = self._once(found[outside])
            outside = outside[found[outside] >= self._total]
        return found.astype(np.int64)

    def _once(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        width, mask = np.uint64(self._half), np.uint64((1 << self._half) - 1)
        left, right = numbers >> width, numbers & mask
        for key in self._keys:
            left, right = right, left ^ (_mixed(right ^ key) & mask)
        return (left << width) | right


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers whose every bit depends on every bit given; products wrap."""
    for shift, factor in zip((30, 27), _MIX, strict=True):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * factor
    return numbers ^ (numbers >> np.uint64(31))
