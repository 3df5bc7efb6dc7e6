"""Graph -> trace for the sparse-state engine: columns per step, kept ones only, then the Hadamard phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from accelerators.sparse_lstm.design import Mode, SparseLstmDesign
from accelerators.sparse_lstm.zeros import CELLS, Ints, ZeroStates, count_entries, sizes_of, zero_states
from hwsim.errors import InputError, Problem
from hwsim.graph.contraction import matrix_products
from hwsim.graph.offload import is_free
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.ops.recurrent import RecurrentSizes
from hwsim.graph.types import Graph, Op, Role
from hwsim.trace import Trace, TraceBuilder
from hwsim.trace.types import LoopKind

HADAMARD_PASSES = 3
FUNCTIONS = (
    "sigmoid", "tanh", "relu", "absolute", "negate", "add", "subtract", "multiply", "square", "minimum",
    "maximum", "sum",
)
POINTWISE = ("add", "multiply", "compare", "special")


def lower(
    graph: Graph, design: SparseLstmDesign, states: Mapping[str, ZeroStates | None] | None = None
) -> Trace:
    """Return the trace of `graph` on `design`, operator after operator.

    Parameters
    ----------
    graph, design : Graph, SparseLstmDesign
        Network and knobs.
    states : mapping of str to ZeroStates or None, optional
        Zero states of every recurrent operator; from the design where they are not given.

    Raises
    ------
    InputError
        Batches beyond the scratch memory, masks that do not fit, a fraction of zeros that says too little.
    """
    problems = [
        Problem(
            f"{graph.name}.{op.name}",
            f"{sizes_of(graph, op).batch} sequences do not fit a scratch memory of {design.scratch_depth}",
            f"set scratch_depth={sizes_of(graph, op).batch}, or a smaller batch",
        )
        for op in graph.ops
        if op.kind in CELLS and sizes_of(graph, op).batch > design.scratch_depth
    ]
    if problems:
        raise InputError(problems=problems)
    known = zero_states(graph, design) if states is None else states
    build = TraceBuilder()
    for op in graph.ops:
        build.node(op.name)
        if op.kind in CELLS:
            _lower_cell(build, graph, op, known[op.name], design)
        elif op_kind(op.kind).category is Category.CONTRACTION:
            _lower_product(build, graph, op, design)
        elif op_kind(op.kind).category is Category.VECTOR:
            _lower_elementwise(build, graph, op, design)
        else:
            _lower_movement(build, graph, op)
    return build.build()


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    category = op_kind(op.kind).category
    if op.kind in CELLS:
        return "peephole connections are not part of the chip" if _operand(op, 7) else ""
    if category is Category.MOVEMENT:
        needed = sorted(set(work_of(graph, op).primitives) - set(POINTWISE))
        return f"the chip cannot {', '.join(needed)}" if needed else ""
    if category is Category.CONTRACTION:
        products = matrix_products(graph, op)
        if op.kind in ("gemm", "matmul") and len(products) == 1 and products[0].right_is_weight:
            return "" if products[0].groups == 1 else "it multiplies a different matrix for every sample"
        return "the chip multiplies vectors with one weight matrix, nothing else"
    if op.kind == "elementwise":
        function = op.text("function")
        return "" if function in FUNCTIONS else f"the chip has no {function}"
    return f"the chip has no {op.kind}"


def selects_column(graph: Graph, op: Op) -> bool:
    """Return whether the input of a recurrent operator is one-hot, so that an index selects its column."""
    return _is_one_hot(graph, op.inputs[0])


def _is_one_hot(graph: Graph, tensor: str) -> bool:
    maker = next((op for op in graph.ops if tensor in op.outputs), None)
    while maker is not None and op_kind(maker.kind).aliases:
        before = maker.inputs[0]
        if graph.tensors[before].shape[-1:] != graph.tensors[tensor].shape[-1:]:
            return False
        maker = next((op for op in graph.ops if before in op.outputs), None)
    return maker is not None and maker.kind == "one_hot"


def _feeds_cells_only(graph: Graph, tensor: str) -> bool:
    readers = [op for op in graph.ops if tensor in op.inputs]
    return (
        bool(readers)
        and tensor not in graph.outputs
        and all(
            (reader.kind in CELLS and reader.inputs[0] == tensor)
            or (op_kind(reader.kind).aliases and _feeds_cells_only(graph, reader.outputs[0]))
            for reader in readers
        )
    )


def segments(op: Op, sizes: RecurrentSizes) -> tuple[int, ...]:
    """Return the rows of each recurrent product of a step; a GRU's candidate may have to wait for a gate."""
    if op.kind == "gru" and not op.attributes["linear_before_reset"]:
        return (2 * sizes.hidden, sizes.hidden)
    return (sizes.gates * sizes.hidden,)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of the recurrent product, one entry per step.

    Attributes
    ----------
    kept, fillers : int64[steps]
        Columns computed, and zero entries that pass through the array, as each step begins.
    written : int64[steps]
        Entries that the encoder writes as each step ends; all states in dense mode.
    """

    kept: Ints
    fillers: Ints
    written: Ints


def columns_of(
    sizes: RecurrentSizes, states: ZeroStates | None, design: SparseLstmDesign, zero_start: bool
) -> Columns:
    """Return the columns of every step, direction after direction.

    The state that a step begins with is the one that the step before has written. Before the first step it
    is zero, unless the network brings one of its own, of which no zeros are known.
    """
    total = sizes.directions * sizes.steps
    whole, none = np.full(total, sizes.hidden, np.int64), np.zeros(total, np.int64)
    if design.mode is Mode.DENSE:
        return Columns(whole, none, whole)
    kept, fillers = whole.copy(), none.copy()
    if states is not None:
        kept, fillers = count_entries(
            states.zero.reshape(total, sizes.batch, sizes.hidden), design.offset_bits
        )
    first = 0 if zero_start else sizes.hidden
    return Columns(_delayed(kept, sizes, first), _delayed(fillers, sizes, 0), kept + fillers)


def _delayed(values: Ints, sizes: RecurrentSizes, first: int) -> Ints:
    before = np.roll(values.reshape(sizes.directions, sizes.steps), 1, axis=1)
    before[:, 0] = first
    return before.reshape(-1)


def _operand(op: Op, position: int) -> str:
    return op.inputs[position] if position < len(op.inputs) else ""


def _lower_cell(
    build: TraceBuilder, graph: Graph, op: Op, states: ZeroStates | None, design: SparseLstmDesign
) -> None:
    s = sizes_of(graph, op)
    rows, steps, one_hot = s.gates * s.hidden, s.directions * s.steps, selects_column(graph, op)
    recurrent = columns_of(s, states, design, zero_start=not _operand(op, 5))
    with build.loop(1, node=op.name):
        _write_primitives(build, graph, op)
        with build.loop(steps):
            if one_hot:
                with build.loop(s.batch):
                    _column(build, design, rows, 1, real=True)
            else:
                with build.loop(s.features):
                    _column(build, design, rows, s.batch, real=True)
            with build.loop(series=recurrent.kept):
                for part in segments(op, s):
                    _column(build, design, part, s.batch, real=True)
            if recurrent.fillers.any():
                with build.loop(series=recurrent.fillers):
                    for part in segments(op, s):
                        _column(build, design, part, s.batch, real=False)
            build.event("array", "hadamard", HADAMARD_PASSES * design.beats(s.hidden, s.batch))
            with build.loop(series=recurrent.written):
                _write_entry(build, design, s.batch)
    missing = steps * s.hidden - int(recurrent.kept.sum())
    build.skip(op.name, "zero state of every sequence", missing * rows * s.batch)
    if one_hot:
        build.skip(op.name, "one-hot input", steps * (s.features - 1) * rows * s.batch)
    build.note(op.name, "mapping", _mapping(s, recurrent, states, design, one_hot))


def _write_entry(build: TraceBuilder, design: SparseLstmDesign, batch: int) -> None:
    offset = 0 if design.mode is Mode.DENSE else design.offset_bits
    build.event("encoder", "entry", 1)
    build.event("dram", "state_write", batch * design.activation_bits + offset, bits=1)


def _mapping(
    s: RecurrentSizes, recurrent: Columns, states: ZeroStates | None, design: SparseLstmDesign, one_hot: bool
) -> str:
    """Return in words what was skipped, and how well rows and sequences fill the array."""
    rows, steps = s.gates * s.hidden, recurrent.kept.size
    used = rows / (design.blocks(rows) * design.weights_per_cycle)
    lanes = s.batch / (-(-s.batch // design.batch_lanes) * design.batch_lanes)
    parts = [
        f"{recurrent.kept.sum() / steps:.4g} of {s.hidden} state columns a step",
        f"{recurrent.fillers.sum() / steps:.4g} zero entries",
        f"{'one-hot' if one_hot else s.features} input columns",
        f"row lanes {used:.1%}, batch lanes {lanes:.1%} used",
    ]
    if design.mode is Mode.DENSE:
        parts.append("dense mode")
    else:
        parts.append("zeros " + (states.source if states else "not known, every state computed"))
    return ", ".join(parts)


def _column(build: TraceBuilder, design: SparseLstmDesign, rows: int, batch: int, *, real: bool) -> None:
    """Write one column of weights: beats of the array while its bits arrive; a zero entry does no work."""
    with build.loop(1, LoopKind.PAR):
        build.event("dram", "read", design.column_bits(rows, batch), bits=1)
        build.event("array", "beat", design.beats(rows, batch))
        if real:
            build.event("array", "mac", rows * batch)


def chunks(samples: int, design: SparseLstmDesign) -> tuple[tuple[int, int], ...]:
    """Return (samples, times): how a matrix product is cut into batches that fit the scratch memory."""
    whole, rest = divmod(samples, design.scratch_depth)
    cut: Sequence[tuple[int, int]] = ((design.scratch_depth, whole), (rest, 1))
    return tuple((size, times) for size, times in cut if size and times)


def _lower_product(build: TraceBuilder, graph: Graph, op: Op, design: SparseLstmDesign) -> None:
    product = matrix_products(graph, op)[0]
    with build.loop(1, node=op.name):
        _write_primitives(build, graph, op)
        for size, times in chunks(product.m, design):
            with build.loop(times):
                with build.loop(product.k):
                    _column(build, design, product.n, size, real=True)
                build.event("dram", "write", size * product.n * design.activation_bits, bits=1)
    build.note(op.name, "mapping", f"{product.k} dense columns of {product.n} rows")


def _lower_elementwise(build: TraceBuilder, graph: Graph, op: Op, design: SparseLstmDesign) -> None:
    reads = sum(graph.tensors[name].bits for name in dict.fromkeys(op.inputs) if name)
    with build.loop(1, node=op.name):
        _write_primitives(build, graph, op)
        with build.loop(1, LoopKind.PAR):
            build.event("dram", "read", reads, bits=1)
            build.event("vector", "issue", max(1, work_of(graph, op).vector_operations))
            build.event("dram", "write", graph.tensors[op.outputs[0]].bits, bits=1)


def _lower_movement(build: TraceBuilder, graph: Graph, op: Op) -> None:
    """Write a data movement: what passes through is read and written once; an alias moves nothing."""
    selected = op.kind == "one_hot" and _feeds_cells_only(graph, op.outputs[0])
    if selected or is_free(op):
        build.note(op.name, "mapping", "the index selects a column" if selected else "no data moves")
        return
    writes = sum(graph.tensors[name].bits for name in op.outputs if name)
    reads = writes + sum(
        graph.tensors[name].bits
        for name in op.inputs[1:]
        if name and graph.tensors[name].role in (Role.INPUT, Role.CONSTANT)
    )
    if op.kind == "offload":
        reads = sum(graph.tensors[name].bits for name in dict.fromkeys(op.inputs))
    with build.loop(1, node=op.name):
        _write_primitives(build, graph, op)
        build.event("dram", "read", reads, bits=1)
        build.event("dram", "write", writes, bits=1)


def _write_primitives(build: TraceBuilder, graph: Graph, op: Op) -> None:
    for name, count in work_of(graph, op).primitives.items():
        build.event("vector", name, count, node=op.name)
