"""The gate library: biases h and couplings J whose ground states are the rows of a truth table.

Two-body Hamiltonians of a co-author of the paper (nonizawa/HGKME@8ead1f2, HamiltonianList_2-body.txt), with
E = -sum h_i m_i - sum over pairs J_ij m_i m_j and m in {-1, +1}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate as a small spin network.

    Attributes
    ----------
    name : str
        As netlists call it.
    inputs, outputs, auxiliary : tuple of str
        Nodes in the order of h and J: operands first, then results, then spins that no wire reaches.
    h : tuple of int
        Biases.
    j : tuple of tuple of int
        Symmetric couplings with zeros on the diagonal.
    ground_energy : int
        Energy of every row of the truth table.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    auxiliary: tuple[str, ...]
    h: tuple[int, ...]
    j: tuple[tuple[int, ...], ...]
    ground_energy: int

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, in the order of h."""
        return (*self.inputs, *self.outputs, *self.auxiliary)


def _two(name: str, h: tuple[int, ...], y: int) -> Gate:
    """Return a gate of two operands that push each other apart and pull or push the result by `y`."""
    return Gate(name, ("A", "B"), ("Y",), (), h, ((0, -1, y), (-1, 0, y), (y, y, 0)), -3)


_LIST = (
    Gate("BUF", ("A",), ("Y",), (), (0, 0), ((0, 1), (1, 0)), -1),
    Gate("NOT", ("A",), ("Y",), (), (0, 0), ((0, -1), (-1, 0)), -1),
    _two("AND", (1, 1, -2), 2),
    _two("OR", (-1, -1, 2), 2),
    _two("NAND", (1, 1, 2), -2),
    _two("NOR", (-1, -1, -2), -2),
    Gate(
        "XOR",
        ("A", "B"),
        ("Y",),
        ("nor",),
        (-1, -1, -1, -2),
        ((0, -1, -1, -2), (-1, 0, -1, -2), (-1, -1, 0, -2), (-2, -2, -2, 0)),
        -4,
    ),
    Gate(
        "HA",
        ("A", "B"),
        ("S", "C"),
        (),
        (1, 1, -1, -2),
        ((0, -1, 1, 2), (-1, 0, 1, 2), (1, 1, 0, -2), (2, 2, -2, 0)),
        -4,
    ),
    Gate(
        "FA",
        ("A", "B", "Ci"),
        ("S", "Co"),
        (),
        (0, 0, 0, 0, 0),
        ((0, -1, -1, 1, 2), (-1, 0, -1, 1, 2), (-1, -1, 0, 1, 2), (1, 1, 1, 0, -2), (2, 2, 2, -2, 0)),
        -4,
    ),
)

GATES: Mapping[str, Gate] = MappingProxyType({gate.name: gate for gate in _LIST})
"""Every gate by name."""

_OF_FUNCTION = {
    "buffer": "BUF",
    "not": "NOT",
    "and": "AND",
    "or": "OR",
    "nand": "NAND",
    "nor": "NOR",
    "xor": "XOR",
}


def gate_of(kind: str, function: str, operands: int) -> Gate:
    """Return the gate of an operator ``logic_gate`` or ``adder_cell``."""
    if kind == "adder_cell":
        return GATES["FA" if operands == 3 else "HA"]
    return GATES[_OF_FUNCTION[function]]


def results_of(name: str, operands: tuple[Words, ...]) -> tuple[Words, ...]:
    """Return the results of gate `name`, bit by bit: operands are words of independent bits.

    Raises
    ------
    KeyError
        No such gate.
    """
    if name == "FA":
        a, b, c = operands
        return a ^ b ^ c, (a & b) | (c & (a ^ b))
    if name == "HA":
        a, b = operands
        return a ^ b, a & b
    if name in ("BUF", "NOT"):
        return (operands[0] if name == "BUF" else ~operands[0],)
    a, b = operands
    plain = {"AND": a & b, "OR": a | b, "XOR": a ^ b, "NAND": ~(a & b), "NOR": ~(a | b)}
    return (plain[name],)
