"""The engine, clock by clock, on real integers: encode, decode, skip, accumulate, Hadamard phase.

The encoder looks at the states of all sequences as they leave and writes entries; the next step decodes their
offsets into columns, which the array multiplies beat by beat while their bits arrive. The machine knows which
states are pruned, but neither trip counts nor closed forms of the lowering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_lstm.design import Mode, SparseLstmDesign
from accelerators.sparse_lstm.operands import (
    Ints,
    Layer,
    Sequence,
    arrange,
    draw_values,
    in_time,
    layer_of,
    sequence_of,
)
from accelerators.sparse_lstm.zeros import Bytes
from hwsim.errors import VerifyError
from hwsim.graph.types import Graph
from hwsim.model.types import MachineResult

LARGEST_SUM = 2**31 - 1
PRIMITIVES = {
    "lstm": {"special": 5, "multiply": 3, "add": 1},
    "gru": {"special": 3, "multiply": 3, "add": 2},
}


@dataclass
class Chip:
    """Clock and event counters of a run.

    Attributes
    ----------
    design : SparseLstmDesign
        The knobs.
    plain : bool
        Step in plain Python, without compiled kernels.
    """

    design: SparseLstmDesign
    plain: bool = False
    clock: int = 0
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    def multiply(
        self, columns: NDArray[np.int8], values: Ints, sums: NDArray[np.int32], real: Bytes | None = None
    ) -> None:
        """Add int8[columns, rows] times int[columns, batch] to int32[batch, rows], beat by beat."""
        from hwsim.kernels.sparse_columns import step_columns

        count, rows = columns.shape
        batch, design = values.shape[1], self.design
        bits = design.column_bits(rows, batch)
        rate = Fraction(repr(design.dram_bits_per_s)) / Fraction(repr(design.clock_hz))
        beats = design.beats(rows, batch)
        fits = (bits * rate.denominator + rate.numerator) * beats * 2 < 2**62
        step: Any = step_columns if fits and not self.plain else _twin(step_columns)
        numbers = [bits, rate.numerator, rate.denominator]
        counted = np.zeros(2, np.int64)
        self.clock += int(
            step(
                columns,
                values.astype(np.int16),
                np.ones(count, np.uint8) if real is None else real,
                sums,
                design.weights_per_cycle,
                design.batch_lanes,
                np.array(numbers, np.int64) if fits else numbers,
                counted,
            )
        )
        self.events["array", "beat"] += int(counted[0])
        self.events["array", "mac"] += int(counted[1])
        self.events["dram", "read"] += count * bits

    def hadamard(
        self, left: Ints, right: Ints, addend: Ints | None = None, shift: int = 0, limit: int = 2**40
    ) -> Ints:
        """Return (left * right + addend) >> shift, rounded and saturated, over all elements."""
        from hwsim.kernels.sparse_columns import hadamard_pass

        step, out = _twin(hadamard_pass) if self.plain else hadamard_pass, np.empty(left.shape, np.int64)
        clocks = step(
            left.astype(np.int32),
            right.astype(np.int32),
            np.zeros_like(out) if addend is None else addend,
            shift,
            limit,
            out,
            self.design.weights_per_cycle,
            self.design.batch_lanes,
        )
        self.clock += int(clocks)
        self.events["array", "hadamard"] += int(clocks)
        return out

    def write_state(self, zero: Bytes) -> tuple[Ints, Bytes]:
        """Encode the states that are not zero everywhere; return decoded positions, and which are real."""
        from hwsim.kernels.sparse_columns import encode

        batch, hidden = zero.shape
        design = self.design
        position, offset = np.arange(hidden, dtype=np.int64), np.zeros(hidden, np.int64)
        if design.mode is Mode.SKIP:
            step = _twin(encode) if self.plain else encode
            count = int(step(zero, design.offset_bits, position, offset))
            position, offset = position[:count], offset[:count]
        self.events["encoder", "entry"] += position.size
        overhead = design.offset_bits if design.mode is Mode.SKIP else 0
        self.events["dram", "state_write"] += position.size * (batch * design.activation_bits + overhead)
        decoded = np.cumsum(offset + 1) - 1
        real = position >= 0
        if not np.array_equal(decoded, np.where(real, position, -1 - position)):
            raise VerifyError("decoded offsets miss the encoded states", where="sparse_lstm.machine")
        return decoded, real.astype(np.uint8)


@dataclass(frozen=True)
class LayerRun:
    """States int64[directions, steps, batch, hidden] after each step, in order, and which were pruned."""

    states: Ints
    zero: Bytes


def run_layer(chip: Chip, layer: Layer, fed: Sequence, order: Callable[[int, int], int]) -> LayerRun:
    """Step a layer over a sequence.

    Parameters
    ----------
    chip : Chip
        Counts clocks and events.
    layer, fed : Layer, Sequence
        Weights, inputs, and how states are pruned.
    order : callable (direction, step) -> int
        Position in the sequence of each step.
    """
    directions, steps, batch = layer.weight.shape[0], fed.inputs.shape[0], fed.inputs.shape[1]
    largest = (layer.weight.shape[1] + layer.hidden + 1) * 2**15
    if largest + int(np.abs(layer.input_bias).max(initial=0)) > LARGEST_SUM:
        raise VerifyError("sums may not fit 32 bits", where="sparse_lstm.machine")
    states = np.empty((directions, steps, batch, layer.hidden), np.int64)
    zero = np.empty(states.shape, np.uint8)
    for direction in range(directions):
        state, cell = fed.state[direction], fed.cell[direction]
        columns = np.arange(layer.hidden), np.ones(layer.hidden, np.uint8)
        if fed.zero_start and chip.design.mode is Mode.SKIP:
            columns = np.arange(0), np.ones(0, np.uint8)
        for step in range(steps):
            entering = fed.inputs[order(direction, step)]
            raw, cell = _step(chip, layer, direction, entering, state, cell, columns)
            zero[direction, step] = fed.pruned(direction, step, raw)
            state = np.where(zero[direction, step], 0, raw)
            columns = chip.write_state(zero[direction, step])
            states[direction, step] = state
    cells = states.size
    for name, times in PRIMITIVES[layer.kind].items():
        chip.events["vector", name] += times * cells
    return LayerRun(states, zero)


def _step(
    chip: Chip,
    layer: Layer,
    direction: int,
    entering: Ints,
    state: Ints,
    cell: Ints,
    columns: tuple[Ints, Bytes],
) -> tuple[Ints, Ints]:
    """Return the state before pruning, and the cell."""
    position, real = columns
    rows, f = layer.weight.shape[2], layer.formats
    weight, recurrence = layer.weight[direction], layer.recurrence[direction]
    sums = np.empty((state.shape[0], rows), np.int32)
    sums[:] = layer.input_bias[direction]
    if entering.ndim == 1:
        for sequence, index in enumerate(entering.tolist()):
            one = np.full((1, 1), f.one, np.int64)
            chip.multiply(weight[index : index + 1], one, sums[sequence : sequence + 1])
    else:
        chip.multiply(weight, np.ascontiguousarray(entering.T), sums)
    chosen, values = recurrence[position], np.ascontiguousarray(state.T[position])
    if layer.kind == "gru":
        return _gru(chip, layer, direction, sums, state, (chosen, values, position, real)), cell
    sums += layer.recurrence_bias[direction].astype(np.int32)
    chip.multiply(chosen, values, sums, real)
    i, o, forget, candidate = np.split(f.index(sums.astype(np.int64)), 4, axis=1)
    entered = chip.hadamard(f.sigmoid(i), f.tanh(candidate))
    cell = chip.hadamard(f.sigmoid(forget), cell, entered << f.alignment, f.bits, f.largest_cell)
    return chip.hadamard(f.sigmoid(o), f.tanh_of_cell(cell), None, f.bits, f.largest), cell


def _gru(
    chip: Chip,
    layer: Layer,
    direction: int,
    outside: NDArray[np.int32],
    state: Ints,
    selected: tuple[NDArray[np.int8], Ints, Ints, Bytes],
) -> Ints:
    chosen, values, position, real = selected
    f, h, bias = layer.formats, layer.hidden, layer.recurrence_bias[direction]
    if layer.linear_before_reset:
        inside = np.empty_like(outside)
        inside[:] = bias
        chip.multiply(chosen, values, inside, real)
        gates = f.sigmoid(f.index((outside + inside)[:, : 2 * h].astype(np.int64)))
        product = f.index(inside[:, 2 * h :].astype(np.int64))
        late = f.index(outside[:, 2 * h :].astype(np.int64))
        late = np.clip(late + chip.hadamard(gates[:, h:], product, None, f.bits), -512, 511)
    else:
        inside = np.ascontiguousarray(outside[:, : 2 * h]) + bias[: 2 * h].astype(np.int32)
        chip.multiply(np.ascontiguousarray(chosen[:, : 2 * h]), values, inside, real)
        gates = f.sigmoid(f.index(inside.astype(np.int64)))
        masked = chip.hadamard(gates[:, h:], state, None, f.bits)
        last = np.ascontiguousarray(outside[:, 2 * h :]) + bias[2 * h :].astype(np.int32)
        chip.multiply(
            np.ascontiguousarray(chosen[:, 2 * h :]), np.ascontiguousarray(masked.T[position]), last, real
        )
        late = f.index(last.astype(np.int64))
    kept = chip.hadamard(gates[:, :h], state)
    return chip.hadamard((1 << f.bits) - gates[:, :h], f.tanh(late), kept, f.bits, f.largest)


def machine(graph: Graph, design: SparseLstmDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one recurrent layer or matrix product on operands drawn from `rng`.

    Returns
    -------
    MachineResult
        Values of the graph's output, clocks and events; off-chip events are bits, as in the trace.
    """
    values, chip = draw_values(graph, design, rng), Chip(design)
    op = next(op for op in graph.ops if op.kind != "one_hot")
    if op.kind == "gemm":
        return _product(chip, graph, values)
    layer, fed = layer_of(graph, op, values, design), sequence_of(graph, op, values, design)
    run = run_layer(chip, layer, fed, lambda d, t: in_time(op, t, d, fed.inputs.shape[0]))
    if len(op.inputs) > 3 and op.inputs[3]:
        chip.events["vector", "add"] += 2 * layer.weight.shape[2] // layer.hidden * run.states.size
    return MachineResult(arrange(op, run.states), chip.clock, dict(chip.events))


def _product(chip: Chip, graph: Graph, values: dict[str, Ints]) -> MachineResult:
    op = graph.ops[0]
    left, right = values[op.inputs[0]], values[op.inputs[1]].astype(np.int8)
    sums = np.zeros((left.shape[0], right.shape[1]), np.int32)
    if len(op.inputs) > 2:
        sums += values[op.inputs[2]].astype(np.int32)
        chip.events["vector", "add"] += sums.size
    for first in range(0, left.shape[0], chip.design.scratch_depth):
        part = slice(first, first + chip.design.scratch_depth)
        chip.multiply(right, np.ascontiguousarray(left[part].T), sums[part])
        written = sums[part].size * chip.design.activation_bits
        rate = Fraction(repr(chip.design.dram_bits_per_s)) / Fraction(repr(chip.design.clock_hz))
        left_over = Fraction(written)
        while left_over > 0:
            left_over -= rate
            chip.clock += 1
        chip.events["dram", "write"] += written
    return MachineResult(sums.astype(np.int64), chip.clock, dict(chip.events))


def _twin(kernel: Any) -> Any:
    """Return the plain-Python function behind a compiled kernel."""
    return kernel.plain
