"""The whole chip, clock by clock: DRAM, double buffers, array and vector unit on real integer operands.

The controller walks the tiles in their plain order and fetches an operand whenever it is not the one of the
tile before. In each slot the memory moves bits, the array steps and the vector unit issues until all three
are done. It shares with the lowering only the choice of dataflow and tile sizes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.systolic.array_machine import Ints, run_tile
from accelerators.systolic.design import MemoryModel, SystolicDesign
from accelerators.systolic.fusion import Group, groups_of
from accelerators.systolic.lower import Chooser, epilogue_of
from accelerators.systolic.operands import Operands, draw, elementwise_value, matrices
from accelerators.systolic.tiles import Epilogue, Order, Tiling, merged
from accelerators.systolic.vector import vector_totals
from hwsim.errors import UnsupportedOp
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.model.types import MachineResult


@dataclass
class TileWork:
    """What one tile asks of the three engines.

    Attributes
    ----------
    load_bits, store_bits : int
        DRAM traffic before and after.
    cycles : int
        Clocks that the array steps.
    operations : int
        Vector operations on the result.
    """

    load_bits: int = 0
    cycles: int = 0
    store_bits: int = 0
    operations: int = 0


@dataclass
class Chip:
    """Clock and event counters of a run."""

    design: SystolicDesign
    clock: int = 0
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    def run(self, tiles: list[TileWork]) -> None:
        """Step through all slots: load tile s, work on tile s - 1, store tile s - 2."""
        idle = TileWork()
        padded = [idle, idle, *tiles, idle, idle]
        for s in range(2, len(padded)):
            self._slot(padded[s].load_bits, padded[s - 1].cycles, padded[s - 2])
        for tile in tiles:
            self.events["dram", "read"] += tile.load_bits
            self.events["dram", "write"] += tile.store_bits
            self.events["array", "active"] += tile.cycles
            self.events["vector", "issue"] += tile.operations

    def _slot(self, load_bits: int, cycles: int, done: TileWork) -> None:
        """Step clocks until memory, array and vector unit are through; memory reads before it writes."""
        moving = [Fraction(load_bits), Fraction(done.store_bits)]
        rate = self._bits_per_clock()
        operations = done.operations
        while cycles > 0 or operations > 0 or any(bits > 0 for bits in moving):
            if rate is None:
                moving = [Fraction(0), Fraction(0)]
                if cycles <= 0 and operations <= 0:
                    return
            elif moving[0] > 0:
                moving[0] -= rate
            else:
                moving[1] -= rate
            cycles -= 1
            operations -= self.design.vector_lanes
            self.clock += 1

    def _bits_per_clock(self) -> Fraction | None:
        if self.design.memory_model is MemoryModel.STALL_FREE:
            return None
        return Fraction(repr(self.design.dram_bits_per_s)) / Fraction(repr(self.design.clock_hz))


def machine(graph: Graph, design: SystolicDesign, rng: np.random.Generator) -> MachineResult:
    """Run a graph of one operator, with or without elementwise successors, on operands drawn from `rng`.

    Returns
    -------
    MachineResult
        Values of the graph's output, clocks, and events; DRAM events are bits, all others as in the trace.
    """
    operands = draw(graph, design, rng)
    groups = groups_of(graph, design.fuse_elementwise)
    chip = Chip(design)
    values: NDArray[Any] = np.zeros(0, dtype=np.int64)
    for group in groups:
        products = tuple(merged(product) for product in matrix_products(graph, group.head))
        if not products:
            values = _vector_unit(chip, graph, group, operands)
        elif len(products) == 1 and products[0].steps == 1:
            values = _array(chip, graph, group, products[0], operands)
        else:
            raise UnsupportedOp(
                f"{group.head.kind} is not stepped", where=f"systolic.machine.{group.head.name}"
            )
        operands.values[group.last.outputs[0]] = values
    return MachineResult(values, chip.clock, dict(chip.events))


def _vector_unit(chip: Chip, graph: Graph, group: Group, operands: Operands) -> NDArray[Any]:
    reads, all_operations, writes = vector_totals(graph, group)
    count = Chooser(chip.design).vector_tiles.count(reads, all_operations, writes)
    tiles = []
    for index in range(count):
        read, operations, write = (
            total // count + (index < total % count) for total in (reads, all_operations, writes)
        )
        tiles.append(TileWork(read, 0, write, operations))
    chip.run(tiles)
    for unit, bits in (("input_scratchpad", reads), ("output_scratchpad", writes)):
        for action in ("write", "read"):
            chip.events[unit, action] += 1 if bits else 0
    for member in (group.head, *group.fused):
        for name, times in work_of(graph, member).primitives.items():
            chip.events["vector", name] += times
        operands.values[member.outputs[0]] = elementwise_value(graph, member, operands)
    return operands.of(group.last.outputs[0])


def _array(
    chip: Chip, graph: Graph, group: Group, product: MatrixProduct, operands: Operands
) -> NDArray[Any]:
    design, op = chip.design, group.head
    epilogue = epilogue_of(graph, group, product, design)
    tiling = Chooser(design).choose(product, epilogue).tiling
    left, right, fetched, fold_back = matrices(graph, op, product, operands)
    result = np.zeros((product.groups, product.m, product.n), dtype=np.int64)
    tiles: list[TileWork] = []
    previous: tuple[object, object] = (None, None)
    for g in range(product.groups):
        for rows, columns, depth in _tile_order(product, tiling):
            now = ((g, rows, depth), (g, depth, columns))
            load = (
                0
                if now[0] == previous[0]
                else fetched(g, rows, depth) * (epilogue.input_bits or design.operand_bits)
            )
            load += 0 if now[1] == previous[1] else _weight_bits(columns, depth, epilogue, design)
            previous = now
            run = run_tile(
                tiling.dataflow,
                left[g, slice(*rows), slice(*depth)],
                right[g, slice(*depth), slice(*columns)],
                design,
            )
            result[g, slice(*rows), slice(*columns)] += run.values
            elements = (rows[1] - rows[0]) * (columns[1] - columns[0])
            last = depth[1] == product.k
            tiles.append(
                TileWork(
                    load,
                    run.cycles,
                    elements * epilogue.output_bits if last else 0,
                    elements * epilogue.posts if last else 0,
                )
            )
            _count_words(chip, run.events, elements if depth[0] else 0, elements if last else 0)
    chip.run(tiles)
    for unit in ("input_scratchpad", "weight_scratchpad"):
        chip.events[unit, "write"] += 1
    values = fold_back(result)
    for member in (op, *group.fused):
        for name, times in work_of(graph, member).primitives.items():
            chip.events["vector", name] += times
        operands.values[member.outputs[0]] = values
        if member is not op:
            values = elementwise_value(graph, member, operands)
    return values


def _tile_order(product: MatrixProduct, tiling: Tiling) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield (rows, columns, depth) ranges in order; a tile is a part of an image, or several images."""
    window = product.window
    image = product.m // window.batch * tiling.images if window else product.m
    height = image if tiling.images > 1 else tiling.height * (image // window.output_size[0] if window else 1)
    row_ranges = [
        (base + row, min(base + min(row + height, image), product.m))
        for base in range(0, product.m, image)
        for row in range(0, image, height)
    ]
    columns = [(n, min(n + tiling.n, product.n)) for n in range(0, product.n, tiling.n)]
    depths = [(k, min(k + tiling.k, product.k)) for k in range(0, product.k, tiling.k)]
    outer_first = tiling.order is Order.M_OUTER
    for outer in row_ranges if outer_first else columns:
        for inner in columns if outer_first else row_ranges:
            for depth in depths:
                yield (outer, inner, depth) if outer_first else (inner, outer, depth)


def _weight_bits(
    columns: tuple[int, int], depth: tuple[int, int], epilogue: Epilogue, design: SystolicDesign
) -> int:
    width = columns[1] - columns[0]
    bias = width * epilogue.column_bits if depth[0] == 0 else 0
    return width * (depth[1] - depth[0]) * (epilogue.weight_bits or design.operand_bits) + bias


def _count_words(chip: Chip, events: Counter[str], accumulated: int, drained: int) -> None:
    """Add the scratchpad words of a tile: `accumulated` words hold sums of earlier tiles along k."""
    chip.events["array", "mac"] += events["mac"]
    chip.events["input_scratchpad", "read"] += events["input_reads"]
    chip.events["weight_scratchpad", "read"] += events["weight_reads"]
    chip.events["output_scratchpad", "write"] += events["output_writes"]
    chip.events["output_scratchpad", "read"] += events["output_reads"] + accumulated + drained


__all__ = ["Chip", "Ints", "TileWork", "machine"]
