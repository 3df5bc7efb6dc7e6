"""The stepped machine: one read cycle at a time, every array of a layer with its converter."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.reram_pim.arithmetic import Ints, Stored, combine, input_digits, read, store
from accelerators.reram_pim.design import ReramDesign
from accelerators.reram_pim.mapping import Layer, placed
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops import work_of
from hwsim.graph.types import BINARY, INT8, INT32, TERNARY, FormatKind, Graph, NumberFormat
from hwsim.model.types import MachineResult

_WEIGHTS = (INT8, TERNARY, BINARY, NumberFormat(FormatKind.INTEGER, 5))


def machine_graph(rng: np.random.Generator) -> Graph:
    """Return a small random graph: one matrix product with stored weights, or a sum."""
    b = GraphBuilder("random", format=INT8)
    m, k, n = (int(size) for size in rng.integers(1, 9, 3))
    if rng.integers(4) == 0:
        b.output(
            b.add("elementwise", [b.input("x", (m, k)), b.input("y", (m, k))], name="sum", function="add")
        )
        return b.build()
    form = _WEIGHTS[int(rng.integers(len(_WEIGHTS)))]
    x = b.input("x", (m, k), format=BINARY if form is BINARY else INT8)
    b.output(b.add("gemm", [x, b.weight("w", (k, n), format=form)], name="product", format=INT32))
    return b.build()


def operands(graph: Graph, rng: np.random.Generator) -> list[Ints]:
    """Return random values of the first operator's operands, over the whole range of their formats."""
    return [draw(graph.tensors[name].format, graph.tensors[name].shape, rng) for name in graph.ops[0].inputs]


def draw(form: NumberFormat, shape: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """Return random values of a format."""
    if form.kind is FormatKind.BINARY:
        return 2 * rng.integers(0, 2, shape) - 1
    if form.kind is FormatKind.TERNARY:
        return rng.integers(-1, 2, shape)
    if form.kind is FormatKind.UNSIGNED:
        return rng.integers(0, 2**form.bits, shape)
    return rng.integers(-(2 ** (form.bits - 1)), 2 ** (form.bits - 1), shape)


def reference(graph: Graph, design: ReramDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return what numpy makes of the operands that `machine` draws from an equal generator."""
    first, second = operands(graph, rng)
    return first @ second if graph.ops[0].kind == "gemm" else first + second


def machine(graph: Graph, design: ReramDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one operator on real cells, copies side by side, read cycle after read cycle."""
    op = graph.ops[0]
    first, second = operands(graph, rng)
    events: Counter[tuple[str, str]] = Counter()
    clock = 0
    if op.kind == "gemm":
        (layer,) = placed(graph, design)[op.name]
        values, clock = _multiply(graph, layer, first, second, design, events)
    elif op.kind == "elementwise":
        values = first + second
    else:
        raise UnsupportedOp(f"{op.kind} is not stepped", where=f"reram_pim.machine.{op.name}")
    for name, count in work_of(graph, op).primitives.items():
        events["vector", name] += count
    operations = work_of(graph, op).vector_operations
    for start in range(0, operations, design.vector_lanes):
        events["vector", "issue"] += min(design.vector_lanes, operations - start)
        clock += 1
    return MachineResult(values, clock, dict(events))


def _multiply(
    graph: Graph,
    layer: Layer,
    vectors: Ints,
    weights: Ints,
    design: ReramDesign,
    events: Counter[tuple[str, str]],
) -> tuple[Ints, int]:
    product = layer.product
    stored = store(weights, graph.tensors[product.right].format, design)
    digits, places, zero = input_digits(vectors, graph.tensors[product.left].format, design)
    values = np.zeros((len(vectors), weights.shape[1]), np.int64)
    clock = 0
    for start in range(0, len(vectors), layer.copies):
        chosen = slice(start, min(start + layer.copies, len(vectors)))
        for applied, place in zip(digits[:, chosen], places, strict=True):
            values[chosen] += place * _read_once(applied, stored, design, layer, events)
            clock += design.clocks_per_read
    events["array", "mac"] += len(vectors) * weights.size
    return values - zero * weights.sum(0), clock


def _read_once(
    applied: Ints, stored: Stored, design: ReramDesign, layer: Layer, events: Counter[tuple[str, str]]
) -> Ints:
    converted = read(applied, stored, design)
    events["array", "step"] += 1
    events["array", "read"] += len(applied) * layer.arrays
    events["dac", "drive"] += applied.size * layer.column_tiles
    events["adc", "convert"] += converted.size
    events["shift_add", "add"] += converted.size
    numbers = combine(converted, stored, design)
    return np.asarray(stored.scale * numbers - stored.offset * applied.sum(-1)[..., None])
