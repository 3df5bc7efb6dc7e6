"""Decides which operators of a network run as one step, so that what lies between them needs no room."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from hwsim.graph.ops import op_kind
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import Op
from hwsim.schedule.network_view import View

_POINTWISE = ("elementwise", "batch_normalization", "quantize", "dequantize")


class Fusion(StrEnum):
    """Which operators run as one step; each choice includes the ones before it.

    NONE: none. TAILS: normalizations and elementwise operators inside the matrix product or elementwise
    operator that they alone follow. OPERATIONS: what cells of searched networks count as one operation:
    normalizations and activations inside the convolution that alone follows them, depthwise and pointwise
    convolution without anything in between, several of those in a row, and factorized reductions. SUMS:
    elementwise operators of several operands inside the only step that reads them.
    """

    NONE = "none"
    TAILS = "tails"
    OPERATIONS = "operations"
    SUMS = "sums"


def group_steps(view: View, fusion: Fusion) -> list[tuple[Op, ...]]:
    """Return the operators that run together, each group at the place of its last operator.

    An operator only ever joins the step that alone reads its result: no cycle can arise.
    """
    rules = _Rules(view, fusion)
    group_of: dict[str, int] = {}
    groups: list[list[Op]] = []
    for op in reversed(view.steps):
        root = view.result(op)
        readers = view.readers.get(root, []) if root is not None else []
        found = {group_of[reader.name] for reader in readers}
        if len(found) == 1 and rules.joins(op, readers):
            group_of[op.name] = found.pop()
            groups[group_of[op.name]].append(op)
        else:
            group_of[op.name] = len(groups)
            groups.append([op])
    return [tuple(reversed(group)) for group in reversed(groups)]


def name_of(group: Sequence[Op]) -> str:
    """Return the name of a step: that of its first matrix product, else of its first operator."""
    return next((op for op in group if _is_contraction(op)), group[0]).name


class _Rules:
    """When an operator runs inside the step that reads its result."""

    def __init__(self, view: View, fusion: Fusion) -> None:
        self._view = view
        self._level = list(Fusion).index(fusion)

    def joins(self, op: Op, readers: Sequence[Op]) -> bool:
        """Tell whether `op`, read by operators of one step alone, becomes part of that step."""
        first = readers[0]
        if any(r.phase is not op.phase or r.probability != op.probability for r in readers):
            return False
        if len(readers) > 1:
            return self._level >= 2 and self._enters_halving(op, readers)
        return self._is_tail(op, first) or (self._level >= 2 and self._is_operation(op, first)) or (
            self._level >= 3 and self._is_summand(op, first))

    def _is_operation(self, op: Op, reader: Op) -> bool:
        single = _is_contraction(reader) and len(self._view.activations(reader)) == 1
        return (single and self._leads(op)) or self._is_separable(op, reader) or (
            self._opens_separable(reader) and self._ends_separable(op)) or self._is_half(op, reader) or (
            op.kind == "pad" and self._is_half_of_halving(reader))

    def _is_tail(self, op: Op, reader: Op) -> bool:
        """`reader` can be applied to the result of `op` before it is stored."""
        heads = _is_contraction(op) or op.kind in _POINTWISE or self._is_halving(op)
        return self._level >= 1 and heads and self._is_unary(reader)

    def _is_unary(self, op: Op) -> bool:
        """Element by element on one activation, read once."""
        roots = self._view.activations(op)
        results = [name for name in op.outputs if name]
        if op.kind not in _POINTWISE or len(roots) != 1 or len(results) != 1:
            return False
        tensors = self._view.graph.tensors
        once = sum(self._view.root(name) == roots[0] for name in op.inputs if name) == 1
        return once and tensors[results[0]].elements == tensors[roots[0]].elements

    def _leads(self, op: Op) -> bool:
        """Tell whether `op` is an activation or normalization that no earlier step can take over."""
        while self._is_unary(op):
            before = self._before(op)
            if before is None or not self._is_tail(before, op):
                return True
            op = before
        return self._level >= 3 and op.kind in _POINTWISE

    def _reader(self, op: Op) -> Op | None:
        """Return the only reader of the only result of `op`."""
        root = self._view.result(op)
        readers = self._view.readers.get(root, []) if root is not None else []
        return readers[0] if len(readers) == 1 else None

    def _before(self, op: Op) -> Op | None:
        """Return the producer of the first operand of `op` if nothing else reads it."""
        roots = self._view.activations(op)
        found = self._view.producer.get(roots[0]) if roots else None
        return found if found is not None and self._reader(found) is op else None

    def _is_depthwise(self, op: Op) -> bool:
        if op.kind != "convolution":
            return False
        channels = self._view.graph.tensors[op.inputs[0]].shape[1]
        return 1 < channels == op.attributes["groups"] == self._view.graph.tensors[op.outputs[0]].shape[1]

    def _is_pointwise_convolution(self, op: Op) -> bool:
        if op.kind != "convolution" or op.attributes["groups"] != 1:
            return False
        return all(extent == 1 for extent in self._view.graph.tensors[op.inputs[1]].shape[2:])

    def _is_separable(self, op: Op, reader: Op) -> bool:
        return self._is_depthwise(op) and self._is_pointwise_convolution(reader)

    def _opens_separable(self, op: Op) -> bool:
        reader = self._reader(op)
        return reader is not None and self._is_separable(op, reader)

    def _ends_separable(self, op: Op) -> bool:
        """`op` is the pointwise half of a separable convolution, or applied to its result alone."""
        while self._is_unary(op):
            before = self._before(op)
            if before is None or not self._is_tail(before, op):
                return False
            op = before
        before = self._before(op) if self._is_pointwise_convolution(op) else None
        return before is not None and self._is_separable(before, op)

    def _is_halving(self, op: Op) -> bool:
        """`op` joins strided pointwise convolutions of one map, moved or not: a factorized reduction."""
        if self._level < 2 or op.kind != "concatenate" or len(op.inputs) < 2:
            return False
        halves = [self._view.producer.get(self._view.root(name)) for name in op.inputs]
        sources = {self._source_of_half(half) for half in halves}
        return len(sources) == 1 and None not in sources

    def _source_of_half(self, half: Op | None) -> str | None:
        if half is None or not self._is_pointwise_convolution(half):
            return None
        strides = half.attributes["strides"]
        if self._reader(half) is None or not isinstance(strides, tuple) or strides == (1,) * len(strides):
            return None
        root = self._view.activations(half)[0]
        moved = self._view.producer.get(root)
        if moved is not None and moved.kind == "pad" and self._before(half) is moved:
            return self._view.activations(moved)[0]
        return root

    def _is_half(self, op: Op, reader: Op) -> bool:
        return self._source_of_half(op) is not None and self._is_halving(reader)

    def _is_half_of_halving(self, op: Op) -> bool:
        reader = self._reader(op)
        return reader is not None and self._is_half(op, reader)

    def _enters_halving(self, op: Op, readers: Sequence[Op]) -> bool:
        """`op` is the activation whose result the parts of one factorized reduction, and they alone, read."""
        halves = [self._reader(reader) if reader.kind == "pad" else reader for reader in readers]
        return self._leads(op) and all(half is not None and self._is_half_of_halving(half) for half in halves)

    def _is_summand(self, op: Op, reader: Op) -> bool:
        """`op` is elementwise, of any number of operands, inside no step before it."""
        if op.kind not in _POINTWISE or not (reader.kind in _POINTWISE or _is_contraction(reader)):
            return False
        return self._leads(op)


def _is_contraction(op: Op) -> bool:
    return op_kind(op.kind).category is Category.CONTRACTION
