"""Tiles of a matrix product: sizes, halos, what each tile loads, and their order as a stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from accelerators.systolic.design import Dataflow, SystolicDesign
from accelerators.systolic.folds import tile_cycles
from hwsim.graph.contraction import MatrixProduct, Window
from hwsim.trace.stream import Slots, Stream, Tile, one_tile

Segment = tuple["RowTile", int]
Load = tuple[int, int]
Store = tuple[int, int]
TileStream = Stream[Load, int, Store, Any]
TileSlots = Slots[Load, int, Store]
Measure = Callable[[Load, int, Store], Any]
Part = TypeVar("Part")
IDLE: Tile[Load, int, Store] = ((0, 0), 0, (0, 0))


class Order(StrEnum):
    """Which tile loop is outside; the loop over k is always innermost."""

    M_OUTER = "m"
    N_OUTER = "n"


@dataclass(frozen=True, slots=True)
class RowTile:
    """A tile of rows of the left matrix.

    Attributes
    ----------
    m : int
        Rows: output positions.
    inputs : int
        Distinct input elements per channel (per column of the left matrix for a plain product).
    """

    m: int
    inputs: int


@dataclass(frozen=True, slots=True)
class Tiling:
    """Dataflow, order and tile sizes of one product.

    Attributes
    ----------
    dataflow : Dataflow
        One of the three.
    order : Order
        Outer tile loop.
    height : int
        Rows of the left matrix per tile; for a convolution, rows of the outermost output axis.
    k, n : int
        Tile sizes; `k` is a multiple of the kernel positions.
    images : int
        Whole samples per tile; above 1 only where `height` is all there is.
    """

    dataflow: Dataflow
    order: Order
    height: int
    k: int
    n: int
    images: int = 1

    def __str__(self) -> str:
        sizes_text = f"{self.images * self.height}x{self.k}x{self.n}"
        return f"{self.dataflow.value} {self.order.value}-outer tile {sizes_text}"


@dataclass(frozen=True, slots=True)
class Epilogue:
    """What happens to each element of a product on its way in and out, beside the product itself.

    Attributes
    ----------
    output_bits : int
        Bits written back per element.
    posts : int
        Vector operations per element, done as outputs leave.
    column_bits : int
        Bits of parameters per column (bias, folded scales), loaded together with the weights.
    addend_bits : int
        Bits per element of an addend that is loaded for every output tile.
    reload : bool
        Whether the weights of a repeated product cannot stay, because another one takes their place.
    input_bits, weight_bits : int
        Bits of an element in DRAM; 0: as wide as the array's operands.
    """

    output_bits: int
    posts: int = 0
    column_bits: int = 0
    addend_bits: int = 0
    reload: bool = False
    input_bits: int = 0
    weight_bits: int = 0


def kernel_positions(product: MatrixProduct) -> int:
    """Return how many columns of the left matrix share one channel."""
    return math.prod(product.window.kernel) if product.window else 1


def height_of(product: MatrixProduct) -> int:
    """Return how many rows a tile can have at most: output rows of an image, or rows of the matrix."""
    return product.window.output_size[0] if product.window else product.m


def batch_of(product: MatrixProduct) -> int:
    """Return the samples of a convolution, whose rows a tile does not mix unless it holds whole ones."""
    return product.window.batch if product.window else 1


def merged(product: MatrixProduct) -> MatrixProduct:
    """Return products that share their right matrix as one product with more rows."""
    if not product.right_shared:
        return product
    return replace(product, groups=1, m=product.groups * product.m, right_shared=False)


def row_tiles(product: MatrixProduct, height: int, images: int = 1) -> tuple[Segment, ...]:
    """Return the row tiles in order, equal neighbours as one segment with a count.

    Tiles of a single image repeat for every sample; tiles of several whole images cover the batch.

    Tiles of a convolution overlap in the input by the halo of the kernel; those at the border of the image
    look at fewer rows.
    """
    window = product.window
    if images > 1:
        ((whole, _),) = row_tiles(product, height)
        return tuple(
            (RowTile(whole.m * size, whole.inputs * size), count)
            for size, count in sizes(batch_of(product), images)
        )
    if window is None:
        return tuple((RowTile(size, size), count) for size, count in sizes(product.m, height))
    outputs = window.output_size[0]
    width_out = math.prod(window.output_size[1:])
    width_in = math.prod(
        _covered(window, axis, 0, size) for axis, size in enumerate(window.output_size) if axis
    )
    count = -(-outputs // height)
    below = min(count, -(-window.pads[0] // (window.strides[0] * height)))
    beyond = min(count, max(1, count - _first_clipped(window, height)))
    inside = max(0, count - below - beyond)
    segments: list[Segment] = []
    for index in (*range(below), *((below,) if inside else ()), *range(max(below, count - beyond), count)):
        first = index * height
        last = min(first + height, outputs)
        tile = RowTile((last - first) * width_out, _covered(window, 0, first, last) * width_in)
        many = inside if inside and index == below else 1
        if segments and segments[-1][0] == tile:
            segments[-1] = (tile, segments[-1][1] + many)
        else:
            segments.append((tile, many))
    return tuple(segments)


def _first_clipped(window: Window, height: int) -> int:
    """Return the first row tile whose last window reaches beyond the image."""
    reach = (window.kernel[0] - 1) * window.dilations[0] + 1
    rows = (window.input_size[0] - reach + window.pads[0]) // window.strides[0] + 1
    return max(0, rows) // height


def _covered(window: Window, axis: int, first: int, last: int) -> int:
    """Return the input positions from the first to the last that outputs [first, last) of an axis look at."""
    stride, pad = window.strides[axis], window.pads[axis]
    reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1
    low = max(first * stride - pad, 0)
    high = min((last - 1) * stride - pad + reach, window.input_size[axis])
    return max(high - low, 0)


def sizes(total: int, tile: int) -> tuple[tuple[int, int], ...]:
    """Return (size, count) of the tiles of one dimension: the full ones, then the rest."""
    full, rest = divmod(total, tile)
    return tuple((size, count) for size, count in ((tile, full), (rest, 1)) if size and count)


class TileOrder:
    """Writes the tiles of a product in the order of a tiling, as a stream.

    A tile loads (input bits, weight bits), works for array cycles, and stores (bits, vector operations).

    Parameters
    ----------
    product : MatrixProduct
        What is computed; one group and one step of it.
    tiling : Tiling
        How.
    design : SystolicDesign
        Array size, word sizes.
    epilogue : Epilogue
        What is loaded, computed and stored besides.
    measure, nothing : callable, Any
        What the stream adds up over its slots, see `hwsim.trace.stream.one_tile`.
    """

    def __init__(
        self,
        product: MatrixProduct,
        tiling: Tiling,
        design: SystolicDesign,
        epilogue: Epilogue,
        measure: Measure,
        nothing: Any,
    ) -> None:
        self._measure, self._nothing = measure, nothing
        self._made: dict[tuple[object, ...], TileStream] = {}
        self._tiling, self._design, self._epilogue = tiling, design, epilogue
        self._positions = kernel_positions(product)
        self._rows = row_tiles(product, tiling.height, tiling.images)
        self._images = batch_of(product) if tiling.images == 1 else 1
        self._ks, self._ns = sizes(product.k, tiling.k), sizes(product.n, tiling.n)
        self._whole_k = product.k <= tiling.k
        self._one_n = product.n <= tiling.n
        self._one_m = sum(count for _, count in self._rows) * self._images == 1

    @property
    def weights_stay(self) -> bool:
        """Whether the whole right matrix is one tile, so that it can stay for the next step."""
        return self._whole_k and self._one_n

    def stream(self, weights_loaded: bool = False) -> TileStream:
        """Return all tiles in order; with `weights_loaded` a resident right matrix is not fetched again."""
        if self._tiling.order is Order.M_OUTER:
            return self._m_outer(weights_loaded and self.weights_stay)
        return self._n_outer(weights_loaded and self.weights_stay)

    def _m_outer(self, loaded: bool) -> TileStream:
        keep = self.weights_stay
        later = partial(self._along_n, first_weights=not keep)
        if not keep or loaded:
            return self._each(self._rows, later).times(self._images)
        head, rest = self._split_first()
        first = self._along_n(head, first_weights=True).then(self._each(rest, later))
        if self._images == 1:
            return first
        return first.then(self._each(self._rows, later).times(self._images - 1))

    def _split_first(self) -> tuple[RowTile, list[Segment]]:
        (head, count), *others = self._rows
        return head, [(head, count - 1), *others]

    def _along_n(self, tile: RowTile, first_weights: bool) -> TileStream:
        """All columns of one row tile: its inputs are loaded once if they are one tile deep."""
        (head, count), *others = self._ns
        first = self._along_k(tile, head, True, first_weights)
        later = partial(self._along_k, tile, inputs=not self._whole_k, weights=True)
        return first.then(self._each([(head, count - 1), *others], later))

    def _n_outer(self, loaded: bool) -> TileStream:
        (head, count), *others = self._ns
        first = self._along_m(head, True, not loaded)
        later = partial(self._along_m, first_inputs=not self._one_m, weights=not loaded)
        return first.then(self._each([(head, count - 1), *others], later))

    def _along_m(self, n: int, first_inputs: bool, weights: bool) -> TileStream:
        """All rows of one column tile: its weights are loaded once if they are one tile deep."""
        head, rest = self._split_first()
        first = self._along_k(head, n, first_inputs or not self._whole_k, weights or not self._whole_k)
        later = partial(self._along_k, n=n, inputs=True, weights=not self._whole_k)
        result = first.then(self._each(rest, later))
        if self._images == 1:
            return result
        return result.then(self._each(self._rows, later).times(self._images - 1))

    def _each(self, parts: Iterable[tuple[Part, int]], make: Callable[[Part], TileStream]) -> TileStream:
        """Return what `make` gives of all parts in turn, each as often as it occurs."""
        result = self._empty()
        for part, count in parts:
            if count:
                result = result.then(make(part).times(count))
        return result

    def _along_k(self, tile: RowTile, n: int, inputs: bool, weights: bool) -> TileStream:
        """One output tile: partial sums stay in the accumulators until the last tile along k."""
        key = (tile, n, inputs, weights)
        if key not in self._made:
            self._made[key] = self._make_along_k(tile, n, inputs, weights)
        return self._made[key]

    def _make_along_k(self, tile: RowTile, n: int, inputs: bool, weights: bool) -> TileStream:
        count = sum(count for _, count in self._ks)
        first_k, last_k = self._ks[0][0], self._ks[-1][0]
        if count == 1:
            return self._tile(tile, first_k, n, (inputs, weights), (True, True))
        result = self._tile(tile, first_k, n, (inputs, weights), (True, False))
        for place, (k, many) in enumerate(self._ks):
            inner = many - (place == 0) - (place == len(self._ks) - 1)
            if inner:
                result = result.then(self._tile(tile, k, n, (inputs, weights), (False, False)).times(inner))
        return result.then(self._tile(tile, last_k, n, (inputs, weights), (False, True)))

    def _tile(
        self, tile: RowTile, k: int, n: int, loaded: tuple[bool, bool], ends: tuple[bool, bool]
    ) -> TileStream:
        """One tile; `loaded`: are inputs, weights fetched; `ends`: is it the first, the last along k."""
        design, epilogue = self._design, self._epilogue
        elements = tile.m * n
        inputs = (
            loaded[0] * tile.inputs * (k // self._positions) * (epilogue.input_bits or design.operand_bits)
        )
        per_weight = epilogue.weight_bits or design.operand_bits
        weights = loaded[1] * (k * n * per_weight + ends[0] * n * epilogue.column_bits)
        work = tile_cycles(
            self._tiling.dataflow, tile.m, k, n, design.array_rows, design.array_cols, design.fold_model
        )
        store = (elements * epilogue.output_bits, elements * epilogue.posts) if ends[1] else (0, 0)
        load = (inputs + ends[0] * elements * epilogue.addend_bits, weights)
        return one_tile((load, work, store), self._measure, self._nothing)

    def _empty(self) -> TileStream:
        return Stream(0, (), (), self._nothing, self._measure)
