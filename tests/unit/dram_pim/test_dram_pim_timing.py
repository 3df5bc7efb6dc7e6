"""Latencies against the timing table, banks against tFAW, refresh, and knobs that contradict each other."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.dram_pim.datasheet import activation_energy, datasheet
from accelerators.dram_pim.design import PRESETS, DramPimDesign
from accelerators.dram_pim.expand import Commands
from accelerators.dram_pim.timing import ACTIVATIONS, Timing, check_window, most_banks, timing_of
from hwsim.errors import DesignError, InputError
from hwsim.run import chip, evaluate
from tests.examples import examples

TICK_NS = 0.25


def design(**knobs: Any) -> DramPimDesign:
    found = chip("dram_pim", **knobs).design
    assert isinstance(found, DramPimDesign)
    return found


@pytest.mark.parametrize(("knobs", "ap", "aap"), [
    ({"overlapped": False}, 48.75, 83.75), ({}, 48.75, 52.75),
    ({"grade": "ddr3_1600h", "overlapped": False}, 46.25, 81.25),
    ({"grade": "ddr3_1600j", "overlapped": False}, 47.5, 82.5),
    ({"grade": "ddr3_1333h", "overlapped": False, "activation_window": "ignore", "energy_model": "nvmain"},
     49.5, 85.5),
])
def test_latencies_follow_the_timing_table(knobs: dict[str, Any], ap: float, aap: float) -> None:
    found = timing_of(design(**knobs))
    assert (found.ap * TICK_NS, found.aap * TICK_NS) == (ap, aap)


def test_elp2im_commands() -> None:
    plain, overlapped = timing_of(design(overlapped=False)), timing_of(design())
    assert [plain.app * TICK_NS, overlapped.app * TICK_NS, plain.tapp * TICK_NS] == [67, 53, 46]


@pytest.mark.parametrize(("device_density", "share"), [("4gb", 0.9667), ("8gb", 0.9551)])
def test_refresh_takes_its_share_of_a_long_run(device_density: str, share: float) -> None:
    knobs = {"device_density": device_density, "elements": 65_536}
    found = timing_of(design(device_density=device_density))
    work = 10**9
    total = work + found.refreshes(work) * found.refresh
    assert work / total == pytest.approx(share, abs=5e-5)
    assert knobs["elements"]
    assert timing_of(design(refresh=False)).refreshes(work) == 0


def schedule(commands: list[str], banks: int, timing: Timing) -> tuple[int, np.ndarray]:
    """Issue commands bank by bank as early as banks and window allow; return the end and all activations."""
    ready = [(0, bank, 0) for bank in range(banks)]
    heapq.heapify(ready)
    starts: list[int] = []
    end = 0

    def open_row(earliest: int) -> int:
        at = max(earliest, starts[-4] + timing.window if len(starts) >= 4 else 0, starts[-1] if starts else 0)
        starts.append(at)
        return at

    while ready:
        earliest, bank, place = heapq.heappop(ready)
        if place == len(commands):
            end = max(end, earliest)
            continue
        kind = commands[place]
        first = open_row(earliest)
        late = 0
        if ACTIVATIONS[kind] == 2:
            late = open_row(first + 16) - (first + 16)
        heapq.heappush(ready, (first + getattr(timing, kind) + late, bank, place + 1))
    return end, np.array(starts)


@examples(40)
@given(commands=st.lists(st.sampled_from(["ap", "aap"]), min_size=1, max_size=12), banks=st.integers(1, 16))
def test_banks_that_wait_agree_with_a_schedule_of_every_activation(commands: list[str], banks: int) -> None:
    """The closed form is never faster than tFAW or a single bank allow, and near the greedy schedule."""
    timing = timing_of(design())
    counted = Commands(ap=commands.count("ap"), aap=commands.count("aap"))
    closed = int(timing.by_banks(counted, banks)[-1])
    end, starts = schedule(commands, banks, timing)
    check_window(starts, timing.window)
    alone = sum(getattr(timing, kind) for kind in commands)
    assert closed >= alone
    assert closed >= len(starts) * timing.window // 4
    assert alone <= end <= closed + banks * timing.window
    assert closed == sum(timing.of(kind, banks) for kind in commands)


def test_five_activations_in_a_window_are_found() -> None:
    check_window(np.array([0, 0, 0, 0, 120]), 120)
    with pytest.raises(InputError, match="activations 0 to 4 begin within 119 ticks; tFAW is 120"):
        check_window(np.array([0, 0, 0, 0, 119]), 120)


def test_more_banks_never_cost_time_and_stop_paying_at_the_window() -> None:
    few, many = (evaluate("vector_add", chip("dram_pim", banks=banks)).totals.cycles for banks in (1, 16))
    assert few == many
    graph_cycles = []
    for banks in range(1, 17):
        target = chip("dram_pim", banks=banks, page_bits=512, refresh=False)
        graph_cycles.append(evaluate("vector_add", target).totals.cycles)
    assert graph_cycles == sorted(graph_cycles, reverse=True)
    ignored = chip("dram_pim", banks=16, page_bits=512, refresh=False, activation_window="ignore")
    assert evaluate("vector_add", ignored).totals.cycles < graph_cycles[-1]


def test_energy_of_a_row_is_that_of_a_device_times_the_devices() -> None:
    device, rank = (activation_energy(design(scope=scope)).value for scope in ("device", "rank"))
    assert rank == pytest.approx(8 * device)
    assert device == pytest.approx(1.35 * (55 * 39 - (38 * 28 + 32 * 11)) * 1e-3 * 1.25e-9)
    assert design(scope="device").lanes * 8 == design(scope="rank").lanes
    rows = {row.action: row.energy for row in datasheet(design()).actions if row.unit == "rows"}
    values = [rows[name] for name in ("single", "double", "triple")]
    assert [v.value / rank for v in values if v] == pytest.approx([1, 1.22, 1.44])


def test_clock_period_is_in_the_energy() -> None:
    """PIMeval leaves it out: 342 instead of 256.5 pJ for its own currents."""
    report = evaluate("vector_add", "dram_pim")
    assert "dram_pim.activation_energy" in report.constants
    formula = activation_energy(design(scope="device"))
    assert "dram_pim.clock_1600_s" in formula.uses


BAD = [
    ({"grade": "ddr3_1333h"}, "tFAW of ddr3_1333h is not known"),
    ({"grade": "ddr3_1333h", "activation_window": "ignore"}, "currents are known for DDR3-1600 only"),
    ({"device_density": "1gb"}, "currents of 1gb devices are not known"),
    ({"energy_model": "nvmain", "scope": "device"}, "scope device would mix the two"),
    ({"technique": "elp2im", "energy_model": "ambit"}, "elp2im has other commands"),
    ({"activation_window": "refuse"}, "16 banks open more than four rows in tFAW; 3 do not"),
    ({"banks": 1024, "page_bits": 2**20}, "1024 banks leave no subarray"),
    ({"scope": "chip"}, "'chip'"),
]


@pytest.mark.parametrize(("knobs", "reason"), BAD)
def test_knobs_that_contradict_each_other_are_refused(knobs: dict[str, Any], reason: str) -> None:
    with pytest.raises(DesignError, match=reason):
        chip("dram_pim", **knobs)


def test_device_or_rank_has_to_be_said() -> None:
    with pytest.raises(ValueError, match="scope"):
        DramPimDesign()  # type: ignore[call-arg]
    assert {preset.scope for preset in PRESETS.values()} == {"rank"}


def test_banks_that_keep_the_window_may_refuse_to_wait() -> None:
    assert most_banks(design()) == 3
    assert most_banks(design(overlapped=False)) == 5
    assert design(banks=3, activation_window="refuse").banks == 3
