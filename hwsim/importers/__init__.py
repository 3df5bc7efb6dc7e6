"""Files of other tools become graphs; the form is recognised by content, then by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hwsim.errors import InputError
from hwsim.graph.types import Graph, NumberFormat

__all__ = ["SUFFIXES", "load_network"]

_RECIPES = {
    ".pt": 'torch.onnx.export(model, (example,), "net.onnx", dynamo=True)',
    ".pth": 'torch.onnx.export(model, (example,), "net.onnx", dynamo=True)',
    ".h5": 'keras: model.export("net.onnx", format="onnx")',
    ".keras": 'keras: model.export("net.onnx", format="onnx")',
    ".tflite": "python -m tf2onnx.convert --tflite net.tflite --output net.onnx",
    ".pb": "python -m tf2onnx.convert --graphdef net.pb --inputs ... --outputs ... --output net.onnx",
}
_TEXT_SUFFIXES = (".csv", ".txt")
_NETLIST_SUFFIXES = (".blif", ".net")
SUFFIXES = (".onnx", *_TEXT_SUFFIXES, ".alist", *_NETLIST_SUFFIXES, ".memtrace", *_RECIPES, ".json")
"""Endings by which a name is a file's: those that are read, and those that are refused with advice."""


def load_network(path: str | Path, *, dimensions: Mapping[str, int] | None = None,
                 format_override: NumberFormat | None = None, on_unsupported: str = "error",
                 kind: str | None = None) -> Graph:
    """Read an ONNX file, a SCALE-Sim layer list, a parity-check matrix, a gate netlist or a memory trace.

    Parameters
    ----------
    path : str or Path
        File ending in ``.onnx``, ``.csv``, ``.txt``, ``.alist``, ``.blif``, ``.net`` or ``.memtrace``; other
        names are judged by their content.
    dimensions, on_unsupported
        For ONNX files; see `hwsim.importers.onnx.import_onnx`. Of an alist file, ``batch`` is the number of
        codewords decoded together.
    format_override : NumberFormat or None
        Number format of all (ONNX: all floating-point) tensors.
    kind : {"convolution", "gemm", None}
        For layer lists; see `hwsim.importers.layer_csv.import_layer_csv`.

    Raises
    ------
    InputError
        The file is missing, of another form (with the way to ONNX), or wrong inside.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _NETLIST_SUFFIXES or (suffix not in (".onnx", *_TEXT_SUFFIXES) and _is_netlist(path)):
        from hwsim.importers.netlist import import_netlist

        if dimensions:
            raise InputError("a netlist has no open dimensions", where=str(path),
                             hint="leave --dim and --batch away")
        return import_netlist(path)
    if suffix in _RECIPES:
        raise InputError(f"{suffix} files are not read", where=str(path),
                         hint=f"export to ONNX: {_RECIPES[suffix]}")
    if suffix == ".json":
        raise _json_refusal(path)
    if suffix == ".alist":
        from hwsim.importers.alist import import_alist

        sizes = dict(dimensions or {})
        frames = sizes.pop("batch", 1)
        if sizes:
            raise InputError(f"a code has no dimension {next(iter(sizes))!r}", where=str(path),
                             hint="only batch, the codewords decoded together")
        return import_alist(path, frames=frames, format_override=format_override)
    if suffix == ".memtrace":
        from hwsim.importers.memory_trace import import_memory_trace

        if dimensions:
            raise InputError("a memory trace has no dimensions", where=str(path), hint="leave --dim away")
        return import_memory_trace(path, format_override=format_override)
    if suffix in _TEXT_SUFFIXES or (suffix != ".onnx" and _is_text(path)):
        from hwsim.importers.layer_csv import import_layer_csv

        if dimensions:
            raise InputError("a layer list has no open dimensions", where=str(path), hint="leave --dim away")
        return import_layer_csv(path, kind=kind, format_override=format_override)
    from hwsim.importers.onnx import import_onnx

    return import_onnx(path, dimensions=dimensions, format_override=format_override,
                       on_unsupported=on_unsupported)


def _json_refusal(path: Path) -> InputError:
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except (OSError, ValueError) as error:
        return InputError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path))
    if b'"schema_version"' in head:
        return InputError("is a report of hwsim, not a network", where=str(path),
                          hint="`hwsim compare` shows reports side by side, `hwsim explain` explains one")
    return InputError("is JSON, neither an ONNX file nor a layer list", where=str(path),
                      hint="only `hwsim schedule` takes operator graphs in JSON")


def _is_netlist(path: Path) -> bool:
    """Return whether the file starts like BLIF."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except (OSError, ValueError):
        return False
    lines = (line.strip() for line in head.splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return first.split()[:1] == [b".model"]


def _is_text(path: Path) -> bool:
    """Return whether the file starts like text with commas."""
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except (OSError, ValueError):
        return False
    return b"," in head and b"\x00" not in head and all(byte >= 32 or byte in b"\t\r\n" for byte in head)
