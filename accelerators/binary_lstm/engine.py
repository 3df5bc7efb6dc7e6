"""Weight memory, MAC units and the unit of gates and states, clock by clock."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.weights import Weights, decode

Ints = NDArray[np.int64]


class Engine:
    """Clock, events and the arithmetic units of a run."""

    def __init__(self, design: BinaryLstmDesign) -> None:
        self.design = design
        self.clock = 0
        self.events: Counter[tuple[str, str]] = Counter()
        self.additions = self.subtractions = self.skips = 0
        self._waiting = 0
        self._bound: int = 2 ** (design.activation_bits - 1)

    def products(self, *blocks: Sequence[tuple[Ints, Ints]]) -> list[Ints]:
        """Return the sums of ``matrix @ vector`` of every part of every block.

        The parts of a block have equally many rows and are streamed row by row, one block after the other.
        The memory delivers so many bits a clock; the units take up to `mac_units` of the weights that have
        arrived, and each adds its operand, subtracts it or skips it, or multiplies at full precision.
        """
        pieces: list[tuple[Ints, Ints, Ints]] = []
        lengths: list[int] = []
        for parts in blocks:
            rows, base = parts[0][0].shape[0], sum(lengths)
            part = np.repeat(np.arange(len(parts)), [len(vector) for _, vector in parts])
            pieces.append(
                (
                    np.concatenate([matrix for matrix, _ in parts], axis=1).ravel(),
                    np.tile(np.concatenate([vector for _, vector in parts]), rows),
                    (base + part * rows + np.arange(rows)[:, None]).ravel(),
                )
            )
            lengths += [rows] * len(parts)
        stored, operand, target = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
        sums = np.zeros(sum(lengths), dtype=np.int64)
        self._stream(stored, operand, target, sums)
        return np.split(sums, np.cumsum(lengths)[:-1])

    def _stream(self, stored: Ints, operand: Ints, target: Ints, sums: Ints) -> None:
        done, asked, arrived = 0, stored.size * self.design.weight_bits, 0
        while done < stored.size:
            arrived = min(asked, arrived + self.design.memory_bits_per_cycle)
            ready = min(arrived // self.design.weight_bits, done + self.design.mac_units)
            taken = slice(done, ready)
            np.add.at(sums, target[taken], self._terms(stored[taken], operand[taken]))
            self.events["mac_units", "mac"] += ready - done
            done = ready
            self.clock += 1
        if asked:
            self.events["memory", "read"] += asked

    def _terms(self, stored: Ints, operand: Ints) -> Ints:
        if self.design.weights is Weights.FULL_PRECISION:
            return stored * operand
        weight = decode(stored, self.design.weights)
        self.additions += int((weight > 0).sum())
        self.subtractions += int((weight < 0).sum())
        self.skips += int((weight == 0).sum())
        return np.where(weight > 0, operand, np.where(weight < 0, -operand, 0))

    def count(self, name: str, times: int) -> None:
        """Put `times` operations into the queue of the gate and state unit."""
        if times:
            self.events["vector", name] += times
            self._waiting += times

    def settle(self) -> None:
        """Step clocks until the gate and state unit has issued what is waiting."""
        if self._waiting:
            self.events["vector", "issue"] += self._waiting
        while self._waiting > 0:
            self._waiting -= self.design.vector_lanes
            self.clock += 1
        self._waiting = 0

    def narrow(self, value: int, point: int) -> int:
        """Return `value` without `point` bits, half rounded up, saturated to the width of a state."""
        half = 1 << (point - 1) if point else 0
        rounded: int = (value + half) >> point
        return max(-self._bound, min(self._bound - 1, rounded))

    def sigmoid(self, value: int) -> int:
        """Return the table entry of the sigmoid."""
        one = 1 << self.design.fraction_bits
        return round(one / (1.0 + math.exp(-value / one)))

    def tanh(self, value: int) -> int:
        """Return the table entry of the hyperbolic tangent."""
        one = 1 << self.design.fraction_bits
        return round(one * math.tanh(value / one))
