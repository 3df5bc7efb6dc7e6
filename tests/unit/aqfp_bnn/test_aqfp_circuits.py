"""Balanced circuits: published junction counts, splitter trees, and values phase by phase."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.aqfp_bnn.balancing import Balanced, Size, balance, size_of
from accelerators.aqfp_bnn.cells import Bits, Cell, compute, junctions, junctions_of
from accelerators.aqfp_bnn.circuits import (
    accumulation_netlist,
    adders_of_counter,
    buffer_chain_netlist,
    counter_netlist,
    full_adder_netlist,
    multiplier_netlist,
    xnor_netlist,
)
from accelerators.aqfp_bnn.clocking import check_phases, step_waves
from accelerators.aqfp_bnn.design import ParallelCounter
from accelerators.aqfp_bnn.energy import memory_junctions
from accelerators.aqfp_bnn.levels import Clocking
from accelerators.aqfp_bnn.netlist import Netlist, NetlistBuilder, evaluate
from accelerators.aqfp_bnn.sorters import sorter_cost, sorter_netlist
from accelerators.aqfp_bnn.trees import cells_needed, edge_buffers, grow, splitters, tree_depth
from tests.examples import examples

# SCE-benchmarks at 3005081, ISCAS/README.md: gates, buffers and splitters, junctions, depth in phases.
PUBLISHED = {
    "adder1": (7, 16, 74, 8), "adder8": (77, 371, 1204, 33), "mult8": (439, 1690, 6014, 70),
    "counter16": (29, 65, 304, 17), "counter32": (82, 154, 800, 23), "counter64": (195, 347, 1864, 30),
    "counter128": (428, 747, 4062, 38), "c17": (6, 12, 60, 5), "c432": (121, 839, 2404, 37),
    "c499": (387, 1173, 4668, 29), "c880": (306, 1511, 4858, 40), "c1355": (389, 1184, 4702, 29),
    "c1908": (289, 1234, 4202, 34), "c2670": (368, 1912, 6032, 28), "c3540": (794, 1943, 8650, 52),
    "c5315": (1302, 5640, 19092, 40), "c6288": (1870, 8647, 28514, 179), "c7552": (1394, 7437, 23238, 56),
    "sorter32": (480, 480, 3840, 30), "sorter48": (880, 880, 7040, 35), "alu32": (1513, 13836, 36750, 169),
}  # fmt: skip
CLOCKINGS = [
    Clocking(),
    Clocking(max_phase_skip=4),
    Clocking(splitter_outputs=2, clock_phases=3, max_phase_skip=2),
    Clocking(splitter_outputs=3, clock_phases=8, max_phase_skip=5),
]


def random_inputs(netlist: Netlist, waves: int, rng: np.random.Generator) -> dict[str, Bits]:
    return {name: rng.random((waves, 16)) < 0.5 for name in netlist.inputs}


@pytest.mark.parametrize("circuit", PUBLISHED)
def test_every_published_circuit_has_the_junctions_of_its_cells(circuit: str) -> None:
    gates, buffers, published, _ = PUBLISHED[circuit]
    assert junctions(gates, buffers) == published


def test_junctions_of_the_library() -> None:
    assert [junctions_of(cell) for cell in (Cell.BUFFER, Cell.INVERTER, Cell.ONE, Cell.SPLITTER)] == [2] * 4
    assert [junctions_of(cell) for cell in (Cell.AND, Cell.OR, Cell.MAJ3)] == [6] * 3
    assert (junctions_of(Cell.MAJ5), junctions_of(Cell.INPUT)) == (10, 0)
    assert junctions(1, 2, maj5=3) == 6 + 4 + 30


@pytest.mark.parametrize(
    ("inputs", "junctions", "depth"), [(32, 3840, 30), (64, 10752, 42), (128, 28672, 56)]
)
def test_bitonic_sorters_by_formula_and_as_netlists(inputs: int, junctions: int, depth: int) -> None:
    cost, built = sorter_cost(inputs), balance(sorter_netlist(inputs))
    assert (cost.junctions, cost.depth) == (junctions, depth) == (built.junctions, built.depth)
    assert (cost.gates, cost.buffers) == (built.gates, built.buffers)


def test_the_published_sorter_is_met_cell_by_cell() -> None:
    built = balance(sorter_netlist(32))
    assert (built.gates, built.buffers, built.junctions, built.depth) == PUBLISHED["sorter32"]
    assert built.latency_s(5e9) == pytest.approx(1.5e-9)


@pytest.mark.parametrize("inputs", [2, 4, 8])
def test_sorters_sort_every_input(inputs: int) -> None:
    netlist = sorter_netlist(inputs)
    words = np.array(list(itertools.product((False, True), repeat=inputs)))
    found, _ = evaluate(netlist, {f"x[{i}]": words[:, i] for i in range(inputs)})
    expected = np.sort(words, axis=1)[:, ::-1]
    assert all((found[f"y[{i}]"] == expected[:, i]).all() for i in range(inputs))


@pytest.mark.parametrize("inputs", [0, 1, 3, 48])
def test_sorters_take_powers_of_two(inputs: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        sorter_cost(inputs)
    with pytest.raises(ValueError, match="power of two"):
        sorter_netlist(inputs)


@pytest.mark.parametrize(
    ("netlist", "junctions", "depth"), [(full_adder_netlist(), 34, 4), (xnor_netlist(), 22, 3)]
)
def test_adder_and_xnor_as_published(netlist: Netlist, junctions: int, depth: int) -> None:
    built = balance(netlist)
    check_phases(built)
    assert (built.junctions, built.depth) == (junctions, depth)


def test_full_adder_and_xnor_on_every_input() -> None:
    words = np.array(list(itertools.product((False, True), repeat=3)))
    a, b, c = words.T
    found, _ = evaluate(full_adder_netlist(), {"a": a, "b": b, "c": c})
    assert (found["sum"] + 2 * found["carry"].astype(int) == words.sum(axis=1)).all()
    assert (evaluate(xnor_netlist(), {"a": a, "b": b})[0]["y"] == (a == b)).all()


COUNTERS = {
    3: (1, 0),
    4: (1, 2),
    7: (4, 0),
    8: (4, 3),
    15: (11, 0),
    16: (11, 4),
    31: (26, 0),
    32: (26, 5),
    64: (57, 6),
    128: (120, 7),
}


@pytest.mark.parametrize("inputs", COUNTERS)
def test_counters_take_the_adders_of_carry_save_addition(inputs: int) -> None:
    full, half = COUNTERS[inputs]
    assert adders_of_counter(inputs) == (full, half)
    cells = counter_netlist(inputs).cells
    assert cells.count(Cell.MAJ3) == 2 * full + full
    assert cells.count(Cell.AND) + cells.count(Cell.OR) == 3 * half


@pytest.mark.parametrize("inputs", [1, 2, 3, 5, 8, 11])
def test_counters_count(inputs: int) -> None:
    words = np.array(list(itertools.product((False, True), repeat=inputs)))
    netlist = counter_netlist(inputs)
    found, _ = evaluate(netlist, {f"x[{i}]": words[:, i] for i in range(inputs)})
    total = sum(bits.astype(int) << int(name[6:-1]) for name, bits in found.items())
    assert (total == words.sum(axis=1)).all()


@pytest.mark.parametrize("inputs", [2, 3, 4, 7, 8])
def test_approximate_counters_pair_by_or_and_and(inputs: int) -> None:
    words = np.array(list(itertools.product((False, True), repeat=inputs)))
    netlist = counter_netlist(inputs, ParallelCounter.APPROXIMATE)
    found, _ = evaluate(netlist, {f"x[{i}]": words[:, i] for i in range(inputs)})
    total = sum(bits.astype(int) << int(name[6:-1]) for name, bits in found.items())
    expected = words[:, inputs - inputs % 2 :].sum(axis=1)
    for i in range(0, inputs - 1, 2):
        pair = words[:, i] | words[:, i + 1] if i % 4 == 0 else words[:, i] & words[:, i + 1]
        expected = expected + 2 * pair
    assert (total == expected).all()
    assert balance(netlist).junctions <= balance(counter_netlist(inputs)).junctions or inputs < 4


@pytest.mark.parametrize("clocking", CLOCKINGS)
@pytest.mark.parametrize(
    "netlist",
    [full_adder_netlist(), xnor_netlist(), counter_netlist(13), sorter_netlist(8), multiplier_netlist(4)],
)
def test_balanced_circuits_compute_a_wave_every_cycle(netlist: Netlist, clocking: Clocking) -> None:
    built = balance(netlist, clocking)
    check_phases(built)
    inputs = random_inputs(netlist, 5, np.random.default_rng(3))
    stepped, expected = step_waves(built, inputs), evaluate(netlist, inputs)[0]
    assert all((stepped[name] == expected[name]).all() for name in expected)


def test_multipliers_multiply() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2**16, (2, 50))
    bits = {f"a[{i}]": (a >> i & 1).astype(bool) for i in range(16)}
    bits |= {f"b[{i}]": (b >> i & 1).astype(bool) for i in range(16)}
    found, _ = evaluate(multiplier_netlist(16), bits)
    assert (sum(bit.astype(object) * 2 ** int(name[2:-1]) for name, bit in found.items()) == a * b).all()


def restarts(samples: int, length: int, interval: int) -> Bits:
    """Every sample starts a sum; loops that take several cycles carry as many windows in turn."""
    return np.repeat(np.arange(samples * length + 1) % length == 0, interval)[:, None].repeat(6, axis=1)


@pytest.mark.parametrize("clocking", CLOCKINGS)
@pytest.mark.parametrize(("tiles", "length"), [(1, 1), (1, 5), (4, 3), (5, 8)])
@pytest.mark.parametrize("counter", ParallelCounter)
def test_accumulation_decides_by_the_sum_of_the_stream(
    tiles: int, length: int, counter: ParallelCounter, clocking: Clocking
) -> None:
    threshold, bits = (tiles * length + 1) // 2, (2 * tiles * length).bit_length()
    built = balance(accumulation_netlist(tiles, bits, threshold, counter), clocking)
    check_phases(built)
    interval, samples = built.interval_cycles, 3
    assert built.loop_phases == 4 or clocking.splitter_outputs < 4
    assert interval == -(-built.loop_phases // clocking.clock_phases)
    counted = size_of(accumulation_netlist(tiles, bits, threshold, counter), clocking)
    assert counted == Size(built.junctions, built.depth, interval)
    x = np.random.default_rng(1).random((samples * length + 1, interval, tiles, 6)) < 0.5
    waves = {f"x[{tile}]": x[:, :, tile].reshape(-1, 6) for tile in range(tiles)}
    waves["restart"] = restarts(samples, length, interval)
    decided = step_waves(built, waves)["y"].reshape(-1, interval, 6)
    for sample in range(samples):
        own = x[sample * length : (sample + 1) * length]
        count = own.sum(axis=(0, 2))
        if counter is ParallelCounter.APPROXIMATE and tiles > 1:
            count = own[:, :, tiles - tiles % 2 :].sum(axis=(0, 2))
            for i in range(0, tiles - 1, 2):
                merge = np.logical_or if i % 4 == 0 else np.logical_and
                count = count + 2 * merge(own[:, :, i], own[:, :, i + 1]).sum(axis=0)
        assert (decided[(sample + 1) * length] == (count >= threshold)).all()


def test_a_stored_bit_circulates_until_it_is_written() -> None:
    for phases in (3, 4, 8):
        built = balance(buffer_chain_netlist(), Clocking(clock_phases=phases))
        assert built.interval_cycles == 1
        write = np.array([1, 0, 0, 1, 0, 0, 0, 1, 0], bool)[:, None]
        data = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0], bool)[:, None]
        assert step_waves(built, {"write": write, "data": data})["read"][1:, 0].tolist() == [
            True, True, True, False, False, False, False, True,
        ]  # fmt: skip


def test_buffer_chain_memory_per_bit() -> None:
    assert [memory_junctions(1, phases) for phases in (3, 4)] == [6, 8]
    assert memory_junctions(100, 4) * 5e-21 == pytest.approx(100 * 40e-21)
    with pytest.raises(ValueError, match="at least 3"):
        memory_junctions(1, 2)


def test_more_phase_skip_takes_fewer_junctions() -> None:
    netlist = accumulation_netlist(16, 9, 128, ParallelCounter.EXACT)
    found = [balance(netlist, Clocking(clock_phases=16, max_phase_skip=m)).junctions for m in (1, 2, 3, 7)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 1.2 * found[-1]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("clock_phases", 2, "direction"),
        ("splitter_outputs", 1, "splits nothing"),
        ("max_phase_skip", 5, "1..4"),
        ("max_phase_skip", 0, "1..4"),
    ],
)
def test_clocks_that_cannot_work_are_refused(field: str, value: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Clocking(**{field: value})


def test_latency_needs_a_clock() -> None:
    with pytest.raises(ValueError, match="not above 0"):
        balance(xnor_netlist()).latency_s(0.0)


def test_trees_by_formula() -> None:
    assert [splitters(fan_out, 4) for fan_out in (1, 2, 4, 5, 7, 16)] == [0, 1, 1, 2, 2, 5]
    assert [tree_depth(fan_out, 4) for fan_out in (1, 2, 4, 5, 16, 17)] == [0, 1, 1, 2, 2, 3]
    assert [edge_buffers(gap, 1) for gap in (1, 2, 5)] == [0, 1, 4]
    assert [edge_buffers(gap, 4) for gap in (1, 4, 5, 9)] == [0, 0, 1, 2]


@examples(200)
@given(st.integers(2, 5), st.integers(1, 5), st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_trees_reach_every_reader_within_the_skip(capacity: int, skip: int, slack: list[int]) -> None:
    count, base = len(slack), tree_depth(len(slack), capacity) + 1
    readers = sorted((base + extra for extra in slack), reverse=True)
    cells, root = grow(0, readers, capacity, skip)
    level = [*readers, *(at for at, _ in cells)]
    assert sorted([root, *(child for _, own in cells for child in own)]) == list(range(count + len(cells)))
    assert 1 <= level[root] <= skip
    assert all(1 <= level[child] - at <= skip for at, own in cells for child in own)
    assert all(1 <= len(own) <= capacity for _, own in cells)
    assert len(cells) == cells_needed(0, readers, capacity, skip) >= splitters(count, capacity)


def backwards(readers: list[int], capacity: int) -> int:
    """Fewest cells without skips: what a level needs, shared by as many as a splitter drives."""
    total = waiting = 0
    for level in range(max(readers), 1, -1):
        waiting = -(-(waiting + readers.count(level)) // capacity)
        total += waiting
    return total


@examples(100)
@given(st.integers(2, 5), st.lists(st.integers(0, 15), min_size=1, max_size=10))
def test_trees_are_as_small_as_can_be_without_skips(capacity: int, slack: list[int]) -> None:
    base = tree_depth(len(slack), capacity) + 1
    readers = sorted((base + extra for extra in slack), reverse=True)
    assert len(grow(0, readers, capacity, 1)[0]) == backwards(readers, capacity)


def test_two_ends_of_one_signal_get_a_branch_each() -> None:
    build = NetlistBuilder("twice")
    a = build.input("a")
    for name in ("y", "z"):
        build.output(name, a)
    built = balance(build.build())
    check_phases(built)
    assert (built.junctions, built.depth) == (2, 1)


def random_netlist(rng: np.random.Generator) -> Netlist:
    build = NetlistBuilder("random")
    signals = [*build.inputs("x", 4), build.constant(True)]
    for _ in range(int(rng.integers(1, 25))):
        a, b, c, d, e = (int(rng.choice(signals)) ^ int(rng.integers(2)) for _ in range(5))
        kind = int(rng.integers(5))
        if kind < 3:
            signals.append((build.and_(a, b), build.or_(a, b), build.maj3(a, b, c))[kind])
        else:
            signals.append(build.maj5(a, b, c, d, e) if kind == 3 else build.xor(a, b))
    for index in range(int(rng.integers(1, 4))):
        build.output(f"y{index}", int(rng.choice(signals)) ^ int(rng.integers(2)))
    return build.build()


@pytest.mark.parametrize("seed", range(40))
def test_random_netlists_survive_balancing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    netlist, clocking = random_netlist(rng), CLOCKINGS[seed % len(CLOCKINGS)]
    built = balance(netlist, clocking)
    check_phases(built)
    assert built.junctions == sum(junctions_of(cell) for cell in built.cells)
    assert size_of(netlist, clocking) == Size(built.junctions, built.depth, built.interval_cycles)
    inputs = random_inputs(netlist, 3, rng)
    stepped, expected = step_waves(built, inputs), evaluate(netlist, inputs)[0]
    assert all((stepped[name] == expected[name]).all() for name in expected)


def test_unbalanced_ends_take_no_more() -> None:
    netlist = counter_netlist(11)
    free = Clocking(balance_inputs=False, balance_outputs=False)
    assert balance(netlist, free).junctions < balance(netlist).junctions


def broken(built: Balanced) -> Balanced:
    levels = list(built.levels)
    levels[-1] += 1
    return replace(built, levels=tuple(levels))


def test_a_cell_in_the_wrong_phase_is_found() -> None:
    with pytest.raises(ValueError, match="over 2 phases"):
        check_phases(broken(balance(xnor_netlist())))


def test_builders_refuse_what_is_no_circuit() -> None:
    build = NetlistBuilder("broken")
    a = build.input("a")
    build.state("held")
    for wrong in (
        lambda: build.input("a"),
        lambda: build.add(Cell.AND, a),
        lambda: build.add(Cell.AND, a, 99),
        lambda: build.and_(),
        build.build,
        lambda: compute(Cell.INPUT, (), ()),
    ):
        with pytest.raises(ValueError):
            wrong()
