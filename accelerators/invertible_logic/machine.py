"""The network clock by clock, one spin gate at a time, in plain integers."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.invertible_logic.circuit import Circuit, circuit_of, spin_network
from accelerators.invertible_logic.design import InvertibleLogicDesign, Update
from accelerators.invertible_logic.hamiltonian import SpinNetwork
from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops.logic import GATE_OPERANDS
from hwsim.graph.types import BOOLEAN, Graph
from hwsim.model.types import MachineResult

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def random_graph(rng: np.random.Generator) -> Graph:
    """Return one to three gates or adder cells over shared wires."""
    b = GraphBuilder("random", format=BOOLEAN)
    batch = (int(rng.integers(1, 3)),)
    wires = [b.input(f"x{i}", batch) for i in range(3)]
    for place in range(int(rng.integers(1, 4))):
        if rng.integers(2):
            chosen = rng.choice(len(wires), int(rng.integers(2, 4)), replace=False)
            wires += b.add_many("adder_cell", [wires[i] for i in chosen], name=f"cell{place}", outputs=2)
        else:
            function = str(rng.choice(list(GATE_OPERANDS)))
            chosen = rng.choice(len(wires), GATE_OPERANDS[function], replace=False)
            wires.append(
                b.add("logic_gate", [wires[i] for i in chosen], name=f"gate{place}", function=function)
            )
    b.output(wires[-1])
    return b.build()


class _Draws:
    """Everything random of a run: start, signs and presence of noise, numbers to compare with."""

    def __init__(self, network: SpinNetwork, clocks: int, rng: np.random.Generator) -> None:
        shape = (clocks, network.spins)
        self.start: Ints = 2 * rng.integers(0, 2, network.spins) - 1
        self.signs: Ints = 2 * rng.integers(0, 2, shape) - 1
        self.levels: Ints = rng.integers(0, 128, shape)
        self.uniform: Floats = rng.uniform(-1, 1, shape)


def _bounds(design: InvertibleLogicDesign) -> list[float]:
    """Return I0 of every clock of a run, from the formula of the schedule."""
    last = max(1, design.anneal_cycles - 1)
    first, end = design.i0_first_ratio, design.i0_last_ratio
    if design.annealing_schedule == "geometric":
        once = [first * (end / first) ** (t / last) for t in range(design.anneal_cycles)]
    else:
        once = [first + (end - first) * t / last for t in range(design.anneal_cycles)]
    if design.update is Update.SYNCHRONOUS:
        once = [float(math.ceil(value * (1 - 1e-9))) for value in once]
    return once * design.anneals


def machine(graph: Graph, design: InvertibleLogicDesign, rng: np.random.Generator) -> MachineResult:
    """Step every operand of the batch through all anneals; values are the last spins and counters."""
    circuit = circuit_of(graph)
    network = spin_network(circuit)
    events: Counter[tuple[str, str]] = Counter()
    found = []
    for _ in range(circuit.batch):
        draws = _Draws(network, design.anneals * design.anneal_cycles, rng)
        found.append(_run(network, design, draws, events))
        for placed in circuit.gates:
            events["gates", "resolve"] += {"HA": 2, "FA": 5}.get(placed.gate.name, 1)
    events["io", "clamp"] += 1
    events["io", "read"] += 1
    return MachineResult(np.array(found), events["control", "clock"], dict(events))


def _run(
    network: SpinNetwork, design: InvertibleLogicDesign, draws: _Draws, events: Counter[tuple[str, str]]
) -> list[list[int]]:
    spins, counters = draws.start.tolist(), [0] * network.spins
    level = round(design.noise_probability * 128)
    for t, bound in enumerate(_bounds(design)):
        before = list(spins)
        for i in range(network.spins):
            start, stop = int(network.offsets[i]), int(network.offsets[i + 1])
            source = before if design.update is Update.SYNCHRONOUS else spins
            field = int(network.h[i])
            for place in range(start, stop):
                field += int(network.weights[place]) * source[network.neighbours[place]]
            events["spins", "update"] += 1
            events["noise", "draw"] += 1
            if design.update is Update.SYNCHRONOUS:
                noise = design.noise_weight * int(draws.signs[t, i]) if draws.levels[t, i] < level else 0
                counters[i] = int(max(-bound, min(bound - design.top, counters[i] + field + noise)))
                spins[i] = 1 if counters[i] >= 0 else -1
            else:
                _tick(events)
                spins[i] = 1 if draws.uniform[t, i] + math.tanh(bound * field) >= 0 else -1
        if design.update is Update.SYNCHRONOUS:
            _tick(events)
    return [spins, counters]


def _tick(events: Counter[tuple[str, str]]) -> None:
    events["control", "clock"] += 1
    events["spins", "hold"] += 1


def reference(graph: Graph, design: InvertibleLogicDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the values of `machine` by products with the full matrix J, which gates sum up one by one."""
    circuit = circuit_of(graph)
    h, j = _dense(circuit)
    found = []
    for _ in range(circuit.batch):
        draws = _Draws(spin_network(circuit), design.anneals * design.anneal_cycles, rng)
        state, counters = draws.start.copy(), np.zeros(len(h), np.int64)
        signs = np.where(draws.levels < round(design.noise_probability * 128), draws.signs, 0)
        for t in range(len(signs)):
            bound = design.i0[t % design.anneal_cycles]
            if design.update is Update.SYNCHRONOUS:
                limit = int(design.bounds[t % design.anneal_cycles])
                moved = counters + h + j @ state + design.noise_weight * signs[t]
                counters = np.clip(moved, -limit, limit - design.top)
                state = np.where(counters >= 0, 1, -1)
                continue
            for i in range(len(h)):
                odds = 1 / (1 + np.exp(np.clip(-2 * bound * (h[i] + j[i] @ state), -700, 700)))
                state[i] = 1 if draws.uniform[t, i] >= 1 - 2 * odds else -1
        found.append([state, counters])
    return np.array(found)


def _dense(circuit: Circuit) -> tuple[Ints, Ints]:
    size = len(circuit.wires)
    h, j = np.zeros(size, np.int64), np.zeros((size, size), np.int64)
    for placed in circuit.gates:
        where = np.array(placed.spins)
        h[where] += placed.gate.h
        j[np.ix_(where, where)] += np.array(placed.gate.j)
    return h, j


__all__ = ["machine", "random_graph", "reference"]
