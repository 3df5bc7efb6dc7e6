"""Weights and samples of a functional run: read by name, checked all at once, turned into unipolar layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.integral_sc.network import product_of
from hwsim.errors import InputError, Problem, nearest
from hwsim.graph.offload import is_still
from hwsim.graph.types import Graph, Op

Values = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Layer:
    """A fully connected layer.

    Attributes
    ----------
    name : str
        Operator in the graph.
    weights : float64[k, n]
        From input to neuron.
    bias : float64[n]
        Zero if the layer has none.
    activation : str
        "sigmoid", "tanh", or "" for sums.
    """

    name: str
    weights: Values
    bias: Values
    activation: str


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs in [0, 1] as float64[samples, k], and the right class of each."""

    inputs: Values
    labels: NDArray[np.int64]


def read(graph: Graph, data: Arrays) -> tuple[list[Layer], Samples]:
    """Return the layers and samples that `data` holds for `graph`.

    Raises
    ------
    InputError
        With every fault: operators out of line, arrays missing, of another shape or not finite, pixels
        outside [0, 1], labels that are no classes.
    """
    problems: list[Problem] = []
    layers: list[Layer] = []
    expected = {"labels", *graph.inputs}
    previous = graph.inputs[0]
    for op in graph.ops:
        if op.inputs and op.inputs[0] != previous:
            problems.append(
                Problem(f"{graph.name}.{op.name}", f"does not follow {previous!r}: no plain chain")
            )
        previous = op.outputs[0]
        if op.kind in ("gemm", "matmul"):
            expected |= {name for name in op.inputs[1:] if name}
            layers.append(_layer(graph, op, data, problems))
        elif op.kind == "elementwise":
            problems += _activate(graph, op, layers)
        elif not is_still(op):
            problems.append(Problem(f"{graph.name}.{op.name}", f"{op.kind} computes no values on this chip"))
    if not layers:
        problems.append(Problem(graph.name, "has no fully connected layer"))
    elif layers[-1].activation:
        layers[-1] = replace(layers[-1], activation="")
    problems += [
        Problem(f"data.{name}", "belongs to no tensor of the network", nearest(name, expected))
        for name in sorted(set(data) - expected)
    ]
    samples = _samples(graph, data, problems)
    if problems:
        raise InputError(problems=problems)
    return layers, samples


def _layer(graph: Graph, op: Op, data: Arrays, problems: list[Problem]) -> Layer:
    product = product_of(graph, op)
    key = "trans_b" if op.kind == "gemm" else "transpose_b"
    turned = bool(op.attributes[key])
    if op.attributes[key.replace("_b", "_a")] or product is None or product.right != op.inputs[1]:
        problems.append(
            Problem(f"{graph.name}.{op.name}", "multiplies by no plain weight matrix from the right")
        )
    weights = _array(graph, op.inputs[1], data, problems)
    bias = np.zeros(weights.shape[0 if turned else 1])
    if len(op.inputs) > 2 and op.inputs[2]:
        bias = _array(graph, op.inputs[2], data, problems).reshape(-1)
    return Layer(op.name, weights.T if turned else weights, bias, "")


def _activate(graph: Graph, op: Op, layers: list[Layer]) -> list[Problem]:
    function = op.text("function")
    if function not in ("sigmoid", "tanh"):
        hint = "train the network with sigmoid or tanh, or run it without --functional"
        return [
            Problem(f"{graph.name}.{op.name}", f"NStanh saturates on both sides; it is no {function}", hint)
        ]
    if not layers or layers[-1].activation:
        return [Problem(f"{graph.name}.{op.name}", "an activation without a layer before it")]
    layers[-1] = replace(layers[-1], activation=function)
    return []


def _array(graph: Graph, name: str, data: Arrays, problems: list[Problem]) -> Values:
    shape = graph.tensors[name].shape
    if name not in data:
        problems.append(Problem(f"data.{name}", "is missing", nearest(name, data)))
        return np.zeros(shape)
    if data[name].dtype.kind not in "biuf":
        problems.append(Problem(f"data.{name}", f"holds {data[name].dtype}, not numbers"))
        return np.zeros(shape)
    found = data[name].astype(np.float64)
    if found.shape != shape:
        problems.append(Problem(f"data.{name}", f"has shape {list(found.shape)}, the network {list(shape)}"))
        return np.zeros(shape)
    if not np.isfinite(found).all():
        problems.append(
            Problem(
                f"data.{name}", f"holds {np.count_nonzero(~np.isfinite(found))} values that are no numbers"
            )
        )
        return np.zeros(shape)
    return found


def _samples(graph: Graph, data: Arrays, problems: list[Problem]) -> Samples:
    name, classes = graph.inputs[0], graph.tensors[graph.outputs[0]].shape[-1]
    width = graph.tensors[name].elements // max(1, graph.tensors[name].shape[0])
    empty = Samples(np.zeros((0, width)), np.zeros(0, np.int64))
    missing = [key for key in (name, "labels") if key not in data]
    problems += [Problem(f"data.{key}", "is missing", nearest(key, data)) for key in missing]
    if missing:
        return empty
    inputs, labels = data[name], data["labels"]
    if inputs.dtype.kind not in "biuf" or inputs.ndim < 2 or inputs[0:1].size != width or not len(inputs):
        reason = f"has shape {list(inputs.shape)} of {inputs.dtype}, expected samples of {width} numbers"
        problems.append(Problem(f"data.{name}", reason))
        return empty
    flat = inputs.reshape(len(inputs), width).astype(np.float64)
    outside = np.argwhere(~((flat >= 0) & (flat <= 1)))
    if len(outside):
        row, column = outside[0]
        reason = f"{len(outside)} values outside [0, 1], the first {flat[row, column]:g} at [{row}, {column}]"
        problems.append(Problem(f"data.{name}", reason, "divide by the largest pixel value"))
    if labels.dtype.kind not in "iu" or labels.shape != (len(flat),):
        reason = f"has shape {list(labels.shape)} of {labels.dtype}, expected {len(flat)} whole numbers"
        problems.append(Problem("data.labels", reason))
        return empty
    if labels.min() < 0 or labels.max() >= classes:
        problems.append(
            Problem(
                "data.labels", f"runs from {labels.min()} to {labels.max()}, classes from 0 to {classes - 1}"
            )
        )
    return Samples(flat, labels.astype(np.int64))


def float_activations(layers: list[Layer], inputs: Values) -> list[Values]:
    """Return the inputs of every layer, then the sums of the last one, in floating point."""
    found = [inputs]
    for layer in layers:
        z = found[-1] @ layer.weights + layer.bias
        if layer.activation == "sigmoid":
            z = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        found.append(np.tanh(z) if layer.activation == "tanh" else z)
    return found


def unipolar(layers: list[Layer]) -> list[Layer]:
    """Return the same network with sigmoids only: tanh(z) = 2 sigmoid(2 z) - 1, the rest into the next layer.

    A neuron's bits are read as a value in [0, 1], which an AND gate multiplies.
    """
    found: list[Layer] = []
    shifted = False
    for layer in layers:
        weights, bias = layer.weights, layer.bias
        if shifted:
            weights, bias = 2 * weights, bias - weights.sum(axis=0)
        shifted = layer.activation == "tanh"
        if shifted:
            weights, bias = 2 * weights, 2 * bias
        found.append(Layer(layer.name, weights, bias, "sigmoid" if layer.activation else ""))
    return found
