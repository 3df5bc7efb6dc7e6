"""Operands of crossbars: rows of windows and weights in words, tile by tile, and random keys."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.contraction import Window

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]
Signs = NDArray[np.int8]

GOLDEN, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_ALL = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Windows of one or more samples on row tiles.

    Attributes
    ----------
    words : uint64[windows, tiles, words]
        Row r of a tile is bit r; 1 is +1.
    mask : uint64[places, tiles, words]
        Rows that carry current: neither padding nor beyond the last input.
    active : int64[places, tiles]
        Their number.
    """

    words: Words
    mask: Words
    active: Ints


def unfold(signs: NDArray[Any], window: Window) -> NDArray[Any]:
    """Return every window as a row, [samples * windows, channels * kernel]; padding is 0, no current."""
    rank = len(window.kernel)
    widths = [(window.pads[axis], window.pads[rank + axis]) for axis in range(rank)]
    padded = np.pad(signs, [(0, 0), (0, 0), *widths])
    views = np.lib.stride_tricks.sliding_window_view(padded, window.kernel, axis=tuple(range(2, 2 + rank)))
    steps = tuple(slice(None, None, stride) for stride in window.strides)
    places = tuple(slice(count) for count in window.output_size)
    chosen = views[(slice(None), slice(None), *steps)][(slice(None), slice(None), *places)]
    order = (0, *range(2, 2 + rank), 1, *range(2 + rank, 2 + 2 * rank))
    rows = chosen.transpose(order)
    return np.ascontiguousarray(rows).reshape(signs.shape[0] * math.prod(window.output_size), -1)


def pack(signs: Signs, crossbar: int) -> Words:
    """Return rows int8[n, K] as uint64[n, tiles, words]; everything but +1 is 0."""
    count, width = signs.shape
    tiles, words = -(-width // crossbar), -(-crossbar // 64)
    bits = np.zeros((count, tiles * crossbar), bool)
    bits[:, :width] = signs > 0
    padded = np.zeros((count, tiles, words * 64), bool)
    padded[:, :, :crossbar] = bits.reshape(count, tiles, crossbar)
    packed = np.packbits(padded, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64, copy=False)


def rows_of(signs: Signs, window: Window | None, crossbar: int) -> Rows:
    """Return the windows of `signs` on tiles: int8[samples, channels, ...], or int8[rows, K]."""
    if window is None:
        places, rows = np.ones((1, signs.shape[1]), np.int8), signs
    else:
        places = unfold(np.ones((1, *signs.shape[1:]), np.int8), window)
        rows = unfold(signs, window)
    mask = pack(places, crossbar)
    return Rows(pack(rows, crossbar), mask, count_active(places, crossbar))


def count_active(places: Signs, crossbar: int) -> Ints:
    """Return the rows of every tile that carry current, int64[places, tiles]."""
    starts = np.arange(0, places.shape[1], crossbar)
    return np.add.reduceat((places != 0).astype(np.int64), starts, axis=1)


def mixed(values: Words) -> Words:
    """Return 64 well-mixed bits of every counter (the finalizer of SplitMix64)."""
    z = (values ^ (values >> np.uint64(30))) * np.uint64(MIX1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX2)
    return z ^ (z >> np.uint64(31))


def key_of(seed: int, layer: int) -> np.uint64:
    """Return the key of a layer's random numbers."""
    start = np.array([(seed * MIX1 + (layer + 1) * GOLDEN) & _ALL], np.uint64)
    return np.uint64(mixed(mixed(start))[0])


def uniform_words(key: np.uint64, numbers: Words) -> Words:
    """Return the upper 32 bits of the random word of every number, as the kernels draw them."""
    return mixed(key + (numbers + np.uint64(1)) * np.uint64(GOLDEN)) >> np.uint64(32)
