"""Rewrites of whole graphs; every pass takes a valid graph and returns a valid graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from hwsim.errors import GraphError, Problem, nearest
from hwsim.graph.ops import OP_KINDS
from hwsim.graph.types import BINARY, BOOLEAN, INT64, FormatKind, Graph, NumberFormat, Op, Role, Tensor
from hwsim.graph.verify import verify_graph

_FOLDABLE = ("convolution", "transposed_convolution", "gemm")
_SCALABLE = (FormatKind.FLOAT, FormatKind.INTEGER, FormatKind.UNSIGNED)


def fold_batch_normalization(graph: Graph) -> Graph:
    """Return `graph` with batch normalizations absorbed by the convolution or gemm before them.

    The normalization's scale goes into the weights and its shift into a bias, which is added where there
    was none, so an operator with c channels keeps c of the 2c (or, with a bias of its own, 3c) small
    parameters. Left alone: normalizations whose operand is read elsewhere or is a network output, tied
    weights, and weights that cannot be scaled (binary, ternary, power of two).
    """
    if not any(op.kind == "batch_normalization" for op in graph.ops):
        return graph
    readers = _readers(graph)
    producer = {output: op for op in graph.ops for output in op.outputs if output}
    tensors = dict(graph.tensors)
    folded: dict[str, Op] = {}
    for norm in graph.ops:
        if norm.kind != "batch_normalization" or norm.inputs[0] not in producer:
            continue
        op = producer[norm.inputs[0]]
        if not _can_fold(graph, op, norm, readers):
            continue
        bias = _bias(op) or _add_bias(graph, op, tensors)
        folded[op.name] = replace(op, inputs=(*op.inputs[:2], bias), outputs=norm.outputs)
        folded[norm.name] = norm
    ops = tuple(folded.get(op.name, op) for op in graph.ops
                if op.name not in folded or op.kind != "batch_normalization")
    return _checked(_with(graph, ops, tensors))


def _can_fold(graph: Graph, op: Op, norm: Op, readers: Mapping[str, int]) -> bool:
    result = op.outputs[0]
    if op.kind not in _FOLDABLE or readers[result] != 1 or result in graph.outputs:
        return False
    if op.phase is not norm.phase or op.probability != norm.probability:
        return False
    own = [graph.tensors[name] for name in op.inputs[1:] if name]
    fixed = own + [graph.tensors[name] for name in norm.inputs[1:]]
    if not all(tensor.role in (Role.WEIGHT, Role.CONSTANT) for tensor in fixed):
        return False
    if any(readers[tensor.name] > 1 for tensor in own) or own[0].format.kind not in _SCALABLE:
        return False
    # The c of a gemm may be broadcast; only one element per column can take up the shift.
    return not _bias(op) or own[-1].shape == fixed[-1].shape


def _bias(op: Op) -> str:
    return op.inputs[2] if len(op.inputs) > 2 else ""


def _add_bias(graph: Graph, op: Op, tensors: dict[str, Tensor]) -> str:
    """Declare a bias for `op` in the format of its weight and return its name."""
    weight, channels = graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]].shape[1]
    name = f"{op.name}.bias"
    while name in tensors:
        name += "_folded"
    tensors[name] = Tensor(name, (channels,), weight.format, weight.role)
    return name


def set_precision(graph: Graph, *, weights: NumberFormat | None = None,
                  activations: NumberFormat | None = None, biases: NumberFormat | None = None,
                  tensors: Mapping[str, NumberFormat] | None = None) -> Graph:
    """Return `graph` with other number formats; shapes and operators stay.

    Parameters
    ----------
    graph : Graph
        Network.
    weights : NumberFormat or None
        For weights of two and more axes, and of one axis where `biases` is None. None: unchanged.
    activations : NumberFormat or None
        For inputs, activations, states and gradients that hold numbers; indices and truth values stay.
    biases : NumberFormat or None
        For weights with one axis or none: biases, scales and shifts.
    tensors : mapping of str to NumberFormat
        Formats of single tensors, which win over the rest.

    Raises
    ------
    GraphError
        Unknown tensor names.
    """
    single = dict(tensors or {})
    unknown = [Problem(f"{graph.name}.{name}", "unknown tensor", nearest(name, graph.tensors))
               for name in single if name not in graph.tensors]
    if unknown:
        raise GraphError(problems=unknown)
    indices = _index_tensors(graph)

    def choose(tensor: Tensor) -> NumberFormat:
        if tensor.name in single:
            return single[tensor.name]
        if tensor.role is Role.WEIGHT:
            small = biases if len(tensor.shape) < 2 else None
            return small or weights or tensor.format
        if tensor.role is Role.CONSTANT or tensor.name in indices or tensor.format in (INT64, BOOLEAN):
            return tensor.format
        return activations or tensor.format

    # Formats touch no shape, role or order, so a valid graph stays valid.
    changed = {name: replace(tensor, format=choose(tensor)) for name, tensor in graph.tensors.items()}
    return _with(graph, graph.ops, changed)


def store_floats(graph: Graph, activations: NumberFormat, weights: NumberFormat | None = None) -> Graph:
    """Return `graph` with its floating-point tensors in other formats; quantized ones keep theirs.

    Parameters
    ----------
    graph : Graph
        Network.
    activations : NumberFormat
        For tensors in floating point.
    weights : NumberFormat, optional
        For weights among them.
    """
    floats = {
        tensor.name: weights if weights and tensor.role is Role.WEIGHT else activations
        for tensor in graph.tensors.values()
        if tensor.format.kind is FormatKind.FLOAT
    }
    return set_precision(graph, tensors=floats) if floats else graph


def mark_binary(graph: Graph, signs: Collection[str]) -> Graph:
    """Return `graph` with binary formats where products multiply signs.

    Weights of products are binary if they are among `signs`; so is what such a product reads if it is the
    result of a sign, directly or behind pools and reshapes. A sign of exactly zero then counts as 1.

    Parameters
    ----------
    graph : Graph
        Network, for example from a file that knows no format of one bit.
    signs : collection of str
        Tensors that hold -1 and 1 only.
    """
    producer = {name: op for op in graph.ops for name in op.outputs}
    binary: set[str] = set()
    for op in graph.ops:
        weight = op.inputs[1] if op.kind in _PRODUCTS and len(op.inputs) > 1 else ""
        if weight not in signs or graph.tensors[weight].role is not Role.WEIGHT:
            continue
        binary.add(weight)
        name, behind = op.inputs[0], [op.inputs[0]]
        while name in producer and producer[name].kind in _KEEP_SIGNS:
            name = producer[name].inputs[0]
            behind.append(name)
        source = producer.get(name)
        if source is not None and source.kind == "elementwise" and source.attributes["function"] == "sign":
            binary.update(behind)
    return set_precision(graph, tensors=dict.fromkeys(binary, BINARY)) if binary else graph


_PRODUCTS = ("convolution", "gemm", "matmul")
_KEEP_SIGNS = ("max_pool", "reshape", "identity")


def _index_tensors(graph: Graph) -> frozenset[str]:
    """Return tensors that hold positions or lengths, because they are read or made as such."""
    found: set[str] = set()
    for op in graph.ops:
        for operand, name in zip(OP_KINDS[op.kind].operands, op.inputs, strict=False):
            if operand.name in ("indices", "sequence_lengths"):
                found.add(name)
        if op.kind in ("arg_reduce", "range"):
            found.update(op.outputs)
        if op.kind == "top_k":
            found.update(op.outputs[1:])
    return frozenset(found)


def drop_identity(graph: Graph) -> Graph:
    """Return `graph` without identity operators; readers take the operand itself.

    An identity from a network input straight to a network output stays, because both names are needed.
    """
    renamed: dict[str, str] = {}
    kept: list[Op] = []
    for op in graph.ops:
        source = renamed.get(op.inputs[0], op.inputs[0]) if op.inputs else ""
        result = op.outputs[0]
        passes_on = op.kind == "identity" and graph.tensors[source].format == graph.tensors[result].format
        if passes_on and result not in graph.outputs:
            renamed[result] = source
            continue
        if passes_on and source not in graph.outputs and _made_by(kept, source):
            kept = [_rename(earlier, {source: result}) for earlier in kept]
            renamed = {old: result if new == source else new for old, new in renamed.items()}
            renamed[source] = result
            continue
        kept.append(_rename(op, renamed))
    return _checked(_with(graph, tuple(kept), dict(graph.tensors)))


def _made_by(ops: Iterable[Op], tensor: str) -> bool:
    return any(tensor in op.outputs for op in ops)


def _rename(op: Op, names: Mapping[str, str]) -> Op:
    return replace(op, inputs=tuple(names.get(name, name) for name in op.inputs),
                   outputs=tuple(names.get(name, name) for name in op.outputs))


def remove_dead(graph: Graph) -> Graph:
    """Return `graph` without operators and tensors that no network output depends on; inputs stay."""
    needed = set(graph.outputs)
    kept: list[Op] = []
    for op in reversed(graph.ops):
        if needed.intersection(filter(None, op.outputs)):
            kept.append(op)
            needed.update(filter(None, op.inputs))
    return _checked(_with(graph, tuple(reversed(kept)), dict(graph.tensors)))


def _readers(graph: Graph) -> dict[str, int]:
    """Return how many operands each tensor is, over all operators."""
    counts = dict.fromkeys(graph.tensors, 0)
    for op in graph.ops:
        for name in filter(None, op.inputs):
            counts[name] += 1
    return counts


def _with(graph: Graph, ops: tuple[Op, ...], tensors: Mapping[str, Tensor]) -> Graph:
    """Return `graph` with other operators, keeping only tensors that are still read, made or named."""
    used = {name for op in ops for name in (*op.inputs, *op.outputs)} | set(graph.inputs) | set(graph.outputs)
    return replace(graph, ops=ops, tensors={name: t for name, t in tensors.items() if name in used})


def _checked(graph: Graph) -> Graph:
    verify_graph(graph)
    return graph
