"""Many designs of one chip on one network in few calls: what designs share is computed once for all of them.

Designs that agree in the structure their chip states share a trace and are only priced again; designs that
differ in knobs for which the chip lowers families get one trace with a leading design axis; the others are
lowered one by one. Whichever way was taken, the numbers are those of `hwsim.evaluate`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph.ops import Work, work_of
from hwsim.graph.types import Graph
from hwsim.model.prices import verify_datasheet
from hwsim.model.pricing import price_trace
from hwsim.model.sheets import sheets_of
from hwsim.model.types import Accelerator, Design, Ints
from hwsim.report.verify import compulsory_bits
from hwsim.run import lower, without_unsupported
from hwsim.sweep.family_checks import verify_family, verify_family_work
from hwsim.sweep.family_columns import Family, joined, totals_of
from hwsim.trace import Activity, reduce, verify_trace
from hwsim.trace.merge import Merged, merge_equal, take

CHUNK = 1024
REMEMBERED = 64
ALONE_AT_MOST = 15  # as many structures are lowered one by one sooner than compiled kernels are loaded
T = TypeVar("T")


def evaluate_family(
    network: Graph, accelerator: Accelerator, designs: Iterable[Design], *, on_unsupported: str = "error"
) -> Family:
    """Return cycles, time, energy and area of `network` on many designs of a chip.

    Parameters
    ----------
    network : Graph
        The network.
    accelerator : Accelerator
        The chip.
    designs : iterable of Design
        Its designs, in any order; 1024 are worked on at a time, so that memory stays bounded.
    on_unsupported : str
        As in `hwsim.evaluate`.

    Raises
    ------
    UnsupportedOp
        If the chip cannot run the network at all. What is wrong with single designs is in `Family.failures`.
    """
    return Families(network, accelerator, on_unsupported=on_unsupported).evaluate(designs)


@dataclass(frozen=True, slots=True)
class _Network:
    """A prepared network, the work of its operators, and the bits that must cross the chip's border."""

    graph: Graph
    work: Mapping[str, Work]
    macs: int


@dataclass(frozen=True, slots=True)
class _Program:
    """What one structure, or a family of them, does; equal layers once."""

    merged: Merged
    activity: Activity
    macs: int
    least_offchip_bits: int


class Families:
    """Evaluates families of designs on one network, and remembers what further ones can use.

    Parameters
    ----------
    network, accelerator, on_unsupported
        As in `evaluate_family`.
    """

    def __init__(self, network: Graph, accelerator: Accelerator, *, on_unsupported: str = "error") -> None:
        self._accelerator = accelerator
        self._graph = without_unsupported(network, accelerator, on_unsupported)
        self._networks: OrderedDict[Hashable, _Network] = OrderedDict()
        self._programs: OrderedDict[Hashable, _Program] = OrderedDict()

    def evaluate(self, designs: Iterable[Design]) -> Family:
        """Return the results of `designs` as one."""
        parts = list(self.stream(designs))
        return joined(parts, {which: error for part in parts for which, error in part.failures.items()})

    def stream(self, designs: Iterable[Design]) -> Iterator[Family]:
        """Yield the results of 1024 designs after the other, numbered on; memory does not grow with them."""
        source, start = iter(designs), 0
        while batch := list(islice(source, CHUNK)):
            chunk = _Chunk(self._accelerator, batch)
            parts = [replace(part, index=part.index + start) for part in self._evaluate_chunk(chunk)]
            yield joined(parts, {place + start: error for place, error in chunk.failures.items()})
            start += len(batch)

    def _evaluate_chunk(self, chunk: _Chunk) -> Iterator[Family]:
        """Yield results in parts: families lowered together, then what is left, structure by structure."""
        for shared, members in chunk.families():
            groups = chunk.structures(members)
            if self._accelerator.family is not None and len(groups) > ALONE_AT_MOST:
                done = self._together(chunk, shared, list(groups.values()))
                if done is not None:
                    part, held = done
                    yield part
                    groups = {key: group for place, (key, group) in enumerate(groups.items())
                              if place not in held}  # fmt: skip
            for key, group in groups.items():
                yield from self._alike(chunk, key, group)

    def _alike(self, chunk: _Chunk, key: Hashable, group: Ints) -> Iterator[Family]:
        """Price one trace for all designs of a structure."""
        try:
            program = _remembered(self._programs, key, lambda: self._lower(chunk.designs[group[0]]))
        except HwsimError as error:
            chunk.failures |= dict.fromkeys(group.tolist(), error)
            return
        try:
            yield self._price(chunk, program, group)
        except HwsimError as error:
            if group.size == 1:
                chunk.failures[int(group[0])] = error
                return
            for one in group:
                yield from self._alike(chunk, key, np.array([one]))

    def _together(
        self, chunk: _Chunk, shared: Hashable, groups: list[Ints]
    ) -> tuple[Family, set[int]] | None:
        """Lower structures in one call; None if that is refused, and each has to say why by itself."""
        family = self._accelerator.family
        firsts = [chunk.designs[group[0]] for group in groups]
        if family is None:
            return None
        try:
            network = _remembered(self._networks, shared, lambda: self._prepare(firsts[0]))
            found = family.lower(network.graph, firsts)
        except HwsimError:
            return None
        held = found.members.tolist()
        if not held:
            return None
        verify_trace(found.merged.trace)
        activity = reduce(found.merged.trace)
        verify_family_work(found.merged, activity, network.work, self._accelerator.work)
        which = np.repeat(np.arange(len(held)), [groups[place].size for place in held])
        members = np.concatenate([groups[place] for place in held])
        if which.size > len(held):
            merged, activity = (
                take(found.merged, which),
                replace(activity, events=activity.events[which], bits=activity.bits[which]),
            )
        else:
            merged = found.merged
        least = compulsory_bits(network.graph) if self._accelerator.offchip else 0
        program = _Program(merged, activity, network.macs, least)
        try:
            return self._price(chunk, program, members), set(held)
        except HwsimError:
            return None

    def _price(self, chunk: _Chunk, program: _Program, members: Ints) -> Family:
        sheets = sheets_of(self._accelerator, [chunk.designs[member] for member in members])
        for sheet in sheets.members:
            verify_datasheet(sheet)
        priced = price_trace(program.merged.trace, program.activity, sheets)
        family = totals_of(
            self._accelerator, members, program.merged, program.activity, priced, sheets, program.macs
        )
        verify_family(family, program.least_offchip_bits, self._accelerator.offchip)
        return family

    def _lower(self, design: Design) -> _Program:
        program = lower(self._graph, self._accelerator, design)
        merged = merge_equal(program.trace)
        skipping = {node for node, _ in program.trace.skips}
        least = compulsory_bits(program.prepared, skipping) if self._accelerator.offchip else 0
        macs = sum(work.macs for work in program.work.values())
        return _Program(merged, reduce(merged.trace), macs, least)

    def _prepare(self, design: Design) -> _Network:
        graph = self._accelerator.prepare(self._graph, design)
        work = {op.name: work_of(graph, op) for op in graph.ops}
        return _Network(graph, work, sum(amount.macs for amount in work.values()))


class _Chunk:
    """Some designs, sorted by the structure that their chip states for them."""

    def __init__(self, accelerator: Accelerator, designs: Sequence[Design]) -> None:
        self.designs = designs
        self.failures: dict[int, HwsimError] = {}
        family = accelerator.family
        self._free = frozenset(family.knobs if family is not None else ())
        self._structures = [_hashable(accelerator.structure(design)) for design in designs]

    def families(self) -> list[tuple[Hashable, Ints]]:
        """Return designs that may be lowered together, under what they share."""
        free = self._free
        shared = [
            tuple(item for item in knobs if item[0] not in free) if free else knobs
            for knobs in self._structures
        ]
        return [*_grouped(range(len(shared)), shared).items()]

    def structures(self, members: Ints) -> dict[Hashable, Ints]:
        """Return those of `members` that share a trace, under their structure."""
        return _grouped(members.tolist(), self._structures)


def _grouped(places: Iterable[int], keys: Sequence[Hashable]) -> dict[Hashable, Ints]:
    groups: dict[Hashable, list[int]] = {}
    for place in places:
        groups.setdefault(keys[place], []).append(place)
    return {key: np.array(group, dtype=np.int64) for key, group in groups.items()}


def _hashable(structure: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the items of a structure as a key of dictionaries; the text of values that cannot be one."""
    items = tuple(structure.items())
    try:
        hash(items)
    except TypeError:
        return tuple((name, repr(value)) for name, value in items)
    return items


def _remembered(memory: OrderedDict[Hashable, T], key: Hashable, make: Callable[[], T]) -> T:
    """Return what `key` stands for, made once as long as it is among the last that were asked for."""
    if key in memory:
        memory.move_to_end(key)
        return memory[key]
    memory[key] = made = make()
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
    return made
