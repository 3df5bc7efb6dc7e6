"""The stepped machine: tapes of bits that really move under ports, a picosecond clock, values in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.racetrack_memory.design import Policy, PortSelection, RacetrackMemoryDesign, ShiftLatency
from accelerators.racetrack_memory.placement import place
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import FormatKind, Graph, NumberFormat
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]
_WORD = NumberFormat(FormatKind.UNSIGNED, 16)


class Cluster:
    """Tapes that shift together. Room on both sides keeps every domain on the tape wherever it is."""

    def __init__(self, design: RacetrackMemoryDesign) -> None:
        self._design = design
        self._tape = np.zeros(3 * design.domains, np.int64)
        self._at = 0

    def step(self, direction: int) -> None:
        """Shift all tapes by one domain."""
        self._tape = np.roll(self._tape, -direction)
        self._at += direction

    def go(self, domain: int) -> tuple[int, int]:
        """Bring a domain under a port; return the port's place and the shifts it took."""
        design = self._design
        ports = design.port_places
        if design.port_selection is PortSelection.ASSIGNED:
            chosen = ports[domain * design.ports // design.domains]
        else:
            chosen = min(ports, key=lambda port: abs(domain - port - self._at))
        return chosen, self._move_to(domain - chosen)

    def rest(self) -> int:
        """Go back to where the tape started; return the shifts."""
        return self._move_to(0)

    def read(self, port: int) -> int:
        """Return the word under the port at `port`."""
        return int(self._tape[self._design.domains + port])

    def write(self, port: int, value: int) -> None:
        """Replace the word under the port at `port`."""
        self._tape[self._design.domains + port] = value

    def _move_to(self, offset: int) -> int:
        taken = 0
        while self._at != offset:
            self.step(1 if offset > self._at else -1)
            taken += 1
        return taken


def machine_graph(rng: np.random.Generator) -> Graph:
    """Return a small random graph: accesses to a few words, or a transpose."""
    b = GraphBuilder("random", format=_WORD)
    if rng.integers(3) == 0:
        shape = tuple(int(size) for size in rng.integers(1, 5, int(rng.integers(1, 4))))
        order = tuple(int(axis) for axis in rng.permutation(len(shape)))
        b.output(b.add("transpose", b.input("x", shape), name="move", permutation=order))
        return b.build()
    words, accesses = int(rng.integers(1, 9)), int(rng.integers(1, 25))
    b.output(
        b.add(
            "memory_accesses",
            b.state("words", (words,)),
            name="accesses",
            words=tuple(int(word) for word in rng.integers(0, words, accesses)),
            writes=tuple(int(bit) for bit in rng.integers(0, 2, accesses)),
        )
    )
    return b.build()


def operands(graph: Graph, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return what the memory holds at first, and the values that writes bring, in order."""
    op = graph.ops[0]
    held = rng.integers(0, 2**16, graph.tensors[op.inputs[0]].shape)
    return held, rng.integers(0, 2**16, sum(op.ints("writes")) if op.kind == "memory_accesses" else 0)


def reference(graph: Graph, design: RacetrackMemoryDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return what the memory holds at the end, computed without a memory."""
    op = graph.ops[0]
    held, brought = operands(graph, rng)
    if op.kind == "transpose":
        return held.transpose(op.ints("permutation"))
    values = iter(brought.tolist())
    for word, writes in zip(op.ints("words"), op.ints("writes"), strict=True):
        if writes:
            held[word] = next(values)
    return held


def machine(graph: Graph, design: RacetrackMemoryDesign, rng: np.random.Generator) -> MachineResult:
    """Run one operator access by access on tapes that shift domain by domain."""
    op = graph.ops[0]
    held, brought = operands(graph, rng)
    if op.kind == "transpose":
        return _Memory(design).transpose(held, op.ints("permutation"))
    found = place(op, len(held), design)
    memory = _Memory(design)
    slots = list(zip(found.cluster.tolist(), found.domain.tolist(), strict=True))
    memory.fill(slots, held.tolist())
    values = iter(brought.tolist())
    for word, writes in zip(op.ints("words"), op.ints("writes"), strict=True):
        memory.access(slots[word], next(values) if writes else None)
    return memory.result(slots, held.shape)


class _Memory:
    def __init__(self, design: RacetrackMemoryDesign) -> None:
        self.design = design
        self.clusters: dict[int, Cluster] = {}
        self.events: Counter[tuple[str, str]] = Counter()
        self.clock = 0

    def fill(self, slots: Sequence[tuple[int, int]], values: Sequence[int]) -> None:
        """Lay values into tapes at rest, before the clock starts."""
        for (cluster, domain), value in zip(slots, values, strict=True):
            self._of(cluster).write(domain, value)

    def access(self, slot: tuple[int, int], value: int | None) -> int:
        """Read a word, or write it if there is a value; return what lay there."""
        design, cluster = self.design, self._of(slot[0])
        port, taken = cluster.go(slot[1])
        found = cluster.read(port)
        if value is not None:
            cluster.write(port, value)
        taken += cluster.rest() if design.policy is Policy.EAGER else 0
        self.events["tape", "shift"] += taken
        shift, access = (
            design.picoseconds(design.shift_s),
            design.write_s if value is not None else design.read_s,
        )
        if design.shift_latency is ShiftLatency.PHYSICAL:
            self.clock += taken * shift
        elif taken:
            self.events["tape", "command"] += 1
            self.clock += shift
        self.clock += design.picoseconds(access)
        self.events["port", "write" if value is not None else "read"] += 1
        return found

    def transpose(self, values: Ints, permutation: Sequence[int]) -> MachineResult:
        """Read words in the order of the result and write them behind the operand."""
        slots = [divmod(address, self.design.domains) for address in range(2 * values.size)]
        self.fill(slots[: values.size], values.ravel().tolist())
        shape = tuple(values.shape[axis] for axis in permutation)
        sources = np.arange(values.size).reshape(values.shape).transpose(permutation).ravel().tolist()
        for number, source in enumerate(sources):
            self.access(slots[values.size + number], self.access(slots[source], None))
        return self.result(slots[values.size :], shape)

    def result(self, slots: Sequence[tuple[int, int]], shape: tuple[int, ...]) -> MachineResult:
        """Return the words at some places after the clock has stopped."""
        for cluster in self.clusters.values():
            cluster.rest()
        values = [self._of(cluster).read(domain) for cluster, domain in slots]
        return MachineResult(np.array(values, np.int64).reshape(shape), self.clock, dict(self.events))

    def _of(self, cluster: int) -> Cluster:
        return self.clusters.setdefault(cluster, Cluster(self.design))
