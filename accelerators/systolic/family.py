"""Many arrays lowered together: tilings chosen in compiled code, trip counts and bits as columns.

The search is the one of `search.py` in another form; tests compare both on every objective, dataflow and
model of folds. Designs that 64 bits do not serve, or whose scratchpads are too small, are left out, and the
one-by-one path says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.systolic.datasheet import datasheet
from accelerators.systolic.design import Dataflow, FoldModel, MemoryModel, Objective, SystolicDesign
from accelerators.systolic.folds import Words
from accelerators.systolic.fusion import Group, groups_of
from accelerators.systolic.lower import LARGEST, lower_group, nameless
from accelerators.systolic.space import DATAFLOWS, Floats, Ints, halvings, row_sizes, row_statistics
from accelerators.systolic.tiles import Epilogue, batch_of, height_of, kernel_positions, row_tiles
from accelerators.systolic.vector import MOST_TILES
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.types import Graph
from hwsim.model.sheets import knob_columns
from hwsim.model.types import FamilyProgram
from hwsim.trace import LoopKind, TraceBuilder
from hwsim.trace.merge import Merged

KNOBS = (
    "array_rows", "array_cols", "input_scratchpad_bytes", "weight_scratchpad_bytes",
    "output_scratchpad_bytes", "vector_lanes", "clock_hz", "dram_bits_per_s", "node_m", "supply_v",
)  # fmt: skip
OBJECTIVES = (Objective.CYCLES, Objective.ENERGY, Objective.PRODUCT, Objective.TRAFFIC)
FOLD_MODELS = (FoldModel.OVERLAPPED, FoldModel.SEQUENTIAL, FoldModel.SCALESIM)
MOST_SLOTS = 64
SAFE = 2**62


def lower_family(graph: Graph, designs: Sequence[SystolicDesign]) -> FamilyProgram:
    """Return the trace of `graph` on designs that differ in `KNOBS` only."""
    members = np.arange(len(designs))
    while members.size:
        mapper = Mappings([designs[member] for member in members.tolist()])
        build = TraceBuilder(int(members.size))
        layers = _different(graph, groups_of(graph, mapper.design.fuse_elementwise))
        for group, times in layers:
            lower_group(build, graph, group, mapper.design, mapper, times)
        if mapper.fits.all():
            trace = build.build()
            stands_for = {op.name: times for group, times in layers for op in (group.head, *group.fused)}
            of_node = np.array([stands_for[name] for name in trace.nodes], dtype=np.int64)
            return FamilyProgram(Merged(trace, of_node), members)
        members = members[mapper.fits]
    return FamilyProgram(Merged(TraceBuilder().build(), np.zeros(0, np.int64)), members)


def _different(graph: Graph, groups: list[Group]) -> list[tuple[Group, int]]:
    """Return groups that differ in more than names, with how many there are of each."""
    found: dict[object, tuple[Group, int]] = {}
    for group in groups:
        members = (group.head, *group.fused)
        names = list(dict.fromkeys(name for op in members for name in (*op.inputs, *op.outputs)))
        place = {name: index for index, name in enumerate(names)}
        content = (
            tuple(
                (
                    replace(op, name="", inputs=(), outputs=(), origin=""),
                    tuple(place[name] for name in op.inputs),
                    tuple(place[name] for name in op.outputs),
                )
                for op in members
            ),
            tuple(replace(graph.tensors[name], name="") if name else None for name in names),
        )
        first, times = found.get(repr(content), (group, 0))
        found[repr(content)] = (first, times + 1)
    return list(found.values())


class Mappings:
    """Maps products on every design of a family at once.

    Parameters
    ----------
    designs : sequence of SystolicDesign
        Designs that differ in `KNOBS` only.

    Attributes
    ----------
    design : SystolicDesign
        All of them as one, numbers that differ as columns.
    fits : bool[D]
        Designs for which every product so far was mapped.
    """

    def __init__(self, designs: Sequence[SystolicDesign]) -> None:
        self.design: Any = knob_columns(designs)
        self.fits = np.ones(len(designs), dtype=bool)
        self.columns, self.prices = _design_columns(designs), _price_columns(self.design, designs)
        self.vector_tiles = VectorMappings(self.design, self.columns, self.prices, self.fits)
        self._found: dict[object, MappedFamily] = {}

    def choose(self, product: MatrixProduct, epilogue: Epilogue) -> MappedFamily:
        """Return how `product` is mapped on each design."""
        reload = np.broadcast_to(np.asarray(epilogue.reload), self.fits.shape)
        plain = replace(epilogue, reload=False)
        key = (nameless(product), plain, reload.tobytes())
        if key not in self._found:
            self._found[key] = self._choose(product, plain, reload)
        return self._found[key]

    def _choose(self, product: MatrixProduct, epilogue: Epilogue, reload: Any) -> MappedFamily:
        from hwsim.kernels.tile_search import choose_tilings

        design, size = self.design, self.fits.size
        rows, segments = _row_choices(product)
        stall_free = design.memory_model is MemoryModel.STALL_FREE
        if stall_free:
            rows = rows[row_sizes(product).index((height_of(product), batch_of(product))) :][:1]
        flows = DATAFLOWS if design.dataflow is Dataflow.BEST else (design.dataflow,)
        columns = self.columns.copy()
        columns[:, 8] = reload
        found, words = np.zeros((size, 2), np.int64), np.zeros((size, 4), np.int64)
        counts = np.zeros((size, 2, MOST_SLOTS), np.int64)
        slots = np.zeros((size, 2, MOST_SLOTS, 5), np.int64)
        choose_tilings(
            _product_column(product, epilogue, design),
            rows,
            segments,
            np.array(halvings(product.k // kernel_positions(product)), dtype=np.int64),
            np.array(halvings(product.n), dtype=np.int64),
            np.array([DATAFLOWS.index(flow) for flow in flows], dtype=np.int64),
            (OBJECTIVES.index(design.objective), FOLD_MODELS.index(design.fold_model), int(stall_free)),
            columns,
            self.prices,
            found,
            words,
            counts,
            slots,
        )
        used = int(np.flatnonzero(counts.any(axis=(0, 1))).max(initial=-1)) + 1
        counts, slots = counts[:, :, :used].copy(), slots[:, :, :used].copy()
        around = columns[:, 0].astype(float) + columns[:, 1] + 2 * design.accumulator_bits
        self.fits &= (found[:, 1] == 1) & (product.macs * around <= LARGEST)
        moving = np.where(found[:, 0] == 0, 2, 1)
        return MappedFamily(
            passes=[
                SlotColumns(1, counts[:, 0], slots[:, 0]),
                *([SlotColumns(product.steps - 1, counts[:, 1], slots[:, 1])] if product.steps > 1 else []),
            ],
            words=Words(*words.T),
            register_bits=moving * design.operand_bits + design.accumulator_bits,
        )


@dataclass(frozen=True, slots=True)
class SlotColumns:
    """Slots of one pass, columns over designs: counts int64[D, W] and int64[D, W, 5] of what each does."""

    passes: int
    counts: Ints
    slots: Ints

    def write(self, build: TraceBuilder) -> None:
        """Write one loop per slot; a design without it runs it no times."""
        for place in np.flatnonzero(self.counts.any(axis=0)).tolist():
            inputs, weights, active, bits, posts = np.where(
                self.counts[:, place] > 0, self.slots[:, place].T, 0
            )
            with build.loop(self.counts[:, place]), build.loop(1, LoopKind.PAR):
                _write(build, "dram", "read", inputs + weights)
                if active.any():
                    build.event("array", "active", active)
                _write(build, "dram", "write", bits)
                if posts.any():
                    build.event("vector", "issue", posts)


def _write(build: TraceBuilder, unit: str, action: str, bits: Ints) -> None:
    if bits.any():
        build.event(unit, action, (bits > 0).astype(np.int64), bits=bits)


@dataclass(frozen=True, slots=True)
class MappedFamily:
    """How a product is mapped on each design; see `accelerators.systolic.lower.Mapping`."""

    passes: list[SlotColumns]
    words: Words
    register_bits: Ints

    @property
    def note(self) -> str:
        """What the report says about it."""
        return "chosen for each design"

    @property
    def loaded_bits(self) -> tuple[Ints, Ints]:
        """Bits of inputs and of weights that all tiles load."""
        loads = sum(
            one.passes * np.einsum("dw,dwi->di", one.counts, one.slots[:, :, :2]) for one in self.passes
        )
        return loads[:, 0], loads[:, 1]

    def write(self, build: TraceBuilder) -> None:
        """Write the slots of all passes."""
        for one in self.passes:
            with build.loop(one.passes):
                one.write(build)


class VectorMappings:
    """Cuts work of the vector unit into tiles, on every design at once.

    Parameters
    ----------
    design : SystolicDesign
        All designs as one.
    columns, prices : int64[D, 9], float64[D, 7]
        As `hwsim.kernels.tile_search` reads them.
    fits : bool[D]
        Cleared for designs that 64 bits do not serve.
    """

    def __init__(self, design: Any, columns: Ints, prices: Floats, fits: NDArray[np.bool_]) -> None:
        self._fewest_only = int(design.objective is Objective.TRAFFIC)
        self._columns, self._prices, self._fits = columns.copy(), prices, fits
        for place, name in ((5, "input_scratchpad_bytes"), (7, "output_scratchpad_bytes")):
            self._columns[:, place] = 4 * np.asarray(getattr(design, name))
        self._found: dict[tuple[int, int, int], SlotColumns] = {}

    def write(self, build: TraceBuilder, reads: int, operations: int, writes: int) -> None:
        """Write the slots for bits read, operations and bits written."""
        from hwsim.kernels.vector_tiles import choose_even_tiles

        key = (reads, operations, writes)
        if key not in self._found:
            size = self._fits.size
            found, counts = np.zeros(size, np.int64), np.zeros((size, MOST_SLOTS), np.int64)
            slots = np.zeros((size, MOST_SLOTS, 5), np.int64)
            choose_even_tiles(
                key, MOST_TILES, self._fewest_only, self._columns, self._prices, found, counts, slots
            )
            self._fits &= found == 1
            self._found[key] = SlotColumns(1, counts, slots)
        self._found[key].write(build)


def _design_columns(designs: Sequence[SystolicDesign]) -> Ints:
    """Return int64[D, 9] as `hwsim.kernels.tile_search` reads it."""
    rates = [_cycles_per_bit(design) for design in designs]
    exact = [max(rate.numerator, rate.denominator) < SAFE for rate in rates]
    return np.array(
        [
            (
                design.array_rows,
                design.array_cols,
                rate.numerator if fits else 0,
                rate.denominator if fits else 0,
                design.vector_lanes,
                8 * design.input_scratchpad_bytes // 2,
                8 * design.weight_scratchpad_bytes // 2,
                8 * design.output_scratchpad_bytes // 2,
                0,
            )
            for design, rate, fits in zip(designs, rates, exact, strict=True)
        ],
        dtype=np.int64,
    )


def _cycles_per_bit(design: SystolicDesign) -> Fraction:
    if design.memory_model is MemoryModel.STALL_FREE:
        return Fraction(0)
    return Fraction(repr(design.clock_hz)) / Fraction(repr(design.dram_bits_per_s))


def _price_columns(columns: Any, designs: Sequence[SystolicDesign]) -> Floats:
    """Return float64[D, 7]: cycles per DRAM bit, and joules as far as the objective looks at them."""
    prices = np.zeros((len(designs), 7))
    prices[:, 0] = [float(_cycles_per_bit(design)) for design in designs]
    if columns.objective in (Objective.CYCLES, Objective.TRAFFIC):
        return prices
    sheet = datasheet(columns)
    joules = {(row.unit, row.action): row.energy_per_bit for row in sheet.actions if row.energy_per_bit}
    for place, pair in enumerate(
        (
            ("dram", "read"),
            ("input_scratchpad", "read"),
            ("weight_scratchpad", "read"),
            ("output_scratchpad", "read"),
            ("array", "register"),
        )
    ):
        prices[:, 1 + place] = joules[pair].in_unit_of("_j_per_bit")
    leakage_w = sum(row.leakage.in_unit_of("_w") for row in sheet.units if row.leakage)
    prices[:, 6] = leakage_w / columns.clock_hz
    return prices


def _product_column(product: MatrixProduct, epilogue: Epilogue, design: SystolicDesign) -> Ints:
    """Return int64[15] as `hwsim.kernels.tile_orders` reads it."""
    sizes = (product.groups, product.m, product.k, product.n, product.steps)
    shape = (kernel_positions(product), batch_of(product))
    out = (epilogue.output_bits, epilogue.posts, epilogue.column_bits, epilogue.addend_bits)
    widths = (epilogue.input_bits, epilogue.weight_bits, design.operand_bits, design.accumulator_bits)
    return np.array([*sizes, *shape, *out, *widths], dtype=np.int64)


def _row_choices(product: MatrixProduct) -> tuple[Ints, Ints]:
    """Return int64[H, 11] and int64[., 3]: statistics of each height of row tiles, and the tiles."""
    rows: list[tuple[int, ...]] = []
    segments: list[tuple[int, int, int]] = []
    for height, images in row_sizes(product):
        tiles, full, last, inputs, least, first, most = row_statistics(product, height, images)
        start = len(segments)
        segments += [(tile.m, tile.inputs, count) for tile, count in row_tiles(product, height, images)]
        rows.append((height, images, tiles, full, last, inputs, first, most, least, start, len(segments)))
    return np.array(rows, dtype=np.int64), np.array(segments, dtype=np.int64)
