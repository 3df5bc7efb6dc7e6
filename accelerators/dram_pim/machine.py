"""One operator on random numbers in real rows, command by command, and the same by numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.design import DramPimDesign
from accelerators.dram_pim.execute import Subarrays
from accelerators.dram_pim.layout import laid_out, product_lanes, spread_of
from accelerators.dram_pim.lower import plan_of
from accelerators.dram_pim.operands import Form, form_of, product_reduction
from accelerators.dram_pim.vector import reduced, reduced_reduction
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import matrix_products
from hwsim.graph.ops import work_of
from hwsim.graph.types import BINARY, BOOLEAN, TERNARY, FormatKind, Graph, NumberFormat, Op
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]
ONE = ("relu", "absolute", "negate", "bitwise_not", "sign")
TRUTH = ("greater", "less", "greater_or_equal", "less_or_equal", "equal", "not_equal")
TWO = ("add", "subtract", "multiply", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor",
       *TRUTH)


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a random matrix product, elementwise function, pool or reduction of narrow numbers."""
    b = GraphBuilder("random", format=_integer(rng))
    draw = int(rng.integers(10))
    if draw < 5:
        y = _random_product(b, rng)
    elif draw < 8:
        shape = tuple(int(size) for size in rng.integers(1, 12, 2))
        if rng.integers(6) == 0:
            chosen = b.input("s", shape, format=BOOLEAN)
            y = b.add("elementwise", [chosen, b.input("x0", shape), b.input("x1", shape)], name="op",
                      function="where")
        else:
            function = str(rng.choice(ONE + TWO))
            operands = [b.input(f"x{i}", shape) for i in range(1 + (function in TWO))]
            form = BINARY if function == "sign" else None
            y = b.add("elementwise", operands, name="op", function=function, format=form)
    elif draw == 8:
        size = int(rng.integers(1, 4))
        kind = str(rng.choice(["max_pool", "average_pool"]))
        binary = {"format": BINARY} if kind == "max_pool" and rng.integers(2) else {}
        x = b.input("x", (1, int(rng.integers(1, 4)), 2 * size, 2 * size), **binary)
        y = b.add(kind, [x], name="op", kernel=(size, 2), strides=(size, 2))
    else:
        x = b.input("x", (int(rng.integers(1, 8)), int(rng.integers(1, 20))))
        function = str(rng.choice(["sum", "mean", "max", "min"]))
        y = b.add("reduce", [x], name="op", function=function, axes=(1,))
    b.output(y)
    return b.build()


def _integer(rng: np.random.Generator) -> NumberFormat:
    kind = FormatKind.INTEGER if rng.integers(2) else FormatKind.UNSIGNED
    return NumberFormat(kind, int(rng.integers(2, 6)))


def _random_product(b: GraphBuilder, rng: np.random.Generator) -> str:
    m, k, n = (int(rng.integers(1, high)) for high in (6, 40, 6))
    formats = [(BINARY, TERNARY, _integer(rng))[int(rng.integers(3))] for _ in range(2)]
    operands = [b.input("x", (m, k), format=formats[0]), b.weight("w", (k, n), format=formats[1])]
    wide = NumberFormat(FormatKind.INTEGER, 32)
    if formats[0] == formats[1] == BINARY:
        return b.add("binary_matmul", operands, name="op", format=wide)
    if rng.integers(2):
        operands.append(b.weight("bias", (m, n), format=NumberFormat(FormatKind.UNSIGNED, 2)))
        return b.add("gemm", operands, name="op", format=wide)
    return b.add("matmul", operands, name="op", format=wide)


def draw(graph: Graph, design: DramPimDesign, rng: np.random.Generator) -> dict[str, Ints]:
    """Draw every operand of the network's operator from all numbers of its format."""
    found = {}
    for name in graph.ops[0].inputs:
        tensor = graph.tensors[name]
        form = _form(tensor.format, design)
        low, high = form.bounds
        values = rng.integers(low, high + 1, tensor.shape)
        if form.kind is FormatKind.BINARY:
            values = 2 * rng.integers(0, 2, tensor.shape) - 1
        found[name] = values.astype(np.int64)
    return found


def _form(number_format: NumberFormat, design: DramPimDesign) -> Form:
    form = form_of(number_format, design)
    if form is None:
        raise ValueError(f"{number_format} has no rows")
    return form


def machine(graph: Graph, design: DramPimDesign, rng: np.random.Generator) -> MachineResult:
    """Run the operator of `graph` on drawn numbers; every pass, repeat and command happens."""
    (op,) = graph.ops
    data = draw(graph, design, rng)
    plan, banks = plan_of(graph, op, design), Subarrays(design)
    if plan is None:
        raise ValueError(f"{op.name} does nothing")
    values = _values(graph, op, design, data)
    banks.run(plan, values)
    last = next(step.result for step in reversed(plan.steps) if hasattr(step, "result"))
    shape = graph.tensors[op.outputs[0]].shape
    events = dict(banks.events)
    work = work_of(graph, op)
    for name, count in {"mac": work.macs, **work.primitives}.items():
        events["lanes", name] = count
    return MachineResult(_read(graph, op, design, values[last.name]).reshape(shape), banks.ticks, events)


def _values(graph: Graph, op: Op, design: DramPimDesign, data: dict[str, Ints]) -> dict[str, Ints]:
    """Lay the operands out over lanes."""
    operands = [data[name] for name in op.inputs]
    plan = plan_of(graph, op, design)
    if op.kind == "elementwise":
        return {f"x{i}": operand.reshape(-1) for i, operand in enumerate(operands)}
    if plan is None:
        return {}
    if op.kind in ("gemm", "matmul", "binary_matmul"):
        (product,) = matrix_products(graph, op)
        reduction = product_reduction(graph, product, design)
        if reduction is None:
            raise ValueError("a format without rows")
        m, n = product.m, product.n
        left = np.repeat(operands[0], n, axis=0)
        right = np.tile(operands[1].T, (m, 1))
        values = product_lanes(left, right, reduction, *spread_of(plan, reduction))
        return values | ({"bias": operands[2].reshape(-1)} if len(operands) > 2 else {})
    reduction = reduced_reduction(graph, op, design)
    parts, repeats = spread_of(plan, reduction)
    items, padding = _windows(op, operands[0]), _neutral(reduction.start, reduction.rows, reduction.signed)
    if reduction.program in ("or", "and"):
        items = (items + 1) // 2
    return {"x[]": laid_out(items, parts, repeats, 1, padding)}


def _neutral(start: tuple[int, int], rows: int, signed: bool) -> int:
    low, top = start
    last = 1 << (rows - 1)
    return low * (last - 1) + top * (-last if signed else last)


def _windows(op: Op, x: Ints) -> Ints:
    """Return int64[outputs, items] of a pool or reduction without padding and overlap."""
    if op.kind == "reduce":
        return x
    (height, width), (_, channels, rows, columns) = op.ints("kernel"), x.shape
    tiles = x.reshape(channels, rows // height, height, columns // width, width)
    found: Ints = tiles.transpose(0, 1, 3, 2, 4).reshape(-1, height * width)
    return found


def _read(graph: Graph, op: Op, design: DramPimDesign, result: Ints) -> Ints:
    """Read a mean where its rows lie: below them is what its division leaves over."""
    if graph.tensors[op.outputs[0]].format == BINARY:
        return 2 * result - 1
    if op.kind not in ("average_pool", "reduce") or reduced(graph, op)[1] != "mean":
        return result
    length, reduction = reduced(graph, op)[0], reduced_reduction(graph, op, design)
    if length & (length - 1) == 0:
        return result >> (length.bit_length() - 1)
    return result >> (reduction.rows + (not reduction.signed) - 1)


def reference(graph: Graph, design: DramPimDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of `machine` by numpy on whole arrays."""
    (op,) = graph.ops
    data = draw(graph, design, rng)
    operands = [data[name] for name in op.inputs]
    shape = graph.tensors[op.outputs[0]].shape
    if op.kind in ("gemm", "matmul", "binary_matmul"):
        product: Ints = operands[0] @ operands[1]
        return product + operands[2] if len(operands) > 2 else product
    form = _form(graph.tensors[op.inputs[-1]].format, design)
    if op.kind == "elementwise":
        return _elementwise(op.text("function"), operands, form)
    items = _windows(op, operands[0])
    return _reduced(reduced(graph, op)[1], items, form).reshape(shape)


NUMPY: dict[str, Callable[..., NDArray[Any]]] = {
    "add": np.add, "sum": np.add, "subtract": np.subtract, "maximum": np.maximum, "minimum": np.minimum,
    "relu": lambda x: np.maximum(x, 0), "absolute": np.abs, "negate": np.negative, "bitwise_not": np.invert,
    "sign": lambda x: 2 * (x >= 0).astype(np.int64) - 1,
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
    "greater": np.greater, "less": np.less, "greater_or_equal": np.greater_equal,
    "less_or_equal": np.less_equal, "equal": np.equal, "not_equal": np.not_equal,
    "where": lambda s, x, y: np.choose(s, (y, x)),
}


def _elementwise(function: str, x: list[Ints], form: Form) -> Ints:
    """Return the function's values in the rows of one operand; products of unsigned numbers take two."""
    mask = 2**form.bits - 1
    if function == "multiply":
        product: Ints = (x[0] & mask) * (x[1] & mask)
        return product
    plain: Ints = NUMPY[function](*x).astype(np.int64)
    if function in TRUTH or function == "sign":
        return plain
    wrapped: Ints = plain & mask
    return wrapped - ((wrapped >> (form.bits - 1)) << form.bits) if form.signed else wrapped


def _reduced(function: str, items: Ints, form: Form) -> Ints:
    if function in ("max", "min"):
        ends: Ints = items.max(axis=1) if function == "max" else items.min(axis=1)
        return ends
    total: Ints = items.sum(axis=1)
    length = items.shape[1]
    if function == "sum":
        return total
    if length & (length - 1) == 0:
        halved: Ints = total >> (length.bit_length() - 1)
        return halved
    low, high = form.bounds
    bits = max(max(high * length, 0).bit_length(), max(-low * length - 1, 0).bit_length()) + 1
    scaled: Ints = total * ((1 << (bits - 1)) // length) >> (bits - 1)
    return scaled
