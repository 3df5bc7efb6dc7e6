"""Every failure that a user can meet, with the place, the value, the reason and a way out.

Exit codes: 0 ok, 1 internal error, 2 usage or input error, 3 infeasible or unsupported, 4 a sweep finished
with failed points, 5 time limit without a solution, 130 interrupted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_OK = 0
EXIT_INTERNAL = 1
EXIT_INPUT = 2
EXIT_INFEASIBLE = 3
EXIT_PARTIAL = 4
EXIT_TIME_LIMIT = 5
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    where : str
        Dotted place, most general first: ``"net.csv:4.Strides"``, ``"design.array_rows"``.
    reason : str
        What is wrong, as a sentence without a final full stop, the offending value included.
    hint : str
        What to do about it; empty when there is nothing to add.
    """

    where: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.reason}" + (f" ({self.hint})" if self.hint else "")


class HwsimError(Exception):
    """Base of all errors that hwsim raises on purpose; carries one or more problems."""

    exit_code = EXIT_INTERNAL

    def __init__(
        self, reason: str = "", *, where: str = "", hint: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(where, reason, hint),)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def inside(self, prefix: str) -> HwsimError:
        """Return the same error with `prefix` put before every place, as it travels outwards."""
        moved = [
            Problem(f"{prefix}.{p.where}" if p.where else prefix, p.reason, p.hint) for p in self.problems
        ]
        return type(self)(problems=moved)


class InputError(HwsimError):
    """The user's input is wrong; nothing was computed."""

    exit_code = EXIT_INPUT


class GraphError(InputError):
    """A network cannot be built or is inconsistent: shapes, names, roles, cycles."""


class DesignError(InputError):
    """A chip, preset or knob is unknown or out of range."""


class ConstantError(InputError):
    """A physical constant lacks its source, has the wrong unit or is used against its dimension."""


class MissingDatasheetRow(InputError):
    """A trace uses a (unit, action) pair that the datasheet does not price."""


class UnsupportedOp(InputError):
    """The chip cannot run an operator, and the policy is to stop."""

    exit_code = EXIT_INFEASIBLE


class ScheduleInfeasible(InputError):
    """No schedule exists for the given scratchpad."""

    exit_code = EXIT_INFEASIBLE


class TooLong(InputError):
    """A result does not fit into 64 bits: the network is too large or the chip too slow to be timed."""


class TimeLimit(InputError):
    """The time limit passed before any solution was found."""

    exit_code = EXIT_TIME_LIMIT


class VerifyError(HwsimError):
    """An invariant of hwsim itself does not hold: our bug, never the user's."""

    exit_code = EXIT_INTERNAL


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest of `known`, or lists a few when none is close.

    Examples
    --------
    >>> nearest("array_row", ["array_rows", "array_cols"])
    "did you mean 'array_rows'?"
    """
    names = sorted(set(known))
    lowered = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known: {shown}"
