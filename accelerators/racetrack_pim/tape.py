"""Clusters of racetracks: commands that move real bits, counted one by one."""

from __future__ import annotations

from collections import Counter
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from accelerators.racetrack_pim.design import CONSTANTS, RacetrackDesign
from accelerators.racetrack_pim.timing import LevelCycles, command_cycles
from hwsim.errors import InputError

Words = NDArray[np.uint64]


class Clusters:
    """Clusters in lockstep: wires packed 64 to a word, domains along the tape, two ports TRD apart.

    At offset 0 the data lie at the left end; the left port is at domain Y - TRD, the right one at Y - 1. The
    tape may move right by Y - TRD domains, which is all the padding there is (2Y - TRD domains in total).

    Attributes
    ----------
    tape : uint64[domains, rows, words]
        Bits; shifts move them.
    offset : int
        Where the data lie.
    events : Counter
        (unit, action) -> commands, one for each row.
    time : LevelCycles
        Cycles of the level of the design.
    """

    def __init__(self, design: RacetrackDesign, rows: int) -> None:
        self.design, self.rows = design, rows
        self.words = design.wires // 64
        self.tape: Words = np.zeros((2 * design.domains - design.trd, rows, self.words), np.uint64)
        self.left = design.domains - design.trd
        self.right = design.domains - 1
        self.offset = 0
        self.events: Counter[tuple[str, str]] = Counter()
        self.time = LevelCycles(0, design.timing)
        self._cycles = command_cycles(design.timing, CONSTANTS)

    def count(self, unit: str, action: str, times: int = 1) -> None:
        """Charge `times` commands."""
        self.events[unit, action] += self.rows * times
        if (unit, action) in self._cycles:
            self.time += self._cycles[unit, action] * times

    def shift(self, domains: int) -> None:
        """Move every wire by some domains, positive to the right.

        Raises
        ------
        InputError
            Beyond the padding, where data would fall off the tape.
        """
        moved = self.offset + domains
        if not 0 <= moved <= self.design.padding:
            raise InputError(
                f"a shift by {domains} from offset {self.offset} leaves the padding of {self.design.padding}",
                where="racetrack_pim.shift",
            )
        step = 1 if domains > 0 else -1
        for _ in range(abs(domains)):
            if step > 0:
                self.tape[1:] = self.tape[:-1]
            else:
                self.tape[:-1] = self.tape[1:]
            self.tape[0 if step > 0 else -1] = 0
            self.count("tape", "shift")
        self.offset = moved

    def read(self, port: int) -> Words:
        """Return the domain at a port."""
        self._port(port)
        self.count("tape", "read")
        return np.array(self.tape[port])

    def write(self, port: int, bits: Words) -> None:
        """Write the domain at a port, all wires."""
        self._port(port)
        self.count("tape", "write")
        self.tape[port] = bits

    def transverse_write(self, bits: Words) -> None:
        """Push the domains between the ports right by one, the last one out, and write at the left port."""
        self.count("tape", "transverse_write")
        self.tape[self.left + 1 : self.right + 1] = self.tape[self.left : self.right].copy()
        self.tape[self.left] = bits

    def transverse_read(
        self, first: int | None = None, last: int | None = None
    ) -> tuple[Words, Words, Words]:
        """Return the number of ones from domain `first` to `last`, as three planes of bits.

        Raises
        ------
        InputError
            More domains than the distance.
        """
        low, high = self.left if first is None else first, self.right if last is None else last
        if not 0 < high - low + 1 <= self.design.trd:
            raise InputError(
                f"a transverse read over {high - low + 1} domains, the distance is {self.design.trd}",
                where="racetrack_pim.transverse_read",
            )
        self.count("tape", "transverse_read")
        return count_planes(self.tape[low : high + 1])

    def write_column(
        self, column: Words, planes: tuple[Words, Words, Words], lane_bits: int, bit: int
    ) -> None:
        """Write what a transverse read of wire `bit` of every lane found: S here, C and C' further on.

        At distance 3 three ones give no C'; its driver is charged all the same, as the published energy is.
        """
        one, two = np.uint64(1), np.uint64(2)
        self.count("tape", "write_sum")
        self._masked(self.left, column, planes[0])
        if bit + 1 < lane_bits:
            self.count("tape", "write_carry")
            self._masked(self.right, across(column, one), across(planes[1] & column, one))
        if bit + 2 < lane_bits:
            self.count("tape", "write_second_carry")
            if self.design.trd > 3:
                self._masked(self.left, across(column, two), across(planes[2] & column, two))

    def _masked(self, port: int, mask: Words, bits: Words) -> None:
        self.tape[port] = (self.tape[port] & ~mask) | (bits & mask)

    def _port(self, port: int) -> None:
        if port not in (self.left, self.right):
            raise InputError(
                f"no port at domain {port}", where="racetrack_pim", hint=f"ports: {self.left}, {self.right}"
            )


def count_planes(rows: Words) -> tuple[Words, Words, Words]:
    """Return the count of ones over the first axis, at most 7, as planes of its bits: S, C and C'."""
    zero = np.zeros_like(rows[0])

    def step(planes: tuple[Words, Words, Words], row: Words) -> tuple[Words, Words, Words]:
        first = planes[0] & row
        return planes[0] ^ row, planes[1] ^ first, planes[2] ^ (planes[1] & first)

    return reduce(step, rows, (zero, zero.copy(), zero.copy()))


def across(row: Words, wires: np.uint64) -> Words:
    """Return a row moved to higher wires by fewer than 64; bits cross words."""
    moved = row << wires
    moved[..., 1:] |= row[..., :-1] >> (np.uint64(64) - wires)
    return moved


def pack(values: NDArray[np.int64] | NDArray[np.uint64], lane_bits: int, words: int) -> Words:
    """Return lanes [rows, n] of two's complement numbers as rows of words; lanes are a power of two wide."""
    unsigned = values.astype(np.int64).view(np.uint64) if values.dtype != np.uint64 else values
    rows = np.zeros((len(values), words), np.uint64)
    if lane_bits >= 64:
        step = lane_bits // 64
        sign = np.where(values.astype(np.int64) < 0, ~np.uint64(0), np.uint64(0))
        if values.dtype == np.uint64:
            sign = np.zeros_like(unsigned)
        for part in range(step):
            rows[:, part : values.shape[1] * step : step] = unsigned if part == 0 else sign
        return rows
    mask, per = np.uint64(2**lane_bits - 1), 64 // lane_bits
    for lane in range(values.shape[1]):
        rows[:, lane // per] |= (unsigned[:, lane] & mask) << np.uint64(lane % per * lane_bits)
    return rows


def unpack(rows: Words, lane_bits: int, lanes: int) -> NDArray[np.int64]:
    """Return the low 64 bits of the first `lanes` lanes as two's complement numbers."""
    if lane_bits >= 64:
        return rows[:, :: lane_bits // 64][:, :lanes].view(np.int64).copy()
    per, up = 64 // lane_bits, np.uint64(64 - lane_bits)
    at = np.arange(lanes)
    shifted = rows[:, at // per] << (up - (at % per * lane_bits).astype(np.uint64))
    return shifted.view(np.int64) >> np.int64(64 - lane_bits)


def every(value: int, lane_bits: int, words: int) -> Words:
    """Return one row of words whose lanes all hold `value`, modulo their width.

    Raises
    ------
    InputError
        Lanes that do not divide the row: not a power of two wide, or wider than all its wires.
    """
    if lane_bits < 1 or lane_bits & (lane_bits - 1) or lane_bits > 64 * words:
        raise InputError(
            f"lanes of {lane_bits} bits do not divide a row of {64 * words} wires",
            where="racetrack_pim.lane_bits",
            hint="1, 2, 4, 8 and so on",
        )
    lane = value % 2**lane_bits
    if lane_bits >= 64:
        parts = [lane >> (64 * i) & (2**64 - 1) for i in range(lane_bits // 64)]
    else:
        parts = [sum(lane << (lane_bits * i) for i in range(64 // lane_bits))]
    return np.array([parts[i % len(parts)] for i in range(words)], np.uint64)
