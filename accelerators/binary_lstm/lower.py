"""Graph -> trace for the binary/ternary LSTM engine."""

from __future__ import annotations

from accelerators.binary_lstm.design import BinaryLstmDesign
from accelerators.binary_lstm.mapping import ONE_HOT, Job, issued, job_of
from hwsim.errors import InputError, Problem
from hwsim.graph.offload import is_free
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import Graph, Op
from hwsim.trace import LoopKind, Trace, TraceBuilder

LARGEST = 2**62


def lower(graph: Graph, design: BinaryLstmDesign) -> Trace:
    """Return the trace of `graph` on `design`, operator after operator.

    A step of one sample takes max(ceil(macs / mac_units), ceil(macs x weight_bits / memory_bits_per_cycle))
    cycles, then those of its gates and states; samples of a batch follow one another.

    Raises
    ------
    InputError
        With every operator that is too large to count in 64 bits.
    """
    build = TraceBuilder()
    problems = []
    for op in graph.ops:
        build.node(op.name)
        if work_of(graph, op).macs * design.weight_bits > LARGEST:
            problems.append(Problem(f"{graph.name}.{op.name}", "too large to count in 64 bits"))
            continue
        category = op_kind(op.kind).category
        if category is Category.MOVEMENT:
            _lower_movement(build, graph, op, design)
        elif category is Category.VECTOR:
            with build.loop(1, node=op.name):
                _write_primitives(build, graph, op)
                _write(build, "vector", "issue", work_of(graph, op).vector_operations)
        else:
            _lower_products(build, graph, op, design)
    if problems:
        raise InputError(problems=problems)
    return build.build()


def _lower_products(build: TraceBuilder, graph: Graph, op: Op, design: BinaryLstmDesign) -> None:
    job = job_of(graph, op, design.weights)
    each, rest = issued(graph, op, job)
    with build.loop(1, node=op.name):
        _write_primitives(build, graph, op)
        _write(build, "vector", "scale", job.visits * job.scales)
        with build.loop(job.visits):
            for macs, operations in zip(job.phases, each, strict=True):
                write_phase(build, macs, design)
                _write(build, "vector", "issue", operations)
        _write(build, "vector", "issue", rest)
    if job.skipped:
        build.skip(op.name, ONE_HOT, job.skipped)
    build.note(op.name, "mapping", _describe(job, design))


def write_phase(build: TraceBuilder, macs: int, design: BinaryLstmDesign) -> None:
    """Write one product of a visit: the memory streams weights while the MAC units use them."""
    with build.loop(1, LoopKind.PAR):
        _write(build, "mac_units", "mac", macs)
        _write(build, "memory", "read", macs * design.weight_bits, bits=1)


def _describe(job: Job, design: BinaryLstmDesign) -> str:
    macs = " + ".join(map(str, job.phases))
    text = f"{job.visits} visits of {macs} MACs, {design.weights} weights of {design.weight_bits} bits"
    return text + (", the one-hot input selects a column" if job.skipped else "")


def _write(build: TraceBuilder, unit: str, action: str, count: int, *, bits: int = 0) -> None:
    if count:
        build.event(unit, action, count, bits=bits)


def _write_primitives(build: TraceBuilder, graph: Graph, op: Op) -> None:
    for name, count in work_of(graph, op).primitives.items():
        build.event("vector", name, count, node=op.name)


def _lower_movement(build: TraceBuilder, graph: Graph, op: Op, design: BinaryLstmDesign) -> None:
    """Write a data movement: its result passes the memory port once; aliases and one-hot codes do not."""
    operations = work_of(graph, op).vector_operations
    if op.kind == "one_hot" and not operations:
        build.note(op.name, "mapping", "an index that selects a column of weights")
        return
    if is_free(op):
        build.note(op.name, "mapping", "no data moves")
        return
    names = dict.fromkeys((*op.inputs, *op.outputs) if op.kind == "offload" else op.outputs)
    with build.loop(1, node=op.name):
        _write_primitives(build, graph, op)
        _write(build, "memory", "read", sum(graph.tensors[name].bits for name in names if name), bits=1)
        _write(build, "vector", "issue", operations)
