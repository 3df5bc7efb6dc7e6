"""Commands that one row of clusters gives for each operation: closed forms, which the machine proves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from accelerators.racetrack_pim.design import RacetrackDesign

Command = tuple[str, str, int]
FLOAT_BITS, FLOAT_LANE, SIGNIFICAND = 32, 64, 24


@dataclass(frozen=True)
class Program:
    """How often a row gives each command.

    Attributes
    ----------
    counts : mapping of (unit, action, bits) to int
        Bits are those of one command in one row.
    """

    counts: Mapping[Command, int]

    def __add__(self, other: Program) -> Program:
        """Return both programs, one after the other."""
        summed = Counter(self.counts)
        summed.update(other.counts)
        return Program(summed)

    def __mul__(self, times: int) -> Program:
        """Return the program `times` over."""
        return Program({command: count * times for command, count in self.counts.items()})


@dataclass(frozen=True)
class Programs:
    """The programs of a design.

    Attributes
    ----------
    design : RacetrackDesign
        Distance, wires and redundancy.
    """

    design: RacetrackDesign

    def tape(self, action: str, count: int = 1, bits: int = 0) -> Program:
        """Return `count` commands at the tape, over all wires unless `bits` says otherwise."""
        return Program({("tape", action, bits or self.design.wires): count})

    def storage(self, reads: int, writes: int = 1) -> Program:
        """Return the operands' way from their own clusters: a shift and a read each, and results back."""
        wires = self.design.wires
        read = {("storage", "read", wires): reads, ("storage", "shift", wires): reads}
        return Program(read | {("storage", "write", wires): writes})

    def gates(self, count: int) -> Program:
        """Return writes whose bits pass the logic between sense amplifiers and write drivers."""
        return Program({("logic", "gate", self.design.wires): count})

    @cached_property
    def fill(self) -> Program:
        """All domains between the ports written anew, from one port and away from it."""
        return self.tape("write", self.design.trd) + self.tape("shift", self.design.trd - 1)

    @cached_property
    def back(self) -> Program:
        """The way back after an odd number of fills."""
        return self.tape("shift", self.design.trd - 1)

    def columns(self, lane_bits: int) -> Program:
        """Return an addition's columns: a transverse read, then S here, C one wire on, C' two wires on."""
        lanes, n = self.design.wires // lane_bits, lane_bits
        return (
            self.tape("transverse_read", n, lanes)
            + self.tape("write_sum", n, lanes)
            + self.tape("write_carry", n - 1, lanes)
            + self.tape("write_second_carry", n - 2, lanes)
        )

    def addition(self, lane_bits: int) -> Program:
        """Return the published addition, 2n + k + s cycles of the device and n (3 W - ..) of energy.

        k operands are written at the left port, each pushed to the right by a shift; at distance 3 the last
        one stays at the port, so s = k - 1 there and s = k otherwise. Operands that are missing are zeros.
        """
        k = self.design.operands
        placed = self.tape("write", k) + self.tape("shift", k if self.design.trd > 3 else k - 1)
        return placed + self.columns(lane_bits)

    def reductions(self, operands: int) -> int:
        """Return carry-save steps, TRD rows to their count of ones, until one addition takes the rest."""
        d = self.design
        return max(0, ceil((operands - d.operands) / (d.trd - d.planes)))

    def total(self, operands: int, lane_bits: int, reads: int | None = None) -> Program:
        """Return the sum of any number of rows: carry-save steps, one addition, read-out.

        Fills go from the left and from the right port in turn, so that the tape returns by itself after an
        even number of them. `reads` rows come from storage; by default every operand does.
        """
        steps = self.reductions(operands)
        found = self.fill * (steps + 1) + self.tape("transverse_read", steps) + self.columns(lane_bits)
        found += self.tape("read") + self.storage(operands if reads is None else reads)
        return found if steps % 2 else found + self.back

    def product(self, bits: int, signed: bool, lane_bits: int = 0) -> Program:
        """Return a multiplication: `bits` gated copies of one factor, displaced, and summed.

        Signed factors give one row more: the highest bit counts negative, as a complement and a one.
        """
        rows = bits + signed
        return self.total(rows, lane_bits or 2 * bits, reads=2) + self.gates(bits)

    def copy(self, sources: int) -> Program:
        """Return a choice among rows by predicates of the lanes: gated writes at the port, one read."""
        writes = self.tape("write", sources) + self.gates(sources)
        return writes + self.tape("read") + self.storage(sources)

    def displaced(self, wires: int) -> Program:
        """Return a row moved by some wires: the way of C' moves it by two at once."""
        moves = ceil(wires / 2)
        return self.tape("write", moves) + self.tape("read", moves)

    def predicate(self, count: int = 1) -> Program:
        """Return reads of one bit of every lane."""
        return Program({("storage", "read", self.design.wires): count})

    @cached_property
    def logic(self) -> Program:
        """AND, OR, XOR or a complement of theirs: two operands between the ports, one transverse read."""
        return self.fill + self.tape("transverse_read") + self.back + self.storage(2)

    def maximum(self, candidates: int, lane_bits: int) -> Program:
        """Return the largest of up to TRD candidates, from the highest bit to the lowest.

        A transverse read of one bit of all candidates; if one is set, each candidate without it is cleared
        while all turn once around between the ports, by a read at the right port and a transverse write at
        the left one.
        """
        d = self.design
        turn = self.tape("read", d.trd) + self.tape("transverse_write", d.trd)
        bit = self.tape("transverse_read", 1, d.wires // lane_bits) + turn
        last = self.tape("transverse_read") + self.back
        moved = self.storage(candidates) + self.predicate(candidates) + self.gates(candidates)
        return self.fill + bit * lane_bits + last + moved

    def float_maximum(self, candidates: int) -> Program:
        """Return the largest of 32-bit floating-point numbers, see `floating.maximum`."""
        return self.maximum(candidates, FLOAT_BITS) + self.predicate() + self.copy(2)

    @cached_property
    def vote(self) -> Program:
        """A bitwise majority of N results: one transverse read."""
        return self.fill + self.tape("transverse_read") + self.back + self.storage(self.design.redundancy)

    def voted(self, program: Program) -> Program:
        """Return `program` as often as the design asks for, and the vote."""
        n = self.design.redundancy
        return program if n == 1 else program * n + self.vote

    @cached_property
    def _float_end(self) -> Program:
        """Overflow and underflow found by two subtractions, then a choice of three."""
        return self.total(2, FLOAT_LANE) * 2 + self.predicate(2) + self.copy(3)

    @cached_property
    def float_product(self) -> Program:
        """A product of two 32-bit floating-point numbers, see `floating.multiply`."""
        w = FLOAT_LANE
        return (
            self.total(2, w) * 2
            + self.copy(2) * 3
            + self.product(SIGNIFICAND, False, w)
            + self.displaced(1)
            + self.total(3, w)
            + self.displaced(SIGNIFICAND)
            + self.total(5, w)
            + self.logic
            + self.predicate(4)
            + self._float_end
        )

    @cached_property
    def float_sum(self) -> Program:
        """A sum of two 32-bit floating-point numbers, see `floating.add`."""
        w = FLOAT_LANE
        moves = (38, 38, 1, 2, 4, 8, 16, 32, 16, 8, 4, 2, 1, 39)
        found = (
            self.total(2, w) * 8
            + self.total(3, w) * 4
            + self.total(8, w)
            + self.copy(2) * 15
            + self.copy(1)
            + self.logic
            + self.predicate(20)
            + self._float_end
        )
        for wires in moves:
            found += self.displaced(wires)
        return found
