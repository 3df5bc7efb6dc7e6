"""The cell library: junctions and truth of every AQFP cell, each of them one clock phase deep."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.design import CONSTANTS

Bits = NDArray[np.bool_]


class Cell(StrEnum):
    """Cells, and the two sources of signals that are none: inputs and states of loops."""

    INPUT = "input"
    STATE = "state"
    ZERO = "zero"
    ONE = "one"
    BUFFER = "buffer"
    INVERTER = "inverter"
    SPLITTER = "splitter"
    AND = "and"
    OR = "or"
    MAJ3 = "maj3"
    MAJ5 = "maj5"


FAN_IN = {
    Cell.INPUT: 0, Cell.STATE: 0, Cell.ZERO: 0, Cell.ONE: 0, Cell.BUFFER: 1, Cell.INVERTER: 1,
    Cell.SPLITTER: 1, Cell.AND: 2, Cell.OR: 2, Cell.MAJ3: 3, Cell.MAJ5: 5,
}  # fmt: skip
GATES = (Cell.AND, Cell.OR, Cell.MAJ3, Cell.MAJ5)
SOURCES = (Cell.INPUT, Cell.STATE)
CONSTANT_CELLS = (Cell.ZERO, Cell.ONE)


@cache
def junctions_of(cell: Cell) -> int:
    """Return the Josephson junctions of a cell."""
    if cell in SOURCES:
        return 0
    if cell is Cell.MAJ5:
        return int(CONSTANTS.maj5_junctions_count)
    return int(CONSTANTS.gate_junctions_count if cell in GATES else CONSTANTS.buffer_junctions_count)


def junctions(gates: int, buffers: int, maj5: int = 0) -> int:
    """Return the junctions of `gates` of 2 or 3 inputs, of `buffers` of all kinds, and of MAJ5."""
    return (
        gates * junctions_of(Cell.AND) + buffers * junctions_of(Cell.BUFFER) + maj5 * junctions_of(Cell.MAJ5)
    )


def compute(cell: Cell, operands: Sequence[Bits], shape: tuple[int, ...]) -> Bits:
    """Return the output of a cell for operands of equal shape."""
    if cell in CONSTANT_CELLS:
        return np.full(shape, cell is Cell.ONE)
    if cell in (Cell.BUFFER, Cell.SPLITTER):
        return operands[0].copy()
    if cell is Cell.INVERTER:
        return ~operands[0]
    if cell is Cell.AND:
        return operands[0] & operands[1]
    if cell is Cell.OR:
        return operands[0] | operands[1]
    if cell in (Cell.MAJ3, Cell.MAJ5):
        return np.asarray(2 * np.sum(operands, axis=0, dtype=np.int64) > len(operands), dtype=np.bool_)
    raise ValueError(f"{cell} computes nothing")
