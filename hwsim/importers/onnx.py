"""ONNX files become graphs: shapes bound, shape arithmetic folded, every operator costed or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import onnx

from hwsim.errors import GraphError, InputError, Problem, UnsupportedOp, nearest
from hwsim.graph.formats import format_text
from hwsim.graph.passes import mark_binary
from hwsim.graph.types import Graph, NumberFormat, Op, Role, Shape, Sparsity, Tensor
from hwsim.graph.verify import verify_graph
from hwsim.importers.onnx_dimensions import bind_dimensions, shapes_by_onnx
from hwsim.importers.onnx_optimise import optimise
from hwsim.importers.onnx_read import SIGNS, OnnxFile, read_onnx
from hwsim.importers.onnx_table import HANDLERS
from hwsim.importers.onnx_values import Value, constant_from_tensor, format_of
from hwsim.importers.onnx_walk import Settings, Walker

__all__ = ["import_onnx"]

POLICIES = ("error", "traffic", "host")


def import_onnx(path: str | Path, *, dimensions: Mapping[str, int] | None = None,
                format_override: NumberFormat | None = None, on_unsupported: str = "error") -> Graph:
    """Read an ONNX file.

    Parameters
    ----------
    path : str or Path
        The model; weights may be stored inside, beside, or stripped: their values are not read.
    dimensions : mapping of str to int
        Sizes of open dimensions, by name (``batch``) or by place (``input_ids.1``). Batch-like ones
        that are not given become 1; the graph's provenance says so.
    format_override : NumberFormat or None
        Format of every floating-point tensor instead of the one stored.
    on_unsupported : {"error", "traffic", "host"}
        What to do with operators outside the table: refuse, or model them as moving their inputs and
        outputs, on the chip or to the host. The provenance names them.

    Returns
    -------
    Graph
        Verified. Operators keep the names of their nodes, tensors theirs; dropout and identity are gone,
        subgraphs that depend on no input are folded, operators that no output needs are removed.

    Raises
    ------
    UnsupportedOp
        Operator types outside the table, all of them with their nodes.
    InputError
        Anything else that is wrong with the file; all problems at once.
    """
    if on_unsupported not in POLICIES:
        raise InputError(f"unknown policy {on_unsupported!r}", where="on_unsupported",
                         hint=nearest(on_unsupported, POLICIES))
    file = read_onnx(Path(path))
    choices = (dimensions or {}, format_override, on_unsupported)
    walker, provenance = _walk(file, *choices)
    if walker.unresolved and not walker.problems and not walker.unsupported:
        simpler = optimise(file)
        if simpler is not None:
            second, notes = _walk(simpler, *choices)
            if not second.unresolved and not second.problems:
                walker, provenance = second, notes | {"optimised_by": "onnxruntime, basic level"}
    _refuse(walker, file.name)
    return _finish(walker, file, provenance)


def _walk(file: OnnxFile, dimensions: Mapping[str, int], override: NumberFormat | None,
          policy: str) -> tuple[Walker, dict[str, str]]:
    graph = file.model.graph
    stored = {tensor.name for tensor in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    # Up to IR version 3 every initializer is listed among the inputs as well.
    inputs = {info.name: info for info in graph.input if info.name not in stored}
    shapes, bound = bind_dimensions(inputs, dimensions, file.name)
    provenance = _provenance(file, bound, override)
    settings = Settings(file.path, file.opsets, HANDLERS, policy, override, {})
    walker = _walk_once(file, settings, inputs, shapes)
    stuck = walker.unresolved and not walker.needs_shapes
    if walker.problems or stuck or (walker.unsupported and policy == "error"):
        return walker, provenance
    # ONNX's own inference runs second: it allocates without limit on shapes that the walk refuses.
    try:
        expected = shapes_by_onnx(file.model, shapes)
    except GraphError as error:
        provenance["onnx_shape_inference"] = error.problems[0].reason
        return walker, provenance
    if walker.needs_shapes:
        walker = _walk_once(file, replace(settings, expected=expected), inputs, shapes)
    walker.compare(expected)
    return walker, provenance


def _walk_once(file: OnnxFile, settings: Settings, inputs: Mapping[str, onnx.ValueInfoProto],
               shapes: Mapping[str, Shape]) -> Walker:
    walker = Walker(settings)
    _feed(walker, inputs, shapes)
    _store(walker, file.model.graph, settings.override)
    if not walker.problems:
        walker.walk(file.model.graph.node)
    return walker


def _provenance(file: OnnxFile, bound: Mapping[str, int], override: NumberFormat | None) -> dict[str, str]:
    model = file.model
    provenance = {"source": "onnx", "file": file.name, "digest": file.digest,
                  "ir_version": str(model.ir_version), "opset": str(file.opsets.get("", 0))}
    if model.producer_name:
        provenance["producer"] = f"{model.producer_name} {model.producer_version}".strip()
    if bound:
        provenance["dimensions"] = ", ".join(f"{name}={size}" for name, size in sorted(bound.items()))
    if override is not None:
        provenance["format_override"] = format_text(override)
    return provenance


def _feed(walker: Walker, inputs: Mapping[str, onnx.ValueInfoProto], shapes: Mapping[str, Shape]) -> None:
    for name, shape in shapes.items():
        where = f"{walker.settings.path.name}.{name}"
        try:
            elem_type = inputs[name].type.tensor_type.elem_type
            number_format = format_of(elem_type, where, walker.settings.override)
        except GraphError as error:
            walker.problems += error.problems
            continue
        walker.values[name] = Value(name, shape, number_format)
        walker.tensors[name] = Tensor(name, shape, number_format, Role.INPUT)


def _store(walker: Walker, graph: onnx.GraphProto, override: NumberFormat | None) -> None:
    for tensor in graph.initializer:
        _store_one(walker, tensor.name, tensor, override)
    for sparse in graph.sparse_initializer:
        dense = onnx.TensorProto(name=sparse.values.name, data_type=sparse.values.data_type, dims=sparse.dims)
        dense.data_location = onnx.TensorProto.EXTERNAL
        kept, size = sparse.values.dims[0] if sparse.values.dims else 0, 1
        for dim in sparse.dims:
            size *= max(dim, 0)
        density = min(1.0, max(0, kept) / size) if size else 1.0
        _store_one(walker, dense.name, dense, override, Sparsity(density))


def _store_one(walker: Walker, name: str, tensor: onnx.TensorProto, override: NumberFormat | None,
               sparsity: Sparsity | None = None) -> None:
    where = f"{walker.settings.path.name}.{name}"
    if name in walker.values:
        walker.problems.append(Problem(where, "two tensors have this name"))
        return
    try:
        value = constant_from_tensor(name, tensor, walker.settings.path, override, sparsity)
    except InputError as error:
        walker.problems += error.problems
        return
    walker.values[name] = value


def _refuse(walker: Walker, file: str) -> None:
    """Raise everything that went wrong, unsupported operators first."""
    if walker.unsupported and walker.settings.policy == "error":
        advice = "or model it as data movement: --on-unsupported traffic"
        problems = [Problem(file, f"operator {kind} is not supported: {len(names)} node(s), {_few(names)}",
                            f"{nearest(kind, HANDLERS)}; {advice}")
                    for kind, names in sorted(walker.unsupported.items())]
        raise UnsupportedOp(problems=[*problems, *walker.problems])
    problems = list(walker.problems)
    problems += [Problem(f"{file}.{name}", f"its shape cannot be known: it {why}",
                         "bind open dimensions with --dim NAME=VALUE, or export with torch.onnx.export("
                         "..., dynamo=True)") for name, why in walker.unresolved.items()]
    if problems:
        raise GraphError(problems=problems)


def _few(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _finish(walker: Walker, file: OnnxFile, provenance: dict[str, str]) -> Graph:
    wanted = _outputs(walker, file)
    ops = _needed(walker.ops, set(wanted))
    if not ops:
        raise GraphError("the network computes nothing: every operator is constant or dropped",
                         where=file.name)
    inputs = tuple(name for name, tensor in walker.tensors.items() if tensor.role is Role.INPUT)
    used = {name for op in ops for name in (*op.inputs, *op.outputs)} | set(inputs) | set(wanted)
    tensors = {name: tensor for name, tensor in walker.tensors.items() if name in used}
    graph = Graph(file.path.stem, tensors, ops, inputs, wanted, provenance | _fates(walker, file, ops))
    verify_graph(graph)
    signs = frozenset(tensor.name for tensor in file.model.graph.initializer if tensor.doc_string == SIGNS)
    return mark_binary(graph, signs) if signs else graph


def _fates(walker: Walker, file: OnnxFile, ops: tuple[Op, ...]) -> dict[str, str]:
    """Return how many nodes became operators, were folded or are modeled as data movement."""
    nodes = {walker.origins[op.name]: op.origin for op in ops}
    moved = Counter(kind for kind in nodes.values() if kind in walker.unsupported)
    # onnxruntime may have folded nodes before the walk saw them.
    gone = max(0, len(file.model.graph.node) - walker.visited)
    fates = {"nodes_in_file": str(walker.visited + gone),
             "nodes_folded": str(len(walker.understood - nodes.keys()) + gone),
             "nodes_costed": str(len(nodes) - moved.total()), "nodes_as_data_movement": str(moved.total())}
    if moved:
        fates["data_movement_types"] = ", ".join(f"{kind} x{count}" for kind, count in sorted(moved.items()))
        fates["on_unsupported"] = walker.settings.policy
    return fates


def _outputs(walker: Walker, file: OnnxFile) -> tuple[str, ...]:
    """Return the tensors behind the network's outputs; constant ones are no work and left out."""
    names: dict[str, None] = {}
    problems = []
    for output in file.model.graph.output:
        value = walker.values.get(output.name)
        if value is None:
            problems.append(Problem(f"{file.name}.{output.name}", "no operator produces this output"))
        elif not value.constant:
            names[value.name] = None
    if problems:
        raise GraphError(problems=problems)
    return tuple(names)


def _needed(ops: list[Op], wanted: set[str]) -> tuple[Op, ...]:
    """Return the operators on which an output depends; what only fed shape arithmetic falls away."""
    needed = set(wanted)
    kept: list[Op] = []
    for op in reversed(ops):
        if needed.intersection(filter(None, op.outputs)):
            kept.append(op)
            needed.update(filter(None, op.inputs))
    return tuple(reversed(kept))
