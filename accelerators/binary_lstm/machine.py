"""The whole engine on real integers: recurrent and linear layers, one visit of the units after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accelerators.binary_lstm.cells import (
    Step,
    reset_gru,
    update_gru,
    update_gru_at_once,
    update_lstm,
    update_rnn,
)
from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.engine import Engine
from accelerators.binary_lstm.operands import (
    LinearOperands,
    RecurrentOperands,
    draw_linear,
    draw_recurrent,
    head_of,
)
from accelerators.binary_lstm.trained import Direction
from accelerators.binary_lstm.weights import Weights, encode
from hwsim.graph.types import Graph
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]


def machine(graph: Graph, design: BinaryLstmDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one recurrent or linear layer on operands drawn from `rng`.

    Returns
    -------
    MachineResult
        States [steps, directions, batch, H] or outputs [rows, n], clocks, and events as in the trace.
    """
    engine, op = Engine(design), head_of(graph)
    if op.kind == "gemm":
        values = run_linear(engine, draw_linear(graph, design, rng), biased=len(op.inputs) > 2)
    else:
        values = run_recurrent(engine, draw_recurrent(graph, design, rng))
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


def run_recurrent(engine: Engine, operands: RecurrentOperands) -> Ints:
    """Return the states [steps, directions, batch, H] of a layer, one sample of one step after another."""
    s = operands.sizes
    out = np.zeros((s.steps, s.directions, s.batch, s.hidden), dtype=np.int64)
    for way, parameters in enumerate(operands.directions):
        hidden, cell = operands.hidden[way].copy(), operands.cell[way].copy()
        order = range(s.steps - 1, -1, -1) if operands.reverse or way == 1 else range(s.steps)
        for time in order:
            for sample in range(s.batch):
                _visit(engine, operands, parameters, time, sample, hidden[sample], cell[sample])
            out[time, way] = hidden
    return out


def _visit(
    engine: Engine,
    operands: RecurrentOperands,
    parameters: Direction,
    time: int,
    sample: int,
    hidden: Ints,
    cell: Ints,
) -> None:
    """Step one sample: products, then the cell; the candidate of a GRU waits for its gates."""
    width, waits = len(hidden), operands.sizes.gates == 3 and not operands.reset_last
    vector, columns = operands.inputs[time, sample], slice(None)
    if operands.indices is not None:
        column = int(operands.indices[time, sample])
        columns = slice(column, column + 1)
    weight = _stored(engine, parameters.weight[:, columns])
    recurrence = _stored(engine, parameters.recurrence)
    gates = 2 * width if waits else len(recurrence)
    blocks = [[(weight[:gates], vector[columns]), (recurrence[:gates], hidden.copy())]]
    if waits:
        blocks.append([(weight[gates:], vector[columns])])
    from_inputs, from_states, *rest = engine.products(*blocks)
    step = Step(engine, parameters, time, np.concatenate([from_inputs, *rest]), from_states, operands.biased)
    if waits:
        opened = [reset_gru(step, unit, hidden) for unit in range(width)]
        engine.settle()
        let_through = np.array([passed for _, passed in opened], dtype=np.int64)
        candidates = engine.products([(recurrence[gates:], let_through)])
        step = replace(step, from_states=np.concatenate([from_states, *candidates]))
        for unit in range(width):
            update_gru(step, unit, hidden, opened[unit][0])
    else:
        for unit in range(width):
            if operands.sizes.gates == 4:
                update_lstm(step, unit, hidden, cell)
            elif operands.sizes.gates == 3:
                update_gru_at_once(step, unit, hidden)
            else:
                update_rnn(step, unit, hidden)
    engine.settle()


def _stored(engine: Engine, matrix: Ints) -> Ints:
    weights = engine.design.weights
    return matrix if weights is Weights.FULL_PRECISION else encode(matrix, weights)
