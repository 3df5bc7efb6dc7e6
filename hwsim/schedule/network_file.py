"""Reads plain operator graphs: one graph object, or a collection of which one is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hwsim.errors import InputError, nearest
from hwsim.reading import read_text
from hwsim.schedule.types import Problem

MOST_BYTES = 1 << 28


def read_graph_file(path: Path, name: str | None = None) -> Problem:
    """Read a graph with `size` and `ins`, or the one called `name` out of a file with a list `graphs`.

    Raises
    ------
    InputError
        Unreadable file, no JSON, no such graph, or every defect of the graph.
    """
    where = path.name
    text = read_text(path, most_bytes=MOST_BYTES, hint="give a graph with 'size' and 'ins'")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where=where) from None
    if not isinstance(document, Mapping) or "graphs" not in document:
        if name is not None and isinstance(document, Mapping) and document.get("name") != name:
            raise InputError(f"holds one graph, called {document.get('name')!r}", where=where,
                             hint=f"leave out --graph {name}")
        return Problem.from_blocks(document, where=where)
    listed = document["graphs"]
    graphs = [graph for graph in listed if isinstance(graph, Mapping)] if isinstance(listed, list) else []
    names = [str(graph.get("name")) for graph in graphs]
    if name is None and len(graphs) == 1:
        name = names[0]
    if name is None:
        raise InputError(f"holds {len(graphs)} graphs", where=where,
                         hint=f"choose one with --graph NAME: {', '.join(names[:20])}")
    if name not in names:
        raise InputError(f"holds no graph called {name!r}", where=where, hint=nearest(name, names))
    return Problem.from_blocks(graphs[names.index(name)], where=f"{where}.{name}")
