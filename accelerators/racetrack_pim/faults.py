"""Transverse reads that are off by one, and votes on several results: measured on real additions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelerators.racetrack_pim.design import RacetrackDesign
from hwsim.errors import InputError
from hwsim.kernels.racetrack_words import add_faulty

Ints = NDArray[np.int64]
EXTREME_RATIO = 0.5
"""A count of no or of all domains can err one way only, and does so half as often (SPIMulator)."""


def added(operands: Ints, bits: int, design: RacetrackDesign, seed: int = 0) -> Ints:
    """Return sums modulo 2**bits, computed `redundancy` times with faults and voted on bit by bit.

    Parameters
    ----------
    operands : int64[k, n]
        Unsigned numbers.
    bits : int
        Their width, at most 62.
    design : RacetrackDesign
        Distance, probability of a fault, redundancy.
    seed : int
        Of the faults.

    Raises
    ------
    InputError
        More operands than the distance leaves room for, or numbers that do not fit.
    """
    if len(operands) > design.operands:
        raise InputError(
            f"{len(operands)} operands, distance {design.trd} takes {design.operands}",
            where="racetrack_pim.added",
        )
    if not 1 <= bits <= 62 or operands.min(initial=0) < 0 or operands.max(initial=0) >> bits:
        raise InputError(f"numbers that do not fit {bits} bits, or more than 62", where="racetrack_pim.added")
    p = design.fault_probability
    runs: list[Ints] = [
        add_faulty(operands, bits, design.trd, p, EXTREME_RATIO, seed * 8 + run)
        for run in range(design.redundancy)
    ]
    if len(runs) == 1:
        return runs[0]
    majority = np.zeros_like(runs[0])
    for bit in range(bits):
        votes = np.stack([(run >> bit) & 1 for run in runs]).sum(0)
        majority |= (votes > design.redundancy // 2).astype(np.int64) << bit
    return majority


def error_ratio(design: RacetrackDesign, bits: int, samples: int, seed: int = 0) -> float:
    """Return the share of wrong sums among `samples` random ones."""
    rng = np.random.default_rng(seed)
    operands = rng.integers(0, 2**bits, (design.operands, samples))
    wrong = added(operands, bits, design, seed) != operands.sum(0) % 2**bits
    return float(wrong.mean())
