"""The stepped machine: rows of clusters in passes, one command at a time, on real operands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.racetrack_pim import floating
from accelerators.racetrack_pim.datasheet import product_price
from accelerators.racetrack_pim.design import MultiplyModel, RacetrackDesign
from accelerators.racetrack_pim.mapping import Way, factor_bits, lane_for, rounds, sum_bits, way_of
from accelerators.racetrack_pim.processor import Processor
from accelerators.racetrack_pim.programs import FLOAT_LANE
from accelerators.racetrack_pim.tape import Words, pack, unpack
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import matrix_products
from hwsim.graph.ops import work_of
from hwsim.graph.types import BINARY, FLOAT32, INT8, INT32, TERNARY, FormatKind, Graph, NumberFormat
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]
_PAIRS = ((INT8, INT8), (INT8, TERNARY), (INT8, BINARY), (BINARY, BINARY), (TERNARY, TERNARY))
_FUNCTIONS = ("add", "subtract", "relu", "maximum")


def machine_graph(rng: np.random.Generator) -> Graph:
    """Return a small random graph: a product with weights, a pool, or an elementwise function."""
    b = GraphBuilder("random", format=INT8)
    kind, (m, k, n) = int(rng.integers(12)), (int(size) for size in rng.integers(1, 8, 3))
    if kind < 4:
        function = _FUNCTIONS[kind]
        inputs = [b.input(name, (m, k)) for name in (("x",) if function == "relu" else ("x", "y"))]
        b.output(b.add("elementwise", inputs, name="op", function=function))
    elif kind < 6:
        size = int(rng.integers(1, 4))
        x = b.input("x", (1, m, size + k, size + n))
        b.output(b.add("max_pool", [x], name="op", kernel=(size, size)))
    elif kind == 6:
        m, k, n = (size % 2 + 1 for size in (m, k, n))  # thousands of commands a sum
        x, w = b.input("x", (m, k), format=FLOAT32), b.weight("w", (k, n), format=FLOAT32)
        b.output(b.add("gemm", [x, w], name="op", format=FLOAT32))
    else:
        left, right = _PAIRS[kind - 7]
        x, w = b.input("x", (m, k), format=left), b.weight("w", (k, n), format=right)
        b.output(b.add("gemm", [x, w], name="op", format=INT32))
    return b.build()


def draw(form: NumberFormat, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """Return random values of a format; floating-point ones are normal and far from its ends."""
    if form.kind is FormatKind.FLOAT:
        return np.ldexp(rng.uniform(-1, 1, shape), rng.integers(-20, 20, shape)).astype(np.float32)
    if form.kind is FormatKind.BINARY:
        return 2 * rng.integers(0, 2, shape) - 1
    if form.kind is FormatKind.TERNARY:
        return rng.integers(-1, 2, shape)
    return rng.integers(-(2 ** (form.bits - 1)), 2 ** (form.bits - 1), shape)


def operands(graph: Graph, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Return random values of the operands of the only operator."""
    return [draw(graph.tensors[name].format, graph.tensors[name].shape, rng) for name in graph.ops[0].inputs]


def reference(graph: Graph, design: RacetrackDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return what numpy makes of the operands that `machine` draws from an equal generator."""
    op, values = graph.ops[0], operands(graph, rng)
    if op.kind == "max_pool":
        windows = np.lib.stride_tricks.sliding_window_view(values[0], op.ints("kernel"), axis=(2, 3))
        return np.asarray(windows.max((-2, -1)))
    if op.kind == "elementwise":
        found = {"add": np.add, "subtract": np.subtract, "maximum": np.maximum}
        function = op.text("function")
        return np.maximum(values[0], 0) if function == "relu" else np.asarray(found[function](*values))
    x, w = values
    if x.dtype != np.float32:
        return np.asarray(x @ w)
    total = np.zeros((len(x), w.shape[1]), np.float32)
    for term in range(len(w)):
        total = total + x[:, term, None] * w[term]
    return total


@dataclass
class _Run:
    """What all passes have done so far."""

    design: RacetrackDesign
    cycles: int = 0
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    def passes(
        self, columns: Sequence[Ints], lane_bits: int, compute: Callable[[Processor, list[Words]], Words]
    ) -> Ints:
        """Compute on operands [results] each, as many rows at once as there are clusters."""
        d, lanes, results = self.design, self.design.lanes(lane_bits), len(columns[0])
        rows = -(-results // lanes)
        values = np.zeros((len(columns), rows * lanes), np.int64)
        values[:, :results] = columns
        packed = [pack(value.reshape(rows, lanes), lane_bits, d.wires // 64) for value in values]
        found = []
        for start in range(0, rows, d.rows_at_once):
            chosen = [row[start : start + d.rows_at_once] for row in packed]
            processor = Processor(d, len(chosen[0]))
            found.append(processor.voted(partial(compute, processor, chosen)))
            self.events.update(processor.clusters.events)
            self.cycles += processor.clusters.time.cycles
        return unpack(np.concatenate(found), lane_bits, lanes).reshape(-1)[:results]


def machine(graph: Graph, design: RacetrackDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one operator on real bits, pass after pass."""
    op, values, run = graph.ops[0], operands(graph, rng), _Run(design)
    shape = graph.tensors[op.outputs[0]].shape
    if op.kind == "gemm":
        found = _multiplied(graph, values[0], values[1], run)
    elif op.kind == "max_pool":
        windows = np.lib.stride_tricks.sliding_window_view(values[0], op.ints("kernel"), axis=(2, 3))
        size = windows.shape[-1] * windows.shape[-2]
        found = _largest(list(windows.reshape(-1, size).T), run)
    elif op.kind == "elementwise":
        found = _elementwise(op.text("function"), [value.reshape(-1) for value in values], run)
    else:
        raise UnsupportedOp(f"{op.kind} is not stepped", where=f"racetrack_pim.machine.{op.name}")
    work = work_of(graph, op)
    if work.macs:
        run.events["lanes", "mac"] += work.macs
    for name, count in work.primitives.items():
        run.events["lanes", name] += count
    return MachineResult(found.reshape(shape), run.cycles, dict(run.events))


def _elementwise(function: str, values: list[Ints], run: _Run) -> Ints:
    if function == "relu":

        def positive(p: Processor, rows: list[Words]) -> Words:
            return p.copy([(rows[0], ~p.predicate(rows[0], 7, 8))])

        return run.passes(values, 8, positive)
    if function == "maximum":
        return _largest(values, run)
    one = [np.ones_like(values[0])] if function == "subtract" else []
    flipped = [values[0], ~values[1]] if one else values
    lane = lane_for(9)
    return run.passes([*flipped, *one], lane, lambda p, rows: p.total(rows, lane))


def _largest(candidates: list[Ints], run: _Run) -> Ints:
    best, waiting = candidates[0], candidates[1:]

    def search(p: Processor, rows: list[Words]) -> Words:
        sign = p.constant(128, 8)
        return p.maximum(rows, 8, [sign] * len(rows)) ^ sign

    for count, times in rounds(len(candidates), run.design.trd):
        for _ in range(times):
            taken = min(count - 1, len(waiting))
            if taken:
                best = run.passes([best, *waiting[:taken]], 8, search)
                del waiting[:taken]
    return best


def _multiplied(graph: Graph, x: NDArray[Any], w: NDArray[Any], run: _Run) -> NDArray[Any]:
    (product,) = matrix_products(graph, graph.ops[0])
    way, terms = way_of(graph, product), product.k
    left = [np.repeat(x[:, t], w.shape[1]) for t in range(terms)]
    right = [np.tile(w[t], len(x)) for t in range(terms)]
    if way is Way.FLOAT:
        return _float_sums(left, right, run)
    lane = sum_bits(graph, product, run.design)
    if way is Way.MULTIPLY:
        bits = factor_bits(graph, product)
        columns = [_product(a, b, bits, run) for a, b in zip(left, right, strict=True)]
        return run.passes([*columns, np.zeros_like(columns[0])], lane, lambda p, rows: p.total(rows, lane))
    # The logic at the write drivers makes these of an input and one or two bits of the weight.
    if way is Way.XNOR:
        columns = [2 * (a == b).astype(np.int64) for a, b in zip(left, right, strict=True)]
        constant = np.full_like(columns[0], -terms)
        weight_bits = 1
    else:
        columns = [np.where(b < 0, ~a, a) * (b != 0) for a, b in zip(left, right, strict=True)]
        constant = (np.stack(right) < 0).sum(0)
        weight_bits = 1 if graph.tensors[product.right].format.kind is FormatKind.BINARY else 2

    def summed(p: Processor, rows: list[Words]) -> Words:
        p.clusters.count("logic", "gate", terms)
        p.clusters.count("storage", "read", -(-weight_bits * terms // lane))
        return p.total(rows, lane)

    return run.passes([*columns, constant], lane, summed)


def _product(x: Ints, y: Ints, bits: int, run: _Run) -> Ints:
    """Multiply on the tape; a published multiplication is charged as a whole, its bits move uncounted."""
    published = run.design.multiply_model is MultiplyModel.PUBLISHED
    price = product_price(run.design) if published else None

    def compute(p: Processor, rows: list[Words]) -> Words:
        if price is None:
            return p.product(rows[0], rows[1], bits, 2 * bits, signed=True)
        beside = Processor(run.design, len(rows[0]))
        p.clusters.count("multiplier", "product")
        run.cycles += price[0]
        return beside.product(rows[0], rows[1], bits, 2 * bits, signed=True)

    return run.passes([x, y], 2 * bits, compute)


def _float_sums(left: list[NDArray[Any]], right: list[NDArray[Any]], run: _Run) -> NDArray[Any]:
    total = np.zeros(len(left[0]), np.int64)
    for a, b in zip(left, right, strict=True):
        terms = run.passes([_bits(a), _bits(b)], FLOAT_LANE, lambda p, rows: floating.multiply(p, *rows))
        total = run.passes([total, terms], FLOAT_LANE, lambda p, rows: floating.add(p, *rows))
    return total.astype(np.uint32).view(np.float32)


def _bits(values: NDArray[np.float32]) -> Ints:
    return values.view(np.uint32).astype(np.int64)
