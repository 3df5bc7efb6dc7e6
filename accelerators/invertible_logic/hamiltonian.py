"""Spin networks: integer biases and couplings, their energies, ground states and exact distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Spins = NDArray[np.int8]

MOST_FREE_SPINS = 20
"""Spins that are free to move in an exact enumeration: 2**20 states."""


@dataclass(frozen=True, eq=False)
class SpinNetwork:
    """Spins with E = -sum h_i m_i - sum over pairs J_ij m_i m_j, m in {-1, +1}.

    Attributes
    ----------
    names : tuple of str
        One per spin.
    h : int64[spins]
        Biases.
    offsets, neighbours, weights : int64[spins + 1], int64[nonzeros], int64[nonzeros]
        Rows of the symmetric J, zeros left out; spin i owns the slice offsets[i] to offsets[i + 1].
    """

    names: tuple[str, ...]
    h: Ints
    offsets: Ints
    neighbours: Ints
    weights: Ints

    @property
    def spins(self) -> int:
        """Number of spins."""
        return len(self.names)

    @property
    def nonzeros(self) -> int:
        """Nonzero entries of J, both triangles."""
        return len(self.weights)

    @property
    def fields(self) -> Ints:
        """Largest local field of every spin: abs(h) + sum of abs(J)."""
        sums = np.zeros(self.spins, np.int64)
        np.add.at(sums, self.rows, np.abs(self.weights))
        return sums + np.abs(self.h)

    @property
    def rows(self) -> Ints:
        """Row of every nonzero of J."""
        return np.repeat(np.arange(self.spins), np.diff(self.offsets))

    def matrix(self) -> Ints:
        """Return J in full."""
        full = np.zeros((self.spins, self.spins), np.int64)
        full[self.rows, self.neighbours] = self.weights
        return full

    def energies(self, states: Spins) -> Ints:
        """Return the energy of every state of `states` [spins, states] of -1 and +1."""
        wide = states.astype(np.int64)
        found: Ints = -(self.h @ wide)
        upper = self.rows < self.neighbours
        for i, j, weight in zip(self.rows[upper], self.neighbours[upper], self.weights[upper], strict=True):
            found -= weight * wide[i] * wide[j]
        return found


def from_entries(names: Sequence[str], h: Ints, entries: dict[tuple[int, int], int]) -> SpinNetwork:
    """Return a network from biases and the nonzero couplings of pairs i < j; zeros are left out."""
    both = [(i, j, w) for (i, j), w in entries.items() if w] + [
        (j, i, w) for (i, j), w in entries.items() if w
    ]
    ordered = np.array(sorted(both), np.int64).reshape(-1, 3)
    counts = (
        np.bincount(ordered[:, 0], minlength=len(names)) if len(ordered) else np.zeros(len(names), np.int64)
    )
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    neighbours, weights = (np.ascontiguousarray(ordered[:, column]) for column in (1, 2))
    return SpinNetwork(tuple(names), np.asarray(h, np.int64), offsets, neighbours, weights)


def from_matrix(h: Any, j: Any, names: Sequence[str] = ()) -> SpinNetwork:
    """Return the network of biases `h` [spins] and couplings `j` [spins, spins].

    Raises
    ------
    InputError
        Wrong shapes, weights that are no whole numbers, a J that is not symmetric or has a diagonal, names
        that are missing or used twice; everything at once.
    """
    bias, couplings = np.asarray(h), np.asarray(j)
    if bias.ndim != 1 or couplings.shape != (len(bias), len(bias)):
        raise InputError(
            f"h {list(bias.shape)} and J {list(couplings.shape)} are no [n] and [n, n]", where="J"
        )
    labels = tuple(names) or tuple(f"m{i}" for i in range(len(bias)))
    problems = [*_number_problems("h", bias), *_number_problems("J", couplings)]
    if not problems:
        problems += _symmetry_problems(couplings)
    if len(labels) != len(bias):
        problems.append(Problem("names", f"{len(labels)} names for {len(bias)} spins"))
    twice = sorted({name for name in labels if labels.count(name) > 1})
    problems += [Problem("names", f"{name!r} is used twice") for name in twice]
    if problems:
        raise InputError(problems=problems)
    upper = np.argwhere(np.triu(couplings, 1))
    entries = {(int(i), int(k)): int(couplings[i, k]) for i, k in upper}
    return from_entries(labels, bias.astype(np.int64), entries)


def _number_problems(name: str, values: NDArray[Any]) -> list[Problem]:
    if values.dtype.kind not in "iuf":
        return [Problem(name, f"holds {values.dtype}, not whole numbers")]
    off = np.argwhere(~(np.isfinite(values) & (np.floor(values) == values)))
    return [
        Problem(
            f"{name}[{', '.join(map(str, place))}]",
            f"{values[tuple(place)]} is no whole number; adders and counters hold integers",
            "scale all weights by a common factor and round",
        )
        for place in off.tolist()
    ]


def _symmetry_problems(j: NDArray[Any]) -> list[Problem]:
    diagonal = np.flatnonzero(np.diagonal(j)).tolist()
    problems = [
        Problem(
            f"J[{i}, {i}]",
            f"is {j[i, i]}; a spin does not couple to itself",
            "move it away: m * m is always 1",
        )
        for i in diagonal
    ]
    uneven = np.argwhere(np.triu(j != j.T, 1)).tolist()
    problems += [
        Problem(f"J[{i}, {k}]", f"is {j[i, k]}, but J[{k}, {i}] is {j[k, i]}; couplings are symmetric")
        for i, k in uneven
    ]
    return problems


def all_states(network: SpinNetwork, clamps: dict[int, int]) -> Spins:
    """Return every state [spins, 2**free] in which the spins of `clamps` have their values of 0 or 1.

    Raises
    ------
    InputError
        More than `MOST_FREE_SPINS` are free.
    """
    free = [i for i in range(network.spins) if i not in clamps]
    if len(free) > MOST_FREE_SPINS:
        raise InputError(
            f"{len(free)} free spins are too many to enumerate",
            where="states",
            hint=f"at most {MOST_FREE_SPINS}; clamp some",
        )
    number = np.arange(2 ** len(free))
    states = np.empty((network.spins, len(number)), np.int8)
    for place, i in enumerate(free):
        states[i] = 2 * ((number >> place) & 1) - 1
    for i, bit in clamps.items():
        states[i] = 2 * bit - 1
    return states


def ground_states(network: SpinNetwork, clamps: dict[int, int] | None = None) -> tuple[int, Spins]:
    """Return the smallest energy and all states [spins, states] that have it, by brute force."""
    states = all_states(network, clamps or {})
    energies = network.energies(states)
    lowest = int(energies.min())
    return lowest, states[:, energies == lowest]


def boltzmann(network: SpinNetwork, i0: float, clamps: dict[int, int] | None = None) -> tuple[Spins, Floats]:
    """Return all states [spins, states] and P proportional to exp(-i0 E): where sequential updates settle."""
    states = all_states(network, clamps or {})
    energies = network.energies(states)
    weights = np.exp(-i0 * (energies - energies.min()))
    probabilities: Floats = weights / weights.sum()
    return states, probabilities
