"""Reads the size of a scratchpad as people write it: bytes with a binary unit, plain bytes, or blocks."""

from __future__ import annotations

import re

from hwsim.errors import InputError, ScheduleInfeasible
from hwsim.errors import Problem as Complaint
from hwsim.schedule.types import Infeasible, Problem, budget_in_blocks
from hwsim.units import format_bytes, parse_as

_BLOCKS = re.compile(r"([+-]?[0-9]+)\s*blocks?")
_PLAIN = re.compile(r"[+-]?[0-9]+")
_MOST_BYTES = 1 << 60


def parse_budget(text: str | int, problem: Problem, *,
                 where: str = "scratchpad") -> tuple[int, tuple[str, ...]]:
    """Return a scratchpad size in blocks, and a note if it was rounded down.

    Parameters
    ----------
    text : str or int
        ``"512KiB"``, ``"180blocks"``, or a plain number of bytes.
    problem : Problem
        Says how large a block is.
    where : str
        Name of the option, for messages.

    Raises
    ------
    InputError
        Not a size, an ambiguous unit (``kB``), zero, negative, or less than one block.
    """
    try:
        matched = _BLOCKS.fullmatch(str(text).strip())
        if matched is not None:
            return _checked(matched[1], "blocks", _MOST_BYTES // problem.block_bytes), ()
        plain = isinstance(text, int) or _PLAIN.fullmatch(text.strip()) is not None
        size = _checked(str(text) if plain else str(parse_as(str(text), "_bytes")), "bytes", _MOST_BYTES)
        blocks, rest = budget_in_blocks(problem, size)
    except InputError as error:
        form = "write it like 512KiB, 180blocks or 524288"
        raise InputError(problems=[Complaint(where, p.reason, p.hint if "ambiguous" in p.reason else form)
                                   for p in error.problems]) from None
    if not blocks:
        raise InputError(f"{size} bytes hold not even one block of {problem.block_bytes} bytes", where=where)
    if not rest:
        return blocks, ()
    return blocks, (f"{format_bytes(size)} rounded down to {blocks} blocks of {problem.block_bytes} bytes: "
                    f"{rest} bytes are not used",)


def _checked(digits: str, unit: str, most: int) -> int:
    if len(digits) > 20 or int(digits) > most:
        raise InputError(f"{digits[:24]} {unit} is no size of a scratchpad")
    if int(digits) <= 0:
        raise InputError(f"the scratchpad must be larger than zero, not {int(digits)} {unit}")
    return int(digits)


def refuse(problem: Problem, reason: Infeasible) -> ScheduleInfeasible:
    """Return the error for a budget below the smallest feasible one, with everything that would help."""
    size = problem.block_bytes
    parts = " + ".join(f"{name} {format_bytes(blocks * size)}" for name, blocks in reason.largest[:4])
    more = f" + {len(reason.largest) - 4} more" if len(reason.largest) > 4 else ""
    needed, there = format_bytes(reason.working_set * size), format_bytes(reason.budget * size)
    text = (f"operator {reason.operator!r} needs {needed} at once ({parts}{more}), "
            f"the scratchpad has {there}: {reason.missing_bytes} bytes are missing")
    return ScheduleInfeasible(text, where="scratchpad", hint="what would help: " + "; ".join(reason.hints))
