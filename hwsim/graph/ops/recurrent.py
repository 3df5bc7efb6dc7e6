"""Recurrent layers: LSTM, GRU and the simple RNN over a whole sequence, in one or both directions."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import GraphError
from hwsim.graph.ops.convolution import check_sizes
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Tensors,
    Work,
    get,
    int_of,
    need,
    show,
    text_of,
)
from hwsim.graph.types import AttributeValue, Op, Shape

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
_DIRECTIONS = ("forward", "reverse", "bidirectional")
_CELL = {"lstm": {"special": 5, "multiply": 3, "add": 1}, "gru": {"special": 3, "multiply": 3, "add": 2},
         "rnn": {"special": 1}}

_OPERANDS = (Operand("input"), Operand("weight"), Operand("recurrence"), Operand("bias", optional=True),
             Operand("sequence_lengths", optional=True), Operand("initial_h", optional=True))
_LSTM_OPERANDS = (*_OPERANDS, Operand("initial_c", optional=True), Operand("peepholes", optional=True))
_OUTPUTS = (Operand("sequence", optional=True), Operand("last_h", optional=True))
_DEFAULTS: dict[str, AttributeValue] = {"hidden_size": 0, "direction": "forward", "layout": 0,
                                        "activations": (), "clip": 0.0}


@dataclass(frozen=True, slots=True)
class RecurrentSizes:
    """Sizes of a recurrent layer.

    Attributes
    ----------
    steps, batch, features, hidden : int
        Sequence length T, batch B, input width I and state width H.
    directions, gates : int
        1 or 2 directions D; gates G per cell: LSTM 4, GRU 3, RNN 1.
    """

    steps: int
    batch: int
    features: int
    hidden: int
    directions: int
    gates: int


def recurrent_sizes(kind: str, attributes: Attributes, operands: Tensors) -> RecurrentSizes:
    """Return the sizes of a recurrent layer read off its operands; `layout` 1 puts the batch first."""
    x, weight, recurrence = (need(operands, position).shape for position in range(3))
    if len(x) != 3 or len(weight) != 3 or len(recurrence) != 3:
        raise GraphError(f"input {show(x)}, weight {show(weight)} and recurrence {show(recurrence)} "
                         "must have 3 axes each")
    layout = int_of(attributes, "layout")
    if layout not in (0, 1):
        raise GraphError(f"layout is {layout}, must be 0 (time first) or 1 (batch first)")
    steps, batch = (x[0], x[1]) if layout == 0 else (x[1], x[0])
    return RecurrentSizes(steps, batch, x[2], recurrence[2], recurrence[0], GATES[kind])


def _complete(kind: str, attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    sizes = recurrent_sizes(kind, attributes, operands)
    hidden = int_of(attributes, "hidden_size") or sizes.hidden
    if hidden != sizes.hidden:
        raise GraphError(f"hidden_size is {hidden}, but the recurrence has {sizes.hidden} columns")
    return dict(attributes) | {"hidden_size": hidden}


def _infer(kind: str, attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    s = recurrent_sizes(kind, attributes, operands)
    for position, name in enumerate(("input", "weight", "recurrence")):
        check_sizes(name, need(operands, position).shape)
    direction = text_of(attributes, "direction", _DIRECTIONS)
    if s.directions != (2 if direction == "bidirectional" else 1):
        raise GraphError(f"direction is {direction!r}, but the recurrence holds {s.directions}")
    rows = s.gates * s.hidden
    batch_first = int_of(attributes, "layout") == 1
    state = (s.batch, s.directions, s.hidden) if batch_first else (s.directions, s.batch, s.hidden)
    expected = {1: ("weight", (s.directions, rows, s.features)),
                2: ("recurrence", (s.directions, rows, s.hidden)),
                3: ("bias", (s.directions, 2 * rows)), 4: ("sequence_lengths", (s.batch,)),
                5: ("initial_h", state), 6: ("initial_c", state),
                7: ("peepholes", (s.directions, 3 * s.hidden))}
    for position, (name, shape) in expected.items():
        operand = get(operands, position)
        if operand is not None and operand.shape != shape:
            raise GraphError(f"{name} {show(operand.shape)} must be {show(shape)}")
    sequence = ((s.batch, s.steps, s.directions, s.hidden) if batch_first
                else (s.steps, s.directions, s.batch, s.hidden))
    return (sequence, state, state) if kind == "lstm" else (sequence, state)


def _work(kind: str, op: Op, operands: Tensors) -> Work:
    s = recurrent_sizes(kind, op.attributes, operands)
    cells = s.directions * s.steps * s.batch * s.hidden
    work = Work(cells * s.gates * (s.features + s.hidden),
                {name: count * cells for name, count in _CELL[kind].items()})
    if get(operands, 3) is not None:
        work += Work(primitives={"add": 2 * s.gates * cells})
    if get(operands, 7) is not None:
        work += Work(primitives={"add": 3 * cells, "multiply": 3 * cells})
    return work


def _kind(name: str, operands: tuple[Operand, ...], outputs: tuple[Operand, ...],
          extra: dict[str, AttributeValue], doc: str) -> OpKind:
    return OpKind(
        name, Category.RECURRENT, operands, outputs, _DEFAULTS | extra,
        lambda attributes, tensors: _infer(name, attributes, tensors),
        lambda op, tensors, results: _work(name, op, tensors),
        doc + " MACs: directions x steps x batch x gates x hidden x (input + hidden), all steps run; biases, "
              "peepholes and activations are elementary operations (table in hwsim.graph.ops.vector).",
        lambda attributes, tensors: _complete(name, attributes, tensors))


KINDS = (
    _kind("lstm", _LSTM_OPERANDS, (*_OUTPUTS, Operand("last_c", optional=True)), {},
          "Long short-term memory, gates i, o, f, c (ONNX LSTM; Hochreiter and Schmidhuber 1997)."),
    _kind("gru", _OPERANDS, _OUTPUTS, {"linear_before_reset": False},
          "Gated recurrent unit, gates z, r, h (ONNX GRU; Cho et al. 2014)."),
    _kind("rnn", _OPERANDS, _OUTPUTS, {}, "h = tanh(W x + R h + b) (ONNX RNN; Elman 1990)."),
)
