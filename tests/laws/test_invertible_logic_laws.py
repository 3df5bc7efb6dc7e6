"""Spin kernels against independent code: same bits as numpy, exact distributions, any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.invertible_logic.circuit import buses, circuit_of, fulfilled, spin_network
from accelerators.invertible_logic.hamiltonian import SpinNetwork, boltzmann, from_matrix
from accelerators.invertible_logic.sampling import anneal, sample, thresholds
from hwsim.kernels import spin_network as kernel
from hwsim.run import chip, load
from tests.examples import examples

NONE = np.zeros(0, np.int64)
NOTHING = np.zeros((0, 0, kernel.LANES), np.int8)


def random_network(rng: np.random.Generator, spins: int) -> SpinNetwork:
    j = np.triu(rng.integers(-3, 4, (spins, spins)) * (rng.random((spins, spins)) < 0.6), 1)
    return from_matrix(rng.integers(-3, 4, spins), j + j.T)


def design(**knobs: Any) -> Any:
    return chip("invertible_logic", **knobs).design


def stepped(words: list[int]) -> list[int]:
    """Advance 64-bit shift registers by Marsaglia's three shifts, in Python integers."""
    mask = 2**64 - 1
    found = []
    for word in words:
        word ^= word << 13 & mask
        word ^= word >> 7
        found.append(word ^ (word << 17 & mask))
    return found


def lanes_of(words: list[int]) -> np.ndarray:
    return np.array([word >> 8 * place & 255 for word in words for place in range(8)])


def drawn(words: list[int], spins: int, held: dict[int, int]) -> tuple[list[int], np.ndarray]:
    """Draw the first state as the kernel says it does."""
    state = np.empty((spins, kernel.LANES), np.int64)
    for i in range(spins):
        words = stepped(words)
        state[i] = 2 * held[i] - 1 if i in held else np.where(lanes_of(words) >= 128, 1, -1)
    return words, state


@given(
    seed=st.integers(0, 10_000),
    spins=st.integers(1, 7),
    noise=st.integers(1, 4),
    level=st.sampled_from([1, 40, 127, 128]),
    top=st.integers(0, 1),
    clocks=st.integers(1, 6),
    dtype=st.sampled_from([np.int8, np.int16]),
)
@examples(30)
def test_synchronous_updates_are_those_of_numpy(
    seed: int, spins: int, noise: int, level: int, top: int, clocks: int, dtype: Any
) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, spins)
    held = {i: int(rng.integers(2)) for i in range(spins) if rng.random() < 0.2}
    bounds = rng.integers(1, 20, clocks)
    words = kernel.seed_words(seed, 3)
    plain = [int(word) for word in words]
    clamped = np.array([i in held for i in range(spins)], np.uint8)
    state = np.empty((spins, kernel.LANES), dtype)
    for i, bit in held.items():
        state[i] = 2 * bit - 1
    kernel.draw_spins(state, clamped, words)
    plain, expected = drawn(plain, spins, held)
    assert np.array_equal(state, expected)
    counters, record = np.zeros_like(state), np.empty((clocks, spins, kernel.LANES), np.int8)
    kernel.anneal_synchronous(
        state, counters, network.offsets, network.neighbours, network.weights, network.h, clamped, bounds,
        top, noise, level, words, np.arange(spins), record)  # fmt: skip
    sums = np.zeros_like(expected)
    for t, bound in enumerate(bounds):
        fields = network.h[:, None] + network.matrix() @ expected
        after = expected.copy()
        for i in range(spins):
            plain = stepped(plain)
            if i in held:
                continue
            lanes = lanes_of(plain)
            signs = np.where(lanes >= 128, noise, -noise) * ((lanes & 127) < level)
            sums[i] = np.clip(sums[i] + fields[i] + signs, -bound, bound - top)
            after[i] = np.where(sums[i] >= 0, 1, -1)
        expected = after
        assert np.array_equal(record[t], expected)
    assert np.array_equal(state, expected)
    assert np.array_equal(counters, sums)
    assert [int(word) for word in words] == plain


@given(seed=st.integers(0, 10_000), spins=st.integers(1, 5), sweeps=st.integers(1, 4))
@examples(15)
def test_sequential_updates_are_those_of_numpy(seed: int, spins: int, sweeps: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, spins)
    reach = int(network.fields.max())
    table = thresholds(rng.uniform(0.1, 2, sweeps), np.arange(-reach, reach + 1))
    words = kernel.seed_words(seed, 0)
    plain = [int(word) for word in words]
    state = np.empty((spins, kernel.LANES), np.int8)
    clamped = np.zeros(spins, np.uint8)
    kernel.draw_spins(state, clamped, words)
    plain, expected = drawn(plain, spins, {})
    kernel.anneal_sequential(
        state, network.offsets, network.neighbours, network.weights, network.h, clamped, table, words, NONE,
        NOTHING)  # fmt: skip
    for t in range(sweeps):
        for i in range(spins):
            draws: list[int] = []
            while len(draws) < kernel.LANES:
                plain = stepped(plain)
                draws += [word >> 32 for word in plain]
            field = network.h[i] + network.matrix()[i] @ expected
            expected[i] = np.where(np.array(draws) < table[t][field + reach], 1, -1)
    assert np.array_equal(state, expected)


def test_plain_and_compiled_kernels_agree() -> None:
    network = random_network(np.random.default_rng(5), 3)
    results = []
    for form in ("plain", "fast"):
        with np.errstate(over="ignore"):
            words = getattr(kernel.seed_words, form)(7, 1)
            state, clamped = np.empty((3, kernel.LANES), np.int8), np.zeros(3, np.uint8)
            getattr(kernel.draw_spins, form)(state, clamped, words)
            counters, rows = np.zeros_like(state), (network.offsets, network.neighbours, network.weights)
            record = np.zeros((2, 1, kernel.LANES), np.int8)
            getattr(kernel.anneal_synchronous, form)(
                state, counters, *rows, network.h, clamped, np.array([2, 5]), 1, 2, 100, words, np.array([1]),
                record)  # fmt: skip
            table = thresholds(np.array([0.7]), np.arange(-12, 13))
            getattr(kernel.anneal_sequential, form)(
                state, *rows, network.h, clamped, table, words, np.array([0]), record[:1]
            )
            total = np.zeros(4, np.int8)
            getattr(kernel.add_lanes, form)(total, np.arange(4, dtype=np.int8), 3)
        results.append([words, state, counters, record, total])
    for plain, fast in zip(*results, strict=True):
        assert np.array_equal(plain, fast)


def test_shift_registers_have_the_longest_period() -> None:
    """The matrix T of a step has order 2**64 - 1: T**order is 1, and no T**(order / prime) is."""
    columns = [stepped([1 << place])[0] for place in range(64)]

    def times(left: list[int], right: list[int]) -> list[int]:
        found = []
        for column in right:
            value = 0
            for place in range(64):
                if column >> place & 1:
                    value ^= left[place]
            found.append(value)
        return found

    squares = [columns]
    for _ in range(63):
        squares.append(times(squares[-1], squares[-1]))

    def power(exponent: int) -> list[int]:
        found = [1 << place for place in range(64)]
        for place in range(64):
            if exponent >> place & 1:
                found = times(squares[place], found)
        return found

    order, one = 2**64 - 1, [1 << place for place in range(64)]
    primes = (3, 5, 17, 257, 641, 65537, 6700417)
    assert np.prod(np.array(primes, object)) == order
    assert power(order) == one
    assert all(power(order // prime) != one for prime in primes)


@pytest.mark.parametrize("i0", [0.5, 1.0])
@pytest.mark.parametrize("name", ["gate_and", "gate_full_adder"])
def test_sequential_samples_follow_the_exact_distribution(name: str, i0: float) -> None:
    network = spin_network(circuit_of(load(name)))
    runs = 20 * kernel.LANES
    own = design(update="sequential", i0_first_ratio=i0, i0_last_ratio=i0, anneal_cycles=60, runs=runs)
    found = anneal(network, own, {}).answers
    states, odds = boltzmann(network, i0)
    number = 1 << np.arange(network.spins)
    counts = np.bincount(number @ (found > 0), minlength=len(odds))[number @ (states > 0)]
    sigma = np.sqrt(runs * odds * (1 - odds))
    assert np.all(np.abs(counts - runs * odds) <= 4 * sigma + 1)


def test_sequential_samples_with_held_wires_follow_the_exact_distribution() -> None:
    circuit = circuit_of(load("multiplier_2x2"))
    own = design(update="sequential", i0_first_ratio=0.25, i0_last_ratio=1.0, anneal_cycles=400, runs=8192)
    held = {spin: 6 >> i & 1 for i, spin in enumerate(buses(circuit)["P"])}
    states, odds = boltzmann(spin_network(circuit), 1.0, held)
    exact = odds[fulfilled(circuit, states)].sum()
    found = sample(load("multiplier_2x2"), own, {"P": 6})
    assert abs(found.success_ratio - exact) <= 4 * np.sqrt(exact * (1 - exact) / 8192)


SIMULATED = [
    ({"Y": 0}, 4, 1, {(0, 0): 0.341, (0, 1): 0.326, (1, 0): 0.332}),
    ({"Y": 1}, 4, 1, {(1, 1): 1.0}),
    ({"A": 1, "B": 1}, 4, 1, {(1, 1): 1.0}),
    ({}, 4, 1, {(0, 0): 0.22, (0, 1): 0.21, (1, 0): 0.22, (1, 1): 0.35}),
    ({"Y": 0}, 1, 1, {(1, 1): 0.077}),
    ({"Y": 0}, 1, 3, {(1, 1): 0.25}),
]


@pytest.mark.parametrize(("held", "i0", "noise", "shares"), SIMULATED)
def test_an_and_gate_settles_as_in_an_independent_simulation(
    held: dict[str, int], i0: int, noise: int, shares: dict[tuple[int, int], float]
) -> None:
    own = chip("invertible_logic:fixed", score="final", anneal_cycles=300, noise_weight=noise, runs=8192,
               i0_first_ratio=i0, i0_last_ratio=i0).design  # fmt: skip
    found = sample(load("gate_and"), own, held)
    seen: dict[tuple[int, int], float] = {}
    for state in found.states:
        key = (state.values["A"], state.values["B"])
        seen[key] = seen.get(key, 0) + state.count / found.attempts
    for key, share in shares.items():
        assert seen[key] == pytest.approx(share, abs=0.025)


@pytest.mark.parametrize(
    ("name", "held", "knobs", "expected"),
    [
        ("multiplier_3x3", {"P": 35}, {"anneal_cycles": 256}, 0.62),
        ("multiplier_4x4", {"P": 143}, {}, 0.20),
        ("multiplier_5x5", {"P": 667}, {"anneal_cycles": 1024}, 0.054),
        ("multiplier_4x4", {"A": 11, "B": 13}, {}, 0.17),
    ],
)
def test_factorizing_succeeds_as_often_as_in_an_independent_simulation(
    name: str, held: dict[str, int], knobs: dict[str, int], expected: float
) -> None:
    """That one rounded no I0, so that its odds are met within 0.05 or a third, not within its noise."""
    found = sample(load(name), design(noise_weight=3, runs=4096, **knobs), held)
    assert found.success_ratio == pytest.approx(expected, abs=0.05, rel=1 / 3)
    assert found.success_ratio > 10 * (found.guess_ratio or 1)


def test_threads_do_not_change_a_bit() -> None:
    own = design(runs=3 * kernel.LANES - 5, anneal_cycles=40, anneals=2)
    graph = load("multiplier_3x3")
    assert sample(graph, own, {"P": 35}, threads=1) == sample(graph, own, {"P": 35}, threads=4)
    other = own.model_copy(update={"seed": 2})
    assert sample(graph, own, {"P": 35}).states != sample(graph, other, {"P": 35}).states


def test_more_runs_begin_with_the_same_ones() -> None:
    network = spin_network(circuit_of(load("multiplier_2x2")))
    short, long = (anneal(network, design(runs=runs, anneal_cycles=20, anneals=2), {}) for runs in (3, 700))
    assert np.array_equal(short.answers, long.answers[:, :6])
    assert long.answers.shape == (12, 1400)


def test_wider_counters_take_wider_lanes_and_give_the_same_states() -> None:
    """I0 beyond 8 bits that is never reached: a gate held at its inputs settles alike."""
    graph = load("gate_and")
    narrow, wide = (
        sample(
            graph, design(i0_first_ratio=i0, i0_last_ratio=i0, runs=600, anneal_cycles=5), {"A": 1, "B": 1}
        )
        for i0 in (100, 30000)
    )
    assert narrow.states == wide.states
