"""Walk the nodes of an ONNX graph in order, fold what is constant and append the rest to a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx

from hwsim.errors import GraphError, HwsimError, Problem, VerifyError
from hwsim.graph.offload import shapes_text
from hwsim.graph.ops import complete_attributes, infer_shapes, op_kind
from hwsim.graph.types import BOOLEAN, NumberFormat, Op, Role, Shape, Tensor
from hwsim.importers.limits import refuse_huge
from hwsim.importers.onnx_fold import fold
from hwsim.importers.onnx_node import Node, Unresolved
from hwsim.importers.onnx_read import SMALL_ELEMENTS
from hwsim.importers.onnx_values import Array, Value, constant_from_array, format_of

Handler = Callable[[Node, "Walker"], Sequence[Value]]

# Positions at which a constant is a parameter of the operator, whatever its element type.
_PARAMETERS: Mapping[str, tuple[int, ...]] = {
    "convolution": (1, 2), "transposed_convolution": (1, 2), "matmul": (0, 1), "gemm": (0, 1, 2),
    "lstm": (1, 2, 3, 7), "gru": (1, 2, 3), "rnn": (1, 2, 3),
    "batch_normalization": (1, 2), "instance_normalization": (1, 2), "group_normalization": (1, 2),
    "layer_normalization": (1, 2), "rms_normalization": (1,),
}
# Stored statistics and initial states: fixed, but nothing that training by gradients learns.
_UNLEARNED: Mapping[str, tuple[int, ...]] = {
    "batch_normalization": (3, 4), "lstm": (4, 5, 6), "gru": (4, 5), "rnn": (4, 5)}


@dataclass(frozen=True, slots=True)
class Settings:
    """What does not change during a walk.

    Attributes
    ----------
    path : Path
        The file; its name is the prefix of messages, small external tensors lie beside it.
    opsets : mapping of str to int
        Operator set versions by domain.
    handlers : mapping of str to Handler
        The importer's op table.
    policy : {"error", "traffic", "host"}
        What to do with an operator outside the table.
    override : NumberFormat or None
        Format of all floating-point tensors.
    expected : mapping of str to (Shape, int)
        Shapes and element types that ONNX itself found.
    """

    path: Path
    opsets: Mapping[str, int]
    handlers: Mapping[str, Handler]
    policy: str
    override: NumberFormat | None
    expected: Mapping[str, tuple[Shape, int]]


@dataclass
class Walker:
    """The graph under construction and everything that went wrong so far."""

    settings: Settings
    values: dict[str, Value | None] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unresolved: dict[str, str] = field(default_factory=dict)
    unsupported: dict[str, list[str]] = field(default_factory=dict)
    visited: int = 0
    origins: dict[str, int] = field(default_factory=dict)
    understood: set[int] = field(default_factory=set)
    producers: dict[str, tuple[str, str]] = field(default_factory=dict)
    needs_shapes: bool = False
    unmodeled: dict[str, str] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def walk(self, nodes: Iterable[onnx.NodeProto]) -> None:
        """Import `nodes` in order; problems are collected, dependants of a failed node are skipped."""
        for proto in nodes:
            self.visited += 1
            self._visit(proto, self.visited)

    def _visit(self, proto: onnx.NodeProto, index: int) -> None:
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        kind = f"{domain}.{proto.op_type}" if domain else proto.op_type
        name = proto.name or next(filter(None, proto.output), "") or kind
        where = f"{self.settings.path.name}.{name}"
        handler = self.settings.handlers.get(kind)
        if handler is None and not self._constant_inputs(proto):
            self.unsupported.setdefault(kind, []).append(name)
        problems = [Problem(where, f"{kind} reads {item!r}, which nothing before it produces")
                    for item in proto.input if item and item not in self.values]
        problems += [Problem(where, f"{kind} reads {item!r}, an output of {self.unmodeled[item]} that hwsim "
                             "does not model") for item in proto.input if item in self.unmodeled]
        problems += [Problem(where, f"{kind} writes {item!r}, which already exists")
                     for item in proto.output if item and item in self.values]
        if not any(proto.output):
            problems.append(Problem(where, f"{kind} writes nothing"))
        self.problems += problems
        inputs = tuple(self.values.get(item) if item else None for item in proto.input)
        poisoned = any(item and self.values.get(item) is None for item in proto.input)
        results: Sequence[Value] = ()
        if not problems and not poisoned:
            attributes = {attribute.name: attribute for attribute in proto.attribute}
            opset = self.settings.opsets.get(domain, 1)
            node = Node(name, kind, opset, inputs, tuple(proto.output), attributes)
            results = self._import(node, handler, where, index)
        for position, item in enumerate(proto.output):
            if item:
                self.values[item] = results[position] if position < len(results) else None
                self.producers.setdefault(item, (name, kind))

    def _import(self, node: Node, handler: Handler | None, where: str, index: int) -> Sequence[Value]:
        before = len(self.ops)
        try:
            if handler is not None:
                results = self._fold(node, tuple(handler(node, self)))
            elif all(value is None or value.constant for value in node.inputs):
                results = self._unknown_constants(node)
            elif self.settings.policy == "error":
                return ()
            else:
                results = self._as_traffic(node)
        except Unresolved as error:
            self.unresolved.setdefault(error.tensor, f"{error.why} (node {node.name})")
            return ()
        except VerifyError:
            raise
        except HwsimError as error:
            self.problems += error.inside(where).problems
            return ()
        self.understood.add(index)
        for op in self.ops[before:]:
            self.origins.setdefault(op.name, index)
        self.unmodeled.update({item: node.kind for item in node.outputs[len(results):] if item})
        return results

    def _fold(self, node: Node, results: tuple[Value, ...]) -> tuple[Value, ...]:
        """Attach values to constant results whose operands are all known and small."""
        if not results or not node.inputs:
            return results
        if any(not value.constant or value.data is not None or value.elements > SMALL_ELEMENTS
               for value in results):
            return results
        arrays = fold(node)
        if arrays is None:
            return results
        pairs = zip(results, arrays, strict=False)
        return tuple(self._with_data(node, value, array) for value, array in pairs)

    def _with_data(self, node: Node, value: Value, array: Array) -> Value:
        if array.shape != value.shape:
            raise VerifyError(f"folding {node.kind} gives {list(array.shape)}, "
                              f"its shape rule {list(value.shape)}", where=node.name)
        return replace(value, data=array)

    def compare(self, expected: Mapping[str, tuple[Shape, int]]) -> None:
        """Refuse shapes on which ONNX's own inference, or the file, says otherwise."""
        for name, (node, kind) in self.producers.items():
            value = self.values.get(name)
            known = expected.get(name)
            if value is not None and known is not None and known[0] != value.shape:
                self.problems.append(Problem(
                    f"{self.settings.path.name}.{node}",
                    f"{kind} gives {name!r} shape {list(value.shape)}, the file or ONNX's shape inference "
                    f"says {list(known[0])}", "export the network again"))

    def _constant_inputs(self, proto: onnx.NodeProto) -> bool:
        values = [self.values.get(item) for item in proto.input if item]
        return bool(values) and all(value is not None and value.constant for value in values)

    def _unknown_constants(self, node: Node) -> tuple[Value, ...]:
        """Return what a type outside the table makes of constants: nothing runs, the shape is ONNX's."""
        results = []
        for name in filter(None, node.outputs):
            self.needs_shapes = True
            if name not in self.settings.expected:
                raise Unresolved(name, f"is computed by {node.kind}, which hwsim cannot evaluate")
            shape, elem_type = self.settings.expected[name]
            refuse_huge(shape, name)
            results.append(Value(name, shape, format_of(elem_type, name, self.settings.override), True))
        return tuple(results)

    def _as_traffic(self, node: Node) -> tuple[Value, ...]:
        """Model an operator outside the table as run elsewhere: moving its operands and results, or free."""
        self.needs_shapes = True
        sources = [value for value in node.inputs if value is not None and not value.constant]
        if not sources:
            raise GraphError(f"{node.kind} reads no activation, so it has no traffic to model")
        names = tuple(filter(None, node.outputs))
        missing = [name for name in names if name not in self.settings.expected]
        if missing:
            raise Unresolved(missing[0], f"is written by {node.kind}, and the file does not say its shape")
        found = [self.settings.expected[name] for name in names]
        for name, (shape, _) in zip(names, found, strict=True):
            refuse_huge(shape, name)
        shapes = shapes_text(tuple(shape for shape, _ in found))
        results = self.emit(node, "offload", sources, outputs=names, shapes=shapes,
                            moves=int(self.settings.policy == "traffic"))
        formats = [format_of(elem_type, name, self.settings.override)
                   for name, (_, elem_type) in zip(names, found, strict=True)]
        for name, number_format in zip(names, formats, strict=True):
            self.tensors[name] = replace(self.tensors[name], format=number_format)
        return tuple(replace(value, format=form) for value, form in zip(results, formats, strict=True))

    def emit(self, node: Node, kind: str, operands: Sequence[Value | None], *, outputs: Sequence[str] = (),
             suffix: str = "", format: NumberFormat | None = None, keep: bool = False,
             **attributes: Any) -> tuple[Value, ...]:
        """Append one operator, or compute shapes only when every operand is constant.

        Parameters
        ----------
        node : Node
            The ONNX node it stands for.
        kind : str
            Row of the op table.
        operands : sequence of Value or None
            Operands in the order of the row.
        outputs : sequence of str
            Names of the results; the node's own by default.
        suffix : str
            Part of the operator's name, for nodes that become several operators.
        format : NumberFormat or None
            Format of the results; None leaves it to the row.
        keep : bool
            True appends the operator even when every operand is constant.
        attributes
            Attributes of the row.
        """
        present = list(operands)
        while present and present[-1] is None:
            present.pop()
        row = op_kind(kind)
        tensors = tuple(None if value is None else _as_tensor(value) for value in present)
        complete = complete_attributes(row, attributes, tensors)
        shapes = infer_shapes(row, complete, tensors)
        for shape in shapes:
            refuse_huge(shape, "")
        formats = (format,) if format is not None else row.formats(complete, tensors)
        names = (list(outputs) or list(node.outputs))[:len(shapes)]
        constant = not keep and all(value is None or value.constant for value in present)
        learned = constant and not _makes_mask(kind, complete) and any(
            value is not None and value.learned for value in present)
        results = [Value(name, shape, formats[min(i, len(formats) - 1)], constant)
                   for i, (name, shape) in enumerate(zip(names, shapes, strict=False))]
        if constant:
            return tuple(replace(value, learned=learned and value.format != BOOLEAN) for value in results)
        inputs = tuple("" if value is None else self._place(value, kind, position)
                       for position, value in enumerate(present))
        for value in results:
            if value.name:
                self.tensors[value.name] = Tensor(value.name, value.shape, value.format)
        name = self._unique(f"{node.name}.{suffix}" if suffix else node.name)
        written = tuple(value.name for value in results)
        self.ops.append(Op(name, kind, inputs, written, complete, origin=node.kind))
        return tuple(results)

    def step(self, node: Node, kind: str, operands: Sequence[Value | None], suffix: str, *,
             format: NumberFormat | None = None, **attributes: Any) -> Value:
        """Append one operator in the middle of several that stand for `node`; return its result."""
        name = f"{next(filter(None, node.outputs), node.name)}.{suffix}"
        while name in self.tensors or name in self.values:
            name += "_"
        return self.emit(node, kind, operands, outputs=(name,), suffix=suffix, format=format, **attributes)[0]

    def constant(self, name: str, array: Array, *, learned: bool = False) -> Value:
        """Return a constant computed at import."""
        return constant_from_array(name, array, self.settings.override, learned=learned)

    def _place(self, value: Value, kind: str, position: int) -> str:
        """Put a constant into the graph when it is first read; return the tensor's name."""
        if not value.constant:
            return value.name
        known = self.tensors.get(value.name)
        learned = value.learned and position not in _UNLEARNED.get(kind, ())
        role = Role.WEIGHT if learned or position in _PARAMETERS.get(kind, ()) else Role.CONSTANT
        if known is None or (role is Role.WEIGHT and known.role is Role.CONSTANT):
            self.tensors[value.name] = Tensor(value.name, value.shape, value.format, role, value.sparsity)
        return value.name

    def _unique(self, name: str) -> str:
        candidate, number = name, 2
        while candidate in self._names:
            candidate, number = f"{name}_{number}", number + 1
        self._names.add(candidate)
        return candidate


def _makes_mask(kind: str, attributes: Mapping[str, object]) -> bool:
    """Return whether constants that pass this operator turn into a mask instead of staying parameters."""
    return kind in ("scatter_nd", "scatter_elements") or attributes.get("function") == "where"


def _as_tensor(value: Value) -> Tensor:
    role = Role.CONSTANT if value.constant and not value.learned else Role.ACTIVATION
    return Tensor(value.name, value.shape, value.format, role, value.sparsity)
