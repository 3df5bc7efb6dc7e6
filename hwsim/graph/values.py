"""What an operator computes, in numpy: the reference that a chip's own arithmetic is held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem, UnsupportedOp, nearest
from hwsim.graph.types import FormatKind, Graph, Op, Role

Values = NDArray[np.float64]
Product = Callable[[Op, Values, Values, Values], Values]

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "relu": lambda x: np.maximum(x, 0.0), "sign": lambda x: np.where(x >= 0, 1.0, -1.0),
    "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-np.clip(x, -500, 500))),
    "minimum": lambda *xs: np.minimum.reduce(xs), "maximum": lambda *xs: np.maximum.reduce(xs),
}


def plain_product(op: Op, rows: Values, inside: Values, weights: Values) -> Values:
    """Return ``rows @ weights.T``; `inside`, zero where a row is padding, is not needed."""
    product: Values = rows @ weights.T
    return product


def run(graph: Graph, arrays: Mapping[str, NDArray[Any]], product: Product = plain_product,
        special: Mapping[str, Callable[..., Values]] | None = None) -> dict[str, Values]:
    """Return the value of every tensor of `graph`.

    Parameters
    ----------
    graph : Graph
        Network; the first axis of its inputs may have another length in `arrays`.
    arrays : mapping of str to array
        Inputs, weights and constants by name.
    product : callable (op, rows [m, k], inside [m, k] or [1, k], weights [n, k]) -> array [m, n]
        Computes the matrix products of convolutions and linear layers.
    special : mapping of str to callable
        For single operators, by name: takes their operands and returns their result.

    Raises
    ------
    UnsupportedOp
        With every operator that is not computed here.
    """
    refused = [Problem(f"{graph.name}.{op.name}", f"no values for {_title(op)}") for op in graph.ops
               if not can_run(op)]
    if refused:
        raise UnsupportedOp(problems=refused)
    values: dict[str, Values] = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    for op in graph.ops:
        operands = [values[name] if name else None for name in op.inputs]
        own = (special or {}).get(op.name)
        values[op.outputs[0]] = own(*operands) if own else apply(op, operands, product)
    return values


def can_run(op: Op) -> bool:
    """Return whether `apply` knows the operator."""
    if op.kind == "elementwise":
        return op.text("function") in (*_FUNCTIONS, "clip")
    if op.kind in ("convolution", "binary_convolution"):
        return op.int("groups") == 1 and set(op.ints("dilations")) <= {1} and len(op.ints("strides")) == 2
    if op.kind in ("max_pool", "average_pool"):
        bordered = op.kind == "average_pool" and any(op.ints("pads"))
        return len(op.ints("kernel")) == 2 and not op.attributes["ceil_mode"] and not bordered
    if op.kind == "gemm":
        return not op.attributes["trans_a"] and op.attributes["alpha"] == op.attributes["beta"] == 1.0
    if op.kind in ("matmul", "binary_matmul"):
        return not op.attributes["transpose_a"]
    if op.kind == "pad":
        return op.text("mode") == "constant" and min(op.ints("pads")) >= 0
    return op.kind in _APPLY


def apply(op: Op, operands: Sequence[Values | None], product: Product = plain_product) -> Values:
    """Return the result of `op`; the first axis of its operands holds the samples."""
    given = [operand for operand in operands if operand is not None]
    return _APPLY[op.kind](op, given, product)


def unfold(x: Values, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int]) -> Values:
    """Return the windows of [n, c, h, w] as rows [n * out_h * out_w, c * kernel], zeros at the border."""
    padded = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    found = np.lib.stride_tricks.sliding_window_view(padded, tuple(kernel), axis=(2, 3))
    found = found[:, :, :: strides[0], :: strides[1]]
    rows: Values = found.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * kernel[0] * kernel[1])
    return rows


def _title(op: Op) -> str:
    return f"{op.kind} {op.text('function')}" if op.kind == "elementwise" else op.kind


def _convolution(op: Op, given: list[Values], product: Product) -> Values:
    x, weight = given[0], given[1]
    strides, pads, kernel = op.ints("strides"), op.ints("pads"), weight.shape[2:]
    rows = unfold(x, kernel, strides, pads)
    inside = np.ones((1, rows.shape[1]))
    if any(pads):
        inside = np.tile(unfold(np.ones((1, *x.shape[1:])), kernel, strides, pads), (len(x), 1))
    sums = product(op, rows, inside, weight.reshape(len(weight), -1))
    if len(given) > 2:
        sums = sums + given[2]
    height = (x.shape[2] + pads[0] + pads[2] - kernel[0]) // strides[0] + 1
    return sums.reshape(len(x), height, -1, len(weight)).transpose(0, 3, 1, 2)


def _linear(op: Op, given: list[Values], product: Product) -> Values:
    turned = op.attributes.get("trans_b", op.attributes.get("transpose_b", False))
    weights = given[1] if turned else given[1].T
    sums = product(op, given[0], np.ones((1, given[0].shape[1])), weights)
    return sums + given[2] if len(given) > 2 else sums


def _normalization(op: Op, given: list[Values], product: Product) -> Values:
    x, scale, bias, mean, variance = given
    wide = (1, -1, *(1,) * (x.ndim - 2))
    epsilon = float(op.attributes["epsilon"])  # type: ignore[arg-type]
    if not (variance + epsilon > 0).all():
        channel = int(np.argmin(variance))
        raise InputError(f"variance {variance[channel]:g} + epsilon {epsilon:g} of channel {channel} is not "
                         "above zero", where=f"data.{op.inputs[4]}")
    deviation = np.sqrt(variance + epsilon).reshape(wide)
    return scale.reshape(wide) * (x - mean.reshape(wide)) / deviation + bias.reshape(wide)


def _elementwise(op: Op, given: list[Values], product: Product) -> Values:
    if op.text("function") == "clip":
        bounds = np.asarray(op.attributes["parameters"], np.float64)
        return np.clip(given[0], bounds[0], bounds[1])
    result: Values = np.asarray(_FUNCTIONS[op.text("function")](*given), np.float64)
    return result


def _quantize(op: Op, given: list[Values], product: Product) -> Values:
    return np.rint(given[0] / given[1])


def _pool(op: Op, given: list[Values], product: Product) -> Values:
    x, kernel, strides, pads = given[0], op.ints("kernel"), op.ints("strides"), op.ints("pads")
    border = -np.inf if op.kind == "max_pool" else 0.0
    padded = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=border)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
    windows = windows[:, :, :: strides[0], :: strides[1]]
    result: Values = windows.max(axis=(4, 5)) if op.kind == "max_pool" else windows.mean(axis=(4, 5))
    return result


def _global_pool(op: Op, given: list[Values], product: Product) -> Values:
    axes = tuple(range(2, given[0].ndim))
    reduce = np.max if op.kind == "global_max_pool" else np.mean
    result: Values = reduce(given[0], axis=axes, keepdims=True)
    return result


def _reshape(op: Op, given: list[Values], product: Product) -> Values:
    shape = op.ints("shape")
    return given[0].reshape(len(given[0]), *shape[1:])


def _slice(op: Op, given: list[Values], product: Product) -> Values:
    axes, starts, ends = op.ints("axes"), op.ints("starts"), op.ints("ends")
    steps = op.ints("steps") or (1,) * len(axes)
    cut = [slice(None)] * given[0].ndim
    for axis, *bounds in zip(axes, starts, ends, steps, strict=True):
        cut[axis] = slice(*bounds)
    return given[0][tuple(cut)]


def _pad(op: Op, given: list[Values], product: Product) -> Values:
    pads, rank = op.ints("pads"), given[0].ndim
    return np.pad(given[0], [(pads[axis], pads[rank + axis]) for axis in range(rank)])


def _same(op: Op, given: list[Values], product: Product) -> Values:
    return given[0]


_APPLY: Mapping[str, Callable[[Op, list[Values], Product], Values]] = {
    "convolution": _convolution, "binary_convolution": _convolution, "gemm": _linear, "matmul": _linear,
    "binary_matmul": _linear, "batch_normalization": _normalization, "elementwise": _elementwise,
    "quantize": _quantize, "max_pool": _pool, "average_pool": _pool, "global_max_pool": _global_pool,
    "global_average_pool": _global_pool, "reshape": _reshape, "slice": _slice, "pad": _pad,
    "identity": _same, "cast": _same,
}


def read_samples(
        graph: Graph, data: Mapping[str, NDArray[Any]]) -> tuple[dict[str, Values], NDArray[np.int64]]:
    """Return the arrays of `data` that `graph` names, checked, and the labels.

    Raises
    ------
    InputError
        With every fault: arrays missing, superfluous, of another shape, not finite, binary tensors that hold
        something else than -1 and 1, labels that are no classes.
    """
    wanted = [tensor for tensor in graph.tensors.values()
              if tensor.role in (Role.INPUT, Role.WEIGHT, Role.CONSTANT)]
    names = {tensor.name for tensor in wanted} | {"labels"}
    problems = [Problem(f"data.{name}", "belongs to no tensor of the network", nearest(name, names))
                for name in sorted(set(data) - names)]
    problems += [Problem(f"data.{name}", "is missing", nearest(name, data))
                 for name in sorted(names - set(data))]
    found: dict[str, Values] = {}
    for tensor in wanted:
        if tensor.name not in data:
            continue
        array = np.asarray(data[tensor.name])
        start = 1 if tensor.role is Role.INPUT else 0
        if array.dtype.kind not in "biuf" or array.shape[start:] != tensor.shape[start:] or not array.size:
            expected = [*(["samples"] if start else []), *tensor.shape[start:]]
            problems.append(Problem(f"data.{tensor.name}", f"has shape {list(array.shape)} of {array.dtype}, "
                                    f"the network expects {expected}"))
        elif not np.isfinite(array).all():
            problems.append(_not_finite(tensor.name, array))
        elif tensor.format.kind is FormatKind.BINARY and (np.abs(array.astype(np.float64)) != 1).any():
            odd = array[np.abs(array.astype(np.float64)) != 1].flat[0]
            reason = f"is binary and holds {odd:g}"
            problems.append(Problem(f"data.{tensor.name}", reason, "use -1 and 1 only"))
        else:
            found[tensor.name] = array.astype(np.float64)
    labels = _labels(graph, data, found, problems)
    if problems:
        raise InputError(problems=problems)
    return found, labels


def _not_finite(name: str, array: NDArray[Any]) -> Problem:
    count = np.count_nonzero(~np.isfinite(array))
    return Problem(f"data.{name}", f"holds {count} values that are no finite numbers")


def _labels(graph: Graph, data: Mapping[str, NDArray[Any]], found: Mapping[str, Values],
            problems: list[Problem]) -> NDArray[np.int64]:
    none = np.zeros(0, np.int64)
    if "labels" not in data or not all(name in found for name in graph.inputs):
        return none
    labels, samples = np.asarray(data["labels"]), len(found[graph.inputs[0]])
    classes = graph.tensors[graph.outputs[0]].shape[-1]
    if labels.dtype.kind not in "iu" or labels.shape != (samples,):
        problems.append(Problem("data.labels", f"has shape {list(labels.shape)} of {labels.dtype}, "
                                f"expected {samples} whole numbers"))
        return none
    if labels.min() < 0 or labels.max() >= classes:
        problems.append(Problem("data.labels", f"runs from {labels.min()} to {labels.max()}, classes from 0 "
                                f"to {classes - 1}"))
    return labels.astype(np.int64)
