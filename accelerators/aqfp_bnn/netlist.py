"""A gate-level netlist before balancing: gates whose inputs may be inverted, named ends, states of loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from accelerators.aqfp_bnn.cells import FAN_IN, GATES, Bits, Cell, compute

DUALS = {
    Cell.AND: Cell.OR, Cell.OR: Cell.AND, Cell.MAJ3: Cell.MAJ3, Cell.MAJ5: Cell.MAJ5,
    Cell.ZERO: Cell.ONE, Cell.ONE: Cell.ZERO,
}  # fmt: skip
"""The cell that computes the inverse of inverted operands."""


@dataclass(frozen=True, slots=True)
class Netlist:
    """Nodes in topological order; a signal is ``2 * node``, plus 1 where it is inverted.

    Attributes
    ----------
    name : str
        Of the circuit.
    cells : tuple of Cell
        What every node is.
    fan_ins : tuple of tuple of int
        Signals that every node reads.
    inputs : mapping of str to int
        Node of every input.
    outputs : mapping of str to int
        Node of every output.
    states : mapping of str to (int, int)
        Node that holds a state, and node that computes the next one.
    """

    name: str
    cells: tuple[Cell, ...]
    fan_ins: tuple[tuple[int, ...], ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    states: Mapping[str, tuple[int, int]]

    @property
    def gates(self) -> int:
        """Number of logic gates, without buffers, inverters and constants."""
        return sum(cell in GATES for cell in self.cells)


class NetlistBuilder:
    """Adds gates one at a time; methods take and return signals, and ``signal ^ 1`` inverts for free.

    Examples
    --------
    >>> build = NetlistBuilder("half_adder")
    >>> a, b = build.input("a"), build.input("b")
    >>> build.output("sum", build.xor(a, b))
    >>> build.output("carry", build.and_(a, b))
    >>> build.build().gates
    4
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._cells: list[Cell] = []
        self._fan_ins: list[tuple[int, ...]] = []
        self._inputs: dict[str, int] = {}
        self._outputs: dict[str, int] = {}
        self._states: dict[str, int] = {}
        self._next: dict[str, int] = {}

    def add(self, cell: Cell, *signals: int) -> int:
        """Add a cell that reads `signals`; returns its signal."""
        if len(signals) != FAN_IN[cell]:
            raise ValueError(f"{cell} reads {FAN_IN[cell]} signals, not {len(signals)}")
        if any(not 0 <= signal < 2 * len(self._cells) for signal in signals):
            raise ValueError(f"{cell} reads a signal that does not exist yet")
        self._cells.append(cell)
        self._fan_ins.append(signals)
        return 2 * (len(self._cells) - 1)

    def input(self, name: str) -> int:
        """Declare an input."""
        if name in self._inputs:
            raise ValueError(f"two inputs are called {name!r}")
        signal = self.add(Cell.INPUT)
        self._inputs[name] = signal // 2
        return signal

    def inputs(self, name: str, count: int) -> list[int]:
        """Declare inputs ``name[0]``, ``name[1]``, ..."""
        return [self.input(f"{name}[{index}]") for index in range(count)]

    def state(self, name: str) -> int:
        """Declare a state, which `next_state` has to close into a loop."""
        signal = self.add(Cell.STATE)
        self._states[name] = signal // 2
        return signal

    def constant(self, value: bool) -> int:
        """Add a constant."""
        return self.add(Cell.ONE if value else Cell.ZERO)

    def buffer(self, signal: int) -> int:
        """Hold a signal for a phase."""
        return self.add(Cell.INVERTER, signal ^ 1) if signal & 1 else self.add(Cell.BUFFER, signal)

    def and_(self, *signals: int) -> int:
        """AND of any number of signals, as a tree."""
        return self._tree(Cell.AND, signals)

    def or_(self, *signals: int) -> int:
        """OR of any number of signals, as a tree."""
        return self._tree(Cell.OR, signals)

    def maj3(self, a: int, b: int, c: int) -> int:
        """Majority of three."""
        return self.add(Cell.MAJ3, a, b, c)

    def maj5(self, *signals: int) -> int:
        """Majority of five."""
        return self.add(Cell.MAJ5, *signals)

    def xor(self, a: int, b: int) -> int:
        """Exclusive or, as two ANDs and an OR."""
        return self.or_(self.and_(a, b ^ 1), self.and_(a ^ 1, b))

    def xnor(self, a: int, b: int) -> int:
        """Equality, as two ANDs and an OR."""
        return self.or_(self.and_(a, b), self.and_(a ^ 1, b ^ 1))

    def output(self, name: str, signal: int) -> None:
        """Declare an output."""
        if name in self._outputs:
            raise ValueError(f"two outputs are called {name!r}")
        self._outputs[name] = signal

    def next_state(self, name: str, signal: int) -> None:
        """Close the loop of state `name`."""
        self._next[name] = signal

    def build(self) -> Netlist:
        """Return the netlist; ValueError for a loop that is left open.

        A gate that is needed inverted at an end is replaced by its dual (De Morgan); only ends that need
        both senses, or an inverted input, take an inverter.
        """
        if open_loops := sorted(self._states.keys() ^ self._next.keys()):
            raise ValueError(f"loops left open: {', '.join(open_loops)}")
        ends = {*self._outputs.values(), *self._next.values()}
        self._turn({end // 2 for end in ends if end & 1 and end ^ 1 not in ends})
        outputs = {name: self._plain(signal) // 2 for name, signal in self._outputs.items()}
        loops = {name: self._plain(signal) // 2 for name, signal in self._next.items()}
        states = {name: (node, loops[name]) for name, node in self._states.items()}
        return Netlist(
            self._name, tuple(self._cells), tuple(self._fan_ins), dict(self._inputs), outputs, states
        )  # fmt: skip

    def _turn(self, nodes: set[int]) -> None:
        """Replace gates by their duals, so that readers and ends see them inverted."""
        turned = {node for node in nodes if self._cells[node] in DUALS}
        for node in range(len(self._cells)):
            flip = int(node in turned)
            self._fan_ins[node] = tuple(
                signal ^ flip ^ int(signal // 2 in turned) for signal in self._fan_ins[node]
            )
            self._cells[node] = DUALS[self._cells[node]] if flip else self._cells[node]
        for table in (self._outputs, self._next):
            for name, signal in table.items():
                table[name] = signal ^ int(signal // 2 in turned)

    def _plain(self, signal: int) -> int:
        """Return a signal that is not inverted, at the cost of a cell."""
        return self.add(Cell.INVERTER, signal ^ 1) if signal & 1 else signal

    def _tree(self, cell: Cell, signals: Sequence[int]) -> int:
        level = list(signals)
        if not level:
            raise ValueError(f"{cell} of no signal")
        while len(level) > 1:
            pairs = [self.add(cell, *level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
            level = pairs + level[len(level) - len(level) % 2 :]
        return level[0]


def evaluate(
    netlist: Netlist, inputs: Mapping[str, Bits], states: Mapping[str, Bits] | None = None
) -> tuple[dict[str, Bits], dict[str, Bits]]:
    """Return outputs and next states, as if every gate answered at once.

    Parameters
    ----------
    netlist : Netlist
        The circuit.
    inputs : mapping of str to bool array
        One array per input, all of one shape.
    states : mapping of str to bool array
        Present states; every one must be given.
    """
    given = {netlist.inputs[name]: value for name, value in inputs.items()}
    given |= {netlist.states[name][0]: value for name, value in (states or {}).items()}
    shape = np.broadcast_shapes(*(value.shape for value in given.values())) if given else ()
    values: list[Bits] = []
    for node, (cell, signals) in enumerate(zip(netlist.cells, netlist.fan_ins, strict=True)):
        if node in given:
            values.append(np.broadcast_to(given[node], shape))
            continue
        operands = [values[signal // 2] ^ bool(signal & 1) for signal in signals]
        values.append(compute(cell, operands, shape))
    outputs = {name: values[node] for name, node in netlist.outputs.items()}
    return outputs, {name: values[node] for name, (_, node) in netlist.states.items()}
