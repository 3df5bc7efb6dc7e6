"""Plans of what is no matrix product: elementwise functions, pooling, reductions, normalization."""

from __future__ import annotations

import math
from dataclasses import replace

from accelerators.dram_pim.design import DramPimDesign, Operands
from accelerators.dram_pim.operands import Form, forms_of
from accelerators.dram_pim.plan import (
    Move,
    Plan,
    Reduction,
    Ref,
    Stage,
    Step,
    accumulator_rows,
    reduction_plan,
)
from hwsim.graph.types import FormatKind, Graph, Op, Role, Tensor

# Elementwise functions of one or two operands, by name: program, and the order of its operands.
DIRECT = {
    "add": ("add", (0, 1)), "subtract": ("subtract", (0, 1)),
    "maximum": ("maximum", (0, 1)), "minimum": ("minimum", (0, 1)), "sum": ("add", (0, 1)),
    "greater": ("greater", (0, 1)), "less": ("greater", (1, 0)),
    "less_or_equal": ("not_greater", (0, 1)), "greater_or_equal": ("not_greater", (1, 0)),
    "equal": ("equal", (0, 1)), "not_equal": ("not_equal", (0, 1)),
    "and": ("and", (0, 1)), "or": ("or", (0, 1)), "xor": ("xor", (0, 1)), "not": ("not", (0,)),
    "bitwise_and": ("and", (0, 1)), "bitwise_or": ("or", (0, 1)), "bitwise_xor": ("xor", (0, 1)),
    "bitwise_not": ("not", (0,)), "relu": ("relu", (0,)), "absolute": ("absolute", (0,)),
}
ORDERED = ("maximum", "minimum", "greater", "not_greater")
OTHERS = ("sign", "multiply", "square", "negate", "where", "clip", "bit_shift")
INVERTED = {"and": "nand", "or": "nor", "xor": "xnor"}
LOGICAL = ("and", "or", "xor", "not")
NO_PROGRAM = {
    "softmax": "exponentials and divisions", "local_response_normalization": "powers and divisions",
    "layer_normalization": "roots and divisions", "instance_normalization": "roots and divisions",
    "group_normalization": "roots and divisions", "rms_normalization": "roots and divisions",
    "quantize": "scales that are no integers", "dequantize": "scales that are no integers",
    "lp_pool": "roots", "resize": "interpolation between lanes", "top_k": "an order of lanes",
    "arg_reduce": "positions of lanes", "cumulative_sum": "sums that run along lanes",
}
POOLS = ("max_pool", "average_pool", "global_max_pool", "global_average_pool")
ONE_BIT = "numbers of one bit are multiplied and counted, compared and joined by and, or; nothing else"
REDUCTIONS = ("sum", "mean", "max", "min")


def vector_reason(graph: Graph, op: Op, design: DramPimDesign) -> str:
    """Return why a vector operator has no plan, or ""."""
    if op.kind in NO_PROGRAM:
        return f"{op.kind} needs {NO_PROGRAM[op.kind]}: no microprogram does that"
    tensors = [tensor for tensor in graph.operands(op) if tensor is not None]
    forms = forms_of(tensors, design)
    if forms is None:
        return "powers of two have no microprogram"
    if op.kind == "elementwise":
        return _elementwise_reason(op, graph.tensors[op.outputs[0]], tensors, forms)
    if op.kind == "reduce":
        function = op.text("function")
        if function not in REDUCTIONS:
            return f"no microprogram reduces by {function}"
    if forms[0].kind is FormatKind.BINARY and reduced_function(op) not in ("max", "min"):
        return f"{op.kind} of {{-1, 1}}: {ONE_BIT}"
    return "" if op.kind in (*POOLS, "reduce", "batch_normalization") else f"no microprogram for {op.kind}"


def _elementwise_reason(op: Op, out: Tensor, tensors: list[Tensor], forms: list[Form]) -> str:
    function = op.text("function")
    if function == "sign" and out.format.kind is not FormatKind.BINARY:
        return "sign is -1 or 1 here: its result needs the format binary"
    if function not in DIRECT and function not in OTHERS:
        return f"no microprogram for {function}"
    if function == "bit_shift" and tensors[1].role is not Role.CONSTANT:
        return "bit_shift by data: rows are shifted by another name, the same for all lanes"
    arithmetic = DIRECT.get(function, ("",))[0] not in LOGICAL
    if arithmetic and any(form.kind is FormatKind.BINARY for form in forms):
        return f"{function} of {{-1, 1}}: {ONE_BIT}"
    return ""


def inversions(graph: Graph) -> dict[str, str]:
    """Return operators that only invert the result of a logical one, and that one: nand, nor, xnor."""
    producers = {name: op for op in graph.ops for name in op.outputs}
    readers = [name for op in graph.ops for name in op.inputs] + list(graph.outputs)
    return {op.name: made.name for op in graph.ops
            if _direct(op) == "not" and (made := producers.get(op.inputs[0])) is not None
            and _direct(made) in INVERTED and len(made.inputs) == 2 and readers.count(op.inputs[0]) == 1}


def _direct(op: Op) -> str:
    return DIRECT.get(op.text("function"), ("",))[0] if op.kind == "elementwise" else ""


def vector_plan(graph: Graph, op: Op, design: DramPimDesign, inverted: bool = False) -> Plan:
    """Return the plan of a vector operator that has one; `inverted` logic yields the complement."""
    tensors = [tensor for tensor in graph.operands(op) if tensor is not None]
    out = graph.tensors[op.outputs[0]]
    forms = forms_of(tensors, design) or []
    if op.kind == "elementwise":
        plan = _elementwise_plan(op, forms, forms_of([out], design) or [], out.elements, design)
        return _inverted(plan) if inverted else plan
    if op.kind == "batch_normalization":
        return _with_channel(_normalization_steps(forms[0], out.elements), forms, out, design)
    return _reduced_plan(graph, op, out, design)


def _with_channel(steps: tuple[Step, ...], forms: list[Form], out: Tensor, design: DramPimDesign) -> Plan:
    text = " + ".join(step.program for step in steps if isinstance(step, Stage))
    if design.operands is Operands.CHANNEL:
        steps = (Move(0, out.elements * sum(form.bits for form in forms)), *steps)
    return Plan(steps, f"{text} on {out.elements} lanes")


def _elementwise_plan(op: Op, forms: list[Form], result: list[Form], elements: int,
                      design: DramPimDesign) -> Plan:
    function = op.text("function")
    signed = any(form.signed for form in forms)
    width = max(form.fitted(signed) for form in forms)
    refs = [Ref(f"x{i}", width, signed) for i in range(len(forms))]
    steps: list[Step] = []

    def put(program: str, operands: tuple[Ref, ...], result: Ref, parameter: int = 0) -> None:
        steps.append(Stage(program, operands, result, 1, elements, parameter))

    out = Ref("out", width, signed)
    if function in DIRECT:
        program, order = DIRECT[function]
        if program in ("relu", "absolute") and not signed:
            program = "copy"
        if program in ORDERED and signed:
            program += "_signed"
        truth = Ref("out", 1)
        single = program.removesuffix("_signed") in ("greater", "not_greater", "equal", "not_equal")
        if len(order) == 1:
            put(program, (refs[0],), out)
        else:
            put(program, tuple(refs[i] for i in order), truth if single else out)
            for ref in refs[2:]:
                put(program, (out, ref), out)
    elif function == "sign":
        put("sign", (Ref("x0", forms[0].fitted(signed=True), True),), Ref("out", 1))
    elif function in ("multiply", "square"):
        wide = bool(result) and result[0].bits >= 2 * width
        program = "multiply_signed" if signed and wide else "multiply"
        product = Ref("out", 2 * width, signed and wide)
        put(program, (refs[0], refs[-1]), product)
    elif function == "negate":
        put("subtract", (Ref("=0", width), refs[0]), out)
    elif function == "where":
        chosen = max(form.fitted(any(f.signed for f in forms[1:])) for form in forms[1:])
        sign = any(form.signed for form in forms[1:])
        put("select", (Ref("x0", 1), Ref("x1", chosen, sign), Ref("x2", chosen, sign)),
            Ref("out", chosen, sign))
    elif function == "clip":
        ending = "_signed" if signed else ""
        bounds = [round(float(bound)) for bound in _numbers(op)] or [0, 2 ** (width - 1) - 1]
        put(f"maximum{ending}", (refs[0], Ref(f"={bounds[0]}", width)), out)
        put(f"minimum{ending}", (out, Ref(f"={bounds[-1]}", width)), out)
    else:
        put("shift_left", (refs[0],), out, 1)
    text = " + ".join(step.program for step in steps if isinstance(step, Stage))
    if design.operands is Operands.CHANNEL:
        steps.insert(0, Move(0, elements * sum(form.bits for form in forms)))
    return Plan(tuple(steps), f"{text} of {width} bits on {elements} lanes")


def _inverted(plan: Plan) -> Plan:
    """Return a plan of one logical program as that of its complement."""
    steps = tuple(replace(step, program=INVERTED[step.program]) if isinstance(step, Stage) else step
                  for step in plan.steps)
    name = next(step.program for step in steps if isinstance(step, Stage))
    return Plan(steps, f"{name} {plan.text.partition(' ')[2]}")


def _numbers(op: Op) -> list[float]:
    found = op.attributes.get("parameters", ())
    return [float(item) for item in found] if isinstance(found, tuple) else []


def _normalization_steps(form: Form, elements: int) -> tuple[Step, ...]:
    """Return scale and shift of every element, each in a lane of its own."""
    width = form.fitted(signed=True)
    x, scale = Ref("x0", width, True), Ref("x1", width, True)
    product, shift = Ref("product", 2 * width, True), Ref("x2", 2 * width, True)
    return (Stage("multiply_signed", (x, scale), product, 1, elements),
            Stage("add", (product, shift), Ref("out", 2 * width, True), 1, elements))


def reduced_reduction(graph: Graph, op: Op, design: DramPimDesign) -> Reduction:
    """Return what a pool or reduction does before a mean is divided."""
    out = graph.tensors[op.outputs[0]]
    (form, *_) = forms_of([graph.tensors[op.inputs[0]]], design) or [Form(FormatKind.UNSIGNED, 1)]
    length, function = reduced(graph, op)
    if form.kind is FormatKind.BINARY:
        program, start = ("or", (0, 0)) if function == "max" else ("and", (1, 1))
        return Reduction(out.elements, length, program, program, (Ref("x[]", 1),), 1, 1, False, start)
    if function in ("max", "min"):
        program = ("maximum" if function == "max" else "minimum") + ("_signed" if form.signed else "")
        least = (0, 1) if form.signed else (0, 0)
        most = (1, 0) if form.signed else (1, 1)
        return Reduction(out.elements, length, program, program, (Ref("x[]", form.bits, form.signed),), 1,
                         form.bits, form.signed, least if function == "max" else most)
    low, high = form.bounds
    rows = max(accumulator_rows(high, low, length) - (not form.signed), form.bits)
    items = (Ref("x[]", rows, form.signed),)
    return Reduction(out.elements, length, "add", "add", items, 1, rows, form.signed)


def _reduced_plan(graph: Graph, op: Op, out: Tensor, design: DramPimDesign) -> Plan:
    length, function = reduced(graph, op)
    reduction = reduced_reduction(graph, op, design)
    plan = reduction_plan(reduction, design, f"{graph.name}.{op.name}")
    if function != "mean":
        return plan
    steps, text = _mean_steps(reduction.rows, reduction.signed, length, out.elements)
    return Plan((*plan.steps, *steps), f"{plan.text}; {text}")


def reduced(graph: Graph, op: Op) -> tuple[int, str]:
    """Return how many items each result of a pool or reduction has, and what becomes of them."""
    first = graph.tensors[op.inputs[0]]
    if op.kind == "reduce":
        results = graph.tensors[op.outputs[0]].elements
        length = first.elements // results if results else 0
    elif op.kind.startswith("global"):
        length = math.prod(first.shape[2:])
    else:
        length = math.prod(op.ints("kernel"))
    return length, reduced_function(op)


def reduced_function(op: Op) -> str:
    """Return what a pool or reduction does with its items: sum, mean, max or min; "" for others."""
    if op.kind == "reduce":
        return op.text("function")
    return ("max" if "max" in op.kind else "mean") if op.kind in POOLS else ""


def _mean_steps(rows: int, signed: bool, length: int, elements: int) -> tuple[tuple[Step, ...], str]:
    """Divide a sum: a power of two names other rows, any other length multiplies by its reciprocal."""
    if length & (length - 1) == 0:
        return (), "divided by naming other rows"
    width = rows + (not signed)
    total, factor = Ref("acc", width, signed), Ref(f"={reciprocal(width, length)}", width)
    program = "multiply_signed" if signed else "multiply"
    return (Stage(program, (total, factor), Ref("scaled", 2 * width, signed), 1, elements),), (
        f"times {reciprocal(width, length)} / 2^{width - 1}")


def reciprocal(width: int, length: int) -> int:
    """Return 2^(width - 1) / length, rounded down, so that it fits a signed number of `width` bits."""
    return (1 << (width - 1)) // length
