"""Row commands of processing in DRAM on real bits: 64 lanes a word, and a twin that goes bit by bit.

A command is nine numbers: kind, three rows to open (-1: none), whether one row is opened by its negating
contact, three rows that take the result, and a mask of those that take its complement. One row is read as it
is, three become their majority, and what the sense amplifiers then hold goes back into every row that was
opened: reading three rows destroys them. Kinds: 0 AP, 1 AAP (the result goes to the targets too), 2 and 3 APP
(the next activation reads its row or-ed or and-ed with this result), 4 and 5 tAPP, the same without restoring
the row, which is undefined from there on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]
BLOCK = 128
"""Words of a row that are worked on at once: the rows of an operation then fit the nearest caches."""
_NONE, _ONES = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled_at_once
def run_commands(rows: Words, commands: Ints) -> None:
    """Execute `commands` on `rows`: uint64[rows, words], in place.

    Lanes do not know each other, so words go through all commands in blocks. A block is copied together
    first: whole rows lie a power of two apart and would push each other out of the cache.
    """
    words = rows.shape[1]
    held = np.zeros(BLOCK, np.uint64)
    block = np.zeros((rows.shape[0], BLOCK), np.uint64)
    for start in range(0, words, BLOCK):
        size = min(BLOCK, words - start)
        block[:, :size] = rows[:, start : start + size]
        mode = 0
        for at in range(commands.shape[0]):
            kind, a, b, c = commands[at, 0], commands[at, 1], commands[at, 2], commands[at, 3]
            flip = _ONES if commands[at, 4] else _NONE
            if b >= 0:
                for i in range(BLOCK):
                    x, y, z = block[a, i], block[b, i], block[c, i]
                    block[a, i] = (x & y) | (z & (x | y))
            if mode == 1:
                for i in range(BLOCK):
                    block[a, i] = ((block[a, i] ^ flip) | held[i]) ^ flip
            elif mode == 2:
                for i in range(BLOCK):
                    block[a, i] = ((block[a, i] ^ flip) & held[i]) ^ flip
            if b >= 0:
                for i in range(BLOCK):
                    block[b, i] = block[a, i]
                    block[c, i] = block[a, i]
            mode = 0
            if kind == 1:
                last = _NONE
                for place in range(3):
                    row = commands[at, 5 + place]
                    mask = flip ^ (_ONES if commands[at, 8] & (1 << place) else _NONE)
                    if row == a:
                        last = mask
                    elif row >= 0:
                        for i in range(BLOCK):
                            block[row, i] = block[a, i] ^ mask
                if last:
                    for i in range(BLOCK):
                        block[a, i] ^= last
            elif kind >= 2:
                mode = 1 + (kind & 1)
                for i in range(BLOCK):
                    held[i] = block[a, i] ^ flip
        rows[:, start : start + size] = block[:, :size]


def run_commands_bitwise(rows: Bits, commands: Ints) -> None:
    """Execute `commands` on `rows`: uint8[rows, lanes], in place, one bit of one lane after the other."""
    orders = [tuple(command) for command in commands.tolist()]
    for lane in range(rows.shape[1]):
        cells = rows[:, lane].tolist()
        held, mode = 0, 0
        for kind, a, b, c, negated, d, e, f, mask in orders:
            bit = (1 if cells[a] + cells[b] + cells[c] > 1 else 0) if b >= 0 else cells[a] ^ negated
            if mode == 1:
                bit |= held
            elif mode == 2:
                bit &= held
            cells[a] = bit ^ negated
            if b >= 0:
                cells[b] = cells[c] = bit
            mode = 0
            if kind == 1:
                for place, row in enumerate((d, e, f)):
                    if row >= 0:
                        cells[row] = bit ^ (mask >> place & 1)
            elif kind >= 2:
                held, mode = bit, 1 + (kind & 1)
        rows[:, lane] = cells


def pack(bits: Bits) -> Words:
    """Return uint64[rows, words] of bits uint8[rows, lanes]; lane i is bit i % 64 of word i // 64."""
    rows, lanes = bits.shape
    padded = np.zeros((rows, -(-lanes // 64) * 64), np.uint8)
    padded[:, :lanes] = bits
    packed: Words = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    return packed


def unpack(words: Words, lanes: int) -> Bits:
    """Return uint8[rows, lanes] of packed rows."""
    return np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")[:, :lanes]


def to_rows(values: Ints, bits: int) -> Bits:
    """Return uint8[bits, lanes]: bit j of every number in row j, two's complement."""
    shifts = np.minimum(np.arange(bits), 63)[:, None]
    return ((values[None, :] >> shifts) & 1).astype(np.uint8)


def from_rows(rows: Bits, *, signed: bool) -> Ints:
    """Return the numbers whose bit j is row j; the last row is the sign of signed ones."""
    weights = np.int64(1) << np.arange(rows.shape[0], dtype=np.int64)
    values: Ints = (rows.astype(np.int64) * weights[:, None]).sum(axis=0)
    return values - (rows[-1].astype(np.int64) << rows.shape[0]) if signed else values
