"""Real integer operands of a layer, and what dense integer arithmetic makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_lstm.cell import Formats, gru_state, lstm_step, rounded
from accelerators.sparse_lstm.design import SparseLstmDesign
from accelerators.sparse_lstm.lower import selects_column
from accelerators.sparse_lstm.zeros import Bytes, sizes_of, zero_states
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, INT32, INT64, Graph, Op

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """A recurrent layer with integer weights.

    Attributes
    ----------
    kind : str
        "lstm", gates i, o, f, c; or "gru", gates z, r, h.
    weight, recurrence : int8[directions, inputs, rows], int8[directions, hidden, rows]
        One column of weights per input and per state.
    input_bias, recurrence_bias : int64[directions, rows]
        Added to the sums.
    linear_before_reset : bool
        GRU only: the reset gate acts on the product, not on the state.
    formats : Formats
        Number formats and tables.
    """

    kind: str
    weight: NDArray[np.int8]
    recurrence: NDArray[np.int8]
    input_bias: Ints
    recurrence_bias: Ints
    linear_before_reset: bool
    formats: Formats

    @property
    def hidden(self) -> int:
        """Width of the state."""
        return int(self.recurrence.shape[1])


@dataclass(frozen=True)
class Sequence:
    """What a layer is fed.

    Attributes
    ----------
    inputs : int64[steps, batch, features] or int64[steps, batch]
        Values, or the indices of one-hot inputs.
    state, cell : int64[directions, batch, hidden]
        Before the first step.
    zero_start : bool
        Whether the state is known to be zero before the first step.
    zero : uint8[directions, steps, batch, hidden] or None
        States that are pruned, in the order of the steps; None prunes by threshold alone.
    threshold : int
        States below it in magnitude are pruned.
    """

    inputs: Ints
    state: Ints
    cell: Ints
    zero_start: bool
    zero: Bytes | None = None
    threshold: int = 0

    @property
    def one_hot(self) -> bool:
        """Whether an index selects the input column."""
        return self.inputs.ndim == 2

    def pruned(self, direction: int, step: int, state: Ints) -> Bytes:
        """Return 1 where `state`, that of a step, is pruned."""
        below = np.abs(state) < self.threshold
        return (below if self.zero is None else below | (self.zero[direction, step] != 0)).astype(np.uint8)


def draw_values(graph: Graph, design: SparseLstmDesign, rng: np.random.Generator) -> dict[str, Ints]:
    """Return random integers for every tensor that no operator makes, in name order."""
    made = {name for op in graph.ops for name in op.outputs}
    depth = next((op.int("depth") for op in graph.ops if op.kind == "one_hot"), 1)
    values = {}
    for name in sorted(set(graph.tensors) - made):
        tensor = graph.tensors[name]
        if tensor.format == INT64:
            values[name] = rng.integers(0, depth, tensor.shape)
            continue
        bits = {"w": design.weight_bits, "r": design.weight_bits, "b": design.weight_bits + 4}.get(
            name, design.activation_bits
        )
        values[name] = rng.integers(1 - 2 ** (bits - 1), 2 ** (bits - 1), tensor.shape)
    return values


def layer_of(graph: Graph, op: Op, values: dict[str, Ints], design: SparseLstmDesign) -> Layer:
    """Return the layer that `op` is, with the weights in `values`."""
    if any(op.inputs[position : position + 1] not in ((), ("",)) for position in (4, 7)):
        raise UnsupportedOp("lengths and peepholes are not stepped", where=f"sparse_lstm.machine.{op.name}")
    s = sizes_of(graph, op)
    rows = s.gates * s.hidden
    has_bias = len(op.inputs) > 3 and op.inputs[3]
    bias = values[op.inputs[3]] if has_bias else np.zeros((s.directions, 2 * rows), np.int64)
    weight, recurrence = (values[op.inputs[place]].transpose(0, 2, 1).astype(np.int8) for place in (1, 2))
    return Layer(
        op.kind,
        np.ascontiguousarray(weight),
        np.ascontiguousarray(recurrence),
        bias[:, :rows],
        bias[:, rows:],
        bool(op.attributes.get("linear_before_reset", False)),
        Formats(design.activation_bits, 1, max(1, design.activation_bits + design.weight_bits - 8)),
    )


def sequence_of(graph: Graph, op: Op, values: dict[str, Ints], design: SparseLstmDesign) -> Sequence:
    """Return what `op` is fed; where nothing is known of its zeros, no state is pruned."""
    s = sizes_of(graph, op)
    if selects_column(graph, op):
        ids = next(iter(made.inputs[0] for made in graph.ops if made.kind == "one_hot"))
        inputs = values[ids]
    else:
        inputs = values[op.inputs[0]]
    if op.int("layout"):
        inputs = np.swapaxes(inputs, 0, 1)
    initial = [
        values[op.inputs[place]] if len(op.inputs) > place and op.inputs[place] else None for place in (5, 6)
    ]
    state, cell = (
        np.zeros((s.directions, s.batch, s.hidden), np.int64)
        if value is None
        else (np.swapaxes(value, 0, 1) if op.int("layout") else value)
        for value in initial
    )
    states = zero_states(graph, design)[op.name]
    nothing = np.zeros((s.directions, s.steps, s.batch, s.hidden), np.uint8)
    return Sequence(inputs, state, cell, initial[0] is None, states.zero if states else nothing)


def in_time(op: Op, step: int, direction: int, steps: int) -> int:
    """Return the position in the sequence that a direction reaches at `step`."""
    backwards = op.text("direction") == "reverse" or direction == 1
    return steps - 1 - step if backwards else step


def arrange(op: Op, states: Ints) -> Ints:
    """Return states [directions, steps, batch, hidden], in order of steps, in the layout of the operator."""
    turned = states.copy()
    for direction in range(states.shape[0]):
        if in_time(op, 0, direction, 2):
            turned[direction] = states[direction, ::-1]
    return turned.transpose((2, 1, 0, 3) if op.int("layout") else (1, 0, 2, 3))


def reference(graph: Graph, design: SparseLstmDesign, rng: np.random.Generator) -> Ints:
    """Return the output of `graph` by dense integer matrix products on the pruned state."""
    values = draw_values(graph, design, rng)
    op = next(op for op in graph.ops if op.kind != "one_hot")
    if op.kind == "gemm":
        product: Ints = values[op.inputs[0]] @ values[op.inputs[1]]
        return product + (values[op.inputs[2]] if len(op.inputs) > 2 else 0)
    layer, fed = layer_of(graph, op, values, design), sequence_of(graph, op, values, design)
    steps, directions = fed.inputs.shape[0], range(layer.weight.shape[0])
    orders = [[in_time(op, step, direction, steps) for step in range(steps)] for direction in directions]
    states = [dense_states(layer, fed, direction, orders[direction]) for direction in directions]
    return arrange(op, np.stack(states))


def dense_states(layer: Layer, fed: Sequence, direction: int, order: list[int]) -> Ints:
    """Return int64[steps, batch, hidden]: the pruned state after each step, all columns multiplied."""
    f, h = layer.formats, layer.hidden
    weight, recurrence = (part[direction].astype(np.int64) for part in (layer.weight, layer.recurrence))
    inputs = np.eye(weight.shape[0], dtype=np.int64)[fed.inputs] * f.one if fed.one_hot else fed.inputs
    state, cell, states = fed.state[direction], fed.cell[direction], []
    for step, place in enumerate(order):
        outside = inputs[place] @ weight + layer.input_bias[direction]
        inside, bias = state @ recurrence, layer.recurrence_bias[direction]
        if layer.kind == "lstm":
            raw, cell = lstm_step(outside + inside + bias, cell, f)
        else:
            gates = f.sigmoid(f.index((outside + inside + bias)[:, : 2 * h]))
            update, reset = gates[:, :h], gates[:, h:]
            if layer.linear_before_reset:
                product = f.index(inside[:, 2 * h :] + bias[2 * h :])
                late = np.clip(f.index(outside[:, 2 * h :]) + rounded(reset * product, f.bits), -512, 511)
            else:
                masked = rounded(reset * state, f.bits) @ recurrence[:, 2 * h :]
                late = f.index(outside[:, 2 * h :] + bias[2 * h :] + masked)
            raw = gru_state(update, f.tanh(late), state, f)
        state = np.where(fed.pruned(direction, step, raw), 0, raw)
        states.append(state)
    return np.stack(states)


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a small random graph: an LSTM or a GRU with values or one-hot inputs, or a matrix product."""
    kind = ("lstm", "lstm", "gru", "gemm")[int(rng.integers(4))]
    b = GraphBuilder("random", format=INT8)
    if kind == "gemm":
        samples, width, features = (int(rng.integers(1, top)) for top in (40, 12, 60))
        operands = [b.input("x", (samples, width)), b.weight("w", (width, features))]
        if rng.integers(2):
            operands.append(b.weight("b", (features,), format=INT32))
        b.output(b.add("gemm", operands, name="fc", format=INT32))
        return b.build()
    return _random_cell(b, kind, rng)


def _random_cell(b: GraphBuilder, kind: str, rng: np.random.Generator) -> Graph:
    steps, batch, features, hidden = (int(rng.integers(1, top)) for top in (6, 17, 8, 40))
    direction = ("forward", "reverse", "bidirectional")[int(rng.integers(3))]
    layout, directions = int(rng.integers(2)), 1 + (direction == "bidirectional")
    rows = {"lstm": 4, "gru": 3}[kind] * hidden
    times = (batch, steps) if layout else (steps, batch)
    if rng.integers(2):
        x = b.add("one_hot", b.input("ids", times, format=INT64), name="one_hot", depth=features, format=INT8)
    else:
        x = b.input("x", (*times, features))
    state = (batch, directions, hidden) if layout else (directions, batch, hidden)
    operands = [x, b.weight("w", (directions, rows, features)), b.weight("r", (directions, rows, hidden))]
    operands.append(b.weight("b", (directions, 2 * rows), format=INT32) if rng.integers(2) else "")
    if rng.integers(2):
        operands += ["", b.input("h0", state)]
        operands += [b.input("c0", state)] if kind == "lstm" else []
    while operands[-1] == "":
        operands.pop()
    attributes: dict[str, Any] = {"direction": direction, "layout": layout}
    if kind == "gru":
        attributes["linear_before_reset"] = bool(rng.integers(2))
    b.output(b.add_many(kind, operands, name=kind, outputs=1, **attributes)[0])
    return b.build()
