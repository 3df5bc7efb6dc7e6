"""Index vectors of a loop tree, so that readers treat all loops of one depth in one numpy call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Level:
    """All loops of one depth, grouped by parent.

    Attributes
    ----------
    loops : int64[n]
        Loops of this depth in pre-order, hence grouped by parent.
    parents : int64[p]
        Distinct parents, in order.
    starts : int64[p]
        Where in `loops` the children of each parent start.
    """

    loops: Ints
    parents: Ints
    starts: Ints


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows sorted by the cell of a table that they add to.

    Attributes
    ----------
    order : int64[R]
        Rows sorted by cell (stable).
    cells : int64[c]
        Distinct cells, flattened.
    starts : int64[c]
        Where in `order` the rows of each cell start.
    """

    order: Ints
    cells: Ints
    starts: Ints

    @staticmethod
    def of(cell: Ints) -> Cells:
        """Return the grouping of rows that add to `cell`."""
        order = np.argsort(cell, kind="stable")
        cells, starts = np.unique(cell[order], return_index=True)
        return Cells(order, cells, starts)

    def add(self, values: Ints, into: Ints) -> None:
        """Add values[..., R] to the flattened cells of `into`."""
        if self.cells.size:
            into[..., self.cells] += np.add.reduceat(values[..., self.order], self.starts, axis=-1)


@dataclass(frozen=True, slots=True)
class Layout:
    """Shape of a trace without its numbers.

    Attributes
    ----------
    depth : int64[L]
        Depth of each loop; loop 0 has depth 0.
    levels : tuple of Level
        Loops by depth, shallowest first; level 0 is loop 0 alone.
    row_order : int64[R]
        Rows sorted by loop (stable).
    row_loops : int64[q]
        Distinct loops that own rows.
    row_starts : int64[q]
        Where in `row_order` the rows of each of them start.
    unit_loop, node_unit : Cells
        Rows by (unit, loop) and by (node, unit).
    """

    depth: Ints
    levels: tuple[Level, ...]
    row_order: Ints
    row_loops: Ints
    row_starts: Ints
    unit_loop: Cells
    node_unit: Cells


def lay_out(parent: Ints, row_loop: Ints, row_node: Ints, row_unit: Ints, units: int) -> Layout:
    """Return the layout of a loop tree given in pre-order.

    Parameters
    ----------
    parent : int64[L]
        Parent of each loop, smaller than its own index; -1 for loop 0.
    row_loop, row_node, row_unit : int64[R]
        Loop, node and unit of each row.
    units : int
        Size of the unit pool.
    """
    depth = np.zeros(parent.shape[0], dtype=np.int64)
    for index, above in enumerate(parent.tolist()):
        if above >= 0:
            depth[index] = depth[above] + 1
    levels = []
    for level in range(int(depth.max()) + 1):
        loops = np.flatnonzero(depth == level)
        parents, starts = np.unique(parent[loops], return_index=True)
        levels.append(Level(loops, parents, starts))
    row_order = np.argsort(row_loop, kind="stable")
    row_loops, row_starts = np.unique(row_loop[row_order], return_index=True)
    cells = Cells.of(row_unit * parent.shape[0] + row_loop), Cells.of(row_node * units + row_unit)
    return Layout(depth, tuple(levels), row_order, row_loops, row_starts, *cells)
