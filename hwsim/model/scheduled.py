"""A schedule on the clock: operators on the chip, transfers on the DRAM channel, each as early as it may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from hwsim.errors import VerifyError
from hwsim.model.timeline import Task, Timeline, run_tasks
from hwsim.schedule.types import Event, Plan, Problem

COMPUTE, CHANNEL = "compute", "dram"
# Parameters stream while their operator runs, which waits for each slice of them in turn.
_SLICES = 16
# A transfer gives way to a more urgent one only between pieces.
_PIECES = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """What one operator needs beside its operands in the scratchpad.

    Attributes
    ----------
    compute_cycles : int
        Cycles when memories take no time.
    stream_bits : int
        Bits that it reads from DRAM while it runs: parameters, and whatever it reads more than once.
    fill_cycles : int or None
        Cycles of that stream that pass before it can begin, at most one slice; None: a whole slice.
    """

    compute_cycles: int
    stream_bits: int
    fill_cycles: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A tensor moved between DRAM and the scratchpad.

    Attributes
    ----------
    kind : str
        "load" (first time), "store" (network output), "fetch" (again), "spill".
    tensor : int
        Index into the problem.
    bits : int
        Moved.
    release : int
        It may start when the operator of this step has ended; -1 from the beginning.
    deadline : int
        The operator of this step waits for it; the number of steps if none does.
    after : tuple of int
        Indices of transfers that must have ended.
    """

    kind: str
    tensor: int
    bits: int
    release: int
    deadline: int
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlanTiming:
    """A plan on the timeline: whole cycles, those of the operators alone, and the bits of each kind."""

    timeline: Timeline
    cycles: int
    compute_cycles: int
    channel_cycles: int
    transfers: tuple[Transfer, ...]

    def bits(self, kind: str) -> int:
        """Return the bits moved by transfers of a kind."""
        return sum(transfer.bits for transfer in self.transfers if transfer.kind == kind)


@dataclass(slots=True)
class _Stay:
    """A range of addresses in use by a tensor (or, with tensor -1, a workspace) from step to step."""

    tensor: int
    start: int
    end: int
    low: int
    high: int
    created: bool
    spill_after: bool = False
    writes: list[int] = field(default_factory=list)


def transfers_of(problem: Problem, plan: Plan) -> tuple[Transfer, ...]:
    """Return the transfers of a verified plan with the earliest start that its addresses allow.

    A fetch may start when everything that lay in its range has left, a spill or store as soon as its
    tensor exists, since tensors never change; both only have to end before somebody waits for them.
    """
    stays = _stays(problem, plan)
    block_bits, steps = problem.block_bytes * 8, len(plan.steps)
    found: list[Transfer] = []
    saved: dict[int, list[int]] = {}
    for index, stay in enumerate(stays):
        if stay.tensor < 0 or stay.low == stay.high:
            continue
        before = [s for s in stays[:index] if s.end < stay.start and s.low < stay.high and stay.low < s.high]
        vacated = [w for s in before for w in s.writes]
        bits = (stay.high - stay.low) * block_bits
        if not stay.created:
            again = stay.tensor in saved
            kind = "fetch" if again or problem.producer[stay.tensor] >= 0 else "load"
            needed = tuple(sorted({*vacated, *saved.get(stay.tensor, ())}))
            # Its range may be free long before its own copy exists, which is then what it waits for.
            free = (s.end for s in before)
            release = max((*free, *(found[i].release for i in needed)), default=-1)
            found.append(Transfer(kind, stay.tensor, bits, release, stay.start, needed))
            saved.setdefault(stay.tensor, [])
        kinds = ["spill"] if stay.spill_after else []
        kinds += ["store"] if stay.created and problem.tensors[stay.tensor].is_output else []
        for kind in kinds:
            stay.writes.append(len(found))
            saved.setdefault(stay.tensor, []).append(len(found))
            found.append(Transfer(kind, stay.tensor, bits, stay.start, _vacate(stays, stay, steps), ()))
    return tuple(found)


def _vacate(stays: Sequence[_Stay], stay: _Stay, steps: int) -> int:
    """Return the step before which a stay must have been written: its range or its tensor is used again."""
    later = (
        s.start
        for s in stays
        if s.start > stay.end and (s.tensor == stay.tensor or (s.low < stay.high and stay.low < s.high))
    )
    return min(later, default=steps)


def _stays(problem: Problem, plan: Plan) -> list[_Stay]:
    found: list[_Stay] = []
    held: dict[int, _Stay] = {}
    for step, entry in enumerate(plan.steps):
        workspace = problem.operators[entry.operator].workspace
        if workspace:
            low = entry.workspace_address
            found.append(_Stay(-1, step, step, low, low + workspace, True))
        for event in entry.before:
            held[event.tensor] = _opened(event, step)
            found.append(held[event.tensor])
        for event in entry.after:
            if event.kind == "spill":
                held[event.tensor].spill_after = True
            else:
                held.pop(event.tensor).end = step
    for stay in held.values():
        stay.end = len(plan.steps) - 1
    return found


def _opened(event: Event, step: int) -> _Stay:
    created = event.kind == "allocate"
    return _Stay(event.tensor, step, step, event.address, event.address + event.blocks, created)


def run_plan(
    problem: Problem, plan: Plan, demands: Sequence[Demand], *, read: Fraction, write: Fraction
) -> PlanTiming:
    """Run a verified plan on one compute resource and one DRAM channel.

    Operators run in order, each when its operands and the space of its results are there. Parameters
    stream while an operator runs, not before the one before it has ended. The channel serves, of what
    may move, first what is needed first: due transfers, parameters, then prefetches and write-backs.

    Parameters
    ----------
    problem, plan
        What is scheduled, and a plan that the verifier accepts.
    demands : sequence of Demand
        One per operator of the problem.
    read, write : Fraction
        Cycles per bit of the channel; 0 for one that takes no time.

    Raises
    ------
    VerifyError
        If the number of demands is wrong.
    """
    if len(demands) != len(problem.operators):
        raise VerifyError(f"{len(demands)} demands for {len(problem.operators)} operators", where="run_plan")
    writer = _Writer(problem, transfers_of(problem, plan), read, write)
    for step, entry in enumerate(plan.steps):
        writer.run_step(step, problem.operators[entry.operator].name, demands[entry.operator])
    writer.finish()
    timeline = run_tasks(writer.tasks)
    return PlanTiming(
        timeline,
        timeline.cycles,
        timeline.busy_cycles(COMPUTE),
        timeline.busy_cycles(CHANNEL),
        writer.transfers,
    )


class _Writer:
    """Writes tasks in the order in which their resource serves them."""

    def __init__(
        self, problem: Problem, transfers: tuple[Transfer, ...], read: Fraction, write: Fraction
    ) -> None:
        self.transfers = transfers
        self.tasks: list[Task] = []
        self._names = [tensor.name for tensor in problem.tensors]
        self._read, self._write = read, write
        self._ends: list[int] = []
        self._free = {COMPUTE: 0, CHANNEL: 0}
        self._last_of_step: list[int] = []
        self._done: dict[int, int] = {}
        self._begun: dict[int, int] = {}
        self._waiting = sorted(range(len(transfers)), key=lambda i: (transfers[i].deadline, i))
        self._due: dict[int, list[int]] = defaultdict(list)
        for index in self._waiting:
            self._due[transfers[index].deadline].append(index)

    def run_step(self, step: int, name: str, demand: Demand) -> None:
        """Write what step `step` waits for, the operator, and what moves meanwhile."""
        for index in self._due[step]:
            self._move(index, whole=True)
        previous = tuple(self._last_of_step[-1:])
        before = (*previous, *(self._done[index] for index in self._due[step]))
        slices = _slices(_cycles(demand.stream_bits, self._read), demand.fill_cycles)
        for piece, share in enumerate(slices):
            if demand.stream_bits:
                before = (*before, self._add(f"{name} parameters", CHANNEL, share, previous))
            work = _share(demand.compute_cycles, piece, len(slices))
            before = (self._add(name, COMPUTE, work, before),)
        self._last_of_step.append(before[0])
        self._fill(step)

    def finish(self) -> None:
        """Write what nobody waited for."""
        for index in list(self._waiting):
            self._move(index, whole=True)

    def _fill(self, step: int) -> None:
        """Move what may move while the operator of `step` runs, most urgent first."""
        end = self._ends[self._last_of_step[step]]
        while self._free[CHANNEL] < end:
            ready = next((i for i in self._waiting if self.transfers[i].release < step), None)
            if ready is None:
                return
            self._move(ready, whole=False)

    def _move(self, index: int, *, whole: bool) -> None:
        """Write the next piece of a transfer, or all that is left of it.

        What it depends on is due no later and may start no later, so it is written already.
        """
        if index in self._done:
            return
        transfer = self.transfers[index]
        after = [self._done[earlier] for earlier in transfer.after]
        after += [self._last_of_step[transfer.release]] if transfer.release >= 0 else []
        rate = self._write if transfer.kind in ("spill", "store") else self._read
        cycles = _cycles(transfer.bits, rate)
        name = f"{transfer.kind} {self._names[transfer.tensor]}"
        for piece in range(self._begun.get(index, 0), _PIECES):
            task = self._add(name, CHANNEL, _share(cycles, piece, _PIECES), tuple(after))
            self._begun[index] = piece + 1
            if piece == _PIECES - 1:
                self._done[index] = task
                self._waiting.remove(index)
            if not whole:
                return

    def _add(self, name: str, resource: str, cycles: int, after: tuple[int, ...]) -> int:
        ready = max((self._ends[i] for i in after), default=0)
        end = max(ready, self._free[resource]) + cycles
        self.tasks.append(Task(name, resource, cycles, after))
        self._ends.append(end)
        self._free[resource] = end
        return len(self.tasks) - 1


def _cycles(bits: int, rate: Fraction) -> int:
    return -(-bits * rate.numerator // rate.denominator)


def _slices(stream_cycles: int, fill_cycles: int | None) -> list[int]:
    """Return the cycles of each slice of a stream; one empty slice without a stream."""
    if not stream_cycles:
        return [0]
    first = _share(stream_cycles, 0, _SLICES)
    first = first if fill_cycles is None else min(first, fill_cycles)
    return [first, *(_share(stream_cycles - first, i, _SLICES - 1) for i in range(_SLICES - 1))]


def _share(total: int, piece: int, count: int) -> int:
    """Return the part of a total that falls to one piece; the parts add up to it."""
    return total * (piece + 1) // count - total * piece // count
