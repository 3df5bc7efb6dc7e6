"""The phase of every gate: as early as inputs and splitters allow, then moved to where buffers are saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accelerators.aqfp_bnn.cells import CONSTANT_CELLS, SOURCES, Cell
from accelerators.aqfp_bnn.netlist import Netlist
from accelerators.aqfp_bnn.trees import cells_needed, tree_depth

SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Clocking:
    """How cells are clocked.

    Attributes
    ----------
    splitter_outputs : int
        Outputs of a splitter.
    max_phase_skip : int
        Phases between a cell and its reader without a buffer, at most.
    clock_phases : int
        Phases of a cycle, n.
    balance_inputs, balance_outputs : bool
        Whether all inputs arrive in one phase, and all outputs leave in one.
    """

    splitter_outputs: int = 4
    max_phase_skip: int = 1
    clock_phases: int = 4
    balance_inputs: bool = True
    balance_outputs: bool = True

    def __post_init__(self) -> None:
        if self.clock_phases < 3:
            raise ValueError(f"{self.clock_phases} clock phases give data no direction; at least 3 do")
        if self.splitter_outputs < 2:
            raise ValueError(f"a splitter of {self.splitter_outputs} outputs splits nothing")
        if not 1 <= self.max_phase_skip <= self.clock_phases:
            raise ValueError(
                f"max_phase_skip {self.max_phase_skip} is outside 1..{self.clock_phases}, the phases of a "
                "cycle for which a cell holds its bit"
            )


class Levels:
    """Phases of all nodes of a netlist, and who reads whom.

    Parameters
    ----------
    netlist : Netlist
        The circuit; constants have no level, every reader has one of its own.
    clocking : Clocking
        Splitters and skips.
    """

    def __init__(self, netlist: Netlist, clocking: Clocking) -> None:
        self.netlist, self.clocking = netlist, clocking
        size = len(netlist.cells)
        self.readers: list[list[int]] = [[] for _ in range(size)]
        for node, signals in enumerate(netlist.fan_ins):
            for signal in signals:
                self.readers[signal // 2].append(node)
        self.ends: list[int] = [0] * size
        for node in netlist.outputs.values():
            self.ends[node] += 1
        self.loops: list[int] = [0] * size
        for _, node in netlist.states.values():
            self.loops[node] += 1
        self.still = [cell in CONSTANT_CELLS for cell in netlist.cells]
        self.floating = [
            cell is Cell.STATE or (cell is Cell.INPUT and not clocking.balance_inputs)
            for cell in netlist.cells
        ]
        self._depth = [tree_depth(self.fan_out(node), clocking.splitter_outputs) for node in range(size)]
        self._sources = [self._moving(signals) for signals in netlist.fan_ins]
        self.pinned = {
            reader
            for node, cell in enumerate(netlist.cells)
            if cell is Cell.STATE
            for reader in self.readers[node]
        }
        self.level = self._earliest()
        self.depth = self._last()
        self.costs = [self.cost(node) for node in range(size)]
        self._settle()

    def fan_out(self, node: int) -> int:
        """Return the readers of a node: gates, outputs, and the loop it closes."""
        return max(1, len(self.readers[node]) + self.ends[node] + self.loops[node])

    def arrival(self, node: int) -> int:
        """Return the first phase in which any reader of `node` can work."""
        return self.level[node] + self._depth[node] + 1

    def reader_levels(self, node: int) -> list[int]:
        """Return the phases in which `node` is read, latest first; a loop is read as soon as it can be."""
        found = [self.level[reader] for reader in self.readers[node]]
        end = self.depth + 1 if self.clocking.balance_outputs else self.arrival(node)
        found += [end] * self.ends[node]
        found += [self.arrival(node)] * self.loops[node]
        return sorted(found, reverse=True)

    def cost(self, node: int) -> int:
        """Return the splitters and buffers behind `node`."""
        readers = self.reader_levels(node)
        if not readers or self.still[node]:
            return 0
        source = readers[-1] - self._depth[node] - 1 if self.floating[node] else self.level[node]
        clocking = self.clocking
        return cells_needed(source, readers, clocking.splitter_outputs, clocking.max_phase_skip)

    def _earliest(self) -> list[int]:
        """Place every gate as early as its operands allow, and all readers of a state in one phase.

        A loop is as long as the time from the first reader of its state to the gate that renews it.
        """
        together: dict[int, int] = {}
        cells = self.netlist.cells
        level = self.level = [0] * len(cells)
        for _ in range(2 + len(self.loops)):
            before = dict(together)
            for node, sources in enumerate(self._sources):
                if cells[node] in SOURCES:
                    continue
                place = max([self.arrival(source) for source in sources], default=1)
                own = [source for source in sources if cells[source] is Cell.STATE]
                if own:
                    place = max(place, *(together.get(state, 0) for state in own))
                    together |= dict.fromkeys(own, place)
                level[node] = place
            if together == before:
                return level
        raise ValueError(f"{self.netlist.name}: states wait for each other; read one through a buffer")

    def _last(self) -> int:
        ends = [node for node in self.netlist.outputs.values() if not self.still[node]]
        return max((self.arrival(node) - 1 for node in ends), default=0)

    def _settle(self) -> None:
        """Move gates one by one, last to first, to the end of their range that needs fewer cells.

        After the first sweep only gates are tried again whose surroundings have moved since.
        """
        movable = [
            node
            for node, cell in enumerate(self.netlist.cells)
            if cell not in SOURCES and not self.still[node] and node not in self.pinned
        ]
        stale = set(movable)
        for sweep in range(SWEEPS):
            for node in reversed(movable):
                if node not in stale:
                    continue
                stale.discard(node)
                if self._move(node, later=not sweep):
                    sources = self._sources[node]
                    stale.update(self.readers[node], sources, *(self.readers[source] for source in sources))
                    stale.discard(node)
        for node, floats in enumerate(self.floating):
            readers = self.reader_levels(node)
            if floats and readers:
                self.level[node] = readers[-1] - self._depth[node] - 1

    def _moving(self, signals: Sequence[int]) -> tuple[int, ...]:
        """Return the nodes behind `signals`, without constants."""
        found = dict.fromkeys(signal // 2 for signal in signals)
        return tuple(source for source in found if not self.still[source])

    def _move(self, node: int, later: bool) -> bool:
        """Move `node` to the end of its range that costs least; between equal costs `later` decides."""
        reads = [self.level[reader] for reader in self.readers[node]]
        if self.ends[node]:
            reads.append(self.depth + 1)
        if not reads:
            return False
        here, sources = self.level[node], self._sources[node]
        touched = (node, *sources)
        low = max((self.arrival(s) for s in sources if not self.floating[s]), default=1)
        high = here if self.loops[node] else min(reads) - self._depth[node] - 1
        best, least = here, [self.costs[each] for each in touched]
        for place in {low, high} - {here}:
            self.level[node] = place
            found = [self.cost(each) for each in touched]
            if sum(found) < sum(least) or (sum(found) == sum(least) and later and place > best):
                best, least = place, found
        self.level[node] = best
        for each, cost in zip(touched, least, strict=True):
            self.costs[each] = cost
        return best != here
