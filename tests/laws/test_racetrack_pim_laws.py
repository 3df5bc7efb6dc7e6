"""Laws of additions between two ports: any operands, widths, distances; commands as closed forms say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelerators.racetrack_pim.design import RacetrackDesign
from accelerators.racetrack_pim.figures import cycles_of
from accelerators.racetrack_pim.processor import Processor
from accelerators.racetrack_pim.programs import Programs
from accelerators.racetrack_pim.tape import pack
from accelerators.racetrack_pim.timing import Level
from tests.examples import examples
from tests.unit.racetrack_pim.test_operations import counted

distances, levels = st.sampled_from([3, 5, 7]), st.sampled_from(list(Level))
lanes = st.sampled_from([8, 16, 32, 64, 128])


def design(trd: int, level: Level) -> RacetrackDesign:
    return RacetrackDesign(trd=trd, timing=level, subarrays_active=1, domains=16, wires=128)


@examples(60)
@given(distances, levels, lanes, st.integers(1, 40), st.integers(0, 2**32))
def test_any_sum_is_exact_and_costs_what_the_closed_form_says(
    trd: int, level: Level, lane_bits: int, operands: int, seed: int
) -> None:
    d, rng = design(trd, level), np.random.default_rng(seed)
    top = 2 ** min(lane_bits - 1, 40)
    values = rng.integers(-top, top, (operands, 2, d.lanes(lane_bits)))
    p, program = Processor(d, 2), Programs(d).total(operands, lane_bits)
    result = p.total([pack(value, lane_bits, 2) for value in values], lane_bits)
    assert np.array_equal(result, pack(values.sum(0), lane_bits, 2))
    assert p.clusters.events == counted(program, 2)
    assert p.clusters.time.cycles == cycles_of(program, d)
    assert p.clusters.time.level is level
    assert p.clusters.offset == 0


@given(distances, levels, lanes, st.integers(1, 400))
def test_more_operands_and_wider_lanes_never_cost_less(
    trd: int, level: Level, lane_bits: int, operands: int
) -> None:
    d = design(trd, level)
    cycles = cycles_of(Programs(d).total(operands, lane_bits), d)
    # Tapes return by themselves after an even number of fills, so a step more may save the way back.
    slack = 2 * (trd - 1) if level is Level.CONTROLLER else trd - 1
    assert cycles_of(Programs(d).total(operands + 1, lane_bits), d) >= cycles - slack
    assert cycles_of(Programs(d).total(operands, 2 * lane_bits), d) > cycles


@given(lanes, st.integers(1, 400))
def test_a_longer_distance_never_takes_more_steps(lane_bits: int, operands: int) -> None:
    steps = [Programs(design(trd, Level.DEVICE)).reductions(operands) for trd in (3, 5, 7)]
    assert steps == sorted(steps, reverse=True)
