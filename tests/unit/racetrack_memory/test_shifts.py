"""Shifts against closed forms, enumeration and the plain twin."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.racetrack_memory.datasheet import datasheet
from accelerators.racetrack_memory.design import PRESETS, Policy, PortSelection, RacetrackMemoryDesign
from accelerators.racetrack_memory.lower import transpose_program
from accelerators.racetrack_memory.shifts import Tapes, shifts_of_trace
from hwsim.errors import DesignError, InputError
from hwsim.kernels import tape_shifts
from hwsim.run import chip, evaluate, load
from tests.examples import examples

BASE = PRESETS["rtsim"]


def design(**knobs: object) -> RacetrackMemoryDesign:
    return RacetrackMemoryDesign.model_validate(BASE.model_dump() | knobs)


def uniform(domains: int, count: int = 1_000_000) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(1).integers(0, domains, count)


@pytest.mark.parametrize("domains", [32, 64])
def test_uniform_targets_meet_the_closed_forms(domains: int) -> None:
    targets = uniform(domains)
    zeros = np.zeros_like(targets)
    one = design(clusters=1, domains=domains, ports=1)
    lazy = Tapes(one).access(zeros, targets)
    assert lazy.total / len(targets) == pytest.approx((domains**2 - 1) / (3 * domains), rel=0.01)
    eager = Tapes(one.model_copy(update={"policy": Policy.EAGER})).access(zeros, targets)
    assert eager.total / 2 / len(targets) == pytest.approx((domains - 1) / 2, rel=0.01)


@pytest.mark.parametrize("ports", [1, 2, 4])
@pytest.mark.parametrize("selection", list(PortSelection))
def test_mean_of_eager_shifts_equals_exact_enumeration(ports: int, selection: PortSelection) -> None:
    one = design(clusters=1, domains=64, ports=ports, policy="eager", port_selection=selection)
    each = Tapes(one).access(np.zeros(64, int), np.arange(64)).each
    places = [j * 64 // ports for j in range(ports)]
    if selection is PortSelection.NEAREST:
        exact = [2 * min(abs(d - p) for p in places) for d in range(64)]
    else:
        exact = [2 * (d - places[d * ports // 64]) for d in range(64)]
    assert each.tolist() == exact
    single = Tapes(design(clusters=1, ports=1, policy="eager")).access(np.zeros(64, int), np.arange(64)).total
    assert sum(exact) < single or ports == 1


@given(
    st.integers(1, 5),
    st.integers(1, 12),
    st.integers(1, 4),
    st.sampled_from(Policy),
    st.sampled_from(PortSelection),
    st.integers(0, 2**32),
)
@examples(60)
def test_the_kernel_equals_its_plain_twin(
    clusters: int, domains: int, ports: int, policy: Policy, selection: PortSelection, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ports = min(ports, domains)
    made = design(clusters=clusters, domains=domains, ports=ports, policy=policy, port_selection=selection)
    cluster, domain = rng.integers(0, clusters, 50), rng.integers(0, domains, 50)
    fast = Tapes(made).access(cluster, domain)
    offset, shifts = np.zeros(clusters, np.int64), np.zeros(50, np.int64)
    assigned = np.arange(domains) * ports // domains
    total = tape_shifts.count_shifts.plain(
        cluster,
        domain,
        np.array(made.port_places),
        assigned,
        int(selection is PortSelection.ASSIGNED),
        int(policy is Policy.EAGER),
        offset,
        shifts,
    )
    assert (total, shifts.tolist()) == (fast.total, fast.each.tolist())


def test_accesses_in_pieces_are_accesses_in_one() -> None:
    targets = uniform(64, 1000)
    clusters = np.random.default_rng(2).integers(0, 256, 1000)
    whole = Tapes(BASE).access(clusters, targets).each
    tapes = Tapes(BASE)
    parts = [tapes.access(clusters[i : i + 7], targets[i : i + 7]).each for i in range(0, 1000, 7)]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("shape", [(4, 6), (3, 2, 5), (7,)])
def test_a_walked_trace_shifts_like_its_addresses(shape: tuple[int, ...]) -> None:
    for permutation in itertools.permutations(range(len(shape))):
        size = int(np.prod(shape))
        sources = np.arange(size).reshape(shape).transpose(permutation).ravel()
        addresses = np.stack([sources, size + np.arange(size)], axis=1).ravel()
        found = shifts_of_trace(transpose_program(shape, permutation), design(domains=8))
        expected = Tapes(design(domains=8)).access(addresses // 8, addresses % 8)
        assert np.array_equal(found.each, expected.each)


def test_compatible_latency_counts_a_command_and_energy_the_distance() -> None:
    graph = load("matrix_product_accesses")
    physical = evaluate(graph, chip("racetrack_memory", port_selection="assigned"))
    compatible = evaluate(graph, "racetrack_memory:rtsim_compatible")
    energy = [
        sum(row.energy_j for row in report.events if row.action == "shift")
        for report in (physical, compatible)
    ]
    assert energy[0] == energy[1]
    shifts = next(row.events for row in compatible.events if row.action == "shift")
    commands = next(row.events for row in compatible.events if row.action == "command")
    assert commands < shifts
    slower = physical.totals.cycles - compatible.totals.cycles
    assert slower == (shifts - commands) * 2142


def test_what_lies_outside_the_memory_is_refused() -> None:
    with pytest.raises(InputError, match="domains=65"):
        Tapes(BASE).access(np.array([0]), np.array([64]))
    with pytest.raises(InputError, match="cluster 256 does not exist"):
        Tapes(BASE).access(np.array([256]), np.array([0]))
    with pytest.raises(DesignError, match="65 ports over 64 domains"):
        chip("racetrack_memory", ports=65)
    with pytest.raises(DesignError, match="policy"):
        chip("racetrack_memory", policy="lasy")


def test_words_beyond_the_memory_say_how_many_clusters_they_take() -> None:
    graph = load("matrix_product_accesses")
    with pytest.raises(InputError, match="clusters=2"):
        evaluate(graph, chip("racetrack_memory", clusters=1))


def test_times_are_nanoseconds_and_no_clock_is_taken() -> None:
    """RTSim's configuration says ns, cycles at 400 MHz and CLK 2000, which do not agree."""
    rows = {(row.unit, row.action): row for row in datasheet(PRESETS["rtsim"]).actions}
    picoseconds = {("tape", "shift"): 2142, ("port", "read"): 1614, ("port", "write"): 4846}
    assert {key: rows[key].interval_cycles for key in picoseconds} == picoseconds
    with pytest.raises(DesignError, match=r"racetrack_memory\.clk: no such knob"):
        chip("racetrack_memory", clk=2000)
