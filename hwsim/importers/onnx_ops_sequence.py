"""ONNX operators for sequences: recurrent layers, and attention taken apart into its products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hwsim.errors import GraphError
from hwsim.graph.types import BOOLEAN
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_values import Value
from hwsim.importers.onnx_walk import Handler, Walker


def _recurrent(kind: str, operands: int) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        given = node.attributes.get("activations")
        stored = () if given is None else given.strings
        names = tuple(item.decode("utf-8", "replace") for item in stored)
        attributes: dict[str, Any] = {
            "hidden_size": node.integer("hidden_size", 0), "direction": node.text("direction", "forward"),
            "layout": node.integer("layout", 0), "activations": names, "clip": node.number("clip", 0.0)}
        if kind == "gru":
            attributes["linear_before_reset"] = bool(node.integer("linear_before_reset", 0))
        return walker.emit(node, kind, [node.optional(i) for i in range(operands)], **attributes)
    return handle


def _attention(node: Node, walker: Walker) -> Sequence[Value]:
    """Attention (operator set 23): Q K^T, scale, mask, softmax, then the product with V.

    Grouped queries share a key head: their rows are stacked, so the products stay exact.
    """
    query = _heads(node, walker, 0, "q_num_heads")
    key = _with_past(node, walker, _heads(node, walker, 1, "kv_num_heads"), 4, "key")
    value = _with_past(node, walker, _heads(node, walker, 2, "kv_num_heads"), 5, "value")
    batch, heads, steps, width = query.shape
    kv_heads = key.shape[1]
    if kv_heads < 1 or heads % kv_heads or value.shape[1] != kv_heads:
        raise GraphError(f"{heads} query heads do not share {kv_heads} key and {value.shape[1]} value heads")
    folded = (batch, kv_heads, heads // kv_heads * steps)
    stacked = walker.step(node, "reshape", [query], "queries", shape=(*folded, width))
    scores = walker.step(node, "matmul", [stacked, key], "scores", transpose_b=True)
    scores = walker.step(node, "reshape", [scores], "by_head", shape=(batch, heads, steps, key.shape[2]))
    scores = walker.step(node, "elementwise", [scores, _scale(node)], "scaled", function="multiply")
    if node.integer("is_causal", 0):
        future = Value(f"{node.outputs[0]}.future", (steps, key.shape[2]), scores.format, True)
        scores = walker.step(node, "elementwise", [scores, future], "causal", function="add")
    if node.has(3) and node.input(3).format == BOOLEAN:
        operands = [node.input(3), scores, _scale(node)]
        scores = walker.step(node, "elementwise", operands, "masked", function="where")
    elif node.has(3):
        scores = walker.step(node, "elementwise", [scores, node.input(3)], "masked", function="add")
    if node.number("softcap", 0.0) > 0:
        scores = walker.step(node, "elementwise", [scores], "capped", function="tanh")
    weights = walker.step(node, "softmax", [scores], "weights", axis=-1)
    rows = walker.step(node, "reshape", [weights], "rows", shape=(*folded, key.shape[2]))
    mixed = walker.step(node, "matmul", [rows, value], "mixed")
    shape = (batch, heads, steps, value.shape[3])
    if len(node.input(0).shape) == 4:
        result = walker.emit(node, "reshape", [mixed], outputs=node.outputs[:1], shape=shape)
    else:
        split = walker.step(node, "reshape", [mixed], "heads", shape=shape)
        turned = walker.step(node, "transpose", [split], "merged", permutation=(0, 2, 1, 3))
        result = walker.emit(node, "reshape", [turned], outputs=node.outputs[:1],
                             shape=(batch, steps, heads * value.shape[3]))
    return [*result, key, value]


def _scale(node: Node) -> Value:
    return Value(f"{node.outputs[0]}.scale", (), node.input(0).format, True)


def _heads(node: Node, walker: Walker, position: int, attribute: str) -> Value:
    """Return an input of Attention as [batch, heads, steps, width]."""
    value = node.input(position)
    if len(value.shape) == 4:
        return value
    heads = node.integer(attribute)
    if len(value.shape) != 3 or heads < 1 or value.shape[2] % heads:
        raise GraphError(f"input {position} {list(value.shape)} does not split into {heads} heads")
    batch, steps, width = value.shape
    name = ("query", "key", "value")[position]
    shape = (batch, steps, heads, width // heads)
    split = walker.step(node, "reshape", [value], f"{name}_split", shape=shape)
    return walker.step(node, "transpose", [split], f"{name}_heads", permutation=(0, 2, 1, 3))


def _with_past(node: Node, walker: Walker, value: Value, position: int, name: str) -> Value:
    if not node.has(position):
        return value
    if len(value.shape) != 4:
        raise GraphError(f"a past {name} needs [batch, heads, steps, width]")
    return walker.step(node, "concatenate", [node.input(position), value], f"present_{name}", axis=2)


HANDLERS: Mapping[str, Handler] = MappingProxyType({
    "LSTM": _recurrent("lstm", 8), "GRU": _recurrent("gru", 6), "RNN": _recurrent("rnn", 6),
    "Attention": _attention,
})
