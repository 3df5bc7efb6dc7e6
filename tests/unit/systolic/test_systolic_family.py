"""Arrays lowered together against arrays lowered one by one: every objective, dataflow and model of folds.

The compiled search and the one of `accelerators.systolic.search` are written independently; nothing but the
arithmetic of the chip is common to them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from accelerators.systolic import ACCELERATOR, family
from accelerators.systolic.design import SystolicDesign
from accelerators.systolic.family import KNOBS, lower_family
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, Graph
from hwsim.model.prices import price
from hwsim.model.sheets import sheets_of
from hwsim.model.timing import time_trace
from hwsim.sweep import family as families
from hwsim.sweep.family import Families
from hwsim.trace import fold, reduce, verify_trace
from tests.contract.families import assert_equal_to_evaluate
from tests.contract.small_graphs import small_graph

OBJECTIVES = ("cycles", "energy", "product", "traffic")
NETWORKS = ("classifier", "lstm", "gru", "matmul_broadcast", "depthwise", "softmax", "conv_batch")


def network(name: str) -> Graph:
    b = GraphBuilder(name, format=INT8)
    if name == "depthwise":
        x = b.conv(b.input("x", (1, 8, 9, 11)), 8, 3, padding=1, groups=8, bias=False)
        b.output(b.relu(b.conv(x, 20, 1)))
    elif name == "conv_batch":
        x = b.conv(b.input("x", (5, 3, 14, 10)), 12, 5, stride=2, padding=2)
        b.output(b.conv(b.conv(b.relu(x), 12, 3, padding=1), 12, 3, padding=1))
    else:
        return small_graph(name)
    return b.build()


def design(rng: np.random.Generator, fixed: dict[str, Any]) -> SystolicDesign:
    return SystolicDesign.model_validate(
        fixed
        | {
            "array_rows": int(rng.integers(1, 24)),
            "array_cols": int(rng.integers(1, 24)),
            "input_scratchpad_bytes": int(rng.integers(600, 4096)),
            "weight_scratchpad_bytes": int(rng.integers(300, 4096)),
            "output_scratchpad_bytes": int(rng.integers(600, 8192)),
            "vector_lanes": int(rng.integers(1, 40)),
            "clock_hz": float(rng.choice([5e8, rng.uniform(1e8, 2e9)])),
            "dram_bits_per_s": float(rng.choice([1e9, 6.4e10, rng.uniform(1e9, 1e12)])),
            "node_m": float(rng.uniform(1e-8, 9e-8)),
        }
    )


def fixed_knobs(rng: np.random.Generator, objective: str) -> dict[str, Any]:
    return {
        "objective": objective,
        "dataflow": str(rng.choice(["best", "best", "os", "ws", "is"])),
        "fold_model": str(rng.choice(["overlapped", "overlapped", "sequential", "scalesim"])),
        "memory_model": str(rng.choice(["double_buffered"] * 4 + ["stall_free"])),
        "fuse_elementwise": bool(rng.integers(2)),
    }


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower families however small they are."""
    monkeypatch.setattr(families, "ALONE_AT_MOST", 0)


@pytest.mark.slow  # loads the compiled search, or compiles it
@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_family_of_arrays_equals_its_reports(name: str, objective: str) -> None:
    rng = np.random.default_rng([NETWORKS.index(name), OBJECTIVES.index(objective)])
    for _ in range(3):
        fixed = fixed_knobs(rng, objective)
        assert_equal_to_evaluate(network(name), ACCELERATOR, [design(rng, fixed) for _ in range(7)])


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_layer_of_every_member_is_that_of_its_own_trace(objective: str) -> None:
    """Activity, cycles and stalls per layer; not only in total."""
    rng = np.random.default_rng(5)
    fixed = fixed_knobs(rng, objective) | {"memory_model": "double_buffered"}
    designs = [design(rng, fixed) for _ in range(6)]
    graph = ACCELERATOR.prepare(network("conv_batch"), designs[0])
    found = lower_family(graph, designs)
    merged, trace = found.merged, found.merged.trace
    verify_trace(trace)
    assert merged.times.max() == (2 if not fixed["fuse_elementwise"] else merged.times.max())
    activity = reduce(trace)
    members = [designs[member] for member in found.members.tolist()]
    assert members
    sheets = sheets_of(ACCELERATOR, members)
    timing = time_trace(trace, price(trace, sheets), sheets.first)
    for place, member in enumerate(members):
        own = ACCELERATOR.lower(graph, member)
        sheet = ACCELERATOR.datasheet(member)
        counts = {key: (events, bits) for key, events, bits in reduce(own).items() if events}
        alone = time_trace(own, price(own, sheet), sheet)
        for node, name in enumerate(trace.nodes):
            times = int(merged.times[node])
            here = {
                (name, trace.units[u], trace.actions[a]): (int(e) // times, int(b) // times)
                for n, u, a, e, b in zip(
                    activity.node.tolist(), activity.unit.tolist(), activity.action.tolist(),
                    activity.events[place], activity.bits[place], strict=True,
                )
                if n == node and e
            }  # fmt: skip
            assert here == {key: count for key, count in counts.items() if key[0] == name}
            cycles = int(timing.node_cycles[place, node])
            assert cycles == times * int(alone.node_cycles[own.nodes.index(name)])
        assert (
            int(timing.cycles[place]) == int(alone.cycles) == int(fold(own, _row_cycles(own, sheet)).cycles)
        )


def _row_cycles(trace: Any, sheet: Any) -> Any:
    from hwsim.model.prices import row_cycles

    return row_cycles(trace, price(trace, sheet))


@pytest.mark.slow
@pytest.mark.usefixtures("together")
def test_designs_beyond_64_bits_and_too_small_ones_are_left_to_the_other_path() -> None:
    base = SystolicDesign()
    odd = base.model_copy(update={"clock_hz": 123456789.12345678, "dram_bits_per_s": 98765432109.87654})
    small = base.model_copy(update={"input_scratchpad_bytes": 64})
    near = base.model_copy(update={"clock_hz": 1e9 / 3, "dram_bits_per_s": 1e11 / 3 + 0.001})
    found = assert_equal_to_evaluate(
        network("conv_batch"),
        ACCELERATOR,
        [base, odd, small, near, base.model_copy(update={"array_rows": 7})],
    )
    assert list(found.failures) == [2]
    graph = ACCELERATOR.prepare(network("conv_batch"), base)
    assert 2 not in lower_family(graph, [base, odd, small]).members.tolist()
    assert lower_family(graph, [small]).members.size == 0


@pytest.mark.slow
def test_equal_layers_are_lowered_once() -> None:
    b = GraphBuilder("chain", format=INT8)
    x = b.input("x", (1, 8, 10, 10))
    for _ in range(6):
        x = b.relu(b.conv(x, 8, 3, padding=1))
    b.output(x)
    designs = [SystolicDesign(array_rows=rows) for rows in (8, 16, 32)]
    found = lower_family(ACCELERATOR.prepare(b.build(), designs[0]), designs)
    assert sorted(found.merged.times.tolist(), reverse=True)[0] >= 5
    assert int((found.merged.trace.loops.node >= 0).sum()) <= 2


def test_knobs_of_families_are_numbers() -> None:
    assert set(KNOBS) <= set(SystolicDesign.model_fields)
    assert all(isinstance(getattr(SystolicDesign(), knob), int | float) for knob in KNOBS)
    assert family.MOST_SLOTS == 64


@pytest.mark.slow
def test_chunks_and_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "ALONE_AT_MOST", 0)
    rng = np.random.default_rng(3)
    designs = [design(rng, {"objective": "cycles"}) for _ in range(9)]
    whole = Families(network("depthwise"), ACCELERATOR).evaluate(designs)
    monkeypatch.setattr(families, "CHUNK", 2)
    pieces = Families(network("depthwise"), ACCELERATOR).evaluate(designs)
    backwards = Families(network("depthwise"), ACCELERATOR).evaluate(designs[::-1])
    for name in ("index", "cycles", "energy_j", "area_m2"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name
    assert np.array_equal(whole.cycles, backwards.cycles[::-1])
    assert np.array_equal(whole.energy_j, backwards.energy_j[::-1])


@pytest.mark.parametrize("objective", ["cycles", "product"])
def test_the_search_finds_the_same_in_plain_python(objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its compiled form is compared with reports above; this one needs no compiler."""
    from hwsim.kernels import tile_search, vector_tiles

    monkeypatch.setattr(families, "ALONE_AT_MOST", 0)
    monkeypatch.setattr(tile_search, "choose_tilings", tile_search.choose_tilings.plain)  # type: ignore[attr-defined]
    monkeypatch.setattr(vector_tiles, "choose_even_tiles", vector_tiles.choose_even_tiles.plain)  # type: ignore[attr-defined]
    rng = np.random.default_rng(11)
    fixed = fixed_knobs(rng, objective) | {"memory_model": "double_buffered"}
    assert_equal_to_evaluate(small_graph("gemm"), ACCELERATOR, [design(rng, fixed) for _ in range(3)])
