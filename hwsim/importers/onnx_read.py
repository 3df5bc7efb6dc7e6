"""Open an ONNX file and refuse what cannot be a usable network, before anything is computed from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped,unused-ignore]

from hwsim.errors import InputError, Problem

MAX_FILE_BYTES = 2**31 - 1
OLDEST_IR = 3
OLDEST_OPSET = 6
MAX_NODES = 1_000_000

# Tensors above this many elements are known by shape only; shape arithmetic is far below it.
SMALL_ELEMENTS = 4096

_FOREIGN = (
    (b"PK\x03\x04", 0, "a zip archive (PyTorch checkpoint or Keras file)"),
    (b"\x89HDF\r\n\x1a\n", 0, "an HDF5 file (Keras)"),
    (b"TFL3", 4, "a TensorFlow Lite file"),
    (b"\x80\x02", 0, "a Python pickle (PyTorch checkpoint)"),
)


SIGNS = "hwsim: holds -1 and 1 only"
"""Mark of binary weights, set while their values are still there."""


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A decoded model that passed the first checks.

    Attributes
    ----------
    path : Path
        Where it came from; small external tensors are read beside it.
    model : onnx.ModelProto
        The model; large weights are dropped, their shapes kept.
    opsets : mapping of str to int
        Operator set version by domain, "" is ONNX's own.
    digest : str
        BLAKE2b of the file.
    """

    path: Path
    model: onnx.ModelProto
    opsets: Mapping[str, int]
    digest: str

    @property
    def name(self) -> str:
        """File name, the prefix of every message."""
        return self.path.name


def read_onnx(path: Path) -> OnnxFile:
    """Read and check the model at `path`.

    Raises
    ------
    InputError
        Missing, empty, larger than 2 GB, truncated or no ONNX file; IR or operator set version out of
        the supported range; no operator inside.
    """
    data = _read_bytes(path)
    model = decode_model(data, str(path))
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    del data
    if model.functions:
        model = _inline(model, path.name)
    return OnnxFile(path, model, _check(model, path.name), digest)


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise InputError("is not a file", where=str(path))
        if size > MAX_FILE_BYTES:
            raise InputError(f"has {size} bytes, ONNX files end at 2 GB", where=str(path),
                             hint="save it with external data: onnx.save(model, path, "
                                  "save_as_external_data=True); weights are not needed")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be read: {reason}", where=str(path)) from None
    if not data:
        raise InputError("is empty", where=str(path))
    for magic, offset, what in _FOREIGN:
        if data[offset:offset + len(magic)] == magic:
            raise InputError(f"is {what}, not ONNX", where=str(path), hint="export the network to ONNX first")
    return data


def decode_model(data: bytes, where: str) -> onnx.ModelProto:
    """Return the model in `data`, large weights dropped; InputError when it is no ONNX model."""
    try:
        model: onnx.ModelProto = onnx.ModelProto.FromString(data)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise InputError(f"is truncated or no ONNX file: {error}", where=where) from None
    for graph in _graphs(model.graph):
        _refuse_broken_names(graph, where)
        mark_signs(graph)
        drop_large_values(graph)
    return model


def _refuse_broken_names(graph: onnx.GraphProto, where: str) -> None:
    """Raise InputError when a name is no UTF-8: protobuf hands such names over as bytes."""
    names: list[object] = [graph.name, *(tensor.name for tensor in graph.initializer)]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
        names += [attribute.name for attribute in node.attribute]
    for info in (*graph.input, *graph.output, *graph.value_info):
        names.append(info.name)
        names += [dim.dim_param for dim in info.type.tensor_type.shape.dim]
    broken = [name for name in names if not isinstance(name, str)]
    if broken:
        raise InputError(f"is damaged: the name {broken[0]!r} is no text", where=where)


def _graphs(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    found = [graph]
    for current in found:
        for node in current.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    found.append(attribute.g)
                found.extend(attribute.graphs)
    return found


def mark_signs(graph: onnx.GraphProto) -> None:
    """Note in the documentation of every stored matrix of 32-bit numbers -1 and 1 that it holds no others."""
    for tensor in graph.initializer:
        if tensor.doc_string == SIGNS:
            tensor.ClearField("doc_string")
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        if not tensor.raw_data or len(tensor.raw_data) % 4:
            continue
        first = np.frombuffer(tensor.raw_data[:256], "<f4")
        if (np.abs(first) == 1).all() and (np.abs(np.frombuffer(tensor.raw_data, "<f4")) == 1).all():
            tensor.doc_string = SIGNS


def drop_large_values(graph: onnx.GraphProto) -> None:
    """Free the values of tensors whose shape alone is needed; marks them as external."""
    tensors = list(graph.initializer)
    tensors += [a.t for node in graph.node for a in node.attribute if a.HasField("t")]
    for tensor in tensors:
        elements = 1
        for size in tensor.dims:
            elements *= max(size, 0)
        if elements > SMALL_ELEMENTS:
            for name in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(name)


def _inline(model: onnx.ModelProto, file: str) -> onnx.ModelProto:
    """Replace calls of the model's own functions by their bodies."""
    from onnx import inliner

    try:
        inlined: onnx.ModelProto = inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, TypeError, DecodeError, EncodeError) as error:
        raise InputError(f"its local functions cannot be inlined: {error}", where=file) from None
    return inlined


def _check(model: onnx.ModelProto, file: str) -> dict[str, int]:
    problems: list[Problem] = []
    if not model.ir_version and not model.graph.node:
        raise InputError("is truncated or no ONNX file: it holds no model", where=file)
    if not OLDEST_IR <= model.ir_version <= onnx.IR_VERSION:
        reason = f"IR version {model.ir_version} is not supported"
        problems.append(Problem(f"{file}.ir_version", reason,
                                f"{OLDEST_IR} to {onnx.IR_VERSION} are, with onnx {onnx.__version__}"))
    opsets = {plain_domain(entry.domain): entry.version for entry in model.opset_import}
    newest = onnx.defs.onnx_opset_version()
    if not opsets:
        problems.append(Problem(f"{file}.opset_import", "the file names no ONNX operator set",
                                "it may be truncated; opset_import comes last"))
    elif not OLDEST_OPSET <= opsets.get("", newest) <= newest:
        reason = f"operator set {opsets['']} is not supported"
        problems.append(Problem(f"{file}.opset_import", reason, f"{OLDEST_OPSET} to {newest} are, with onnx "
                                f"{onnx.__version__}; use onnx.version_converter or export again"))
    if not model.graph.node:
        problems.append(Problem(file, "the graph holds no operator"))
    if len(model.graph.node) > MAX_NODES:
        count = len(model.graph.node)
        problems.append(Problem(file, f"the graph holds {count} nodes, more than {MAX_NODES}"))
    if problems:
        raise InputError(problems=problems)
    return opsets


def plain_domain(name: str) -> str:
    """Return the domain of an operator set, "" for ONNX's own under either of its names."""
    return "" if name == "ai.onnx" else name
