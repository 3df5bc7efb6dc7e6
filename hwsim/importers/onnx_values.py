"""What is known about an ONNX tensor while the file is walked: its shape always, its values when small."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import external_data_helper, numpy_helper

from hwsim.errors import GraphError, InputError
from hwsim.graph.types import (
    BFLOAT16,
    BOOLEAN,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT4,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    FormatKind,
    NumberFormat,
    Shape,
    Sparsity,
)
from hwsim.importers.limits import refuse_huge
from hwsim.importers.onnx_read import SMALL_ELEMENTS

Array = npt.NDArray[Any]

FLOAT8_E4 = NumberFormat(FormatKind.FLOAT, 8, 4)
FLOAT8_E5 = NumberFormat(FormatKind.FLOAT, 8, 5)

_T = onnx.TensorProto
FORMATS: Mapping[int, NumberFormat] = MappingProxyType({
    _T.FLOAT: FLOAT32, _T.DOUBLE: FLOAT64, _T.FLOAT16: FLOAT16, _T.BFLOAT16: BFLOAT16,
    _T.INT4: INT4, _T.INT8: INT8, _T.INT16: INT16, _T.INT32: INT32, _T.INT64: INT64,
    _T.UINT4: NumberFormat(FormatKind.UNSIGNED, 4), _T.UINT8: UINT8,
    _T.UINT16: NumberFormat(FormatKind.UNSIGNED, 16), _T.UINT32: NumberFormat(FormatKind.UNSIGNED, 32),
    _T.UINT64: NumberFormat(FormatKind.UNSIGNED, 64), _T.BOOL: BOOLEAN,
    _T.FLOAT8E4M3FN: FLOAT8_E4, _T.FLOAT8E4M3FNUZ: FLOAT8_E4,
    _T.FLOAT8E5M2: FLOAT8_E5, _T.FLOAT8E5M2FNUZ: FLOAT8_E5,
    _T.FLOAT4E2M1: NumberFormat(FormatKind.FLOAT, 4, 2),
})


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor on its way into the graph.

    Attributes
    ----------
    name : str
        Name of the tensor in the graph.
    shape : tuple of int
        Static sizes.
    format : NumberFormat
        Format of one element.
    constant : bool
        True when it does not depend on the network's inputs.
    learned : bool
        True when it counts as a parameter wherever an operator reads it.
    data : numpy array or None
        The values, when they are known and at most 4096.
    sparsity : Sparsity or None
        Zeros of a sparse initializer.
    view_of : Value or None
        The two-dimensional constant of which this one is the transpose: tied weights stay one.
    """

    name: str
    shape: Shape
    format: NumberFormat
    constant: bool = False
    learned: bool = False
    data: Array | None = None
    sparsity: Sparsity | None = None
    view_of: Value | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def format_of(elem_type: int, where: str, override: NumberFormat | None = None) -> NumberFormat:
    """Return the number format of an ONNX element type; `override` replaces every floating-point one."""
    known = FORMATS.get(elem_type)
    if known is None:
        try:
            name = _T.DataType.Name(elem_type)
        except ValueError:
            name = str(elem_type)
        raise GraphError(f"element type {name} is not supported", where=where,
                         hint="numbers and truth values are; text and complex numbers are not")
    return override if override is not None and known.kind is FormatKind.FLOAT else known


def array_format(array: Array, override: NumberFormat | None) -> NumberFormat:
    """Return the number format of the elements of `array`."""
    try:
        return format_of(onnx.helper.np_dtype_to_tensor_dtype(array.dtype), "", override)
    except (KeyError, ValueError):
        raise GraphError(f"element type {array.dtype} is not supported") from None


def constant_from_tensor(name: str, tensor: onnx.TensorProto, file: Path, override: NumberFormat | None,
                         sparsity: Sparsity | None = None) -> Value:
    """Return the constant that `tensor` holds; its values too when they are few."""
    where = f"{file.name}.{name}"
    shape = tuple(int(size) for size in tensor.dims)
    if min(shape, default=0) < 0:
        raise GraphError(f"shape {list(shape)} has a negative size", where=where)
    refuse_huge(shape, where)
    number_format = format_of(tensor.data_type, where, override)
    data = None if sparsity is not None else _small_values(tensor, shape, file, where)
    floating = format_of(tensor.data_type, where).kind is FormatKind.FLOAT
    return Value(name, shape, number_format, True, floating and math.prod(shape) > 1, data, sparsity)


def _small_values(tensor: onnx.TensorProto, shape: Shape, file: Path, where: str) -> Array | None:
    if math.prod(shape) > SMALL_ELEMENTS:
        return None
    if tensor.data_location == _T.EXTERNAL and not _load_external(tensor, file):
        return None
    try:
        array: Array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise InputError(f"the tensor cannot be decoded: {error}", where=where) from None
    if array.shape != shape:
        raise InputError(f"the tensor holds shape {list(array.shape)}, not {list(shape)}", where=where)
    return array


def _load_external(tensor: onnx.TensorProto, file: Path) -> bool:
    """Read a small tensor from the data file beside the model; False when that file is not there."""
    try:
        external_data_helper.load_external_data_for_tensor(tensor, str(file.parent))
    except (OSError, ValueError, TypeError, RuntimeError, onnx.checker.ValidationError):
        return False
    return True


def constant_from_array(name: str, array: Array, override: NumberFormat | None, *,
                        learned: bool = False) -> Value:
    """Return a constant computed at import."""
    kept = np.asarray(array)
    shape = tuple(int(size) for size in kept.shape)
    data = kept if kept.size <= SMALL_ELEMENTS else None
    return Value(name, shape, array_format(kept, override), True, learned and kept.size > 1, data)
