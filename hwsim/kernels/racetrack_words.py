"""Additions by transverse reads over packed wires, 64 wires a word: column after column, all lanes at once.

Wire i of a row is bit ``i % 64`` of word ``i // 64``; lanes have 8 to 64 wires and never straddle a word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

_ZERO, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)
_GOLDEN, _MIX1, _MIX2 = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9),
                         np.uint64(0x94D049BB133111EB))
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)


@compiled_at_once
def _column(p0: np.uint64, p1: np.uint64, p2: np.uint64, c: np.uint64, d: np.uint64,
            column: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return C and C' after a transverse read of one column; p counts the operands' ones."""
    one, carry, half = p0 ^ c, p0 & c, p1 ^ (p0 & c)
    other = one & d
    return (c | (((half ^ other) & column) << _ONE),
            d | (((p2 ^ ((p1 & carry) | (other & half))) & column) << _TWO))


@compiled_at_once
def _count(a: np.uint64, b: np.uint64, x: np.uint64, y: np.uint64,
           z: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Return the bits of the number of ones at every wire of five words."""
    two, one = (a & b) | ((a ^ b) & x), a ^ b ^ x
    more = (one & y) | ((one ^ y) & z)
    return one ^ y ^ z, two ^ more, two & more


@compiled_at_once
def add_rows(operands: Words, sums: Words, carries: Words, second: Words, first: int, lane_bits: int) -> None:
    """Add five rows modulo their lanes, as a cluster does it; operands that are missing are zeros.

    In column j a transverse read counts the ones of the operands, of C and of C'; S = c & 1 stays, the next
    bit becomes C of wire j + 1 and the third C' of wire j + 2; at the end of a lane they are dropped.

    Parameters
    ----------
    operands : uint64[5, n]
        Rows; with both carries no count exceeds 7.
    sums, carries, second : uint64[n]
        Results: S, C and C' of every wire.
    first : int
        The lowest wire of every lane of a word.
    lane_bits : int
        Wires of a lane.
    """
    n = operands.shape[1]
    if lane_bits == 8:
        for i in range(n):
            p0, p1, p2 = _count(operands[0, i], operands[1, i], operands[2, i], operands[3, i],
                                operands[4, i])
            c, d, column = _ZERO, _ZERO, np.uint64(first)
            # A number of columns that the compiler knows lets it take several words at once.
            for _ in range(6):
                c, d = _column(p0, p1, p2, c, d, column)
                column = column << _ONE
            c, _unused = _column(p0, p1, p2, c, d, column)
            sums[i], carries[i], second[i] = p0 ^ c ^ d, c, d
    else:
        for i in range(n):
            p0, p1, p2 = _count(operands[0, i], operands[1, i], operands[2, i], operands[3, i],
                                operands[4, i])
            c, d, column = _ZERO, _ZERO, np.uint64(first)
            for _ in range(lane_bits - 2):
                c, d = _column(p0, p1, p2, c, d, column)
                column = column << _ONE
            c, _unused = _column(p0, p1, p2, c, d, column)
            sums[i], carries[i], second[i] = p0 ^ c ^ d, c, d


def add_bit_by_bit(operands: Sequence[Sequence[int]],
                   lane_bits: int) -> tuple[list[int], list[int], list[int]]:
    """Return S, C and C' of every wire: `add_rows`, one wire after the other, bits as Python numbers."""
    wires = len(operands[0])
    sums, carries, second = [0] * wires, [0] * wires, [0] * wires
    for wire in range(wires):
        count = carries[wire] + second[wire]
        for row in operands:
            count += row[wire]
        sums[wire] = count & 1
        place = wire % lane_bits
        if place + 1 < lane_bits:
            carries[wire + 1] = count >> 1 & 1
        if place + 2 < lane_bits:
            second[wire + 2] = count >> 2 & 1
    return sums, carries, second


@compiled_at_once
def _uniform(seed: int, event: int) -> float:
    z = np.uint64(seed) * _MIX2 + np.uint64(event) * _GOLDEN + _GOLDEN
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return float((z ^ (z >> _S31)) >> _S11) / 9007199254740992.0


@compiled_at_once
def add_faulty(operands: Ints, lane_bits: int, distance: int, probability: float, extreme: float,
               seed: int) -> Ints:
    """Return sums modulo 2**lane_bits whose transverse reads are off by one now and then.

    Parameters
    ----------
    operands : int64[k, n]
        Unsigned numbers of `lane_bits` bits, at most 62.
    distance : int
        Domains of a transverse read: the largest count.
    probability, extreme : float
        Chance of an error; a count of 0 or `distance` errs inwards only, with `extreme` times that chance.
    seed : int
        Errors are a function of (seed, lane, column).
    """
    k, n = operands.shape
    sums = np.zeros(n, np.int64)
    for lane in range(n):
        c, c_next, c_after = 0, 0, 0
        for j in range(lane_bits):
            count = c
            for row in range(k):
                count += (operands[row, lane] >> j) & 1
            at_end = count == 0 or count == distance
            random = _uniform(seed, lane * lane_bits + j)
            chance = probability * extreme if at_end else probability
            if random < chance:
                if count == 0 or (count != distance and random < chance / 2):
                    count += 1
                else:
                    count -= 1
            sums[lane] |= (count & 1) << j
            c, c_next = c_next + ((count >> 1) & 1), c_after + ((count >> 2) & 1)
            c_after = 0
    return sums
