"""Sets as rows of 64-bit words: the few operations that the search kernels need on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

ONE = np.uint64(1)
BYTE = np.uint64(255)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@compiled
def weigh(words: Words, byte_weight: Ints) -> int:
    """Sum the sizes of the set bits; `byte_weight[8 * word + byte, value]` holds partial sums."""
    total = 0
    for w in range(words.shape[0]):
        rest = words[w]
        byte = 8 * w
        while rest != np.uint64(0):
            total += byte_weight[byte, np.int64(rest & BYTE)]
            rest >>= np.uint64(8)
            byte += 1
    return total


@compiled
def has_bit(words: Words, index: int) -> bool:
    """Tell whether bit `index` is set."""
    return bool((words[index >> 6] >> np.uint64(index & 63)) & ONE)


@compiled
def set_bit(words: Words, index: int) -> None:
    """Set bit `index`."""
    words[index >> 6] |= ONE << np.uint64(index & 63)


@compiled
def clear_bit(words: Words, index: int) -> None:
    """Clear bit `index`."""
    words[index >> 6] &= ~(ONE << np.uint64(index & 63))


@compiled
def covers(outer: Words, inner: Words) -> bool:
    """Tell whether every bit of `inner` is set in `outer`."""
    missing = np.uint64(0)
    for w in range(inner.shape[0]):
        missing |= inner[w] & ~outer[w]
    return bool(missing == np.uint64(0))


@compiled
def meets(a: Words, b: Words) -> bool:
    """Tell whether the two masks share a bit."""
    common = np.uint64(0)
    for w in range(a.shape[0]):
        common |= a[w] & b[w]
    return bool(common != np.uint64(0))


@compiled
def same_words(a: Words, b: Words) -> bool:
    """Tell whether two rows are equal."""
    different = np.uint64(0)
    for w in range(a.shape[0]):
        different |= a[w] ^ b[w]
    return bool(different == np.uint64(0))


@compiled
def hash_words(words: Words) -> int:
    """Return a non-negative hash of a row."""
    h = np.uint64(1469598103934665603)
    for w in range(words.shape[0]):
        h = (h ^ words[w]) * _MIX
        h ^= h >> _SHIFT
    return int(np.int64(h >> ONE))
