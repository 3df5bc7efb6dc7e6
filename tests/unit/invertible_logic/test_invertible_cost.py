"""Cycles, energy, area and figures of circuits; designs that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from accelerators.invertible_logic import figures
from accelerators.invertible_logic.circuit import circuit_of
from accelerators.invertible_logic.widths import built
from hwsim import registry
from hwsim.errors import DesignError, InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BOOLEAN
from hwsim.report.files import write
from hwsim.run import chip, evaluate, load


@pytest.mark.parametrize("batch", [1, 3])
def test_all_spins_take_one_clock_or_one_each(batch: int) -> None:
    circuit = registry.load_workload("multiplier_3x3", {"batch": batch})
    knobs = {"anneal_cycles": 100, "anneals": 4}
    assert evaluate(circuit, chip("invertible_logic", **knobs)).totals.cycles == 400 * batch
    one = evaluate(circuit, chip("invertible_logic:sequential", **knobs))
    assert one.totals.cycles == 400 * batch * 27


def test_updates_cost_what_the_user_says_or_their_bits() -> None:
    network = load("multiplier_4x4")
    given = evaluate(network, chip("invertible_logic", spin_update_j=1e-12, anneal_cycles=100))
    assert given.totals.energy_j_by_unit["spins"] == pytest.approx(48 * 100 * 1e-12)
    assert given.totals.energy_j == pytest.approx(48 * 100 * 1e-12)
    design = chip("invertible_logic").design
    bits = built(network, design).bits.sum()
    estimate = evaluate(network, "invertible_logic")
    per_bit = 0.03e-12 / 8 * (65 / 45) * (1.0 / 0.9) ** 2
    assert estimate.totals.energy_j_by_unit["spins"] == pytest.approx(
        bits * 512 * (per_bit + 2.25e-6 / 32 / 100e6), rel=1e-9
    )


def test_widths_follow_fields_terms_and_states() -> None:
    """AND at noise 3, I0 16: fields 4, 4 and 6 and noise 3 take 4, 4 and 5 bits; 32 states take 5."""
    network = load("gate_and")
    design = chip("invertible_logic").design
    assert built(network, design).bits.tolist() == [4 * 4 + 5, 4 * 4 + 5, 4 * 5 + 5]
    odd = chip("invertible_logic", counter_states="odd").design
    assert built(network, odd).bits.tolist() == [22, 22, 26]
    assert chip("invertible_logic:sequential").design.counter_bits == 0
    own = figures(network, design)
    assert own["adder_and_counter_bits"] == 67
    exact = evaluate(network, chip("invertible_logic", built_bits=67))
    assert exact.totals.area_m2 == pytest.approx(own["network_area_m2"])


def test_a_circuit_that_does_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(
        InputError, match=r"multiplier_4x4: (\d+) bits .* built with 100 \(set built_bits=\1\)"
    ):
        evaluate(load("multiplier_4x4"), chip("invertible_logic", built_bits=100))


def test_the_largest_multiplier_runs_on_every_preset() -> None:
    for preset in ("annealed", "fixed", "sequential"):
        assert evaluate(load("multiplier_16x16"), f"invertible_logic:{preset}").totals.cycles >= 512


def test_all_bad_knobs_are_said_at_once() -> None:
    with pytest.raises(DesignError) as caught:
        chip("invertible_logic", noise_weight=0, i0_first_ratio=0, i0_last_ratio=-1, noise_probability=0)
    places = {problem.where.partition(".")[2] for problem in caught.value.problems}
    assert places == {"noise_weight", "i0_first_ratio", "i0_last_ratio", "noise_probability"}
    with pytest.raises(DesignError, match="half the states of a counter is a whole number"):
        chip("invertible_logic", i0_last_ratio=2.5)
    assert chip("invertible_logic", update="sequential", i0_last_ratio=2.5)


def test_schedules_rise_from_first_to_last() -> None:
    for schedule in ("geometric", "linear"):
        design = chip("invertible_logic", annealing_schedule=schedule, anneal_cycles=50).design
        assert (design.i0[0], design.i0[-1]) == (1.0, pytest.approx(16.0))
        assert np.all(np.diff(design.i0) > 0)
        assert (design.bounds[0], design.bounds[1], design.bounds[-1]) == (1, 2, 16)
    still = chip("invertible_logic", i0_first_ratio=7, i0_last_ratio=7).design
    assert set(still.bounds.tolist()) == {7}


def test_outputs_without_a_name_and_unread_inputs_are_fine() -> None:
    b = GraphBuilder("loose", format=BOOLEAN)
    a, c = b.input("a", (1,)), b.input("c", (1,))
    b.input("unread", (1,))
    b.output(b.add("adder_cell", [a, c], name="cell", outputs=["s"]))
    circuit = circuit_of(b.build())
    assert circuit.wires == ("a", "c", "s", "cell.C", "unread")
    assert len(circuit.inputs) == 3
    report = evaluate(b.build(), "invertible_logic")
    updates = [row.events for row in report.events if (row.unit, row.action) == ("spins", "update")]
    assert sum(updates) == 5 * 512


def test_other_networks_are_refused_and_have_no_figures() -> None:
    assert figures(load("mlp_mnist"), chip("invertible_logic").design) == {}
    with pytest.raises(InputError, match="gemm is no logic gate and no adder cell"):
        evaluate(load("mlp_mnist"), "invertible_logic")


def test_users_netlists_have_figures(tmp_path: Path) -> None:
    path = tmp_path / "x.blif"
    path.write_text(".model x\n.inputs a b\n.outputs y\n.gate XOR A=a B=b Y=y\n.end\n")
    own = figures(load(path), chip("invertible_logic").design)
    assert (own["spins_count"], own["gates_count"], own["ground_energy_ratio"]) == (4, 1, -4)


def test_a_chip_that_multiplies_nothing_has_no_roof(tmp_path: Path) -> None:
    report = evaluate(load("gate_and"), "invertible_logic")
    assert report.roofline["peak_macs_per_s"] == 0
    write(report, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Roofline" not in page
    assert "Cycles per layer" in page
