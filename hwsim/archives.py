"""Reads NumPy archives that strangers wrote: no pickles, no header that promises more than the file holds."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem

LARGEST_BYTES: Final = 2**28
LARGEST_MAGNITUDE: Final = 2.0**100
_HINT = "write one with numpy.savez(FILE, NAME=array, ...)"
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_archive(path: Path, hint: str = _HINT) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name.

    Raises
    ------
    InputError
        The file is missing, no archive of plain arrays, damaged, or larger than `LARGEST_BYTES` unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > LARGEST_BYTES:
                raise InputError(f"holds {size} bytes, more than {LARGEST_BYTES}", where=str(path))
            return {member.filename.removesuffix(".npy"): _read(archive, member) for member in members}
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except (ValueError, KeyError, EOFError, TypeError, SyntaxError, OverflowError, NotImplementedError,
            RuntimeError, zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise InputError(f"not an .npz file of plain arrays: {str(error)[:200]}", where=str(path),
                         hint=hint) from None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"{member.filename} has format version {version[0]}.{version[1]}")
        shape, _, kind = _HEADERS[version](stream)
        if kind.hasobject:
            raise ValueError(f"{member.filename} holds Python objects")
        promised, there = math.prod(shape) * kind.itemsize, member.file_size - stream.tell()
        if promised != there or min(shape, default=0) < 0:
            raise ValueError(f"{member.filename} promises {promised:.6g} bytes and holds {there}")
    with archive.open(member) as stream:
        found: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
    return found


def magnitude_problems(arrays: Mapping[str, NDArray[Any]], where: str) -> list[Problem]:
    """Return a problem for every array of finite numbers too large to be multiplied with one another."""
    return [
        Problem(f"{where}.{name}", f"holds a number of size {largest:g}, above 2^100", "check the values")
        for name, array in arrays.items()
        if array.dtype.kind == "f" and (largest := _largest(array)) > LARGEST_MAGNITUDE
    ]


def _largest(array: NDArray[Any]) -> float:
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max(initial=0.0))
