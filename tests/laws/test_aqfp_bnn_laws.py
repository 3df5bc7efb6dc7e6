"""Laws of aqfp_bnn: what may only grow, what has to add up, and networks that the machine steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.aqfp_bnn.design import AqfpBnnDesign
from accelerators.aqfp_bnn.figures import crossbar_figures, figures
from accelerators.aqfp_bnn.machine import machine, reference
from accelerators.aqfp_bnn.operands import random_graph
from accelerators.aqfp_bnn.schedule import schedule
from hwsim.run import chip, evaluate
from tests.examples import examples
from tests.unit.aqfp_bnn.networks import perceptron, vgg_small

KNOBS = {
    "crossbar_size": st.integers(1, 40), "stream_length": st.integers(1, 6), "replication": st.integers(1, 4),
    "clock_phases": st.integers(3, 9), "max_phase_skip": st.integers(1, 3),
    "parallel_counter": st.sampled_from(["exact", "approximate"]),
    "weight_memory": st.sampled_from(["buffer_chain", "in_cell"]),
}  # fmt: skip
designs = st.fixed_dictionaries(KNOBS)
seeds = st.integers(0, 10**6)


def design(**knobs: object) -> AqfpBnnDesign:
    found = chip("aqfp_bnn", **knobs).design
    assert isinstance(found, AqfpBnnDesign)
    return found


@examples(40)
@given(seeds, designs)
def test_always_on_never_costs_less_than_active(seed: int, knobs: dict[str, object]) -> None:
    graph = random_graph(np.random.default_rng(seed))
    found = figures(graph, design(**knobs))
    assert found["always_on_j"] >= found["active_j"] * (1 - 1e-12)
    alone = crossbar_figures(graph, design(**knobs))
    assert found["active_j"] >= alone["active_j"]
    assert alone["active_operations_per_j"] <= 2 / (12 * found["junction_j"])


@examples(40)
@given(seeds, designs)
def test_layers_add_up_to_the_whole_and_copies_never_slow_down(seed: int, knobs: dict[str, object]) -> None:
    graph = random_graph(np.random.default_rng(seed))
    plan = schedule(graph, design(**knobs))
    assert sum(plan.layer_cycles()) == plan.cycles
    more = schedule(graph, design(**knobs | {"replication": 2 * int(str(knobs["replication"]))}))
    assert more.cycles <= plan.cycles
    assert plan.interval_cycles >= max(
        -(-table.mapping.layer.windows // table.lanes) * table.mapping.hold_cycles for table in plan.tables
    )


@examples(30)
@given(seeds, designs, st.integers(1, 4))
def test_longer_streams_take_longer_and_cost_in_proportion(
    seed: int, knobs: dict[str, object], factor: int
) -> None:
    graph = random_graph(np.random.default_rng(seed))
    short, long = (
        evaluate(graph, chip("aqfp_bnn", **knobs | {"stream_length": length, "count_bits": 20}))
        for length in (2, 2 * factor)
    )
    assert long.totals.cycles >= short.totals.cycles
    units = [report.totals.energy_j_by_unit["crossbars"] for report in (short, long)]
    assert units[1] == pytest.approx(factor * units[0])


@examples(25)
@given(seeds)
def test_energy_is_proportional_to_that_of_a_junction(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed))
    one, three = (evaluate(graph, chip("aqfp_bnn", junction_j=joules)).totals for joules in (1e-21, 3e-21))
    assert three.energy_j == pytest.approx(3 * one.energy_j)
    assert three.cycles == one.cycles


@examples(15)
@given(seeds, designs)
def test_the_machine_computes_the_network_where_nothing_is_random(
    seed: int, knobs: dict[str, object]
) -> None:
    graph = random_graph(np.random.default_rng(seed))
    target = design(**knobs | {"neuron": "deterministic"})
    stepped = machine(graph, target, np.random.default_rng(seed))
    assert np.array_equal(stepped.values, reference(graph, target, np.random.default_rng(seed)))
    assert stepped.cycles == schedule(graph, target).cycles


def test_a_batch_takes_one_interval_more_per_sample() -> None:
    for batch in (1, 2, 7):
        plan = schedule(perceptron(200, 50, 30, batch=batch), design(crossbar_size=16))
        assert plan.cycles == plan.latency_cycles + (batch - 1) * plan.interval_cycles
    assert schedule(vgg_small(3), design()).interval_cycles == schedule(vgg_small(), design()).interval_cycles
