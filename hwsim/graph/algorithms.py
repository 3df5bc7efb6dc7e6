"""Graph algorithms over operators; the only place that imports networkx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import networkx as nx

from hwsim.errors import GraphError, nearest
from hwsim.graph.types import Graph


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
