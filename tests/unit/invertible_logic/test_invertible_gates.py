"""Gates, Hamiltonians and exact distributions against truth tables and the published matrices."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest

from accelerators.invertible_logic.circuit import buses, circuit_of, count_answers, fulfilled, spin_network
from accelerators.invertible_logic.gates import GATES, results_of
from accelerators.invertible_logic.hamiltonian import (
    MOST_FREE_SPINS,
    all_states,
    boltzmann,
    from_matrix,
    ground_states,
)
from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.run import load

TRUTH = {
    "BUF": lambda a: (a,),
    "NOT": lambda a: (1 - a,),
    "AND": lambda a, b: (a & b,),
    "OR": lambda a, b: (a | b,),
    "NAND": lambda a, b: (1 - (a & b),),
    "NOR": lambda a, b: (1 - (a | b),),
    "XOR": lambda a, b: (a ^ b,),
    "HA": lambda a, b: ((a + b) & 1, (a + b) >> 1),
    "FA": lambda a, b, c: ((a + b + c) & 1, (a + b + c) >> 1),
}
NAMES = {"BUF": "buffer", "NOT": "not", "AND": "and", "OR": "or", "NAND": "nand", "NOR": "nor", "XOR": "xor"}
NETWORKS = {**{name: f"gate_{text}" for name, text in NAMES.items()}, "HA": "gate_half_adder"}
NETWORKS["FA"] = "gate_full_adder"


def rows(name: str) -> set[tuple[int, ...]]:
    """Return the truth table of a gate: operands, then results."""
    return {(*bits, *TRUTH[name](*bits)) for bits in product((0, 1), repeat=len(GATES[name].inputs))}


@pytest.mark.parametrize("name", GATES)
def test_ground_states_are_the_truth_table(name: str) -> None:
    gate = GATES[name]
    energy, states = ground_states(from_matrix(gate.h, gate.j, gate.nodes))
    visible = len(gate.inputs) + len(gate.outputs)
    assert energy == gate.ground_energy
    assert {tuple((state[:visible] > 0).astype(int)) for state in states.T} == rows(name)
    assert states.shape[1] == len(rows(name))


@pytest.mark.parametrize(
    ("name", "spectrum"),
    [
        ("AND", {-3: 4, 1: 3, 9: 1}),
        ("HA", {-4: 4, -2: 7, 4: 4, 14: 1}),
        ("FA", {-4: 8, -2: 14, 4: 8, 14: 2}),
    ],
)
def test_spectra(name: str, spectrum: dict[int, int]) -> None:
    network = from_matrix(GATES[name].h, GATES[name].j)
    assert Counter(network.energies(all_states(network, {})).tolist()) == spectrum


@pytest.mark.parametrize("name", GATES)
def test_the_gap_above_the_truth_table(name: str) -> None:
    network = from_matrix(GATES[name].h, GATES[name].j)
    levels = sorted(set(network.energies(all_states(network, {})).tolist()))
    assert levels[1] - levels[0] == (4 if name in ("AND", "OR", "NAND", "NOR") else 2)


def test_a_half_adder_is_a_full_adder_without_carry() -> None:
    full, half = GATES["FA"], GATES["HA"]
    kept = [0, 1, 3, 4]
    assert tuple(full.h[i] - full.j[2][i] for i in kept) == half.h
    assert tuple(tuple(full.j[i][k] for k in kept) for i in kept) == half.j


@pytest.mark.parametrize("name", GATES)
def test_results_of_words_are_those_of_bits(name: str) -> None:
    rng = np.random.default_rng(0)
    operands = tuple(rng.integers(0, 2**63, 5, dtype=np.uint64) for _ in GATES[name].inputs)
    results = results_of(name, operands)
    for bit in range(63):
        for word in range(5):
            bits = [int(operand[word]) >> bit & 1 for operand in operands]
            assert tuple(int(result[word]) >> bit & 1 for result in results) == TRUTH[name](*bits)


@pytest.mark.parametrize(
    ("name", "i0", "expected"),
    [
        ("AND", 0.5, 0.9073),
        ("AND", 1, 0.98645),
        ("AND", 2, 0.99975),
        ("HA", 0.5, 0.6016),
        ("HA", 1, 0.8083),
        ("HA", 2, 0.9689),
        ("FA", 0.5, 0.6016),
        ("FA", 1, 0.8083),
        ("FA", 2, 0.9689),
    ],
)
def test_exact_odds_of_valid_states(name: str, i0: float, expected: float) -> None:
    network = from_matrix(GATES[name].h, GATES[name].j)
    states, odds = boltzmann(network, i0)
    valid = network.energies(states) == GATES[name].ground_energy
    assert odds.sum() == pytest.approx(1)
    assert odds[valid].sum() == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("name", GATES)
def test_networks_of_single_gates_have_their_matrices(name: str) -> None:
    network = spin_network(circuit_of(load(NETWORKS[name])))
    assert tuple(network.h.tolist()) == GATES[name].h
    assert tuple(map(tuple, network.matrix().tolist())) == GATES[name].j


@pytest.mark.parametrize(
    ("bits", "nonzeros", "coupling", "bias", "field", "ground"),
    [(2, 48, 2, 2, 11, -20), (3, 150, 2, 3, 13, -51), (4, 304, 2, 4, 16, -96), (5, 510, 2, 5, 20, None),
     (8, 1440, 2, 8, 32, None)],
)  # fmt: skip
def test_multipliers_have_the_published_sizes(
    bits: int, nonzeros: int, coupling: int, bias: int, field: int, ground: int | None
) -> None:
    circuit = circuit_of(load(f"multiplier_{bits}x{bits}"))
    network = spin_network(circuit)
    kinds = Counter(placed.gate.name for placed in circuit.gates)
    assert kinds == Counter({"AND": bits**2, "HA": bits, "FA": bits * (bits - 2)})
    assert network.spins == 3 * bits**2
    assert (network.nonzeros, np.abs(network.weights).max()) == (nonzeros, coupling)
    assert (np.abs(network.h).max(), network.fields.max()) == (bias, field)
    assert ground in (None, circuit.ground_energy)
    assert np.array_equal(network.matrix(), network.matrix().T)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_every_product_is_a_state_of_ground_energy(bits: int) -> None:
    circuit = circuit_of(load(f"multiplier_{bits}x{bits}"))
    network, named = spin_network(circuit), buses(circuit)
    for a, b in product(range(2**bits), repeat=2):
        clamps = {spin: value >> i & 1 for name, value in (("A", a), ("B", b))
                  for i, spin in enumerate(named[name])}  # fmt: skip
        state = wires_of(circuit, clamps)
        assert sum(int(state[spin] > 0) << i for i, spin in enumerate(named["P"])) == a * b
        assert network.energies(state[:, None])[0] == circuit.ground_energy


def wires_of(circuit: object, clamps: dict[int, int]) -> np.ndarray:
    """Return the state that the circuit computes from its inputs, gate after gate."""
    values = dict(clamps)
    for placed in circuit.gates:  # type: ignore[attr-defined]
        ins = len(placed.gate.inputs)
        results = TRUTH[placed.gate.name](*(values[i] for i in placed.spins[:ins]))
        values.update(zip(placed.spins[ins:], results, strict=False))
    return np.array([2 * values[i] - 1 for i in range(len(values))], np.int8)


def test_the_ground_states_of_a_multiplier_are_its_products() -> None:
    circuit = circuit_of(load("multiplier_2x2"))
    network, named = spin_network(circuit), buses(circuit)
    energy, states = ground_states(network)
    assert energy == circuit.ground_energy == -20
    assert states.shape[1] == 16
    numbers = {
        tuple(sum(int(state[s] > 0) << i for i, s in enumerate(named[name])) for name in "ABP")
        for state in states.T
    }
    assert numbers == {(a, b, a * b) for a in range(4) for b in range(4)}


def test_the_ground_states_of_an_adder_are_its_sums() -> None:
    circuit = circuit_of(load("adder_4"))
    network, named = spin_network(circuit), buses(circuit)
    energy, states = ground_states(network)
    assert (network.spins, energy, states.shape[1]) == (16, circuit.ground_energy, 256)
    a, b, s = (
        sum((states[spin] > 0).astype(int) << i for i, spin in enumerate(named[name])) for name in "ABS"
    )
    assert np.array_equal(a + b, s)
    assert len(set(zip(a.tolist(), b.tolist(), strict=True))) == 256


@pytest.mark.parametrize(("value", "expected"), [(6, 0.7559), (9, 0.9469), (4, 0.3679)])
def test_exact_odds_of_factors_in_a_small_multiplier(value: int, expected: float) -> None:
    circuit = circuit_of(load("multiplier_2x2"))
    held = {spin: value >> i & 1 for i, spin in enumerate(buses(circuit)["P"])}
    states, odds = boltzmann(spin_network(circuit), 1.0, held)
    assert odds[fulfilled(circuit, states)].sum() == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "clamps", "answers"),
    [
        ("multiplier_4x4", {"P": 143}, 2),
        ("multiplier_4x4", {"P": 13}, 2),
        ("multiplier_4x4", {"P": 17}, 0),
        ("multiplier_4x4", {"P": 0}, 31),
        ("multiplier_4x4", {"P": 143, "A": 11}, 1),
        ("multiplier_4x4", {}, 256),
        ("multiplier_5x5", {"P": 667}, 2),
        ("gate_xor", {"Y": 1}, 2),
        ("adder_4", {"S": 30}, 1),
        ("adder_4", {"S": 31}, 0),
        ("multiplier_8x8", {"P": 65025}, 1),
    ],
)
def test_answers_are_counted(name: str, clamps: dict[str, int], answers: int) -> None:
    circuit = circuit_of(load(name))
    named = buses(circuit)
    held = {spin: value >> i & 1 for bus, value in clamps.items() for i, spin in enumerate(named[bus])}
    assert count_answers(circuit, held) == answers


def test_too_many_assignments_are_not_counted_and_chunks_add_up() -> None:
    circuit = circuit_of(load("multiplier_16x16"))
    assert count_answers(circuit, {}) is None
    wide = circuit_of(load("adder_16"))
    named = buses(wide)
    held = dict.fromkeys(named["A"][:11], 0)  # 21 inputs are free: two chunks
    assert count_answers(wide, held) == 2**21


def test_one_wire_on_both_operands_is_a_constant_of_the_energy() -> None:
    b = GraphBuilder("double")
    x = b.input("x", (1,))
    b.output(b.add("logic_gate", [x, x], name="gate", outputs=["y"], function="nand"))
    circuit = circuit_of(b.build())
    energy, states = ground_states(spin_network(circuit))
    assert energy == circuit.ground_energy
    assert {tuple(state) for state in states.T} == {(1, -1), (-1, 1)}


def test_everything_that_is_wrong_with_a_matrix_is_said_at_once() -> None:
    j = np.array([[1.0, 2, 0], [3, 0, 0], [0, 0, 0]])
    with pytest.raises(InputError) as caught:
        from_matrix([0, 0, 0], j, ["a", "a", "b"])
    assert [problem.where for problem in caught.value.problems] == ["J[0, 0]", "J[0, 1]", "names"]
    assert "does not couple to itself" in str(caught.value)
    assert "J[1, 0] is 3.0; couplings are symmetric" in str(caught.value)
    with pytest.raises(InputError, match=r"h\[1\]: 0.5 is no whole number") as caught:
        from_matrix([0, 0.5], [[0, np.inf], [1.5, 0]])
    assert len(caught.value.problems) == 3
    with pytest.raises(InputError, match=r"h \[2\] and J \[3, 3\]"):
        from_matrix([0, 0], np.zeros((3, 3)))
    with pytest.raises(InputError, match="1 names for 2 spins"):
        from_matrix([0, 0], np.zeros((2, 2), int), ["a"])
    with pytest.raises(InputError, match="h: holds bool, not whole numbers"):
        from_matrix([True, False], np.zeros((2, 2), int))


def test_too_many_free_spins_are_refused() -> None:
    size = MOST_FREE_SPINS + 1
    network = from_matrix(np.zeros(size, int), np.zeros((size, size), int))
    with pytest.raises(InputError, match=f"{size} free spins are too many"):
        ground_states(network)
    assert ground_states(network, dict.fromkeys(range(size - 2), 1))[1].shape == (size, 4)
