"""What runs for an operator: microprograms on lanes, pass after pass, and what crosses the channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from accelerators.dram_pim.design import CONSTANTS, DramPimDesign, Operands
from accelerators.dram_pim.expand import Commands, library
from accelerators.dram_pim.timing import timing_of
from hwsim.errors import InputError


@dataclass(frozen=True, slots=True)
class Ref:
    """Rows of a stage.

    Attributes
    ----------
    name : str
        Value that they hold; "=5" is the constant 5, made of constant rows; a name ending in "[]" has one
        value for every repeat.
    rows : int
        Rows, extended by sign or zero where the value is narrower.
    signed : bool
        Whether the last row is a sign.
    """

    name: str
    rows: int
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A microprogram on `elements` lanes, `repeats` times one after the other.

    Attributes
    ----------
    program : str
        Name of the microprogram.
    operands : tuple of Ref
        What its operands hold.
    result : Ref
        What becomes of its result.
    repeats, elements : int
        Executions, and lanes that take part in each.
    parameter : int
        Size that the operands do not tell.
    """

    program: str
    operands: tuple[Ref, ...]
    result: Ref
    repeats: int
    elements: int
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """Bits that leave through the channel, and bits that come.

    Attributes
    ----------
    read_bits, write_bits : int
        What leaves, and what comes.
    halves : str
        A value whose upper half of lanes becomes "upper", beside the lower half; "" for other transfers.
    """

    read_bits: int
    write_bits: int
    halves: str = ""


Step = Stage | Move


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of an operator in order, and a word on its mapping."""

    steps: tuple[Step, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Passes:
    """How a stage fills the banks: `full` passes of `banks` rows, and one of `rest` rows if that is not zero.

    Attributes
    ----------
    commands : Commands
        One repeat in one bank.
    rows : int
        Rows of lanes over all passes and banks.
    banks, full, rest : int
        Banks of a full pass, full passes, banks of the last one.
    full_ticks, rest_ticks : int
        Time of one full pass, and of the last one.
    """

    commands: Commands
    rows: int
    banks: int
    full: int
    rest: int
    full_ticks: int
    rest_ticks: int

    @property
    def ticks(self) -> int:
        """Time of all passes."""
        return self.full * self.full_ticks + self.rest_ticks


def commands_of(stage: Stage, design: DramPimDesign) -> Commands:
    """Return the commands of all repeats of a stage in one bank."""
    programs = library(*design.files)
    lengths = tuple(ref.rows for ref in stage.operands)
    return programs.count(stage.program, lengths, stage.parameter) * stage.repeats


def passes_of(stage: Stage, design: DramPimDesign) -> Passes:
    """Return the fastest way to run a stage: more banks at once may only wait longer for each other."""
    return _passes(commands_of(stage, design), -(-stage.elements // design.lanes), design)


@lru_cache(maxsize=65536)
def _passes(commands: Commands, rows: int, design: DramPimDesign) -> Passes:
    by_banks = timing_of(design).by_banks(commands, min(design.banks, max(rows, 1))).tolist()
    best: Passes | None = None
    for banks, ticks in enumerate(by_banks, 1):
        full, rest = divmod(rows, banks)
        found = Passes(commands, rows, banks, full, rest, ticks, by_banks[rest - 1] if rest else 0)
        if best is None or found.ticks < best.ticks:
            best = found
    if best is None:
        raise InputError("a design without banks", where="dram_pim.banks")
    return best


@lru_cache(maxsize=256)
def channel_bits_per_tick(design: DramPimDesign) -> tuple[int, int]:
    """Return the channel's bandwidth as a fraction, bits and ticks: two beats a clock on every data pin."""
    c = CONSTANTS
    bits = 2 * int(c.width_bits) * design.devices
    clock = c.clock_1333_s if design.grade.value.startswith("ddr3_1333") else c.clock_1600_s
    return bits, round(clock.value / c.tick_s.value)


def move_ticks(bits: int, design: DramPimDesign) -> int:
    """Return the ticks of a transfer."""
    per, ticks = channel_bits_per_tick(design)
    return -(-bits * ticks // per)


def plan_ticks(plan: Plan, design: DramPimDesign) -> int:
    """Return the ticks of a plan, without refreshes."""
    total = 0
    for step in plan.steps:
        if isinstance(step, Move):
            total += move_ticks(step.read_bits, design) + move_ticks(step.write_bits, design)
        else:
            total += passes_of(step, design).ticks
    return total


@dataclass(frozen=True, slots=True)
class Reduction:
    """A sum, maximum or minimum of `length` items for each of `outputs` results.

    Attributes
    ----------
    outputs, length : int
        Results, and items of each.
    program, combine : str
        Takes one item, or `batch` items, into the accumulator; joins two accumulators.
    items : tuple of Ref
        Operands of `program` beside the accumulator, as they come with every repeat.
    batch : int
        Items of one repeat.
    rows : int
        Rows of the accumulator.
    signed : bool
        Whether it has a sign.
    start : tuple of int
        Constant rows that it starts with: all but the last, and the last.
    """

    outputs: int
    length: int
    program: str
    combine: str
    items: tuple[Ref, ...]
    batch: int
    rows: int
    signed: bool
    start: tuple[int, int] = (0, 0)


def reduction_plan(reduction: Reduction, design: DramPimDesign, where: str) -> Plan:
    """Return the fastest plan: each result may be spread over a power of two of lanes, joined at the end.

    More lanes shorten the sequence; lanes do not reach each other, so half of the partial results pass the
    channel before every round of joining.

    Raises
    ------
    InputError
        If resident operands do not fit the memory.
    """
    candidates = [found for parts in _powers(reduction.length)
                  if (found := _spread(reduction, parts, design)) is not None]
    if not candidates:
        needed = _subarrays(reduction, reduction.length, design) * -(-reduction.outputs // design.lanes)
        reason = f"operands laid out for their lanes fill {needed} subarrays, the {design.banks} banks have "
        reason += f"{design.banks * design.subarrays}"
        if not needed:
            reason = f"a step of {reduction.program} needs more than {design.data_rows} rows of a subarray"
        raise InputError(reason, where=where,
                         hint="set operands=channel to bring them in as they are needed")
    return min(candidates, key=lambda plan: plan_ticks(plan, design))


def _powers(length: int) -> Iterator[int]:
    parts = 1
    while parts < 2 * length:
        yield parts
        parts *= 2


def _spread(reduction: Reduction, parts: int, design: DramPimDesign) -> Plan | None:
    """Return the plan with `parts` lanes a result; None if its operands do not fit."""
    lanes, sign = reduction.outputs * parts, reduction.signed
    share = -(-reduction.length // parts)
    steps = -(-share // reduction.batch)
    accumulator = Ref("acc", reduction.rows, sign)
    brought = sum(ref.rows for ref in reduction.items)
    found: list[Step] = []
    subarrays = 1
    if design.operands is Operands.CHANNEL:
        found.append(Move(0, lanes * steps * brought))
    else:
        subarrays = _subarrays(reduction, steps * reduction.batch, design)
        if not subarrays or -(-lanes // design.lanes) * subarrays > design.banks * design.subarrays:
            return None
    low, top = (Ref(f"={bit}", 1) for bit in reduction.start)
    found.append(Stage("fill", (low, top), accumulator, 1, lanes, reduction.rows))
    found.append(Stage(reduction.program, (accumulator, *reduction.items), accumulator, steps, lanes))
    if subarrays > 1:
        crossing = lanes * reduction.rows * (subarrays - 1)
        found.append(Move(crossing, crossing))
    while parts > 1:
        parts //= 2
        left = reduction.outputs * parts
        found.append(Move(left * reduction.rows, left * reduction.rows, "acc"))
        both = (accumulator, Ref("upper", reduction.rows, sign))
        found.append(Stage(reduction.combine, both, accumulator, 1, left))
    spread = lanes // reduction.outputs if reduction.outputs else 0
    text = f"{reduction.program} x {steps} on {lanes} lanes"
    text += f", {spread} a result" if spread > 1 else ""
    text += f", accumulators cross {subarrays} subarrays" if subarrays > 1 else ""
    return Plan(tuple(found), text)


def _subarrays(reduction: Reduction, length: int, design: DramPimDesign) -> int:
    """Return the subarrays whose rows hold `length` items of a lane; 0 if not even one step finds room."""
    room = design.data_rows - _working_rows(reduction, design)
    each = room // sum(ref.rows for ref in reduction.items)
    return -(-length // (each * reduction.batch)) if each > 0 else 0


@lru_cache(maxsize=4096)
def _scratch(files: tuple[str, ...], program: str, lengths: tuple[int, ...]) -> int:
    return library(*files).rows(program, lengths)


def _working_rows(reduction: Reduction, design: DramPimDesign) -> int:
    """Return the rows that one repeat needs beside its items: accumulator and scratch."""
    lengths = (reduction.rows, *(ref.rows for ref in reduction.items))
    return _scratch(design.files, reduction.program, lengths) - sum(ref.rows for ref in reduction.items)


def accumulator_rows(largest: int, smallest: int, length: int) -> int:
    """Return the rows of two's complement that hold every sum of `length` items between the bounds."""
    return max(max(0, largest * length).bit_length(), max(0, -smallest * length - 1).bit_length()) + 1


