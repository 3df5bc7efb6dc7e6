"""SCALE-Sim layer lists become graphs of independent layers, under SCALE-Sim's own size convention."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, Graph, NumberFormat, Sparsity, SparsityPattern
from hwsim.importers.layer_csv_read import CONVOLUTION, LayerRow, parse_table, read_text
from hwsim.importers.layer_csv_write import export_layer_csv
from hwsim.importers.limits import refuse_huge

__all__ = ["export_layer_csv", "import_layer_csv"]

CONVENTION = "ceil((input - filter + stride) / stride), written as padding at the end"


def import_layer_csv(path: str | Path, *, kind: str | None = None,
                     format_override: NumberFormat | None = None) -> Graph:
    """Read a SCALE-Sim topology file.

    Parameters
    ----------
    path : str or Path
        Convolution list (``Layer name, IFMAP Height, ...``) or matrix product list (``Layer, M, N, K``).
        Columns are found by their header; trailing commas, stray spaces, comments and a byte order
        mark are accepted.
    kind : {"convolution", "gemm", None}
        Form of the file; None decides by the header.
    format_override : NumberFormat or None
        Format of all tensors; None is int8, the word size of SCALE-Sim's counts.

    Returns
    -------
    Graph
        One operator per row, each with an input of its own: the file names no connections.
        A layer whose name holds ``DP`` is depthwise, as in SCALE-Sim: each channel on its own.

    Raises
    ------
    InputError
        The file cannot be read, or fields of it are wrong: all of them at once, with line and column.

    Notes
    -----
    SCALE-Sim takes ceil((input - filter + stride) / stride) output rows where networks take the
    floor. The difference is kept as padding at the end of each axis.
    """
    path = Path(path)
    text = read_text(path)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    table = parse_table(text, file=path.name, kind=kind, digest=digest)
    number_format = format_override or INT8
    provenance = {"source": "layer csv", "file": path.name, "digest": digest, "layer_kind": table.kind,
                  "nodes_in_file": str(len(table.rows))}
    if table.kind == CONVOLUTION:
        provenance["output_size_convention"] = CONVENTION
    builder = GraphBuilder(path.stem or "layers", format=number_format, provenance=provenance)
    add = _add_convolution if table.kind == CONVOLUTION else _add_product
    problems = list(table.problems)
    for row in table.rows:
        try:
            builder.output(add(builder, row, path.name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems=problems)
    return builder.build()


def _sparsity(row: LayerRow) -> Sparsity | None:
    n, m = row.n_of_m
    return None if n == m else Sparsity(n / m, SparsityPattern.N_OF_M, (n, m))


def _add_convolution(builder: GraphBuilder, row: LayerRow, file: str) -> str:
    sizes = row.sizes
    inputs = (sizes["IFMAP Height"], sizes["IFMAP Width"])
    kernel = (sizes["Filter Height"], sizes["Filter Width"])
    both = sizes.get("Strides", 1)
    strides = (sizes.get("Stride height", both), sizes.get("Stride width", both))
    where = f"{file}:{row.line}"
    channels, filters = sizes["Channels"], sizes["Num Filter"]
    groups = channels if "DP" in row.name else 1
    input_shape = (1, channels, *inputs)
    weight_shape = (filters * groups, channels // groups, *kernel)
    ends = tuple((kernel[i] - inputs[i]) % strides[i] for i in range(2))
    outputs = tuple((inputs[i] + ends[i] - kernel[i]) // strides[i] + 1 for i in range(2))
    for shape in (input_shape, weight_shape, (1, filters * groups, *outputs)):
        refuse_huge(shape, where)
    x = builder.input(f"{row.name}/input", input_shape)
    w = builder.weight(f"{row.name}/weight", weight_shape, sparsity=_sparsity(row))
    return builder.add("convolution", [x, w], name=row.name, origin="Conv", strides=strides,
                       pads=(0, 0, *ends), dilations=(1, 1), groups=groups)


def _add_product(builder: GraphBuilder, row: LayerRow, file: str) -> str:
    m, n, k = (row.sizes[name] for name in ("M", "N", "K"))
    batch = row.sizes.get("Batch", 1)
    left, right = ((m, k), (k, n)) if batch == 1 else ((batch, m, k), (batch, k, n))
    for shape in (left, right, (batch, m, n)):
        refuse_huge(shape, f"{file}:{row.line}")
    x = builder.input(f"{row.name}/input", left)
    if batch > 1:  # A batch column means one product per attention head: no operand is a parameter.
        w = builder.input(f"{row.name}/other_input", right)
    else:
        w = builder.weight(f"{row.name}/weight", right, sparsity=_sparsity(row))
    return builder.add("matmul", [x, w], name=row.name, origin="Gemm")
