"""A trained perceptron in DRAM rows: every product, sum and maximum by row commands on real bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.design import CONSTANTS, DramPimDesign
from accelerators.dram_pim.execute import Subarrays
from accelerators.dram_pim.layout import product_lanes, spread_of
from accelerators.dram_pim.lower import product_plan
from accelerators.dram_pim.operands import product_reduction
from accelerators.dram_pim.plan import Plan, Ref, Stage
from hwsim.errors import InputError, Problem, nearest
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import op_kind
from hwsim.graph.types import FormatKind, Graph, Op
from hwsim.model.types import FunctionalResult

Ints = NDArray[np.int64]
Values = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]
# Below, the product of a few quantization steps leaves the range of float64.
_SMALLEST = 2.0**-100


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer.

    Attributes
    ----------
    op, product : Op, MatrixProduct
        In the graph, for one sample.
    weights : float64[k, n]
        From input to output.
    bias : float64[n]
        Zero if the layer has none.
    rectified : bool
        Whether a relu follows.
    """

    op: Op
    product: MatrixProduct
    weights: Values
    bias: Values
    rectified: bool


def run(graph: Graph, design: DramPimDesign, data: Arrays) -> FunctionalResult:
    """Classify the samples of `data`, all of them at once in lanes beside each other.

    Inputs, weights and activations are integers of the graph's width, scaled by the largest of each layer; a
    result becomes the next layer's input by reading its upper rows.

    Parameters
    ----------
    graph : Graph
        A chain of linear layers with relu between them, in integers.
    data : mapping of str to array
        "labels", the network's input, and every weight and bias by its tensor's name.

    Raises
    ------
    InputError
        With everything that is wrong with network or data.
    """
    layers, inputs, labels = read(graph, data)
    bits = graph.tensors[graph.inputs[0]].format.bits
    banks = Subarrays(design)
    exact, (lanes, scale) = inputs, _quantized(inputs, bits)
    notes, out = [f"integers of {bits} bits; {len(labels)} samples at once"], np.zeros(0, np.int64)
    for layer in layers:
        weights, unit = _quantized(layer.weights, bits)
        bias = np.rint(np.clip(layer.bias / (scale * unit), -(2.0**62), 2.0**62)).astype(np.int64)
        sums, rows = multiply(graph, layer, lanes, weights, bias, banks, design)
        places = max(0, int(np.abs(sums).max(initial=0)).bit_length() - (bits - 1))
        out, scale = sums, scale * unit * 2**places
        lanes = sums >> places
        if layer.rectified:
            lanes = rectify(lanes, bits, banks)
        exact = exact @ layer.weights + layer.bias
        exact = np.maximum(exact, 0) if layer.rectified else exact
        taken = f", divided by 2^{places} by reading upper rows" if places and layer.rectified else ""
        notes.append(f"{layer.op.name}: sums of {rows} rows{taken}")
    commands = sum(count for (what, _), count in banks.events.items() if what == "banks")
    time_ms = banks.ticks * CONSTANTS.tick_s.value * 1e3
    notes.append(f"{commands} row commands in {time_ms:.4g} ms of the chip")
    return FunctionalResult(labels, out.argmax(axis=1), exact.argmax(axis=1), tuple(notes))


def multiply(graph: Graph, layer: Layer, x: Ints, weights: Ints, bias: Ints, banks: Subarrays,
             design: DramPimDesign) -> tuple[Ints, int]:
    """Return x @ weights + bias from the rows, int64[samples, n], and the rows of its numbers."""
    samples, n = len(x), weights.shape[1]
    product = replace(layer.product, m=samples)
    reduction = product_reduction(graph, product, design)
    if reduction is None:
        raise InputError("powers of two have no microprogram", where=layer.op.name)
    plan = product_plan(graph, layer.op, product, samples * n, design)
    left, right = np.repeat(x, n, axis=0), np.tile(weights.T, (samples, 1))
    values = product_lanes(left, right, reduction, *spread_of(plan, reduction))
    values["bias"] = np.tile(bias, samples)
    last = plan.steps[-1]
    rows = last.result.rows if isinstance(last, Stage) else reduction.rows
    largest = 2 ** (rows - 2)
    values["bias"] = np.clip(values["bias"], -largest, largest - 1)
    banks.run(plan, values)
    return values["acc"].reshape(samples, n), rows


def rectify(x: Ints, bits: int, banks: Subarrays) -> Ints:
    """Return max(x, 0) from the rows."""
    values = {"x0": x.reshape(-1)}
    number = Ref("x0", bits, signed=True)
    stage = Stage("relu", (number,), Ref("out", bits, signed=True), 1, x.size)
    banks.run(Plan((stage,), "relu"), values)
    return values["out"].reshape(x.shape)


def _quantized(values: Values, bits: int) -> tuple[Ints, float]:
    """Return integers of `bits` bits and what one of them stands for."""
    unit = float(np.abs(values).max(initial=0.0)) / (2 ** (bits - 1) - 1) or 1.0
    return np.rint(values / unit).astype(np.int64), unit


def read(graph: Graph, data: Arrays) -> tuple[list[Layer], Values, Ints]:
    """Return layers, inputs float64[samples, k] and labels; InputError with every fault of graph and data."""
    problems: list[Problem] = []
    layers: list[Layer] = []
    expected, previous = {"labels", *graph.inputs}, graph.inputs[0]
    if graph.tensors[previous].format.kind is not FormatKind.INTEGER:
        form = graph.tensors[previous].format
        problems.append(Problem(f"{graph.name}.{previous}", f"{form} inputs; samples become integers"))
    for op in graph.ops:
        where = f"{graph.name}.{op.name}"
        if op.inputs[:1] != (previous,):
            problems.append(Problem(where, f"does not follow {previous!r}: no plain chain"))
        previous = op.outputs[0]
        if op.kind == "gemm" and not op.attributes["trans_a"]:
            expected |= {name for name in op.inputs[1:] if name}
            layers.append(_layer(graph, op, data, problems))
        elif op.kind == "elementwise" and op.text("function") == "relu" and layers:
            layers[-1] = replace(layers[-1], rectified=True)
        elif not op_kind(op.kind).aliases:
            problems.append(Problem(where, f"{op.kind} has no values here: linear layers and relu do"))
    problems += [Problem(f"data.{name}", "belongs to no tensor of the network", nearest(name, expected))
                 for name in sorted(set(data) - expected)]
    inputs, labels = _samples(graph, data, problems)
    if not layers:
        problems.append(Problem(graph.name, "has no linear layer"))
    if problems:
        raise InputError(problems=problems)
    return layers, inputs, labels


def _layer(graph: Graph, op: Op, data: Arrays, problems: list[Problem]) -> Layer:
    (product,) = matrix_products(graph, op)
    weights = _array(graph, op.inputs[1], data, problems)
    weights = weights.T if op.attributes["trans_b"] else weights
    biased = len(op.inputs) > 2 and bool(op.inputs[2])
    bias = _array(graph, op.inputs[2], data, problems).reshape(-1) if biased else np.zeros(weights.shape[1])
    return Layer(op, product, weights, bias, rectified=False)


def _array(graph: Graph, name: str, data: Arrays, problems: list[Problem]) -> Values:
    shape = graph.tensors[name].shape
    if name not in data:
        problems.append(Problem(f"data.{name}", "is missing", nearest(name, data)))
        return np.zeros(shape)
    found = np.asarray(data[name])
    if found.shape != shape or found.dtype.kind not in "biuf" or not np.isfinite(found).all():
        reason = f"{found.dtype} of shape {list(found.shape)}; finite numbers of {list(shape)} are needed"
        problems.append(Problem(f"data.{name}", reason))
        return np.zeros(shape)
    problems += _too_small(name, found)
    return found.astype(np.float64)


def _too_small(name: str, found: NDArray[Any]) -> list[Problem]:
    """Return what is wrong with finite numbers that no quantization step fits."""
    largest = float(np.abs(found.astype(np.float64)).max(initial=0.0))
    if largest == 0 or largest >= _SMALLEST:
        return []
    return [Problem(f"data.{name}", f"largest number is {largest:g}; below 2^-100: no step fits")]


def _samples(graph: Graph, data: Arrays, problems: list[Problem]) -> tuple[Values, Ints]:
    name, empty = graph.inputs[0], (np.zeros((0, 1)), np.zeros(0, np.int64))
    missing = [key for key in (name, "labels") if key not in data]
    if missing:
        problems += [Problem(f"data.{key}", "is missing", nearest(key, data)) for key in missing]
        return empty
    inputs, labels = np.asarray(data[name]), np.asarray(data["labels"])
    width, classes = graph.tensors[name].shape[-1], graph.tensors[graph.outputs[0]].shape[-1]
    if inputs.ndim != 2 or inputs.shape[1] != width or inputs.dtype.kind not in "biuf" or not len(inputs):
        problems.append(Problem(f"data.{name}", f"shape {list(inputs.shape)}; [samples, {width}] is needed"))
        return empty
    if not np.isfinite(inputs).all():
        problems.append(Problem(f"data.{name}", "holds numbers that are not finite"))
        return empty
    problems += _too_small(name, inputs)
    wrong = labels.shape != (len(inputs),) or labels.dtype.kind not in "iu"
    if wrong or labels.min() < 0 or labels.max() >= classes:
        problems.append(Problem("data.labels", f"{len(inputs)} classes from 0 to {classes - 1} are needed"))
        return empty
    return inputs.astype(np.float64), labels.astype(np.int64)
