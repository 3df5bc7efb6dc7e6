"""Graph -> trace for the racetrack memory: shifts as accesses cause them, reads and writes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelerators.racetrack_memory.design import Placement, RacetrackMemoryDesign, ShiftLatency
from accelerators.racetrack_memory.placement import Places, best_heuristic, place
from accelerators.racetrack_memory.shifts import Shifts, shifts_of_trace
from hwsim.errors import InputError, Problem
from hwsim.graph.offload import is_free
from hwsim.graph.ops import op_kind
from hwsim.graph.types import Graph, Op
from hwsim.trace import Trace, TraceBuilder

MOST_WORDS = 2**25
WORD_NAMES = "words"
_SHOWN_WORDS = 32


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an operator asks of the memory.

    Attributes
    ----------
    shifts : Shifts
        Of every access.
    reads, writes : int
        Accesses of each kind.
    note : str
        Where the words lie, in words.
    """

    shifts: Shifts
    reads: int
    writes: int
    note: str


def lower(graph: Graph, design: RacetrackMemoryDesign) -> Trace:
    """Return the trace of `graph`: every access shifts its tapes, then reads or writes, one after another.

    Raises
    ------
    InputError
        Every operator whose words do not fit or lie where no memory is.
    """
    build, problems = TraceBuilder(), []
    for op in graph.ops:
        build.node(op.name)
        if is_free(op):
            build.note(op.name, "mapping", "no data moves")
            continue
        try:
            traffic = traffic_of(graph, op, design)
        except InputError as error:
            problems += [
                Problem(f"{graph.name}.{op.name}", f"{p.where}: {p.reason}", p.hint) for p in error.problems
            ]
            continue
        with build.loop(1, node=op.name):
            _write(build, traffic, design)
        build.note(op.name, "mapping", traffic.note)
    if problems:
        raise InputError(problems=problems)
    return build.build()


def supports(graph: Graph, op: Op) -> str:
    """Return why the memory cannot run `op`, or "": it moves and makes words, and computes nothing."""
    if op.kind in ("memory_accesses", "transpose", "offload") or op_kind(op.kind).aliases or not op.inputs:
        return ""
    return f"a memory computes nothing; it takes memory_accesses and transpose, not {op.kind}"


def traffic_of(graph: Graph, op: Op, design: RacetrackMemoryDesign) -> Traffic:
    """Return shifts, reads and writes of one operator."""
    if op.kind == "memory_accesses":
        return _accesses(graph, op, design)
    if op.kind == "transpose":
        source = graph.tensors[op.inputs[0]]
        return _walked(
            transpose_program(source.shape, op.ints("permutation")), source.elements, source.elements, design
        )
    reads = sum(graph.tensors[name].elements for name in dict.fromkeys(op.inputs) if name)
    writes = sum(graph.tensors[name].elements for name in op.outputs if name)
    return _walked(copy_program(reads, writes), reads, writes, design)


def _accesses(graph: Graph, op: Op, design: RacetrackMemoryDesign) -> Traffic:
    words = np.array(op.ints("words"), np.int64)
    count = graph.tensors[op.inputs[0]].elements
    shifts = place(op, count, design).shifts(words, design)
    writes = sum(op.ints("writes"))
    note = f"placement {_name(op, design)}: {shifts.total:,} shifts"
    best, least = best_heuristic(op, count, design)
    if least < shifts.total:
        note += f"; placement={best} would take {least:,} ({least / shifts.total - 1:.1%})"
        note += _places(graph, place(op, count, design, best))
    return Traffic(shifts, len(words) - writes, writes, note)


def _places(graph: Graph, places: Places) -> str:
    """Return where each word lies, as cluster and domain, for as many words as one line holds."""
    count = len(places.cluster)
    if count > _SHOWN_WORDS:
        return ""
    names = str(graph.provenance.get(WORD_NAMES, "")).split()
    if len(names) != count:
        names = [f"word {number}" for number in range(count)]
    pairs = zip(names, places.cluster.tolist(), places.domain.tolist(), strict=True)
    return ", with " + ", ".join(f"{name} at {cluster} {domain}" for name, cluster, domain in pairs)


def _name(op: Op, design: RacetrackMemoryDesign) -> str:
    if design.placement is Placement.AS_GIVEN and not op.ints("clusters"):
        return "by first use (no place was given)"
    return str(design.placement)


def _walked(program: Trace, reads: int, writes: int, design: RacetrackMemoryDesign) -> Traffic:
    """Walk a program of single reads and writes; operand and result lie one behind the other."""
    if reads + writes > MOST_WORDS:
        raise InputError(
            f"{reads + writes} words are too many to walk one by one, at most {MOST_WORDS}",
            where="racetrack_memory",
        )
    clusters = -(-(reads + writes) // design.domains)
    shifts = shifts_of_trace(program, design, max(clusters, design.clusters))
    note = f"{reads} words read and {writes} written behind them: {shifts.total:,} shifts"
    if clusters > design.clusters:
        note += f", in {-(-clusters // design.clusters)} memories"
    return Traffic(shifts, reads, writes, note)


def copy_program(reads: int, writes: int) -> Trace:
    """Return a program that reads words in a row, then writes words behind them."""
    build = TraceBuilder()
    with build.loop(1, node="copy"):
        if reads:
            build.event("port", "read", reads, access=(0, (0, 0, 1)))
        if writes:
            build.event("port", "write", writes, access=(reads, (0, 0, 1)))
    return build.build()


def transpose_program(shape: tuple[int, ...], permutation: tuple[int, ...]) -> Trace:
    """Return a loop nest over the result that reads and writes one word an iteration, with addresses."""
    strides = (
        np.concatenate([np.cumprod(np.array(shape[:0:-1], np.int64))[::-1], [1]])
        if shape
        else np.ones(0, int)
    )
    result = [shape[axis] for axis in permutation]
    reads = [int(strides[axis]) for axis in permutation]
    writes = _row_major(result)
    build = TraceBuilder()
    scopes = [build.loop(1, node="transpose"), *(build.loop(size) for size in result)]
    elements = int(np.prod(shape)) if shape else 1
    build.event("port", "read", 1, access=(0, (0, 0, *reads, 0)))
    build.event("port", "write", 1, access=(elements, (0, 0, *writes, 0)))
    for scope in reversed(scopes):
        scope.__exit__(None, None, None)
    return build.build()


def _row_major(shape: list[int]) -> list[int]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return strides


def _write(build: TraceBuilder, traffic: Traffic, design: RacetrackMemoryDesign) -> None:
    if traffic.shifts.total:
        build.event("tape", "shift", traffic.shifts.total)
    if traffic.shifts.moving and design.shift_latency is ShiftLatency.RTSIM_COMPATIBLE:
        build.event("tape", "command", traffic.shifts.moving)
    for action, count in (("read", traffic.reads), ("write", traffic.writes)):
        if count:
            build.event("port", action, count, bits=design.word_bits)
