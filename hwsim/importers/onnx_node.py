"""One ONNX node with its inputs looked up and its attributes read under guard, as the handlers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx
from onnx import AttributeProto

from hwsim.errors import GraphError
from hwsim.importers.onnx_values import Array, Value


class Unresolved(Exception):
    """Values that decide a shape are not known at import."""

    def __init__(self, tensor: str, why: str) -> None:
        super().__init__(f"{tensor}: {why}")
        self.tensor = tensor
        self.why = why


@dataclass(frozen=True, slots=True)
class Node:
    """A node about to be imported.

    Attributes
    ----------
    name : str
        Its own name, or the name of its first output.
    kind : str
        Operator type; ``domain.Type`` outside ONNX's own domain.
    opset : int
        Version of the operator set that defines it.
    inputs : tuple of Value or None
        What feeds it, None where an optional input is absent.
    outputs : tuple of str
        Names of its outputs, ``""`` where one is not wanted.
    attributes : mapping of str to onnx.AttributeProto
        Its attributes, undecoded.
    """

    name: str
    kind: str
    opset: int
    inputs: tuple[Value | None, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, onnx.AttributeProto]

    def has(self, position: int) -> bool:
        """Return whether the input at `position` is present."""
        return position < len(self.inputs) and self.inputs[position] is not None

    def optional(self, position: int) -> Value | None:
        """Return the input at `position`, None when it is absent."""
        return self.inputs[position] if position < len(self.inputs) else None

    def input(self, position: int) -> Value:
        """Return the input at `position`; GraphError when it is absent."""
        value = self.optional(position)
        if value is None:
            raise GraphError(f"{self.kind} has {len(self.inputs)} inputs, input {position} is missing")
        return value

    def static(self, position: int) -> Array:
        """Return the values of an input that decides shapes; Unresolved when they are not known."""
        value = self.input(position)
        if value.data is None:
            why = ("holds values that are not stored or cannot be evaluated" if value.constant
                   else "is computed from the network's inputs")
            raise Unresolved(value.name, f"{why}, and {self.kind} needs them to know its shape")
        return value.data

    def static_ints(self, position: int) -> tuple[int, ...]:
        """Return the integers that an input holds; GraphError for anything else."""
        array = self.static(position)
        if array.dtype.kind not in "iub" or array.ndim > 1:
            raise GraphError(f"input {position} must be a list of integers, it is {array.dtype} "
                             f"of shape {list(array.shape)}")
        return tuple(int(item) for item in array.reshape(-1))

    def static_int(self, position: int) -> int:
        """Return the one integer that an input holds."""
        array = self.static(position)
        if array.dtype.kind not in "iub" or array.size != 1:
            raise GraphError(f"input {position} must be one integer, it is {array.dtype} "
                             f"of shape {list(array.shape)}")
        return int(array.reshape(-1)[0])

    def _typed(self, name: str, kind: int) -> AttributeProto | None:
        attribute = self.attributes.get(name)
        if attribute is not None and attribute.type != kind:
            wanted = AttributeProto.AttributeType.Name(kind)
            raise GraphError(f"attribute {name!r} of {self.kind} must be of type {wanted}")
        return attribute

    def integer(self, name: str, default: int | None = None) -> int:
        """Return an integer attribute; GraphError when it is absent without a default."""
        attribute = self._typed(name, AttributeProto.INT)
        if attribute is not None:
            return int(attribute.i)
        if default is None:
            raise GraphError(f"{self.kind} needs the attribute {name!r}")
        return default

    def integers(self, name: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """Return an integer-list attribute; GraphError when it is absent without a default."""
        attribute = self._typed(name, AttributeProto.INTS)
        if attribute is not None:
            return tuple(int(item) for item in attribute.ints)
        if default is None:
            raise GraphError(f"{self.kind} needs the attribute {name!r}")
        return default

    def number(self, name: str, default: float) -> float:
        """Return a float attribute."""
        attribute = self._typed(name, AttributeProto.FLOAT)
        return default if attribute is None else float(attribute.f)

    def text(self, name: str, default: str) -> str:
        """Return a text attribute."""
        attribute = self._typed(name, AttributeProto.STRING)
        return default if attribute is None else attribute.s.decode("utf-8", "replace")

    def graph(self, name: str) -> onnx.GraphProto:
        """Return a graph attribute; GraphError when it is absent."""
        attribute = self._typed(name, AttributeProto.GRAPH)
        if attribute is None:
            raise GraphError(f"{self.kind} needs the attribute {name!r}")
        return attribute.g

    def axes(self, position: int, rank: int) -> tuple[int, ...] | None:
        """Return the axes given as an attribute or, since operator set 13 or 18, as an input."""
        if self.has(position):
            axes = self.static_ints(position)
        elif "axes" in self.attributes:
            axes = self.integers("axes")
        else:
            return None
        for axis in axes:
            if not -rank <= axis < rank:
                raise GraphError(f"axis {axis} is outside a tensor of rank {rank}")
        return tuple(axis % rank for axis in axes)
