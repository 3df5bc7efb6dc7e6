"""Index vectors of a loop tree, and what a trace says about its own size."""

from __future__ import annotations

import dataclasses

import numpy as np

from hwsim.trace import TraceBuilder
from hwsim.trace.layout import Cells, lay_out

PARENT = np.array([-1, 0, 1, 1, 0, 4, 5])
LOOP = np.array([3, 1, 3, 6, 0])
NODE = np.array([0, 1, 0, 1, 1])
UNIT = np.array([1, 0, 1, 0, 1])


def test_loops_are_grouped_by_depth_and_parent_and_rows_by_cell() -> None:
    layout = lay_out(PARENT, LOOP, NODE, UNIT, 2)
    assert layout.depth.tolist() == [0, 1, 2, 2, 1, 2, 3]
    levels = [(level.loops, level.parents, level.starts) for level in layout.levels]
    assert [[part.tolist() for part in parts] for parts in levels] == [
        [[0], [-1], [0]],
        [[1, 4], [0], [0]],
        [[2, 3, 5], [1, 4], [0, 2]],
        [[6], [5], [0]],
    ]
    assert layout.row_order.tolist() == [4, 1, 0, 2, 3]
    assert layout.row_loops.tolist() == [0, 1, 3, 6]
    assert layout.row_starts.tolist() == [0, 1, 2, 4]
    assert layout.unit_loop.cells.tolist() == [1, 6, 7 + 0, 7 + 3]
    assert layout.unit_loop.order.tolist() == [1, 3, 4, 0, 2]
    assert layout.unit_loop.starts.tolist() == [0, 1, 2, 3]
    assert layout.node_unit.cells.tolist() == [1, 2, 3]
    assert layout.node_unit.order.tolist() == [0, 2, 1, 3, 4]
    assert layout.node_unit.starts.tolist() == [0, 2, 4]


def test_rows_of_a_cell_stay_in_the_order_written() -> None:
    rng = np.random.default_rng(3)
    cell = rng.integers(0, 4, 2000)
    expected = sorted(range(2000), key=lambda row: int(cell[row]))
    assert Cells.of(cell).order.tolist() == expected
    zeros = np.zeros(2000, np.int64)
    assert lay_out(np.array([-1, 0, 0, 0]), cell, zeros, zeros, 1).row_order.tolist() == expected


def test_rows_are_added_to_what_their_cells_hold() -> None:
    cells = Cells.of(np.array([2, 0, 2]))
    into = np.full((2, 4), 100)
    cells.add(np.array([[1, 2, 3], [10, 20, 30]]), into)
    assert into.tolist() == [[102, 100, 104, 100], [120, 100, 140, 100]]
    Cells.of(np.zeros(0, np.int64)).add(np.zeros((2, 0), np.int64), into)
    assert into.tolist() == [[102, 100, 104, 100], [120, 100, 140, 100]]


def test_a_trace_knows_its_designs_and_its_bytes() -> None:
    build = TraceBuilder(3)
    with build.loop(2, node="n"):
        build.event("array", "mac", 4, bits=[1, 2, 3], access=(0, [0, 1, 1]))
    family = build.build()
    single = dataclasses.replace(family, rows=dataclasses.replace(family.rows, bits=family.rows.bits[0]))
    assert (family.designs, single.designs) == (3, None)
    entries = {"loops": 5 * 2, "rows": 8, "accesses": 1 + 2 + 3, "series": 1}
    assert single.nbytes == 8 * sum(entries.values())
    assert family.nbytes == single.nbytes + 8 * 2
    for column, values in (("count", [[4], [5]]), ("bits", [[4], [5]])):
        rows = dataclasses.replace(single.rows, **{column: np.array(values)})
        assert dataclasses.replace(single, rows=rows).designs == 2
