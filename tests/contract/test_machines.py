"""Every chip's stepped machine against its trace, its fold and numpy, on random small networks."""

from __future__ import annotations

import numpy as np
import pytest

from hwsim import registry
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.trace import reduce, verify_trace
from tests.contract.chips import each_chip, runnable
from tests.contract.small_designs import small_design

# The fast part runs one block of every chip.
BLOCKS = [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 6))]


def step(name: str, seed: int) -> None:
    """Run the machine on a random network and design, and compare it with trace, fold and numpy."""
    accelerator = registry.load_accelerator(name)
    rng = np.random.default_rng(seed)
    graph, design = accelerator.machine_graphs(rng), small_design(accelerator, rng)
    trace, sheet = accelerator.lower(graph, design), accelerator.datasheet(design)
    verify_trace(trace)
    timing = time_trace(trace, price(trace, sheet), sheet)
    result = accelerator.machine(graph, design, np.random.default_rng(seed))
    expected = accelerator.reference(graph, design, np.random.default_rng(seed))
    assert np.array_equal(result.values, expected), seed
    assert result.cycles == int(timing.cycles), (seed, trace.notes)
    counted: dict[tuple[str, str], int] = {}
    for (_, unit, action), events, bits in reduce(trace).items():
        amount = bits if unit == accelerator.offchip else events
        counted[unit, action] = counted.get((unit, action), 0) + amount
    assert {key: count for key, count in result.events.items() if count != counted.get(key, 0)} == {}, seed
    work = set(accelerator.work)
    assert {key for key, count in counted.items() if count and key in work} <= set(result.events), seed


@each_chip
@pytest.mark.parametrize("block", BLOCKS)
def test_machine_equals_trace_and_numpy(name: str, block: int) -> None:
    for seed in range(block * 15, block * 15 + 15):
        step(name, seed)


@pytest.mark.slow
@each_chip
@pytest.mark.parametrize("block", range(4))
def test_machine_equals_trace_and_numpy_on_many_networks(name: str, block: int) -> None:
    for seed in range(1000 + block * 60, 1060 + block * 60):
        step(name, seed)


@each_chip
def test_machine_graphs_are_small_networks_that_the_chip_runs(name: str) -> None:
    accelerator = registry.load_accelerator(name)
    kinds = set()
    for seed in range(60):
        graph = accelerator.machine_graphs(np.random.default_rng(seed))
        kinds |= {op.kind for op in graph.ops}
        assert runnable(accelerator, graph)
    assert len(kinds) > 1
