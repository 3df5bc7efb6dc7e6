"""Read the rows of a SCALE-Sim topology file, so that every slip in it is reported at once with its line."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hwsim import reading
from hwsim.errors import InputError, Problem, nearest

MAX_FILE_BYTES = 64 * 2**20
MAX_FIELD = 2**31 - 1

CONVOLUTION = "convolution"
GEMM = "gemm"

_SPELLINGS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "Layer name": ("layername", "layer", "name"),
    "IFMAP Height": ("ifmapheight", "ifmaph", "inputheight"),
    "IFMAP Width": ("ifmapwidth", "ifmapw", "inputwidth"),
    "Filter Height": ("filterheight", "filterh", "kernelheight"),
    "Filter Width": ("filterwidth", "filterw", "kernelwidth"),
    "Channels": ("channels", "channel", "inputchannels"),
    "Num Filter": ("numfilter", "numfilters", "filters"),
    "Strides": ("strides", "stride"),
    "Stride height": ("strideheight", "strideh"),
    "Stride width": ("stridewidth", "stridew"),
    "M": ("m",), "N": ("n",), "K": ("k",),
    "Batch": ("batch",),
    "Sparsity": ("sparsity", "sparsityratio", "nm", "sparsitynm"),
})
_CANONICAL = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_REQUIRED = {
    CONVOLUTION: ("Layer name", "IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels",
                  "Num Filter"),
    GEMM: ("Layer name", "M", "N", "K"),
}
_OPTIONAL = {CONVOLUTION: ("Strides", "Stride height", "Stride width", "Sparsity"),
             GEMM: ("Batch", "Sparsity")}


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer as written: its place in the file, its name and its fields.

    Attributes
    ----------
    line : int
        Line in the file, counted from 1.
    name : str
        Layer name, stray spaces removed.
    sizes : mapping of str to int
        Positive integers by canonical column name.
    n_of_m : tuple of int
        ``(n, m)``: at most n of every m weights are not zero; ``(1, 1)`` is dense.
    """

    line: int
    name: str
    sizes: Mapping[str, int]
    n_of_m: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class LayerTable:
    """The sound rows of one topology file, what is wrong with the others, and which form the file has."""

    kind: str
    rows: tuple[LayerRow, ...]
    digest: str
    problems: tuple[Problem, ...] = ()


def read_text(path: Path, hint: str = "save the layer list as plain CSV") -> str:
    """Return the text of `path`; InputError when it is missing, empty, too big or not text."""
    text = reading.read_text(path, most_bytes=MAX_FILE_BYTES, hint=hint)
    if not text.strip():
        raise InputError("is empty", where=str(path))
    return text


def parse_table(text: str, *, file: str, kind: str | None, digest: str = "") -> LayerTable:
    """Return the layers written in `text`.

    Parameters
    ----------
    text : str
        Content of the file.
    file : str
        Name put before the line number in every problem.
    kind : {"convolution", "gemm", None}
        Form of the file; None decides by the header.
    digest : str
        Fingerprint of the file, passed through.

    Returns
    -------
    LayerTable
        Its problems are ragged rows, duplicate names, fields that are no positive integer and kernels larger
        than their input; the caller raises them, together with what it finds in the sound rows.

    Raises
    ------
    InputError
        Missing or unknown columns: no row can be read without them.
    """
    if kind not in (None, CONVOLUTION, GEMM):
        raise InputError(f"unknown kind of layer list {kind!r}", where="kind", hint=nearest(kind, _REQUIRED))
    lines = _split(text, file)
    if not lines:
        raise InputError("has no header line", where=file)
    header_line, header = lines[0]
    kind = kind or _guess_kind(header)
    columns = _columns(header, kind, f"{file}:{header_line}")
    problems: list[Problem] = []
    rows = [_row(fields, line, columns, file, problems) for line, fields in lines[1:]]
    found = _distinct([row for row in rows if row is not None], file, problems)
    if not rows:
        problems.append(Problem(file, "has a header but no layer"))
    return LayerTable(kind, found, digest, tuple(problems))


def _split(text: str, file: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(keepends=True), skipinitialspace=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for fields in reader:
            stripped = [field.strip() for field in fields]
            if any(stripped) and not stripped[0].startswith(("#", "//")):
                lines.append((reader.line_num, stripped))
    except csv.Error as error:
        raise InputError(f"cannot be split into fields: {error}", where=f"{file}:{reader.line_num}") from None
    return lines


def _squeeze(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _guess_kind(header: Sequence[str]) -> str:
    squeezed = {_CANONICAL.get(_squeeze(name)) for name in header}
    matches = {kind: len(squeezed.intersection(names)) / len(names) for kind, names in _REQUIRED.items()}
    return GEMM if matches[GEMM] > matches[CONVOLUTION] else CONVOLUTION


def _columns(header: Sequence[str], kind: str, where: str) -> tuple[str, ...]:
    """Return the canonical name of every header field, "" for the empty ones at the end."""
    allowed = _REQUIRED[kind] + _OPTIONAL[kind]
    problems: list[Problem] = []
    columns: list[str] = []
    for field in header:
        name = _CANONICAL.get(_squeeze(field), "")
        if field and name not in allowed:
            problems.append(Problem(where, f"unknown column {field!r} in a {kind} layer list",
                                    nearest(field, allowed)))
        elif name and name in columns:
            problems.append(Problem(where, f"column {name!r} appears twice"))
        columns.append(name)
    missing = [name for name in _REQUIRED[kind] if name not in columns]
    if kind == CONVOLUTION and "Strides" not in columns:
        missing += [name for name in ("Stride height", "Stride width") if name not in columns]
    if set(missing) >= {"Stride height", "Stride width"}:
        missing = [name for name in missing if name not in ("Stride height", "Stride width")] + ["Strides"]
    problems += [Problem(where, f"column {name!r} is missing",
                         f"a {kind} layer list has {', '.join(_REQUIRED[kind])}") for name in missing]
    if problems:
        raise InputError(problems=problems)
    return tuple(columns)


def _row(fields: list[str], line: int, columns: Sequence[str], file: str,
         problems: list[Problem]) -> LayerRow | None:
    where = f"{file}:{line}"
    named = [index for index, column in enumerate(columns) if column]
    last = max((index for index, field in enumerate(fields) if field), default=-1)
    required_until = max(index for index in named if columns[index] not in ("Sparsity", "Batch"))
    if last < required_until or last > max(named):
        problems.append(Problem(where, f"ragged row: {last + 1} fields where the header names {len(named)}",
                                f"columns: {', '.join(columns[index] for index in named)}"))
        return None
    sizes: dict[str, int] = {}
    name, n_of_m = "", (1, 1)
    before = len(problems)
    for index in named:
        column, field = columns[index], fields[index] if index < len(fields) else ""
        if column == "Layer name":
            name = field
        elif column == "Sparsity":
            n_of_m = _ratio(field, f"{where}.{column}", problems)
        elif field or column != "Batch":
            sizes[column] = _size(field, f"{where}.{column}", problems)
    if not name:
        problems.append(Problem(f"{where}.Layer name", "the layer has no name"))
    problems += _too_large_kernels(sizes, where)
    return LayerRow(line, name, sizes, n_of_m) if len(problems) == before else None


def _size(field: str, where: str, problems: list[Problem]) -> int:
    """Return a positive integer; report anything else and return 0."""
    if not field:
        problems.append(Problem(where, "is empty", "a positive integer is needed"))
    elif not re.fullmatch(r"[+-]?[0-9]+", field):
        number = re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+(e[+-]?[0-9]+)?", field.lower())
        kind = "an integer" if number else "a number"
        problems.append(Problem(where, f"{_shown(field)} is not {kind}", "a positive integer is needed"))
    elif len(field) > 12 or not 1 <= int(field) <= MAX_FIELD:
        problems.append(Problem(where, f"{_shown(field)} is not between 1 and {MAX_FIELD}"))
    else:
        return int(field)
    return 0


def _ratio(field: str, where: str, problems: list[Problem]) -> tuple[int, int]:
    if not field:
        return 1, 1
    match = re.fullmatch(r"([0-9]{1,6})\s*:\s*([0-9]{1,6})", field)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        problems.append(Problem(where, f"{_shown(field)} is no ratio N:M with 1 <= N <= M",
                                "write 2:4 for two of four; 1:1 is dense"))
        return 1, 1
    return int(match[1]), int(match[2])


def _shown(field: str) -> str:
    return repr(field if len(field) <= 40 else field[:37] + "...")


def _too_large_kernels(sizes: Mapping[str, int], where: str) -> list[Problem]:
    """Return the axes on which the kernel exceeds the input; fields that are wrong themselves are 0."""
    pairs = [(axis, sizes.get(f"Filter {axis}", 0), sizes.get(f"IFMAP {axis}", 0))
             for axis in ("Height", "Width")]
    return [Problem(f"{where}.Filter {axis}", f"{kernel} is larger than IFMAP {axis} {size}",
                    "SCALE-Sim has no padding: write it into the IFMAP size")
            for axis, kernel, size in pairs if kernel > size > 0]


def _distinct(rows: Sequence[LayerRow], file: str, problems: list[Problem]) -> tuple[LayerRow, ...]:
    """Return the first row of every name; report the others."""
    first: dict[str, LayerRow] = {}
    for row in rows:
        if row.name in first:
            reason = f"{_shown(row.name)} is already the name of the layer in line {first[row.name].line}"
            problems.append(Problem(f"{file}:{row.line}.Layer name", reason))
        first.setdefault(row.name, row)
    return tuple(first.values())
