"""Path balancing: a netlist with splitters and buffers in place, every cell in its phase."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from accelerators.aqfp_bnn.cells import GATES, SOURCES, Cell, junctions_of
from accelerators.aqfp_bnn.levels import Clocking, Levels
from accelerators.aqfp_bnn.netlist import Netlist
from accelerators.aqfp_bnn.trees import grow


@dataclass(frozen=True)
class Balanced:
    """Cells with their phases; signals as in `Netlist`, over these cells.

    Attributes
    ----------
    name : str
        Of the circuit.
    clocking : Clocking
        What it was balanced for.
    cells : tuple of Cell
        What every cell is.
    fan_ins : tuple of tuple of int
        Signals that every cell reads.
    levels : tuple of int
        Phase in which every cell works, counted from the inputs at 0; -1 for constants, which never change.
    inputs, outputs : mapping of str to int
        Cell of every input and output.
    states : mapping of str to (int, int)
        Source of a state, and the last cell of its loop, `interval_cycles` cycles later.
    depth : int
        Phases from the inputs to the outputs.
    loop_phases : int
        Phases of the longest loop before it is filled up to whole cycles; 0: no loop.
    """

    name: str
    clocking: Clocking
    cells: tuple[Cell, ...]
    fan_ins: tuple[tuple[int, ...], ...]
    levels: tuple[int, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    states: Mapping[str, tuple[int, int]]
    depth: int
    loop_phases: int

    @property
    def interval_cycles(self) -> int:
        """Cycles between two waves of one loop; others are interleaved in between."""
        return max(1, -(-self.loop_phases // self.clocking.clock_phases))

    @cached_property
    def counts(self) -> Mapping[Cell, int]:
        """Cells of every kind."""
        return Counter(self.cells)

    @property
    def gates(self) -> int:
        """Logic gates."""
        return sum(count for cell, count in self.counts.items() if cell in GATES)

    @property
    def buffers(self) -> int:
        """Buffers, splitters, inverters and constants, two junctions each."""
        return sum(count for cell, count in self.counts.items() if cell not in (*GATES, *SOURCES))

    @property
    def junctions(self) -> int:
        """Josephson junctions of all cells."""
        return sum(junctions_of(cell) * count for cell, count in self.counts.items())

    def latency_s(self, clock_hz: float) -> float:
        """Return depth over phases over clock."""
        if clock_hz <= 0:
            raise ValueError(f"clock_hz {clock_hz} is not above 0")
        return self.depth / self.clocking.clock_phases / clock_hz


def balance(netlist: Netlist, clocking: Clocking | None = None) -> Balanced:
    """Return `netlist` with a tree of splitters and buffers behind every node.

    Every cell takes a phase; a reader works one to m phases after the cell it reads, where m is the largest
    phase skip. Loops are filled up with buffers to whole cycles.
    """
    clocking = clocking or Clocking()
    return _Placer(netlist, Levels(netlist, clocking)).place()


@dataclass(frozen=True, slots=True)
class Size:
    """What balancing a netlist leads to, without the cells themselves.

    Attributes
    ----------
    junctions, depth, interval_cycles : int
        As of `Balanced`.
    """

    junctions: int
    depth: int
    interval_cycles: int


def size_of(netlist: Netlist, clocking: Clocking) -> Size:
    """Return the size of ``balance(netlist, clocking)``, counted from the phases of the gates.

    Every tree has as many cells as `Levels.costs` says. Where phases are skipped, the end of a loop depends
    on the tree it leaves, so cells are placed after all.
    """
    if clocking.max_phase_skip > 1:
        built = balance(netlist, clocking)
        return Size(built.junctions, built.depth, built.interval_cycles)
    levels, n = Levels(netlist, clocking), clocking.clock_phases
    junctions = buffers = 0
    for node, cell in enumerate(netlist.cells):
        if levels.still[node]:
            buffers += len(levels.readers[node]) + levels.ends[node] + levels.loops[node]
        else:
            junctions += junctions_of(cell)
            buffers += levels.costs[node]
    spans = [
        levels.arrival(last) - 1 - levels.level[node]
        for node, last in netlist.states.values()
        if not levels.still[last]
    ]
    interval = max(1, -(-max(spans, default=0) // n))
    buffers += sum(interval * n - span for span in spans)
    return Size(junctions + buffers * junctions_of(Cell.BUFFER), levels.depth, interval)


class _Placer:
    def __init__(self, netlist: Netlist, levels: Levels) -> None:
        self.netlist, self.levels = netlist, levels
        self.clocking = levels.clocking
        self.cells: list[Cell] = []
        self.fan_ins: list[tuple[int, ...]] = []
        self.level: list[int] = []
        self.operands: dict[tuple[int, int], int] = {}
        self.ends: defaultdict[int, list[int]] = defaultdict(list)
        self.loop_ends: defaultdict[int, list[int]] = defaultdict(list)

    def place(self) -> Balanced:
        netlist, at = self.netlist, dict[int, int]()
        for node, cell in enumerate(netlist.cells):
            if self.levels.still[node]:
                self._constants(node, cell)
                continue
            signals = netlist.fan_ins[node]
            own = tuple(self.operands[node, i] ^ (signal & 1) for i, signal in enumerate(signals))
            at[node] = self._cell(cell, own, self.levels.level[node])
            self._spread(node, at[node])
        states, longest = self._close(at)
        return Balanced(
            netlist.name, self.clocking, tuple(self.cells), tuple(self.fan_ins), tuple(self.level),
            {name: at[node] for name, node in netlist.inputs.items()},
            {name: self.ends[node].pop() for name, node in netlist.outputs.items()},
            states, self.levels.depth, longest,
        )  # fmt: skip

    def _cell(self, cell: Cell, fan_in: tuple[int, ...], level: int) -> int:
        self.cells.append(cell)
        self.fan_ins.append(fan_in)
        self.level.append(level)
        return len(self.cells) - 1

    def _constants(self, node: int, cell: Cell) -> None:
        for reader in dict.fromkeys(self.levels.readers[node]):
            for i, signal in enumerate(self.netlist.fan_ins[reader]):
                if signal // 2 == node:
                    self.operands[reader, i] = 2 * self._cell(cell, (), -1)
        self.ends[node] = [self._cell(cell, (), -1) for _ in range(self.levels.ends[node])]
        self.loop_ends[node] = [self._cell(cell, (), -1) for _ in range(self.levels.loops[node])]

    def _spread(self, node: int, source: int) -> None:
        """Place the tree behind a node and note what every reader reads."""
        levels = self.levels
        readers: list[tuple[int, int, int]] = []
        for reader in dict.fromkeys(levels.readers[node]):
            for i, signal in enumerate(self.netlist.fan_ins[reader]):
                if signal // 2 == node:
                    readers.append((levels.level[reader], reader, i))
        end = levels.depth + 1 if self.clocking.balance_outputs else levels.arrival(node)
        if levels.ends[node]:
            readers += [(end, -1, 0)] * levels.ends[node]
        if levels.loops[node]:
            readers += [(levels.arrival(node), -2, 0)] * levels.loops[node]
        if not readers:
            return
        readers.sort(key=lambda item: -item[0])
        cells, root = grow(
            levels.level[node], [level for level, _, _ in readers], self.clocking.splitter_outputs,
            self.clocking.max_phase_skip,
        )  # fmt: skip
        parent = {child: index for index, (_, children) in enumerate(cells) for child in children}
        made: dict[int, int] = {}
        for index in reversed(range(len(cells))):
            above = parent.get(len(readers) + index)
            drive = source if above is None else made[above]
            level, children = cells[index]
            made[index] = self._cell(Cell.SPLITTER if len(children) > 1 else Cell.BUFFER, (2 * drive,), level)
        for child, (_, reader, i) in enumerate(readers):
            drive = source if child == root else made[parent[child]]
            if reader == -1:
                self.ends[node].append(drive)
            elif reader == -2:
                self.loop_ends[node].append(drive)
            else:
                self.operands[reader, i] = 2 * drive

    def _close(self, at: Mapping[int, int]) -> tuple[dict[str, tuple[int, int]], int]:
        """Fill loops up to whole cycles of the slowest; a state appears where its first reader needs it."""
        netlist, levels, n = self.netlist, self.levels, self.clocking.clock_phases
        spans, ends = {}, {}
        for name, (node, last) in netlist.states.items():
            end = ends[name] = self.loop_ends[last].pop()
            spans[name] = 0 if levels.still[last] else self.level[end] - levels.level[node]
        longest = max(spans.values(), default=0)
        whole = max(1, -(-longest // n)) * n
        states = {}
        for name, (node, last) in netlist.states.items():
            end, span = ends[name], spans[name]
            while not levels.still[last] and span < whole:
                span = min(span + self.clocking.max_phase_skip, whole)
                end = self._cell(Cell.BUFFER, (2 * end,), levels.level[node] + span)
            states[name] = (at[node], end)
        return states, longest
