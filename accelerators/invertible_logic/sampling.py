"""Circuits run backwards, forwards and in between: anneals of many replicas, and what they end in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.invertible_logic.circuit import (
    Circuit,
    buses,
    circuit_of,
    count_answers,
    fulfilled,
    is_gate,
)
from accelerators.invertible_logic.circuit import spin_network as network_of
from accelerators.invertible_logic.clamps import clamped_spins, mode_of
from accelerators.invertible_logic.design import InvertibleLogicDesign, Score, Update
from accelerators.invertible_logic.hamiltonian import SpinNetwork
from accelerators.invertible_logic.lower import clocks_of
from hwsim.errors import InputError
from hwsim.graph.types import Graph
from hwsim.kernels import spin_network as kernel
from hwsim.model.sampling import Sampling, StateCount

Spins = NDArray[np.int8]
Ints = NDArray[np.int64]

LARGEST_BYTES = 4 * 2**30
"""Memory for states, answers and probabilities of a run."""

MOST_STATES = 256
"""States that a result lists."""


def sample(
    graph: Graph, design: InvertibleLogicDesign, clamps: Mapping[str, int], *, threads: int = 0
) -> Sampling:
    """Run `graph` with some wires held, `design.runs` times, and count the answers.

    Parameters
    ----------
    graph : Graph
        A circuit of gates, one sample wide.
    clamps : mapping of str to int
        Numbers on buses, bits on wires; empty: the circuit runs freely.
    threads : int
        Worker threads, 0 for one per processor; the bits do not depend on it.

    Raises
    ------
    InputError
        Everything that is wrong with `clamps`, or a graph that is no circuit.
    """
    if not any(is_gate(op) for op in graph.ops):
        raise InputError("holds no gates", where=graph.name, hint="circuits: hwsim list workloads")
    circuit = circuit_of(graph)
    if circuit.batch > 1:
        raise InputError(
            f"{circuit.batch} samples at once cannot be clamped", where=graph.name, hint="leave out --batch"
        )
    held = clamped_spins(circuit, clamps)
    network = network_of(circuit)
    ended = anneal(network, design, held, threads=threads, watched=np.array(circuit.visible, np.int64))
    visible = np.zeros((network.spins, ended.answers.shape[1]), np.int8)
    visible[list(circuit.visible)] = ended.answers
    valid = fulfilled(circuit, visible)
    answers = count_answers(circuit, held)
    states, distinct = _histogram(circuit, visible, valid)
    steps = "clocks" if design.update is Update.SYNCHRONOUS else "sweeps over all spins"
    return Sampling(
        clamps=dict(clamps),
        mode=mode_of(circuit, held),
        scored_by=f"{design.score.value} state",
        attempts=len(valid),
        valid_attempts=int(valid.sum()),
        answers=answers,
        free_bits=sum(spin not in held for spin in circuit.visible),
        attempt_cycles=clocks_of(network.spins, 1, design.model_copy(update={"anneals": 1})),
        clock_hz=design.clock_hz,
        ground_energy=circuit.ground_energy,
        lowest_energy=ended.lowest_energy,
        states=states,
        distinct_states=distinct,
        notes=(
            f"{network.spins} spins, {network.nonzeros // 2} couplings; runs: {design.runs}, "
            f"anneals in each: {design.anneals}, of {design.anneal_cycles} {steps}, "
            f"I0 from {design.i0_first_ratio:g} to {design.i0_last_ratio:g}",
        ),
        warnings=_warnings(circuit, answers, held),
    )


def _warnings(circuit: Circuit, answers: int | None, held: Mapping[int, int]) -> tuple[str, ...]:
    free = sum(spin not in held for spin in circuit.inputs)
    found = []
    if answers is None:
        found.append(
            f"2^{free} assignments of the free inputs are too many to try: how many answers there are, "
            "and whether there is any, is not known unless an attempt finds one"
        )
    if any(spin not in circuit.visible for spin in held):
        found.append("inner wires are held: answers are judged by inputs and outputs alone")
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Ended:
    """Where anneals ended.

    Attributes
    ----------
    answers : int8[watched, attempts]
        Spins of the answer of every attempt, runs in order, the anneals of a run next to each other.
    lowest_energy : int
        Of all final states.
    """

    answers: Spins
    lowest_energy: int


def anneal(
    network: SpinNetwork,
    design: InvertibleLogicDesign,
    held: Mapping[int, int],
    *,
    watched: Ints | None = None,
    threads: int = 0,
) -> Ended:
    """Anneal any spin network.

    Parameters
    ----------
    network, design : SpinNetwork, InvertibleLogicDesign
        What to anneal, and how.
    held : mapping of int to int
        0 or 1 by spin.
    watched : int64[watched], optional
        Spins that make up an answer; all of them if left out.
    threads : int
        As for `sample`.
    """
    seen = np.arange(network.spins) if watched is None else watched
    blocks = range(-(-design.runs // kernel.LANES))
    workers = min(threads or os.cpu_count() or 1, len(blocks))
    _check_size(network, design, len(seen), workers)
    plan = _Plan(network, design, dict(held), seen)
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            found = list(pool.map(plan.block, blocks))
    else:
        found = [plan.block(block) for block in blocks]
    # [watched, anneals, lanes] of every block: attempts of one run next to each other, spare lanes dropped.
    lanes = np.concatenate([answers for answers, _ in found], axis=2)[:, :, : design.runs]
    energies = np.concatenate([energy for _, energy in found], axis=1)[:, : design.runs]
    answers = np.ascontiguousarray(lanes.transpose(0, 2, 1)).reshape(len(seen), -1)
    return Ended(answers, int(energies.min()))


def _check_size(network: SpinNetwork, design: InvertibleLogicDesign, seen: int, workers: int) -> None:
    """Raise InputError if the run would need more memory than `LARGEST_BYTES`."""
    runs = -(-design.runs // kernel.LANES) * kernel.LANES
    needed = {"answers": (2 * runs * design.anneals * (seen + 8), "fewer runs or anneals")}
    if design.score is Score.MODE:
        states = design.anneal_cycles * seen * kernel.LANES * workers
        needed["states of every clock"] = (states, "fewer anneal_cycles, or score=final")
    if design.update is Update.SEQUENTIAL:
        probabilities = design.anneal_cycles * (2 * int(network.fields.max()) + 1) * 24
        needed["probabilities"] = (probabilities, "fewer anneal_cycles, or update=synchronous")
    whole = sum(part for part, _ in needed.values())
    if whole > LARGEST_BYTES:
        what, (most, less) = max(needed.items(), key=lambda item: item[1])
        raise InputError(
            f"sampling needs {whole / 2**30:.3g} GiB, more than {LARGEST_BYTES / 2**30:.0f}; "
            f"{what} take {most / 2**30:.3g}",
            where="invertible_logic",
            hint=less,
        )


class _Plan:
    """All that blocks of replicas share."""

    def __init__(
        self, network: SpinNetwork, design: InvertibleLogicDesign, held: dict[int, int], seen: Ints
    ) -> None:
        self.network, self.design, self.held, self.seen = network, design, held, seen
        self.clamped = np.zeros(network.spins, np.uint8)
        self.clamped[list(held)] = 1
        reach = int(network.fields.max())
        self.level = max(1, round(design.noise_probability * kernel.NOISE_LEVELS))
        self.dtype: Any = np.int8
        if design.update is Update.SYNCHRONOUS:
            widest = design.largest_i0 + reach + design.noise_weight
            self.dtype = next(kind for kind in (np.int8, np.int16, np.int32) if widest <= np.iinfo(kind).max)
            self.bounds = design.bounds
        else:
            self.dtype = np.int8 if reach <= np.iinfo(np.int8).max else np.int16
            fields = np.arange(-reach, reach + 1)
            self.thresholds = thresholds(design.i0, fields)

    def block(self, number: int) -> tuple[Spins, Ints]:
        """Return answers [watched, anneals, LANES] and energies of final states [anneals, LANES]."""
        design, network = self.design, self.network
        words = kernel.seed_words(design.seed, number)
        state = np.empty((network.spins, kernel.LANES), self.dtype)
        for spin, bit in self.held.items():
            state[spin] = 2 * bit - 1
        kernel.draw_spins(state, self.clamped, words)
        counters = np.zeros_like(state)
        by_mode = design.score is Score.MODE
        record = np.zeros((design.anneal_cycles if by_mode else 0, len(self.seen), kernel.LANES), np.int8)
        watched = self.seen if by_mode else self.seen[:0]
        answers = np.empty((len(self.seen), design.anneals, kernel.LANES), np.int8)
        energies = np.empty((design.anneals, kernel.LANES), np.int64)
        for turn in range(design.anneals):
            rows = (network.offsets, network.neighbours, network.weights, network.h, self.clamped)
            if design.update is Update.SYNCHRONOUS:
                kernel.anneal_synchronous(
                    state,
                    counters,
                    *rows,
                    self.bounds,
                    design.top,
                    design.noise_weight,
                    self.level,
                    words,
                    watched,
                    record,
                )
            else:
                kernel.anneal_sequential(state, *rows, self.thresholds, words, watched, record)
            answers[:, turn] = _modes(record) if by_mode else state[self.seen]
            energies[turn] = network.energies(state)
        return answers, energies


def thresholds(i0: NDArray[np.float64], fields: Ints) -> Ints:
    """Return 2**32 P(m = +1) by clock and field: P = (1 + tanh(I0 F)) / 2."""
    odds = (1 + np.tanh(i0[:, None] * fields[None, :])) / 2
    found: Ints = np.rint(odds * 2.0**32).astype(np.int64)
    return found


def _modes(record: Spins) -> Spins:
    """Return the most frequent state of every lane [watched, LANES] of [clocks, watched, LANES]."""
    found = np.empty(record.shape[1:], np.int8)
    for lane in range(record.shape[2]):
        states, counts = np.unique(record[:, :, lane], axis=0, return_counts=True)
        found[:, lane] = states[counts.argmax()]
    return found


def _histogram(
    circuit: Circuit, visible: Spins, valid: NDArray[np.bool_]
) -> tuple[tuple[StateCount, ...], int]:
    """Return the most frequent states of the buses, and how many different ones there were."""
    shown = list(circuit.visible)
    states, first, counts = np.unique(visible[shown], axis=1, return_index=True, return_counts=True)
    rows = {spin: place for place, spin in enumerate(shown)}
    order = np.argsort(-counts, kind="stable")[:MOST_STATES]
    named = buses(circuit)
    found = []
    for place in order.tolist():
        bits = states[:, place] > 0
        values = {
            name: sum(int(bits[rows[spin]]) << i for i, spin in enumerate(spins))
            for name, spins in named.items()
        }
        found.append(StateCount(values, int(counts[place]), bool(valid[first[place]])))
    found.sort(key=lambda state: (-state.count, tuple(state.values.values())))
    return tuple(found), len(counts)
