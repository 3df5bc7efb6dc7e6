"""Random matrix products and designs, and the oracle that walks a tiling tile by tile."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

from hypothesis import strategies as st

from accelerators.systolic.design import Dataflow, FoldModel, MemoryModel, Objective, SystolicDesign
from accelerators.systolic.folds import tile_cycles
from accelerators.systolic.tiles import Epilogue, Order, Tiling, batch_of, height_of, kernel_positions
from hwsim.graph.contraction import MatrixProduct, Window
from hwsim.trace.stream import Tile

FLOWS = (Dataflow.OUTPUT_STATIONARY, Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY)
Range = tuple[int, int]

epilogues = st.builds(Epilogue, st.integers(1, 32), st.integers(0, 3), st.integers(0, 40), st.integers(0, 16))
plain_epilogues = st.builds(
    Epilogue, st.sampled_from((8, 16, 32)), st.integers(0, 2), st.sampled_from((0, 32))
)


def product_of(
    groups: int, m: int, k: int, n: int, steps: int = 1, window: Window | None = None
) -> MatrixProduct:
    return MatrixProduct(
        groups=groups,
        m=m,
        k=k,
        n=n,
        steps=steps,
        left="x",
        right="w",
        out="y",
        right_is_weight=True,
        right_shared=False,
        left_elements=groups * m * k,
        window=window,
        label="product",
    )


@st.composite
def plain_products(draw: st.DrawFn, largest: int = 12) -> MatrixProduct:
    size = st.integers(1, largest)
    return product_of(draw(st.integers(1, 3)), draw(size), draw(size), draw(size), draw(st.integers(1, 3)))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Any geometry with an output: rank 1 to 3, uneven pads, strides beyond the kernel, dilation."""
    rank = draw(st.integers(1, 3))
    axes = []
    for axis in range(rank):
        kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        reach = (kernel - 1) * dilation + 1
        start, end = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        size = draw(st.integers(max(1, reach - start - end), reach + (8 if axis == 0 else 2)))
        stride = draw(st.integers(1, 5))
        axes.append((size, (size + start + end - reach) // stride + 1, kernel, stride, start, end, dilation))
    sizes, outputs, kernels, strides, starts, ends, dilations = zip(*axes, strict=True)
    return Window(
        sizes,
        outputs,
        kernels,
        strides,
        (*starts, *ends),
        dilations,
        draw(st.integers(1, 4)),
        draw(st.integers(1, 3)),
    )


@st.composite
def convolutions(draw: st.DrawFn) -> MatrixProduct:
    window = draw(windows())
    return product_of(
        draw(st.integers(1, 2)),
        window.batch * math.prod(window.output_size),
        window.channels * math.prod(window.kernel),
        draw(st.integers(1, 6)),
        1,
        window,
    )


products = st.one_of(plain_products(), convolutions())


@st.composite
def designs(draw: st.DrawFn, objective: Objective | None = None) -> SystolicDesign:
    return SystolicDesign(
        array_rows=draw(st.integers(1, 6)),
        array_cols=draw(st.integers(1, 6)),
        operand_bits=draw(st.sampled_from((4, 8, 16))),
        dataflow=draw(st.sampled_from(Dataflow)),
        objective=objective or draw(st.sampled_from(Objective)),
        fold_model=draw(st.sampled_from(FoldModel)),
        memory_model=draw(st.sampled_from((*[MemoryModel.DOUBLE_BUFFERED] * 4, MemoryModel.STALL_FREE))),
        input_scratchpad_bytes=draw(st.sampled_from((1024, 2048, 8192))),
        weight_scratchpad_bytes=draw(st.sampled_from((256, 512, 4096))),
        output_scratchpad_bytes=draw(st.sampled_from((1024, 2048, 8192))),
        vector_lanes=draw(st.integers(1, 4)),
        clock_hz=1e9,
        dram_bits_per_s=draw(st.sampled_from((3.3e9, 7e9, 16e9, 64e9, 1e12))),
    )


@st.composite
def tilings(draw: st.DrawFn, product: MatrixProduct) -> Tiling:
    """Any tile sizes at all, whether they fit a scratchpad or not."""
    positions, whole = kernel_positions(product), height_of(product)
    images = draw(st.integers(1, batch_of(product)))
    return Tiling(
        draw(st.sampled_from(FLOWS)),
        draw(st.sampled_from(Order)),
        whole if images > 1 else draw(st.integers(1, whole)),
        positions * draw(st.integers(1, product.k // positions)),
        draw(st.integers(1, product.n)),
        images,
    )


def cuts(total: int, tile: int) -> list[Range]:
    return [(low, min(low + tile, total)) for low in range(0, total, tile)]


def looked_at(window: Window, rows: Range) -> int:
    """Input positions in the box around all taps of some output rows, counted one by one."""
    ranges = [range(*rows), *(range(size) for size in window.output_size[1:])]
    box = 1
    for axis, outputs in enumerate(ranges):
        taps = [
            o * window.strides[axis] + tap * window.dilations[axis] - window.pads[axis]
            for o in outputs
            for tap in range(window.kernel[axis])
        ]
        box *= sum(min(taps) <= position <= max(taps) for position in range(window.input_size[axis]))
    return box


def tile_places(
    product: MatrixProduct, tiling: Tiling
) -> Iterator[tuple[int, tuple[Range, Range], Range, Range]]:
    """Yield (group, (images, rows), columns, depth) in program order."""
    images = cuts(batch_of(product), tiling.images)
    rows = list(itertools.product(images, cuts(height_of(product), tiling.height)))
    columns, depths = cuts(product.n, tiling.n), cuts(product.k, tiling.k)
    for group in range(product.groups):
        if tiling.order is Order.M_OUTER:
            yield from ((group, row, column, depth) for row in rows for column in columns for depth in depths)
        else:
            yield from ((group, row, column, depth) for column in columns for row in rows for depth in depths)


def walk_tiles(
    product: MatrixProduct, tiling: Tiling, design: SystolicDesign, epilogue: Epilogue
) -> list[list[Tile[tuple[int, int], int, tuple[int, int]]]]:
    """Return the tiles of every step; an operand is loaded whenever it is not that of the tile before."""
    window, steps = product.window, []
    per_row = math.prod(window.output_size[1:]) if window else 1
    before: tuple[object, object] = (None, None)
    for step in range(product.steps):
        tiles = []
        for group, (images, rows), columns, depth in tile_places(product, tiling):
            left, right = (step, group, images, rows, depth), (group, columns, depth)
            many = images[1] - images[0]
            m, n, k = many * (rows[1] - rows[0]) * per_row, columns[1] - columns[0], depth[1] - depth[0]
            first, last = depth[0] == 0, depth[1] == product.k
            elements = many * looked_at(window, rows) if window else m
            channels = k // kernel_positions(product)
            inputs = elements * channels * design.operand_bits if left != before[0] else 0
            weights = (
                k * n * design.operand_bits + first * n * epilogue.column_bits if right != before[1] else 0
            )
            inputs += m * n * epilogue.addend_bits if first else 0
            cycles = tile_cycles(
                tiling.dataflow, m, k, n, design.array_rows, design.array_cols, design.fold_model
            )
            store = (m * n * epilogue.output_bits, m * n * epilogue.posts) if last else (0, 0)
            tiles.append(((inputs, weights), cycles, store))
            before = (left, right)
        steps.append(tiles)
    return steps


def slot_cycles(loads: tuple[int, int], work: int, stores: tuple[int, int], design: SystolicDesign) -> int:
    """Return the cycles of a slot from the definition: DRAM, array and vector unit at once."""
    rate = Fraction(repr(design.dram_bits_per_s)) / Fraction(repr(design.clock_hz))
    dram = 0
    if design.memory_model is MemoryModel.DOUBLE_BUFFERED:
        dram = math.ceil(sum(loads) / rate) + math.ceil(stores[0] / rate)
    return max(dram, work, math.ceil(Fraction(stores[1], design.vector_lanes)))


def walked_cycles(product: MatrixProduct, tiling: Tiling, design: SystolicDesign, epilogue: Epilogue) -> int:
    """Return the cycles of a tiling, slot by slot."""
    total = 0
    for tiles in walk_tiles(product, tiling, design, epilogue):
        idle: Tile[tuple[int, int], int, tuple[int, int]] = ((0, 0), 0, (0, 0))
        padded = [idle, idle, *tiles, idle, idle]
        total += sum(
            slot_cycles(padded[s][0], padded[s - 1][1], padded[s - 2][2], design)
            for s in range(2, len(padded))
        )
    return total


def walked_traffic(product: MatrixProduct, tiling: Tiling, design: SystolicDesign, epilogue: Epilogue) -> int:
    """Return the DRAM bits of a tiling, tile by tile."""
    return sum(
        sum(loads) + stores[0]
        for tiles in walk_tiles(product, tiling, design, epilogue)
        for loads, _, stores in tiles
    )
