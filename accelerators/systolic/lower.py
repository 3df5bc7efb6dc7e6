"""Graph -> trace for the systolic array: one function per class of operator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

from accelerators.systolic.datasheet import datasheet
from accelerators.systolic.design import MemoryModel, Objective, SystolicDesign
from accelerators.systolic.folds import Words, register_bits, tile_words
from accelerators.systolic.fusion import Group, groups_of, parameter_bits, posts_of
from accelerators.systolic.search import Search
from accelerators.systolic.space import Rates
from accelerators.systolic.tiles import Epilogue, TileSlots, Tiling, batch_of, merged, row_tiles, sizes
from accelerators.systolic.vector import (
    TilesOfVectors,
    VectorTiles,
    lower_movement,
    lower_vector,
    write_primitives,
    write_slot,
)
from hwsim.errors import InputError, Problem, TooLong
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import Graph, Op
from hwsim.trace import Trace, TraceBuilder
from hwsim.trace.stream import write_slots

LARGEST = 2**62


def lower(graph: Graph, design: SystolicDesign) -> Trace:
    """Return the trace of `graph` on `design`, operator after operator.

    Raises
    ------
    InputError
        With every operator that does not fit the scratchpads or is too large to count.
    """
    build, chooser = TraceBuilder(), Chooser(design)
    problems: list[Problem] = []
    for group in groups_of(graph, design.fuse_elementwise):
        try:
            lower_group(build, graph, group, design, chooser)
        except InputError as error:
            problems += [Problem(f"{graph.name}.{group.head.name}", p.reason, p.hint) for p in error.problems]
    if problems:
        raise InputError(problems=problems)
    return build.build()


def supports(graph: Graph, op: Op) -> str:
    """Return why the array cannot run `op`, or "" if it can."""
    if work_of(graph, op).macs and not matrix_products(graph, op):
        return f"{op.kind} {op.attributes.get('equation', '')} is no sum of matrix products"
    return ""


class Mapping(Protocol):
    """How a product is mapped, on one design or on a family: numbers may be columns over designs."""

    @property
    def note(self) -> str:
        """What the report says about it."""

    @property
    def loaded_bits(self) -> tuple[Any, Any]:
        """Bits of inputs and of weights that all tiles load."""

    @property
    def words(self) -> Words:
        """Scratchpad words of all tiles, results not yet drained."""

    @property
    def register_bits(self) -> Any:
        """Register bits that one MAC writes."""

    def write(self, build: TraceBuilder) -> None:
        """Write the slots of all passes."""


class Mapper(Protocol):
    """Maps products and the work of the vector unit."""

    @property
    def vector_tiles(self) -> TilesOfVectors:
        """Tiles of what is no matrix product."""

    def choose(self, product: MatrixProduct, epilogue: Epilogue) -> Mapping:
        """Return how `product` is mapped."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A product's tiling, the slots of each pass with the number of passes, and its scratchpad words."""

    tiling: Tiling
    passes: list[tuple[TileSlots, int]]
    words: Words
    register_bits: int

    @property
    def note(self) -> str:
        """What the report says about it."""
        return str(self.tiling)

    @property
    def loaded_bits(self) -> tuple[int, int]:
        """Bits of inputs and of weights that all tiles load."""
        loads = [(load, passes * count) for slots, passes in self.passes
                 for (load, _, _), count in slots.counts.items()]  # fmt: skip
        return sum(load[0] * count for load, count in loads), sum(load[1] * count for load, count in loads)

    def write(self, build: TraceBuilder) -> None:
        """Write the slots of all passes."""
        for slots, passes in self.passes:
            with build.loop(passes):
                write_slots(build, slots, lambda load, active, store: write_slot(build, load, active, store))


class Chooser:
    """Chooses the tiling of each product, once per different product."""

    def __init__(self, design: SystolicDesign) -> None:
        self._design = design
        self._rates = _rates(design)
        self.vector_tiles = VectorTiles(design, self._rates)
        self._found: dict[tuple[MatrixProduct, Epilogue], Mapped] = {}

    def choose(self, product: MatrixProduct, epilogue: Epilogue) -> Mapped:
        """Return how `product` is mapped."""
        key = (nameless(product), epilogue)
        if key not in self._found:
            words = self._design.array_rows + self._design.array_cols + 2 * self._design.accumulator_bits
            if product.macs * words > LARGEST:
                raise TooLong(
                    f"{product.macs} MACs on this array are too many: their events do not fit into 64 bits"
                )
            search = Search(product, self._design, self._rates, epilogue)
            tiling = search.best()
            self._found[key] = Mapped(
                tiling,
                search.slots(tiling),
                product_words(product, tiling, self._design),
                register_bits(tiling.dataflow, self._design),
            )
        return self._found[key]


def nameless(product: MatrixProduct) -> MatrixProduct:
    """Return `product` without names: what equal layers have in common."""
    return replace(product, left="", right="", out="", label="")


def _rates(design: SystolicDesign) -> Rates:
    endless = design.memory_model is MemoryModel.STALL_FREE
    clock, bandwidth = Fraction(repr(design.clock_hz)), Fraction(repr(design.dram_bits_per_s))
    per_bit = Fraction(0) if endless else clock / bandwidth
    if design.objective in (Objective.CYCLES, Objective.TRAFFIC):
        return Rates(per_bit, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    sheet = datasheet(design)
    joules = {
        (row.unit, row.action): row.energy_per_bit.in_unit_of("_j_per_bit")
        for row in sheet.actions
        if row.energy_per_bit
    }
    leakage_w = sum(row.leakage.in_unit_of("_w") for row in sheet.units if row.leakage)
    return Rates(
        per_bit,
        joules["dram", "read"],
        joules["input_scratchpad", "read"],
        joules["weight_scratchpad", "read"],
        joules["output_scratchpad", "read"],
        joules["array", "register"],
        leakage_w / design.clock_hz,
    )


def lower_group(
    build: TraceBuilder, graph: Graph, group: Group, design: SystolicDesign, chooser: Mapper, times: int = 1
) -> None:
    """Write an operator and what is fused into it, `times` times."""
    op = group.head
    build.node(op.name)
    category = op_kind(op.kind).category
    if category is Category.MOVEMENT:
        lower_movement(build, graph, op, chooser.vector_tiles, times)
        return
    for fused in group.fused:
        build.note(fused.name, "fused_into", op.name)
    products = tuple(merged(product) for product in matrix_products(graph, op))
    if category is Category.VECTOR or not products:
        lower_vector(build, graph, group, chooser.vector_tiles, times)
        return
    with build.loop(times, node=op.name):
        for member in (op, *group.fused):
            write_primitives(build, graph, member)
        epilogues = (
            _recurrent_epilogues(graph, op, products, design)
            if category is Category.RECURRENT
            else [epilogue_of(graph, group, product, design) for product in products]
        )
        for product, epilogue in zip(products, epilogues, strict=True):
            _lower_product(build, op, product, epilogue, design, chooser)
        if category is Category.RECURRENT:
            steps = max(product.steps for product in products)
            with build.loop(steps):
                build.event("vector", "issue", -(-work_of(graph, op).vector_operations // steps))


def epilogue_of(graph: Graph, group: Group, product: MatrixProduct, design: SystolicDesign) -> Epilogue:
    """Return what `group` adds to its product: parameters, vector operations, output width."""
    small = parameter_bits(graph, group, beyond=2)
    out = graph.tensors[group.last.outputs[0]]
    # A transposed convolution whose stride exceeds its kernel writes zeros between its products.
    spread = group.head.kind == "transposed_convolution"
    return Epilogue(
        output_bits=max(
            out.format.bits, -(-out.bits // (product.groups * product.m * product.n)) if spread else 0
        ),
        posts=posts_of(graph, group),
        column_bits=-(-small // (product.groups * product.n)),
        input_bits=graph.tensors[product.left].format.bits,
        weight_bits=graph.tensors[product.right].format.bits,
    )


def _recurrent_epilogues(
    graph: Graph, op: Op, products: tuple[MatrixProduct, ...], design: SystolicDesign
) -> list[Epilogue]:
    """Projections are written back; each step then reads its part again and writes the new state only."""
    small = parameter_bits(graph, Group(op), beyond=3)
    projections = [product for product in products if product.steps == 1 and "projection" in product.label]
    columns = sum(product.n for product in projections) or 1
    gates = max(1, projections[0].n // op.int("hidden_size")) if projections else 1
    plain = Epilogue(design.operand_bits, column_bits=-(-small // columns))
    # Two recurrent products of a step take turns; their weights stay only if both fit together.
    repeated = sum(product.k * product.n for product in products if product.steps > 1)
    turns = sum(product.steps > 1 for product in products) > (2 if len(projections) > 1 else 1)
    reload = turns and repeated * design.operand_bits > 4 * design.weight_scratchpad_bytes
    step = Epilogue(-(-design.operand_bits // gates), addend_bits=design.operand_bits, reload=reload)
    return [plain if product in projections else step for product in products]


def _lower_product(
    build: TraceBuilder,
    op: Op,
    product: MatrixProduct,
    epilogue: Epilogue,
    design: SystolicDesign,
    chooser: Mapper,
) -> None:
    mapped = chooser.choose(product, epilogue)
    words, loaded = mapped.words, mapped.loaded_bits
    mapped.write(build)
    build.event("array", "mac", product.macs)
    build.event("array", "register", product.macs, bits=mapped.register_bits)
    drained = product.groups * product.steps * product.m * product.n
    for unit, action, count, bits in (
        ("input_scratchpad", "write", 1, loaded[0]),
        ("input_scratchpad", "read", words.input_reads, design.operand_bits),
        ("weight_scratchpad", "write", 1, loaded[1]),
        ("weight_scratchpad", "read", words.weight_reads, design.operand_bits),
        ("output_scratchpad", "write", words.output_writes, design.accumulator_bits),
        ("output_scratchpad", "read", words.output_reads + drained, design.accumulator_bits),
    ):
        build.event(unit, action, count, bits=bits)
    build.note(op.name, "mapping", mapped.note)


def product_words(product: MatrixProduct, tiling: Tiling, design: SystolicDesign) -> Words:
    """Return the scratchpad words of all tiles, groups and steps, results not yet drained."""
    total = [0, 0, 0, 0]
    images = batch_of(product) if tiling.images == 1 else 1
    repeats, depths = product.groups * product.steps, sizes(product.k, tiling.k)
    for tile, tall in row_tiles(product, tiling.height, tiling.images):
        for width, wide in sizes(product.n, tiling.n):
            for place, (depth, deep) in enumerate(depths):
                words = tile_words(
                    tiling.dataflow, tile.m, depth, width, design.array_rows, design.array_cols, later=False
                )
                count = repeats * images * tall * wide * deep
                later = repeats * images * tall * wide * (deep - (place == 0))
                total[0] += count * words.input_reads
                total[1] += count * words.weight_reads
                total[2] += count * words.output_writes
                total[3] += count * words.output_reads + later * tile.m * width
    return Words(*total)
