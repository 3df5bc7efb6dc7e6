"""Decoders of linear codes by message passing, many codewords side by side.

Edges are numbered check by check: those of check c are ``starts[c]`` to ``starts[c + 1]``. The last axis of
all arrays is the codeword, so that the inner loops are vectors. A message of 0 counts as positive; the
smallest magnitude is then 0, and so the sign reaches nobody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once

Ints = NDArray[np.int64]
Words = NDArray[np.int32]
Floats = NDArray[np.float64]

MIN_SUM, OFFSET, FACTOR = 0, 1, 2


@compiled_at_once
def min_sum(llr: Words, starts: Ints, variables: Ints, weights: Words, rule: int, point_bits: int,
            largest: int) -> Words:
    """Return the totals after all iterations of min-sum, flooding schedule.

    Parameters
    ----------
    llr : int32[n, lanes]
        Channel LLRs, at most `largest` in magnitude.
    starts, variables : int64[checks + 1], int64[E]
        The Tanner graph.
    weights : int32[iterations, E]
        Offsets in steps of the LLR, or factors with `point_bits` bits behind the point; its length is the
        number of iterations under every rule.
    rule, point_bits : int
        MIN_SUM, OFFSET: max(magnitude - offset, 0), or FACTOR: rounded half up.
    largest : int
        Messages saturate at this magnitude; totals are exact.

    Returns
    -------
    totals : int32[n, lanes]
        Channel LLR plus all messages of the last iteration.
    """
    lanes = llr.shape[1]
    totals, messages = llr.copy(), np.zeros((variables.size, lanes), np.int32)
    heard = np.empty((variables.size, lanes), np.int32)
    smallest, second = np.empty(lanes, np.int32), np.empty(lanes, np.int32)
    signs = np.empty(lanes, np.int32)
    half = (1 << point_bits) >> 1
    top = np.int32(largest)
    for t in range(weights.shape[0]):
        for c in range(starts.size - 1):
            smallest[:] = top
            second[:] = top
            signs[:] = 0
            for e in range(starts[c], starts[c + 1]):
                v = variables[e]
                for f in range(lanes):
                    value = min(max(np.int32(totals[v, f] - messages[e, f]), -top), top)
                    magnitude = abs(value)
                    heard[e, f] = value
                    signs[f] ^= value
                    second[f] = min(second[f], max(smallest[f], magnitude))
                    smallest[f] = min(smallest[f], magnitude)
            for e in range(starts[c], starts[c + 1]):
                weight = weights[t, e]
                for f in range(lanes):
                    value = heard[e, f]
                    told = second[f] if abs(value) == smallest[f] else smallest[f]
                    if rule == OFFSET:
                        told = max(np.int32(told - weight), np.int32(0))
                    elif rule == FACTOR:
                        told = min(np.int32((told * weight + half) >> point_bits), top)
                    messages[e, f] = -told if (signs[f] ^ value) < 0 else told
        totals[:] = llr
        for e in range(variables.size):
            v = variables[e]
            for f in range(lanes):
                totals[v, f] += messages[e, f]
    return totals


@compiled_at_once
def sum_product(llr: Words, starts: Ints, variables: Ints, iterations: int, table: Floats,
                thresholds: Floats) -> Words:
    """Return the totals of sum-product decoding whose messages are integers, looked up in tables.

    Parameters
    ----------
    llr, starts, variables
        As in `min_sum`.
    iterations : int
        Iterations.
    table : float64[largest + 1]
        tanh(x / 2) of every magnitude.
    thresholds : float64[largest]
        Products from which an answer has magnitude 1, 2, ...: tanh half-way between two table entries.

    Returns
    -------
    totals : int32[n, lanes]
        As in `min_sum`.
    """
    lanes, largest = llr.shape[1], table.size - 1
    totals, messages = llr.copy(), np.zeros((variables.size, lanes), np.int32)
    heard = np.empty((variables.size, lanes), np.int32)
    before = np.empty((variables.size, lanes), np.float64)
    running, signs = np.empty(lanes, np.float64), np.empty(lanes, np.int32)
    for _ in range(iterations):
        for c in range(starts.size - 1):
            running[:] = 1.0
            signs[:] = 0
            for e in range(starts[c], starts[c + 1]):
                v = variables[e]
                for f in range(lanes):
                    value = min(max(totals[v, f] - messages[e, f], -largest), largest)
                    heard[e, f] = value
                    signs[f] ^= value
                    before[e, f] = running[f]
                    running[f] *= table[abs(value)]
            running[:] = 1.0
            for e in range(starts[c + 1] - 1, starts[c] - 1, -1):
                for f in range(lanes):
                    value = heard[e, f]
                    told = np.searchsorted(thresholds, before[e, f] * running[f], side="right")
                    running[f] *= table[abs(value)]
                    messages[e, f] = -told if (signs[f] ^ value) < 0 else told
        totals[:] = llr
        for e in range(variables.size):
            v = variables[e]
            for f in range(lanes):
                totals[v, f] += messages[e, f]
    return totals


@compiled_at_once
def belief_propagation(llr: Floats, starts: Ints, variables: Ints, iterations: int, limit: float) -> Floats:
    """Return the totals of sum-product decoding in double precision: the yardstick of all others.

    Parameters
    ----------
    llr : float64[n, lanes]
        Channel LLRs.
    starts, variables, iterations
        As in `sum_product`.
    limit : float
        Messages to checks are held within this magnitude, where tanh is still below 1.
    """
    lanes = llr.shape[1]
    totals, messages = llr.copy(), np.zeros((variables.size, lanes), np.float64)
    heard, before = np.empty((variables.size, lanes)), np.empty((variables.size, lanes))
    running = np.empty(lanes, np.float64)
    for _ in range(iterations):
        for c in range(starts.size - 1):
            running[:] = 1.0
            for e in range(starts[c], starts[c + 1]):
                v = variables[e]
                for f in range(lanes):
                    heard[e, f] = np.tanh(min(max(totals[v, f] - messages[e, f], -limit), limit) / 2)
                    before[e, f] = running[f]
                    running[f] *= heard[e, f]
            running[:] = 1.0
            for e in range(starts[c + 1] - 1, starts[c] - 1, -1):
                for f in range(lanes):
                    messages[e, f] = 2 * np.arctanh(before[e, f] * running[f])
                    running[f] *= heard[e, f]
        totals[:] = llr
        for e in range(variables.size):
            v = variables[e]
            for f in range(lanes):
                totals[v, f] += messages[e, f]
    return totals
