"""Write the matrix work of a graph as a SCALE-Sim topology file, and say what the form cannot hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import InputError, nearest
from hwsim.graph.contraction import MatrixProduct, Window, matrix_products
from hwsim.graph.types import Graph, SparsityPattern
from hwsim.importers.layer_csv_read import CONVOLUTION, GEMM
from hwsim.writing import write_bytes

MAX_ROWS = 200_000

_HEADERS = {
    CONVOLUTION: "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,"
                 "Channels,Num Filter,Strides,",
    GEMM: "Layer,M,N,K,",
}


@dataclass(frozen=True, slots=True)
class _Sublayer:
    name: str
    fields: tuple[int, ...]
    ratio: str


def export_layer_csv(graph: Graph, path: str | Path, *, kind: str = CONVOLUTION) -> tuple[str, ...]:
    """Write `graph` as a SCALE-Sim topology file.

    Parameters
    ----------
    graph : Graph
        Any graph; its matrix products are written, each operator in program order.
    path : str or Path
        File to write; it appears complete or not at all.
    kind : {"convolution", "gemm"}
        Convolution list (keeps the window geometry) or matrix product list.

    Returns
    -------
    tuple of str
        What was rewritten or left out, one sentence each: padding is part of the input size, groups,
        batches and time steps are sub-layers of their own, vector and movement operators are left out.

    Raises
    ------
    InputError
        Nothing to write, more than 200,000 rows, unknown `kind`, or `path` cannot be written.
    """
    if kind not in _HEADERS:
        raise InputError(f"unknown kind of layer list {kind!r}", where="kind", hint=nearest(kind, _HEADERS))
    notes: dict[str, int] = {}
    rows: list[_Sublayer] = []
    for sublayer in _sublayers(graph, kind, notes):
        rows.append(sublayer)
        if len(rows) > MAX_ROWS:
            raise InputError(f"needs more than {MAX_ROWS} rows", where=graph.name,
                             hint="each group, batch and time step is a row of its own")
    if not rows:
        raise InputError("holds no matrix product, so there is no layer to write", where=graph.name)
    write_bytes(Path(path), _render(_unique(rows), kind).encode())
    return tuple(f"{count} operator(s): {note}" for note, count in notes.items())


def _sublayers(graph: Graph, kind: str, notes: dict[str, int]) -> Iterator[_Sublayer]:
    for op in graph.ops:
        products = matrix_products(graph, op)
        if not products:
            _count(notes, "no matrix product, left out")
            continue
        for product in products:
            name = _clean(op.name if len(products) == 1 else f"{op.name}_{product.label}")
            fields, copies = _fields(product, kind, notes)
            ratio = _ratio(graph, product)
            for copy in range(copies):
                yield _Sublayer(name if copies == 1 else f"{name}_{copy}", fields, ratio)


def _count(notes: dict[str, int], note: str) -> None:
    notes[note] = notes.get(note, 0) + 1


def _fields(product: MatrixProduct, kind: str, notes: dict[str, int]) -> tuple[tuple[int, ...], int]:
    """Return the numbers of one row and how many equal rows stand for the whole product."""
    copies = product.groups * product.steps
    if kind == GEMM:
        if copies > 1:
            _count(notes, "groups, batches and steps split into sub-layers")
        return (product.m, product.n, product.k), copies
    window = product.window
    if window is None or not _expressible(window, product):
        if window is not None:
            _count(notes, "dilated, transposed, 3-D or unevenly strided window written as a matrix product")
        if copies > 1:
            _count(notes, "groups, batches and steps split into sub-layers")
        return (product.m, 1, 1, 1, product.k, product.n, 1), copies
    copies *= window.batch
    if copies > 1:
        _count(notes, "groups, batches and steps split into sub-layers")
    if any(window.pads):
        _count(notes, "padding written into the input size")
    kernel, strides, outputs = (_two(axis) for axis in (window.kernel, window.strides, window.output_size))
    # The exact extent that the windows cover: rows that no window touches are left out.
    sizes = tuple((outputs[i] - 1) * strides[i] + kernel[i] for i in range(2))
    return (*sizes, *kernel, product.k // _prod(kernel), product.n, max(_moving(window), default=1)), copies


def _expressible(window: Window, product: MatrixProduct) -> bool:
    """Return whether a row with one stride and no dilation describes the window."""
    pixels = _prod(window.output_size) * window.batch
    return (len(window.kernel) <= 2 and set(window.dilations) <= {1} and len(_moving(window)) <= 1
            and pixels == product.m)


def _moving(window: Window) -> set[int]:
    """Return the strides of the axes along which the window takes a step at all."""
    return {stride for stride, out in zip(window.strides, window.output_size, strict=True) if out > 1}


def _prod(sizes: Iterable[int]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


def _two(axes: tuple[int, ...]) -> tuple[int, int]:
    return (1, axes[0]) if len(axes) == 1 else (axes[0], axes[1])


def _ratio(graph: Graph, product: MatrixProduct) -> str:
    sparsity = graph.tensors[product.right].sparsity
    if sparsity is None or sparsity.pattern is not SparsityPattern.N_OF_M:
        return "1:1"
    return f"{sparsity.group[0]}:{sparsity.group[1]}"


def _clean(name: str) -> str:
    """Keep the name one field: no commas, quotes, line breaks or comment marks."""
    kept = (letter if letter.isprintable() and letter not in ",\"'#" else "_" for letter in name)
    safe = "".join(kept).strip()
    # SCALE-Sim takes a capital DP in a name for a depthwise layer and splits it once more.
    return safe.replace("DP", "Dp").replace("//", "/") or "layer"


def _unique(rows: list[_Sublayer]) -> list[_Sublayer]:
    seen: set[str] = set()
    result: list[_Sublayer] = []
    for row in rows:
        name, number = row.name, 2
        while name in seen:
            name, number = f"{row.name}_{number}", number + 1
        seen.add(name)
        result.append(_Sublayer(name, row.fields, row.ratio))
    return result


def _render(rows: list[_Sublayer], kind: str) -> str:
    sparse = any(row.ratio != "1:1" for row in rows)
    lines = [_HEADERS[kind] + ("Sparsity," if sparse else "")]
    for row in rows:
        ratio = [row.ratio] if sparse else []
        lines.append(",".join([row.name, *map(str, row.fields), *ratio]) + ",")
    return "\n".join(lines) + "\n"
