"""Fixed-point arithmetic of a cell: number formats, tables, and the dense integer reference.

With activations of a bits: states and candidates are Q0.(a-1), gates unsigned Q0.a, cells Q4.(a+3), and what
enters the tables is Q3.6. The published precision says only "8 bits"; these formats are a choice made here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
TABLE_FRACTION_BITS = 6
TABLE_HALF = 8 << TABLE_FRACTION_BITS


@dataclass(frozen=True)
class Formats:
    """Number formats and tables of one activation width.

    Attributes
    ----------
    bits : int
        Bits of an activation.
    multiplier, shift : int
        An accumulator times multiplier, shifted right with rounding, is what enters a table.
    """

    bits: int
    multiplier: int
    shift: int
    sigmoid_table: Ints = field(init=False, repr=False)
    tanh_table: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        x = np.arange(-TABLE_HALF, TABLE_HALF) / 2**TABLE_FRACTION_BITS
        sigmoid = np.minimum(np.rint(2**self.bits / (1 + np.exp(-x))), 2**self.bits - 1)
        tanh = np.clip(np.rint(2 ** (self.bits - 1) * np.tanh(x)), -self.largest, self.largest)
        object.__setattr__(self, "sigmoid_table", sigmoid.astype(np.int64))
        object.__setattr__(self, "tanh_table", tanh.astype(np.int64))

    @property
    def one(self) -> int:
        """What a selected one-hot column is multiplied with."""
        return 1 << (self.bits - 1)

    @property
    def largest(self) -> int:
        """Largest state."""
        return (1 << (self.bits - 1)) - 1

    @property
    def largest_cell(self) -> int:
        """Where a cell saturates."""
        return (1 << (self.bits + 7)) - 1

    @property
    def alignment(self) -> int:
        """Bits by which a gate times a candidate lies below a gate times a cell."""
        return 4

    def index(self, sums: Ints) -> Ints:
        """Return the table entries that accumulators select."""
        scaled: Ints = rounded(sums * self.multiplier, self.shift)
        return np.clip(scaled, -TABLE_HALF, TABLE_HALF - 1)

    def sigmoid(self, index: Ints) -> Ints:
        """Return gates, unsigned Q0.bits."""
        return self.sigmoid_table[index + TABLE_HALF]

    def tanh(self, index: Ints) -> Ints:
        """Return candidates, Q0.(bits - 1)."""
        return self.tanh_table[index + TABLE_HALF]

    def tanh_of_cell(self, cell: Ints) -> Ints:
        """Return the hyperbolic tangent of cells."""
        drop = self.bits - 3
        return self.tanh(np.clip((cell + ((1 << drop) >> 1)) >> drop, -TABLE_HALF, TABLE_HALF - 1))


def rounded(values: Ints, shift: int) -> Ints:
    """Return values / 2**shift, halves up."""
    halves_up: Ints = (values + ((1 << shift) >> 1)) >> shift
    return halves_up


def lstm_step(sums: Ints, cell: Ints, f: Formats) -> tuple[Ints, Ints]:
    """Return state and cell of one dense step from the sums of the gates i, o, f, c.

    Parameters
    ----------
    sums : int64[batch, 4 * hidden]
        Input product, recurrent product and biases.
    cell : int64[batch, hidden]
        Cell before the step.
    """
    i, o, forget, candidate = np.split(f.index(sums), 4, axis=1)
    kept = f.sigmoid(forget) * cell + ((f.sigmoid(i) * f.tanh(candidate)) << f.alignment)
    cell = np.clip(rounded(kept, f.bits), -f.largest_cell, f.largest_cell)
    state = rounded(f.sigmoid(o) * f.tanh_of_cell(cell), f.bits)
    return np.clip(state, -f.largest, f.largest), cell


def gru_state(update: Ints, candidate: Ints, state: Ints, f: Formats) -> Ints:
    """Return the next state of a GRU: (1 - z) n + z h, for gates z and candidates n."""
    mixed = ((1 << f.bits) - update) * candidate + update * state
    return np.clip(rounded(mixed, f.bits), -f.largest, f.largest)
