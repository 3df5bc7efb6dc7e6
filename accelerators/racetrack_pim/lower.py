"""Graph -> trace for racetracks: commands of rows of clusters, copies, and what goes to the host."""

from __future__ import annotations

from math import ceil

from accelerators.racetrack_pim.design import MultiplyModel, RacetrackDesign
from accelerators.racetrack_pim.mapping import Task, moves, on_host, tasks_of, way_of
from hwsim.errors import InputError, Problem
from hwsim.graph.contraction import matrix_products
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import FormatKind, Graph, Op
from hwsim.trace import Trace, TraceBuilder

LARGEST = 2**60


def lower(graph: Graph, design: RacetrackDesign) -> Trace:
    """Return the trace of `graph` on `design`, operator after operator, command after command.

    All rows of an operator give the same commands; how many do so at once is a matter of prices. Vector
    operations with divisions or look-ups run on the host, over the memory bus.

    Raises
    ------
    UnsupportedOp, DesignError
        See `mapping.tasks_of`; every operator at once.
    InputError
        Counts beyond 64 bits.
    """
    build, problems = TraceBuilder(), list[Problem]()
    kind: type[InputError] = InputError
    for op in graph.ops:
        work = work_of(graph, op)
        if (work.macs + work.vector_operations) * 4096 > LARGEST:
            problems.append(Problem(f"{graph.name}.{op.name}", "too large to count in 64 bits"))
            continue
        try:
            tasks = tasks_of(graph, op, design)
        except InputError as error:
            kind, problems = type(error), [*problems, *error.problems]
            continue
        build.node(op.name)
        with build.loop(1, node=op.name):
            for task in tasks:
                _lower_task(build, task)
            _lower_rest(build, graph, op, design)
        if words := _describe(graph, op, tasks, design):
            build.note(op.name, "mapping", words)
    if problems:
        raise kind(problems=problems)
    return build.build()


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    for name in (*op.inputs, *op.outputs):
        if name and graph.tensors[name].format.kind is FormatKind.POWER_OF_TWO:
            return f"{name} is stored as powers of two, lanes hold integers and floating-point numbers"
    if work_of(graph, op).macs and not matrix_products(graph, op):
        return f"{op.kind} {op.attributes.get('equation', '')} is no sum of matrix products"
    return ""


def _lower_task(build: TraceBuilder, task: Task) -> None:
    for (unit, action, bits), count in task.program.counts.items():
        if count:
            with build.loop(count * task.times):
                build.event(unit, action, task.rows, bits=bits)


def _lower_rest(build: TraceBuilder, graph: Graph, op: Op, design: RacetrackDesign) -> None:
    work = work_of(graph, op)
    if work.macs:
        build.event("lanes", "mac", work.macs)
    host = bool(on_host(graph, op))
    for name, count in work.primitives.items():
        build.event("host" if host else "lanes", name, count)
    if host and work.vector_operations:
        build.event("bus", "transfer", 1, bits=_host_bits(graph, op))
        build.event("host", "issue", work.vector_operations)
    if moves(op) and (op.kind != "offload" or op.int("moves")):
        bits = sum(graph.tensors[name].bits for name in op.outputs if name)
        build.event("storage", "copy", ceil(bits / design.wires), bits=design.wires)


def _host_bits(graph: Graph, op: Op) -> int:
    """Return bits over the bus: operands and results, of products only what they made."""
    results = sum(graph.tensors[name].bits for name in op.outputs if name)
    products = matrix_products(graph, op)
    if products:
        made = sum(p.groups * p.m * p.n * p.steps * graph.tensors[p.out].format.bits for p in products)
        return made + results
    return results + sum(graph.tensors[name].bits for name in dict.fromkeys(op.inputs) if name)


def _describe(graph: Graph, op: Op, tasks: list[Task], design: RacetrackDesign) -> str:
    words = [f"{task.label} {task.rows}" + (f" x {task.times}" if task.times > 1 else "") for task in tasks]
    products = matrix_products(graph, op)
    words = [", ".join(words) + " rows"] if words else []
    if products:
        words.insert(0, way_of(graph, products[0]).value)
    multiplies = any(task.label in ("products", "multiply") for task in tasks)
    if multiplies and design.multiply_model is MultiplyModel.FUNCTIONAL:
        words.append("products modeled, not published")
    if (why := on_host(graph, op)) and op_kind(op.kind).category is not Category.MOVEMENT:
        words.append(f"on the host: {why}")
    return "; ".join(words)
