"""Recurrent layers against cells that are stepped one at a time and count what they do."""

from collections import Counter

import pytest

from hwsim.errors import GraphError
from hwsim.graph import GraphBuilder, work_of

STEPS, BATCH, FEATURES, HIDDEN = 3, 2, 5, 4
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def layer(kind, *, directions=1, bias=True, peepholes=False, layout=0, **attributes):
    builder = GraphBuilder("g")
    rows = GATES[kind] * HIDDEN
    x = (STEPS, BATCH, FEATURES) if layout == 0 else (BATCH, STEPS, FEATURES)
    operands = [builder.input("x", x), builder.weight("w", (directions, rows, FEATURES)),
                builder.weight("r", (directions, rows, HIDDEN)),
                builder.weight("b", (directions, 2 * rows)) if bias else ""]
    if peepholes:
        operands += ["", "", "", builder.weight("p", (directions, 3 * HIDDEN))]
    names = builder.add_many(kind, operands, outputs=3 if kind == "lstm" else 2, name="op", layout=layout,
                             **attributes)
    builder.output(*names)
    graph = builder.build()
    return graph, work_of(graph, graph.ops[0])


def naive_counts(kind, directions, bias, peepholes):
    """Walk through every gate of every cell and step, as the ONNX equations are written."""
    counts = Counter()
    for _ in range(directions * STEPS * BATCH * HIDDEN):
        for _ in range(GATES[kind]):
            counts["mac"] += FEATURES + HIDDEN
            counts["add"] += 2 if bias else 0
            counts["special"] += 1
        if kind == "lstm":
            counts.update({"multiply": 2, "add": 1})  # f * c + i * g
            counts.update({"special": 1, "multiply": 1})  # o * tanh(c)
            counts.update({"multiply": 3, "add": 3} if peepholes else {})
        if kind == "gru":
            counts.update({"multiply": 1})  # r * h
            counts.update({"add": 2, "multiply": 2})  # (1 - z) * n + z * h
    return counts


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_work_equals_stepping_the_cells(kind, directions, bias):
    direction = "bidirectional" if directions == 2 else "forward"
    _, work = layer(kind, directions=directions, bias=bias, direction=direction)
    counts = naive_counts(kind, directions, bias, peepholes=False)
    assert work.macs == counts.pop("mac")
    assert work.primitives == {name: count for name, count in counts.items() if count}


def test_peepholes_are_primitives_not_macs():
    _, work = layer("lstm", peepholes=True)
    counts = naive_counts("lstm", 1, bias=True, peepholes=True)
    assert work.macs == counts.pop("mac")
    assert work.primitives == dict(counts)


def test_result_shapes_follow_the_layout():
    graph, _ = layer("lstm", directions=2, direction="bidirectional")
    assert [graph.tensors[name].shape for name in graph.outputs] == [
        (STEPS, 2, BATCH, HIDDEN), (2, BATCH, HIDDEN), (2, BATCH, HIDDEN)]
    graph, _ = layer("gru", layout=1)
    assert [graph.tensors[name].shape for name in graph.outputs] == [
        (BATCH, STEPS, 1, HIDDEN), (BATCH, 1, HIDDEN)]


@pytest.mark.parametrize(("change", "message"), [
    ({"direction": "bidirectional"}, "direction is 'bidirectional', but the recurrence holds 1"),
    ({"direction": "sideways"}, "direction is 'sideways'.*known: forward, reverse, bidirectional"),
    ({"hidden_size": 7}, "hidden_size is 7, but the recurrence has 4 columns"),
    ({"layout": 2}, "layout is 2"),
])
def test_bad_attributes_are_refused(change, message):
    with pytest.raises(GraphError, match=message):
        layer("lstm", **change)


def test_weight_of_the_wrong_shape_is_refused():
    builder = GraphBuilder("g")
    operands = [builder.input("x", (3, 2, 5)), builder.weight("w", (1, 12, 5)),
                builder.weight("r", (1, 16, 4))]
    with pytest.raises(GraphError, match=r"weight \[1, 12, 5\] must be \[1, 16, 5\]"):
        builder.add("lstm", operands)


def test_one_of_three_results_may_be_kept():
    builder = GraphBuilder("g")
    operands = [builder.input("x", (3, 2, 5)), builder.weight("w", (1, 16, 5)),
                builder.weight("r", (1, 16, 4))]
    builder.output(*builder.add_many("lstm", operands, outputs=("", "last"))[1:])
    assert builder.build().tensors["last"].shape == (1, 2, 4)
