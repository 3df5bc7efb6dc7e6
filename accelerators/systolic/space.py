"""All tilings of a matrix product that fit the scratchpads, as arrays, with a lower bound of their cost.

The space: the three dataflows (or the fixed one), both orders of the outer tile loops, for rows (or
whole samples of a batch) every size ceil(whole / 2^i), for channels and columns these and the same cut to
whole multiples of the array, so far as half of each scratchpad holds the tile.
Arrays have axes (dataflow, order, size); axes of length 1 broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from accelerators.systolic.design import Dataflow, MemoryModel, Objective, SystolicDesign
from accelerators.systolic.folds import register_bits, tile_cycles, tile_words
from accelerators.systolic.tiles import (
    Epilogue,
    Order,
    Tiling,
    batch_of,
    height_of,
    kernel_positions,
    row_tiles,
)
from hwsim.errors import DesignError
from hwsim.graph.contraction import MatrixProduct

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DATAFLOWS = (Dataflow.OUTPUT_STATIONARY, Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY)
ORDERS = tuple(Order)
SCRATCHPADS = ("input_scratchpad_bytes", "weight_scratchpad_bytes", "output_scratchpad_bytes")


@dataclass(frozen=True, slots=True)
class Rates:
    """What the search must know of the datasheet: cycles per DRAM bit, and joules.

    Attributes
    ----------
    cycles_per_bit : Fraction
        Reference cycles per DRAM bit.
    dram_j, input_j, weight_j, output_j, register_j : float
        Joules per bit of each memory.
    leakage_j : float
        Joules leaked per cycle by the whole chip.
    """

    cycles_per_bit: Fraction
    dram_j: float
    input_j: float
    weight_j: float
    output_j: float
    register_j: float
    leakage_j: float


class SlotClock:
    """Cycles of one slot: DRAM, array and vector unit at once.

    Parameters
    ----------
    rates : Rates
        Cycles per DRAM bit.
    vector_lanes : int
        Vector operations per cycle.
    """

    def __init__(self, rates: Rates, vector_lanes: int) -> None:
        self._up, self._down = rates.cycles_per_bit.numerator, rates.cycles_per_bit.denominator
        self._lanes = vector_lanes

    def __call__(self, loads: tuple[int, int], work: int, stores: tuple[int, int]) -> int:
        """Return the cycles of a slot with these loads, array cycles, and bits and operations stored."""
        up, down = self._up, self._down
        dram = -(-(loads[0] + loads[1]) * up // down) - (-stores[0] * up // down)
        return max(dram, work, -(-stores[1] // self._lanes))


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tile sizes that fit, one column per candidate, and what their rows look like.

    Attributes
    ----------
    height, images, k, n : int64[G]
        Tile sizes.
    repeats : int64[G]
        How often the row tiles repeat: once per sample, or once if tiles hold whole samples.
    tiles_m, tiles_k, tiles_n : int64[G]
        Row tiles before they repeat, tiles along k, along n.
    full_m, last_m : int64[G]
        Output positions of a full row tile and of the last one.
    inputs, least_inputs, first_inputs : int64[G]
        Distinct input elements per channel: of all row tiles before they repeat, of the smallest full one
        (the last tile if there is no other), of the first.
    """

    height: Ints
    images: Ints
    k: Ints
    n: Ints
    repeats: Ints
    tiles_m: Ints
    tiles_k: Ints
    tiles_n: Ints
    full_m: Ints
    last_m: Ints
    inputs: Ints
    least_inputs: Ints
    first_inputs: Ints


@dataclass(frozen=True, slots=True)
class Space:
    """Candidates and their costs.

    Attributes
    ----------
    flows : tuple of Dataflow
        Names of the first axis.
    sizes : Sizes
        Third axis.
    traffic : int64[1, O, G]
        DRAM bits.
    work : int64[F, 1, G]
        Array cycles of all tiles.
    least_cycles : float64[F, O, G]
        No more than the exact cycles; infinite for a candidate that is the twin of another one.
    onchip_j : float64[F, O, G]
        Joules of scratchpads and registers; zeros where the objective does not look at energy.
    """

    flows: tuple[Dataflow, ...]
    sizes: Sizes
    traffic: Ints
    work: Ints
    least_cycles: Floats
    onchip_j: Floats

    def tiling(self, flow: int, order: int, size: int) -> Tiling:
        """Return one candidate."""
        sizes = self.sizes
        return Tiling(
            self.flows[flow],
            ORDERS[order],
            int(sizes.height[size]),
            int(sizes.k[size]),
            int(sizes.n[size]),
            int(sizes.images[size]),
        )


def halvings(whole: int) -> list[int]:
    """Return whole, ceil(whole / 2), ceil(whole / 4), ... 1 without repeats."""
    result = [whole]
    while result[-1] > 1:
        result.append(-(-result[-1] // 2))
    return result


def row_sizes(product: MatrixProduct) -> list[tuple[int, int]]:
    """Return (height, images) of the row tiles of the space: parts of an image, then whole images."""
    whole = height_of(product)
    batches = [size for size in halvings(batch_of(product)) if size > 1]
    return [(height, 1) for height in halvings(whole)] + [(whole, images) for images in batches]


def fitted(whole: int, unit: int, lanes: int) -> list[int]:
    """Return the halvings of `whole`, and each of them cut to whole multiples of the array, in units.

    Parameters
    ----------
    whole : int
        Channels or columns.
    unit : int
        Array lanes that one of them takes: kernel positions, or 1.
    lanes : int
        Rows or columns of the array.
    """
    found = set(halvings(whole))
    found |= {cut for size in found if (cut := size * unit // lanes * lanes // unit)}
    return sorted(found, reverse=True)


def enumerate_space(
    product: MatrixProduct, design: SystolicDesign, rates: Rates, epilogue: Epilogue
) -> Space:
    """Return every candidate for `product`; DesignError if no tile fits the scratchpads."""
    sizes = _sizes(product, design)
    flows = DATAFLOWS if design.dataflow is Dataflow.BEST else (design.dataflow,)
    grid = _tile_grid(product, sizes)
    sums = [_tile_sums(product, design, rates, flow, grid) for flow in flows]
    work, largest, joules = (np.array(columns)[:, None, :] for columns in zip(*sums, strict=True))
    inputs, weights = _loads(product, design, epilogue, sizes)
    repeats = product.groups * product.steps
    stores = repeats * product.m * product.n * epilogue.output_bits
    per_bit = float(rates.cycles_per_bit)
    tile = _TileBits(product, design, epilogue, sizes)
    waits = repeats * sum(
        count * np.maximum(bits * per_bit - largest, 0.0) for count, bits in tile.heavy_slots()
    )
    unhidden = (tile.first_load + tile.last_store) * per_bit
    least = np.maximum((inputs + weights + stores) * per_bit, work + waits + unhidden)
    # With one tile along m or n both orders are the same walk; only the first is kept.
    twins = (sizes.tiles_m * sizes.repeats == 1) | (sizes.tiles_n == 1)
    least[:, ORDERS.index(Order.N_OUTER), twins] = np.inf
    if design.objective in (Objective.ENERGY, Objective.PRODUCT):
        drained = repeats * product.m * product.n * design.accumulator_bits
        joules = joules + inputs * rates.input_j + weights * rates.weight_j + drained * rates.output_j
    return Space(flows, sizes, inputs + weights + stores, work, least, np.broadcast_to(joules, least.shape))


def _sizes(product: MatrixProduct, design: SystolicDesign) -> Sizes:
    positions = kernel_positions(product)
    heights = row_sizes(product)
    depths = positions * np.array(
        fitted(product.k // positions, positions, design.array_rows), dtype=np.int64
    )
    widths = np.array(fitted(product.n, 1, design.array_cols), dtype=np.int64)
    rows = np.array([row_statistics(product, *size) for size in heights], dtype=np.int64)
    h, k, n = (
        axis.reshape(-1) for axis in np.meshgrid(np.arange(len(heights)), depths, widths, indexing="ij")
    )
    need = (
        rows[h, 6] * (k // positions) * design.operand_bits,
        k * n * design.operand_bits,
        rows[h, 1] * n * design.accumulator_bits,
    )
    have = [8 * getattr(design, name) // 2 for name in SCRATCHPADS]
    if design.memory_model is MemoryModel.DOUBLE_BUFFERED:
        fits = np.logical_and.reduce([bits <= room for bits, room in zip(need, have, strict=True)])
    else:
        whole = heights.index((height_of(product), batch_of(product)))
        fits = (h == whole) & (k == product.k) & (n == product.n)
    if not fits.any():
        raise _too_small(design, [int(bits.min()) for bits in need], have)
    h, k, n = h[fits], k[fits], n[fits]
    pairs = np.array(heights, dtype=np.int64)[h]
    repeats = np.where(pairs[:, 1] == 1, batch_of(product), 1)
    tiles = (-(-product.k // k), -(-product.n // n))
    return Sizes(
        pairs[:, 0], pairs[:, 1], k, n, repeats, rows[h, 0], *tiles, *(rows[h, i] for i in range(1, 6))
    )


def row_statistics(product: MatrixProduct, height: int, images: int) -> tuple[int, ...]:
    """Return tiles, full m, last m, all inputs, least inputs of a full tile, first inputs, most inputs."""
    parts = row_tiles(product, height, images)
    inner = parts[:-1] if parts[-1][1] == 1 and len(parts) > 1 else parts
    return (
        sum(count for _, count in parts),
        parts[0][0].m,
        parts[-1][0].m,
        sum(tile.inputs * count for tile, count in parts),
        min(tile.inputs for tile, _ in inner),
        parts[0][0].inputs,
        max(tile.inputs for tile, _ in parts),
    )


def _too_small(design: SystolicDesign, need: list[int], have: list[int]) -> DesignError:
    short = [
        f"{name} {getattr(design, name)} holds {room // 8} bytes a half, a tile needs {-(-bits // 8)}"
        for name, bits, room in zip(SCRATCHPADS, need, have, strict=True)
        if bits > room
    ]
    reason = "; ".join(short) or "no tile fits all three scratchpads at once"
    return DesignError(reason, where="design", hint="enlarge the scratchpad")


@dataclass(frozen=True, slots=True)
class _TileGrid:
    """Full and last tiles of each axis: sizes int64[2, 2, 2, G] by broadcasting, and how many there are."""

    m: Ints
    k: Ints
    n: Ints
    count: Ints
    tiles_k: Ints


def _tile_grid(product: MatrixProduct, sizes: Sizes) -> _TileGrid:
    one = np.ones_like(sizes.k)
    return _TileGrid(
        np.array([sizes.full_m, sizes.last_m])[:, None, None],
        np.array([sizes.k, product.k - (sizes.tiles_k - 1) * sizes.k])[None, :, None],
        np.array([sizes.n, product.n - (sizes.tiles_n - 1) * sizes.n])[None, None, :],
        np.array([sizes.tiles_m - 1, one])[:, None, None]
        * np.array([sizes.tiles_k - 1, one])[None, :, None]
        * np.array([sizes.tiles_n - 1, one])[None, None, :]
        * (sizes.repeats * product.groups * product.steps),
        sizes.tiles_k,
    )


def _tile_sums(
    product: MatrixProduct, design: SystolicDesign, rates: Rates, flow: Dataflow, grid: _TileGrid
) -> tuple[Ints, Ints, Floats]:
    """Return array cycles of all tiles, of the largest tile, and on-chip joules without fills."""
    m, k, n, count = grid.m, grid.k, grid.n, grid.count
    cycles = tile_cycles(flow, m, k, n, design.array_rows, design.array_cols, design.fold_model)
    work = (count * cycles).sum(axis=(0, 1, 2))
    if design.objective not in (Objective.ENERGY, Objective.PRODUCT):
        return work, cycles[0, 0, 0], np.zeros(work.shape)
    words = tile_words(flow, m, k, n, design.array_rows, design.array_cols, 0)
    again = product.groups * product.steps * product.m * product.n * (grid.tiles_k - 1)
    sums = (count * (words.output_writes + words.output_reads)).sum(axis=(0, 1, 2)) + again
    joules = (
        (count * words.input_reads).sum(axis=(0, 1, 2)) * rates.input_j * design.operand_bits
        + (count * words.weight_reads).sum(axis=(0, 1, 2)) * rates.weight_j * design.operand_bits
        + sums * rates.output_j * design.accumulator_bits
        + product.macs * register_bits(flow, design) * rates.register_j
    )
    return work, cycles[0, 0, 0], joules


def _loads(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue, sizes: Sizes
) -> tuple[Ints, Ints]:
    """Return int64[1, O, G]: DRAM bits of inputs and of weights over all tiles, groups and steps."""
    images, repeats = sizes.repeats, product.groups * product.steps
    tiles_m, whole = sizes.tiles_m * images, sizes.tiles_k == 1
    stay = whole & (sizes.tiles_n == 1)
    input_passes = np.array(
        [np.where(whole, 1, sizes.tiles_n), np.where(whole & (tiles_m == 1), 1, sizes.tiles_n)]
    )
    weight_passes = np.array([np.where(stay, 1, tiles_m), np.where(whole, 1, tiles_m)])
    held = np.where(stay & (product.groups == 1) & (not epilogue.reload), 1, product.steps)
    channels = product.k // kernel_positions(product)
    inputs = (
        sizes.inputs * images * channels * (epilogue.input_bits or design.operand_bits) * input_passes
        + product.m * product.n * epilogue.addend_bits
    )
    per_weight = epilogue.weight_bits or design.operand_bits
    weights = product.k * product.n * per_weight + product.n * epilogue.column_bits
    return (repeats * inputs)[None], (product.groups * weights * held * weight_passes)[None]


class _TileBits:
    """DRAM bits of single tiles, for bounds: what cannot be hidden, and which slots wait for DRAM."""

    def __init__(
        self, product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue, sizes: Sizes
    ) -> None:
        channels, bits = sizes.k // kernel_positions(product), epilogue.input_bits or design.operand_bits
        self._sizes = sizes
        self._inputs = sizes.least_inputs * channels * bits
        self._weights = sizes.k * sizes.n * (epilogue.weight_bits or design.operand_bits)
        self._store = sizes.full_m * sizes.n * epilogue.output_bits
        self.first_load = sizes.first_inputs * channels * bits + self._weights
        self.last_store = sizes.last_m * (product.n - (sizes.tiles_n - 1) * sizes.n) * epilogue.output_bits

    def heavy_slots(self) -> list[tuple[Ints, Ints]]:
        """Return (count int64[O, G], bits int64[O, G]) of slots whose DRAM traffic and predecessor are known.

        Only full tiles that follow a tile no larger are counted, with what they load for certain.
        """
        sizes = self._sizes
        whole = sizes.tiles_k == 1
        full_m, full_n = (sizes.tiles_m - 1) * sizes.repeats, sizes.tiles_n - 1
        both, stay = self._inputs + self._weights, whole & (sizes.tiles_n == 1)
        turns = [
            (np.where(stay, 0, np.maximum(full_m - 1, 0)), both),
            (full_m * np.maximum(full_n - 2, 0), self._weights + self._store),
            (np.maximum(full_m - 3, 0) * stay, self._inputs + self._store),
        ]
        columns = [
            (np.maximum(full_n - 1, 0), both),
            (full_n * np.maximum(full_m - 2, 0), self._inputs + self._store),
        ]
        deep = full_m * full_n * (sizes.tiles_k - 1)
        result = [
            (np.array([np.where(whole, turn[0], 0), np.zeros_like(deep)]), np.array([turn[1]] * 2))
            for turn in turns
        ]
        result += [
            (np.array([np.zeros_like(deep), np.where(whole, column[0], 0)]), np.array([column[1]] * 2))
            for column in columns
        ]
        return [*result, (np.array([np.where(whole, 0, np.maximum(deep - 1, 0))] * 2), np.array([both] * 2))]
