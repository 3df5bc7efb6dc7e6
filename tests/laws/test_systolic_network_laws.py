"""Laws of whole networks on the systolic array: scaling, structure, and energy that the search foresaw."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accelerators.systolic import lower, prepare, structure
from accelerators.systolic.datasheet import datasheet
from accelerators.systolic.design import PRICES, Dataflow, Objective, SystolicDesign
from accelerators.systolic.lower import _rates
from accelerators.systolic.search import Search
from accelerators.systolic.space import SCRATCHPADS
from accelerators.systolic.tiles import Epilogue, Tiling
from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import matrix_products
from hwsim.graph.types import INT8, INT32, Graph
from hwsim.model.energy import charge
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.report.types import Totals
from hwsim.run import Chip, chip, evaluate
from hwsim.trace import reduce, to_text
from tests.contract.small_graphs import small_graph
from tests.examples import examples
from tests.laws.products import designs

SYSTOLIC = chip("systolic").accelerator


def totals(graph: Graph, design: SystolicDesign) -> Totals:
    return evaluate(graph, Chip(SYSTOLIC, "edge_32", design)).totals


@st.composite
def layer_plans(draw: st.DrawFn) -> dict[str, Any]:
    size = st.integers(1, 10)
    return {
        "kind": draw(st.sampled_from(("gemm", "convolution", "matmul"))),
        "m": draw(size),
        "k": draw(size),
        "n": draw(size),
        "kernel": draw(st.integers(1, 3)),
        "stride": draw(st.integers(1, 2)),
        "pad": draw(st.integers(0, 1)),
        "groups": draw(st.integers(1, 2)),
        "bias": draw(st.booleans()),
        "relu": draw(st.booleans()),
    }


def layer(plan: dict[str, Any], batch: int = 1) -> Graph:
    """A product, perhaps with bias and activation, over `batch` samples."""
    b = GraphBuilder("net", format=INT8)
    m, k, n, groups = plan["m"], plan["k"], plan["n"], plan["groups"]
    if plan["kind"] == "gemm":
        operands = [b.input("x", (batch * m, k)), b.weight("w", (k, n))]
        operands += [b.weight("b", (n,), format=INT32)] if plan["bias"] else []
        y = b.add("gemm", operands, name="op")
    elif plan["kind"] == "matmul":
        y = b.matmul(b.input("x", (batch, m, k)), b.input("y", (batch, k, n)), name="op")
    else:
        x = b.input("x", (batch, groups * k, m + 3, m + 3))
        w = b.weight("w", (groups * n, k, plan["kernel"], plan["kernel"]))
        operands = [x, w] + ([b.weight("b", (groups * n,), format=INT32)] if plan["bias"] else [])
        y = b.add(
            "convolution",
            operands,
            name="op",
            groups=groups,
            strides=(plan["stride"],) * 2,
            pads=(plan["pad"],) * 4,
        )
    b.output(b.relu(y, "relu") if plan["relu"] else y)
    return b.build()


def attempt(graph: Graph, design: SystolicDesign) -> Totals:
    """Return the totals, or drop the example if no tile fits the scratchpads."""
    try:
        return totals(graph, design)
    except InputError:
        assume(False)
        raise


@given(layer_plans(), designs(Objective.CYCLES), st.integers(1, 3))
@examples(25)
def test_a_batch_costs_at_most_as_many_single_runs(
    plan: dict[str, Any], design: SystolicDesign, doublings: int
) -> None:
    """Weights may be kept and transfers overlap, so a batch is never slower than its samples one by one."""
    batch = 2**doublings
    single, many = attempt(layer(plan), design), attempt(layer(plan, batch), design)
    assert many.macs == batch * single.macs
    assert single.cycles <= many.cycles <= batch * single.cycles


@given(layer_plans(), designs(Objective.CYCLES))
@examples(25)
def test_more_hardware_is_never_slower(plan: dict[str, Any], design: SystolicDesign) -> None:
    graph = layer(plan)
    cycles = attempt(graph, design).cycles
    for knob in ("dram_bits_per_s", "vector_lanes", *SCRATCHPADS):
        larger = design.model_copy(update={knob: 2 * getattr(design, knob)})
        assert totals(graph, larger).cycles <= cycles, knob


@given(layer_plans(), designs(Objective.CYCLES), st.sampled_from("mkn"))
@examples(25)
def test_half_the_work_is_never_slower(plan: dict[str, Any], design: SystolicDesign, axis: str) -> None:
    whole = plan | {axis: 2 * plan[axis]}
    assume(plan["kind"] != "convolution" or axis != "m")
    assert attempt(layer(plan), design).cycles <= attempt(layer(whole), design).cycles


@given(layer_plans(), designs(Objective.CYCLES))
@examples(30)
def test_the_best_dataflow_is_no_worse_than_each_fixed_one(
    plan: dict[str, Any], design: SystolicDesign
) -> None:
    graph = layer(plan)
    cycles = {flow: attempt(graph, design.model_copy(update={"dataflow": flow})).cycles for flow in Dataflow}
    assert cycles[Dataflow.BEST] == min(cycles.values())


@given(layer_plans(), designs(Objective.CYCLES))
@examples(30)
def test_the_energy_objective_spends_no_more_energy_and_the_product_no_more_of_it(
    plan: dict[str, Any], design: SystolicDesign
) -> None:
    """Each objective is best at its own goal; the energies compared leave out nothing that tiles change."""
    found = {o: attempt(layer(plan), design.model_copy(update={"objective": o})) for o in Objective}
    joules = {o: found[o].energy_j for o in Objective}
    traffic = {o: found[o].bytes_by_memory["dram"] for o in Objective}
    assert joules[Objective.ENERGY] <= min(joules.values()) * (1 + 1e-9)
    assert found[Objective.CYCLES].cycles == min(t.cycles for t in found.values())
    assert traffic[Objective.TRAFFIC] == min(traffic.values())


def foreseen(graph: Graph, design: SystolicDesign, tiling: Tiling) -> tuple[float, float]:
    """Return the energy that the search expects of a tiling, and what no tiling can change."""
    product = matrix_products(graph, graph.ops[0])[0]
    search = Search(product, design, _rates(design), Epilogue(design.operand_bits))
    shape = search.space.least_cycles.shape
    place = next(
        (f, o, s)
        for f in range(shape[0])
        for o in range(shape[1])
        for s in range(shape[2])
        if search.space.tiling(f, o, s) == tiling
    )
    rates = search.rates
    joules = int(search.space.traffic[0, place[1], place[2]]) * rates.dram_j
    joules += float(search.space.onchip_j[place]) + search.cycles(tiling) * rates.leakage_j
    mac = next(row for row in datasheet(design).actions if (row.unit, row.action) == ("array", "mac"))
    assert mac.energy is not None
    return joules, product.macs * mac.energy.value


@pytest.mark.parametrize("kind", ["gemm", "convolution", "matmul"])
@pytest.mark.parametrize("flow", ["os", "ws", "is"])
def test_the_energy_that_the_search_compares_is_what_the_trace_charges(
    kind: str, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {
        "kind": kind,
        "m": 7,
        "k": 9,
        "n": 6,
        "kernel": 3,
        "stride": 2,
        "pad": 1,
        "groups": 2,
        "bias": False,
        "relu": False,
    }
    design = SystolicDesign(
        array_rows=4,
        array_cols=3,
        dataflow=Dataflow(flow),
        objective=Objective.ENERGY,
        input_scratchpad_bytes=512,
        weight_scratchpad_bytes=256,
        output_scratchpad_bytes=512,
    )
    graph = layer(plan, 2)
    product = matrix_products(graph, graph.ops[0])[0]
    space = Search(product, design, _rates(design), Epilogue(design.operand_bits)).space
    orders, sizes = space.least_cycles.shape[1:]
    assert sizes > 5
    for order in range(orders):
        for size in range(0, sizes, max(1, sizes // 5)):
            tiling = space.tiling(0, order, size)
            monkeypatch.setattr(Search, "best", lambda self, tiling=tiling: tiling)
            expected, fixed = foreseen(graph, design, tiling)
            assert totals(graph, design).energy_j == pytest.approx(expected + fixed, rel=1e-9)


knob_changes = st.fixed_dictionaries(
    {},
    optional={
        "vector_lanes": st.integers(1, 64),
        "clock_hz": st.sampled_from((1e8, 5e8, 2e9)),
        "dram_bits_per_s": st.sampled_from((1e9, 2e10, 1e12)),
        "dram_energy": st.sampled_from(("low", "mean", "high")),
        "node_m": st.sampled_from((7e-9, 2.8e-8, 6.5e-8)),
        "supply_v": st.sampled_from((0.6, 0.9, 1.1)),
        "array_rows": st.sampled_from((8, 32)),
        "fuse_elementwise": st.booleans(),
    },
)
NETWORKS = ("classifier", "gemm", "lstm", "matmul_broadcast", "softmax")


@given(st.sampled_from(Objective), knob_changes, knob_changes, st.sampled_from(NETWORKS))
@examples(50)
def test_designs_of_equal_structure_share_a_trace(
    objective: Objective, first: dict[str, Any], second: dict[str, Any], name: str
) -> None:
    base = {
        "objective": objective,
        "input_scratchpad_bytes": 256,
        "weight_scratchpad_bytes": 256,
        "output_scratchpad_bytes": 256,
    }
    one, two = SystolicDesign(**base | first), SystolicDesign(**base | second)
    assume(structure(one) == structure(two))
    graph = small_graph(name)
    assert to_text(lower(prepare(graph, one), one)) == to_text(lower(prepare(graph, two), two))


@pytest.mark.parametrize(
    ("objective", "inside"),
    [
        ("traffic", ()),
        ("cycles", ("vector_lanes", "clock_hz", "dram_bits_per_s")),
        ("energy", PRICES),
        ("product", PRICES),
    ],
)
def test_structure_holds_the_prices_that_the_objective_looks_at(
    objective: str, inside: tuple[str, ...]
) -> None:
    held = structure(SystolicDesign(objective=objective))
    assert {name for name in PRICES if name in held} == set(inside)
    assert set(SystolicDesign.model_fields) - set(PRICES) <= set(held)


@given(layer_plans(), knob_changes)
@examples(30)
def test_a_repriced_trace_equals_a_fresh_evaluation(plan: dict[str, Any], change: dict[str, Any]) -> None:
    """With tiles chosen for traffic only, lanes, clock, bandwidth and prices leave the trace alone."""
    change = {name: value for name, value in change.items() if name in PRICES}
    design, graph = SystolicDesign(objective="traffic"), layer(plan)
    other = SystolicDesign.model_validate(design.model_dump() | change)
    trace, sheet = lower(prepare(graph, design), design), datasheet(other)
    prices, fresh = price(trace, sheet), totals(graph, other)
    timing = time_trace(trace, prices, sheet)
    energy = charge(reduce(trace), prices, timing, sheet)
    assert (int(timing.cycles), int(timing.compute_cycles)) == (fresh.cycles, fresh.compute_cycles)
    assert float(energy.total_j) == pytest.approx(fresh.energy_j, rel=1e-12)


@pytest.mark.parametrize("kind", ["softmax", "max_pool", "elementwise", "transpose"])
def test_the_vector_unit_is_not_slower_with_larger_scratchpads(kind: str) -> None:
    """Up to the rounding of single transfers, one percent."""
    b = GraphBuilder("vector", format=INT8)
    x = b.input("x", (1, 8, 40, 40))
    if kind == "transpose":
        y = b.transpose(x, (0, 2, 3, 1))
    elif kind == "max_pool":
        y = b.max_pool(x, 3, stride=2)
    else:
        y = b.softmax(x) if kind == "softmax" else b.relu(x)
    b.output(y)
    graph = b.build()
    cycles = [
        totals(graph, SystolicDesign(**dict.fromkeys(SCRATCHPADS, size))).cycles
        for size in (256, 1024, 4096, 16384, 65536, 2**20)
    ]
    for smaller, larger in itertools.pairwise(cycles):
        assert larger <= smaller * 1.01


def test_a_scratchpad_too_small_is_named_with_the_operator() -> None:
    """The whole kernel on one channel is the smallest tile: 40 x 40 weights of one byte."""
    b = GraphBuilder("large", format=INT8)
    x, w = b.input("x", (1, 1, 40, 40)), b.weight("w", (1, 1, 40, 40))
    b.output(b.add("convolution", [x, w], name="conv"))
    with pytest.raises(InputError) as caught:
        lower(b.build(), SystolicDesign(weight_scratchpad_bytes=64))
    (problem,) = caught.value.problems
    assert problem.where == "large.conv"
    assert problem.reason == "weight_scratchpad_bytes 64 holds 32 bytes a half, a tile needs 1600"
    assert problem.hint == "enlarge the scratchpad"
