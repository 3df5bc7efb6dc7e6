"""Which output channel starts from which: a spanning tree over the rows of a binary weight matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from accelerators.mst_bnn.design import MstBnnDesign

Signs = NDArray[np.int8]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Channels in the order in which they are worked out.

    Attributes
    ----------
    order, parent, depth : int64[n]
        Parents before children; the channel each starts from, -1 for none; edges from a channel without one.
    opposite : bool[n]
        Whether a channel starts from the opposite of its parent.
    distance : int64[n]
        Bit products of each channel: weights that differ from the parent's, all of them without one.
    inputs : int
        Weights of a channel.
    """

    order: Ints
    parent: Ints
    depth: Ints
    opposite: NDArray[np.bool_]
    distance: Ints
    inputs: int

    @property
    def products(self) -> int:
        """Bit products of a position."""
        return int(self.distance.sum())

    @property
    def ratio(self) -> float:
        """Bit products over those without reuse."""
        return self.products / (self.inputs * len(self.order))

    @property
    def levels(self) -> int:
        """Dependent steps of a position."""
        return int(self.depth.max(initial=0)) + 1


def schedule_of(weights: Signs, tree_depth: int, *, complement: bool) -> Schedule:
    """Return the schedule of a layer.

    Parameters
    ----------
    weights : int8[n, k]
        Signs, one row per output channel.
    tree_depth : int
        Longest chain of channels; 0 lets every channel count all its weights.
    complement : bool
        Whether a channel may start from the opposite of another, from which it differs in k - d weights.
    """
    n, k = weights.shape
    if tree_depth == 0 or n == 1:
        none = np.zeros(n, np.int64)
        return Schedule(np.arange(n), none - 1, none, none > 0, none + k, k)
    from hwsim.graph.reuse import reuse_tree

    signs = weights.astype(np.float32)
    differing = np.rint((k - signs @ signs.T) / 2).astype(np.int64)
    length = np.minimum(differing, k - differing) if complement else differing
    tree = reuse_tree(length, tree_depth)
    child, distance = np.arange(n), np.full(n, k, np.int64)
    linked = tree.parent >= 0
    distance[linked] = length[child[linked], tree.parent[linked]]
    opposite = np.zeros(n, np.bool_)
    if complement:
        opposite[linked] = 2 * differing[child[linked], tree.parent[linked]] > k
    return Schedule(tree.order, tree.parent, tree.depth, opposite, distance, k)


def random_signs(n: int, k: int, seed: int) -> Signs:
    """Return the weights int8[n, k] that stand for a layer whose own are not known."""
    return np.random.default_rng([seed, n, k]).choice(np.array([-1, 1], np.int8), (n, k))


@dataclass(frozen=True, slots=True)
class Reuse:
    """What the cost of a layer depends on: bit products of a position, and dependent levels."""

    products: int
    levels: int


@lru_cache(maxsize=512)
def _random_reuse(n: int, k: int, seed: int, tree_depth: int, complement: bool) -> Reuse:
    found = schedule_of(random_signs(n, k, seed), tree_depth, complement=complement)
    return Reuse(found.products, found.levels)


def reuse_of(n: int, k: int, design: MstBnnDesign) -> Reuse:
    """Return the reuse of `n` channels of `k` weights: as the design states, or of random weights."""
    if design.reuse_ratio and design.tree_depth:
        return Reuse(max(k, round(design.reuse_ratio * n * k)), design.reuse_levels)
    return _random_reuse(n, k, design.seed, design.tree_depth, design.complement)
