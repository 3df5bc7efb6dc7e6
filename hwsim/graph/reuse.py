"""Spanning trees of bounded depth: which vertex of a complete graph is worked out from which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    parent = _grown(distance, 0, len(distance))
    center = _center(parent)
    parent = _hung(parent, center)
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


def _center(parent: NDArray[np.int64]) -> int:
    """Return the middle of the longest path of a tree, of two middles the lesser."""
    hung = _hung(parent, int(_depths(parent).argmax()))
    path = [int(_depths(hung).argmax())]
    while hung[path[-1]] >= 0:
        path.append(int(hung[path[-1]]))
    return min(path[(len(path) - 1) // 2], path[len(path) // 2])


def _hung(parent: NDArray[np.int64], root: int) -> NDArray[np.int64]:
    """Return the same tree with another root: the way from it to the old one is turned around."""
    hung, above, vertex = parent.copy(), -1, root
    while vertex >= 0:
        hung[vertex] = above
        above, vertex = vertex, int(parent[vertex])
    return hung


def _depths(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    depth, above = np.zeros(len(parent), np.int64), parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return depth


def _length(distance: NDArray[np.int64], parent: NDArray[np.int64]) -> int:
    child = np.flatnonzero(parent >= 0)
    return int(distance[child, parent[child]].sum())
