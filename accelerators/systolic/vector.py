"""Everything that is no matrix product: elementwise operators, normalizations, pooling, data movement."""

from __future__ import annotations

from accelerators.systolic.design import SystolicDesign
from accelerators.systolic.fusion import Group
from accelerators.systolic.tiles import IDLE, TileSlots, TileStream
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph, Op, Role
from hwsim.trace import TraceBuilder
from hwsim.trace.stream import Slots, Stream, one_tile, write_slots


def write_primitives(build: TraceBuilder, graph: Graph, op: Op) -> None:
    """Write the elementary operations of `op` as events that take the time of their issue slots."""
    for name, count in work_of(graph, op).primitives.items():
        build.event("vector", name, count, node=op.name)


def lower_vector(build: TraceBuilder, graph: Graph, group: Group, design: SystolicDesign) -> None:
    """Write a group of the vector unit: read every operand once, compute, write the last results once."""
    reads, operations, writes = vector_totals(graph, group)
    with build.loop(1, node=group.head.name):
        for member in (group.head, *group.fused):
            write_primitives(build, graph, member)
        _write_tiles(build, design, reads, operations, writes)


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


def lower_movement(build: TraceBuilder, graph: Graph, op: Op, design: SystolicDesign) -> None:
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
    with build.loop(1, node=op.name):
        write_primitives(build, graph, op)
        _write_tiles(build, design, reads, operations, writes)


def _write_tiles(
    build: TraceBuilder, design: SystolicDesign, reads: int, operations: int, writes: int
) -> None:
    """Cut the work into even tiles that fit the scratchpads; the first ones take what is left over."""
    count = tile_count(reads, writes, design)
    parts = [divmod(total, count) for total in (reads, operations, writes)]
    edges = sorted({rest for _, rest in parts} | {count})
    nothing: TileSlots = Slots({})
    tiles: TileStream = Stream(0, (), (), nothing, Slots.one)
    for start, end in zip([0, *edges], edges, strict=False):
        read, work, write = (share + (start < rest) for share, rest in parts)
        tile: TileStream = one_tile(((read, 0), 0, (write, work)), Slots.one, nothing)
        tiles = tiles.then(tile.times(end - start))
    slots = tiles.whole(IDLE)
    write_slots(build, slots, lambda load, active, store: write_slot(build, load, active, store))
    if reads:
        build.event("input_scratchpad", "write", 1, bits=reads)
        build.event("input_scratchpad", "read", 1, bits=reads)
    if writes:
        build.event("output_scratchpad", "write", 1, bits=writes)
        build.event("output_scratchpad", "read", 1, bits=writes)


def tile_count(reads: int, writes: int, design: SystolicDesign) -> int:
    """Return the fewest tiles into which reads and writes, spread evenly, fit half of their scratchpads."""
    read_room, write_room = 8 * design.input_scratchpad_bytes // 2, 8 * design.output_scratchpad_bytes // 2
    return max(1, -(-reads // read_room), -(-writes // write_room))


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
