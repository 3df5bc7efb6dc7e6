"""Which operator takes which programs, in how many rows of clusters, how often; or runs on the host."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import ceil, prod

from accelerators.racetrack_pim.design import LANE_BITS, MultiplyModel, RacetrackDesign
from accelerators.racetrack_pim.programs import FLOAT_BITS, FLOAT_LANE, Program, Programs
from accelerators.racetrack_pim.timing import Level
from hwsim.errors import DesignError, UnsupportedOp
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Op

PUBLISHED_BITS = 8
PUBLISHED_PRODUCT = Program({("multiplier", "product", 0): 1})


class Way(Enum):
    """How the terms of a sum come about: weights that add or subtract inputs are predicates."""

    FLOAT = "float32"
    XNOR = "xnor"
    PREDICATED = "predicated"
    MULTIPLY = "integer"


@dataclass(frozen=True, slots=True)
class Task:
    """One program of an operator.

    Attributes
    ----------
    label : str
        What it is for.
    rows : int
        Rows of clusters that it takes, all at once as far as there are clusters.
    times : int
        How often one after another.
    program : Program
        Commands of one row.
    """

    label: str
    rows: int
    times: int
    program: Program


def tasks_of(graph: Graph, op: Op, design: RacetrackDesign) -> list[Task]:
    """Return what clusters do for `op`, in order; nothing for what the host does.

    Raises
    ------
    UnsupportedOp
        Sums that no lane holds, or a multiplication whose cycles are not published.
    DesignError
        `accumulator_bits` that a sum overflows.
    """
    programs = Programs(design)
    products = matrix_products(graph, op)
    found = [task for product in products for task in _product(graph, op, product, programs)]
    if on_host(graph, op) or not work_of(graph, op).vector_operations:
        return found
    reduction = op.text("function") if op.kind == "reduce" else op.kind
    if reduction in ("max", "min", "max_pool", "global_max_pool"):
        return _largest(graph, op, programs)
    if reduction in ("sum", "mean", "average_pool", "global_average_pool"):
        return _summed(graph, op, programs)
    # A bias is one more operand of the sums of the products.
    return found if found else _elementwise(graph, op, programs)


def on_host(graph: Graph, op: Op) -> str:
    """Return why vector operations of `op` run on the host, "" if clusters do them."""
    work = work_of(graph, op)
    if work.primitives.get("divide") or work.primitives.get("special"):
        return "divisions and look-ups"
    if op.kind in ("cumulative_sum", "top_k", "arg_reduce", "lp_pool", "group_normalization"):
        return "results that depend on one another"
    if op.kind == "reduce" and op.text("function") not in ("sum", "mean", "max", "min"):
        return f"reduction to {op.text('function')}"
    if op.kind == "elementwise" and op.text("function") in ("floor", "ceil", "round", "bit_shift"):
        return op.text("function")
    return ""


def way_of(graph: Graph, product: MatrixProduct) -> Way:
    """Return how a product's terms come about, from the formats of its operands."""
    left, right = graph.tensors[product.left].format, graph.tensors[product.right].format
    if FormatKind.FLOAT in (left.kind, right.kind):
        return Way.FLOAT
    if left.kind is FormatKind.BINARY and right.kind is FormatKind.BINARY:
        return Way.XNOR
    if product.right_is_weight and right.kind in (FormatKind.TERNARY, FormatKind.BINARY):
        return Way.PREDICATED
    return Way.MULTIPLY


def signed_bits(form: NumberFormat) -> int:
    """Return bits of a value in two's complement."""
    return {FormatKind.BINARY: 2, FormatKind.UNSIGNED: form.bits + 1}.get(form.kind, form.bits)


def factor_bits(graph: Graph, product: MatrixProduct) -> int:
    """Return the bits of both factors of a product in lanes."""
    return lane_for(max(signed_bits(graph.tensors[name].format) for name in (product.left, product.right)))


def sum_bits(graph: Graph, product: MatrixProduct, design: RacetrackDesign) -> int:
    """Return the width of the lanes in which a product of K terms and a constant are summed exactly."""
    left, right = (signed_bits(graph.tensors[name].format) for name in (product.left, product.right))
    terms = product.k.bit_length()
    needed = {Way.XNOR: terms + 2, Way.PREDICATED: left + terms + 1}.get(
        way_of(graph, product), left + right + terms
    )
    if design.accumulator_bits and design.accumulator_bits < needed:
        raise DesignError(
            f"sums of {product.k} terms take {needed} bits, lanes of {design.accumulator_bits} overflow",
            where="racetrack_pim.accumulator_bits",
            hint=f"accumulator_bits={lane_for(needed)}, or 0 for as many as each sum needs",
        )
    return design.accumulator_bits or lane_for(needed)


def lane_for(bits: int) -> int:
    """Return the narrowest lane of at least `bits` bits; UnsupportedOp beyond the widest."""
    for lane in LANE_BITS:
        if lane >= bits:
            return lane
    raise UnsupportedOp(f"{bits} bits exceed the widest lane, {LANE_BITS[-1]}", where="racetrack_pim")


def _product(graph: Graph, op: Op, product: MatrixProduct, programs: Programs) -> list[Task]:
    d, way, steps = programs.design, way_of(graph, product), product.steps
    results = product.groups * product.m * product.n
    if way is Way.FLOAT:
        rows = _rows(results, FLOAT_LANE, op, d)
        return [
            Task("products", rows, product.k * steps, programs.voted(programs.float_product)),
            Task("sums", rows, product.k * steps, programs.voted(programs.float_sum)),
        ]
    lane = sum_bits(graph, product, d)
    rows, total = _rows(results, lane, op, d), programs.total(product.k + 1, lane)
    if way is Way.MULTIPLY:
        bits = factor_bits(graph, product)
        shared = _rows(results, 2 * bits, op, d)
        return [
            Task("products", shared, product.k * steps, programs.voted(multiplication(op, bits, programs))),
            Task("sums", rows, steps, programs.voted(total)),
        ]
    weight_bits = 1 if graph.tensors[product.right].format.kind is FormatKind.BINARY else 2
    gated = programs.gates(product.k) + programs.predicate(ceil(weight_bits * product.k / lane))
    return [Task("sums", rows, steps, programs.voted(total + gated))]


def multiplication(op: Op, bits: int, programs: Programs, signed: bool = True) -> Program:
    """Return a multiplication of integers, published or of the model's own.

    Raises
    ------
    UnsupportedOp
        The published model, asked for what nobody published.
    """
    d = programs.design
    if d.multiply_model is MultiplyModel.FUNCTIONAL:
        return programs.product(bits, signed)
    asked = (
        (bits == PUBLISHED_BITS, f"of {bits} bits"),
        (d.trd != 5, "at distance 5"),
        (d.timing is Level.DEVICE, "at controller level"),
    )
    missing = [words for published, words in asked if not published]
    if missing:
        raise UnsupportedOp(
            f"no multiplication {' '.join(missing)} is published, only of 8 bits at distances 3 and 7",
            where=f"racetrack_pim.multiply_model: {op.name}",
            hint="multiply_model=functional counts the model's own trace, which nobody published",
        )
    return PUBLISHED_PRODUCT


def rounds(operands: int, trd: int) -> list[tuple[int, int]]:
    """Return (candidates, times) of the searches that find the largest of `operands`, TRD at a time.

    The first search takes TRD, each further one the largest so far and TRD - 1 more.
    """
    if operands <= trd:
        return [(operands, 1)]
    full, rest = divmod(operands - trd, trd - 1)
    return [(trd, 1 + full)] + ([(rest + 1, 1)] if rest else [])


def _largest(graph: Graph, op: Op, programs: Programs) -> list[Task]:
    d = programs.design
    results = sum(graph.tensors[name].elements for name in op.outputs if name)
    form = graph.tensors[op.inputs[0]].format
    lane = ordered_bits(form)
    rows = _rows(results, lane, op, d)
    return [
        Task("maxima", rows, times, programs.voted(largest_of(count, form, programs)))
        for count, times in rounds(_window(graph, op), d.trd)
        if count > 1
    ]


def ordered_bits(form: NumberFormat) -> int:
    """Return the width of lanes in which numbers of a format are compared; unsigned ones need no sign."""
    return lane_for(form.bits if form.kind is FormatKind.UNSIGNED else signed_bits(form))


def largest_of(candidates: int, form: NumberFormat, programs: Programs) -> Program:
    """Return the search for the largest of some integers or floating-point numbers."""
    if form.kind is FormatKind.FLOAT:
        return programs.float_maximum(candidates)
    return programs.maximum(candidates, ordered_bits(form))


def _window(graph: Graph, op: Op) -> int:
    """Return elements that one result of a pool or reduction is made of."""
    if op.kind in ("max_pool", "average_pool"):
        return prod(op.ints("kernel"))
    results = graph.tensors[op.outputs[0]].elements
    return max(1, graph.tensors[op.inputs[0]].elements // max(1, results))


def _summed(graph: Graph, op: Op, programs: Programs) -> list[Task]:
    d, count = programs.design, _window(graph, op)
    results = graph.tensors[op.outputs[0]].elements
    form, scaled = graph.tensors[op.inputs[0]].format, bool(work_of(graph, op).primitives.get("multiply"))
    if form.kind is FormatKind.FLOAT:
        rows = _rows(results, FLOAT_LANE, op, d)
        found = [Task("sums", rows, count - 1, programs.voted(programs.float_sum))] if count > 1 else []
        product = programs.voted(programs.float_product)
        return found + ([Task("products", rows, 1, product)] if scaled else [])
    lane = lane_for(signed_bits(form) + count.bit_length())
    found = [Task("sums", _rows(results, lane, op, d), 1, programs.voted(programs.total(count, lane)))]
    if scaled:
        bits = lane_for(signed_bits(form))
        product = programs.voted(multiplication(op, bits, programs))
        found.append(Task("products", _rows(results, 2 * bits, op, d), 1, product))
    return found


def _elementwise(graph: Graph, op: Op, programs: Programs) -> list[Task]:
    """Return one program per elementary operation, all elements side by side."""
    d, found = programs.design, []
    form = graph.tensors[next(name for name in op.inputs if name)].format
    function = op.text("function") if op.kind == "elementwise" else ""
    for primitive, count in work_of(graph, op).primitives.items():
        program, lane = vector_program(op, primitive, function, form, programs)
        found.append(Task(primitive, _rows(count, lane, op, d), 1, programs.voted(program)))
    return found


def vector_program(
    op: Op, primitive: str, function: str, form: NumberFormat, programs: Programs
) -> tuple[Program, int]:
    """Return the program of an elementary operation and the width of its lanes."""
    floats, unsigned = form.kind is FormatKind.FLOAT, form.kind is FormatKind.UNSIGNED
    if primitive == "logic":
        return programs.logic, form.bits
    bits = FLOAT_BITS if floats else lane_for(form.bits if unsigned else signed_bits(form))
    if primitive == "add":
        if floats:
            return programs.float_sum, FLOAT_LANE
        # Unsigned numbers wrap around; signed ones have a bit more, so that they can saturate.
        lane = bits if unsigned else lane_for(signed_bits(form) + 1)
        # A subtrahend is complemented on its way and a one is added.
        return programs.total(2 if function in ("add", "sum", "") else 3, lane), lane
    if primitive == "multiply":
        if floats:
            return programs.float_product, FLOAT_LANE
        return multiplication(op, bits, programs, signed=not unsigned), 2 * bits
    if function in ("relu", "sign"):
        return programs.copy(1 if function == "relu" else 2) + programs.predicate(), bits
    return largest_of(2, form, programs), bits


def _rows(results: int, lane_bits: int, op: Op, design: RacetrackDesign) -> int:
    lanes = design.lanes(lane_bits)
    if not lanes:
        raise UnsupportedOp(
            f"a lane of {lane_bits} bits does not fit clusters of {design.wires} wires",
            where=f"racetrack_pim.{op.name}",
            hint=f"wires={lane_bits}",
        )
    return ceil(results / lanes)


def moves(op: Op) -> bool:
    """Return whether `op` only moves elements to other places."""
    kind = op_kind(op.kind)
    return kind.category is Category.MOVEMENT and not kind.aliases
