"""Everything that is no matrix product: elementwise operators, normalizations, pooling, data movement."""

from __future__ import annotations

from typing import Any, Protocol

from accelerators.systolic.design import Objective, SystolicDesign
from accelerators.systolic.fusion import Group
from accelerators.systolic.space import Rates, SlotClock
from accelerators.systolic.tiles import IDLE, Measure, TileSlots, TileStream
from hwsim.errors import InputError
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph, Op, Role
from hwsim.trace import TraceBuilder
from hwsim.trace.stream import Slots, Stream, one_tile, write_slots

LARGEST = 2**56
MOST_TILES = 1024


def write_primitives(build: TraceBuilder, graph: Graph, op: Op) -> None:
    """Write the elementary operations of `op` as events that take the time of their issue slots."""
    for name, count in work_of(graph, op).primitives.items():
        build.event("vector", name, count, node=op.name)


class TilesOfVectors(Protocol):
    """Writes the slots of work that is no matrix product: of one design, or of a family."""

    def write(self, build: TraceBuilder, reads: int, operations: int, writes: int) -> None:
        """Write the slots for bits read, operations and bits written."""


def lower_vector(
    build: TraceBuilder, graph: Graph, group: Group, tiles: TilesOfVectors, times: int = 1
) -> None:
    """Write a group of the vector unit: read every operand once, compute, write the last results once."""
    reads, operations, writes = vector_totals(graph, group)
    with build.loop(times, node=group.head.name):
        for member in (group.head, *group.fused):
            write_primitives(build, graph, member)
        _write_tiles(build, tiles, reads, operations, writes)


def vector_totals(graph: Graph, group: Group) -> tuple[int, int, int]:
    """Return bits read, vector operations and bits written by a group of elementwise operators."""
    members = (group.head, *group.fused)
    made = {name for member in members for name in member.outputs}
    read = dict.fromkeys(name for member in members for name in member.inputs if name and name not in made)
    operations = sum(work_of(graph, member).vector_operations for member in members)
    return (
        sum(graph.tensors[name].bits for name in read),
        operations,
        sum(graph.tensors[name].bits for name in group.last.outputs if name),
    )


def lower_movement(build: TraceBuilder, graph: Graph, op: Op, tiles: TilesOfVectors, times: int = 1) -> None:
    """Write a data movement: what passes through is read and written once; an alias moves nothing."""
    if op_kind(op.kind).aliases or (op.kind == "offload" and not op.int("moves")):
        build.note(op.name, "mapping", "no data moves")
        return
    writes = sum(graph.tensors[name].bits for name in op.outputs if name)
    reads = writes + sum(
        graph.tensors[name].bits
        for name in op.inputs[1:]
        if name and graph.tensors[name].role in (Role.INPUT, Role.CONSTANT)
    )
    if op.kind == "offload":
        reads = sum(graph.tensors[name].bits for name in dict.fromkeys(op.inputs))
    operations = work_of(graph, op).vector_operations
    with build.loop(times, node=op.name):
        write_primitives(build, graph, op)
        _write_tiles(build, tiles, reads, operations, writes)


class VectorTiles:
    """Cuts work of the vector unit into even tiles, so many that loads, work and stores overlap best.

    The space: powers of four, so far as a tile fits half of its scratchpads. More tiles overlap more and
    round up more often; the fewest of the fastest are taken, or for the objective ``traffic``, which looks
    at no times, the fewest.

    Parameters
    ----------
    design : SystolicDesign
        Scratchpads and lanes.
    rates : Rates
        DRAM bandwidth.
    """

    def __init__(self, design: SystolicDesign, rates: Rates) -> None:
        self._design, self._clock = design, SlotClock(rates, design.vector_lanes)
        self._counts: dict[tuple[int, int, int], int] = {}

    def count(self, reads: int, operations: int, writes: int) -> int:
        """Return the number of tiles for bits read, operations and bits written."""
        key = (reads, operations, writes)
        if key not in self._counts:
            self._counts[key] = self._choose(*key)
        return self._counts[key]

    def slots(self, reads: int, operations: int, writes: int) -> TileSlots:
        """Return the slots of the chosen tiles; the first tiles take what is left over."""
        found: TileSlots = self._total(
            self.count(reads, operations, writes), (reads, operations, writes), Slots.one, Slots({})
        )
        return found

    def write(self, build: TraceBuilder, reads: int, operations: int, writes: int) -> None:
        """Write the slots of the chosen tiles."""
        slots = self.slots(reads, operations, writes)
        write_slots(build, slots, lambda load, active, store: write_slot(build, load, active, store))

    def _choose(self, reads: int, operations: int, writes: int) -> int:
        design = self._design
        read_room, write_room = 4 * design.input_scratchpad_bytes, 4 * design.output_scratchpad_bytes
        least = max(1, -(-reads // read_room), -(-writes // write_room))
        fewest = 1
        while fewest < least:
            fewest *= 4
        if design.objective is Objective.TRAFFIC:
            return fewest
        counts = [fewest]
        while counts[-1] < MOST_TILES:
            counts.append(counts[-1] * 4)
        return min(counts, key=lambda n: (self._total(n, (reads, operations, writes), self._clock, 0), n))

    def _total(self, count: int, totals: tuple[int, int, int], measure: Measure, nothing: Any) -> Any:
        parts = [divmod(total, count) for total in totals]
        edges = sorted({rest for _, rest in parts} | {count})
        tiles: TileStream = Stream(0, (), (), nothing, measure)
        for start, end in zip([0, *edges], edges, strict=False):
            read, work, write = (share + (start < rest) for share, rest in parts)
            tile: TileStream = one_tile(((read, 0), 0, (write, work)), measure, nothing)
            tiles = tiles.then(tile.times(end - start))
        return tiles.whole(IDLE)


def _write_tiles(
    build: TraceBuilder, tiles: TilesOfVectors, reads: int, operations: int, writes: int
) -> None:
    if max(reads, operations, writes) > LARGEST:
        raise InputError(
            f"{max(reads, operations, writes)} bits or operations are too many to count in 64 bits"
        )
    tiles.write(build, reads, operations, writes)
    if reads:
        build.event("input_scratchpad", "write", 1, bits=reads)
        build.event("input_scratchpad", "read", 1, bits=reads)
    if writes:
        build.event("output_scratchpad", "write", 1, bits=writes)
        build.event("output_scratchpad", "read", 1, bits=writes)


def write_slot(build: TraceBuilder, load: tuple[int, int], active: int, store: tuple[int, int]) -> None:
    """Write what one slot does at once: DRAM, array, vector unit; parts without work are left out."""
    bits, posts = store
    if sum(load):
        build.event("dram", "read", 1, bits=sum(load))
    if active:
        build.event("array", "active", active)
    if bits:
        build.event("dram", "write", 1, bits=bits)
    if posts:
        build.event("vector", "issue", posts)
