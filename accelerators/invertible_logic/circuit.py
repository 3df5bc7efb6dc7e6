"""A graph of gates as a circuit: wires, buses, spins, and what it computes without any noise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.invertible_logic.gates import Gate, gate_of, results_of
from accelerators.invertible_logic.hamiltonian import SpinNetwork, from_entries
from hwsim.graph.types import Graph, Op

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

KINDS = ("logic_gate", "adder_cell")
MOST_FREE_INPUTS = 24
"""Inputs that are free in an enumeration of all answers: 2**24 assignments, 64 to a word."""

CHUNK_INPUTS = 20
"""Inputs of assignments that are held in memory together."""

_BIT = re.compile(r"(.+)\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True)
class Placed:
    """A gate and the spins of its nodes.

    Attributes
    ----------
    op : str
        Operator of the graph.
    gate : Gate
        From the library.
    spins : tuple of int
        In the order of the gate's nodes.
    """

    op: str
    gate: Gate
    spins: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Circuit:
    """Gates over shared wires.

    Attributes
    ----------
    name : str
        Of the graph.
    wires : tuple of str
        One per spin; auxiliary spins carry the name of their gate and node.
    gates : tuple of Placed
        In topological order.
    inputs, outputs : tuple of int
        Spins of the wires that no gate drives, and of the results of the graph.
    batch : int
        Operands that follow each other.
    """

    name: str
    wires: tuple[str, ...]
    gates: tuple[Placed, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    batch: int

    @property
    def ground_energy(self) -> int:
        """Energy of every state in which all gates hold; constants of operands on one wire are left out."""
        return sum(
            placed.gate.ground_energy
            + sum(
                placed.gate.j[place][other]
                for place, spin in enumerate(placed.spins)
                for other in range(place)
                if placed.spins[other] == spin
            )
            for placed in self.gates
        )

    @property
    def visible(self) -> tuple[int, ...]:
        """Inputs, then outputs: what users see of a state."""
        return tuple(dict.fromkeys((*self.inputs, *self.outputs)))


def is_gate(op: Op) -> bool:
    """Return whether `op` is a gate or an adder cell."""
    return op.kind in KINDS


def circuit_of(graph: Graph) -> Circuit:
    """Return the circuit that the gates of `graph` make up; other operators stay outside."""
    index: dict[str, int] = {}
    gates = []
    driven: set[str] = set()
    batch = 1
    ops = [op for op in graph.ops if is_gate(op)]
    for op in ops:
        operands = [name for name in op.inputs if name]
        gate = gate_of(op.kind, str(op.attributes.get("function", "")), len(operands))
        # A result that nobody asked for still has its spin.
        results = [
            name or f"{op.name}.{node}"
            for name, node in zip((*op.outputs, "", "")[: len(gate.outputs)], gate.outputs, strict=True)
        ]
        names = (*operands, *results, *(f"{op.name}.{node}" for node in gate.auxiliary))
        driven.update(results, names[len(operands) + len(results) :])
        gates.append(Placed(op.name, gate, tuple(index.setdefault(name, len(index)) for name in names)))
        batch = graph.tensors[operands[0]].elements
    read = {name for op in ops for name in op.inputs if name}
    # An input that nothing reads is a spin without couplings; one that only other operators read is none.
    elsewhere = {name for op in graph.ops if not is_gate(op) for name in op.inputs}
    given = [name for name in graph.inputs if name in read or name not in elsewhere]
    given += sorted(read - driven - set(graph.inputs))
    for name in given:
        index.setdefault(name, len(index))
    outputs = tuple(index[name] for name in graph.outputs if name in index)
    return Circuit(
        graph.name, tuple(index), tuple(gates), tuple(index[name] for name in given), outputs, batch
    )


def spin_network(circuit: Circuit) -> SpinNetwork:
    """Return the sum of the Hamiltonians of all gates: shared wires add their h and J."""
    h = np.zeros(len(circuit.wires), np.int64)
    entries: dict[tuple[int, int], int] = {}
    for placed in circuit.gates:
        for place, i in enumerate(placed.spins):
            h[i] += placed.gate.h[place]
            for other in range(place):
                pair = (min(i, placed.spins[other]), max(i, placed.spins[other]))
                if pair[0] == pair[1]:
                    continue  # both operands on one wire: m * m is 1, a constant
                entries[pair] = entries.get(pair, 0) + placed.gate.j[place][other]
    return from_entries(circuit.wires, h, entries)


def buses(circuit: Circuit) -> dict[str, tuple[int, ...]]:
    """Return the spins of every bus, lowest bit first, by name: wires ``A[0]``, ``A[1]``, ... make up A.

    Wires without an index, and indices that do not count up from 0, stand for themselves.
    """
    found: dict[str, dict[int, int]] = {}
    for spin in circuit.visible:
        match = _BIT.fullmatch(circuit.wires[spin])
        if match:
            found.setdefault(match[1], {})[int(match[2])] = spin
    whole = {
        name: tuple(bits[i] for i in range(len(bits)))
        for name, bits in found.items()
        if set(bits) == set(range(len(bits))) and name not in circuit.wires
    }
    inside = {spin for spins in whole.values() for spin in spins}
    single = {circuit.wires[spin]: (spin,) for spin in circuit.visible if spin not in inside}
    return whole | single


def evaluate(circuit: Circuit, inputs: Mapping[int, Words]) -> dict[int, Words]:
    """Return the words on all wires for words on the inputs: every bit of a word is a run of its own."""
    values = dict(inputs)
    for placed in circuit.gates:
        operands = tuple(values[i] for i in placed.spins[: len(placed.gate.inputs)])
        results = results_of(placed.gate.name, operands)
        values.update(zip(placed.spins[len(placed.gate.inputs) :], results, strict=False))
    return values


def count_answers(circuit: Circuit, clamps: Mapping[int, int]) -> int | None:
    """Return how many assignments of the free inputs fulfil the clamps; None if they are too many to try."""
    free = [i for i in circuit.inputs if i not in clamps]
    if len(free) > MOST_FREE_INPUTS:
        return None
    total, chunk = 2 ** len(free), 2 ** min(len(free), CHUNK_INPUTS)
    return sum(
        _count_chunk(circuit, clamps, free, np.arange(start, start + chunk, dtype=np.uint64))
        for start in range(0, total, chunk)
    )


def _count_chunk(circuit: Circuit, clamps: Mapping[int, int], free: list[int], number: Words) -> int:
    """Count the answers among assignments `number`, bit i of which is the i-th free input."""
    words = (len(number) + 63) // 64
    values = {i: _packed((number >> np.uint64(place)) & np.uint64(1)) for place, i in enumerate(free)}
    for i in circuit.inputs:
        if i not in values:
            values[i] = np.full(words, np.iinfo(np.uint64).max if clamps[i] else 0, np.uint64)
    wires = evaluate(circuit, values)
    good = _packed(np.ones(len(number), np.uint64))
    for i, bit in clamps.items():
        if i in wires:
            good &= wires[i] if bit else ~wires[i]
    return int(np.unpackbits(good.view(np.uint8)).sum())


def _packed(bits: Words) -> Words:
    """Return words of 64 bits each from one bit an element; the last word is filled with zeros."""
    whole = np.zeros((len(bits) + 63) // 64 * 64, np.uint8)
    whole[: len(bits)] = bits
    return np.packbits(whole, bitorder="little").view(np.uint64)


def fulfilled(circuit: Circuit, states: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return for every state [spins, states] whether the circuit turns its inputs into its outputs."""
    values = {i: (states[i] > 0).astype(np.uint64) for i in circuit.inputs}
    wires = evaluate(circuit, values)
    good = np.ones(states.shape[1], np.bool_)
    for i in circuit.outputs:
        good &= (wires[i] & np.uint64(1)) == (states[i] > 0)
    return good
