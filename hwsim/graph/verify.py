"""Says everything that is wrong with a graph, before anything is computed from it."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.errors import GraphError, Problem, nearest
from hwsim.graph.ops import OP_KINDS, complete_attributes, describe_operands, infer_shapes
from hwsim.graph.ops.kinds import show
from hwsim.graph.types import FormatKind, Graph, Op, Role, SparsityPattern, Tensor

_FEDS = (Role.INPUT, Role.WEIGHT, Role.CONSTANT, Role.STATE)


def verify_graph(graph: Graph) -> None:
    """Raise GraphError with every problem of `graph`; return quietly when there is none.

    Checked: kinds and tensors exist; names are unique; producers come before consumers; every tensor has
    one producer or is fed (a weight is never produced); attributes are complete; result shapes follow
    from the shape rules; densities, bits and probabilities are in range; inputs and outputs exist, and
    no tensor dangles.
    """
    problems = [*_tensor_problems(graph), *_order_problems(graph), *_op_problems(graph),
                *_border_problems(graph)]
    if problems:
        raise GraphError(problems=problems)


def _tensor_problems(graph: Graph) -> Iterator[Problem]:
    for key, tensor in graph.tensors.items():
        where = f"{graph.name}.{key}"
        if not key or key != tensor.name:
            yield Problem(where, f"the tensor is named {tensor.name!r} but stored as {key!r}")
        if any(size < 0 for size in tensor.shape):
            yield Problem(where, f"shape {show(tensor.shape)} holds a negative size")
        yield from _format_problems(where, tensor)
        yield from _sparsity_problems(where, tensor)


def _format_problems(where: str, tensor: Tensor) -> Iterator[Problem]:
    form = tensor.format
    if form.bits < 1:
        yield Problem(where, f"format has {form.bits} bits, must be at least 1")
    if not 0 <= form.exponent_bits <= form.bits:
        yield Problem(where, f"format has {form.exponent_bits} exponent bits of {form.bits}")
    if form.kind is FormatKind.BINARY and form.bits != 1:
        yield Problem(where, f"a binary format has 1 bit, not {form.bits}")


def _sparsity_problems(where: str, tensor: Tensor) -> Iterator[Problem]:
    sparsity = tensor.sparsity
    if sparsity is None:
        return
    if not 0.0 <= sparsity.density <= 1.0:
        yield Problem(where, f"density {sparsity.density} is outside [0, 1]")
    if sparsity.index_bits < 0:
        yield Problem(where, f"index_bits {sparsity.index_bits} is negative")
    group = sparsity.group
    if sparsity.pattern is SparsityPattern.N_OF_M:
        if len(group) != 2 or not 0 < group[0] <= group[1]:
            yield Problem(where, f"group {list(group)} must be (n, m) with 0 < n <= m")
        elif sparsity.density > group[0] / group[1]:
            yield Problem(where, f"density {sparsity.density} is above {group[0]} of {group[1]}")
    if sparsity.pattern is SparsityPattern.BLOCK and (not group or min(group) < 1):
        yield Problem(where, f"group {list(group)} must be the shape of a block")


def _order_problems(graph: Graph) -> Iterator[Problem]:
    producer: dict[str, str] = {}
    names: set[str] = set()
    for op in graph.ops:
        if not op.name or op.name in names:
            yield Problem(f"{graph.name}.{op.name}", "the operator name is empty or used twice")
        names.add(op.name)
        for output in filter(None, op.outputs):
            if output in producer:
                yield Problem(f"{graph.name}.{op.name}",
                              f"tensor {output!r} is also produced by {producer[output]!r}")
            producer.setdefault(output, op.name)
    ready: set[str] = set()
    for op in graph.ops:
        for name in op.inputs:
            if name in producer and name not in ready:
                yield Problem(f"{graph.name}.{op.name}",
                              f"reads {name!r} before {producer[name]!r} has produced it",
                              "the graph has a cycle or is not in topological order")
        ready.update(op.outputs)


def _op_problems(graph: Graph) -> Iterator[Problem]:
    for op in graph.ops:
        where = f"{graph.name}.{op.name}"
        unknown = [name for name in (*op.inputs, *op.outputs) if name and name not in graph.tensors]
        for name in unknown:
            yield Problem(where, f"unknown tensor {name!r}", nearest(name, graph.tensors))
        if op.kind not in OP_KINDS:
            yield Problem(where, f"unknown kind of operator {op.kind!r}", nearest(op.kind, OP_KINDS))
        elif not unknown:
            yield from _rule_problems(graph, op, where)
        if not 0.0 < op.probability <= 1.0:
            yield Problem(where, f"probability {op.probability} is outside (0, 1]")


def _rule_problems(graph: Graph, op: Op, where: str) -> Iterator[Problem]:
    kind, operands, results = OP_KINDS[op.kind], graph.operands(op), graph.results(op)
    try:
        attributes = complete_attributes(kind, op.attributes, operands)
        shapes = infer_shapes(kind, attributes, operands)
    except GraphError as error:
        for p in error.problems:
            place = f"{where}.{p.where}" if p.where else where
            yield Problem(place, f"{p.reason}; {op.kind} of {describe_operands(kind, operands)}", p.hint)
        return
    for name, value in attributes.items():
        if op.attributes.get(name) != value:
            yield Problem(f"{where}.{name}", f"is {op.attributes.get(name)!r}, in full {value!r}",
                          "build operators with GraphBuilder, or complete them with complete_attributes")
    exact = kind.outputs[-1].variadic
    if not 1 <= len(results) <= len(shapes) or (exact and len(results) != len(shapes)):
        yield Problem(where, f"has {len(results)} results, {op.kind} gives {len(shapes)} here")
    for result, shape in zip(results, shapes, strict=False):
        if result is not None and result.shape != shape:
            yield Problem(where, f"result {result.name!r} is {show(result.shape)}, but {op.kind} of "
                                 f"{describe_operands(kind, operands)} gives {show(shape)}")
    for position, result in enumerate(results):
        if result is None and position < len(kind.outputs) and not kind.outputs[position].optional:
            yield Problem(where, f"result {kind.outputs[position].name!r} is left out")


def _border_problems(graph: Graph) -> Iterator[Problem]:
    produced = {name for op in graph.ops for name in op.outputs if name}
    used = {name for op in graph.ops for name in op.inputs if name} | set(graph.outputs)
    for label, names in (("input", graph.inputs), ("output", graph.outputs)):
        for name in names:
            if name not in graph.tensors:
                yield Problem(graph.name, f"{label} {name!r} is no tensor", nearest(name, graph.tensors))
    if not graph.outputs:
        yield Problem(graph.name, "the graph has no output", "name one with GraphBuilder.output")
    for name, tensor in graph.tensors.items():
        where = f"{graph.name}.{name}"
        if name in produced and tensor.role in _FEDS and tensor.role is not Role.STATE:
            yield Problem(where, f"a tensor of role {tensor.role} must not be produced by an operator")
        if name not in produced and tensor.role not in _FEDS:
            yield Problem(where, f"a tensor of role {tensor.role} is produced by no operator")
        if tensor.role is Role.INPUT and name not in graph.inputs:
            yield Problem(where, "has role input but is not among the inputs of the graph")
        if name in graph.inputs and tensor.role not in (Role.INPUT, Role.STATE):
            yield Problem(where, f"is an input of the graph but has role {tensor.role}")
        if name not in produced and name not in used and name not in graph.inputs:
            yield Problem(where, "dangles: no operator produces or reads it, and it is no input")
