"""A stable text form of graphs, and fingerprints that tell whether two graphs are the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from hashlib import blake2b
from typing import TypeVar

from hwsim.errors import GraphError, HwsimError, nearest
from hwsim.graph.formats import format_text, parse_format
from hwsim.graph.types import (
    AttributeValue,
    Graph,
    Op,
    Phase,
    Role,
    Sparsity,
    SparsityPattern,
    Storage,
    Tensor,
)

_HEADER = "hwsim graph 1"
_WORD = re.compile(r"\s*([A-Za-z_][\w:]*|->)")
_DIGEST_BYTES = 16
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
_Choice = TypeVar("_Choice", bound=StrEnum)


def to_text(graph: Graph) -> str:
    """Return `graph` as text, one line per tensor and operator, equal for equal graphs.

    Names are JSON strings, so any character is allowed; `from_text` reads the text back.
    """
    lines = [_HEADER, f"graph {_json(graph.name)}"]
    lines += [f"provenance {_json(key)} {_json(value)}" for key, value in sorted(graph.provenance.items())]
    lines += [_tensor_line(graph.tensors[name]) for name in _tensor_order(graph)]
    lines += [_op_line(op) for op in graph.ops]
    lines += [f"inputs {_json(graph.inputs)}", f"outputs {_json(graph.outputs)}"]
    return "\n".join(lines) + "\n"


def _tensor_order(graph: Graph) -> tuple[str, ...]:
    """Return tensor names by first appearance in inputs and operators, strays last."""
    seen = dict.fromkeys(graph.inputs)
    for op in graph.ops:
        seen.update(dict.fromkeys(filter(None, (*op.inputs, *op.outputs))))
    seen.update(dict.fromkeys(sorted(graph.tensors)))
    return tuple(name for name in seen if name in graph.tensors)


def fingerprint(graph: Graph) -> str:
    """Return a digest of everything but the provenance: equal texts, equal fingerprints."""
    return _digest(to_text(replace(graph, provenance={})))


def structure_fingerprint(graph: Graph) -> str:
    """Return a digest that does not depend on any name nor on the order of independent operators.

    The same network read from an ONNX file, from a layer CSV or written with the builder has the same
    structure fingerprint. It covers kinds, attributes, shapes, formats, sparsity, roles, phases,
    probabilities, how tensors connect and how often each weight is used; not names and origins.
    """
    uses = dict.fromkeys(graph.tensors, 0)
    for op in graph.ops:
        for name in filter(None, op.inputs):
            uses[name] += 1
    places = {name: index for index, name in enumerate(graph.inputs)}
    known = {name: _digest(f"{_type_text(tensor)} {places.get(name, -1)} {uses[name]}")
             for name, tensor in graph.tensors.items()}
    fed = [known[name] for name in known if name not in {output for op in graph.ops for output in op.outputs}]
    digests = []
    for op in graph.ops:
        operands = " ".join(known[name] if name else "-" for name in op.inputs)
        digest = _digest(f"{op.kind} {operands} {_json(dict(op.attributes))} {op.phase} {op.probability!r}")
        digests.append(digest)
        for position, name in enumerate(op.outputs):
            if name:
                known[name] = _digest(f"{digest} {position} {_type_text(graph.tensors[name])} {uses[name]}")
    results = [known[name] for name in graph.outputs]
    return _digest("\n".join((*sorted(digests), "", *sorted(fed), "", *results)))


def from_text(text: str) -> Graph:
    """Return the graph that `to_text` wrote.

    Raises
    ------
    GraphError
        With the number of the line that cannot be read.
    """
    lines = text.split("\n")
    if not lines or lines[0] != _HEADER:
        raise GraphError(f"the text must begin with {_HEADER!r}", where="line 1")
    reader = _Reader()
    for number, line in enumerate(lines[1:], start=2):
        try:
            reader.read(line)
        except HwsimError as error:
            raise error.inside(f"line {number}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise GraphError(f"cannot be read: {error}", where=f"line {number}") from None
    return reader.graph()


def _json(value: object) -> str:
    return _ENCODER.encode(value)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def _type_text(tensor: Tensor) -> str:
    sparsity = tensor.sparsity
    fields = "" if sparsity is None else " " + _json({
        "density": sparsity.density, "pattern": sparsity.pattern, "group": sparsity.group,
        "storage": sparsity.storage, "index_bits": sparsity.index_bits})
    return f"{tensor.role} {format_text(tensor.format)} {_json(tensor.shape)}{fields}"


def _tensor_line(tensor: Tensor) -> str:
    return f"tensor {_json(tensor.name)} {_type_text(tensor)}"


def _op_line(op: Op) -> str:
    line = (f"op {_json(op.name)} {op.kind} {_json(op.inputs)} -> {_json(op.outputs)} "
            f"{_json(dict(op.attributes))}")
    extras = {"phase": op.phase, "probability": op.probability, "origin": op.origin}
    usual = {"phase": Phase.FORWARD, "probability": 1.0, "origin": ""}
    changed = {key: value for key, value in extras.items() if value != usual[key]}
    return f"{line} {_json(changed)}" if changed else line


class _Line:
    """Takes one line apart from left to right: bare words and JSON values."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._decoder = json.JSONDecoder()

    def word(self) -> str:
        found = _WORD.match(self._line, self._at)
        if not found:
            raise GraphError(f"a word is missing at {self._line[self._at:][:30]!r}")
        self._at = found.end()
        return found[1]

    def value(self) -> object:
        start = len(self._line) - len(self._line[self._at:].lstrip())
        value, self._at = self._decoder.raw_decode(self._line, start)
        return value

    def name(self) -> str:
        return _text(self.value())

    def names(self) -> tuple[str, ...]:
        return tuple(_text(item) for item in _items(self.value()))

    def fields(self) -> dict[str, object]:
        value = self.value()
        if not isinstance(value, dict):
            raise GraphError(f"{value!r} is no table")
        return value

    @property
    def finished(self) -> bool:
        return not self._line[self._at:].strip()


class _Reader:
    """Collects the lines of a text."""

    def __init__(self) -> None:
        self._name = ""
        self._provenance: dict[str, str] = {}
        self._tensors: dict[str, Tensor] = {}
        self._ops: list[Op] = []
        self._borders: dict[str, tuple[str, ...]] = {}

    def read(self, text: str) -> None:
        line = _Line(text)
        if line.finished:
            return
        keyword = line.word()
        if keyword == "graph":
            self._name = line.name()
        elif keyword == "provenance":
            key = line.name()
            self._provenance[key] = line.name()
        elif keyword == "tensor":
            tensor = _read_tensor(line)
            self._tensors[tensor.name] = tensor
        elif keyword == "op":
            self._ops.append(_read_op(line))
        elif keyword in ("inputs", "outputs"):
            self._borders[keyword] = line.names()
        else:
            known = ("graph", "provenance", "tensor", "op", "inputs", "outputs")
            raise GraphError(f"unknown keyword {keyword!r}", hint=nearest(keyword, known))
        if not line.finished:
            raise GraphError("there is more on the line than expected")

    def graph(self) -> Graph:
        return Graph(self._name, self._tensors, tuple(self._ops), self._borders.get("inputs", ()),
                     self._borders.get("outputs", ()), self._provenance)


def _read_tensor(line: _Line) -> Tensor:
    name, role, number_format = line.name(), _choice(Role, line.word()), parse_format(line.word())
    shape = tuple(_whole(size) for size in _items(line.value()))
    return Tensor(name, shape, number_format, role, None if line.finished else _read_sparsity(line.fields()))


def _read_sparsity(fields: dict[str, object]) -> Sparsity:
    density = fields["density"]
    if isinstance(density, bool) or not isinstance(density, int | float):
        raise GraphError(f"density {density!r} is no number")
    return Sparsity(float(density), _choice(SparsityPattern, _text(fields["pattern"])),
                    tuple(_whole(size) for size in _items(fields["group"])),
                    _choice(Storage, _text(fields["storage"])), _whole(fields["index_bits"]))


def _read_op(line: _Line) -> Op:
    name, kind, inputs, arrow = line.name(), line.word(), line.names(), line.word()
    if arrow != "->":
        raise GraphError(f"'->' expected, not {arrow!r}")
    outputs = line.names()
    attributes = {key: _attribute(value) for key, value in line.fields().items()}
    extras = {} if line.finished else line.fields()
    probability = extras.get("probability", 1.0)
    if not isinstance(probability, float):
        raise GraphError(f"probability {probability!r} is no float")
    return Op(name, kind, inputs, outputs, attributes, _choice(Phase, _text(extras.get("phase", "forward"))),
              probability, _text(extras.get("origin", "")))


def _attribute(value: object) -> AttributeValue:
    if isinstance(value, bool | int | float | str):
        return value
    items = _items(value)
    if all(isinstance(item, str) for item in items):
        return tuple(_text(item) for item in items)
    if all(isinstance(item, float) for item in items):
        return tuple(item for item in items if isinstance(item, float))
    return tuple(_whole(item) for item in items)


def _items(value: object) -> Iterable[object]:
    if not isinstance(value, list):
        raise GraphError(f"{value!r} is no list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphError(f"{value!r} is no text")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphError(f"{value!r} is no integer")
    return value


def _choice(kind: type[_Choice], text: str) -> _Choice:
    known = [str(member) for member in kind]
    if text not in known:
        raise GraphError(f"unknown {kind.__name__.lower()} {text!r}", hint=nearest(text, known))
    return kind(text)
