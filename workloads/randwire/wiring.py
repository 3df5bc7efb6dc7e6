"""Random wiring of a stage: a Watts-Strogatz graph, turned into a directed acyclic one."""

from __future__ import annotations

import numpy as np


def watts_strogatz(
    nodes: int, neighbours: int, probability: float, generator: np.random.Generator
) -> tuple[tuple[int, ...], ...]:
    """Return the predecessors of every node of a random graph, directed from lower to higher numbers.

    Nodes form a ring, each joined to the `neighbours` nearest ones. Then, for distance 1 up to half of
    `neighbours` and for every node in ring order, the edge to the node at that distance clockwise is moved
    with `probability`: its other end becomes a node drawn uniformly from those that are neither the node
    itself nor joined to it yet. An edge stays where no such node is left (Watts and Strogatz 1998; directed
    by node number as in Xie et al. 2019, both `recalled-high`).

    The generator is asked for one double per edge and one more per edge that moves, nothing else, so that
    equal seeds give equal graphs wherever PCG64 does.

    Parameters
    ----------
    nodes : int
        Nodes of the graph.
    neighbours : int
        Even, less than `nodes`.
    probability : float
        In [0, 1].
    generator : numpy.random.Generator

    Returns
    -------
    tuple of tuple of int
        Sorted predecessors; `nodes` x `neighbours` / 2 in all. Nodes without any are inputs of the stage.
    """
    joined: list[set[int]] = [set() for _ in range(nodes)]
    for distance in range(1, neighbours // 2 + 1):
        for node in range(nodes):
            _join(joined, node, (node + distance) % nodes)
    for distance in range(1, neighbours // 2 + 1):
        for node in range(nodes):
            if generator.random() >= probability:
                continue
            free = [other for other in range(nodes) if other != node and other not in joined[node]]
            if not free:
                continue
            target = free[int(generator.random() * len(free))]
            old = (node + distance) % nodes
            joined[node].discard(old)
            joined[old].discard(node)
            _join(joined, node, target)
    return tuple(tuple(sorted(other for other in joined[node] if other < node)) for node in range(nodes))


def _join(joined: list[set[int]], one: int, other: int) -> None:
    joined[one].add(other)
    joined[other].add(one)
