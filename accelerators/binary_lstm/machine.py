"""The engine, clock by clock: weight memory, MAC units, then gates and states, on real integers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.operands import (
    LinearOperands,
    LstmOperands,
    draw_linear,
    draw_lstm,
    head_of,
)
from accelerators.binary_lstm.trained import Direction
from accelerators.binary_lstm.weights import Weights, decode, encode
from hwsim.graph.types import Graph
from hwsim.model.types import MachineResult

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

    def products(self, parts: Sequence[tuple[Ints, Ints]]) -> list[Ints]:
        """Return the sums of ``matrix @ vector`` of every part, one weight row of all parts after the other.

        The memory delivers so many bits a clock; the units take up to `mac_units` of the weights that have
        arrived, and each adds its operand, subtracts it or skips it, or multiplies at full precision.
        """
        rows = parts[0][0].shape[0]
        stored = np.concatenate([matrix for matrix, _ in parts], axis=1).ravel()
        operand = np.tile(np.concatenate([vector for _, vector in parts]), rows)
        part = np.repeat(np.arange(len(parts)), [len(vector) for _, vector in parts])
        target = (np.arange(rows)[:, None] * len(parts) + part).ravel()
        sums = np.zeros(rows * len(parts), dtype=np.int64)
        done, asked, arrived = 0, stored.size * self.design.weight_bits, 0
        while done < stored.size:
            arrived = min(asked, arrived + self.design.memory_bits_per_cycle)
            ready = min(arrived // self.design.weight_bits, done + self.design.mac_units)
            taken = slice(done, ready)
            np.add.at(sums, target[taken], self._terms(stored[taken], operand[taken]))
            self.events["mac", "accumulate"] += ready - done
            done = ready
            self.clock += 1
        if asked:
            self.events["memory", "read"] += asked
        return [sums[place :: len(parts)] for place in range(len(parts))]

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
            self.events["elementwise", name] += times
            self._waiting += times

    def settle(self) -> None:
        """Step clocks until the gate and state unit has issued what is waiting."""
        if self._waiting:
            self.events["elementwise", "issue"] += self._waiting
        while self._waiting > 0:
            self._waiting -= self.design.elementwise_lanes
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


def machine(graph: Graph, design: BinaryLstmDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one LSTM or linear layer on operands drawn from `rng`.

    Returns
    -------
    MachineResult
        States [steps, directions, batch, H] or outputs [rows, n], clocks, and events as in the trace.
    """
    engine, op = Engine(design), head_of(graph)
    if op.kind == "gemm":
        values = run_linear(engine, draw_linear(graph, design, rng), biased=len(op.inputs) > 2)
    else:
        biased = len(op.inputs) > 3 and bool(op.inputs[3])
        reverse = op.text("direction") == "reverse"
        values = run_lstm(engine, draw_lstm(graph, design, rng), biased=biased, reverse=reverse)
    return MachineResult(values, engine.clock, dict(engine.events))


def run_linear(engine: Engine, operands: LinearOperands, *, biased: bool) -> Ints:
    """Return the outputs [rows, n] of a linear layer, row after row; biases are added at the end."""
    o, quantized = operands, engine.design.weights is not Weights.FULL_PRECISION
    stored = encode(o.weights.T, engine.design.weights) if quantized else o.weights.T
    out = np.zeros((o.inputs.shape[0], o.weights.shape[1]), dtype=np.int64)
    for row, vector in enumerate(o.inputs):
        (sums,) = engine.products([(stored, vector)])
        out[row] = sums * o.scale
        engine.count("scale", len(sums) if quantized else 0)
        engine.settle()
    for place in np.ndindex(*out.shape):
        out[place] = engine.narrow(int(out[place]) + (int(o.bias[place[1]]) << o.point), o.point)
        engine.count("add", int(biased))
    engine.settle()
    return out


def run_lstm(engine: Engine, operands: LstmOperands, *, biased: bool, reverse: bool) -> Ints:
    """Return the states [steps, directions, batch, H] of an LSTM, one sample of one step after another."""
    s = operands.sizes
    out = np.zeros((s.steps, s.directions, s.batch, s.hidden), dtype=np.int64)
    for way, direction in enumerate(operands.directions):
        hidden, cell = operands.hidden[way].copy(), operands.cell[way].copy()
        order = range(s.steps - 1, -1, -1) if reverse or way == 1 else range(s.steps)
        for step in order:
            for sample in range(s.batch):
                sums = _gate_sums(engine, direction, operands, step, sample, hidden[sample])
                for unit in range(s.hidden):
                    _update(engine, direction, step, unit, sums, hidden[sample], cell[sample], biased)
                engine.settle()
            out[step, way] = hidden
    return out


def _gate_sums(
    engine: Engine, direction: Direction, operands: LstmOperands, step: int, sample: int, hidden: Ints
) -> list[Ints]:
    """Return the sums over inputs and over states of all gates; a one-hot index selects one column."""
    weights = [direction.weight, direction.recurrence]
    vector = operands.inputs[step, sample]
    if operands.indices is not None:
        column = int(operands.indices[step, sample])
        weights[0], vector = weights[0][:, column : column + 1], vector[column : column + 1]
    if engine.design.weights is not Weights.FULL_PRECISION:
        weights = [encode(matrix, engine.design.weights) for matrix in weights]
    return engine.products([(weights[0], vector), (weights[1], hidden.copy())])


def _update(
    engine: Engine,
    d: Direction,
    step: int,
    unit: int,
    sums: list[Ints],
    hidden: Ints,
    cell: Ints,
    biased: bool,
) -> None:
    """Write state and cell of one unit: four gates, the cell, its normalization, the state."""
    width, fraction = len(hidden), engine.design.fraction_bits
    quantized = engine.design.weights is not Weights.FULL_PRECISION
    gates = []
    for row in range(unit, 4 * width, width):
        value = int(sums[0][row]) * int(d.input_scale[step, row])
        value += int(sums[1][row]) * int(d.recurrent_scale[step, row])
        value += int(d.shift[step, row]) << d.point
        gates.append(engine.narrow(value, d.point))
        engine.count("scale", (2 if biased else 4) if quantized else 0)
        engine.count("add", 2 if biased else 0)
    i, o, f = (engine.sigmoid(value) for value in gates[:3])
    g = engine.tanh(gates[3])
    cell[unit] = engine.narrow(f * int(cell[unit]) + i * g, fraction)
    seen = int(cell[unit]) * int(d.cell_scale[step, unit]) + (int(d.cell_shift[step, unit]) << d.point)
    hidden[unit] = engine.narrow(o * engine.tanh(engine.narrow(seen, d.point)), fraction)
    engine.count("special", 5)
    engine.count("multiply", 3)
    engine.count("add", 1)
    engine.count("scale", 2 if quantized else 0)
