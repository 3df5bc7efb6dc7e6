"""Graph algorithms over operators; the only place that imports networkx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from hwsim.errors import GraphError, nearest
from hwsim.graph.types import Graph


@dataclass(frozen=True, slots=True)
class ReuseTree:
    """Which vertex is worked out from which.

    Attributes
    ----------
    parent : int64[vertices]
        The vertex that each one starts from; -1 at the root.
    depth : int64[vertices]
        Edges from the root.
    order : int64[vertices]
        Parents before children, level by level.
    """

    parent: NDArray[np.int64]
    depth: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def root(self) -> int:
        """The vertex that starts from nothing."""
        return int(self.order[0])


def reuse_tree(distance: NDArray[np.int64], max_depth: int) -> ReuseTree:
    """Return a short spanning tree of a complete graph, no vertex more than `max_depth` edges from the root.

    Without that bound it is a minimum spanning tree, rooted where it is shallowest. A bounded one is grown by
    Prim's rule from parents that may still have children, from that root and from the vertex nearest to all
    others; the shorter wins. (The bounded problem is NP-hard; this need not be the optimum.)

    Parameters
    ----------
    distance : int64[n, n]
        Symmetric lengths of the edges; zeros are edges like any others.
    max_depth : int
        At least 1 where there is more than one vertex.
    """
    tree = _grown(distance, 0, len(distance))
    linked: nx.Graph[int] = nx.Graph()
    linked.add_nodes_from(range(len(distance)))
    linked.add_edges_from((child, int(tree[child])) for child in range(len(distance)) if tree[child] >= 0)
    center = min(nx.tree.center(linked))
    parent = _hung(linked, center)
    if _depths(parent).max(initial=0) > max_depth:
        nearest_to_all = int(distance.sum(axis=1).argmin())
        grown = [_grown(distance, root, max_depth) for root in (center, nearest_to_all)]
        parent = min(grown, key=lambda found: _length(distance, found))
    depth = _depths(parent)
    return ReuseTree(parent, depth, np.argsort(depth, kind="stable"))


def _grown(distance: NDArray[np.int64], root: int, max_depth: int) -> NDArray[np.int64]:
    """Grow a tree vertex by vertex along the shortest edge to a parent less deep than `max_depth`."""
    n = len(distance)
    parent, depth = np.full(n, -1, np.int64), np.zeros(n, np.int64)
    outside = np.iinfo(np.int64).max
    best, source = distance[root].astype(np.int64), np.full(n, root, np.int64)
    waiting = np.ones(n, np.bool_)
    waiting[root] = False
    for _ in range(n - 1):
        vertex = int(np.where(waiting, best, outside).argmin())
        waiting[vertex] = False
        parent[vertex], depth[vertex] = source[vertex], depth[source[vertex]] + 1
        if depth[vertex] < max_depth:
            closer = distance[vertex] < best
            best, source = np.where(closer, distance[vertex], best), np.where(closer, vertex, source)
    return parent


def _hung(tree: nx.Graph[int], root: int) -> NDArray[np.int64]:
    parent = np.full(tree.number_of_nodes(), -1, np.int64)
    for above, below in nx.bfs_edges(tree, root):
        parent[below] = above
    return parent


def _depths(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    depth, above = np.zeros(len(parent), np.int64), parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return depth


def _length(distance: NDArray[np.int64], parent: NDArray[np.int64]) -> int:
    child = np.flatnonzero(parent >= 0)
    return int(distance[child, parent[child]].sum())


def operator_graph(graph: Graph) -> nx.DiGraph[str]:
    """Return operators as nodes and an edge from each producer to each reader, with ``tensors`` passed."""
    producer = {output: op.name for op in graph.ops for output in op.outputs if output}
    digraph: nx.DiGraph[str] = nx.DiGraph()
    digraph.add_nodes_from(op.name for op in graph.ops)
    for op in graph.ops:
        for name in op.inputs:
            if name not in producer:
                continue
            source = producer[name]
            passed = digraph.edges[source, op.name]["tensors"] if digraph.has_edge(source, op.name) else ()
            digraph.add_edge(source, op.name, tensors=passed if name in passed else (*passed, name))
    return digraph


def find_cycle(graph: Graph) -> tuple[str, ...]:
    """Return the operators of one cycle, in order; ``()`` when there is none."""
    try:
        edges = nx.find_cycle(operator_graph(graph))
    except nx.NetworkXNoCycle:
        return ()
    return tuple(edge[0] for edge in edges)


def topological_order(graph: Graph) -> tuple[str, ...]:
    """Return operator names with producers first; among the free ones the given order is kept.

    Raises
    ------
    GraphError
        When the operators form a cycle, which is named.
    """
    cycle = find_cycle(graph)
    if cycle:
        raise GraphError(f"operators form a cycle: {' -> '.join((*cycle, cycle[0]))}", where=graph.name)
    position = {op.name: index for index, op in enumerate(graph.ops)}
    return tuple(nx.lexicographical_topological_sort(operator_graph(graph), key=position.__getitem__))


def sort_operators(graph: Graph) -> Graph:
    """Return the graph with its operators in topological order; GraphError on a cycle."""
    ops = {op.name: op for op in graph.ops}
    return replace(graph, ops=tuple(ops[name] for name in topological_order(graph)))


def ancestors(graph: Graph, op_name: str) -> frozenset[str]:
    """Return the operators whose results reach `op_name`, itself excluded."""
    return frozenset(nx.ancestors(_containing(graph, op_name), op_name))


def descendants(graph: Graph, op_name: str) -> frozenset[str]:
    """Return the operators that the results of `op_name` reach, itself excluded."""
    return frozenset(nx.descendants(_containing(graph, op_name), op_name))


def chains(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return the operators cut into the longest runs without branch or join, in execution order."""
    digraph = operator_graph(graph)
    runs: list[list[str]] = []
    run_of: dict[str, list[str]] = {}
    for name in topological_order(graph):
        before = list(digraph.predecessors(name))
        if len(before) == 1 and digraph.out_degree(before[0]) == 1:
            run = run_of[before[0]]
        else:
            run = []
            runs.append(run)
        run.append(name)
        run_of[name] = run
    return tuple(tuple(run) for run in runs)


def longest_path(graph: Graph, cost: Mapping[str, float]) -> tuple[str, ...]:
    """Return the dependent operators with the largest summed cost, first to last.

    Parameters
    ----------
    graph : Graph
        Network.
    cost : mapping of str to float
        Not negative cost of every operator, in any unit.
    """
    digraph = operator_graph(graph)
    total: dict[str, float] = {}
    previous: dict[str, str] = {}
    for name in topological_order(graph):
        before = max(digraph.predecessors(name), key=total.__getitem__, default="")
        total[name] = cost[name] + (total[before] if before else 0.0)
        previous[name] = before
    path: list[str] = []
    name = max(total, key=total.__getitem__, default="")
    while name:
        path.append(name)
        name = previous[name]
    return tuple(reversed(path))


def _containing(graph: Graph, op_name: str) -> nx.DiGraph[str]:
    digraph = operator_graph(graph)
    if op_name not in digraph:
        raise GraphError(f"unknown operator {op_name!r}", where=graph.name, hint=nearest(op_name, digraph))
    return digraph
