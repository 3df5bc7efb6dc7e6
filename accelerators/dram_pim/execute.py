"""Runs plans on real bit rows: every command of every pass, with its time and its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, MutableMapping

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.design import DramPimDesign
from accelerators.dram_pim.expand import Kind, bind, library
from accelerators.dram_pim.parse import CELLS
from accelerators.dram_pim.plan import Move, Plan, Ref, Stage, move_ticks, passes_of
from accelerators.dram_pim.timing import timing_of
from hwsim.errors import VerifyError
from hwsim.kernels.dram_rows import from_rows, pack, run_commands, to_rows, unpack

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
NAMES = {Kind.AP: "ap", Kind.AAP: "aap", Kind.APP_OR: "app", Kind.APP_AND: "app", Kind.TAPP_OR: "tapp",
         Kind.TAPP_AND: "tapp"}
OPENED = ("", "single", "double", "triple")


class Subarrays:
    """The banks while they compute: values in lanes, ticks since the start, events.

    Parameters
    ----------
    design : DramPimDesign
        Technique, banks, rows and latencies.

    Attributes
    ----------
    ticks : int
        Time, refreshes included.
    events : Counter of (unit, action)
        What happened.
    """

    def __init__(self, design: DramPimDesign) -> None:
        self._design, self._timing = design, timing_of(design)
        self._programs = library(*design.files)
        self.ticks, self._since = 0, 0
        self.events: Counter[tuple[str, str]] = Counter()

    def run(self, plan: Plan, values: MutableMapping[str, Ints]) -> None:
        """Run every step of `plan` on `values`, by the names that its stages use; results are put there.

        A value holds one number a lane; one whose name ends in "[]" holds int64[repeats, lanes].
        """
        for step in plan.steps:
            if isinstance(step, Move):
                self._move(step, values)
            else:
                values[step.result.name] = self._stage(step, values)

    def _move(self, move: Move, values: MutableMapping[str, Ints]) -> None:
        for action, bits in (("read", move.read_bits), ("write", move.write_bits)):
            if bits:
                self.events["channel", action] += 1
                self._wait(move_ticks(bits, self._design))
        if move.halves:
            both = values[move.halves]
            half = len(both) // 2
            values[move.halves], values["upper"] = both[:half], both[half:]

    def _stage(self, stage: Stage, values: Mapping[str, Ints]) -> Ints:
        passes, out = passes_of(stage, self._design), np.zeros(stage.elements, np.int64)
        first = 0
        while first < stage.elements:
            rows = -(-(stage.elements - first) // self._design.lanes)
            banks = min(passes.banks, rows)
            last = min(stage.elements, first + banks * self._design.lanes)
            out[first:last] = self._pass(stage, values, slice(first, last), banks)
            first = last
        return out

    def _pass(self, stage: Stage, values: Mapping[str, Ints], part: slice, banks: int) -> Ints:
        """Run all repeats on the lanes of `part`, which fill rows of `banks` banks."""
        lengths = tuple(ref.rows for ref in stage.operands)
        commands = self._programs.expand(stage.program, lengths, stage.parameter)
        total = self._programs.rows(stage.program, lengths, stage.parameter)
        table = self._table(stage, lengths, total)
        bound = bind(commands, table)
        lanes = part.stop - part.start
        cells = np.zeros((max(table) + 1, -(-lanes // 64)), np.uint64)
        cells[CELLS.index("C1")] = ~np.uint64(0)
        places = self._places(stage, table)
        for repeat in range(stage.repeats):
            for ref, rows in places:
                if repeat == 0 or ref.name.endswith("[]"):
                    cells[rows] = pack(to_rows(_lanes(ref, values, part, repeat, lanes), ref.rows))
            verify_commands(bound, _defined(places))
            run_commands(cells, bound)
            self._charge(bound, banks)
        start = self._result_start(stage, lengths, table)
        result = unpack(cells[start : start + stage.result.rows], lanes)
        return from_rows(result, signed=stage.result.signed)

    def _table(self, stage: Stage, lengths: tuple[int, ...], total: int) -> list[int]:
        """Return the physical row of every row of the program; a result that is an operand stays in place."""
        table = list(range(total))
        names = [ref.name for ref in stage.operands]
        if stage.result.name in names and not self._in_place(stage.program):
            operand = names.index(stage.result.name)
            begin = len(CELLS) + sum(lengths[:operand])
            offset = len(CELLS) + sum(lengths)
            if lengths[operand] == stage.result.rows:
                table[offset : offset + stage.result.rows] = range(begin, begin + stage.result.rows)
        return table

    def _in_place(self, name: str) -> bool:
        """Return whether a program names one of its operands as its result."""
        program = self._programs.program(name)
        return program.results[0].name in {array.name for array in program.operands}

    def _places(self, stage: Stage, table: list[int]) -> list[tuple[Ref, list[int]]]:
        found, at = [], len(CELLS)
        for ref in stage.operands:
            found.append((ref, table[at : at + ref.rows]))
            at += ref.rows
        return found

    def _result_start(self, stage: Stage, lengths: tuple[int, ...], table: list[int]) -> int:
        if self._in_place(stage.program):
            return table[len(CELLS)]
        return table[len(CELLS) + sum(lengths)]

    def _charge(self, commands: Ints, banks: int) -> None:
        """Let every command take its time, and count the rows that it opens in each bank."""
        kinds, counts = np.unique(commands[:, 0], return_counts=True)
        for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
            name = NAMES[Kind(kind)]
            self.events["banks", name] += count * banks
            self._wait(count * self._timing.of(name, banks))
        for columns in (slice(1, 4), slice(5, 8)):
            opened, times = np.unique((commands[:, columns] >= 0).sum(axis=1), return_counts=True)
            for rows, count in zip(opened.tolist(), times.tolist(), strict=True):
                if rows:
                    self.events["rows", OPENED[rows]] += count * banks

    def _wait(self, ticks: int) -> None:
        """Let time pass; refreshes come when they are due, at the end of a command."""
        self.ticks += ticks
        self._since += ticks
        while self._timing.interval and self._since >= self._timing.interval:
            self._since -= self._timing.interval
            self.ticks += self._timing.refresh
            self.events["sequencer", "refresh"] += 1


def _lanes(ref: Ref, values: Mapping[str, Ints], part: slice, repeat: int, lanes: int) -> Ints:
    if ref.name.startswith("="):
        return np.full(lanes, int(ref.name[1:]), np.int64)
    found = values[ref.name]
    return found[repeat, part] if ref.name.endswith("[]") else found[part]


def _defined(places: list[tuple[Ref, list[int]]]) -> set[int]:
    constants = {CELLS.index("C0"), CELLS.index("C1")}
    return constants.union(*(rows for _, rows in places))


def verify_commands(commands: Ints, defined: set[int]) -> None:
    """Raise VerifyError where a command reads a row that nothing has written, or that a tAPP has spoilt.

    Parameters
    ----------
    commands : int64[commands, 9]
        See `hwsim.kernels.dram_rows`.
    defined : set of int
        Rows that hold something at the start.
    """
    known = set(defined)
    for at, (kind, a, b, c, _, d, e, f, _) in enumerate(commands.tolist()):
        opened = [row for row in (a, b, c) if row >= 0]
        for row in opened:
            if row not in known:
                raise VerifyError(f"command {at} reads row {row}, which holds nothing",
                                  where="dram_pim.execute")
        known.update(row for row in (d, e, f) if row >= 0)
        if kind in (Kind.TAPP_OR, Kind.TAPP_AND):
            known.difference_update(opened)
