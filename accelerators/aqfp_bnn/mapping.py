"""A layer on crossbars: row and column tiles, the module that joins them, and all of its junctions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from accelerators.aqfp_bnn.balancing import size_of
from accelerators.aqfp_bnn.cells import Cell, junctions_of
from accelerators.aqfp_bnn.circuits import accumulation_netlist
from accelerators.aqfp_bnn.design import AqfpBnnDesign, ParallelCounter, TieRule, WeightMemory
from accelerators.aqfp_bnn.energy import memory_junctions
from accelerators.aqfp_bnn.levels import Clocking
from accelerators.aqfp_bnn.network import Layer
from accelerators.aqfp_bnn.statistics import threshold_of
from hwsim.errors import InputError
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.types import Op

UNITS = ("crossbars", "accumulators", "weight_memory", "line_buffers", "pools")


@dataclass(frozen=True, slots=True)
class Module:
    """ParallelCounter, accumulator and comparator of one column, balanced.

    Attributes
    ----------
    junctions : int
        Josephson junctions.
    unskipped_junctions : int
        The same without phase skipping.
    depth : int
        Phases from the tiles' bits to the output.
    interval : int
        Cycles between two additions to one sum: windows are interleaved in between.
    """

    junctions: int
    unskipped_junctions: int
    depth: int
    interval: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A layer with its tiles and junctions, of one copy.

    Attributes
    ----------
    layer : Layer
        What is mapped.
    row_tiles, column_tiles : int
        R = ceil(K / crossbar) and Q = ceil(N / crossbar).
    module : Module
        Of every column.
    junctions_by_unit : dict of str to int
        Josephson junctions of each of `UNITS`.
    hold_cycles : int
        For which a window occupies its share of the crossbars.
    tail_cycles : int
        From the last cycle of a window to its output.
    """

    layer: Layer
    row_tiles: int
    column_tiles: int
    module: Module
    junctions_by_unit: dict[str, int]
    hold_cycles: int
    tail_cycles: int

    @property
    def tiles(self) -> int:
        """Crossbars of one copy."""
        return self.row_tiles * self.column_tiles

    @property
    def junctions(self) -> int:
        """Junctions of one copy."""
        return sum(self.junctions_by_unit.values())

    def utilization(self, crossbar: int) -> float:
        """Return the share of cells that hold a weight."""
        return self.layer.product.k * self.layer.product.n / (self.tiles * crossbar**2)


def crossbar_junctions(design: AqfpBnnDesign) -> int:
    """Return 12 Cs^2 + 48 Cs: cells, and the drivers and neurons of their lines."""
    return design.cell_junctions * design.crossbar_size**2 + design.line_junctions * design.crossbar_size


def crossbar_latency_s(design: AqfpBnnDesign) -> float:
    """Return 45 ps + 7.5 ps Cs."""
    return design.crossbar_base_s + design.crossbar_line_s * design.crossbar_size


def crossbar_cycles(design: AqfpBnnDesign) -> int:
    """Return the latency of a crossbar, rounded up to cycles."""
    cycles = crossbar_latency_s(design) * design.clock_hz
    return math.ceil(cycles - 1e-9)


def map_layer(layer: Layer, design: AqfpBnnDesign) -> Mapping:
    """Return `layer` on crossbars of `design`."""
    product, size = layer.product, design.crossbar_size
    rows, columns = -(-product.k // size), -(-product.n // size)
    module = module_of(
        rows,
        design.stream_length,
        design.tie_rule,
        design.parallel_counter,
        design.count_bits,
        clocking_of(design),
    )
    phases = design.clock_phases
    stored = product.k * product.n if design.weight_memory is WeightMemory.BUFFER_CHAIN else 0
    pooling, pool_depth = _pooling(layer, design)
    return Mapping(
        layer, rows, columns, module,
        {
            "crossbars": rows * columns * crossbar_junctions(design),
            "accumulators": product.n * module.junctions,
            "weight_memory": memory_junctions(stored, phases),
            "line_buffers": memory_junctions(line_buffer_bits(product), phases),
            "pools": pooling,
        },
        design.stream_length * module.interval,
        crossbar_cycles(design) + -(-(module.depth + pool_depth) // phases),
    )  # fmt: skip


def clocking_of(design: AqfpBnnDesign) -> Clocking:
    """Return how the logic of `design` is clocked."""
    return Clocking(
        splitter_outputs=design.splitter_outputs,
        max_phase_skip=design.max_phase_skip,
        clock_phases=design.clock_phases,
    )


@lru_cache(maxsize=4096)
def module_of(
    tiles: int, length: int, tie_rule: TieRule, counter: ParallelCounter, count_bits: int, clocking: Clocking
) -> Module:
    """Return the stochastic accumulation module of `tiles` row tiles and streams of `length` cycles.

    Raises
    ------
    InputError
        If the count does not fit into `count_bits`, or a tie can happen that no rule decides.
    """
    needed = (tiles * length).bit_length()
    if count_bits and count_bits < needed:
        raise InputError(
            f"counts of {tiles} tiles x {length} cycles take {needed} bits, not {count_bits}",
            where="aqfp_bnn.count_bits",
            hint="0 takes as many as needed",
        )
    threshold = threshold_of(tiles, length, tie_rule)
    netlist = accumulation_netlist(tiles, count_bits or needed, threshold, counter)
    built = size_of(netlist, clocking)
    plain = built
    if clocking.max_phase_skip > 1:
        plain = size_of(netlist, Clocking(clocking.splitter_outputs, 1, clocking.clock_phases))
    return Module(built.junctions, plain.junctions, built.depth, built.interval_cycles)


def line_buffer_bits(product: MatrixProduct) -> int:
    """Return the input bits that wait: those between the first and the last pixel of a window."""
    if product.window is None:
        return product.k
    return _raster_span(product.window.kernel, product.window.input_size) * product.window.channels


def _raster_span(kernel: tuple[int, ...], size: tuple[int, ...]) -> int:
    """Return the pixels in raster order from the first to the last of a window."""
    return 1 + sum((extent - 1) * math.prod(size[axis + 1 :]) for axis, extent in enumerate(kernel))


def _pooling(layer: Layer, design: AqfpBnnDesign) -> tuple[int, int]:
    """Return junctions and phases of pooling: a tree of two-input gates, and bits that wait for others."""
    total = depth = 0
    size = layer.product.window.output_size if layer.product.window else ()
    for op in layer.pools:
        kernel = op.ints("kernel")
        inputs = math.prod(kernel)
        gates = (inputs - 1) * junctions_of(Cell.OR)
        waiting = memory_junctions(_raster_span(kernel, size) - 1, design.clock_phases)
        total += layer.product.n * (gates + waiting)
        depth += (inputs - 1).bit_length()
        size = _pooled_size(op, size)
    return total, depth


def _pooled_size(op: Op, size: tuple[int, ...]) -> tuple[int, ...]:
    rank, pads, kernel, strides = len(size), op.ints("pads"), op.ints("kernel"), op.ints("strides")
    return tuple(
        max(1, (size[axis] + pads[axis] + pads[rank + axis] - kernel[axis]) // strides[axis] + 1)
        for axis in range(rank)
    )


def products_per_cycle(design: AqfpBnnDesign) -> int:
    """Return the peak of all crossbars: a cell finishes one product in as many cycles as a stream has."""
    return max(1, -(-(design.crossbar_size**2) * design.crossbars // design.stream_length))
