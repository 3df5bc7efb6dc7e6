"""Graph -> trace for processing in DRAM: row commands in banks, and bits on the channel."""

from __future__ import annotations

from accelerators.dram_pim.design import PRESETS, DramPimDesign, Operands
from accelerators.dram_pim.operands import BATCH, Form, forms_of, product_reduction
from accelerators.dram_pim.plan import (
    Move,
    Plan,
    Ref,
    Stage,
    Step,
    passes_of,
    plan_ticks,
    reduction_plan,
)
from accelerators.dram_pim.timing import timing_of
from accelerators.dram_pim.vector import inversions, vector_plan, vector_reason
from hwsim.errors import InputError, Problem, TooLong
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.offload import is_free, is_still
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import FormatKind, Graph, Op
from hwsim.trace import LoopKind, Trace, TraceBuilder

LARGEST = 2**62
PRODUCTS = ("convolution", "binary_convolution", "matmul", "gemm", "binary_matmul", "einsum")
KINDS = ("ap", "aap", "app", "tapp")
OPENED = ("single", "double", "triple")


def supports(graph: Graph, op: Op) -> str:
    """Return why no microprogram runs `op`, or "" if one does; depends on number formats, not on knobs."""
    design = next(iter(PRESETS.values()))
    category = op_kind(op.kind).category
    if category is Category.MOVEMENT:
        return ""
    if category is Category.VECTOR:
        return vector_reason(graph, op, design)
    if category is Category.RECURRENT:
        return "gates need sigmoid and tanh: no microprogram does that"
    products = matrix_products(graph, op)
    if op.kind not in PRODUCTS or len(products) != 1:
        return f"{op.kind} is no single matrix product; results that meet in other lanes are not added"
    if op.kind == "gemm" and work_of(graph, op).primitives.get("multiply"):
        return "alpha or beta is not 1: no microprogram scales by a number that is no integer"
    forms = forms_of([graph.tensors[name] for name in op.inputs if name], design)
    return "" if forms is not None else "powers of two have no microprogram"


def lower(graph: Graph, design: DramPimDesign) -> Trace:
    """Return the trace of `graph` on `design`, operator after operator.

    Raises
    ------
    InputError
        With every operator whose operands do not fit the memory or that is too large to count.
    """
    build = TraceBuilder()
    problems: list[Problem] = []
    fused = inversions(graph)
    for op in graph.ops:
        build.node(op.name)
        try:
            if op.name in fused:
                build.note(op.name, "fused_into", fused[op.name])
            else:
                _lower_op(build, graph, op, design, [name for name, into in fused.items() if into == op.name])
        except InputError as error:
            problems += [Problem(f"{graph.name}.{op.name}", p.reason, p.hint) for p in error.problems]
    if problems:
        raise InputError(problems=problems)
    return build.build()


def _lower_op(
    build: TraceBuilder, graph: Graph, op: Op, design: DramPimDesign, inverters: list[str]
) -> None:
    """Write an operator, and those of `inverters` that its microprogram does along with it."""
    work = work_of(graph, op)
    plan = plan_of(graph, op, design, inverted=bool(inverters))
    if plan is None:
        build.note(op.name, "mapping", "no data moves")
        return
    ticks = plan_ticks(plan, design)
    if ticks > LARGEST or work.macs > LARGEST:
        raise TooLong(f"{ticks} ticks do not fit into 64 bits")
    with build.loop(1, LoopKind.PAR, node=op.name):
        _write(build, "lanes", "mac", work.macs)
        for name, count in work.primitives.items():
            _write(build, "lanes", name, count)
        for other in inverters:
            build.event("lanes", "logic", work.primitives["logic"], node=other)
        with build.loop(1):
            for step in plan.steps:
                _lower_step(build, step, design)
            _write(build, "sequencer", "refresh", timing_of(design).refreshes(ticks))
    build.note(op.name, "mapping", plan.text)


def _lower_step(build: TraceBuilder, step: Step, design: DramPimDesign) -> None:
    if isinstance(step, Move):
        _write(build, "channel", "read", 1 if step.read_bits else 0, step.read_bits)
        _write(build, "channel", "write", 1 if step.write_bits else 0, step.write_bits)
        return
    passes = passes_of(step, design)
    if passes.full:
        with build.loop(passes.full):
            _write(build, "sequencer", "step", passes.full_ticks)
    _write(build, "sequencer", "step", passes.rest_ticks)
    for unit, names in (("banks", KINDS), ("rows", OPENED)):
        for name in names:
            _write(build, unit, name, getattr(passes.commands, name) * passes.rows)


def _write(build: TraceBuilder, unit: str, action: str, count: int, bits: int = 0) -> None:
    if count > LARGEST or bits > LARGEST:
        raise TooLong(f"{max(count, bits)} events or bits of {unit} do not fit into 64 bits")
    if count:
        build.event(unit, action, count, bits=bits)


def plan_of(graph: Graph, op: Op, design: DramPimDesign, *, inverted: bool = False) -> Plan | None:
    """Return what runs for an operator, or for its complement; None if nothing does."""
    category = op_kind(op.kind).category
    if category is Category.MOVEMENT:
        return _movement_plan(graph, op)
    is_vector = category is Category.VECTOR
    plan = vector_plan(graph, op, design, inverted) if is_vector else _product_plan(graph, op, design)
    if design.operands is Operands.CHANNEL:
        left = sum(graph.tensors[name].bits for name in op.outputs if name)
        plan = Plan((*plan.steps, Move(left, 0)), plan.text)
    return plan


def _movement_plan(graph: Graph, op: Op) -> Plan | None:
    """Return a data movement: lanes do not reach each other, so everything goes out and comes back."""
    if is_still(op) or is_free(op):
        return None
    left = sum(graph.tensors[name].bits for name in op.outputs if name)
    read = sum(graph.tensors[n].bits for n in dict.fromkeys(op.inputs) if n) if op.kind == "offload" else left
    return Plan((Move(read, left),), "out through the channel and back")


def _product_plan(graph: Graph, op: Op, design: DramPimDesign) -> Plan:
    (product,) = matrix_products(graph, op)
    return product_plan(graph, op, product, work_of(graph, op).primitives.get("add", 0), design)


def product_plan(graph: Graph, op: Op, product: MatrixProduct, adds: int, design: DramPimDesign) -> Plan:
    """Return the plan of a matrix product of `op`, and of `adds` additions of a bias to its results."""
    reduction = product_reduction(graph, product, design)
    if reduction is None:
        raise InputError("powers of two have no microprogram")
    plan = reduction_plan(reduction, design, f"{graph.name}.{op.name}")
    steps, rows, signed = list(plan.steps), reduction.rows, reduction.signed
    if reduction.batch == BATCH:
        matches, total = Ref("acc", rows), Ref(f"={product.k}", rows + 1)
        signed_sum = Ref("acc", rows + 1, True)
        steps.append(Stage("from_matches", (matches, total), signed_sum, 1, reduction.outputs))
        rows, signed = rows + 1, True
    if adds:
        (bias,) = forms_of([graph.tensors[op.inputs[2]]], design) or [Form(FormatKind.INTEGER, rows)]
        both = signed or bias.signed
        width = max(rows + (both and not signed), bias.fitted(both)) + 1
        accumulator = Ref("acc", width, both)
        steps.append(Stage("add", (accumulator, Ref("bias", width, both)), accumulator, 1, adds))
    return Plan(tuple(steps), plan.text)
