"""The roofline engine: traces, prices and evidence worked out by hand, and its stepped machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelerators.edge_gpu.design import CONSTANTS
from hwsim.graph.build import GraphBuilder
from hwsim.graph.offload import offload
from hwsim.graph.types import FLOAT32, INT8, FormatKind, Graph, NumberFormat
from hwsim.model.prices import price, verify_datasheet
from hwsim.model.roofline import RooflineDesign, accelerator
from hwsim.model.roofline.design import MemoryModel
from hwsim.model.roofline.engine import (
    datasheet,
    lower,
    machine,
    machine_graph,
    prepare,
    presets_knob,
    reference,
)
from hwsim.model.timing import time_trace
from hwsim.sourced import chosen
from hwsim.trace import LoopKind, reduce

DESIGN = RooflineDesign(lanes=4, clock_hz=10.0, dram_bits_per_s=640.0, active_power_w=2.0, die_area_m2=1e-6)
UNITS = {"clock_hz": "_hz", "dram_bits_per_s": "_bits_per_s", "active_power_w": "_w", "die_area_m2": "_m2"}


def knob(design: RooflineDesign, name: str) -> Any:
    return chosen(getattr(design, name), UNITS[name], name)


def perceptron(form: NumberFormat = FLOAT32) -> Graph:
    """[2, 3] times [3, 4], rectified, and looked at in another shape."""
    b = GraphBuilder("perceptron", format=form)
    y = b.add("gemm", [b.input("x", (2, 3)), b.weight("w", (3, 4))], name="product", format=form)
    b.output(b.add("reshape", b.relu(y, name="relu"), name="view", shape=(8,)))
    return b.build()


def counted(graph: Graph, design: RooflineDesign = DESIGN) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {key: (events, bits) for key, events, bits in reduce(lower(graph, design)).items()}


def test_every_operator_computes_beside_one_pass_over_its_tensors() -> None:
    trace = lower(perceptron(), DESIGN)
    assert counted(perceptron()) == {
        ("product", "engine", "mac"): (24, 0),
        ("product", "dram", "read"): (1, (6 + 12) * 32),
        ("product", "dram", "write"): (1, 8 * 32),
        ("relu", "engine", "compare"): (8, 0),
        ("relu", "engine", "issue"): (8, 0),
        ("relu", "dram", "read"): (1, 8 * 32),
        ("relu", "dram", "write"): (1, 8 * 32),
    }
    assert trace.notes == {("view", "mapping"): "no data moves"}
    kinds = [LoopKind(kind) for kind in trace.loops.kind.tolist()]
    assert kinds == [LoopKind.SEQ] + 2 * [LoopKind.PAR, LoopKind.SEQ, LoopKind.SEQ]
    assert trace.loops.trip.tolist() == [1] * 7


def test_the_longer_of_peak_and_bandwidth_counts_for_each_operator() -> None:
    """64 bits a clock: the product waits 9 + 4 for its bits, the rectifier 4 + 4, lanes 6 and 2."""
    trace, sheet = lower(perceptron(), DESIGN), datasheet(DESIGN, knob)
    timing = time_trace(trace, price(trace, sheet), sheet)
    assert dict(zip(trace.nodes, timing.node_cycles.tolist(), strict=True)) == {
        "product": 13,
        "relu": 8,
        "view": 0,
    }
    assert int(timing.compute_cycles) == 6 + 2
    assert sorted(timing.causes) == ["dram.read", "dram.write"]
    peak = DESIGN.model_copy(update={"memory_model": MemoryModel.IN_PEAK})
    sheet = datasheet(peak, knob)
    timing = time_trace(trace, price(trace, sheet), sheet)
    assert int(timing.cycles) == 6 + 2
    assert timing.causes == ()


def test_a_tensor_read_twice_by_one_operator_is_loaded_once() -> None:
    b = GraphBuilder("twice", format=FLOAT32)
    x = b.input("x", (5,))
    b.output(b.add("elementwise", [x, x], name="sum", function="add"))
    assert counted(b.build())["sum", "dram", "read"] == (1, 5 * 32)


def test_absent_operands_and_unwanted_results_move_nothing() -> None:
    b = GraphBuilder("recurrent", format=FLOAT32)
    operands = [b.input("x", (5, 2, 3)), b.weight("w", (1, 16, 3)), b.weight("r", (1, 16, 4)), "", ""]
    operands.append(b.state("h", (1, 2, 4)))
    made = b.add_many("lstm", operands, outputs=["", "last"], name="cell")
    b.output(made[1])
    found = counted(b.build())
    assert found["cell", "dram", "read"] == (1, (30 + 48 + 64 + 8) * 32)
    assert found["cell", "dram", "write"] == (1, 8 * 32)


def test_a_view_in_the_middle_and_a_source_without_operands() -> None:
    b = GraphBuilder("middle", format=FLOAT32)
    made = b.add("range", [], name="made", format=FLOAT32, length=8)
    seen = b.add("reshape", b.input("x", (2, 4)), name="view", shape=(8,))
    b.output(b.add("elementwise", [seen, made], name="sum", function="add"))
    found = counted(b.build())
    assert found["made", "dram", "write"] == (1, 8 * 32)
    assert ("made", "dram", "read") not in found
    assert found["sum", "dram", "read"] == (1, 16 * 32)
    assert lower(b.build(), DESIGN).notes == {("view", "mapping"): "no data moves"}


@pytest.mark.parametrize(("moves", "bits"), [(True, {"read": 256, "write": 256}), (False, {})])
def test_what_runs_elsewhere_moves_its_tensors_only_if_it_says_so(moves: bool, bits: dict[str, int]) -> None:
    graph = offload(perceptron(), frozenset({"relu"}), moves=moves)
    found = {action: amount for (node, _, action), (_, amount) in counted(graph).items() if node == "relu"}
    assert found == bits
    assert lower(graph, DESIGN).notes.get(("relu", "mapping")) == (None if moves else "no data moves")


@pytest.mark.parametrize(("bits", "exponent"), [(16, 5), (32, 8), (64, 11)])
def test_floating_point_networks_are_stored_in_the_operand_width(bits: int, exponent: int) -> None:
    b = GraphBuilder("net", format=NumberFormat(FormatKind.FLOAT, 24, 7))
    b.output(b.batch_norm(b.linear(b.input("x", (2, 3)), 4)))
    prepared = prepare(b.build(), DESIGN.model_copy(update={"operand_bits": bits}))
    assert [op.kind for op in prepared.ops] == ["gemm"]
    form = NumberFormat(FormatKind.FLOAT, bits, exponent)
    assert {tensor.format for tensor in prepared.tensors.values()} == {form}


def test_integers_and_widths_without_a_float_keep_their_format() -> None:
    assert prepare(perceptron(INT8), DESIGN) == perceptron(INT8)
    assert prepare(perceptron(), DESIGN.model_copy(update={"operand_bits": 8})) == perceptron()


def test_prices_are_lanes_clock_bandwidth_and_power() -> None:
    sheet = datasheet(DESIGN, knob)
    verify_datasheet(sheet)
    assert sheet.clock_hz == knob(DESIGN, "clock_hz")
    engine, dram = sheet.units
    assert (engine.unit, engine.role, engine.area, engine.leakage, engine.zero_area) == (
        "engine",
        "compute",
        knob(DESIGN, "die_area_m2"),
        knob(DESIGN, "active_power_w"),
        "",
    )
    assert (dram.unit, dram.role, dram.area, dram.leakage) == ("dram", "memory", None, None)
    assert (dram.zero_area, dram.zero_leakage) == ("another chip", "inside the power of the engine")
    rows = {(row.unit, row.action): row for row in sheet.actions}
    assert [action for unit, action in rows if unit == "dram"] == ["write", "read"]
    for row in sheet.actions:
        assert row.energy is None
        assert row.energy_per_bit is None
        assert row.zero_energy == "the published power is charged for time"
    for action in ("mac", "issue"):
        row = rows.pop(("engine", action))
        assert (row.lanes, row.interval_cycles, row.zero_time) == (4, 1, "")
    for action in ("read", "write"):
        row = rows.pop(("dram", action))
        assert (row.interval_cycles, row.bits_per_s) == (0, knob(DESIGN, "dram_bits_per_s"))
        assert row.zero_time == ""
    assert {action for _, action in rows} == {"add", "multiply", "divide", "compare", "special", "logic"}
    assert {(row.interval_cycles, row.zero_time) for row in rows.values()} == {(0, "takes its issue slot")}


def test_a_peak_that_contains_the_memory_and_an_area_nobody_published_say_so() -> None:
    bare = {"memory_model": MemoryModel.IN_PEAK, "die_area_m2": 0.0}
    sheet = datasheet(DESIGN.model_copy(update=bare), knob)
    verify_datasheet(sheet)
    assert {row.zero_time for row in sheet.actions if row.unit == "dram"} == {
        "the peak was achieved and contains the memory"
    }
    assert {row.bits_per_s for row in sheet.actions} == {None}
    assert (sheet.units[0].area, sheet.units[0].zero_area) == (None, "not published")


def test_a_chip_of_presets_is_priced_by_its_own_knobs() -> None:
    chip = accelerator("mine", "Mine", {"only": DESIGN}, CONSTANTS, Path("here"), knob)
    assert (chip.name, chip.summary) == ("mine", "Mine")
    assert (chip.presets, chip.folder) == ({"only": DESIGN}, Path("here"))
    assert (chip.constants, chip.offchip, chip.lane_knobs) == (CONSTANTS, "dram", ("lanes",))
    assert (chip.design, chip.prepare, chip.lower) == (RooflineDesign, prepare, lower)
    assert (chip.machine, chip.machine_graphs, chip.reference) == (machine, machine_graph, reference)
    assert chip.datasheet(DESIGN) == datasheet(DESIGN, knob)
    assert chip.structure(DESIGN) == {"operand_bits": 32}
    assert chip.supports(perceptron(), perceptron().ops[0]) == ""
    assert chip.work == {("engine", "mac"): "macs"} | {
        ("engine", name): name for name in ("add", "multiply", "divide", "compare", "special", "logic")
    }


def test_evidence_belongs_to_a_preset_only_while_a_knob_still_equals_it() -> None:
    presets = {"small": DESIGN, "large": DESIGN.model_copy(update={"lanes": 8, "clock_hz": 20.0})}
    constants: dict[str, Any] = {
        "s_clock_hz": chosen(10.0, "_hz", "paper.small"),
        "l_clock_hz": chosen(20.0, "_hz", "paper.large"),
        "l_active_power_w": chosen(2.0, "_w", "paper.power"),
    }
    look = presets_knob(lambda: presets, constants, {"small": "s", "large": "l"})  # type: ignore[arg-type]
    assert look(DESIGN, "clock_hz").formula == "paper.small"
    assert look(presets["large"], "clock_hz").formula == "paper.large"
    assert look(presets["large"], "active_power_w").formula == "paper.power"
    faster = look(DESIGN.model_copy(update={"clock_hz": 20.0}), "clock_hz")
    assert (faster.value, faster.formula) == (20.0, "design.clock_hz")
    assert look(DESIGN, "active_power_w").formula == "design.active_power_w"  # equal power, other lanes
    for name, suffix in UNITS.items():
        own = presets_knob(lambda: presets, {}, {"small": "s"})(DESIGN, name)  # type: ignore[arg-type]
        assert own == chosen(getattr(DESIGN, name), suffix, f"design.{name}")


def test_the_machine_multiplies_adds_and_counts_clock_by_clock() -> None:
    """24 products on 4 lanes take 6 clocks; 576 and 256 bits at 64 a clock take 9 and 4."""
    b = GraphBuilder("one", format=FLOAT32)
    b.output(b.add("gemm", [b.input("x", (2, 3)), b.weight("w", (3, 4))], name="product"))
    graph = b.build()
    done = machine(graph, DESIGN, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    x, w = rng.integers(-99, 100, (2, 3)), rng.integers(-99, 100, (3, 4))
    assert done.values.tolist() == (x @ w).tolist()
    assert done.values.dtype == np.int64
    assert np.array_equal(reference(graph, DESIGN, np.random.default_rng(3)), x @ w)
    assert done.cycles == 13
    assert done.events == {("engine", "mac"): 24, ("dram", "read"): 576, ("dram", "write"): 256}
    peak = DESIGN.model_copy(update={"memory_model": MemoryModel.IN_PEAK})
    assert machine(graph, peak, np.random.default_rng(3)).cycles == 6
    # 96 bits a clock: 6 clocks of reading and 3 of writing, which begins on a clock of its own.
    assert machine(graph, DESIGN.model_copy(update={"dram_bits_per_s": 960.0}), rng).cycles == 9


def test_random_networks_of_the_machine_are_small_products_and_sums() -> None:
    graphs = [machine_graph(np.random.default_rng(seed)) for seed in range(40)]
    assert {(op.kind, op.name) for graph in graphs for op in graph.ops} == {
        ("gemm", "product"),
        ("elementwise", "sum"),
    }
    assert {graph.name for graph in graphs} == {"random"}
    assert {tuple(graph.tensors) for graph in graphs} == {("x", "w", "product"), ("x", "y", "sum")}
    assert 20 < sum(graph.ops[0].kind == "gemm" for graph in graphs) < 35
    sizes = {size for graph in graphs for tensor in graph.tensors.values() for size in tensor.shape}
    assert sizes == set(range(1, 12))
    assert {tensor.format for graph in graphs for tensor in graph.tensors.values()} == {FLOAT32}
