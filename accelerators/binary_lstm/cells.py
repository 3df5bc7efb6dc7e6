"""Gate and state updates of the three recurrent cells, one unit after another, in fixed point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.binary_lstm.engine import Engine
from accelerators.binary_lstm.trained import Direction
from accelerators.binary_lstm.weights import Weights

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one sample: parameters, time, sums over inputs and states, whether there are biases."""

    engine: Engine
    parameters: Direction
    time: int
    from_inputs: Ints
    from_states: Ints
    biased: bool

    def gate(self, row: int) -> int:
        """Return the affine sum of a gate row, narrowed to the width of a state."""
        d, time = self.parameters, self.time
        value = int(self.from_inputs[row]) * int(d.input_scale[time, row])
        value += int(self.from_states[row]) * int(d.recurrent_scale[time, row])
        value += int(d.shift[time, row]) << d.point
        self.charge()
        return self.engine.narrow(value, d.point)

    def charge(self) -> None:
        """Count the operations of one affine sum."""
        quantized = self.engine.design.weights is not Weights.FULL_PRECISION
        self.engine.count("scale", (2 if self.biased else 4) if quantized else 0)
        self.engine.count("add", 2 if self.biased else 0)

    def product(self, left: int, right: int) -> int:
        """Return the narrowed product of two numbers of the states' format."""
        return self.engine.narrow(left * right, self.engine.design.fraction_bits)


def update_lstm(step: Step, unit: int, hidden: Ints, cell: Ints) -> None:
    """Write state and cell: four gates, the cell, its normalization, the state."""
    engine, d, time, width = step.engine, step.parameters, step.time, len(hidden)
    i, o, f = (engine.sigmoid(step.gate(row)) for row in (unit, width + unit, 2 * width + unit))
    g = engine.tanh(step.gate(3 * width + unit))
    cell[unit] = engine.narrow(f * int(cell[unit]) + i * g, engine.design.fraction_bits)
    seen = int(cell[unit]) * int(d.cell_scale[time, unit]) + (int(d.cell_shift[time, unit]) << d.point)
    hidden[unit] = step.product(o, engine.tanh(engine.narrow(seen, d.point)))
    engine.count("special", 5)
    engine.count("multiply", 3)
    engine.count("add", 1)
    engine.count("scale", 2 if engine.design.weights is not Weights.FULL_PRECISION else 0)


def update_rnn(step: Step, unit: int, hidden: Ints) -> None:
    """Write the state of a simple cell."""
    hidden[unit] = step.engine.tanh(step.gate(unit))
    step.engine.count("special", 1)


def reset_gru(step: Step, unit: int, hidden: Ints) -> tuple[int, int]:
    """Return the update gate of a unit, and its state as the reset gate lets it through."""
    engine, width = step.engine, len(hidden)
    update, reset = (engine.sigmoid(step.gate(row)) for row in (unit, width + unit))
    engine.count("special", 2)
    engine.count("multiply", 1)
    return update, step.product(reset, int(hidden[unit]))


def update_gru(step: Step, unit: int, hidden: Ints, update: int) -> None:
    """Write the state of a GRU whose candidate has seen the states that the reset gates let through."""
    candidate = step.engine.tanh(step.gate(2 * len(hidden) + unit))
    _blend(step, unit, hidden, update, candidate)


def update_gru_at_once(step: Step, unit: int, hidden: Ints) -> None:
    """Write the state of a GRU that resets after its product over states (linear_before_reset)."""
    engine, d, time, width = step.engine, step.parameters, step.time, len(hidden)
    update, reset = (engine.sigmoid(step.gate(row)) for row in (unit, width + unit))
    row = 2 * width + unit
    inner = int(step.from_states[row]) * int(d.recurrent_scale[time, row])
    inner += int(d.recurrent_shift[time, row]) << d.point
    let_through = step.product(reset, engine.narrow(inner, d.point))
    outer = int(step.from_inputs[row]) * int(d.input_scale[time, row])
    outer += int(d.shift[time, row] - d.recurrent_shift[time, row] + let_through) << d.point
    step.charge()
    engine.count("special", 2)
    engine.count("multiply", 1)
    _blend(step, unit, hidden, update, engine.tanh(engine.narrow(outer, d.point)))


def _blend(step: Step, unit: int, hidden: Ints, update: int, candidate: int) -> None:
    """Write (1 - z) candidate + z h."""
    engine, fraction = step.engine, step.engine.design.fraction_bits
    value = ((1 << fraction) - update) * candidate + update * int(hidden[unit])
    hidden[unit] = engine.narrow(value, fraction)
    engine.count("special", 1)
    engine.count("multiply", 2)
    engine.count("add", 2)
