"""Weights and samples of a functional run, read by tensor name and checked all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem, nearest
from hwsim.graph.types import FormatKind, Graph, Role, Tensor

Values = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Data:
    """What the user gave.

    Attributes
    ----------
    fixed : dict of str to float64 array
        Weights and constants by tensor.
    inputs : float64[samples, ...]
        The network's input.
    labels : int64[samples]
        The right class of each.
    """

    fixed: dict[str, Values]
    inputs: Values
    labels: NDArray[np.int64]


def read(graph: Graph, data: Arrays) -> Data:
    """Return the arrays that `data` holds for `graph`.

    Raises
    ------
    InputError
        With every fault: arrays missing, left over, of another shape, not finite, binary ones that hold
        anything but -1 and 1, labels that are no classes.
    """
    problems: list[Problem] = []
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError("a functional run takes one input and one output", where=graph.name)
    used = {name for op in graph.ops for name in op.inputs if name}
    wanted = [t for t in graph.tensors.values() if t.role in (Role.WEIGHT, Role.CONSTANT) and t.name in used]
    expected = {"labels", graph.inputs[0], *(tensor.name for tensor in wanted)}
    fixed = {tensor.name: _array(tensor, data, problems) for tensor in wanted}
    problems += [
        Problem(f"data.{name}", "belongs to no tensor of the network", nearest(name, expected))
        for name in sorted(set(data) - expected)
    ]
    inputs = _inputs(graph.tensors[graph.inputs[0]], data, problems)
    labels = _labels(graph, len(inputs), data, problems)
    if problems:
        raise InputError(problems=problems)
    return Data(fixed, inputs, labels)


def _array(tensor: Tensor, data: Arrays, problems: list[Problem]) -> Values:
    where = f"data.{tensor.name}"
    empty = np.ones(tensor.shape)
    if tensor.name not in data:
        problems.append(Problem(where, "is missing", nearest(tensor.name, data)))
        return empty
    found = data[tensor.name]
    if found.dtype.kind not in "biuf" or found.shape != tensor.shape:
        shapes = f"has shape {list(found.shape)} of {found.dtype}, the network {list(tensor.shape)}"
        problems.append(Problem(where, shapes))
        return empty
    values = found.astype(np.float64)
    problems += _value_problems(where, tensor, values)
    return values


def _value_problems(where: str, tensor: Tensor, values: Values) -> list[Problem]:
    if not np.isfinite(values).all():
        count = np.count_nonzero(~np.isfinite(values))
        return [Problem(where, f"holds {count} values that are no numbers")]
    if tensor.format.kind is FormatKind.BINARY and not (np.abs(values) == 1).all():
        first = values.reshape(-1)[int(np.argmax(np.abs(values).reshape(-1) != 1))]
        return [Problem(where, f"is binary and holds {first:g}", "binary values are -1 and 1")]
    return []


def _inputs(tensor: Tensor, data: Arrays, problems: list[Problem]) -> Values:
    where, shape = f"data.{tensor.name}", tensor.shape[1:]
    empty = np.zeros((0, *shape))
    if tensor.name not in data:
        problems.append(Problem(where, "is missing", nearest(tensor.name, data)))
        return empty
    found = data[tensor.name]
    size = int(np.prod(shape))
    if found.dtype.kind not in "biuf" or found.ndim < 2 or not len(found) or found[0].size != size:
        reason = f"has shape {list(found.shape)} of {found.dtype}, expected samples of {list(shape)}"
        problems.append(Problem(where, reason))
        return empty
    values = found.astype(np.float64).reshape(-1, *shape)
    problems += _value_problems(where, tensor, values)
    return values


def _labels(graph: Graph, samples: int, data: Arrays, problems: list[Problem]) -> NDArray[np.int64]:
    classes = graph.tensors[graph.outputs[0]].shape[-1]
    none = np.zeros(0, np.int64)
    if "labels" not in data:
        problems.append(Problem("data.labels", "is missing", nearest("labels", data)))
        return none
    labels = data["labels"]
    if labels.dtype.kind not in "iu" or labels.ndim != 1 or (samples and len(labels) != samples):
        reason = f"has shape {list(labels.shape)} of {labels.dtype}, expected {samples} whole numbers"
        problems.append(Problem("data.labels", reason))
        return none
    if len(labels) and (labels.min() < 0 or labels.max() >= classes):
        reason = f"runs from {labels.min()} to {labels.max()}, classes from 0 to {classes - 1}"
        problems.append(Problem("data.labels", reason))
    return labels.astype(np.int64)
