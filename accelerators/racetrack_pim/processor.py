"""Operations on lanes of clusters, each a sequence of commands: the bit-true side of `programs`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from accelerators.racetrack_pim.design import RacetrackDesign
from accelerators.racetrack_pim.tape import Clusters, Words, across, every
from hwsim.errors import InputError

LOGIC = ("and", "or", "xor", "nand", "nor", "xnor")


class Processor:
    """Clusters that compute; operands and results are rows of words [rows, words]."""

    def __init__(self, design: RacetrackDesign, rows: int) -> None:
        self.design = design
        self.clusters = Clusters(design, rows)
        self.none: Words = np.zeros((rows, design.wires // 64), np.uint64)
        self.all: Words = ~self.none

    def constant(self, value: int, lane_bits: int) -> Words:
        """Return rows whose lanes all hold `value`."""
        return self.none | every(value, lane_bits, self.clusters.words)

    def addition(self, operands: Sequence[Words], lane_bits: int) -> Words:
        """Return the sum modulo the lane, by the published steps; results are read beside the count.

        The published cycles do not bring the tape back: it stays shifted by the operands.

        Raises
        ------
        InputError
            More operands than the distance takes, lanes that do not divide the row, no padding left.
        """
        k, tape = self.design.operands, self.clusters
        if not 0 < len(operands) <= k:
            raise InputError(
                f"an addition of {len(operands)} operands, distance {self.design.trd} takes 1 to {k}",
                where="racetrack_pim.addition",
                hint="reduce more rows by carry-save steps first (total)",
            )
        rows = [*operands, *[self.none] * (k - len(operands))]
        for place, row in enumerate(rows):
            tape.write(tape.left, row)
            if self.design.trd > 3 or place + 1 < k:
                tape.shift(1)
        self._columns(lane_bits)
        return np.array(tape.tape[tape.left])

    def total(self, operands: Sequence[Words], lane_bits: int, reads: int | None = None) -> Words:
        """Return the sum of any number of rows, modulo the lane."""
        d, tape = self.design, self.clusters
        self._stored(len(operands) if reads is None else reads)
        waiting, held = list(operands), list[Words]()
        while len(held) + len(waiting) > d.operands:
            taken = waiting[: d.trd - len(held)]
            del waiting[: len(taken)]
            self._fill([*held, *taken])
            planes = tape.transverse_read()
            held = [self._weighted(planes[i], i, lane_bits) for i in range(d.planes)]
        rest = [*held, *waiting]
        rest += [self.none] * (d.operands - len(rest))
        self._fill([*rest, self.none] if d.trd == 3 else [self.none, *rest, self.none])
        self._columns(lane_bits)
        result = tape.read(tape.left)
        self._return()
        tape.count("storage", "write")
        return result

    def product(self, x: Words, y: Words, bits: int, lane_bits: int, *, signed: bool) -> Words:
        """Return lane-wise products of `bits`-bit factors that lie in lanes of `lane_bits`.

        Raises
        ------
        InputError
            Lanes without room for the result of twice as many bits.
        """
        if lane_bits < 2 * bits:
            raise InputError(
                f"a product of {bits} bits in lanes of {lane_bits}",
                where="racetrack_pim.product",
                hint=f"lanes of at least {2 * bits} bits",
            )
        rows, moved = [], x
        for bit in range(bits):
            chosen = self.bit(y, bit, lane_bits)
            negative = signed and bit == bits - 1
            rows.append(self._gate(~moved if negative else moved, chosen))
            if negative:
                rows.append(chosen & self.constant(1, lane_bits))
            moved = self.moved(moved, 1, lane_bits)
        return self.total(rows, lane_bits, reads=2)

    def copy(self, sources: Sequence[tuple[Words, Words]]) -> Words:
        """Return (row, gate) pairs merged; gates of one place exclude each other."""
        tape = self.clusters
        merged = self.none
        for row, gate in sources:
            merged = (merged & ~gate) | self._gate(row, gate)
            tape.write(tape.left, merged)
        self._stored(len(sources))
        tape.count("storage", "write")
        return tape.read(tape.left)

    def displaced(self, row: Words, wires: int, lane_bits: int) -> Words:
        """Return a row moved inside its lanes by `wires`, positive to higher bits; zeros follow."""
        left, sign = abs(wires), 1 if wires > 0 else -1
        while left:
            step = min(left, 2)
            self.clusters.write(self.clusters.left, self.moved(row, sign * step, lane_bits))
            row = self.clusters.read(self.clusters.left)
            left -= step
        return row

    def predicate(self, row: Words, bit: int, lane_bits: int) -> Words:
        """Return a gate that is open in lanes where `bit` is set."""
        self.clusters.count("storage", "read")
        return self.bit(row, bit, lane_bits)

    def logic(self, function: str, x: Words, y: Words) -> Words:
        """Return a bitwise function of two rows.

        Raises
        ------
        InputError
            An unknown function.
        """
        plain = function.removeprefix("n") if function != "xnor" else "xor"
        if function not in LOGIC:
            raise InputError(
                f"no logic function {function!r}", where="racetrack_pim.logic", hint=", ".join(LOGIC)
            )
        self._stored(2)
        pad = self.all if plain == "and" else self.none
        self._fill([x, y, *[pad] * (self.design.trd - 2)])
        one, two, four = self.clusters.transverse_read()
        self._return()
        self.clusters.count("storage", "write")
        full = {3: one & two, 5: one & four, 7: one & two & four}[self.design.trd]
        found = {"or": one | two | four, "and": full, "xor": one}[plain]
        return ~found if function in ("nand", "nor", "xnor") else found

    def maximum(self, candidates: Sequence[Words], lane_bits: int, flip: Sequence[Words]) -> Words:
        """Return the largest candidate of every lane; `flip` makes their order that of unsigned numbers.

        Raises
        ------
        InputError
            More candidates than lie between the ports.
        """
        d, tape = self.design, self.clusters
        if len(candidates) > d.trd:
            raise InputError(
                f"{len(candidates)} candidates between ports {d.trd} apart", where="racetrack_pim.maximum"
            )
        self._stored(len(candidates))
        tape.count("storage", "read", len(candidates))
        rows = [self._gate(row ^ f, self.all) for row, f in zip(candidates, flip, strict=True)]
        self._fill([*rows, *[self.none] * (d.trd - len(rows))])
        for bit in reversed(range(lane_bits)):
            one, two, four = tape.transverse_read()
            found = self.bit(one | two | four, bit, lane_bits)
            for _ in range(d.trd):
                candidate = tape.read(tape.right)
                has = self.bit(candidate, bit, lane_bits)
                tape.transverse_write(candidate & (has | ~found))
        one, two, four = tape.transverse_read()
        self._return()
        tape.count("storage", "write")
        return one | two | four

    def vote(self, results: Sequence[Words]) -> Words:
        """Return the bitwise majority of an odd number of rows."""
        self._stored(len(results))
        self._fill([*results, *[self.none] * (self.design.trd - len(results))])
        one, two, four = self.clusters.transverse_read()
        self._return()
        self.clusters.count("storage", "write")
        return {3: two, 5: four | (one & two), 7: four}[len(results)]

    def voted(self, compute: Callable[[], Words]) -> Words:
        """Return what `compute` gives as often as the design asks for, voted on."""
        results = [compute() for _ in range(self.design.redundancy)]
        return results[0] if len(results) == 1 else self.vote(results)

    def bit(self, row: Words, bit: int, lane_bits: int) -> Words:
        """Return all wires of a lane set to its `bit`, by the controller's own latches."""
        first = self.moved(row, -bit, lane_bits) & self.constant(1, lane_bits)
        spread, width = first, 1
        while width < lane_bits:
            spread = spread | self.moved(spread, width, lane_bits)
            width *= 2
        return spread

    def moved(self, row: Words, wires: int, lane_bits: int) -> Words:
        """Return a row moved inside its lanes, positive to higher bits; the wiring, not a command."""
        lane = 2**lane_bits - 1
        if not wires:
            return row.copy()
        if abs(wires) >= 64:
            half = wires // 2
            return self.moved(self.moved(row, half, lane_bits), wires - half, lane_bits)
        if wires > 0:
            return across(row, np.uint64(wires)) & self.constant(lane << wires, lane_bits)
        down = row >> np.uint64(-wires)
        down[..., :-1] |= row[..., 1:] << np.uint64(64 + wires)
        return down & self.constant(lane >> -wires, lane_bits)

    def _gate(self, row: Words, gate: Words) -> Words:
        self.clusters.count("logic", "gate")
        return row & gate

    def _stored(self, rows: int) -> None:
        self.clusters.count("storage", "read", rows)
        self.clusters.count("storage", "shift", rows)

    def _weighted(self, plane: Words, places: int, lane_bits: int) -> Words:
        return self.moved(plane, places, lane_bits)

    def _fill(self, rows: Sequence[Words]) -> None:
        """Write the domains between the ports, the first row at the left one, from the side with room."""
        tape, d = self.clusters, self.design
        rows = [*rows, *[self.none] * (d.trd - len(rows))]
        right = tape.offset == 0
        for place, row in enumerate(reversed(rows) if right else rows):
            if place:
                tape.shift(1 if right else -1)
            tape.write(tape.left if right else tape.right, row)

    def _return(self) -> None:
        if self.clusters.offset:
            self.clusters.shift(-self.clusters.offset)

    def _columns(self, lane_bits: int) -> None:
        column = self.constant(1, lane_bits)
        for bit in range(lane_bits):
            self.clusters.write_column(column, self.clusters.transverse_read(), lane_bits, bit)
            column = across(column, np.uint64(1))
