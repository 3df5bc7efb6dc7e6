"""Turns a network into a scheduling problem: bytes by bit width, shared storage, fused operators, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from hwsim.errors import GraphError, InputError, nearest
from hwsim.graph.ops import op_kind
from hwsim.graph.passes import set_precision
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Op
from hwsim.schedule.network_fusion import Fusion, group_steps, name_of
from hwsim.schedule.network_view import View
from hwsim.schedule.types import Operator, Problem, Tensor

_MOST_BITS = 64


class Weights(StrEnum):
    """Where weights lie: not in the scratchpad, as private space of their operator, or as tensors."""

    NONE = "none"
    WORKSPACE = "workspace"
    TENSORS = "tensors"


@dataclass(frozen=True, slots=True)
class Options:
    """How a network becomes a problem.

    Attributes
    ----------
    bits : int or None
        Bits per element of activations and weights; None keeps the formats of the network. Indices and
        truth values keep theirs.
    fusion : Fusion
        Which operators run as one step, see `Fusion`. The default is the granularity at which schedules of
        convolutional and of searched networks are published.
    weights : Weights
        See `Weights`.
    clean_outputs : bool
        The store of a network output, which happens anyway, doubles as its spill.
    block_bytes, alignment_bytes : int
        Sizes are rounded up to blocks; addresses are multiples of both.
    """

    bits: int | None = None
    fusion: Fusion = Fusion.OPERATIONS
    weights: Weights = Weights.NONE
    clean_outputs: bool = True
    block_bytes: int = 1024
    alignment_bytes: int = 64

    def __post_init__(self) -> None:
        if self.bits is not None and not 1 <= self.bits <= _MOST_BITS:
            raise InputError(f"{self.bits} bits per element is outside 1 to {_MOST_BITS}", where="bits")
        for where, given, choices in (("fusion", self.fusion, tuple(map(str, Fusion))),
                                      ("weights", self.weights, tuple(map(str, Weights)))):
            if given not in choices:
                raise InputError(f"unknown choice {given!r}", where=where,
                                 hint=nearest(str(given), choices))
        if self.block_bytes < 1:
            raise InputError(f"a block of {self.block_bytes} bytes holds nothing", where="block_bytes")
        if self.block_bytes % self.alignment_bytes:
            raise InputError(f"a block of {self.block_bytes} bytes is no multiple of the alignment of "
                             f"{self.alignment_bytes} bytes", where="block_bytes")


@dataclass(frozen=True, slots=True)
class NetworkProblem:
    """A problem with its way back to the network.

    Attributes
    ----------
    problem : Problem
        Operators and tensors keep the names they have in the network.
    members : mapping of str to tuple of str
        Operators of the network that run as one step, by the step's name: that of its first matrix product,
        else of its first operator.
    storage : mapping of str to str
        Tensor of the problem in which each tensor of the network that has storage of its own lies.
    tensor_bytes : mapping of str to int
        Exact bytes of each tensor of the problem, before rounding to blocks.
    read_bits : mapping of str to int
        Bits of the distinct operands of each operator of the network, parameters left out.
    options : Options
        What was asked for.
    notes : tuple of str
        What became of operators that are no step of their own.
    """

    problem: Problem
    members: Mapping[str, tuple[str, ...]]
    storage: Mapping[str, str]
    tensor_bytes: Mapping[str, int]
    read_bits: Mapping[str, int]
    options: Options
    notes: tuple[str, ...] = ()


def from_graph(graph: Graph, options: Options | None = None) -> NetworkProblem:
    """Return the scheduling problem of a network.

    Reshape, flatten and identity share the storage of their operand and are no step. Concatenations and
    additions are steps. Tables from which rows are gathered never lie in the scratchpad.

    Raises
    ------
    GraphError
        No operator is left.
    """
    options = options or Options()
    if options.bits is not None:
        form = NumberFormat(FormatKind.INTEGER, options.bits)
        graph = set_precision(graph, weights=form, activations=form)
    view = View(graph)
    groups = group_steps(view, options.fusion)
    if not groups:
        raise GraphError("the network has no operator that computes anything", where=graph.name)
    table = _Table(view, options)
    operators = tuple(table.operator(group) for group in groups)
    problem = Problem(graph.name, operators, tuple(table.tensors), options.block_bytes,
                      options.alignment_bytes)
    storage = {name: root for name in graph.tensors if (root := view.root(name)) in table.index}
    members = {name_of(group): tuple(op.name for op in group) for group in groups}
    read_bits = {op.name: view.read_bits(op) for op in graph.ops}
    return NetworkProblem(problem, members, storage, table.sizes, read_bits, options, _notes(view, groups))


class _Table:
    """Tensors of the problem in order of first use."""

    def __init__(self, view: View, options: Options) -> None:
        self._view = view
        self._options = options
        self.index: dict[str, int] = {}
        self.tensors: list[Tensor] = []
        self.sizes: dict[str, int] = {}
        self._made = {view.root(name) for op in view.steps for name in op.outputs if name}

    def operator(self, group: tuple[Op, ...]) -> Operator:
        """Return one step; its tensors are added to the table."""
        view, weights = self._view, self._options.weights
        inner = {op.outputs[0] for op in group[:-1]}
        reads = [root for op in group for root in view.activations(op) if root not in inner]
        held = list(dict.fromkeys(name for op in group for name in _held_parameters(view, op)))
        workspace = 0
        if weights is Weights.TENSORS:
            reads += held
        elif weights is Weights.WORKSPACE:
            aligned = (self._aligned(-(-view.bits(name) // 8)) for name in held)
            workspace = self._blocks(sum(aligned))
        inputs = sorted({self._number(root) for root in reads})
        outputs = sorted({self._number(view.root(name)) for name in group[-1].outputs if name})
        return Operator(name_of(group), tuple(inputs), tuple(outputs), workspace)

    def _number(self, root: str) -> int:
        if root not in self.index:
            self.index[root] = len(self.tensors)
            size = -(-self._view.bits(root) // 8)
            is_output = root in self._view.outputs
            in_dram = root not in self._made or (is_output and self._options.clean_outputs)
            self.sizes[root] = size
            self.tensors.append(Tensor(root, self._blocks(size), in_dram, is_output and root in self._made))
        return self.index[root]

    def _blocks(self, size_bytes: int) -> int:
        return -(-size_bytes // self._options.block_bytes)

    def _aligned(self, size_bytes: int) -> int:
        unit = self._options.alignment_bytes
        return -(-size_bytes // unit) * unit


def _held_parameters(view: View, op: Op) -> list[str]:
    """Return the parameters that must be on the chip as a whole; gathered rows come straight from DRAM."""
    skipped = {op.inputs[0]} if op.kind.startswith("gather") else set()
    held = (name for name in op.inputs if name and name not in skipped and view.is_parameter(name))
    return list(dict.fromkeys(view.root(name) for name in held))


def _notes(view: View, groups: list[tuple[Op, ...]]) -> tuple[str, ...]:
    steps = len(view.steps)
    fused = steps - len(groups)
    shared = sum(op_kind(op.kind).aliases for op in view.graph.ops)
    offline = len(view.graph.ops) - steps - shared
    found = [f"operators that run as part of another one: {fused}"] if fused else []
    found += [f"reshapes and identities that share the storage of their operand: {shared}"] if shared else []
    found += [f"operators on weights alone, done offline: {offline}"] if offline else []
    return tuple(found)


def from_problem(problem: Problem) -> NetworkProblem:
    """Wrap a problem that comes without a network."""
    sizes = {t.name: t.size * problem.block_bytes for t in problem.tensors}
    options = replace(Options(), block_bytes=problem.block_bytes, alignment_bytes=problem.alignment_bytes)
    return NetworkProblem(problem, {op.name: (op.name,) for op in problem.operators},
                          {name: name for name in sizes}, sizes, {}, options)
