"""Give every open dimension of the network's inputs a size, and say which."""

from __future__ import annotations

import re
from collections.abc import Mapping

import onnx

from hwsim.errors import GraphError, InputError, Problem, nearest
from hwsim.graph.types import Shape
from hwsim.importers.limits import refuse_huge

MAX_SIZE = 2**31 - 1
# ONNX's inference takes a vector of integers for a list of sizes and allocates one axis per element.
MAX_LISTED = 65536
_INTEGERS = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)

_BATCH = re.compile(r"^(n|b|bs|.*batch.*)$", re.IGNORECASE)
# Names that exporters make up for a dimension that the user left nameless.
_NAMELESS = re.compile(r"^(\?|none|unk_.*|s\d+|dim_?\d*|.*_dynamic_axes_\d+|.*_dim_\d+)?$", re.IGNORECASE)


def bind_dimensions(inputs: Mapping[str, onnx.ValueInfoProto], dimensions: Mapping[str, int],
                    file: str) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return the static shape of every input and the sizes that were bound.

    Parameters
    ----------
    inputs : mapping of str to onnx.ValueInfoProto
        The network's inputs without those that are initializers.
    dimensions : mapping of str to int
        Sizes by dimension name (``batch``) or by place (``input.0``).
    file : str
        Prefix of messages.

    Returns
    -------
    shapes : dict of str to tuple of int
        Shape of each input.
    bound : dict of str to int
        Every dimension that was open, by name or place, with its size. Batch-like ones default to 1.

    Raises
    ------
    InputError
        A dimension stays open, a size is not a positive integer, or `dimensions` names no open one.
    """
    problems = [Problem(f"--dim {name}", f"{size!r} is not an integer between 1 and {MAX_SIZE}")
                for name, size in dimensions.items()
                if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SIZE]
    if problems:
        raise InputError(problems=problems)
    bound: dict[str, int] = {}
    known: set[str] = set()
    shapes: dict[str, Shape] = {}
    for name, info in inputs.items():
        where = f"{file}.{name}"
        if info.type.WhichOneof("value") != "tensor_type" or not info.type.tensor_type.HasField("shape"):
            problems.append(Problem(where, "the input is no tensor with a shape",
                                    "declare its shape on export"))
            continue
        sizes = [_size(dim, name, axis, dimensions, (bound, known, problems), where)
                 for axis, dim in enumerate(info.type.tensor_type.shape.dim)]
        shapes[name] = tuple(sizes)
    problems += [Problem(f"--dim {name}", f"{file} has no open dimension {name!r}",
                         nearest(name, known) or "all its dimensions are fixed")
                 for name in dimensions if name not in known]
    if problems:
        raise InputError(problems=problems)
    for name, shape in shapes.items():
        refuse_huge(shape, f"{file}.{name}")
    return shapes, bound


def _size(dim: onnx.TensorShapeProto.Dimension, name: str, axis: int, dimensions: Mapping[str, int],
          found: tuple[dict[str, int], set[str], list[Problem]], where: str) -> int:
    bound, known, problems = found
    place = f"{name}.{axis}"
    if dim.HasField("dim_value"):
        if dim.dim_value < 1:
            problems.append(Problem(where, f"axis {axis} has size {dim.dim_value}, must be at least 1",
                                    "export again with a name in place of an open size"))
        return int(dim.dim_value)
    label = dim.dim_param or place
    known.update((label, place))
    for key in (place, dim.dim_param):
        if key and key in dimensions:
            bound[key] = dimensions[key]
            return dimensions[key]
    batch_like = bool(_BATCH.match(dim.dim_param)) or (axis == 0 and bool(_NAMELESS.match(dim.dim_param)))
    if not batch_like:
        problem = Problem(where, f"axis {axis} ({label}) has no size", f"give it one: --dim {label}=VALUE")
        if problem not in problems:
            problems.append(problem)
        return 1
    bound[label] = 1
    return 1


def declared_shape(info: onnx.ValueInfoProto) -> Shape | None:
    """Return the shape that `info` states when all of it is static, else None."""
    if info.type.WhichOneof("value") != "tensor_type" or not info.type.tensor_type.HasField("shape"):
        return None
    dims = info.type.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in dims):
        return None
    return tuple(int(dim.dim_value) for dim in dims)


def shapes_by_onnx(model: onnx.ModelProto, inputs: Mapping[str, Shape]) -> dict[str, tuple[Shape, int]]:
    """Return every static shape, with its element type, that the file states or ONNX itself infers.

    The inference runs on a copy in which the open dimensions of `inputs` are fixed.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for info in copy.graph.input:
        shape = inputs.get(info.name)
        if shape is not None:
            for dim, size in zip(info.type.tensor_type.shape.dim, shape, strict=True):
                dim.dim_value = size
    if any(len(tensor.dims) == 1 and tensor.dims[0] > MAX_LISTED and tensor.data_type in _INTEGERS
           for tensor in copy.graph.initializer):
        raise GraphError(f"left out: an initializer lists more than {MAX_LISTED} integers")
    for info in (*copy.graph.value_info, *copy.graph.output, *copy.graph.input):
        stated = declared_shape(info)
        kind = info.type.tensor_type
        listed = stated is not None and len(stated) == 1 and stated[0] > MAX_LISTED
        listed = listed and kind.elem_type in _INTEGERS
        if info.type.HasField("tensor_type") and (stated is None or listed):
            kind.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(copy, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError, TypeError) as error:
        raise GraphError(f"refused the graph: {_first_line(error)}") from None
    infos = (*inferred.graph.value_info, *inferred.graph.output)
    return {info.name: (shape, info.type.tensor_type.elem_type) for info in infos
            if (shape := declared_shape(info)) is not None}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
