"""The neurons, clock by clock: register, comparator, counter, weight memory and accumulator of each one."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_fc.design import SparseFcDesign
from accelerators.sparse_fc.lfsr import shift, threshold_of
from accelerators.sparse_fc.mapping import NeuronLayer
from accelerators.sparse_fc.operands import FRACTION, draw, stage_vectors
from accelerators.sparse_fc.weights import decode, pack
from hwsim.errors import InputError
from hwsim.graph.types import Graph, Op
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]


class Neurons:
    """The neurons of one pass, and the clocks and events since they were made.

    Parameters
    ----------
    design : SparseFcDesign
        Widths and feedback.
    seeds : tuple of int
        First state of each neuron's register.
    columns : list of int64
        Codes in each neuron's weight memory, in the order in which they will be read.
    sparsity : float
        The number that the registers are compared with.
    """

    def __init__(
        self, design: SparseFcDesign, seeds: tuple[int, ...], columns: list[Ints], sparsity: float
    ) -> None:
        self.design = design
        self.events: Counter[tuple[str, str]] = Counter()
        self.clocks = 0
        self._seeds = np.array(seeds, dtype=np.int64)
        self._threshold = threshold_of(sparsity, design.lfsr_bits)
        self._generating = sparsity > 0
        depth = max((len(column) for column in columns), default=0)
        self._memory = np.zeros((len(columns), max(depth, 1)), dtype=np.int64)
        for neuron, column in enumerate(columns):
            self._memory[neuron, : len(column)] = column
        self._lengths = np.array([len(column) for column in columns], dtype=np.int64)

    def run(self, sample: Ints) -> Ints:
        """Return the sums of one sample, whose inputs arrive one a clock."""
        count = len(self._seeds)
        states, address, sums = self._seeds.copy(), np.zeros(count, np.int64), np.zeros(count, np.int64)
        for value in sample.tolist():
            enabled = states >= self._threshold
            if bool((address[enabled] >= self._lengths[enabled]).any()):
                raise InputError("a counter runs past the last weight", where="sparse_fc.machine")
            at = np.flatnonzero(enabled)
            sums[at] += decode(self._memory[at, address[at]], self.design.weights) * value
            address[at] += 1
            self._count(count, len(at))
            states = shift(states, self.design.feedback) if self._generating else states
        return sums

    def _count(self, neurons: int, kept: int) -> None:
        self.clocks += 1
        self.events["input_bus", "broadcast"] += 1
        self.events["neuron", "clock"] += neurons
        self.events["weight_memory", "clock"] += neurons
        if self._generating:
            self.events["lfsr", "shift"] += neurons
        if kept:
            self.events["weight_memory", "read"] += kept
            self.events["neuron", "mac"] += kept


def machine(graph: Graph, design: SparseFcDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one layer of neurons on operands drawn from `rng`.

    Returns
    -------
    MachineResult
        Values of the graph's output, clocks, and events as in the trace.
    """
    operands = draw(graph, design, rng)
    layer = operands.layer
    stored = pack(operands.weights, _walked_mask(design, layer), design.weights)
    sums = np.zeros((layer.rows, layer.columns), dtype=np.int64)
    events: Counter[tuple[str, str]] = Counter()
    clocks = 0
    for row in range(layer.rows):
        for first in range(0, layer.columns, design.neurons):
            places = slice(first, first + design.neurons)
            neurons = Neurons(design, layer.seeds[places], stored[places], layer.sparsity_ratio)
            sums[row, places] = neurons.run(operands.inputs[row])
            events += neurons.events
            clocks += neurons.clocks
    values = sums
    for op in graph.ops:
        values = _staged(op, values, stage_vectors(op, operands.vectors), events)
    return MachineResult(values.reshape(graph.tensors[graph.outputs[0]].shape), clocks, dict(events))


def _walked_mask(design: SparseFcDesign, layer: NeuronLayer) -> NDArray[np.bool_]:
    """Return the mask as the packer of the weights sees it: every register walked on its own."""
    kept = np.ones((layer.inputs, layer.columns), dtype=np.bool_)
    threshold = threshold_of(layer.sparsity_ratio, design.lfsr_bits)
    for column, seed in enumerate(layer.seeds if layer.sparsity_ratio else ()):
        state = np.array([seed], dtype=np.int64)
        for index in range(layer.inputs):
            kept[index, column] = state[0] >= threshold
            state = shift(state, design.feedback)
    return kept


def _staged(op: Op, values: Ints, constants: list[Ints], events: Counter[tuple[str, str]]) -> Ints:
    """Return the outputs after one function of the output stage, applied to one sum after another."""
    function = str(op.attributes.get("function", op.kind))
    if function in ("gemm", "matmul") and not constants:
        return values
    result = np.zeros_like(values)
    for place in np.ndindex(*values.shape):
        column, value = place[-1], int(values[place])
        if function in ("gemm", "matmul", "add"):
            events["output_stage", "add"] += 1
            result[place] = value + int(constants[0][column])
        elif function in ("batch_normalization", "multiply"):
            events["output_stage", "multiply"] += 1
            result[place] = value * int(constants[0][column])
            if function == "batch_normalization":
                events["output_stage", "add"] += 1
                result[place] += int(constants[1][column])
        elif function in ("relu", "sign"):
            events["output_stage", "compare"] += 1
            result[place] = max(value, 0) if function == "relu" else (value > 0) - (value < 0)
        else:
            events["output_stage", "special"] += 1
            result[place] = _looked_up(function, value)
    return result


def _looked_up(function: str, value: int) -> int:
    """Return the table entry of a sigmoid or tanh with seven bits behind the point."""
    if function == "tanh":
        return round(FRACTION * math.tanh(value))
    return round(FRACTION / (1 + math.exp(-max(-60, min(60, value)))))
