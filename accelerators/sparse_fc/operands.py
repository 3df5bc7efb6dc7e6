"""Real operands for the machine, and what numpy says the layer makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_fc.design import SparseFcDesign
from accelerators.sparse_fc.lfsr import period_of
from accelerators.sparse_fc.mapping import NeuronLayer, layer_of
from accelerators.sparse_fc.weights import quantize
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import stationary
from hwsim.graph.types import INT8, INT32, Graph, Op

Ints = NDArray[np.int64]
FRACTION = 127


@dataclass(frozen=True)
class Operands:
    """What enters a run.

    Attributes
    ----------
    layer : NeuronLayer
        The layer.
    inputs : int64[rows, inputs]
        Activations.
    weights : int64[inputs, columns]
        Quantized weights before the mask.
    vectors : mapping of str to int64[columns]
        Biases, scales and shifts by tensor name.
    """

    layer: NeuronLayer
    inputs: Ints
    weights: Ints
    vectors: dict[str, Ints]


def draw(graph: Graph, design: SparseFcDesign, rng: np.random.Generator) -> Operands:
    """Return random operands of the single layer of `graph`: Gaussian weights, quantized by rule."""
    heads = [op for op in graph.ops if op.kind in ("gemm", "matmul")]
    if len(heads) != 1:
        raise UnsupportedOp(f"{len(heads)} layers are not stepped together", where=f"sparse_fc.{graph.name}")
    layer, bound = layer_of(graph, heads[0], design), 2 ** (design.activation_bits - 1)
    inputs = rng.integers(-bound, bound, (layer.rows, layer.inputs))
    weights = quantize(rng.normal(0.0, 0.5, (layer.inputs, layer.columns)), design.weights)
    vectors = {
        name: rng.integers(-99, 100, layer.columns)
        for op in graph.ops
        for name in op.inputs
        if name != layer.weight and stationary(graph.tensors[name])
    }
    return Operands(layer, inputs, weights, vectors)


def stage_vectors(op: Op, vectors: dict[str, Ints]) -> list[Ints]:
    """Return the constants that `op` applies: a bias, or the scale and shift of a folded normalization."""
    if op.kind == "batch_normalization":
        return [vectors[op.inputs[1]], vectors[op.inputs[2]]]
    return [vectors[name] for name in op.inputs if name in vectors]


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a small random layer of neurons, with or without bias, normalization and activation."""
    b = GraphBuilder("random", format=INT8)
    rows, inputs, columns = (int(rng.integers(1, high)) for high in (4, 41, 17))
    transposed = bool(rng.integers(2))
    weight = b.weight("w", (columns, inputs) if transposed else (inputs, columns))
    operands = [b.input("x", (rows, inputs)), weight]
    if rng.integers(2):
        operands.append(b.weight("b", (columns,), format=INT32))
    x = b.add("gemm", operands, name="fc", trans_b=transposed)
    if rng.integers(2):
        x = b.batch_norm(x, "bn")
    function = ("", "relu", "sign", "sigmoid", "tanh")[int(rng.integers(5))]
    if function:
        x = b.elementwise(function, x, name=function)
    b.output(x)
    return b.build()


def reference(graph: Graph, design: SparseFcDesign, rng: np.random.Generator) -> Ints:
    """Return ``(x (W o M))`` and what follows it, by whole-matrix arithmetic on the drawn operands.

    The mask is made from the linear recurrence of its bits and not by stepping registers.
    """
    operands = draw(graph, design, rng)
    layer = operands.layer
    kept = recurrent_mask(design, layer.seeds, layer.inputs, layer.sparsity_ratio)
    values: Ints = operands.inputs @ (operands.weights * kept)
    for op in graph.ops:
        values = _applied(op, values, operands.vectors)
    return values.reshape(graph.tensors[graph.outputs[0]].shape)


def recurrent_mask(
    design: SparseFcDesign, seeds: tuple[int, ...], inputs: int, sparsity: float
) -> NDArray[np.int64]:
    """Return int64[inputs, columns] of 0 and 1 from the bit recurrence a(n + w) = sum of a(n + e)."""
    width, exponents = design.lfsr_bits, (0, *(tap for tap in design.feedback if tap < design.lfsr_bits))
    bits = np.zeros((inputs + width, len(seeds)), dtype=np.int64)
    for place in range(width):
        bits[place] = [seed >> (width - 1 - place) & 1 for seed in seeds]
    for place in range(inputs):
        bits[place + width] = sum(bits[place + exponent] for exponent in exponents) % 2
    states = np.zeros((inputs, len(seeds)), dtype=np.int64)
    for place in range(width):
        states += bits[place : place + inputs] << (width - 1 - place)
    limit = Fraction(repr(float(sparsity)))
    kept: Ints = (states.astype(object) * limit.denominator >= limit.numerator * period_of(width)).astype(
        np.int64
    )
    return kept


def _applied(op: Op, values: Ints, vectors: dict[str, Ints]) -> Ints:
    constants = stage_vectors(op, vectors)
    function = str(op.attributes.get("function", op.kind))
    if function in ("gemm", "matmul", "add"):
        return values + sum(constants, np.zeros(1, dtype=np.int64))
    if function == "batch_normalization":
        return values * constants[0] + constants[1]
    if function == "multiply":
        return values * constants[0]
    if function == "relu":
        return values * (values > 0)
    if function == "sign":
        return (values > 0).astype(np.int64) - (values < 0)
    if function == "tanh":
        return _rounded(FRACTION * np.tanh(values.astype(np.float64)))
    clipped = np.clip(values, -60, 60).astype(np.float64)
    return _rounded(FRACTION / (1 + np.exp(-clipped)))


def _rounded(values: NDArray[np.float64]) -> Ints:
    whole: Ints = np.rint(values).astype(np.int64)
    return whole


__all__ = ["Operands", "draw", "random_graph", "recurrent_mask", "reference", "stage_vectors"]
