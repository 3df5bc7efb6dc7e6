"""Random loop programs, and the oracle that expands them iteration by iteration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from hwsim.trace import LoopKind, Trace, TraceBuilder

UNITS = ("array", "dram", "vector")
NODES = ("a", "b")


@dataclass
class Row:
    """Events of one body."""

    node: str
    unit: str
    count: int
    bits: int = 0
    access: tuple[int, list[int]] | None = None


@dataclass
class Loop:
    """A loop over rows and loops; a list of trips is a series consumed execution by execution."""

    trip: int | list[int]
    kind: LoopKind
    body: list[Loop | Row] = field(default_factory=list)


def rows(depth: int, with_access: bool) -> st.SearchStrategy[Row]:
    access = st.tuples(
        st.integers(0, 50), st.lists(st.integers(-3, 3), min_size=depth + 1, max_size=depth + 1)
    )
    return st.builds(
        Row,
        st.sampled_from(NODES),
        st.sampled_from(UNITS),
        st.integers(0, 5),
        st.integers(0, 9),
        access if with_access else st.none(),
    )


def loops(depth: int = 1, deepest: int = 3, with_access: bool = False) -> st.SearchStrategy[Loop]:
    parts = rows(depth + 1, with_access)
    body = parts if depth >= deepest else st.one_of(parts, loops(depth + 1, deepest, with_access))
    return st.builds(Loop, st.integers(0, 3), st.sampled_from(LoopKind), st.lists(body, max_size=3))


def programs(with_access: bool = False) -> st.SearchStrategy[list[Loop]]:
    return st.lists(loops(with_access=with_access), max_size=3)


@st.composite
def programs_with_series(draw: st.DrawFn) -> list[Loop]:
    """A regular program in which some loops have their trips replaced by a series of the right length."""
    program = draw(programs())

    def visit(part: Loop | Row, executions: int) -> None:
        if isinstance(part, Row):
            return
        if draw(st.booleans()):
            part.trip = draw(st.lists(st.integers(0, 3), min_size=executions, max_size=executions))
        runs = sum(part.trip) if isinstance(part.trip, list) else executions * part.trip
        for inner in part.body:
            visit(inner, runs)

    for loop in program:
        visit(loop, 1)
    return program


def write(
    program: list[Loop], designs: int | None = None, count: Callable[[int], object] = lambda value: value
) -> Trace:
    build = TraceBuilder(designs)
    for node in NODES:
        build.node(node)

    def put(part: Loop | Row) -> None:
        if isinstance(part, Row):
            build.event(
                part.unit, "work", count(part.count), bits=part.bits, node=part.node, access=part.access
            )
            return
        series = part.trip if isinstance(part.trip, list) else None
        with build.loop(0 if series is not None else count(part.trip), part.kind, series=series):
            for inner in part.body:
                put(inner)

    for loop in program:
        put(loop)
    return build.build()


@dataclass
class Expanded:
    """What one execution of a part costs, found by running it."""

    latency: int
    busy: Counter[str]


class Expansion:
    """Runs a program iteration by iteration and applies the definition of each loop kind literally."""

    def __init__(self, program: list[Loop]) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self.bits: Counter[tuple[str, str]] = Counter()
        self.addresses: list[int] = []
        self.loop_latency: dict[int, int] = {}
        self._number(program)
        self._cursor: dict[int, int] = {}
        parts = [self._run(loop, [0]) for loop in program]
        self.latency = sum(part.latency for part in parts)
        self.busy: Counter[str] = sum((part.busy for part in parts), Counter())

    def _number(self, parts: Iterable[Loop | Row]) -> None:
        """Make an entry for every loop, also those that never run, in the order written."""
        for part in parts:
            if isinstance(part, Loop):
                self.loop_latency[id(part)] = 0
                self._number(part.body)

    def _run(self, part: Loop | Row, index: list[int]) -> Expanded:
        found = self._run_part(part, index)
        if isinstance(part, Loop):
            self.loop_latency[id(part)] += found.latency
        return found

    def _run_part(self, part: Loop | Row, index: list[int]) -> Expanded:
        if isinstance(part, Row):
            self.events[part.node, part.unit] += part.count
            self.bits[part.node, part.unit] += part.count * part.bits
            if part.access is not None:
                base, strides = part.access
                start = base + sum(s * i for s, i in zip(strides[:-1], index, strict=True))
                self.addresses += [start + strides[-1] * event for event in range(part.count)]
            return Expanded(part.count, Counter({part.unit: part.count}))
        trip = part.trip
        if isinstance(trip, list):
            place = self._cursor.get(id(part), 0)
            self._cursor[id(part)] = place + 1
            trip = trip[place]
        passes = [[self._run(inner, [*index, i]) for inner in part.body] for i in range(trip)]
        sums = [sum(inner.latency for inner in one) for one in passes]
        per_pass = [sum((inner.busy for inner in one), Counter()) for one in passes]
        busy: Counter[str] = sum(per_pass, Counter())
        if part.kind is LoopKind.SEQ or not passes:
            return Expanded(sum(sums), busy)
        if part.kind is LoopKind.PAR:
            longest = max((inner.latency for one in passes for inner in one), default=0)
            return Expanded(max([longest, *busy.values()]), busy)
        intervals = [max(one.values(), default=0) for one in per_pass]
        return Expanded(sums[0] + sum(intervals[1:]), busy)


def durations(trace: Trace) -> np.ndarray:
    """One cycle an event, on every unit."""
    return trace.rows.count
