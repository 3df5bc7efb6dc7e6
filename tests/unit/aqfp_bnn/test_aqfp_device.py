"""The neuron, the statistics of streams, thresholds, energy and cooling: golden values and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.aqfp_bnn.cooling import carnot_share, wall_energy
from accelerators.aqfp_bnn.design import PRESETS, ParallelCounter, TieRule, carnot_ratio, unphysical_j
from accelerators.aqfp_bnn.energy import adiabatic_energy, energy_warnings, published_energies, thermal_energy
from accelerators.aqfp_bnn.matching import match, no_normalization
from accelerators.aqfp_bnn.neuron import (
    Attenuation,
    fit_attenuation,
    gray_zone_at,
    gray_zone_products,
    neuron_notes,
    probability,
)
from accelerators.aqfp_bnn.statistics import binomial_distribution, count_distribution, decision, threshold_of
from hwsim.errors import DesignError, InputError
from hwsim.physics import physical_constants
from hwsim.run import chip
from hwsim.sourced import Kind
from tests.examples import examples

GOLDEN = {0: 0.5, 0.1: 0.598962599, 0.25: 0.734557974, 0.5: 0.894954297, 0.75: 0.969943999, 1: 0.993905559,
          1.5: 0.999915024, 2: 0.999999732}  # fmt: skip
SUMS = {(1, -3, 2, 1): (6, 8, 17.817803, 5.620647, 0.715417, 0.121551),
        (1,) * 9 + (-1,) * 7: (6, 4, 33.295543, 14.321569, 0.583918, 0.099014)}  # fmt: skip


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


@pytest.mark.parametrize("distance", GOLDEN)
def test_gray_zone_by_golden_values(distance: float) -> None:
    assert probability(column(distance), 0.0, 1.0)[0] == pytest.approx(GOLDEN[distance], abs=1e-9)
    assert probability(column(-distance), 0.0, 1.0)[0] == pytest.approx(1 - GOLDEN[distance], abs=1e-9)


@given(st.floats(-5, 5), st.floats(0.1, 20))
def test_gray_zone_is_a_comparator_with_gaussian_noise(distance: float, width: float) -> None:
    sigma = width / math.sqrt(2 * math.pi)
    gaussian = 0.5 * math.erfc(-distance / sigma / math.sqrt(2))
    assert probability(column(distance), 0.0, width)[0] == pytest.approx(gaussian, abs=1e-12)


def test_slope_at_the_threshold_is_one_over_the_width() -> None:
    low, high = probability(column(-1e-5, 1e-5) + 3.0, 3.0, 6.0)
    assert (high - low) / 2e-5 == pytest.approx(1 / 6, rel=1e-6)


def test_without_noise_the_neuron_compares() -> None:
    assert probability(column(-1, 0, 1), 0.0, 0.0).tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match="below 0"):
        probability(column(1), 0.0, -1.0)


@pytest.mark.parametrize("sums", SUMS)
def test_counts_by_golden_values(sums: tuple[int, ...]) -> None:
    width, length, mean, variance, above, tie = SUMS[sums]
    p = probability(column(*sums), 0.0, width).tolist()
    one, zero = (decision(p, length, rule) for rule in (TieRule.ONE, TieRule.ZERO))
    assert (one.mean, one.variance) == (pytest.approx(mean, abs=1e-6), pytest.approx(variance, abs=1e-6))
    assert one.above_probability == pytest.approx(above, abs=1e-6)
    assert one.tie_probability == pytest.approx(tie, abs=1e-6)
    assert one.one_probability == pytest.approx(above + tie, abs=1e-6)
    assert zero.one_probability == pytest.approx(above, abs=1e-6)
    counts = count_distribution(p, length)
    places = np.arange(len(counts))
    assert counts.sum() == pytest.approx(1, abs=1e-12)
    assert counts @ places == pytest.approx(one.mean)
    assert counts @ (places - one.mean) ** 2 == pytest.approx(one.variance)
    # The normal approximation with continuity correction comes this close.
    half = len(sums) * length / 2
    normal = 0.5 * math.erfc((half - 0.5 - one.mean) / math.sqrt(2 * one.variance))
    assert normal == pytest.approx(one.one_probability, abs=0.0011)


@examples(50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=7), st.integers(1, 6), st.sampled_from(ParallelCounter))
def test_moments_are_those_of_the_distribution(p: list[float], length: int, counter: ParallelCounter) -> None:
    found, counts = decision(p, length, TieRule.ONE, counter), count_distribution(p, length, counter)
    places = np.arange(len(counts))
    assert counts @ places == pytest.approx(found.mean, abs=1e-9)
    assert counts @ (places - found.mean) ** 2 == pytest.approx(found.variance, abs=1e-9)
    assert found.one_probability == pytest.approx(found.above_probability + found.tie_probability, abs=1e-12)


def test_certain_bits_have_no_variance() -> None:
    assert binomial_distribution(5, 1.0).tolist() == [0] * 5 + [1]
    assert decision([1.0, 0.0, 1.0], 3, None).one_probability == 1.0
    assert decision([1.0, 0.0], 4, TieRule.ZERO).one_probability == 0.0


@pytest.mark.parametrize("rule", [None, TieRule.NONE])
def test_a_tie_without_a_rule_is_an_error(rule: TieRule | None) -> None:
    with pytest.raises(InputError, match="can tie at 4 and no rule decides"):
        threshold_of(2, 4, rule)
    assert threshold_of(3, 3, rule) == 5


@pytest.mark.parametrize(("tiles", "length"), [(0, 4), (4, 0)])
def test_streams_have_a_length(tiles: int, length: int) -> None:
    with pytest.raises(InputError, match="at least 1"):
        threshold_of(tiles, length, TieRule.ONE)


def test_attenuation_is_fitted_from_pairs() -> None:
    given_ = Attenuation(40e-6, 0.7)
    found = fit_attenuation([(size, given_.current_a(size)) for size in (4, 18, 72)])
    assert (found.scale_a, found.exponent_ratio) == (pytest.approx(40e-6), pytest.approx(0.7))
    text = ",".join(f"{size}:{given_.current_a(size):.6e}" for size in (4, 72))
    by_pairs = chip("aqfp_bnn", gray_zone_a=2e-6, attenuation_pairs=text, crossbar_size=36).design
    by_numbers = chip(
        "aqfp_bnn",
        gray_zone_a=2e-6,
        attenuation_scale_a=40e-6,
        attenuation_exponent_ratio=0.7,
        crossbar_size=36,
    ).design
    assert gray_zone_products(by_pairs) == pytest.approx(gray_zone_products(by_numbers), rel=1e-5)
    assert gray_zone_products(by_numbers) == pytest.approx(2e-6 / (40e-6 * 36**-0.7))


@pytest.mark.parametrize(
    "pairs", [[(4, 1e-6)], [(4, 1e-6), (4, 2e-6)], [(4, 0.0), (8, 1e-6)], [(4, 1e-6), (8, 2e-6)]]
)
def test_attenuation_that_cannot_be_is_refused(pairs: list[tuple[int, float]]) -> None:
    with pytest.raises(DesignError):
        fit_attenuation(pairs)


def test_unknown_inputs_of_the_neuron_are_named_all_at_once() -> None:
    with pytest.raises(DesignError) as caught:
        gray_zone_products(PRESETS["superbnn"])
    assert [problem.where for problem in caught.value.problems] == [
        "aqfp_bnn.gray_zone_a", "aqfp_bnn.attenuation_scale_a", "aqfp_bnn.attenuation_exponent_ratio",
    ]  # fmt: skip
    assert "illustrative" in caught.value.problems[0].hint
    with pytest.raises(DesignError, match="attenuation_exponent_ratio"):
        gray_zone_products(chip("aqfp_bnn", gray_zone_a=1e-6, attenuation_scale_a=1e-5).design)


def test_the_gray_zone_is_found_by_every_way() -> None:
    assert gray_zone_products(chip("aqfp_bnn", neuron="deterministic").design) == 0.0
    assert gray_zone_products(chip("aqfp_bnn", gray_zone_products_ratio=3.5).design) == 3.5
    assert gray_zone_products(PRESETS["illustrative"]) == pytest.approx(1.4e-6 * 72 / 70e-6)
    notes, warnings = neuron_notes(PRESETS["illustrative"])
    assert "1.44 products" in notes[0]
    assert warnings == ["attenuation and gray zone are illustrative: they are published nowhere"]
    steep = chip(
        "aqfp_bnn", gray_zone_a=1e-6, attenuation_scale_a=1e-5, attenuation_exponent_ratio=1.2
    ).design
    assert "above 1" in neuron_notes(steep)[1][0]


def test_gray_zone_grows_with_the_root_of_temperature() -> None:
    assert gray_zone_at(1.426e-6, 8.4) == pytest.approx(2.016e-6, rel=0.05)
    assert gray_zone_at(1.426e-6, 2.1) == pytest.approx(0.991e-6, rel=0.05)
    assert gray_zone_at(1.4e-6, 4.2) == 1.4e-6


def test_batch_normalization_by_golden_value() -> None:
    found = match(column(0.8), column(0.3), column(2), column(9), 0.0, alpha=0.5)
    assert found.thresholds[0] == pytest.approx(1.75)


@given(
    st.floats(-3, 3).filter(lambda x: abs(x) > 0.01),
    st.floats(-3, 3),
    st.floats(-20, 20),
    st.floats(0.01, 9),
    st.floats(0.1, 3),
    st.floats(-4, 4),
    st.integers(-40, 40),
)
def test_thresholds_decide_as_normalization_and_sign(
    scale: float, shift: float, mean: float, variance: float, alpha: float, bias: float, total: int
) -> None:
    found = match(
        column(scale), column(shift), column(mean), column(variance), 1e-5, alpha=alpha, bias=column(bias)
    )
    exact = scale * (alpha * total + bias - mean) / math.sqrt(variance + 1e-5) + shift
    if abs(exact) > 1e-9:
        seen = -total if found.inverted[0] else total
        assert (seen >= found.thresholds[0]) == (exact > 0)


def test_scale_zero_leaves_the_sign_of_the_shift() -> None:
    found = match(column(0, 0, 1), column(2, -2, 0), column(0, 0, 0), column(1, 1, 1), 0.0)
    assert found.fixed.tolist() == [1, -1, 0]
    assert no_normalization(2, column(3, -1)).thresholds.tolist() == [-3, 1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"scale": 0.0, "shift": 0.0}, "scale and shift are both 0"), ({"variance": -1.0}, "is not above 0"),
     ({"alpha": 0.0}, "alpha: 0.0 is no positive number"), ({"mean": math.nan}, "no finite numbers")],
)  # fmt: skip
def test_normalizations_that_cannot_be_are_refused(change: dict[str, float], reason: str) -> None:
    given_ = {"scale": 1.0, "shift": 0.0, "mean": 0.0, "variance": 1.0, "alpha": 1.0} | change
    alpha = given_.pop("alpha")
    with pytest.raises(InputError, match=reason):
        match(*(column(value) for value in given_.values()), 0.0, alpha=alpha)


def test_adiabatic_law_by_value_slope_and_constant() -> None:
    for clock_hz, zj in ((1e9, 0.0757), (2.5e9, 0.1894), (5e9, 0.3787), (10e9, 0.7574)):
        assert 2 * float(adiabatic_energy(clock_hz)) == pytest.approx(zj * 1e-21, rel=1e-3)
    assert float(adiabatic_energy(3e9)) == pytest.approx(3 * float(adiabatic_energy(1e9)))
    assert 2 * float(adiabatic_energy(1e9)) == pytest.approx(0.0865e-21, rel=0.25)
    assert adiabatic_energy(1e9).uses[0] == "aqfp_bnn.adiabatic_energy"
    with pytest.raises(ValueError, match="above 0"):
        adiabatic_energy(0.0)


def test_thermal_energy_of_an_adder() -> None:
    assert float(thermal_energy(4.2)) == pytest.approx(0.05799e-21, rel=1e-4)
    assert 24 * float(thermal_energy(4.2)) == pytest.approx(1.392e-21, rel=1e-3)
    assert float(thermal_energy(4.2)) == float(physical_constants().boltzmann_j_per_k) * 4.2
    with pytest.raises(ValueError, match="above 0"):
        thermal_energy(0.0)


def test_energy_of_a_junction_is_reported_with_its_published_range() -> None:
    kinds = {name: energy.kind for name, energy in published_energies().items()}
    assert kinds["SupeRBNN"] is kinds["microprocessor MANA"] is Kind.UNCONFIRMED
    low, *rest = energy_warnings(PRESETS["superbnn"])
    assert "1.9e-22 to 5e-21 J" in low
    assert not rest
    fast = chip("aqfp_bnn", clock_hz=12e9, energy_model="adiabatic_law").design
    assert any("law holds up to 1e+09" in line for line in energy_warnings(fast))
    assert any("above 1e+10 Hz" in line for line in energy_warnings(fast))


def test_cooling_never_beats_carnot() -> None:
    assert carnot_ratio(4.2) == pytest.approx(70.4, abs=0.05)
    assert carnot_share(400, 4.2) == pytest.approx(0.176, abs=0.001)
    assert wall_energy(2e-9, 400, 4.2) == pytest.approx(8e-7)
    with pytest.raises(DesignError, match=r"below Carnot's 70\.4"):
        wall_energy(1.0, 70, 4.2)


REFUSED = [
    ({"clock_hz": 0}, "clock_hz"),
    ({"temperature_k": 0}, "temperature_k"),
    ({"clock_phases": 2}, "clock_phases"),
    ({"stream_length": 0}, "stream_length"),
    ({"stream_length": 2.5}, "stream_length"),
    ({"crossbar_size": 0}, "crossbar"),
    ({"gray_zone_a": -1e-6}, "gray_zone_a"),
    ({"attenuation_scale_a": -1.0}, "attenuation_scale_a"),
    ({"attenuation_exponent_ratio": -0.5}, "attenuation_exponent_ratio"),
    ({"cooling_ratio": 60}, "Carnot"),
    ({"junction_j": 1.2e-19}, "Ic Phi0"),
    ({"max_phase_skip": 5}, "a cycle of 4 phases"),
    ({"tie_rule": "odd"}, "tie_rule"),
    ({"attenuation_pairs": "4"}, "attenuation_pairs: '4' is no CROSSBAR:AMPERES as in 4:30e-6,72:3e-6"),
    ({"attenuation_pairs": "4:1.2.3,72:1e-6"}, "'4:1.2.3' is no CROSSBAR:AMPERES"),
    ({"attenuation_pairs": "4:nan,72:1e-6"}, "'4:nan': crossbars are at least 1, currents above 0"),
    ({"attenuation_pairs": "4:1e-6,4:2e-6"}, "one crossbar size fits no line"),
]


@pytest.mark.parametrize(("knobs", "reason"), REFUSED)
def test_designs_that_cannot_be_are_refused(knobs: dict[str, object], reason: str) -> None:
    with pytest.raises(DesignError, match=reason):
        chip("aqfp_bnn", **knobs)


def test_the_largest_energy_is_a_phase_slip() -> None:
    assert unphysical_j() == pytest.approx(0.103e-18, rel=0.01)
    assert chip("aqfp_bnn", cooling_ratio=1).design.cooling_ratio == 1
