"""Real operands for the machine, and what numpy says the layer makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.normalization import BatchNorm, to_fixed
from accelerators.binary_lstm.trained import SCALE_BITS, WEIGHT_FRACTION_BITS, Direction, direction_of
from accelerators.binary_lstm.weights import Weights, quantize, scale_of
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops.recurrent import GATES, RecurrentSizes, recurrent_sizes
from hwsim.graph.types import INT8, INT32, INT64, Graph, Op

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RecurrentOperands:
    """What enters a run of a recurrent layer.

    Attributes
    ----------
    sizes : RecurrentSizes
        Sizes; 4, 3 or 1 gates make an LSTM, a GRU or an RNN.
    inputs : int64[steps, batch, X]
        Values, one-hot ones included.
    indices : int64[steps, batch] or None
        Position of the one in one-hot inputs.
    hidden, cell : int64[directions, batch, H]
        Initial states.
    directions : tuple of Direction
        Parameters.
    biased, reverse, reset_last : bool
        Whether the layer has biases, runs backwards, and (GRU) resets after its product over states.
    """

    sizes: RecurrentSizes
    inputs: Ints
    indices: Ints | None
    hidden: Ints
    cell: Ints
    directions: tuple[Direction, ...]
    biased: bool = True
    reverse: bool = False
    reset_last: bool = False


@dataclass(frozen=True, slots=True)
class LinearOperands:
    """What enters a run of a linear layer: inputs [rows, k], weights [k, n], scale and bias [n], point."""

    inputs: Ints
    weights: Ints
    scale: Ints
    bias: Ints
    point: int


def head_of(graph: Graph) -> Op:
    """Return the one operator of `graph` that the machine steps."""
    heads = [op for op in graph.ops if op.kind != "one_hot"]
    if len(heads) != 1 or heads[0].kind not in ("lstm", "gru", "rnn", "gemm"):
        shown = ", ".join(op.kind for op in heads)
        raise UnsupportedOp(f"{shown} is not stepped", where=f"binary_lstm.machine.{graph.name}")
    return heads[0]


def draw_linear(graph: Graph, design: BinaryLstmDesign, rng: np.random.Generator) -> LinearOperands:
    """Return random operands of the gemm in `graph`."""
    op = head_of(graph)
    shapes = [graph.tensors[name].shape for name in op.inputs]
    inputs = _numbers(rng, shapes[0], design)
    columns, k = shapes[1] if op.attributes["trans_b"] else shapes[1][::-1]
    weights, point = _weights(rng, (columns, k), k, columns, design)
    scale = np.ones(columns, np.int64)
    if design.weights is not Weights.FULL_PRECISION:
        scale = to_fixed(rng.uniform(0.1, 1.0, columns), SCALE_BITS)
    bias = _numbers(rng, (columns,), design) if len(op.inputs) > 2 else np.zeros(columns, np.int64)
    return LinearOperands(inputs, weights.T, scale, bias, point)


def draw_recurrent(graph: Graph, design: BinaryLstmDesign, rng: np.random.Generator) -> RecurrentOperands:
    """Return random operands of the layer in `graph`; normalizations have statistics for every time step."""
    op = head_of(graph)
    s = recurrent_sizes(op.kind, op.attributes, graph.operands(op))
    producer = {made: other for other in graph.ops for made in other.outputs}
    indices: Ints | None = None
    if op.inputs[0] in producer:
        indices = rng.integers(0, s.features, (s.steps, s.batch))
        inputs = np.where(np.arange(s.features) == indices[..., None], 2**design.fraction_bits, 0)
    else:
        inputs = _numbers(rng, (s.steps, s.batch, s.features), design)
    states = [np.zeros((s.directions, s.batch, s.hidden), np.int64)] * 2
    for place in (5, 6):
        if len(op.inputs) > place and op.inputs[place]:
            states[place - 5] = _numbers(rng, (s.directions, s.batch, s.hidden), design)
    biased = len(op.inputs) > 3 and bool(op.inputs[3])
    directions = tuple(_draw_direction(rng, s, design, biased) for _ in range(s.directions))
    return RecurrentOperands(
        s,
        inputs.astype(np.int64),
        indices,
        states[0],
        states[1],
        directions,
        biased,
        op.text("direction") == "reverse",
        bool(op.attributes.get("linear_before_reset", False)),
    )


def _draw_direction(
    rng: np.random.Generator, s: RecurrentSizes, design: BinaryLstmDesign, biased: bool
) -> Direction:
    rows = s.gates * s.hidden
    weight, recurrence = (
        rng.normal(0.0, scale_of(width, s.hidden, s.gates), (rows, width)) for width in (s.features, s.hidden)
    )
    norms = [_draw_norm(rng, s.steps, width) for width in (rows, rows, s.hidden)]
    return direction_of(
        weight,
        recurrence,
        design,
        steps=s.steps,
        norms=(norms[0], norms[1], norms[2]),
        bias=rng.uniform(-1, 1, rows) if biased else None,
        recurrent_bias=rng.uniform(-1, 1, rows) if biased else None,
        rng=rng if rng.integers(2) else None,
    )


def _draw_norm(rng: np.random.Generator, steps: int, width: int) -> BatchNorm:
    return BatchNorm(
        rng.uniform(0.2, 2.0, width),
        rng.normal(0.0, 0.3, width),
        rng.normal(0.0, 0.5, (steps, width)),
        rng.uniform(0.05, 2.0, (steps, width)),
    )


def _weights(
    rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, hidden: int, design: BinaryLstmDesign
) -> tuple[Ints, int]:
    """Return weights as the memory holds them, and the bits behind the point of what scales them."""
    if design.weights is Weights.FULL_PRECISION:
        bound = 2 ** (design.weight_bits - 1)
        return rng.integers(-bound, bound, shape), WEIGHT_FRACTION_BITS
    scale = scale_of(fan_in, hidden)
    trained = rng.normal(0.0, scale, shape)
    stochastic = rng if rng.integers(2) else None
    return quantize(trained, scale, design.weights, rng=stochastic), SCALE_BITS


def _numbers(rng: np.random.Generator, shape: tuple[int, ...], design: BinaryLstmDesign) -> Ints:
    bound = 2 ** (design.activation_bits - 1)
    return rng.integers(-bound, bound, shape)


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a small random recurrent layer (values or one-hot codes in, one way or both) or a linear one."""

    def size(high: int) -> int:
        return int(rng.integers(1, high))

    b = GraphBuilder("random", format=INT8)
    if rng.integers(4) == 0:
        rows, k, n = size(5), size(20), size(12)
        operands = [b.input("x", (rows, k)), b.weight("w", (n, k))]
        if rng.integers(2):
            operands.append(b.weight("b", (n,), format=INT32))
        b.output(b.add("gemm", operands, name="fc", trans_b=True))
        return b.build()
    steps, batch, features, hidden = size(4), size(3), size(7), size(6)
    direction = ("forward", "reverse", "bidirectional")[int(rng.integers(3))]
    ways = 2 if direction == "bidirectional" else 1
    if rng.integers(3) == 0:
        indices = b.input("ids", (steps, batch), format=INT64)
        x = b.add("one_hot", indices, name="one_hot", depth=features, format=INT8)
    else:
        x = b.input("x", (steps, batch, features))
    kind = ("lstm", "lstm", "gru", "gru", "rnn")[int(rng.integers(5))]
    rows = GATES[kind] * hidden
    operands = [
        x,
        b.weight("w", (ways, rows, features)),
        b.weight("r", (ways, rows, hidden)),
        b.weight("b", (ways, 2 * rows)) if rng.integers(2) else "",
        "",
        b.input("h0", (ways, batch, hidden)) if rng.integers(2) else "",
    ]
    operands += [b.input("c0", (ways, batch, hidden))] if kind == "lstm" and rng.integers(2) else []
    more: dict[str, object] = {"linear_before_reset": bool(rng.integers(2))} if kind == "gru" else {}
    b.output(b.add(kind, operands, name=kind, direction=direction, **more))  # type: ignore[arg-type]
    return b.build()


def reference(graph: Graph, design: BinaryLstmDesign, rng: np.random.Generator) -> Ints:
    """Return the result by whole-matrix integer arithmetic on the operands that `machine` draws."""
    op = head_of(graph)
    if op.kind == "gemm":
        linear = draw_linear(graph, design, rng)
        sums = linear.inputs @ linear.weights * linear.scale + (linear.bias << linear.point)
        return _narrow(sums, linear.point, design)
    o = draw_recurrent(graph, design, rng)
    s = o.sizes
    out = np.zeros((s.steps, s.directions, s.batch, s.hidden), dtype=np.int64)
    for way, d in enumerate(o.directions):
        h, c = o.hidden[way], o.cell[way]
        for step in reversed(range(s.steps)) if way == 1 or o.reverse else range(s.steps):
            h, c = _reference_step(o, d, step, h, c, design)
            out[step, way] = h
    return out


def _reference_step(
    o: RecurrentOperands, d: Direction, step: int, h: Ints, c: Ints, design: BinaryLstmDesign
) -> tuple[Ints, Ints]:
    """Return state and cell [batch, H] after a step, all samples and units at once."""
    fraction, parts = design.fraction_bits, o.sizes.gates
    x = np.split(o.inputs[step] @ d.weight.T * d.input_scale[step], parts, axis=1)
    r = np.split(h @ d.recurrence.T * d.recurrent_scale[step], parts, axis=1)
    both, inner = (np.split(v[step] << d.point, parts) for v in (d.shift, d.recurrent_shift))
    gates = [_narrow(x[k] + r[k] + both[k], d.point, design) for k in range(parts)]
    if parts == 1:
        return _tanh(gates[0], design), c
    if parts == 4:
        i, o_, f = (_sigmoid(gate, design) for gate in gates[:3])
        c = _narrow(f * c + i * _tanh(gates[3], design), fraction, design)
        seen = _narrow(c * d.cell_scale[step] + (d.cell_shift[step] << d.point), d.point, design)
        return _narrow(o_ * _tanh(seen, design), fraction, design), c
    update, reset = (_sigmoid(gate, design) for gate in gates[:2])
    if o.reset_last:
        passed = _narrow(reset * _narrow(r[2] + inner[2], d.point, design), fraction, design)
        total = x[2] + both[2] - inner[2] + (passed << d.point)
    else:
        passed = _narrow(reset * h, fraction, design)
        rows = slice(2 * o.sizes.hidden, None)
        total = x[2] + both[2] + passed @ d.recurrence[rows].T * d.recurrent_scale[step, rows]
    candidate = _tanh(_narrow(total, d.point, design), design)
    return _narrow((2**fraction - update) * candidate + update * h, fraction, design), c


def _narrow(values: Ints, point: int, design: BinaryLstmDesign) -> Ints:
    """Drop `point` bits, half rounded up, and saturate to the width of a state."""
    bound = 2 ** (design.activation_bits - 1)
    rounded: Ints = np.floor_divide(values + 2**point // 2, 2**point)
    narrowed: Ints = np.clip(rounded, -bound, bound - 1)
    return narrowed


def _sigmoid(values: Ints, design: BinaryLstmDesign) -> Ints:
    one = 2.0**design.fraction_bits
    return np.rint(one / (1.0 + np.exp(-values / one))).astype(np.int64)


def _tanh(values: Ints, design: BinaryLstmDesign) -> Ints:
    one = 2.0**design.fraction_bits
    return np.rint(one * np.tanh(values / one)).astype(np.int64)
