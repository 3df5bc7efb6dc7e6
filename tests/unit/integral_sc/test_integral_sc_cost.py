"""Cycles, latency, throughput and LUTs of the published rows; energy without a published figure."""

from __future__ import annotations

import pytest

from accelerators.integral_sc import figures
from hwsim import registry
from hwsim.anchors import judge
from hwsim.errors import DesignError, InputError
from hwsim.graph.types import Graph
from hwsim.run import chip, evaluate

ROWS = [
    ("virtex7_n256_m4", "1.705", "3822", 1013002),
    ("virtex7_n512_m2", "3.412", "1874", 682352),
    ("virtex7_n1024_m1", "6.503", "974", 437461),
]


def published(batch: int = 1) -> Graph:
    knobs = {"layers": "784,100,200,10", "activation": "sigmoid", "batch": batch}
    return registry.load_workload("mlp_mnist", knobs)


@pytest.mark.parametrize(("preset", "latency_us", "throughput", "luts"), ROWS)
def test_published_rows_to_the_printed_digit(
    preset: str, latency_us: str, throughput: str, luts: int
) -> None:
    target = chip(f"integral_sc:{preset}")
    report = evaluate(published(), target)
    own = figures(published(), target.design)
    assert f"{report.totals.time_s * 1e6:.3f}" == latency_us
    assert f"{own['latency_s'] * 1e6:.3f}" == latency_us
    assert f"{own['throughput_bits_per_s'] / 1e6:.0f}" == throughput
    assert own["luts_count"] == pytest.approx(luts, rel=0.06)
    assert own["synapses_count"] == 100400


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_inputs_follow_each_other_every_n_clocks(batch: int) -> None:
    report = evaluate(published(batch), "integral_sc:virtex7_n512_m2")
    assert report.totals.cycles == 512 * batch + 10
    own = figures(published(batch), chip("integral_sc:virtex7_n512_m2").design)
    assert f"{own['throughput_bits_per_s'] / 1e6:.0f}" == "1874"
    assert report.totals.utilization <= 1


def test_energy_is_linear_in_stream_length_and_bits_and_absent_on_an_fpga() -> None:
    def joules(**knobs: object) -> float:
        report = evaluate(published(), chip("integral_sc", **knobs))
        rows = [row for row in report.events if row.action != "leakage"]
        return sum(row.energy_j for row in rows if row.unit in ("synapses", "adders"))

    assert joules(stream_length=512) == pytest.approx(2 * joules(stream_length=256))
    assert joules(stream_length=256, m=4) == pytest.approx(4 * joules(stream_length=256))
    assert evaluate(published(), "integral_sc:virtex7_n1024_m1").totals.energy_j == 0.0
    given = evaluate(published(), chip("integral_sc:virtex7_n1024_m1", and_j_per_bit=1e-15))
    assert given.totals.energy_j == pytest.approx(100400 * 1024 * 1e-15)
    assert given.totals.energy_j_by_unit["synapses"] == pytest.approx(given.totals.energy_j)


def test_what_is_not_known_is_said_and_no_silent_zero() -> None:
    warnings = evaluate(published(), "integral_sc:virtex7_n1024_m1").warnings
    assert any(line.startswith("no energy is charged: no energy of the FPGA") for line in warnings)
    assert any(line.startswith("no area is charged: LUTs of an FPGA") for line in warnings)
    assert not any("charged" in line for line in evaluate(published(), "integral_sc").warnings)
    given = evaluate(published(), chip("integral_sc:virtex7_n1024_m1", and_j_per_bit=1e-15)).warnings
    assert [line for line in given if "is charged" in line] == [warnings[1]]


def test_supply_of_a_quasi_synchronous_run_scales_energy_by_its_square() -> None:
    def joules(**knobs: object) -> float:
        report = evaluate(published(), chip("integral_sc", **knobs))
        return report.totals.energy_j - sum(row.energy_j for row in report.events if row.action == "leakage")

    low = joules(quasi_synchronous=True, operating_supply_v=0.8, fault_probability=0.1)
    assert low / joules() == pytest.approx(0.64)


def test_more_synapses_than_the_chip_has_are_refused() -> None:
    with pytest.raises(InputError, match="100400 synapses, the chip has room for 5000") as caught:
        evaluate(published(), chip("integral_sc", synapses=5000))
    assert "synapses=100400" in str(caught.value)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"states": 7}, "states 7 is odd"),
        ({"states": -2}, "states"),
        ({"input_seed": 5, "weight_seed": 5}, "same numbers on both operands"),
        ({"input_seed": 5, "weight_seed": 5 + 2047}, "same numbers on both operands"),
        ({"input_seed": 5, "weight_seed": 5 + 89, "register_leap": 23}, "same numbers on both operands"),
        ({"register_leap": 2047}, "register_leap 2047 is a multiple of 2047, .* it stands still"),
        ({"quasi_synchronous": True}, "needs operating_supply_v"),
        ({"fault_probability": 0.1}, "without quasi_synchronous"),
        ({"fault_probability": 0.3}, "fault_probability"),
        ({"stream_length": 0}, "stream_length"),
        ({"m": 0}, "m"),
    ],
)
def test_bad_knobs_are_refused(knobs: dict[str, object], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        chip("integral_sc", **knobs)


def test_equal_random_seeds_are_refused_for_bernoulli_streams_too() -> None:
    with pytest.raises(DesignError, match="same numbers"):
        chip("integral_sc", generator="bernoulli", input_seed=9, weight_seed=9)
    assert chip("integral_sc", generator="bernoulli", input_seed=9, weight_seed=9 + 2047)


def test_figures_are_anchor_metrics_and_unknown_ones_name_the_nearest() -> None:
    row = {
        "name": "n", "metric": "figures.luts_count", "published": "460194", "tolerance_ratio": 0.001,
        "status": "calibrated", "source": "s", "where": "w", "preset": "virtex7_n1024_m1",
        "network_knobs": {"layers": "784,100,200,10", "activation": "sigmoid"},
    }
    assert judge("integral_sc", row).passed
    with pytest.raises(InputError, match=r"no figure 'lut_count'.*did you mean 'luts_count'"):
        judge("integral_sc", row | {"metric": "figures.lut_count"})


def test_energy_breaks_even_with_the_binary_twin_near_23_bits() -> None:
    def ratio(n: int, m: int) -> float:
        own = figures(published(), chip("integral_sc", stream_length=n, m=m).design)
        return own["energy_over_binary_ratio"]

    assert ratio(22, 1) < 1 < ratio(24, 1)
    assert ratio(1024, 1) == pytest.approx(44.4, rel=0.01)
