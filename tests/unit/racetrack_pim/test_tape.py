"""Commands move real bits: shifts inside the padding, two ports, transverse reads and writes between them."""

from __future__ import annotations

import numpy as np
import pytest

from accelerators.racetrack_pim.design import CONSTANTS, PRESETS, RacetrackDesign
from accelerators.racetrack_pim.processor import Processor
from accelerators.racetrack_pim.tape import Clusters, across, count_planes, every, pack, unpack
from accelerators.racetrack_pim.timing import Level, LevelCycles, command_cycles
from hwsim.errors import InputError


def clusters(trd: int = 7, rows: int = 2) -> Clusters:
    """Clusters with random data on every domain."""
    design = PRESETS["calibrated_ternary"].model_copy(update={"trd": trd, "wires": 128})
    found = Clusters(design, rows)
    rng = np.random.default_rng(trd)
    found.tape[: design.domains] = rng.integers(0, 2**63, found.tape[: design.domains].shape).astype(
        np.uint64
    )
    return found


@pytest.mark.parametrize("trd", [3, 5, 7])
def test_two_ports_reach_every_domain_and_shifts_lose_none(trd: int) -> None:
    tape = clusters(trd)
    data, d = tape.tape[: tape.design.domains].copy(), tape.design
    assert len(tape.tape) == 2 * d.domains - trd  # 57 for 32 domains and distance 7
    seen = {}
    for offset in range(d.padding + 1):
        for port in (tape.left, tape.right):
            seen[port - offset] = tape.read(port)
        if offset < d.padding:
            tape.shift(1)
    assert sorted(seen) == list(range(d.domains))
    assert all(np.array_equal(seen[place], data[place]) for place in seen)
    tape.shift(-d.padding)
    assert np.array_equal(tape.tape[: d.domains], data)
    assert tape.events["tape", "shift"] == 2 * 2 * d.padding


def test_a_shift_beyond_the_padding_is_refused() -> None:
    tape = clusters()
    for wrong in (-1, tape.design.padding + 1):
        with pytest.raises(InputError, match="leaves the padding of 25"):
            tape.shift(wrong)
    assert tape.offset == 0


def test_a_transverse_read_counts_and_spans_at_most_its_distance() -> None:
    tape = clusters(5)
    planes = tape.transverse_read()
    bits = np.unpackbits(tape.tape[tape.left : tape.right + 1].view(np.uint8), axis=-1).sum(0)
    counted = sum(
        np.unpackbits(plane.view(np.uint8), axis=-1).astype(int) << i for i, plane in enumerate(planes)
    )
    assert np.array_equal(counted, bits)
    with pytest.raises(InputError, match="over 6 domains, the distance is 5"):
        tape.transverse_read(tape.left - 1, tape.right)
    with pytest.raises(InputError, match="over 0 domains"):
        tape.transverse_read(tape.left, tape.left - 1)


def test_a_transverse_write_moves_the_segment_between_the_ports_only() -> None:
    tape = clusters(7)
    before, row = tape.tape.copy(), ~tape.tape[0]
    tape.transverse_write(row)
    left, right = tape.left, tape.right
    assert np.array_equal(tape.tape[left], row)
    assert np.array_equal(tape.tape[left + 1 : right + 1], before[left:right])
    outside = np.r_[0:left, right + 1 : len(before)]
    assert np.array_equal(tape.tape[outside], before[outside])


def test_only_ports_read_and_write() -> None:
    tape = clusters(3)
    with pytest.raises(InputError, match="no port at domain 0"):
        tape.read(0)
    with pytest.raises(InputError, match="no port at domain 1"):
        tape.write(1, tape.tape[0])


def test_planes_are_the_count_of_ones() -> None:
    rows = np.array([[number >> i & 1 for number in range(128)] for i in range(7)], np.uint64)
    planes = count_planes(rows)
    assert np.array_equal(sum(plane << np.uint64(i) for i, plane in enumerate(planes)), rows.sum(0))


@pytest.mark.parametrize("lane_bits", [8, 16, 32, 64, 128])
def test_lanes_round_trip(lane_bits: int) -> None:
    rng, top = np.random.default_rng(lane_bits), 2 ** (min(lane_bits, 63) - 1)
    values = rng.integers(-top, top, (3, 512 // lane_bits))
    packed = pack(values, lane_bits, 8)
    assert np.array_equal(unpack(packed, lane_bits, 512 // lane_bits), values)
    assert np.array_equal(every(-5, lane_bits, 8), pack(np.full((1, 512 // lane_bits), -5), lane_bits, 8)[0])
    moved = across(packed, np.uint64(2))
    numbers = [sum(int(word) << (64 * i) for i, word in enumerate(row)) for row in (packed[0], moved[0])]
    assert numbers[1] == (numbers[0] << 2) % 2**512


def test_levels_never_mix() -> None:
    device, controller = LevelCycles(26, Level.DEVICE), LevelCycles(451, Level.CONTROLLER)
    assert device + device == LevelCycles(52, Level.DEVICE)
    for mixed in (lambda: device + controller, lambda: device < controller, lambda: controller + device):
        with pytest.raises(InputError, match="never mix"):
            mixed()
    for level in Level:
        assert {cycles.level for cycles in command_cycles(level, CONSTANTS).values()} == {level}


def test_limits_of_operations() -> None:
    design = RacetrackDesign(subarrays_active=1, trd=5)
    p = Processor(design, 1)
    with pytest.raises(InputError, match="takes 1 to 3"):
        p.addition([p.none] * 4, 8)
    with pytest.raises(InputError, match="lanes of at least 16 bits"):
        p.product(p.none, p.none, 8, 8, signed=False)
    with pytest.raises(InputError, match="no logic function 'andd'"):
        p.logic("andd", p.none, p.none)
    with pytest.raises(InputError, match="6 candidates"):
        p.maximum([p.none] * 6, 8, [p.none] * 6)


@pytest.mark.parametrize("lane_bits", [-8, 0, 3, 24, 1024])
def test_lanes_have_to_divide_the_wires(lane_bits: int) -> None:
    p = Processor(RacetrackDesign(subarrays_active=1), 1)
    with pytest.raises(InputError, match=f"lanes of {lane_bits} bits do not divide a row of 512 wires"):
        p.addition([p.none, p.none], lane_bits)


def test_additions_that_never_return_the_tape_run_out_of_padding() -> None:
    p = Processor(RacetrackDesign(subarrays_active=1), 1)
    for _ in range(5):
        p.addition([p.none], 8)
    with pytest.raises(InputError, match="leaves the padding"):
        p.addition([p.none], 8)
