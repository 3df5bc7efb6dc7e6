"""Mean, variance and distribution of the count that all row tiles accumulate, and of the decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accelerators.aqfp_bnn.design import ParallelCounter, TieRule
from accelerators.aqfp_bnn.neuron import Floats
from hwsim.errors import InputError


@dataclass(frozen=True, slots=True)
class Decision:
    """The count of one output over a stream of L cycles.

    Attributes
    ----------
    mean, variance : float
        Of the count.
    above_probability, tie_probability : float
        That it is above, and exactly, half of what it can be.
    one_probability : float
        That the output is 1.
    """

    mean: float
    variance: float
    above_probability: float
    tie_probability: float
    one_probability: float


def threshold_of(tiles: int, length: int, tie_rule: TieRule | None) -> int:
    """Return the least count that yields 1: half of R L, or one more where a tie yields 0.

    Raises
    ------
    InputError
        If R L is even, so that a tie can happen, and no rule decides it.
    """
    if tiles < 1 or length < 1:
        raise InputError(
            f"{tiles} tiles and a stream of {length} cycles must be at least 1",
            where="aqfp_bnn.stream_length",
        )
    total = tiles * length
    if total % 2 == 0 and tie_rule in (None, TieRule.NONE):
        raise InputError(
            f"{tiles} tiles x {length} cycles can tie at {total // 2} and no rule decides",
            where="aqfp_bnn.tie_rule",
            hint="set tie_rule=one or zero",
        )
    return total // 2 + 1 if tie_rule is TieRule.ZERO else -(-total // 2)


def terms_of(probabilities: Sequence[float], counter: ParallelCounter) -> list[tuple[int, float]]:
    """Return weight and probability of the independent bits that are added: tiles, or pairs of them."""
    p = list(probabilities)
    if counter is ParallelCounter.EXACT:
        return [(1, value) for value in p]
    found = []
    for i in range(0, len(p) - 1, 2):
        both = p[i] * p[i + 1]
        found.append((2, p[i] + p[i + 1] - both if i % 4 == 0 else both))
    return found + [(1, value) for value in p[len(p) - len(p) % 2 :]]


def binomial_distribution(length: int, probability: float) -> Floats:
    """Return P(k), k = 0..L, of L independent bits."""
    if probability in (0.0, 1.0):
        found = np.zeros(length + 1)
        found[length if probability else 0] = 1.0
        return found
    logs = [
        math.lgamma(length + 1) - math.lgamma(k + 1) - math.lgamma(length - k + 1)
        + k * math.log(probability) + (length - k) * math.log1p(-probability)
        for k in range(length + 1)
    ]  # fmt: skip
    return np.asarray(np.exp(np.array(logs)), np.float64)


def count_distribution(
    probabilities: Sequence[float], length: int, counter: ParallelCounter = ParallelCounter.EXACT
) -> Floats:
    """Return P(count), count = 0..R L: the Poisson-binomial distribution of all bits of all tiles."""
    found = np.ones(1)
    for weight, probability in terms_of(probabilities, counter):
        own = np.zeros(weight * length + 1)
        own[::weight] = binomial_distribution(length, probability)
        found = np.convolve(found, own)
    return found


def decision(
    probabilities: Sequence[float],
    length: int,
    tie_rule: TieRule | None,
    counter: ParallelCounter = ParallelCounter.EXACT,
) -> Decision:
    """Return moments and decision of a count: mean L sum p, variance L sum p (1 - p)."""
    tiles = len(probabilities)
    threshold = threshold_of(tiles, length, tie_rule)
    terms = terms_of(probabilities, counter)
    mean = length * math.fsum(weight * p for weight, p in terms)
    variance = length * math.fsum(weight * weight * p * (1 - p) for weight, p in terms)
    counts = count_distribution(probabilities, length, counter)
    half, odd = divmod(tiles * length, 2)
    tie = 0.0 if odd else float(counts[half])
    return Decision(mean, variance, float(counts[half + 1 :].sum()), tie, float(counts[threshold:].sum()))
