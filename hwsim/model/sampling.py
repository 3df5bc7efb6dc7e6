"""What a chip that answers at random says: how often it is right, and which states it ends in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

CERTAINTY_RATIO = 0.99


@dataclass(frozen=True, slots=True)
class StateCount:
    """A state of the visible wires.

    Attributes
    ----------
    values : mapping of str to int
        Number on every bus, bit on every single wire.
    count : int
        Attempts that ended in it.
    valid : bool
        Whether the circuit turns its inputs into its outputs.
    """

    values: Mapping[str, int]
    count: int
    valid: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """Attempts of a chip to find states that fulfil a circuit and its clamps.

    Attributes
    ----------
    clamps : mapping of str to int
        What was held, by bus or wire.
    mode : str
        free, forward, reverse or partial: what was held.
    scored_by : str
        Which state of an attempt is its answer.
    attempts, valid_attempts : int
        Answers, and those that are right.
    answers : int or None
        States that would be right; None: too many assignments to try them all.
    free_bits : int
        Visible bits that were not held.
    attempt_cycles : int
        Clocks of an attempt.
    clock_hz : float
        Clocks in a second.
    ground_energy, lowest_energy : int
        Energy of every state in which all gates hold, and the lowest that an attempt ended in.
    states : tuple of StateCount
        Most frequent first, equal counts in the order of their values.
    distinct_states : int
        How many different answers there were; `states` holds the most frequent ones.
    notes, warnings : tuple of str
        How the run was set up, and what the user should know about it.
    """

    clamps: Mapping[str, int]
    mode: str
    scored_by: str
    attempts: int
    valid_attempts: int
    answers: int | None
    free_bits: int
    attempt_cycles: int
    clock_hz: float
    ground_energy: int
    lowest_energy: int
    states: tuple[StateCount, ...]
    distinct_states: int
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def success_ratio(self) -> float:
        """Share of attempts that are right."""
        return self.valid_attempts / self.attempts

    @property
    def guess_ratio(self) -> float | None:
        """Chance of a guess at all free visible bits; None if the answers were not counted."""
        return None if self.answers is None else self.answers / 2**self.free_bits

    def solution_cycles(self, success_ratio: float | None = None) -> float:
        """Return the clocks until an attempt was right with 99 % certainty.

        Run length x ln(0.01) / ln(1 - p), at least one attempt; infinite for p = 0.
        """
        p = self.success_ratio if success_ratio is None else success_ratio
        if p <= 0.0:
            return math.inf
        needed = 1.0 if p >= CERTAINTY_RATIO else math.log(1 - CERTAINTY_RATIO) / math.log1p(-p)
        return self.attempt_cycles * max(1.0, needed)
